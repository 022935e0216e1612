//! Metrics and their points.

use std::borrow::Cow;

use super::bounds::Beyond;
use super::ids::{SpanId, TraceId};
use super::resource::Sink;
use super::time::UnixNanos;
use super::value::KeyValue;

/// What is said of a metric; its points follow.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Metric<'a> {
    /// Its name.
    pub name: Cow<'a, str>,
    /// What it means, for people.
    pub description: Cow<'a, str>,
    /// Its unit, as UCUM has them: `s`, `By`, `{request}`, `1`.
    pub unit: Cow<'a, str>,
    /// What else is known of it, as `prometheus.type`.
    pub metadata: Vec<KeyValue<'a>>,
    /// What its points are.
    pub data: MetricData,
}

/// What the points of a metric are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum MetricData {
    /// Nobody said, or said something that is not known yet: there are no points.
    #[default]
    Unknown,
    /// Numbers that go up and down and cannot be added.
    Gauge,
    /// Numbers that can be added.
    Sum {
        /// What a point counts since.
        temporality: Temporality,
        /// Whether they only grow.
        is_monotonic: bool,
    },
    /// Observations in buckets with bounds of their own.
    Histogram {
        /// What a point counts since.
        temporality: Temporality,
    },
    /// Observations in buckets whose bounds follow from a scale.
    ExponentialHistogram {
        /// What a point counts since.
        temporality: Temporality,
    },
    /// Quantiles that the sender computed.
    Summary,
}

/// What a point counts since.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Temporality {
    /// Nobody said, which is wrong.
    #[default]
    Unspecified,
    /// The point before.
    Delta,
    /// A start that stays the same.
    Cumulative,
}

impl From<i32> for Temporality {
    fn from(number: i32) -> Self {
        match number {
            1 => Self::Delta,
            2 => Self::Cumulative,
            _ => Self::Unspecified,
        }
    }
}

/// Flags of a point.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct PointFlags(pub u32);

impl PointFlags {
    /// Whether the point says that there is no value any more: a series has ended.
    pub fn has_no_recorded_value(self) -> bool {
        self.0 & 1 != 0
    }
}

/// A number, whole or not.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Number {
    /// A whole one.
    Int(i64),
    /// Any.
    Double(f64),
}

/// A point of a gauge or a sum.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct NumberPoint<'a> {
    /// What tells its series from others.
    pub attributes: Vec<KeyValue<'a>>,
    /// Since when it counts.
    pub start_time: UnixNanos,
    /// When it was so.
    pub time: UnixNanos,
    /// The value. A point without one is wrong, but where its flags say so.
    pub value: Option<Number>,
    /// Observations behind it.
    pub exemplars: Vec<PointExemplar<'a>>,
    /// Flags.
    pub flags: PointFlags,
}

/// A point of a histogram.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct HistogramPoint<'a> {
    /// What tells its series from others.
    pub attributes: Vec<KeyValue<'a>>,
    /// Since when it counts.
    pub start_time: UnixNanos,
    /// When it was so.
    pub time: UnixNanos,
    /// All observations.
    pub count: u64,
    /// Their sum, where there can be one.
    pub sum: Option<f64>,
    /// Observations of each bucket, without those of the buckets below: one more than bounds, or none.
    pub bucket_counts: Vec<u64>,
    /// The upper bounds of buckets, ascending; the last bucket has none.
    pub explicit_bounds: Vec<f64>,
    /// Observations behind it.
    pub exemplars: Vec<PointExemplar<'a>>,
    /// Flags.
    pub flags: PointFlags,
    /// The least observation.
    pub min: Option<f64>,
    /// The greatest.
    pub max: Option<f64>,
}

/// A point of an exponential histogram.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ExponentialHistogramPoint<'a> {
    /// What tells its series from others.
    pub attributes: Vec<KeyValue<'a>>,
    /// Since when it counts.
    pub start_time: UnixNanos,
    /// When it was so.
    pub time: UnixNanos,
    /// All observations.
    pub count: u64,
    /// Their sum, where there can be one.
    pub sum: Option<f64>,
    /// A bucket is `2^(2^-scale)` times as wide as the one before.
    pub scale: i32,
    /// Observations that are zero, or so near to it that the sender takes them for zero.
    pub zero_count: u64,
    /// How near to zero that is; 0 where nobody said.
    pub zero_threshold: f64,
    /// Buckets of positive observations.
    pub positive: ExponentialBuckets,
    /// Buckets of negative observations, by their magnitude.
    pub negative: ExponentialBuckets,
    /// Observations behind it.
    pub exemplars: Vec<PointExemplar<'a>>,
    /// Flags.
    pub flags: PointFlags,
    /// The least observation.
    pub min: Option<f64>,
    /// The greatest.
    pub max: Option<f64>,
}

/// Neighbouring buckets of an exponential histogram.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ExponentialBuckets {
    /// The index of the first one. The bucket at an index begins above `base^index`.
    pub offset: i32,
    /// Observations of each.
    pub counts: Vec<u64>,
}

/// A point of a summary.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct SummaryPoint<'a> {
    /// What tells its series from others.
    pub attributes: Vec<KeyValue<'a>>,
    /// Since when it counts.
    pub start_time: UnixNanos,
    /// When it was so.
    pub time: UnixNanos,
    /// All observations.
    pub count: u64,
    /// Their sum.
    pub sum: f64,
    /// The quantiles.
    pub quantiles: Vec<Quantile>,
    /// Flags.
    pub flags: PointFlags,
}

/// The value that a part of all observations does not exceed.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Quantile {
    /// The part, from 0 to 1.
    pub quantile: f64,
    /// The value.
    pub value: f64,
}

/// One observation behind a point, as it was sent.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct PointExemplar<'a> {
    /// Attributes that the point itself does not have.
    pub filtered_attributes: Vec<KeyValue<'a>>,
    /// When it was observed.
    pub time: UnixNanos,
    /// What was observed.
    pub value: Option<Number>,
    /// The trace in which it was.
    pub trace_id: TraceId,
    /// The span of that trace.
    pub span_id: SpanId,
}

/// Hears the metrics of a request: a metric, then its points.
pub trait MetricSink: Sink {
    /// Points that follow are of another metric of the scope.
    fn metric(&mut self, metric: &Metric<'_>);
    /// A point of a gauge or a sum.
    fn number(&mut self, point: &NumberPoint<'_>);
    /// A point of a histogram.
    fn histogram(&mut self, point: &HistogramPoint<'_>);
    /// A point of an exponential histogram.
    fn exponential_histogram(&mut self, point: &ExponentialHistogramPoint<'_>);
    /// A point of a summary.
    fn summary(&mut self, point: &SummaryPoint<'_>);
    /// A point of which a part was passed over: what is left of it may be another series, or another histogram.
    fn point_beyond(&mut self, beyond: Beyond);
}
