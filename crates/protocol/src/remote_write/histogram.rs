//! Native histograms: whole ones (differences of counts) and those with fractions, with bounds that follow from a
//! schema and with bounds of their own. Both versions of remote write send the same message.

use model::histogram::{Buckets, MAX_BUCKETS, ResetHint, Span};
use model::{Histogram, is_stale};

use crate::wire::{Fields, Malformed, Value};

/// A histogram at a time.
pub(super) struct TimedHistogram {
    pub(super) time_ms: i64,
    /// Since when it counts, if that is told; in the second version only.
    pub(super) start_ms: i64,
    /// Nothing where a series ends: a staleness marker.
    pub(super) histogram: Option<Histogram>,
}

/// A message as it was read.
#[derive(Default)]
struct Read {
    histogram: Histogram,
    time_ms: i64,
    start_ms: i64,
    positive: Side,
    negative: Side,
    /// Whether its count is one that may have a fraction; else all counts are whole.
    is_fraction: bool,
}

/// One side's counts: as differences, or as they are.
#[derive(Default)]
struct Side {
    deltas: Vec<i64>,
    counts: Vec<f64>,
    spans: Vec<Span>,
}

/// Why a message is no histogram.
pub(super) enum Error {
    /// It is no protobuf.
    Malformed(Malformed),
    /// What it says can't be, in words.
    Invalid(String),
}

impl From<Malformed> for Error {
    fn from(error: Malformed) -> Self {
        Self::Malformed(error)
    }
}

/// Takes a `prometheus.Histogram` apart, and checks it.
pub(super) fn histogram(message: &[u8]) -> Result<TimedHistogram, Error> {
    let mut read = Read::default();
    for field in Fields::of(message) {
        read.take(field?)?;
    }
    let Read { mut histogram, time_ms, start_ms, positive, negative, is_fraction } = read;
    let is_whole = !is_fraction;
    if is_stale(histogram.sum) {
        return Ok(TimedHistogram { time_ms, start_ms, histogram: None });
    }
    histogram.positive = positive.buckets(is_whole, "positive")?;
    histogram.negative = negative.buckets(is_whole, "negative")?;
    let invalid =
        |error: model::histogram::InvalidHistogram| Error::Invalid(format!("a histogram is wrong: {error}"));
    let histogram = histogram.checked().map_err(invalid)?;
    if is_whole {
        histogram.check_whole_counts().map_err(invalid)?;
    }
    Ok(TimedHistogram { time_ms, start_ms, histogram: Some(histogram) })
}

impl Read {
    fn take(&mut self, field: (u32, Value<'_>)) -> Result<(), Error> {
        let histogram = &mut self.histogram;
        match field {
            (1, Value::Number(count)) => {
                histogram.count = count as f64;
                self.is_fraction = false;
            }
            (2, Value::Eight(bytes)) => {
                histogram.count = f64::from_le_bytes(bytes);
                self.is_fraction = true;
            }
            (3, Value::Eight(bytes)) => histogram.sum = f64::from_le_bytes(bytes),
            (4, Value::Number(schema)) => {
                let schema = unzigzag(schema);
                histogram.schema = i8::try_from(schema)
                    .map_err(|_| Error::Invalid(format!("a histogram has the schema {schema}")))?;
            }
            (5, Value::Eight(bytes)) => histogram.zero_threshold = f64::from_le_bytes(bytes),
            (6, Value::Number(count)) => histogram.zero_count = count as f64,
            (7, Value::Eight(bytes)) => histogram.zero_count = f64::from_le_bytes(bytes),
            (8, Value::Bytes(message)) => self.negative.put_span(message)?,
            (9, value) => self.negative.put_deltas(value, 9)?,
            (10, value) => put_numbers(value, 10, &mut self.negative.counts)?,
            (11, Value::Bytes(message)) => self.positive.put_span(message)?,
            (12, value) => self.positive.put_deltas(value, 12)?,
            (13, value) => put_numbers(value, 13, &mut self.positive.counts)?,
            (14, Value::Number(hint)) => {
                histogram.reset = match hint {
                    1 => ResetHint::Reset,
                    2 => ResetHint::NotReset,
                    3 => ResetHint::Gauge,
                    _ => ResetHint::Unknown,
                };
            }
            (15, Value::Number(time)) => self.time_ms = time.cast_signed(),
            (16, value) => put_numbers(value, 16, &mut histogram.custom_bounds)?,
            (17, Value::Number(start)) => self.start_ms = start.cast_signed(),
            (number @ 1..=17, _) => return Err(Malformed::Type(number).into()),
            _ => {}
        }
        Ok(())
    }
}

impl Side {
    fn put_span(&mut self, message: &[u8]) -> Result<(), Error> {
        let mut span = Span::default();
        for field in Fields::of(message) {
            match field? {
                (1, Value::Number(offset)) => {
                    span.offset = i32::try_from(unzigzag(offset)).map_err(|_| {
                        Error::Invalid("the offset of a histogram's span is out of range".to_owned())
                    })?;
                }
                (2, Value::Number(length)) => {
                    span.length = u32::try_from(length).map_err(|_| {
                        Error::Invalid("the length of a histogram's span is out of range".to_owned())
                    })?;
                }
                (number @ 1..=2, _) => return Err(Malformed::Type(number).into()),
                _ => {}
            }
        }
        check_room(self.spans.len())?;
        self.spans.push(span);
        Ok(())
    }

    fn put_deltas(&mut self, value: Value<'_>, field: u32) -> Result<(), Error> {
        match value {
            Value::Number(delta) => {
                check_room(self.deltas.len())?;
                self.deltas.push(unzigzag(delta));
            }
            Value::Bytes(packed) => {
                let mut packed = Fields::of(packed);
                while !packed.is_empty() {
                    check_room(self.deltas.len())?;
                    self.deltas.push(unzigzag(packed.number()?));
                }
            }
            Value::Eight(_) | Value::Four(_) => return Err(Malformed::Type(field).into()),
        }
        Ok(())
    }

    fn buckets(self, is_whole: bool, side: &str) -> Result<Buckets, Error> {
        let Self { deltas, counts, spans } = self;
        let fits = if is_whole { counts.is_empty() } else { deltas.is_empty() };
        if !fits {
            let text =
                format!("of a histogram's count and its {side} buckets one is whole and the other is not");
            return Err(Error::Invalid(text));
        }
        if !is_whole {
            return Ok(Buckets { spans, counts });
        }
        let mut count = 0i64;
        let mut counts = Vec::with_capacity(deltas.len());
        for delta in deltas {
            count = count
                .checked_add(delta)
                .ok_or_else(|| Error::Invalid("the counts of a histogram are out of range".to_owned()))?;
            counts.push(count as f64);
        }
        Ok(Buckets { spans, counts })
    }
}

/// Appends numbers, packed or one by one.
fn put_numbers(value: Value<'_>, field: u32, into: &mut Vec<f64>) -> Result<(), Error> {
    match value {
        Value::Eight(bytes) => {
            check_room(into.len())?;
            into.push(f64::from_le_bytes(bytes));
        }
        Value::Bytes(packed) => {
            let (numbers, rest) = packed.as_chunks::<8>();
            if !rest.is_empty() {
                return Err(Malformed::Truncated.into());
            }
            if into.len() + numbers.len() > MAX_BUCKETS {
                return Err(too_many());
            }
            into.extend(numbers.iter().map(|bytes| f64::from_le_bytes(*bytes)));
        }
        Value::Number(_) | Value::Four(_) => return Err(Malformed::Type(field).into()),
    }
    Ok(())
}

fn check_room(there: usize) -> Result<(), Error> {
    if there < MAX_BUCKETS { Ok(()) } else { Err(too_many()) }
}

fn too_many() -> Error {
    Error::Invalid(format!("a histogram has more than {MAX_BUCKETS} buckets"))
}

fn unzigzag(number: u64) -> i64 {
    (number >> 1).cast_signed() ^ -(number & 1).cast_signed()
}
