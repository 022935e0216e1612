//! What came out beside what was expected.

use std::collections::BTreeMap;

use model::histogram::ResetHint;
use model::{Histogram, Labels};
use promql::notation::{self, WrittenHistogram};
use promql::{Query, ValueKind, format_value};

use super::TestFailure;
use super::form::{AlertTest, ExpressionTest};
use super::stage::Stage;

/// Labels or annotations.
type Texts = BTreeMap<String, String>;

/// Compares the alerts that fire with those that are expected.
pub(super) fn check_alerts(expected: &AlertTest, stage: &Stage) -> Option<TestFailure> {
    let firing = stage.firing(&expected.alertname);
    let mut found: Vec<(Texts, Texts)> =
        firing.map(|record| (record.labels.clone(), record.annotations.clone())).collect();
    let mut missing = Vec::new();
    for alert in expected.exp_alerts.iter().flatten() {
        let mut labels = alert.exp_labels.clone();
        labels.insert("alertname".to_owned(), expected.alertname.clone());
        let alert = (labels, alert.exp_annotations.clone());
        match found.iter().position(|other| *other == alert) {
            Some(at) => _ = found.swap_remove(at),
            None => missing.push(shown_alert(&alert)),
        }
    }
    let unexpected: Vec<String> = found.iter().map(shown_alert).collect();
    failed(expected.alertname.clone(), expected.eval_time.to_string(), missing, unexpected)
}

fn shown_alert((labels, annotations): &(Texts, Texts)) -> String {
    let shown = |texts: &Texts| {
        texts.iter().map(|(key, text)| format!("{key}={text:?}")).collect::<Vec<_>>().join(", ")
    };
    format!("labels {{{}}} annotations {{{}}}", shown(labels), shown(annotations))
}

fn failed(
    subject: String,
    time: String,
    mut missing: Vec<String>,
    mut unexpected: Vec<String>,
) -> Option<TestFailure> {
    missing.sort();
    unexpected.sort();
    (!missing.is_empty() || !unexpected.is_empty()).then_some(TestFailure {
        subject,
        time,
        error: None,
        missing,
        unexpected,
    })
}

/// One sample, expected or found.
#[derive(Clone, Debug)]
enum Sample {
    Number(f64),
    Histogram(WrittenHistogram),
}

impl Sample {
    fn equals(&self, other: &Self, fuzzy: bool) -> bool {
        match (self, other) {
            (Self::Number(a), Self::Number(b)) => {
                let near = || fuzzy && a.next_down() <= *b && *b <= a.next_up();
                a == b || (a.is_nan() && b.is_nan()) || near()
            }
            (Self::Histogram(a), Self::Histogram(b)) => same_histograms(a, b),
            (Self::Number(_), Self::Histogram(_)) | (Self::Histogram(_), Self::Number(_)) => false,
        }
    }

    fn shown(&self, labels: &Labels) -> String {
        match self {
            Self::Number(number) => format!("{labels} {}", format_value(*number)),
            Self::Histogram(written) => {
                format!("{labels} {} {:?}", written.histogram, written.histogram.reset)
            }
        }
    }
}

/// Whether two histograms say the same. What is known of resets counts where both say it.
fn same_histograms(a: &WrittenHistogram, b: &WrittenHistogram) -> bool {
    let says_reset = a.says_reset && b.says_reset;
    let plain = |written: &WrittenHistogram| {
        let mut histogram = Histogram::clone(&written.histogram).compacted();
        if !says_reset {
            histogram.reset = ResetHint::Unknown;
        }
        histogram
    };
    plain(a) == plain(b)
}

/// Compares what an expression gives with what is expected.
pub(super) fn check_expression(expected: &ExpressionTest, stage: &Stage, fuzzy: bool) -> Option<TestFailure> {
    let compared = compare(expected, stage, fuzzy);
    match compared {
        Ok((missing, unexpected)) => {
            failed(expected.expr.trim().to_owned(), expected.eval_time.to_string(), missing, unexpected)
        }
        Err(error) => Some(TestFailure::error(expected.expr.trim(), expected.eval_time, error)),
    }
}

fn compare(
    expected: &ExpressionTest,
    stage: &Stage,
    fuzzy: bool,
) -> Result<(Vec<String>, Vec<String>), String> {
    let query = Query::parse(&expected.expr).map_err(|error| error.to_string())?;
    if matches!(query.kind(), ValueKind::Text | ValueKind::Matrix) {
        return Err("rule result is not a vector or scalar".to_owned());
    }
    let mut found: Vec<(Labels, Sample)> = Vec::new();
    for finding in stage.ask(&query, stage.time(expected.eval_time))? {
        let sample = match finding.histogram {
            Some(histogram) => Sample::Histogram(WrittenHistogram { histogram, says_reset: true }),
            None => Sample::Number(finding.value),
        };
        found.push((finding.labels, sample));
    }
    let mut missing = Vec::new();
    for sample in expected.exp_samples.iter().flatten() {
        let labels = notation::labels(&sample.labels)
            .map_err(|reason| format!("the labels `{}`: {reason}", sample.labels))?;
        let value = match &sample.histogram {
            Some(text) => Sample::Histogram(notation::histogram(text)?),
            None => Sample::Number(sample.value.unwrap_or(0.0)),
        };
        let same = |(other, found): &(Labels, Sample)| *other == labels && value.equals(found, fuzzy);
        match found.iter().position(same) {
            Some(at) => _ = found.swap_remove(at),
            None => missing.push(value.shown(&labels)),
        }
    }
    Ok((missing, found.iter().map(|(labels, sample)| sample.shown(labels)).collect()))
}
