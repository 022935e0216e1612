//! Records of logs and spans as events: sinks that gather what [`super::decode_logs`] and [`super::decode_traces`] read.
//!
//! What semantic conventions name goes into fields of its own (`names`, the one place that knows names of old), the
//! rest into attributes. A record that is too large is cut and says so; only one that nothing could find again is
//! rejected, alone. Start reading at [`LogRows`].

mod logs;
pub(crate) mod names;
mod origin;
mod spans;
pub(crate) mod texts;

#[cfg(test)]
mod tests;

use model::event::Event;

use super::reasons::Reasons;
use crate::Budget;

pub use logs::LogRows;
pub use spans::SpanRows;

/// How much of a record is kept.
#[derive(Clone, Debug)]
pub struct RowLimits {
    /// The longest text, in bytes; longer ones are cut, and end in `…`.
    pub max_text_bytes: usize,
    /// The longest key of an attribute, in bytes; attributes with longer ones are left out.
    pub max_name_bytes: usize,
    /// The most attributes of a record, an event, a link, a resource or a scope.
    pub max_attributes: usize,
    /// The most events of a span, and the most links.
    pub max_span_events: usize,
    /// The most bytes of all texts of a record; those beyond are cut.
    pub max_record_bytes: usize,
    /// The most bytes of all texts of a resource and a scope together; those beyond are cut. Much less than a record
    /// may have: every one of its records is stored with them.
    pub max_origin_bytes: usize,
    /// The longest of these texts, in bytes.
    pub max_origin_text_bytes: usize,
    /// The most arrays and maps that lie in each other in a value; what lies deeper is left out.
    pub max_depth: usize,
    /// The most memory that the events of a request may take, in bytes, each with all that it comes from; the rest is
    /// rejected. An empty record of two bytes grows to thousands.
    pub max_bytes: usize,
    /// What is asked for room for them, which other requests want as well.
    pub budget: Budget,
}

impl Default for RowLimits {
    fn default() -> Self {
        Self {
            max_text_bytes: 16 << 10,
            max_name_bytes: 512,
            max_attributes: 128,
            max_span_events: 128,
            max_record_bytes: 1 << 20,
            max_origin_bytes: 16 << 10,
            max_origin_text_bytes: 2 << 10,
            max_depth: 8,
            max_bytes: 128 << 20,
            budget: Budget::default(),
        }
    }
}

/// What records have become.
#[derive(Debug, Default)]
pub struct Rows {
    /// Records or spans, in their order.
    pub events: Vec<Event>,
    /// How many were rejected.
    pub rejected: u64,
    /// How many of those were more than the request may take memory for.
    pub rejected_over_memory: u64,
    /// Why.
    pub reasons: Reasons,
    /// Roughly the memory that the events take.
    bytes: usize,
    /// Whether there was no room for them, so that they are only counted. Whoever gave the room knows it, and uses
    /// nothing of this.
    is_only_counted: bool,
}

/// What an attribute takes beside its texts.
pub(crate) const ATTRIBUTE_BYTES: usize = 64;

impl Rows {
    pub(crate) fn reject(&mut self, reason: &str) {
        self.rejected += 1;
        self.reasons.add(reason);
    }

    /// Whether an event of about so many bytes would be taken.
    pub(crate) fn has_room(&self, bytes: usize, limits: &RowLimits) -> bool {
        let bytes = size_of::<Event>().saturating_add(bytes);
        self.bytes.saturating_add(bytes) <= limits.max_bytes
    }

    /// Adds an event that takes about so many bytes, if there is room.
    pub(crate) fn push(&mut self, event: Event, bytes: usize, limits: &RowLimits) {
        if !self.has_room(bytes, limits) {
            let limit = limits.max_bytes;
            self.reasons.add(&format!(
                "the records of the request would take more than {limit} bytes: send fewer at once"
            ));
            return self.reject_the_rest();
        }
        self.bytes += size_of::<Event>().saturating_add(bytes);
        if !limits.budget.has_room(self.bytes) {
            self.is_only_counted = true;
            self.events = Vec::new();
        }
        if !self.is_only_counted {
            self.events.push(event);
        }
    }

    /// Whether there was no room for an event. What follows is rejected unseen, also where it is smaller: whoever sends
    /// more than is taken must not keep us busy with it.
    pub(crate) fn is_full(&self) -> bool {
        self.rejected_over_memory > 0
    }

    /// Rejects an event because there is no room, which was said before.
    pub(crate) fn reject_the_rest(&mut self) {
        self.rejected += 1;
        self.rejected_over_memory += 1;
    }
}
