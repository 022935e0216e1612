//! Alerts: the worst first, and of those the ones that nobody has taken on.

use crate::commands::top::grid::{Cell, Column, Row, Subject, Tone, narrow, numbers, wide};
use crate::commands::top::picture::{Alert, Picture};
use crate::show::seconds;

pub(super) const COLUMNS: &[Column] = &[
    narrow("SEV", 4, 0),
    wide("ALERT", 12, 1, 1),
    numbers("FOR", 6, 4),
    narrow("STATE", 7, 2),
    narrow("TAKEN BY", 10, 6),
    wide("SUMMARY", 14, 4, 3),
    wide("LABELS", 12, 1, 7),
];

pub(super) fn rows(picture: &Picture) -> Vec<Row> {
    let mut alerts: Vec<&Alert> = picture.alerts.iter().collect();
    alerts.sort_by_key(|alert| {
        (state(alert), std::cmp::Reverse(weight(&alert.severity)), alert.rule.clone(), alert.id.clone())
    });
    super::bounded(alerts.into_iter().map(|alert| row(alert, picture)))
}

fn state(alert: &Alert) -> u8 {
    match alert.state.as_str() {
        "firing" => 0,
        "acknowledged" => 1,
        _ => 2,
    }
}

/// How bad a severity is; one that is not known here is not taken lightly.
fn weight(severity: &str) -> u8 {
    match severity {
        "info" => 0,
        "warning" => 1,
        "error" => 2,
        _ => 3,
    }
}

/// A severity in four letters.
fn short(severity: &str) -> &str {
    match severity {
        "critical" => "crit",
        "error" => "err",
        "warning" => "warn",
        other => other,
    }
}

fn row(alert: &Alert, picture: &Picture) -> Row {
    let pending = alert.state == "pending";
    let tone = if pending { Tone::Quiet } else { super::severity(&alert.severity) };
    let since = alert.fired_at.unwrap_or(alert.active_at);
    let labels: Vec<String> = alert
        .labels
        .iter()
        .filter(|(name, _)| !matches!(name.as_str(), "alertname" | "severity"))
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    let taken = alert.acknowledged.as_ref().map(|acknowledged| acknowledged.by.as_str());
    let state = match alert.state.as_str() {
        "acknowledged" => "taken",
        other => other,
    };
    Row {
        key: alert.id.clone(),
        subject: Subject::Alert(alert.id.clone()),
        cells: vec![
            Cell::text(short(&alert.severity)).tone(tone).by(f64::from(weight(&alert.severity))),
            Cell::text(&alert.rule).tone(if taken.is_some() { Tone::Quiet } else { Tone::Plain }),
            Cell::number(Some(picture.time.since(since).as_secs_f64()), seconds),
            Cell::text(state).tone(if taken.is_some() { Tone::Good } else { Tone::Plain }),
            Cell::maybe(taken),
            Cell::maybe(alert.annotations.get("summary").map(String::as_str)),
            Cell::text(&labels.join(" ")).tone(Tone::Quiet),
        ],
    }
}
