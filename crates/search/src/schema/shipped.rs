//! The fields of logs and of spans, after OpenTelemetry's semantic conventions.

use super::{Kind, Schema, Scope};

/// Attributes that have a column of their own, in logs and in spans.
const ATTRIBUTES: [(&str, Kind); 24] = [
    ("db.system.name", Kind::Keyword),
    ("document_id", Kind::Id),
    ("error.type", Kind::Keyword),
    ("exception.message", Kind::Text),
    ("exception.stacktrace", Kind::Text),
    ("exception.type", Kind::Keyword),
    ("gen_ai.operation.name", Kind::Keyword),
    ("gen_ai.provider.name", Kind::Keyword),
    ("gen_ai.request.model", Kind::Keyword),
    ("gen_ai.response.model", Kind::Keyword),
    ("gen_ai.usage.input_tokens", Kind::Number),
    ("gen_ai.usage.output_tokens", Kind::Number),
    ("http.request.body.size", Kind::Bytes),
    ("http.request.method", Kind::Keyword),
    ("http.response.body.size", Kind::Bytes),
    ("http.response.status_code", Kind::Number),
    ("http.route", Kind::Keyword),
    ("job_id", Kind::Id),
    ("messaging.destination.name", Kind::Keyword),
    ("messaging.system", Kind::Keyword),
    ("process.pid", Kind::Number),
    ("server.address", Kind::Keyword),
    ("url.path", Kind::Keyword),
    ("user.id", Kind::Id),
];

/// Names for fields that both have.
const ALIASES: [(&str, &str); 4] = [
    ("service.name", "service"),
    ("resource.service.name", "service"),
    ("host.name", "host"),
    ("svc", "service"),
];

impl Schema {
    /// What log records have.
    pub fn logs() -> Self {
        Self::new()
            .with("level", Kind::Level)
            .with("logger", Kind::Keyword)
            .with("message", Kind::Text)
            .with("observed_time", Kind::Time)
            .with_attribute(Scope::Record, "duration", Kind::Duration)
            .with_conventions()
            .alias("severity", "level")
            .alias("msg", "message")
            .alias("body", "message")
            .alias("timestamp", "time")
            .searching("message")
            .searching("exception.message")
            .searching("exception.stacktrace")
    }

    /// What spans have.
    pub fn spans() -> Self {
        Self::new()
            .with("duration", Kind::Duration)
            .with("kind", Kind::Keyword)
            .with("name", Kind::Keyword)
            .with("parent_span_id", Kind::HexId)
            .with("status", Kind::Keyword)
            .with("status_message", Kind::Text)
            .with_conventions()
            .alias("operation", "name")
            .searching("name")
            .searching("status_message")
            .searching("exception.message")
            .searching("exception.stacktrace")
    }

    fn with_conventions(self) -> Self {
        let schema = self
            .with("host", Kind::Keyword)
            .with("scope", Kind::Keyword)
            .with("service", Kind::Keyword)
            .with("span_id", Kind::HexId)
            .with("time", Kind::Time)
            .with("trace_id", Kind::HexId)
            .timed_by("time");
        let schema = ATTRIBUTES
            .into_iter()
            .fold(schema, |schema, (name, kind)| schema.with_attribute(Scope::Record, name, kind));
        ALIASES.into_iter().fold(schema, |schema, (alias, name)| schema.alias(alias, name))
    }
}
