//! Logs as text: bytes of a file or a stream become lines, and lines become records.
//!
//! Each line is looked at by itself: JSON, logfmt, the usual forms of text (with a time, a level and a logger in front),
//! access logs of web servers, or plain text. Lines that belong to the record before (stack traces, what is indented)
//! are joined to it. What is not understood is kept as it is: nothing of a log is worth losing for its form.
//!
//! Start reading at [`LogReader`]; [`Lines`] makes lines of bytes.

mod access;
mod clock;
mod draft;
mod journal;
mod json;
mod lines;
mod logfmt;
mod looks;
mod meaning;
mod options;
mod pattern;
mod reader;
mod severity;
mod text;
mod time;
mod trace;

#[cfg(test)]
mod tests;

pub use journal::{JOURNAL_FIELDS, JournalEntry, read_journal_entry};
pub use lines::{Line, Lines, MAX_LINE_BYTES};
pub use options::{LogFormat, LogOptions, Multiline, PatternError};
pub use pattern::LinePattern;
pub use reader::{Counts, LogReader, MAX_JOINED_BYTES, MAX_JOINED_LINES, Record};

pub(crate) use looks::{Seen, alone};
