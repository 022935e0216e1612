//! What a line says by its looks: JSON, a request as web servers write it, text with a time or a level in front, or
//! `key=value` pairs.

use jiff::tz::TimeZone;
use model::Timestamp;
use model::event::LogEvent;

use super::clock::Clock;
use super::draft::Whence;
use super::reader::decoded;
use super::{access, json, logfmt, text};
use crate::otlp::rows::RowLimits;

/// What was read of a line.
pub(crate) struct Seen {
    /// The record that it is; its origin is still to be set.
    pub(crate) log: Box<LogEvent>,
    /// What it says of where it comes from.
    pub(crate) whence: Option<Box<Whence>>,
    /// Whether records of its form have one line.
    pub(super) is_whole: bool,
}

/// Reads a line; nothing when it is of no form that is known.
pub(super) fn read(line: &str, limits: &RowLimits, clock: &mut Clock) -> Option<Seen> {
    let finished = if line.starts_with('{') {
        json::read(line, limits, clock)
    } else if access::looks_so(line)
        && let Some(finished) = access::read(line, limits, clock)
    {
        Some(finished)
    } else if let Some(said) = text::read(line, clock) {
        let (log, whence) = said.finish(clock.now());
        return Some(Seen { log, whence, is_whole: false });
    } else if logfmt::looks_so(line) {
        logfmt::read(line, limits, clock)
    } else {
        None
    };
    let (log, whence) = finished?;
    Some(Seen { log, whence, is_whole: true })
}

/// Reads a line that stands by itself, whose time is known. Times of day in it are taken for those of UTC: they decide
/// nothing.
pub(crate) fn alone(line: &str, limits: &RowLimits, time: Timestamp) -> Option<Seen> {
    let (line, _) = decoded(line.as_bytes());
    read(&line, limits, &mut Clock::new(TimeZone::UTC, time))
}
