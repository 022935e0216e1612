//! What the results of a rule's expression become: series, or alerts. Pure, but for queries in templates.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use model::histogram::MAX_BUCKETS;
use model::{Labels, LabelsBuilder, Timestamp};

use crate::clerk::Sighting;
use crate::evaluate::Finding;
use crate::rules::identity;
use crate::series::{SeriesValue, Written};
use crate::template::{Data, External, Querier};
use crate::{AlertRule, RecordingRule, Severity};

/// Results that cannot be used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ResultError {
    #[error("exceeded limit of {limit} with {given} {what}")]
    TooMany { limit: usize, given: usize, what: &'static str },
    #[error(
        "the histogram {labels} has more than {MAX_BUCKETS} buckets on one side: let it be made of coarser ones"
    )]
    TooManyBuckets { labels: Labels },
    #[error("vector contains metrics with the same labelset after applying {what} labels: {labels}")]
    Same { what: &'static str, labels: Labels },
    #[error(
        "the expression gives {given} alerts, and a rule may have {limit} (alerts.max_alerts_per_rule): let it give fewer"
    )]
    TooManyAlerts { limit: usize, given: usize },
}

/// Checks how many results there are; the words are Prometheus'.
pub(crate) fn within(limit: Option<usize>, given: usize, what: &'static str) -> Result<(), ResultError> {
    match limit {
        Some(limit) if given > limit => Err(ResultError::TooMany { limit, given, what }),
        _ => Ok(()),
    }
}

/// The series that a recording rule writes.
pub(crate) fn recorded(rule: &RecordingRule, findings: Vec<Finding>) -> Result<Written, ResultError> {
    let mut series = BTreeMap::new();
    for finding in findings {
        let mut builder = finding.labels.to_builder();
        builder.set(model::labels::METRIC_NAME, rule.name.as_str());
        for (name, value) in &rule.labels {
            builder.set(name.as_str(), value.as_str());
        }
        let labels = builder.build();
        // Arithmetic can give a histogram more buckets than a stored one may have.
        if finding.histogram.as_deref().is_some_and(|histogram| !histogram.fits_format()) {
            return Err(ResultError::TooManyBuckets { labels });
        }
        if series.insert(labels.clone(), SeriesValue::of(&finding)).is_some() {
            return Err(ResultError::Same { what: "rule", labels });
        }
    }
    Ok(series)
}

/// What templates are filled in with, beside the result.
pub(crate) struct Templating<'a> {
    pub(crate) external: &'a External,
    pub(crate) now: Timestamp,
    pub(crate) querier: &'a dyn Querier,
}

/// The alerts that a rule's results are.
pub(crate) fn sightings(
    rule: &AlertRule,
    findings: &[Finding],
    templating: &Templating<'_>,
) -> Result<Vec<Sighting>, ResultError> {
    let mut sightings: Vec<Sighting> = Vec::with_capacity(findings.len());
    let mut seen = BTreeSet::new();
    for finding in findings {
        let text = |(name, value): (&str, &str)| (name.to_owned(), value.to_owned());
        let data = Data {
            labels: Arc::new(finding.labels.iter().map(text).collect()),
            value: finding.value,
            histogram: finding.histogram.clone(),
            external: templating.external,
            now: templating.now.as_secs_f64(),
            querier: templating.querier,
        };
        let mut builder: LabelsBuilder = finding.labels.to_builder();
        builder.remove(model::labels::METRIC_NAME);
        for (name, template) in &rule.labels {
            builder.set(name.as_str(), template.render_or_say(&data, &rule.name));
        }
        builder.set("alertname", rule.name.as_str());
        let labels = builder.build();
        let id = identity([&rule.id, &rule.group, &rule.name], labels.iter());
        if !seen.insert(id.clone()) {
            return Err(ResultError::Same { what: "alert", labels });
        }
        let severity = labels.get("severity").and_then(|text| text.parse().ok());
        let filled_in = rule.annotations.iter();
        sightings.push(Sighting {
            id,
            severity: severity.unwrap_or(Severity::Warning),
            labels: labels.iter().map(text).collect(),
            annotations: filled_in
                .map(|(key, template)| (key.clone(), template.render_or_say(&data, &rule.name)))
                .collect(),
            value: finding.value,
        });
    }
    Ok(sightings)
}
