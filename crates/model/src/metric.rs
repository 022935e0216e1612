//! What is said of metrics beside their samples: metadata of a family, and exemplars.

use crate::Labels;

/// What kind of metric a family is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum MetricKind {
    /// Nobody said.
    #[default]
    Unknown,
    /// It only grows, but for resets.
    Counter,
    /// It goes up and down.
    Gauge,
    /// Observations in buckets.
    Histogram,
    /// Observations in buckets that go up and down.
    GaugeHistogram,
    /// Quantiles that the sender computed.
    Summary,
    /// Labels that say something of the target; the value is 1.
    Info,
    /// One of several states, each a label.
    StateSet,
}

impl MetricKind {
    /// The name, as Prometheus writes it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Unknown => "unknown",
            Self::Counter => "counter",
            Self::Gauge => "gauge",
            Self::Histogram => "histogram",
            Self::GaugeHistogram => "gaugehistogram",
            Self::Summary => "summary",
            Self::Info => "info",
            Self::StateSet => "stateset",
        }
    }

    /// The kind of a name; `untyped` is what unknown was called before.
    pub fn from_name(name: &str) -> Option<Self> {
        let all = [
            Self::Unknown,
            Self::Counter,
            Self::Gauge,
            Self::Histogram,
            Self::GaugeHistogram,
            Self::Summary,
            Self::Info,
            Self::StateSet,
        ];
        all.into_iter().find(|kind| kind.name() == name).or((name == "untyped").then_some(Self::Unknown))
    }
}

/// What is said of all series of a family.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct MetricMetadata {
    /// The name of the family.
    pub family: String,
    /// What kind of metric it is.
    pub kind: MetricKind,
    /// What it means, for people.
    pub help: String,
    /// Its unit; empty when nobody said.
    pub unit: String,
}

/// One observation behind a sample of a series, with labels that lead on from it, as `trace_id`.
#[derive(Clone, Debug, PartialEq)]
pub struct Exemplar {
    /// The series.
    pub series: Labels,
    /// What leads on.
    pub labels: Labels,
    /// The value that was observed.
    pub value: f64,
    /// When, in milliseconds since the epoch.
    pub time_ms: i64,
}
