//! Requests of metrics.

use serde::de::MapAccess;

use super::Read;
use super::object::{FromJson, Object, object, value};
use super::request::{Names, each, walk};
use super::scalar::Raw;
use crate::otlp::bounds::Bounds;
use crate::otlp::metrics::{
    ExponentialBuckets, ExponentialHistogramPoint, HistogramPoint, Metric, MetricData, MetricSink, Number,
    NumberPoint, PointExemplar, Quantile, SummaryPoint, Temporality,
};

#[derive(Default)]
struct Metrics;

impl Names for Metrics {
    const RESOURCES: &'static str = "resourceMetrics";
    const SCOPES: &'static str = "scopeMetrics";
    const RECORDS: &'static str = "metrics";
}

/// Takes a request apart.
pub(in crate::otlp) fn decode(body: &[u8], sink: &mut impl MetricSink) -> Read<()> {
    let bounds = Bounds::default();
    walk::<Metrics, SentMetric<'_>, _>(body, &bounds, sink, |metric, sink| read(metric, &bounds, sink))
}

/// A metric, its points not read yet.
#[derive(Default)]
struct SentMetric<'a> {
    head: Metric<'a>,
    points: Option<(Kind, SentPoints<'a>)>,
}

/// What points are, as their field says.
#[derive(Clone, Copy)]
enum Kind {
    Gauge,
    Sum,
    Histogram,
    ExponentialHistogram,
    Summary,
}

impl<'de> Object<'de> for SentMetric<'de> {
    const WHAT: &'static str = "a metric";

    fn field<A: MapAccess<'de>>(
        &mut self,
        name: &str,
        map: &mut A,
        bounds: &Bounds,
    ) -> Result<bool, A::Error> {
        let Self { head, points } = self;
        let kind = match name {
            "gauge" => Kind::Gauge,
            "sum" => Kind::Sum,
            "histogram" => Kind::Histogram,
            "exponentialHistogram" => Kind::ExponentialHistogram,
            "summary" => Kind::Summary,
            other => return head.field(other, map, bounds),
        };
        // Of several kinds the last one holds; `null` is none.
        if let Some(sent) = value(map, bounds)? {
            *points = Some((kind, sent));
        }
        Ok(true)
    }
}

object!(Metric<'de>, "a metric", {
    "name" => name,
    "description" => description,
    "unit" => unit,
    "metadata" => metadata,
});

/// The points of a metric, and what is said of all of them.
#[derive(Default)]
struct SentPoints<'a> {
    points: Raw<'a>,
    temporality: Temporality,
    is_monotonic: bool,
}

object!(SentPoints<'de>, "points of a metric", {
    "dataPoints" => points,
    "aggregationTemporality" => temporality,
    "isMonotonic" => is_monotonic,
});

fn read<S: MetricSink>(sent: SentMetric<'_>, bounds: &Bounds, sink: &mut S) -> Read<()> {
    let SentMetric { mut head, points } = sent;
    let Some((kind, SentPoints { points, temporality, is_monotonic })) = points else {
        sink.metric(&head);
        return Ok(());
    };
    let (name, data) = match kind {
        Kind::Gauge => ("gauge", MetricData::Gauge),
        Kind::Sum => ("sum", MetricData::Sum { temporality, is_monotonic }),
        Kind::Histogram => ("histogram", MetricData::Histogram { temporality }),
        Kind::ExponentialHistogram => {
            ("exponentialHistogram", MetricData::ExponentialHistogram { temporality })
        }
        Kind::Summary => ("summary", MetricData::Summary),
    };
    head.data = data;
    sink.metric(&head);
    let read = match kind {
        Kind::Gauge | Kind::Sum => each_point(points, bounds, sink, |point, sink| sink.number(&point)),
        Kind::Histogram => each_point(points, bounds, sink, |point, sink| sink.histogram(&point)),
        Kind::ExponentialHistogram => {
            each_point(points, bounds, sink, |point, sink| sink.exponential_histogram(&point))
        }
        Kind::Summary => each_point(points, bounds, sink, |point, sink| sink.summary(&point)),
    };
    read.map_err(|error| error.within(name))
}

/// Hands over each point that was read whole.
fn each_point<'a, T: FromJson<'a>, S: MetricSink>(
    points: Raw<'a>,
    bounds: &Bounds,
    sink: &mut S,
    take: impl Fn(T, &mut S),
) -> Read<()> {
    each(points, "dataPoints", bounds, |point| {
        let beyond = bounds.beyond();
        if beyond.is_nothing() {
            take(point, sink);
        } else {
            sink.point_beyond(beyond);
        }
        Ok(())
    })
}

object!(NumberPoint<'de>, "a point of a gauge or a sum", {
    "attributes" => attributes,
    "startTimeUnixNano" => start_time,
    "timeUnixNano" => time,
    "asDouble" => value: Number::Double,
    "asInt" => value: Number::Int,
    "exemplars" => exemplars,
    "flags" => flags,
});

object!(HistogramPoint<'de>, "a point of a histogram", {
    "attributes" => attributes,
    "startTimeUnixNano" => start_time,
    "timeUnixNano" => time,
    "count" => count,
    "sum" => sum,
    "bucketCounts" => bucket_counts,
    "explicitBounds" => explicit_bounds,
    "exemplars" => exemplars,
    "flags" => flags,
    "min" => min,
    "max" => max,
});

object!(ExponentialHistogramPoint<'de>, "a point of an exponential histogram", {
    "attributes" => attributes,
    "startTimeUnixNano" => start_time,
    "timeUnixNano" => time,
    "count" => count,
    "sum" => sum,
    "scale" => scale,
    "zeroCount" => zero_count,
    "zeroThreshold" => zero_threshold,
    "positive" => positive,
    "negative" => negative,
    "exemplars" => exemplars,
    "flags" => flags,
    "min" => min,
    "max" => max,
});

object!(ExponentialBuckets, "buckets, as {\"offset\": …, \"bucketCounts\": […]}", {
    "offset" => offset,
    "bucketCounts" => counts,
});

object!(SummaryPoint<'de>, "a point of a summary", {
    "attributes" => attributes,
    "startTimeUnixNano" => start_time,
    "timeUnixNano" => time,
    "count" => count,
    "sum" => sum,
    "quantileValues" => quantiles,
    "flags" => flags,
});

object!(Quantile, "a quantile and its value", { "quantile" => quantile, "value" => value });

object!(PointExemplar<'de>, "an exemplar", {
    "filteredAttributes" => filtered_attributes,
    "timeUnixNano" => time,
    "asDouble" => value: Number::Double,
    "asInt" => value: Number::Int,
    "traceId" => trace_id,
    "spanId" => span_id,
});
