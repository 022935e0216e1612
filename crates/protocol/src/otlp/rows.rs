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
    /// The most arrays and maps that lie in each other in a value; what lies deeper is left out.
    pub max_depth: usize,
    /// The most memory that the events of a request may take, in bytes. An empty record of two bytes grows to a
    /// thousand.
    pub max_bytes: usize,
}

impl Default for RowLimits {
    fn default() -> Self {
        Self {
            max_text_bytes: 16 << 10,
            max_name_bytes: 512,
            max_attributes: 128,
            max_span_events: 128,
            max_record_bytes: 1 << 20,
            max_depth: 8,
            max_bytes: 128 << 20,
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
    /// Why, in words that say what to change; the first few reasons, each once.
    pub reasons: Vec<String>,
    /// Roughly the memory that the events take.
    bytes: usize,
}

/// The most reasons that are told.
const MAX_REASONS: usize = 10;
/// What an attribute takes beside its texts.
const ATTRIBUTE_BYTES: usize = 64;

impl Rows {
    fn reject(&mut self, reason: &str) {
        self.rejected += 1;
        if self.reasons.len() < MAX_REASONS && !self.reasons.iter().any(|known| known == reason) {
            self.reasons.push(reason.to_owned());
        }
    }

    /// Adds an event of about so many bytes, if there is room.
    fn push(&mut self, event: Event, bytes: usize, max_bytes: usize) {
        if self.bytes.saturating_add(bytes) > max_bytes {
            let reason = format!(
                "the records of the request would take more than {max_bytes} bytes: send fewer at once"
            );
            return self.reject(&reason);
        }
        self.bytes += bytes;
        self.events.push(event);
    }
}
