//! The fields of logs and of spans: every column of theirs under its own name, and attributes after OpenTelemetry's
//! semantic conventions under each of the names that fill a column ([`model::event::columns`]).

use model::event::columns::{Column, OF_EITHER, OF_ORIGIN, OF_RECORD, Place};
use model::event::{SpanKind, SpanStatus};

use super::{Kind, Schema, Scope};

/// Attributes that have a kind, though no column of their own.
const ATTRIBUTES: [(&str, Kind); 3] = [
    ("http.request.body.size", Kind::Bytes),
    ("http.response.body.size", Kind::Bytes),
    ("server.address", Kind::Keyword),
];

/// Names for fields that both have.
const ALIASES: [(&str, &str); 5] = [
    ("service.name", "service"),
    ("resource.service.name", "service"),
    ("host.name", "host"),
    ("svc", "service"),
    ("scope_name", "scope"),
];

impl Schema {
    /// What log records have.
    pub fn logs() -> Self {
        Self::new()
            .with("event_id", Kind::Id)
            .with("event_name", Kind::Keyword)
            .with("level", Kind::Level)
            .with("logger", Kind::Keyword)
            .with("message", Kind::Text)
            .with("observed_time", Kind::Time)
            .with("severity_number", Kind::Number)
            .with("severity_text", Kind::Keyword)
            .with_attribute(Scope::Record, "duration", Kind::Duration)
            .with_conventions()
            .alias("severity", "level")
            .alias("msg", "message")
            .alias("body", "message")
            .alias("timestamp", "time")
            .alias("event.name", "event_name")
            .alias("log.record.uid", "event_id")
            .searching("message")
            .searching("exception.message")
            .searching("exception.stacktrace")
    }

    /// What spans have.
    pub fn spans() -> Self {
        Self::new()
            .with("dropped_events", Kind::Number)
            .with("dropped_links", Kind::Number)
            .with("duration", Kind::Duration)
            .with("events", Kind::Text)
            .with("kind", Kind::OneOf(SpanKind::NAMES))
            .with("links", Kind::Text)
            .with("name", Kind::Keyword)
            .with("parent_span_id", Kind::HexId)
            .with("status", Kind::OneOf(SpanStatus::NAMES))
            .with("status_message", Kind::Text)
            .with("trace_state", Kind::Text)
            .with_conventions()
            .alias("operation", "name")
            .alias("duration_ns", "duration")
            .alias("event", "events")
            .alias("event.name", "events")
            .searching("name")
            .searching("status_message")
            .searching("exception.message")
            .searching("exception.stacktrace")
    }

    fn with_conventions(self) -> Self {
        let schema = self
            .with("dropped_attributes", Kind::Number)
            .with("dropped_resource_attributes", Kind::Number)
            .with("flaws", Kind::Text)
            .with("host", Kind::Keyword)
            .with("scope", Kind::Keyword)
            .with("scope_version", Kind::Keyword)
            .with("service", Kind::Keyword)
            .with("span_id", Kind::HexId)
            .with("time", Kind::Time)
            .with("trace_flags", Kind::Number)
            .with("trace_id", Kind::HexId)
            .timed_by("time");
        let schema = OF_ORIGIN.iter().fold(schema, |schema, column| schema.with_column(column, None));
        let schema = OF_RECORD.iter().fold(schema, |schema, column| {
            let scope = (!OF_EITHER.contains(&column.name)).then_some(Scope::Record);
            schema.with_column(column, scope)
        });
        let schema = ATTRIBUTES
            .into_iter()
            .fold(schema, |schema, (name, kind)| schema.with_attribute(Scope::Record, name, kind));
        ALIASES.into_iter().fold(schema, |schema, (alias, name)| schema.alias(alias, name))
    }

    /// With a column under its name and those of the attributes that fill it, which are of that scope and no other.
    fn with_column<T: 'static>(self, column: &Column<T>, scope: Option<Scope>) -> Self {
        let kind = kind_of(&column.place);
        // Some names of attributes are those of their columns.
        let schema = self.with(column.name, kind);
        column.names.iter().fold(schema, |schema, name| match scope {
            Some(scope) => schema.with_attribute(scope, name, kind),
            None => schema.with(name, kind),
        })
    }
}

/// How values of a column are compared.
const fn kind_of<T: 'static>(place: &Place<T>) -> Kind {
    match place {
        Place::Text(_) => Kind::Keyword,
        Place::Prose(_) => Kind::Text,
        Place::Id(_) => Kind::Id,
        Place::Count(_) => Kind::Number,
    }
}
