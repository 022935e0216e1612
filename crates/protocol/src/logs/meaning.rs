//! What names of values mean for a record: many libraries call the same thing by many names.
//!
//! A name is asked for of every value of every line, so all names that mean something lie in one table, near the place that
//! [`slot`] says. Knows nothing of values.

use std::sync::LazyLock;

use model::event::columns::OF_RECORD;

use crate::otlp::rows::names::{SLOTS, slot};

/// What a value is for a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    Time,
    Level,
    PythonLevel,
    SeverityNumber,
    Message,
    Logger,
    Service,
    TraceId,
    SpanId,
    TraceFlags,
    EventName,
    Stack,
    ExceptionType,
    ExceptionMessage,
}

/// What a name means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Meaning {
    /// Its value has a role. Of two that have the same, that of the lower rank holds.
    Role { role: Role, rank: u8, name: &'static str },
    /// It may fill a field: its place in the table of names that OpenTelemetry's records go through, and that of the name
    /// among those of the field.
    Field(usize, u8),
}

/// The names of roles, with their ranks.
const ROLES: &[(Role, u8, &[&str])] = &[
    (Role::Time, 0, &["timestamp", "@timestamp", "time", "ts"]),
    (Role::Time, 1, &["asctime", "datetime", "date", "eventTime", "t"]),
    (Role::Time, 2, &["created"]),
    (
        Role::Level,
        0,
        &["level", "severity", "levelname", "lvl", "log.level", "loglevel", "severity_text", "level.name"],
    ),
    (Role::PythonLevel, 1, &["levelno"]),
    (Role::SeverityNumber, 0, &["severity_number", "severityNumber"]),
    (Role::Message, 0, &["message", "msg"]),
    (Role::Message, 1, &["@message", "@m", "log", "text", "body"]),
    (Role::Message, 2, &["event"]),
    (Role::Logger, 0, &["logger", "logger_name", "log.logger", "logger.name"]),
    (Role::Logger, 1, &["target"]),
    (Role::Logger, 2, &["name"]),
    (Role::Service, 0, &["service", "service.name", "service_name"]),
    (Role::TraceId, 0, &["trace_id", "traceId", "trace.id", "otelTraceID", "traceid"]),
    (Role::SpanId, 0, &["span_id", "spanId", "span.id", "otelSpanID", "spanid"]),
    (Role::TraceFlags, 0, &["trace_flags"]),
    (Role::EventName, 0, &["event.name", "event_name"]),
    (
        Role::Stack,
        0,
        &[
            "exc_info",
            "exception",
            "stack_trace",
            "stacktrace",
            "stack",
            "exc_text",
            "error.stack_trace",
            "err.stack",
            "error.stack",
            "exception.stacktrace",
        ],
    ),
    (Role::ExceptionType, 0, &["exc_type", "exception.type", "err.type"]),
    (Role::ExceptionMessage, 0, &["exception.message", "err.message", "error.message"]),
];

/// What a name means, if it means anything; of others the value is an attribute. It is where it is in the table: a copy
/// would be read before all of it is written.
pub(super) fn meaning(name: &str) -> Option<&'static Meaning> {
    TABLE.get(name)
}

/// Longer names are none of the table.
const MAX_NAME_BYTES: usize = 64;

static TABLE: LazyLock<Table> = LazyLock::new(Table::new);

/// Names by their slots: a few times as many as names, so that most are found where they are looked for first. A name whose place is taken lies at the next free one.
struct Table {
    places: Vec<Option<(&'static str, Meaning)>>,
}

impl Table {
    fn new() -> Self {
        let mut table = Self { places: vec![None; SLOTS] };
        for (role, rank, names) in ROLES {
            for &name in *names {
                table.add(name, Meaning::Role { role: *role, rank: *rank, name });
            }
        }
        for (index, column) in OF_RECORD.iter().enumerate() {
            for (rank, &name) in (0u8..).zip(column.names) {
                table.add(name, Meaning::Field(index, rank));
            }
        }
        table
    }

    /// Adds a name, unless it is there: roles come before fields.
    fn add(&mut self, name: &'static str, meaning: Meaning) {
        for place in places_of(name) {
            match &self.places[place] {
                Some((there, _)) if *there == name => return,
                Some(_) => {}
                None => {
                    self.places[place] = Some((name, meaning));
                    return;
                }
            }
        }
    }

    fn get(&self, name: &str) -> Option<&Meaning> {
        if name.len() > MAX_NAME_BYTES {
            return None;
        }
        for place in places_of(name) {
            let (there, meaning) = self.places[place].as_ref()?;
            if *there == name {
                return Some(meaning);
            }
        }
        None
    }
}

/// Where a name may lie, the likeliest place first.
fn places_of(name: &str) -> impl Iterator<Item = usize> {
    let first = slot(name);
    (0..SLOTS).map(move |next| (first + next) % SLOTS)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::otlp::rows::names::RECORD;

    #[test]
    fn every_name_is_found_with_what_it_means_and_no_other_is() {
        for (role, rank, names) in ROLES {
            for &name in *names {
                assert_eq!(meaning(name), Some(&Meaning::Role { role: *role, rank: *rank, name }), "{name}");
            }
        }
        let is_role = |name: &str| ROLES.iter().any(|(_, _, names)| names.contains(&name));
        for (index, column) in OF_RECORD.iter().enumerate() {
            for (rank, &name) in (0u8..).zip(column.names).filter(|(_, name)| !is_role(name)) {
                assert_eq!(meaning(name), Some(&Meaning::Field(index, rank)), "{name}");
                assert_eq!(RECORD.find(name), Some((index, rank)), "{name}");
            }
        }
        for name in ["", "Level", "levels", "environment", "host", "level".repeat(100).as_str()] {
            assert_eq!(meaning(name), None, "{name}");
        }
    }

    #[test]
    fn every_name_has_one_role_and_a_place_that_is_soon_found() {
        let roles: Vec<&str> = ROLES.iter().flat_map(|(_, _, names)| names.iter().copied()).collect();
        let fields = OF_RECORD.iter().flat_map(|column| column.names.iter().copied());
        let mut all: Vec<&str> = roles.iter().copied().chain(fields).collect();
        assert!(all.iter().all(|name| name.len() <= MAX_NAME_BYTES));
        all.sort_unstable();
        all.dedup();
        assert!(all.len() * 2 < SLOTS, "{} names", all.len());
        assert_eq!(TABLE.places.iter().flatten().count(), all.len());
        for name in all {
            let is_there = |place: usize| TABLE.places[place].is_some_and(|(there, _)| there == name);
            assert!(places_of(name).take(6).any(is_there), "{name}");
        }
        let mut once = roles.clone();
        once.sort_unstable();
        once.dedup();
        assert_eq!(once.len(), roles.len());
    }
}
