//! What senders say of metrics: their kind, what they mean, their unit.

use model::{MetricKind, MetricMetadata};

use super::symbols::Symbols;
use crate::wire::{Fields, Malformed, Value};

/// Takes a `prometheus.MetricMetadata` apart; nothing when it says nothing of any metric.
pub(super) fn first(message: &[u8]) -> Result<Option<MetricMetadata>, Malformed> {
    let mut metadata = MetricMetadata::default();
    for field in Fields::of(message) {
        match field? {
            (1, Value::Number(kind)) => metadata.kind = kind_of(kind),
            (2, Value::Bytes(text)) => metadata.family = text_of(text),
            (4, Value::Bytes(text)) => metadata.help = text_of(text),
            (5, Value::Bytes(text)) => metadata.unit = text_of(text),
            (number @ (1 | 2 | 4 | 5), _) => return Err(Malformed::Type(number)),
            _ => {}
        }
    }
    Ok(says_something(metadata))
}

/// Takes an `io.prometheus.write.v2.Metadata` apart, which is of a series with this name. What it refers to and isn't
/// there is empty.
pub(super) fn second(
    message: &[u8],
    name: &str,
    symbols: &Symbols<'_>,
) -> Result<Option<MetricMetadata>, Malformed> {
    let mut metadata = MetricMetadata::default();
    for field in Fields::of(message) {
        match field? {
            (1, Value::Number(kind)) => metadata.kind = kind_of(kind),
            (3, Value::Number(reference)) => {
                metadata.help = text_of(symbols.get(reference).unwrap_or_default());
            }
            (4, Value::Number(reference)) => {
                metadata.unit = text_of(symbols.get(reference).unwrap_or_default());
            }
            (number @ (1 | 3 | 4), _) => return Err(Malformed::Type(number)),
            _ => {}
        }
    }
    metadata.family = family_of(name, metadata.kind).to_owned();
    Ok(says_something(metadata))
}

fn says_something(metadata: MetricMetadata) -> Option<MetricMetadata> {
    let MetricMetadata { family, kind, help, unit } = &metadata;
    let says = !family.is_empty() && (*kind != MetricKind::Unknown || !help.is_empty() || !unit.is_empty());
    says.then_some(metadata)
}

/// The family of a series: the series of a classic histogram and of a summary have names of their own.
fn family_of(name: &str, kind: MetricKind) -> &str {
    let endings: &[&str] = match kind {
        MetricKind::Histogram | MetricKind::GaugeHistogram => &["_bucket", "_count", "_sum"],
        MetricKind::Summary => &["_count", "_sum"],
        _ => &[],
    };
    endings
        .iter()
        .find_map(|ending| name.strip_suffix(*ending))
        .filter(|rest| !rest.is_empty())
        .unwrap_or(name)
}

fn kind_of(number: u64) -> MetricKind {
    match number {
        1 => MetricKind::Counter,
        2 => MetricKind::Gauge,
        3 => MetricKind::Histogram,
        4 => MetricKind::GaugeHistogram,
        5 => MetricKind::Summary,
        6 => MetricKind::Info,
        7 => MetricKind::StateSet,
        _ => MetricKind::Unknown,
    }
}

/// What is no UTF-8 in a text for people is replaced.
fn text_of(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}
