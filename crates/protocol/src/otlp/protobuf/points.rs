//! Points of metrics, each kind read into the same memory again and again.

use std::mem::take;

use super::Read;
use super::value::{put_attribute, sint32, time, uint32};
use crate::otlp::bounds::Bounds;
use crate::otlp::ids::Id;
use crate::otlp::metrics::{
    ExponentialBuckets, ExponentialHistogramPoint, HistogramPoint, Number, NumberPoint, PointExemplar,
    PointFlags, Quantile, SummaryPoint,
};
use crate::wire::{Fields, Malformed, Value};

/// The point of each kind that was read last.
pub(super) struct PointReader<'b, 'a> {
    bounds: &'b Bounds,
    number: NumberPoint<'a>,
    histogram: HistogramPoint<'a>,
    exponential: ExponentialHistogramPoint<'a>,
    summary: SummaryPoint<'a>,
}

/// A list that is used again.
fn emptied<T>(list: &mut Vec<T>) -> Vec<T> {
    let mut list = take(list);
    list.clear();
    list
}

impl<'b, 'a> PointReader<'b, 'a> {
    pub(super) fn new(bounds: &'b Bounds) -> Self {
        Self {
            bounds,
            number: NumberPoint::default(),
            histogram: HistogramPoint::default(),
            exponential: ExponentialHistogramPoint::default(),
            summary: SummaryPoint::default(),
        }
    }

    /// A point of a gauge or a sum.
    pub(super) fn number(&mut self, message: &'a [u8]) -> Read<&NumberPoint<'a>> {
        let (bounds, point) = (self.bounds, &mut self.number);
        *point = NumberPoint {
            attributes: emptied(&mut point.attributes),
            exemplars: emptied(&mut point.exemplars),
            ..NumberPoint::default()
        };
        for field in Fields::of(message) {
            match field? {
                (2, Value::Eight(bytes)) => point.start_time = time(bytes),
                (3, Value::Eight(bytes)) => point.time = time(bytes),
                (4, Value::Eight(bytes)) => point.value = Some(Number::Double(f64::from_le_bytes(bytes))),
                (5, Value::Bytes(message)) => put_exemplar(message, bounds, &mut point.exemplars)?,
                (6, Value::Eight(bytes)) => point.value = Some(Number::Int(i64::from_le_bytes(bytes))),
                (7, Value::Bytes(attribute)) => {
                    put_attribute(attribute, "attributes", bounds, &mut point.attributes)?;
                }
                (8, Value::Number(flags)) => point.flags = PointFlags(uint32(flags)),
                (number @ 2..=8, _) => return Err(Malformed::Type(number).into()),
                _ => {}
            }
        }
        Ok(point)
    }

    /// A point of a histogram.
    pub(super) fn histogram(&mut self, message: &'a [u8]) -> Read<&HistogramPoint<'a>> {
        let (bounds, point) = (self.bounds, &mut self.histogram);
        *point = HistogramPoint {
            attributes: emptied(&mut point.attributes),
            bucket_counts: emptied(&mut point.bucket_counts),
            explicit_bounds: emptied(&mut point.explicit_bounds),
            exemplars: emptied(&mut point.exemplars),
            ..HistogramPoint::default()
        };
        for field in Fields::of(message) {
            match field? {
                (2, Value::Eight(bytes)) => point.start_time = time(bytes),
                (3, Value::Eight(bytes)) => point.time = time(bytes),
                (4, Value::Eight(bytes)) => point.count = u64::from_le_bytes(bytes),
                (5, Value::Eight(bytes)) => point.sum = Some(f64::from_le_bytes(bytes)),
                (6, value) => put_eights(value, 6, bounds, u64::from_le_bytes, &mut point.bucket_counts)?,
                (7, value) => put_eights(value, 7, bounds, f64::from_le_bytes, &mut point.explicit_bounds)?,
                (8, Value::Bytes(message)) => put_exemplar(message, bounds, &mut point.exemplars)?,
                (9, Value::Bytes(attribute)) => {
                    put_attribute(attribute, "attributes", bounds, &mut point.attributes)?;
                }
                (10, Value::Number(flags)) => point.flags = PointFlags(uint32(flags)),
                (11, Value::Eight(bytes)) => point.min = Some(f64::from_le_bytes(bytes)),
                (12, Value::Eight(bytes)) => point.max = Some(f64::from_le_bytes(bytes)),
                (number @ 2..=12, _) => return Err(Malformed::Type(number).into()),
                _ => {}
            }
        }
        Ok(point)
    }

    /// A point of an exponential histogram.
    pub(super) fn exponential_histogram(
        &mut self,
        message: &'a [u8],
    ) -> Read<&ExponentialHistogramPoint<'a>> {
        let (bounds, point) = (self.bounds, &mut self.exponential);
        let side = |buckets: &mut ExponentialBuckets| ExponentialBuckets {
            offset: 0,
            counts: emptied(&mut buckets.counts),
        };
        *point = ExponentialHistogramPoint {
            attributes: emptied(&mut point.attributes),
            positive: side(&mut point.positive),
            negative: side(&mut point.negative),
            exemplars: emptied(&mut point.exemplars),
            ..ExponentialHistogramPoint::default()
        };
        for field in Fields::of(message) {
            match field? {
                (1, Value::Bytes(attribute)) => {
                    put_attribute(attribute, "attributes", bounds, &mut point.attributes)?;
                }
                (2, Value::Eight(bytes)) => point.start_time = time(bytes),
                (3, Value::Eight(bytes)) => point.time = time(bytes),
                (4, Value::Eight(bytes)) => point.count = u64::from_le_bytes(bytes),
                (5, Value::Eight(bytes)) => point.sum = Some(f64::from_le_bytes(bytes)),
                (6, Value::Number(scale)) => point.scale = sint32(scale),
                (7, Value::Eight(bytes)) => point.zero_count = u64::from_le_bytes(bytes),
                (8, Value::Bytes(side)) => buckets(side, bounds, "positive", &mut point.positive)?,
                (9, Value::Bytes(side)) => buckets(side, bounds, "negative", &mut point.negative)?,
                (10, Value::Number(flags)) => point.flags = PointFlags(uint32(flags)),
                (11, Value::Bytes(message)) => put_exemplar(message, bounds, &mut point.exemplars)?,
                (12, Value::Eight(bytes)) => point.min = Some(f64::from_le_bytes(bytes)),
                (13, Value::Eight(bytes)) => point.max = Some(f64::from_le_bytes(bytes)),
                (14, Value::Eight(bytes)) => point.zero_threshold = f64::from_le_bytes(bytes),
                (number @ 1..=14, _) => return Err(Malformed::Type(number).into()),
                _ => {}
            }
        }
        Ok(point)
    }

    /// A point of a summary.
    pub(super) fn summary(&mut self, message: &'a [u8]) -> Read<&SummaryPoint<'a>> {
        let (bounds, point) = (self.bounds, &mut self.summary);
        *point = SummaryPoint {
            attributes: emptied(&mut point.attributes),
            quantiles: emptied(&mut point.quantiles),
            ..SummaryPoint::default()
        };
        for field in Fields::of(message) {
            match field? {
                (2, Value::Eight(bytes)) => point.start_time = time(bytes),
                (3, Value::Eight(bytes)) => point.time = time(bytes),
                (4, Value::Eight(bytes)) => point.count = u64::from_le_bytes(bytes),
                (5, Value::Eight(bytes)) => point.sum = f64::from_le_bytes(bytes),
                (6, Value::Bytes(_)) if !bounds.count(1) => {}
                (6, Value::Bytes(message)) => {
                    let read = quantile(message);
                    let index = point.quantiles.len();
                    point.quantiles.push(read.map_err(|error| error.within_item("quantile_values", index))?);
                }
                (7, Value::Bytes(attribute)) => {
                    put_attribute(attribute, "attributes", bounds, &mut point.attributes)?;
                }
                (8, Value::Number(flags)) => point.flags = PointFlags(uint32(flags)),
                (number @ 2..=8, _) => return Err(Malformed::Type(number).into()),
                _ => {}
            }
        }
        Ok(point)
    }
}

/// Adds numbers of eight bytes, packed or one by one.
fn put_eights<T>(
    value: Value<'_>,
    field: u32,
    bounds: &Bounds,
    read: fn([u8; 8]) -> T,
    into: &mut Vec<T>,
) -> Read<()> {
    match value {
        Value::Eight(bytes) => {
            if bounds.count(1) {
                into.push(read(bytes));
            }
        }
        Value::Bytes(packed) => {
            let (numbers, rest) = packed.as_chunks::<8>();
            if !rest.is_empty() {
                return Err(Malformed::Truncated.into());
            }
            if bounds.count(numbers.len()) {
                into.extend(numbers.iter().map(|bytes| read(*bytes)));
            }
        }
        Value::Number(_) | Value::Four(_) => return Err(Malformed::Type(field).into()),
    }
    Ok(())
}

fn buckets(message: &[u8], bounds: &Bounds, side: &str, into: &mut ExponentialBuckets) -> Read<()> {
    read_buckets(message, bounds, into).map_err(|error| error.within(side))
}

fn read_buckets(message: &[u8], bounds: &Bounds, into: &mut ExponentialBuckets) -> Read<()> {
    into.offset = 0;
    into.counts.clear();
    for field in Fields::of(message) {
        match field? {
            (1, Value::Number(offset)) => into.offset = sint32(offset),
            (2, Value::Number(count)) if bounds.count(1) => into.counts.push(count),
            (2, Value::Number(_)) => {}
            (2, Value::Bytes(packed)) => {
                let mut packed = Fields::of(packed);
                while !packed.is_empty() {
                    let count = packed.number()?;
                    if bounds.count(1) {
                        into.counts.push(count);
                    }
                }
            }
            (number @ 1..=2, _) => return Err(Malformed::Type(number).into()),
            _ => {}
        }
    }
    Ok(())
}

fn quantile(message: &[u8]) -> Read<Quantile> {
    let mut quantile = Quantile::default();
    for field in Fields::of(message) {
        match field? {
            (1, Value::Eight(bytes)) => quantile.quantile = f64::from_le_bytes(bytes),
            (2, Value::Eight(bytes)) => quantile.value = f64::from_le_bytes(bytes),
            (number @ 1..=2, _) => return Err(Malformed::Type(number).into()),
            _ => {}
        }
    }
    Ok(quantile)
}

fn put_exemplar<'a>(message: &'a [u8], bounds: &Bounds, into: &mut Vec<PointExemplar<'a>>) -> Read<()> {
    if bounds.count(1) {
        let exemplar = exemplar(message, bounds);
        into.push(exemplar.map_err(|error| error.within_item("exemplars", into.len()))?);
    }
    Ok(())
}

fn exemplar<'a>(message: &'a [u8], bounds: &Bounds) -> Read<PointExemplar<'a>> {
    let mut exemplar = PointExemplar::default();
    for field in Fields::of(message) {
        match field? {
            (2, Value::Eight(bytes)) => exemplar.time = time(bytes),
            (3, Value::Eight(bytes)) => exemplar.value = Some(Number::Double(f64::from_le_bytes(bytes))),
            (4, Value::Bytes(id)) => exemplar.span_id = Id::from_bytes(id),
            (5, Value::Bytes(id)) => exemplar.trace_id = Id::from_bytes(id),
            (6, Value::Eight(bytes)) => exemplar.value = Some(Number::Int(i64::from_le_bytes(bytes))),
            (7, Value::Bytes(attribute)) => {
                put_attribute(attribute, "filtered_attributes", bounds, &mut exemplar.filtered_attributes)?;
            }
            (number @ 2..=7, _) => return Err(Malformed::Type(number).into()),
            _ => {}
        }
    }
    Ok(exemplar)
}
