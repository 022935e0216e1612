//! `watchkeeper diagnose`: runbook checks, run now.

use std::fmt::Write as _;

use serde_json::{Value, json};

use crate::client::{Client, Connection, segment};
use crate::exit::{self, Failure};

/// The options of `diagnose`.
#[derive(Debug, clap::Args)]
pub(crate) struct Diagnose {
    /// An alert by its id, or a rule by its name; everything is looked at when left out
    alert: Option<String>,
    /// Run this check only; can be given several times
    #[arg(long = "check", value_name = "NAME", conflicts_with = "alert")]
    checks: Vec<String>,
    /// List the checks, and run none
    #[arg(long, conflicts_with_all = ["alert", "checks"])]
    list: bool,
    /// Print JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    connection: Connection,
}

/// Looks, prints what was found, and gives the exit code.
pub(crate) async fn run(command: &Diagnose) -> Result<u8, Failure> {
    let client = Client::new(&command.connection)?;
    if command.list {
        let checks = client.list("/api/v1/checks", &[]).await?;
        if command.json {
            println!("{:#}", Value::Array(checks));
        } else {
            println!("{}", super::access::table(&[("CHECK", "name"), ("SHOWS", "title")], &checks));
        }
        return Ok(exit::OK);
    }
    let found = match &command.alert {
        Some(id) if is_id(id) => {
            client.post(&format!("/api/v1/alerts/{}/diagnose", segment(id)), &json!({})).await?
        }
        Some(rule) => client.post("/api/v1/diagnose", &json!({ "rule": rule })).await?,
        None => client.post("/api/v1/diagnose", &json!({ "checks": command.checks })).await?,
    };
    if command.json {
        println!("{found:#}");
    } else {
        print!("{}", shown(&found, super::width()));
    }
    Ok(code(&found))
}

/// Ids are sixteen hexadecimal digits; rules are not called so.
fn is_id(text: &str) -> bool {
    text.len() == 16 && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

fn checks(found: &Value) -> impl Iterator<Item = &Value> {
    found["checks"].as_array().into_iter().flatten()
}

/// As `check` has it: 0 fine, 1 something deserves a look, 2 something is broken.
fn code(found: &Value) -> u8 {
    let worst = |worst: u8, check: &Value| {
        worst.max(match check["verdict"].as_str() {
            Some("fine") => exit::OK,
            Some("bad") => exit::CRITICAL,
            _ => exit::WARNING,
        })
    };
    checks(found).fold(exit::OK, worst)
}

/// First the verdicts, then the tables of what is not fine, then the others'.
fn shown(found: &Value, width: u16) -> String {
    let mut text = String::new();
    let word = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    if let Some(rule) = found["rule"].as_str() {
        let about: Vec<String> = found["labels"]
            .as_object()
            .into_iter()
            .flatten()
            .filter(|(name, _)| !matches!(name.as_str(), "alertname" | "severity"))
            .map(|(name, value)| format!("{name}={}", word(value)))
            .collect();
        let _ = writeln!(text, "{rule} {}\n", about.join(" "));
    }
    for check in checks(found) {
        let reason = match word(&check["reason"]) {
            reason if reason.is_empty() => word(&check["title"]),
            reason => reason,
        };
        let _ = writeln!(text, "{:<5} {:<24} {reason}", word(&check["verdict"]), word(&check["check"]));
    }
    for check in checks(found) {
        let _ = writeln!(text, "\n{} ({})", word(&check["title"]), word(&check["check"]));
        let rows = check["rows"].as_array().map_or(&[][..], Vec::as_slice);
        if !rows.is_empty() {
            let cells = |row: &Value| row.as_array().into_iter().flatten().map(word).collect::<Vec<_>>();
            let mut table = super::wrapped_table(width);
            table.set_header(cells(&check["columns"]));
            for row in rows {
                table.add_row(cells(row));
            }
            let _ = writeln!(text, "{}", table.trim_fmt());
        }
        if let Some(note) = check["note"].as_str() {
            let _ = writeln!(text, "({note})");
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found() -> Value {
        json!({
            "rule": "QueueBacklog", "labels": { "alertname": "QueueBacklog", "queue": "llm_tasks" },
            "checks": [
                { "check": "workers", "title": "Workers", "verdict": "bad", "reason": "no worker is online",
                  "columns": ["worker", "status"], "rows": [["llm-worker-1", "offline"]], "note": null },
                { "check": "queue_heads", "title": "Tasks that are taken next", "verdict": "look",
                  "reason": "more arrive than are done", "note": null,
                  "columns": ["queue", "place", "task", "score", "age", "kind", "document", "size"],
                  "rows": [["llm_tasks", "1", "0b0e1f2a-7c1d-4a6e-9b8e-3a1f5c2d4e6f", "-5", "1h 3m 20s",
                            "summary", "0b0e1f2a-7c1d-4a6e-9b8e-3a1f5c2d4e6f", "12.1KiB"]] },
                { "check": "oom_kills", "title": "Kills", "verdict": "fine", "reason": "",
                  "columns": [], "rows": [], "note": "none" },
            ],
        })
    }

    #[test]
    fn the_worst_check_decides_on_the_exit_code() {
        assert_eq!(code(&found()), exit::CRITICAL);
        assert_eq!(code(&json!({ "checks": [{ "verdict": "look" }, { "verdict": "fine" }] })), exit::WARNING);
        assert_eq!(code(&json!({ "checks": [] })), exit::OK);
    }

    #[test]
    fn what_was_found_fits_into_80_columns() {
        let text = shown(&found(), 80);
        for line in text.lines() {
            assert!(line.chars().count() <= 80, "{line}");
        }
        for expected in ["QueueBacklog queue=llm_tasks", "bad   workers", "no worker is online", "(none)"] {
            assert!(text.contains(expected), "{expected} is not in\n{text}");
        }
    }

    #[test]
    fn an_id_is_no_name_of_a_rule() {
        assert!(is_id("00af000000000fa1"));
        assert!(!is_id("QueueBacklog") && !is_id("00af000000000fag"));
    }
}
