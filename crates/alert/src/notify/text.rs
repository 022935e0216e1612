//! A notification as plain text: what a mail says.

use std::fmt::Write as _;

use super::links::Links;
use super::message::{Notification, NotifiedAlert, Status};
use crate::evidence::CheckResult;

/// The widest column of a table, in characters; the last may be as long as it is.
const MAX_COLUMN: usize = 40;

/// The whole text.
pub(super) fn body(notification: &Notification, links: &Links) -> String {
    let mut text = String::new();
    for alert in &notification.alerts {
        alert_text(&mut text, notification, alert, links);
    }
    if notification.more > 0 {
        let _ = writeln!(text, "… and {} more alerts of this rule.\n", notification.more);
    }
    let _ = match links.all() {
        Some(all) => writeln!(text, "All alerts: {all}"),
        // A bare path is no link; what it is to be opened at, only people know.
        None => writeln!(
            text,
            "Paths are to be opened at Watchkeeper's own address; external_url in the section [alerts] makes links of them."
        ),
    };
    text
}

fn alert_text(text: &mut String, notification: &Notification, alert: &NotifiedAlert, links: &Links) {
    let _ = writeln!(text, "{}", alert.summary().unwrap_or(&notification.rule));
    if let Some(description) = alert.annotations.get("description")
        && alert.summary() != Some(description)
    {
        let _ = writeln!(text, "{description}");
    }
    text.push('\n');
    let mut facts: Vec<(&str, String)> = vec![
        ("State", notification.status.as_str().to_owned()),
        ("Severity", alert.severity.to_string()),
        ("Value", alert.value.clone()),
        ("Since", alert.active_at.to_string()),
    ];
    let mut fact = |name, value: Option<String>| facts.extend(value.map(|value| (name, value)));
    fact("Fired", alert.fired_at.map(|at| at.to_string()));
    fact("Taken on by", alert.acknowledged_by.clone());
    fact("Resolved", alert.resolved_at.map(|at| at.to_string()));
    fact("Resolved by", alert.resolved_by.clone());
    fact("Note", alert.note.clone());
    fact("Rule", Some(format!("{} in {}", notification.rule, notification.group)));
    let page = |named: &String| links.page(named).unwrap_or_else(|| format!("open {named} at Watchkeeper"));
    fact("What to do", alert.annotations.get("runbook_url").map(page));
    let this = links.alert(&alert.id);
    fact("This alert", Some(this.unwrap_or_else(|| format!("open /?alert={} at Watchkeeper", alert.id))));
    for (name, value) in facts {
        let _ = writeln!(text, "{name:<12} {}", value.replace('\n', " "));
    }
    let _ = writeln!(text, "\nLabels");
    for (name, value) in &alert.labels {
        let _ = writeln!(text, "  {name} = {value}");
    }
    text.push('\n');
    // What was true when it fired says nothing of now.
    if notification.status == Status::Firing {
        for check in &alert.evidence {
            table(text, check);
        }
    }
}

fn table(text: &mut String, check: &CheckResult) {
    let _ = writeln!(text, "{}", check.title);
    if !check.reason.is_empty() {
        let _ =
            writeln!(text, "  {}: {}", check.verdict.as_str(), check.reason.replace(char::is_control, " "));
    }
    if !check.rows.is_empty() {
        let widths: Vec<usize> = (0..check.columns.len())
            .map(|column| {
                let cells =
                    check.rows.iter().filter_map(|row| row.get(column)).chain(check.columns.get(column));
                cells.map(|cell| cell.chars().count()).max().unwrap_or(0).min(MAX_COLUMN)
            })
            .collect();
        line(text, &check.columns, &widths);
        for row in &check.rows {
            line(text, row, &widths);
        }
    }
    if let Some(note) = &check.note {
        let _ = writeln!(text, "  ({note})");
    }
    text.push('\n');
}

fn line(text: &mut String, cells: &[String], widths: &[usize]) {
    let mut line = String::new();
    for (index, (cell, width)) in cells.iter().zip(widths).enumerate() {
        let last = index + 1 == cells.len();
        let cell = cell.replace(|c: char| c.is_control(), " ");
        let shown: String = if last { cell } else { cell.chars().take(*width).collect() };
        let _ = write!(line, "  {shown:<width$}");
    }
    let _ = writeln!(text, "{}", line.trim_end());
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::notify::message::tests::backlog;

    #[test]
    fn a_mail_reads_well() {
        let text = body(&backlog(Status::Firing), &Links::new(Some("https://watch.example.org/")));
        for expected in [
            "llm_tasks has a backlog\n",
            "Severity     critical\n",
            "What to do   https://watch.example.org/docs/runbooks/queue-backlog.md\n",
            "This alert   https://watch.example.org/?alert=00000000000000a1\n",
            "All alerts: https://watch.example.org/?alerts=all\n",
            "Tasks that wait longest\n  look: 2 to look at\n  queue      task  age\n  llm_tasks  t-1   5m 0s\n  llm_tasks  t-22  4m 0s\n",
            "Workers\n  look: 0 to look at\n  (no worker has reported itself)\n",
        ] {
            assert!(text.contains(expected), "{expected:?} is not in\n{text}");
        }
        let text = body(&backlog(Status::Resolved), &Links::new(None));
        assert!(text.contains("Resolved     1970-01-01T00:10:00Z"), "{text}");
        assert!(!text.contains("Tasks that wait longest"), "{text}");
    }

    #[test]
    fn without_an_address_a_mail_says_what_to_open_where() {
        let text = body(&backlog(Status::Firing), &Links::new(None));
        for expected in [
            "What to do   open /docs/runbooks/queue-backlog.md at Watchkeeper\n",
            "This alert   open /?alert=00000000000000a1 at Watchkeeper\n",
            "external_url in the section [alerts] makes links",
        ] {
            assert!(text.contains(expected), "{expected:?} is not in\n{text}");
        }
    }
}
