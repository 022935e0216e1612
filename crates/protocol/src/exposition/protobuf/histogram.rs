//! A histogram in protobuf, classic or native or both.

use model::Histogram;
use model::histogram::{Buckets, InvalidHistogram, ResetHint, Span};

use super::message::{Exemplar, time_of};
use super::{Fault, Read, expected, float, put};
use crate::wire::{Fields, Malformed, Value};

/// What was sent of a histogram.
#[derive(Default)]
pub(super) struct ReadHistogram<'a> {
    pub(super) count: f64,
    pub(super) sum: f64,
    pub(super) buckets: Vec<ClassicBucket<'a>>,
    pub(super) exemplars: Vec<Exemplar<'a>>,
    /// When it was created, in milliseconds since the epoch.
    pub(super) created_ms: Option<i64>,
    schema: i32,
    zero_threshold: f64,
    zero_count: f64,
    /// Whether a count was sent that need not be whole.
    has_fractions: bool,
    positive: Side,
    negative: Side,
}

/// A bucket with its bound.
#[derive(Default)]
pub(super) struct ClassicBucket<'a> {
    pub(super) upper_bound: f64,
    /// Of it and all below.
    pub(super) count: f64,
    pub(super) exemplar: Option<Exemplar<'a>>,
}

/// Native buckets of one side, as they are sent: whole counts as differences, others as they are.
#[derive(Default)]
struct Side {
    spans: Vec<Span>,
    deltas: Vec<i64>,
    counts: Vec<f64>,
}

impl<'a> ReadHistogram<'a> {
    pub(super) fn read(message: &'a [u8]) -> Read<Self> {
        let mut read = Self::default();
        for field in Fields::of(message) {
            match field? {
                (1, Value::Number(count)) if read.count == 0.0 => read.count = count as f64,
                (2, Value::Eight(bytes)) => read.sum = float(bytes),
                (3, Value::Bytes(bucket)) => put(&mut read.buckets, ClassicBucket::read(bucket)?)?,
                (4, Value::Eight(bytes)) => read.has_fractions |= take_float(bytes, &mut read.count),
                (5, Value::Number(schema)) => read.schema = small(zigzag(schema))?,
                (6, Value::Eight(bytes)) => read.zero_threshold = float(bytes),
                (7, Value::Number(count)) if read.zero_count == 0.0 => read.zero_count = count as f64,
                (8, Value::Eight(bytes)) => read.has_fractions |= take_float(bytes, &mut read.zero_count),
                (9, Value::Bytes(span)) => put(&mut read.negative.spans, span_of(span)?)?,
                (10, value) => deltas(10, value, &mut read.negative.deltas)?,
                (11, value) => counts(11, value, &mut read.negative.counts)?,
                (12, Value::Bytes(span)) => put(&mut read.positive.spans, span_of(span)?)?,
                (13, value) => deltas(13, value, &mut read.positive.deltas)?,
                (14, value) => counts(14, value, &mut read.positive.counts)?,
                (15, Value::Bytes(time)) => read.created_ms = Some(time_of(time)?),
                (16, Value::Bytes(exemplar)) => put(&mut read.exemplars, Exemplar::read(exemplar)?)?,
                (1 | 7, Value::Number(_)) => {}
                (number @ 1..=16, _) => return Err(Malformed::Type(number).into()),
                _ => {}
            }
        }
        Ok(read)
    }

    /// Whether native buckets were sent. Even an empty native histogram has a threshold or a span that says so.
    pub(super) fn is_native(&self) -> bool {
        self.zero_threshold > 0.0
            || self.zero_count > 0.0
            || !self.positive.spans.is_empty()
            || !self.negative.spans.is_empty()
    }

    /// The native histogram, checked as everything that comes from outside.
    pub(super) fn native(&self, is_gauge: bool) -> Read<Histogram> {
        let wrong =
            |invalid: InvalidHistogram| Fault::Reason(format!("the native histogram is wrong: {invalid}"));
        let histogram = Histogram {
            schema: i8::try_from(self.schema)
                .or_else(|_| expected("a schema of the native histogram from -4 to 52"))?,
            zero_threshold: self.zero_threshold,
            zero_count: self.zero_count,
            count: self.count,
            sum: self.sum,
            positive: self.positive.buckets()?,
            negative: self.negative.buckets()?,
            custom_bounds: Vec::new(),
            reset: if is_gauge { ResetHint::Gauge } else { ResetHint::Unknown },
        };
        let histogram = histogram.checked().map_err(wrong)?;
        if !self.has_fractions && self.positive.counts.is_empty() && self.negative.counts.is_empty() {
            histogram.check_whole_counts().map_err(wrong)?;
        }
        Ok(histogram)
    }
}

impl Side {
    fn buckets(&self) -> Read<Buckets> {
        let counts = if self.counts.is_empty() {
            let mut count = 0i64;
            let whole = self.deltas.iter().map(|delta| {
                count = count.checked_add(*delta)?;
                Some(count as f64)
            });
            let whole = whole.collect::<Option<Vec<f64>>>();
            whole.map_or_else(|| expected("counts of native buckets within 64 bits"), Ok)?
        } else {
            self.counts.clone()
        };
        Ok(Buckets { spans: self.spans.clone(), counts })
    }
}

impl<'a> ClassicBucket<'a> {
    fn read(message: &'a [u8]) -> Read<Self> {
        let mut bucket = Self::default();
        for field in Fields::of(message) {
            match field? {
                (1, Value::Number(count)) if bucket.count == 0.0 => bucket.count = count as f64,
                (1, Value::Number(_)) => {}
                (2, Value::Eight(bytes)) => bucket.upper_bound = float(bytes),
                (3, Value::Bytes(exemplar)) => bucket.exemplar = Some(Exemplar::read(exemplar)?),
                (4, Value::Eight(bytes)) => {
                    take_float(bytes, &mut bucket.count);
                }
                (number @ 1..=4, _) => return Err(Malformed::Type(number).into()),
                _ => {}
            }
        }
        Ok(bucket)
    }
}

/// A count that need not be whole, which goes before the whole one where it is more than zero; says whether it does.
fn take_float(bytes: [u8; 8], count: &mut f64) -> bool {
    let sent = float(bytes);
    if sent > 0.0 {
        *count = sent;
    }
    sent > 0.0
}

fn zigzag(number: u64) -> i64 {
    (number >> 1).cast_signed() ^ -(number & 1).cast_signed()
}

fn small(number: i64) -> Read<i32> {
    i32::try_from(number).map_err(|_| Malformed::Number.into())
}

fn span_of(message: &[u8]) -> Read<Span> {
    let mut span = Span::default();
    for field in Fields::of(message) {
        match field? {
            (1, Value::Number(offset)) => span.offset = small(zigzag(offset))?,
            (2, Value::Number(length)) => {
                span.length = u32::try_from(length).map_err(|_| Malformed::Number)?;
            }
            (number @ 1..=2, _) => return Err(Malformed::Type(number).into()),
            _ => {}
        }
    }
    Ok(span)
}

/// One number, or many packed together.
fn deltas(field: u32, value: Value<'_>, into: &mut Vec<i64>) -> Read<()> {
    match value {
        Value::Number(number) => put(into, zigzag(number))?,
        Value::Bytes(packed) => {
            let mut packed = Fields::of(packed);
            while !packed.is_empty() {
                put(into, zigzag(packed.number()?))?;
            }
        }
        _ => return Err(Malformed::Type(field).into()),
    }
    Ok(())
}

fn counts(field: u32, value: Value<'_>, into: &mut Vec<f64>) -> Read<()> {
    match value {
        Value::Eight(bytes) => put(into, float(bytes))?,
        Value::Bytes(packed) => {
            let (numbers, rest) = packed.as_chunks::<8>();
            if !rest.is_empty() {
                return Err(Malformed::Truncated.into());
            }
            for bytes in numbers {
                put(into, float(*bytes))?;
            }
        }
        _ => return Err(Malformed::Type(field).into()),
    }
    Ok(())
}
