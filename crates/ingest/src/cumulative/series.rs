//! The sum of one series, and what one more difference makes of it.

use model::{NO_START, Timestamp};

use super::Refusal;
use super::ends::Ends;
use super::value::{Sum, Value};

/// Since when a difference counts, and until when.
#[derive(Clone, Copy, Debug)]
pub(super) struct Span {
    /// [`NO_START`] where it is not known.
    pub(super) start_ms: i64,
    pub(super) end_ms: i64,
}

/// The sum of one series.
#[derive(Debug)]
pub(super) struct Series {
    start_ms: i64,
    ends: Ends,
    /// When it was heard of, by our own clock.
    heard_ms: i64,
    total: Value,
}

impl Series {
    /// A sum that begins with a difference.
    pub(super) fn begin(span: Span, value: Value, now: Timestamp) -> Self {
        let (start_ms, ends) = (span.start_ms, Ends::of(span.end_ms));
        Self { start_ms, ends, heard_ms: now.as_millis(), total: value }
    }

    /// Whether a difference can be added, by its time alone.
    pub(super) fn check(&self, span: Span) -> Result<(), Refusal> {
        if self.ends.have(span.end_ms) {
            return Err(Refusal::Duplicate);
        }
        let is_known = span.start_ms != NO_START;
        if span.end_ms < self.ends.last_ms() || is_known && span.start_ms < self.start_ms {
            return Err(Refusal::OutOfOrder);
        }
        Ok(())
    }

    /// Whether it can end at a time. A marker of the end has no value of its own, so none is a repetition of what is in
    /// the sum.
    pub(super) fn check_end(&self, time_ms: i64) -> Result<(), Refusal> {
        if time_ms <= self.ends.last_ms() { Err(Refusal::OutOfOrder) } else { Ok(()) }
    }

    /// The sum with one more difference, whose time was checked. After a gap it begins anew.
    pub(super) fn with(&self, span: Span, value: Value, now: Timestamp) -> Result<Self, Refusal> {
        let is_gap = span.start_ms != NO_START && span.start_ms > self.ends.last_ms();
        let sum = if is_gap { Sum::None } else { self.total.plus(&value) };
        let (start_ms, total) = match sum {
            Sum::Of(total) => (self.start_ms, total),
            Sum::None => (span.start_ms, value),
            Sum::Beyond => return Err(Refusal::Beyond),
        };
        Ok(Self { start_ms, ends: self.ends.and(span.end_ms), heard_ms: now.as_millis(), total })
    }

    /// Since when it counts.
    pub(super) fn start_ms(&self) -> i64 {
        self.start_ms
    }

    /// Whether anything came since a time.
    pub(super) fn is_heard_since(&self, time_ms: i64) -> bool {
        self.heard_ms >= time_ms
    }

    /// What it has come to.
    pub(super) fn total(&self) -> &Value {
        &self.total
    }

    /// Memory that it takes beside its place in a table.
    pub(super) fn bytes(&self) -> usize {
        self.total.bytes()
    }
}
