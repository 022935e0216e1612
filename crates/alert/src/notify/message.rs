//! What a notification says: the form in which it waits in the queue, the same for every channel.

use std::collections::BTreeMap;

use model::Timestamp;
use serde::{Deserialize, Serialize};
use state::AlertRecord;

use crate::Severity;
use crate::evidence::CheckResult;

/// The most alerts that one notification tells of; the rest are counted.
pub(crate) const MAX_ALERTS: usize = 50;

/// Whether alerts begin or end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Status {
    Firing,
    Resolved,
}

impl Status {
    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Firing => "firing",
            Self::Resolved => "resolved",
        }
    }
}

/// Alerts of one rule that began, or ended, in the same evaluation.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Notification {
    pub(crate) status: Status,
    /// It was told before, and still is so.
    pub(crate) repeated: bool,
    pub(crate) rule_id: String,
    pub(crate) group: String,
    pub(crate) rule: String,
    pub(crate) time: Timestamp,
    pub(crate) alerts: Vec<NotifiedAlert>,
    /// How many more there are than are told.
    pub(crate) more: usize,
}

/// One alert, as it is told.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct NotifiedAlert {
    pub(crate) id: String,
    pub(crate) severity: Severity,
    pub(crate) labels: BTreeMap<String, String>,
    pub(crate) annotations: BTreeMap<String, String>,
    pub(crate) value: String,
    pub(crate) active_at: Timestamp,
    pub(crate) fired_at: Option<Timestamp>,
    pub(crate) resolved_at: Option<Timestamp>,
    pub(crate) resolved_by: Option<String>,
    pub(crate) acknowledged_by: Option<String>,
    pub(crate) note: Option<String>,
    pub(crate) evidence: Vec<CheckResult>,
}

impl NotifiedAlert {
    pub(crate) fn of(record: &AlertRecord) -> Self {
        Self {
            id: record.id.clone(),
            severity: record.severity.parse().unwrap_or(Severity::Warning),
            labels: record.labels.clone(),
            annotations: record.annotations.clone(),
            value: promql::format_value(record.value),
            active_at: record.active_at,
            fired_at: record.fired_at,
            resolved_at: record.resolved_at,
            resolved_by: record.resolved_by.clone(),
            acknowledged_by: record.acknowledged_by.clone(),
            note: record.note.clone(),
            // Evidence of another version's form is left out, not the notification.
            evidence: serde_json::from_value(record.evidence.clone()).unwrap_or_default(),
        }
    }

    /// The labels that tell this alert from others of its rule, as `a b`.
    fn subject_labels(&self) -> String {
        let hidden =
            |name: &str| matches!(name, "alertname" | "severity" | "state" | "host" | "instance" | "job");
        let telling = |(name, _): &(&String, &String)| !hidden(name);
        let mut values: Vec<&str> =
            self.labels.iter().filter(telling).map(|(_, value)| value.as_str()).collect();
        if values.is_empty() {
            values.extend(self.labels.get("host").map(String::as_str));
        }
        values.join(" ")
    }

    /// What an annotation of the rule says it is, in one line.
    pub(crate) fn summary(&self) -> Option<&str> {
        ["summary", "title", "description"]
            .iter()
            .find_map(|key| self.annotations.get(*key))
            .map(String::as_str)
    }
}

impl Notification {
    /// The worst severity among the alerts.
    pub(crate) fn severity(&self) -> Severity {
        self.alerts.iter().map(|alert| alert.severity).max().unwrap_or_default()
    }

    /// What receivers group by: the same for every notification of a rule.
    pub(crate) fn group_key(&self) -> String {
        format!("watchkeeper/{}/{}:{}", self.group, self.rule, self.rule_id)
    }

    /// One line: `[FIRING] [critical] QueueBacklog llm_tasks: 150 tasks wait`.
    pub(crate) fn subject(&self) -> String {
        let count = self.alerts.len() + self.more;
        let status = self.status.as_str().to_uppercase();
        let status = if count == 1 { status } else { format!("{status}:{count}") };
        let again = if self.repeated { " (still)" } else { "" };
        let severity = self.severity();
        let mut subject = format!("[{status}]{again} [{severity}] {}", self.rule);
        if let [alert] = self.alerts.as_slice() {
            let labels = alert.subject_labels();
            if !labels.is_empty() {
                subject.push(' ');
                subject.push_str(&labels);
            }
            if let Some(summary) = alert.summary() {
                subject.push_str(": ");
                subject.push_str(summary);
            }
        } else if let Some(summary) = self.alerts.first().and_then(NotifiedAlert::summary) {
            subject.push_str(&format!(": {summary}, and others"));
        }
        // A header holds one line, and texts come from outside.
        subject.chars().map(|c| if c.is_control() { ' ' } else { c }).take(200).collect()
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    fn texts(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
        pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
    }

    fn check(name: &str, title: &str, rows: &[[&str; 3]], note: Option<&str>) -> CheckResult {
        CheckResult {
            check: name.to_owned(),
            title: title.to_owned(),
            verdict: crate::CheckVerdict::Look,
            reason: format!("{} to look at", rows.len()),
            columns: ["queue", "task", "age"].map(str::to_owned).to_vec(),
            rows: rows.iter().map(|row| row.map(str::to_owned).to_vec()).collect(),
            note: note.map(str::to_owned),
        }
    }

    /// A backlog of one queue, as it is told.
    pub(crate) fn backlog(status: Status) -> Notification {
        let minute = |minute: i64| Timestamp::from_millis(minute * 60_000);
        Notification {
            status,
            repeated: false,
            rule_id: "00000000000000r1".to_owned(),
            group: "queues".to_owned(),
            rule: "QueueBacklog".to_owned(),
            time: minute(5),
            alerts: vec![NotifiedAlert {
                id: "00000000000000a1".to_owned(),
                severity: Severity::Critical,
                labels: texts(&[
                    ("alertname", "QueueBacklog"),
                    ("queue", "llm_tasks"),
                    ("severity", "critical"),
                    ("state", "pending"),
                ]),
                annotations: texts(&[
                    ("summary", "llm_tasks has a backlog"),
                    ("runbook_url", "/docs/runbooks/queue-backlog.md"),
                ]),
                value: "150".to_owned(),
                active_at: minute(4),
                fired_at: Some(minute(5)),
                resolved_at: (status == Status::Resolved).then(|| minute(10)),
                resolved_by: None,
                acknowledged_by: None,
                note: None,
                evidence: vec![
                    check(
                        "oldest_pending_tasks",
                        "Tasks that wait longest",
                        &[["llm_tasks", "t-1", "5m 0s"], ["llm_tasks", "t-22", "4m 0s"]],
                        None,
                    ),
                    check("workers", "Workers", &[], Some("no worker has reported itself")),
                ],
            }],
            more: 0,
        }
    }

    #[test]
    fn a_subject_says_it_in_one_line() {
        let one = backlog(Status::Firing);
        assert_eq!(one.subject(), "[FIRING] [critical] QueueBacklog llm_tasks: llm_tasks has a backlog");
        let over = backlog(Status::Resolved);
        assert_eq!(over.subject(), "[RESOLVED] [critical] QueueBacklog llm_tasks: llm_tasks has a backlog");
        let mut many = backlog(Status::Firing);
        many.alerts.push(many.alerts[0].clone());
        (many.more, many.repeated) = (3, true);
        assert_eq!(
            many.subject(),
            "[FIRING:5] (still) [critical] QueueBacklog: llm_tasks has a backlog, and others"
        );
        let mut hostile = backlog(Status::Firing);
        hostile.alerts[0].annotations.insert("summary".to_owned(), "a\r\nBcc: x@example.org".to_owned());
        assert!(!hostile.subject().contains(['\r', '\n']));
    }

    #[test]
    fn a_notification_survives_the_queue() {
        let notification = backlog(Status::Firing);
        let json = serde_json::to_value(&notification).expect("JSON");
        assert_eq!(serde_json::from_value::<Notification>(json).expect("the same"), notification);
    }
}
