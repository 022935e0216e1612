//! Observations behind samples, kept as events: each leads from a metric on to a trace.

use super::Attributes;
use crate::labels::METRIC_NAME;
use crate::{Exemplar, Labels, Timestamp};

/// The label of an exemplar that names its trace.
const TRACE_ID: &str = "trace_id";

/// An exemplar came with a sample.
#[derive(Clone, Debug, PartialEq)]
pub struct ExemplarEvent {
    /// When it was observed.
    pub time: Timestamp,
    /// Follows from all that it says, so that what is sent twice is kept once.
    pub event_id: String,
    /// The name of the metric.
    pub metric: String,
    /// The labels of the series, without the name.
    pub series: Attributes,
    /// What leads on.
    pub labels: Attributes,
    /// The trace, when one of the labels names one.
    pub trace_id: Option<String>,
    /// The value that was observed.
    pub value: f64,
}

impl From<&Exemplar> for ExemplarEvent {
    fn from(exemplar: &Exemplar) -> Self {
        let pairs = |labels: &Labels| -> Attributes {
            labels.iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
        };
        let mut series = pairs(&exemplar.series);
        let metric = series.remove(METRIC_NAME).unwrap_or_default();
        let mut said = Vec::from(exemplar.series.as_ref().as_bytes());
        said.extend_from_slice(exemplar.labels.as_ref().as_bytes());
        said.extend_from_slice(&exemplar.time_ms.to_le_bytes());
        said.extend_from_slice(&exemplar.value.to_bits().to_le_bytes());
        Self {
            time: Timestamp::from_millis(exemplar.time_ms),
            event_id: format!("{:032x}", xxhash_rust::xxh3::xxh3_128(&said)),
            metric,
            series,
            labels: pairs(&exemplar.labels),
            trace_id: exemplar.labels.get(TRACE_ID).map(str::to_owned),
            value: exemplar.value,
        }
    }
}

impl ExemplarEvent {
    /// The labels of the series, with the name.
    pub fn series_labels(&self) -> Labels {
        let name = [(METRIC_NAME, self.metric.as_str())];
        Labels::from_pairs(
            name.into_iter().chain(self.series.iter().map(|(name, value)| (&**name, &**value))),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_exemplar_becomes_an_event_whose_id_follows_from_what_it_says() {
        let exemplar = Exemplar {
            series: Labels::metric("up", &[("job", "a")]),
            labels: Labels::from_pairs([("trace_id", "t"), ("b", "2")]),
            value: 1.5,
            time_ms: 7,
        };
        let event = ExemplarEvent::from(&exemplar);
        assert_eq!((event.metric.as_str(), event.trace_id.as_deref()), ("up", Some("t")));
        assert_eq!((event.time.as_millis(), event.series_labels()), (7, exemplar.series.clone()));
        let id = |change: fn(&mut Exemplar)| {
            let mut other = exemplar.clone();
            change(&mut other);
            ExemplarEvent::from(&other).event_id
        };
        assert_eq!(id(|_| {}), event.event_id);
        let others = [id(|it| it.value = 2.0), id(|it| it.time_ms = 8), id(|it| it.labels = Labels::empty())];
        assert!(others.iter().all(|other| *other != event.event_id));
    }
}
