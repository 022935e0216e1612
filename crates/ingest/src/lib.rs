//! The one path in: whatever the source, events and samples are validated and limited, redacted,
//! and appended to the store; nothing is dropped without being counted, by source and reason.
//!
//! Knows no wire format (that is `protocol`) and no engine (that is behind `store`).
//! Start reading at [`Ingest`].

mod account;
mod audited;
mod cumulative;
mod derive;
mod duplicates;
#[cfg(any(test, feature = "fuzzing"))]
pub mod fuzzing;
mod generations;
mod hashed;
mod key_lines;
mod limits;
pub mod log_metrics;
mod metadata;
mod redact;
pub mod relabel;
mod samples;
mod sampling;
mod service;
mod texts;
mod unhurried;

pub use account::{Reason, Source};
pub use derive::{DeriveService, DeriveSettings};
pub use limits::{Limits, MOST_ATTRIBUTES};
pub use redact::{
    Action, Cleaned, Found, Location, RedactError, Redaction, RedactionRule, Redactor, TextPattern,
};
pub use samples::SamplesOutcome;
pub use sampling::{SamplingService, SamplingSettings};
pub use service::{EventListener, EventsOutcome, Ingest, IngestError, Rejection, SpanSettings};
pub use unhurried::{INLINE_BYTES, unhurried};
