//! Series as federation shows them: with names that their client knows, and with the labels that say where they come
//! from.

use std::collections::{BTreeMap, HashMap};

use model::histogram::ResetHint;
use model::labels::METRIC_NAME;
use model::{Histograms, Labels, MetricKind, Sample};
use protocol::exposition::{FamilyMetric, FamilyValue, put_family};

use super::super::escaping::Escaping;

/// The label that a scrape sets by itself where it is not said. An empty one keeps it from doing so.
const INSTANCE: &str = "instance";

/// A series and its newest sample.
#[derive(Debug)]
pub(super) struct FederatedSeries {
    pub(super) name: String,
    /// What the family is called that it belongs to: there is one of numbers, one of histograms and one of those that
    /// are gauges.
    kind: MetricKind,
    pub(super) metric: FamilyMetric,
}

/// Series by name, kind and labels. Those without a name are left out, and so are histograms with bounds of their own,
/// which no format has. Each has the `external` labels that it has not itself.
pub(super) fn sorted(
    samples: HashMap<Labels, Sample>,
    histograms: &Histograms,
    escaping: Escaping,
    external: &BTreeMap<String, String>,
) -> Vec<FederatedSeries> {
    let mut sorted: Vec<FederatedSeries> = samples
        .into_iter()
        .filter_map(|(labels, sample)| {
            let (kind, value) = value_of(sample, histograms)?;
            let name = labels.metric_name();
            (!name.is_empty()).then(|| FederatedSeries {
                name: escaping.escaped(name).into_owned(),
                kind,
                metric: FamilyMetric {
                    labels: labels_of(&labels, escaping, external),
                    value,
                    time_ms: sample.time_ms,
                },
            })
        })
        .collect();
    sorted.sort_by(|a, b| {
        let order = |one: &FederatedSeries| one.kind as u8;
        a.name.cmp(&b.name).then(order(a).cmp(&order(b))).then_with(|| a.metric.labels.cmp(&b.metric.labels))
    });
    sorted
}

fn value_of(sample: Sample, histograms: &Histograms) -> Option<(MetricKind, FamilyValue)> {
    let Some(histogram) = histograms.of(sample.value) else {
        return Some((MetricKind::Unknown, FamilyValue::Number(sample.value)));
    };
    let histogram = histogram.ok().filter(|histogram| !histogram.has_custom_bounds())?;
    let is_gauge = histogram.reset == ResetHint::Gauge;
    let kind = if is_gauge { MetricKind::GaugeHistogram } else { MetricKind::Histogram };
    Some((kind, FamilyValue::Histogram(Box::new(histogram))))
}

/// The labels of a series but for its name, and behind them those from outside.
fn labels_of(
    labels: &Labels,
    escaping: Escaping,
    external: &BTreeMap<String, String>,
) -> Vec<(String, String)> {
    let missing = |name: &str| labels.get(name).is_none();
    let own = labels.iter().filter(|(name, _)| *name != METRIC_NAME);
    let added = external.iter().map(|(name, value)| (name.as_str(), value.as_str()));
    let instance = (!external.contains_key(INSTANCE)).then_some((INSTANCE, ""));
    let added = added.chain(instance).filter(|(name, _)| missing(name));
    own.chain(added).map(|(name, value)| (escaping.escaped(name).into_owned(), value.to_owned())).collect()
}

/// Sorted series as families of protobuf.
pub(super) fn families(series: Vec<FederatedSeries>) -> Vec<u8> {
    let mut body = Vec::new();
    let mut rest = series.into_iter().peekable();
    while let Some(first) = rest.next() {
        let FederatedSeries { name, kind, metric } = first;
        let of_family = |one: &FederatedSeries| one.kind == kind && one.name == name;
        let mut metrics = vec![metric];
        while let Some(next) = rest.next_if(of_family) {
            metrics.push(next.metric);
        }
        put_family(&name, kind, metrics.into_iter(), &mut body);
    }
    body
}
