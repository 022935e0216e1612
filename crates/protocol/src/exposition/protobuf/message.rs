//! A metric of a family, read where it lies.

use super::histogram::ReadHistogram;
use super::{Read, expected, float, put, text};
use crate::wire::{Fields, Malformed, Value};

/// Names and values.
pub(super) type Pairs<'a> = Vec<(&'a str, &'a str)>;

/// One metric, whatever its type: of the parts, those that were sent.
#[derive(Default)]
pub(super) struct Metric<'a> {
    pub(super) labels: Pairs<'a>,
    /// The value of a counter, a gauge or an untyped metric.
    pub(super) number: f64,
    pub(super) exemplar: Option<Exemplar<'a>>,
    pub(super) summary: Summary,
    pub(super) histogram: ReadHistogram<'a>,
    pub(super) time_ms: Option<i64>,
    /// When it was created, in milliseconds since the epoch.
    pub(super) created_ms: Option<i64>,
}

#[derive(Default)]
pub(super) struct Summary {
    pub(super) count: f64,
    pub(super) sum: f64,
    pub(super) quantiles: Vec<Quantile>,
    created_ms: Option<i64>,
}

#[derive(Default)]
pub(super) struct Quantile {
    pub(super) quantile: f64,
    pub(super) value: f64,
}

pub(super) struct Exemplar<'a> {
    pub(super) labels: Pairs<'a>,
    pub(super) value: f64,
    pub(super) time_ms: Option<i64>,
}

impl<'a> Metric<'a> {
    pub(super) fn read(message: &'a [u8]) -> Read<Self> {
        let mut metric = Self::default();
        for field in Fields::of(message) {
            match field? {
                (1, Value::Bytes(label)) => put(&mut metric.labels, pair(label)?)?,
                (2 | 3 | 5, Value::Bytes(value)) => metric.read_number(value)?,
                (4, Value::Bytes(summary)) => {
                    metric.summary = Summary::read(summary)?;
                    metric.created_ms = metric.summary.created_ms;
                }
                (6, Value::Number(time)) => {
                    metric.time_ms = Some(time.cast_signed()).filter(|time| *time != 0);
                }
                (7, Value::Bytes(histogram)) => {
                    metric.histogram = ReadHistogram::read(histogram)?;
                    metric.created_ms = metric.histogram.created_ms;
                }
                (number @ 1..=7, _) => return Err(Malformed::Type(number).into()),
                _ => {}
            }
        }
        Ok(metric)
    }

    /// Of a counter, a gauge or an untyped metric: all have their value in the first field.
    fn read_number(&mut self, message: &'a [u8]) -> Read<()> {
        for field in Fields::of(message) {
            match field? {
                (1, Value::Eight(bytes)) => self.number = float(bytes),
                (2, Value::Bytes(exemplar)) => self.exemplar = Some(Exemplar::read(exemplar)?),
                (3, Value::Bytes(time)) => self.created_ms = Some(time_of(time)?),
                (number @ 1..=3, _) => return Err(Malformed::Type(number).into()),
                _ => {}
            }
        }
        Ok(())
    }
}

fn pair(message: &[u8]) -> Read<(&str, &str)> {
    let (mut name, mut value) = ("", "");
    for field in Fields::of(message) {
        match field? {
            (1, Value::Bytes(bytes)) => name = text(bytes)?,
            (2, Value::Bytes(bytes)) => value = text(bytes)?,
            (number @ 1..=2, _) => return Err(Malformed::Type(number).into()),
            _ => {}
        }
    }
    Ok((name, value))
}

impl Summary {
    fn read(message: &[u8]) -> Read<Self> {
        let mut summary = Self::default();
        for field in Fields::of(message) {
            match field? {
                (1, Value::Number(count)) => summary.count = count as f64,
                (2, Value::Eight(bytes)) => summary.sum = float(bytes),
                (3, Value::Bytes(quantile)) => put(&mut summary.quantiles, Quantile::read(quantile)?)?,
                (4, Value::Bytes(time)) => summary.created_ms = Some(time_of(time)?),
                (number @ 1..=4, _) => return Err(Malformed::Type(number).into()),
                _ => {}
            }
        }
        Ok(summary)
    }
}

impl Quantile {
    fn read(message: &[u8]) -> Read<Self> {
        let mut quantile = Self::default();
        for field in Fields::of(message) {
            match field? {
                (1, Value::Eight(bytes)) => quantile.quantile = float(bytes),
                (2, Value::Eight(bytes)) => quantile.value = float(bytes),
                (number @ 1..=2, _) => return Err(Malformed::Type(number).into()),
                _ => {}
            }
        }
        Ok(quantile)
    }
}

impl<'a> Exemplar<'a> {
    pub(super) fn read(message: &'a [u8]) -> Read<Self> {
        let mut exemplar = Self { labels: Vec::new(), value: 0.0, time_ms: None };
        for field in Fields::of(message) {
            match field? {
                (1, Value::Bytes(label)) => put(&mut exemplar.labels, pair(label)?)?,
                (2, Value::Eight(bytes)) => exemplar.value = float(bytes),
                (3, Value::Bytes(time)) => exemplar.time_ms = Some(time_of(time)?),
                (number @ 1..=3, _) => return Err(Malformed::Type(number).into()),
                _ => {}
            }
        }
        Ok(exemplar)
    }
}

/// A `google.protobuf.Timestamp` in milliseconds.
pub(super) fn time_of(message: &[u8]) -> Read<i64> {
    let (mut seconds, mut nanos) = (0i64, 0i64);
    for field in Fields::of(message) {
        match field? {
            (1, Value::Number(number)) => seconds = number.cast_signed(),
            (2, Value::Number(number)) => nanos = number.cast_signed(),
            (number @ 1..=2, _) => return Err(Malformed::Type(number).into()),
            _ => {}
        }
    }
    let millis = seconds.checked_mul(1000).and_then(|millis| millis.checked_add(nanos / 1_000_000));
    millis.map_or_else(|| expected("a time within the range of milliseconds"), Ok)
}
