//! Records of logs.

use std::sync::Arc;

use super::names::text_enum;
use super::{Attributes, Conventions, Flaws, Origin};
use crate::Timestamp;

text_enum! {
    /// How severe a record is.
    Level {
        /// Steps on the way, for whoever looks for a fault.
        Trace = "trace",
        /// Details for developers.
        Debug = "debug",
        /// What happens as it should.
        Info = "info",
        /// Something may be wrong.
        Warn = "warn",
        /// Something failed.
        Error = "error",
        /// The application cannot go on.
        Fatal = "fatal",
    }
}

impl Level {
    /// The level that a severity of OpenTelemetry belongs to, 1 to 24.
    pub fn from_severity(number: u64) -> Option<Self> {
        Some(match number {
            1..=4 => Self::Trace,
            5..=8 => Self::Debug,
            9..=12 => Self::Info,
            13..=16 => Self::Warn,
            17..=20 => Self::Error,
            21..=24 => Self::Fatal,
            _ => return None,
        })
    }

    /// The level that a source calls so: `WARNING`, `err`, `crit`, in capitals or not.
    pub fn from_text(text: &str) -> Option<Self> {
        const NAMES: &[(Level, &[&str])] = &[
            (Level::Trace, &["trace", "finest", "finer", "verbose"]),
            (Level::Debug, &["debug", "dbg", "fine"]),
            (Level::Info, &["info", "information", "informational", "notice"]),
            (Level::Warn, &["warn", "warning"]),
            (Level::Error, &["error", "err", "severe"]),
            (Level::Fatal, &["fatal", "critical", "crit", "alert", "emerg", "emergency", "panic"]),
        ];
        let is_it = |names: &[&str]| names.iter().any(|name| name.eq_ignore_ascii_case(text));
        NAMES.iter().find(|(_, names)| is_it(names)).map(|(level, _)| *level)
    }
}

/// A record of a log.
#[derive(Clone, Debug, PartialEq)]
pub struct LogEvent {
    /// When it happened.
    pub time: Timestamp,
    /// The sender's id of this record, where it gives one.
    pub event_id: Option<String>,
    /// When it was seen by whoever collected it.
    pub observed_time: Option<Timestamp>,
    /// How severe it is.
    pub level: Option<Level>,
    /// The same as OpenTelemetry has it, 1 to 24.
    pub severity_number: Option<u64>,
    /// The same as the source calls it.
    pub severity_text: Option<String>,
    /// The name of the event that it is; a plain record has none.
    pub event_name: Option<String>,
    /// What it says. What has parts is JSON.
    pub message: Option<String>,
    /// The trace that it belongs to, 32 hex digits.
    pub trace_id: Option<String>,
    /// The span of that trace, 16 hex digits.
    pub span_id: Option<String>,
    /// Flags of that span; the last eight bits are those of W3C Trace Context.
    pub trace_flags: Option<u64>,
    /// What it comes from.
    pub origin: Arc<Origin>,
    /// What it says under names that all senders share.
    pub conventions: Conventions,
    /// Further facts.
    pub attributes: Attributes,
    /// Attributes that are not here: the sender left them out, or they were too many.
    pub dropped_attributes: Option<u64>,
    /// What is not right about it.
    pub flaws: Flaws,
}

impl LogEvent {
    /// A record of which no more is known than its time and what it comes from. Inlined, so that what is boxed is made
    /// where it stays.
    #[inline]
    pub fn new(time: Timestamp, origin: Arc<Origin>) -> Self {
        Self {
            time,
            event_id: None,
            observed_time: None,
            level: None,
            severity_number: None,
            severity_text: None,
            event_name: None,
            message: None,
            trace_id: None,
            span_id: None,
            trace_flags: None,
            origin,
            conventions: Conventions::default(),
            attributes: Attributes::new(),
            dropped_attributes: None,
            flaws: Flaws::NONE,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn levels_follow_from_numbers_and_from_what_sources_call_them() {
        let numbers = [
            (0, None),
            (1, Some(Level::Trace)),
            (9, Some(Level::Info)),
            (24, Some(Level::Fatal)),
            (25, None),
        ];
        for (number, level) in numbers {
            assert_eq!(Level::from_severity(number), level, "{number}");
        }
        let names =
            [("WARNING", Some(Level::Warn)), ("Err", Some(Level::Error)), ("CRITICAL", Some(Level::Fatal))];
        for (name, level) in names.into_iter().chain([("", None), ("E", None)]) {
            assert_eq!(Level::from_text(name), level, "{name}");
        }
    }
}
