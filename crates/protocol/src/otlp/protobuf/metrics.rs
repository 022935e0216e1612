//! `ExportMetricsServiceRequest`.

use super::Read;
use super::points::PointReader;
use super::request::{Names, Walk, each};
use super::value::{int32, put_attribute, text};
use crate::otlp::bounds::Bounds;
use crate::otlp::metrics::{Metric, MetricData, MetricSink, Temporality};
use crate::wire::{Fields, Malformed, Value};

const NAMES: Names = Names { resources: "resource_metrics", scopes: "scope_metrics", records: "metrics" };

/// Takes a request apart.
pub(in crate::otlp) fn decode(body: &[u8], sink: &mut impl MetricSink) -> Read<()> {
    let bounds = Bounds::default();
    let mut points = PointReader::new(&bounds);
    let record = |message, sink: &mut _| read(message, &bounds, &mut points, sink);
    Walk { names: NAMES, sink, bounds: &bounds, record }.request(body)
}

/// The message of a metric's points, and its field.
type Points<'a> = (u32, &'a [u8]);

fn read<'a, S: MetricSink>(
    message: &'a [u8],
    bounds: &Bounds,
    points: &mut PointReader<'_, 'a>,
    sink: &mut S,
) -> Read<()> {
    let (mut metric, list) = head(message, bounds)?;
    let Some((field, message)) = list else {
        sink.metric(&metric);
        return Ok(());
    };
    let name = name_of(field);
    metric.data = data(field, message).map_err(|error| error.within(name))?;
    sink.metric(&metric);
    let read = each(message, 1, "data_points", |point| {
        bounds.begin();
        match metric.data {
            MetricData::Unknown => {}
            MetricData::Gauge | MetricData::Sum { .. } => {
                hand_over(points.number(point)?, bounds, sink, S::number);
            }
            MetricData::Histogram { .. } => {
                hand_over(points.histogram(point)?, bounds, sink, S::histogram);
            }
            MetricData::ExponentialHistogram { .. } => {
                hand_over(points.exponential_histogram(point)?, bounds, sink, S::exponential_histogram);
            }
            MetricData::Summary => hand_over(points.summary(point)?, bounds, sink, S::summary),
        }
        Ok(())
    });
    read.map_err(|error| error.within(name))
}

/// Hands over a point that was read whole.
fn hand_over<P, S: MetricSink>(point: &P, bounds: &Bounds, sink: &mut S, take: impl Fn(&mut S, &P)) {
    let beyond = bounds.beyond();
    if beyond.is_nothing() { take(sink, point) } else { sink.point_beyond(beyond) }
}

/// What is said of a metric, but for the kind of its points.
fn head<'a>(message: &'a [u8], bounds: &Bounds) -> Read<(Metric<'a>, Option<Points<'a>>)> {
    let mut metric = Metric::default();
    let mut points = None;
    for field in Fields::of(message) {
        match field? {
            (1, Value::Bytes(name)) => metric.name = text(name, "name")?,
            (2, Value::Bytes(description)) => metric.description = text(description, "description")?,
            (3, Value::Bytes(unit)) => metric.unit = text(unit, "unit")?,
            (field @ (5 | 7 | 9 | 10 | 11), Value::Bytes(message)) => points = Some((field, message)),
            (12, Value::Bytes(entry)) => put_attribute(entry, "metadata", bounds, &mut metric.metadata)?,
            (number @ (1..=3 | 5 | 7 | 9..=12), _) => return Err(Malformed::Type(number).into()),
            _ => {}
        }
    }
    Ok((metric, points))
}

/// What the points are; what tells that may stand behind them.
fn data(field: u32, message: &[u8]) -> Read<MetricData> {
    let (mut temporality, mut is_monotonic) = (Temporality::default(), false);
    let has_temporality = matches!(field, 7 | 9 | 10);
    for read in Fields::of(message) {
        match read? {
            (2, Value::Number(number)) if has_temporality => temporality = int32(number).into(),
            (3, Value::Number(number)) if field == 7 => is_monotonic = number != 0,
            (2, _) if has_temporality => return Err(Malformed::Type(2).into()),
            (3, _) if field == 7 => return Err(Malformed::Type(3).into()),
            _ => {}
        }
    }
    Ok(match field {
        5 => MetricData::Gauge,
        7 => MetricData::Sum { temporality, is_monotonic },
        9 => MetricData::Histogram { temporality },
        10 => MetricData::ExponentialHistogram { temporality },
        11 => MetricData::Summary,
        _ => MetricData::Unknown,
    })
}

fn name_of(field: u32) -> &'static str {
    match field {
        5 => "gauge",
        7 => "sum",
        9 => "histogram",
        10 => "exponential_histogram",
        _ => "summary",
    }
}
