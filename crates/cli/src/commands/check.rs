//! `watchkeeper check`: one line for each alert that fires, and an exit code.
//!
//! That nothing fires says something only once every rule has been looked at: until then it is a warning.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::client::{Client, Connection};
use crate::exit::{self, Failure};
use crate::show::clean;

/// What the command line says.
#[derive(Debug, clap::Args)]
pub(crate) struct Check {
    /// Print JSON
    #[arg(long)]
    json: bool,
    /// Print nothing when nothing fires: for cron, which mails what is printed
    #[arg(long, short, conflicts_with = "json")]
    quiet: bool,
    /// Only alerts of this severity and above
    #[arg(long, value_name = "SEVERITY", default_value = "info")]
    severity: Severity,
    /// Only alerts of this rule; may be given again
    #[arg(long, value_name = "NAME")]
    rule: Vec<String>,
    /// Only alerts about this queue; may be given again
    #[arg(long, value_name = "NAME")]
    queue: Vec<String>,
    /// Leave out alerts that somebody has taken on
    #[arg(long)]
    unacknowledged: bool,
    #[command(flatten)]
    connection: Connection,
}

/// How bad an alert is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, clap::ValueEnum)]
enum Severity {
    Info,
    Warning,
    Error,
    Critical,
}

impl Severity {
    fn of(alert_or_rule: &Value) -> Self {
        match text(alert_or_rule, "severity") {
            "info" => Self::Info,
            "warning" => Self::Warning,
            "error" => Self::Error,
            // A severity that is not known here is not taken lightly.
            _ => Self::Critical,
        }
    }

    fn code(self) -> u8 {
        match self {
            Self::Info => exit::OK,
            Self::Warning => exit::WARNING,
            Self::Error | Self::Critical => exit::CRITICAL,
        }
    }
}

pub(crate) async fn run(command: &Check) -> Result<u8, Failure> {
    let client = Client::new(&command.connection)?;
    let states = if command.unacknowledged { "firing" } else { "firing,acknowledged" };
    let mut alerts = client.list("/api/v1/alerts", &[("state", states)]).await?;
    alerts.retain(|alert| command.wants(alert));
    alerts.sort_by_key(|alert| (Reverse(Severity::of(alert)), text(alert, "rule").to_owned()));
    let mut rules = client.list("/api/v1/rules", &[]).await?;
    rules.retain(|rule| command.wants_unsure(rule));
    let waiting: Vec<Value> = rules.extract_if(.., |rule| rule["health"] == "unknown").collect();
    rules.retain(|rule| rule["health"] == "err");
    let broken = rules;
    let code = code(&alerts, broken.len() + waiting.len());
    if command.json {
        let answer =
            json!({ "code": code, "alerts": alerts, "broken_rules": broken, "unevaluated_rules": waiting });
        println!("{answer}");
        return Ok(code);
    }
    for alert in &alerts {
        println!("{}", alert_line(alert));
    }
    for rule in &broken {
        let (name, error) = (clean(text(rule, "name")), clean(text(rule, "last_error")));
        println!("WARNING  {name} cannot be evaluated: {error}");
    }
    if !waiting.is_empty() {
        let rules = if waiting.len() == 1 { "rule" } else { "rules" };
        println!("WARNING  not evaluated yet: {} {rules}", waiting.len());
    }
    if alerts.is_empty() && broken.is_empty() && waiting.is_empty() && !command.quiet {
        println!("OK  nothing fires");
    }
    Ok(code)
}

impl Check {
    fn wants(&self, alert: &Value) -> bool {
        let queue = alert["labels"]["queue"].as_str().unwrap_or_default();
        Severity::of(alert) >= self.severity
            && (self.rule.is_empty() || self.rule.iter().any(|name| name == text(alert, "rule")))
            && (self.queue.is_empty() || self.queue.iter().any(|name| name == queue))
    }

    /// A rule that cannot be evaluated, or was not yet, is a warning, whatever its queue would have been.
    /// What counts is how bad its alerts would be; a recording rule has no severity, and any may need it.
    fn wants_unsure(&self, rule: &Value) -> bool {
        Severity::of(rule) >= self.severity
            && (self.rule.is_empty() || self.rule.iter().any(|name| name == text(rule, "name")))
    }
}

/// The worst of all; `unsure` rules say nothing.
fn code(alerts: &[Value], unsure: usize) -> u8 {
    let worst = alerts.iter().map(|alert| Severity::of(alert).code()).max().unwrap_or(exit::OK);
    if unsure == 0 { worst } else { worst.max(exit::WARNING) }
}

fn alert_line(alert: &Value) -> String {
    let severity = text(alert, "severity").to_uppercase();
    let labels: BTreeMap<&String, &str> = alert["labels"]
        .as_object()
        .into_iter()
        .flatten()
        .filter(|(name, _)| !matches!(name.as_str(), "alertname" | "severity"))
        .filter_map(|(name, value)| Some((name, value.as_str()?)))
        .collect();
    let labels: Vec<String> = labels.iter().map(|(name, value)| format!("{name}={value:?}")).collect();
    let labels = if labels.is_empty() { String::new() } else { format!("{{{}}}", labels.join(", ")) };
    let summary =
        alert["annotations"]["summary"].as_str().map(|summary| format!(": {summary}")).unwrap_or_default();
    let taken =
        alert["acknowledged"]["by"].as_str().map(|by| format!(" (acknowledged by {by})")).unwrap_or_default();
    let since = alert["fired_at"].as_str().map(|time| format!(" since {time}")).unwrap_or_default();
    clean(&format!("{severity:<8} {}{labels}{since}{summary}{taken}", text(alert, "rule")))
}

fn text<'a>(value: &'a Value, key: &str) -> &'a str {
    value[key].as_str().unwrap_or("")
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        check: Check,
    }

    fn check(arguments: &[&str]) -> Check {
        Line::try_parse_from(["check"].iter().chain(arguments)).expect("parsed").check
    }

    fn alert(severity: &str) -> Value {
        json!({
            "rule": "QueueBacklog", "severity": severity, "fired_at": "2025-08-01T21:30:00Z",
            "labels": { "alertname": "QueueBacklog", "severity": severity, "queue": "llm" },
            "annotations": { "summary": "112 tasks\nwait" }, "acknowledged": { "by": "anna" },
        })
    }

    #[test]
    fn the_code_is_that_of_the_worst_alert() {
        let cases: [(&[&str], u8); 6] = [
            (&[], 0),
            (&["info"], 0),
            (&["warning", "info"], 1),
            (&["warning", "error"], 2),
            (&["critical"], 2),
            (&["odd"], 2),
        ];
        for (severities, expected) in cases {
            let alerts: Vec<Value> = severities.iter().map(|severity| alert(severity)).collect();
            assert_eq!(code(&alerts, 0), expected, "{severities:?}");
        }
        assert_eq!(code(&[], 1), 1, "a rule that says nothing is not fine");
        assert_eq!(code(&[alert("critical")], 1), 2);
    }

    #[test]
    fn only_what_is_asked_for_counts() {
        let cases: [(&[&str], &str, bool); 8] = [
            (&[], "info", true),
            (&["--severity", "error"], "warning", false),
            (&["--severity", "error"], "error", true),
            (&["--severity", "critical"], "odd", true),
            (&["--rule", "Other"], "error", false),
            (&["--rule", "Other", "--rule", "QueueBacklog"], "error", true),
            (&["--queue", "ocr"], "error", false),
            (&["--queue", "ocr", "--queue", "llm"], "error", true),
        ];
        for (arguments, severity, expected) in cases {
            assert_eq!(check(arguments).wants(&alert(severity)), expected, "{arguments:?} {severity}");
        }
        let broken = |severity: Value| json!({ "name": "QueueBacklog", "severity": severity });
        assert!(check(&["--queue", "ocr"]).wants_unsure(&broken(json!("info"))));
        assert!(!check(&["--rule", "Other"]).wants_unsure(&broken(json!("critical"))));
        let critical = check(&["--severity", "critical"]);
        for (severity, expected) in [
            (json!("critical"), true),
            (json!("error"), false),
            (json!("warning"), false),
            (json!(null), true),
        ] {
            assert_eq!(critical.wants_unsure(&broken(severity.clone())), expected, "{severity}");
        }
    }

    #[test]
    fn an_alert_is_one_line_that_no_terminal_obeys() {
        assert_eq!(
            alert_line(&alert("critical")),
            "CRITICAL QueueBacklog{queue=\"llm\"} since 2025-08-01T21:30:00Z: 112 tasks wait (acknowledged by anna)"
        );
        let hostile = json!({ "rule": "A\u{1b}[2J", "severity": "info", "annotations": { "summary": "\u{9b}31m\u{7}" } });
        assert!(!alert_line(&hostile).contains(char::is_control));
    }
}
