//! `watchkeeper check`: one line for each alert that fires, and an exit code.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::client::{Client, Connection};
use crate::exit::{self, Failure};

/// What the command line says.
#[derive(Debug, clap::Args)]
pub(crate) struct Check {
    /// Print JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    connection: Connection,
}

pub(crate) async fn run(command: &Check) -> Result<u8, Failure> {
    let client = Client::new(&command.connection)?;
    let alerts = client.list("/api/v1/alerts", &[("state", "firing,acknowledged")]).await?;
    let rules = client.list("/api/v1/rules", &[]).await?;
    let broken: Vec<Value> = rules.into_iter().filter(|rule| rule["health"] == "err").collect();
    let code = code(&alerts, &broken);
    if command.json {
        println!("{}", json!({ "code": code, "alerts": alerts, "broken_rules": broken }));
        return Ok(code);
    }
    for alert in &alerts {
        println!("{}", alert_line(alert));
    }
    for rule in &broken {
        let (name, error) = (text(rule, "name"), text(rule, "last_error"));
        println!("WARNING  {name} cannot be evaluated: {error}");
    }
    if alerts.is_empty() && broken.is_empty() {
        println!("OK  nothing fires");
    }
    Ok(code)
}

/// The worst of all.
fn code(alerts: &[Value], broken: &[Value]) -> u8 {
    let of = |alert: &Value| match text(alert, "severity") {
        "info" => exit::OK,
        "warning" => exit::WARNING,
        // A severity that is not known here is not taken lightly.
        _ => exit::CRITICAL,
    };
    let worst = alerts.iter().map(of).max().unwrap_or(exit::OK);
    if broken.is_empty() { worst } else { worst.max(exit::WARNING) }
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
    format!("{severity:<8} {}{labels}{since}{summary}{taken}", text(alert, "rule")).replace(['\n', '\r'], " ")
}

fn text<'a>(value: &'a Value, key: &str) -> &'a str {
    value[key].as_str().unwrap_or("")
}

#[cfg(test)]
mod tests {
    use super::*;

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
            assert_eq!(code(&alerts, &[]), expected, "{severities:?}");
        }
        assert_eq!(code(&[], &[json!({})]), 1, "a rule that cannot be evaluated is not fine");
    }

    #[test]
    fn an_alert_is_one_line() {
        assert_eq!(
            alert_line(&alert("critical")),
            "CRITICAL QueueBacklog{queue=\"llm\"} since 2025-08-01T21:30:00Z: 112 tasks wait (acknowledged by anna)"
        );
    }
}
