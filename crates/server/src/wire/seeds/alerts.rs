//! Seed 001's `Alert`.

use std::collections::BTreeMap;

use model::Timestamp;
use serde::Serialize;
use serde_json::{Value, json};
use utoipa::ToSchema;

/// An alert that people were told of.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = SeedAlert)]
pub(crate) struct Alert {
    /// Its id, as in `/api/v1/alerts`.
    alert_id: String,
    /// Its summary.
    title: String,
    /// Its description.
    description: String,
    /// `info`, `warning`, `error` or `critical`.
    severity: String,
    /// When it fired.
    #[schema(value_type = String, format = DateTime)]
    timestamp: Timestamp,
    /// What it is about: `worker`, `queue`, `stage`, `task`, `service`, `process`, `collector`, or `system`.
    component: &'static str,
    /// Which one, by name.
    component_id: Option<String>,
    /// The series that the rule looks at; null where it looks at several.
    metric_name: Option<String>,
    /// What the rule's expression gave last.
    metric_value: Option<f64>,
    /// With which number the rule compares; null where it compares otherwise.
    threshold: Option<f64>,
    /// Whether it is not over; it always is in this list.
    is_active: bool,
    /// Whether somebody has taken it on.
    acknowledged: bool,
    /// Who.
    acknowledged_by: Option<String>,
    /// When.
    #[schema(value_type = Option<String>, format = DateTime)]
    acknowledged_at: Option<Timestamp>,
    /// When it was over; null in this list.
    #[schema(value_type = Option<String>, format = DateTime)]
    resolved_at: Option<Timestamp>,
    /// Its labels.
    tags: BTreeMap<String, String>,
    /// `rule`, `group`, `state`, `note`, and the rule's further annotations.
    #[schema(value_type = Object)]
    metadata: BTreeMap<String, Value>,
}

/// Labels that say what an alert is about, the nearest first.
const COMPONENTS: [(&str, &str); 9] = [
    ("worker", "worker"),
    ("queue", "queue"),
    ("stage", "stage"),
    ("kind", "task"),
    ("service", "service"),
    ("group", "process"),
    ("collector", "collector"),
    ("component", "component"),
    ("host", "system"),
];

impl Alert {
    /// An alert, with the expression of its rule where the rule still exists.
    pub(crate) fn new(record: state::AlertRecord, expression: Option<&str>) -> Self {
        let about = COMPONENTS.iter().find(|(label, _)| record.labels.contains_key(*label));
        let comparison = expression.and_then(comparison);
        let mut metadata: BTreeMap<String, Value> =
            record.annotations.iter().map(|(name, text)| (name.clone(), json!(text))).collect();
        metadata.extend([
            ("rule".to_owned(), json!(record.rule)),
            ("group".to_owned(), json!(record.group)),
            ("state".to_owned(), json!(record.state.as_str())),
            ("note".to_owned(), json!(record.note)),
        ]);
        let mut text = |name: &str| {
            metadata.remove(name).and_then(|text| text.as_str().map(str::to_owned)).unwrap_or_default()
        };
        let (title, description) = (text("summary"), text("description"));
        Self {
            alert_id: record.id,
            title: if title.is_empty() { record.rule } else { title },
            description,
            severity: record.severity,
            timestamp: record.fired_at.unwrap_or(record.active_at),
            component: about.map_or("system", |(_, component)| component),
            component_id: about.and_then(|(label, _)| record.labels.get(*label).cloned()),
            metric_name: comparison.map(|(name, _)| name.to_owned()),
            metric_value: record.value.is_finite().then_some(record.value),
            threshold: comparison.map(|(_, threshold)| threshold),
            is_active: record.resolved_at.is_none(),
            acknowledged: record.acknowledged_by.is_some(),
            acknowledged_by: record.acknowledged_by,
            acknowledged_at: record.acknowledged_at,
            resolved_at: record.resolved_at,
            tags: record.labels,
            metadata,
        }
    }
}

/// The series and the number of an expression that compares one series with one number:
/// `queue_depth{state="pending"} > 100`. Of any other expression nothing can be said so shortly.
fn comparison(expression: &str) -> Option<(&str, f64)> {
    let expression = expression.trim();
    let is_of_name = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '_' | ':');
    let (name, rest) = expression.split_at(expression.find(|letter| !is_of_name(letter))?);
    let rest = match rest.strip_prefix('{') {
        Some(matchers) => matchers.split_once('}')?.1,
        None => rest,
    };
    let rest = rest.trim_start();
    let number = [">=", "<=", "==", "!=", ">", "<"].iter().find_map(|op| rest.strip_prefix(op))?;
    let threshold: f64 = number.trim().parse().ok().filter(|threshold: &f64| threshold.is_finite())?;
    (!name.is_empty()).then_some((name, threshold))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_simple_comparison_is_told_and_anything_else_is_not() {
        let cases = [
            (r#"queue_depth{state="pending"} > 100"#, Some(("queue_depth", 100.0))),
            ("worker_up == 0", Some(("worker_up", 0.0))),
            ("  up<=-1.5e3\n", Some(("up", -1500.0))),
            ("up", None),
            ("", None),
            ("up > down", None),
            ("rate(errors_total[5m]) > 1", None),
            ("100 * host_cpu_usage_ratio > 90", None),
            (r#"queue_depth{state="pending"} > 0 and on (queue) up == 0"#, None),
            ("up > NaN", None),
        ];
        for (expression, expected) in cases {
            assert_eq!(comparison(expression), expected, "{expression}");
        }
    }
}
