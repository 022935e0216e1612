//! Records of the model as a search sees them, for those who have them at hand: what a query finds of what has just
//! come is what it will find once it is stored.

use std::borrow::Cow;
use std::time::Duration;

use model::Timestamp;
use model::event::{Attributes, Conventions, Flaws, Level, LogEvent, Origin, SpanEvent};
use search::{Datum, Record, Scope};

use crate::Kind;
use crate::fields::{Source, attribute, field, is_labelled, label};
use crate::values::level;

/// A record of a log.
#[derive(Clone, Copy, Debug)]
pub struct LogRecord<'a>(pub &'a LogEvent);

/// A span.
#[derive(Clone, Copy, Debug)]
pub struct SpanRecord<'a>(pub &'a SpanEvent);

/// Columns of a row by name.
trait Columns {
    fn column(&self, name: &str) -> Option<Datum<'_>>;
    fn own(&self) -> &Attributes;
    fn origin(&self) -> &Origin;

    fn first_of(&self, sources: &[Source]) -> Option<Datum<'_>> {
        sources.iter().find_map(|source| match source {
            Source::Column(column, _) => self.column(column),
            Source::Attribute(map, key) => self.attributes(map).get(key).map(|value| value.as_str().into()),
            Source::Labelled(map, label) => {
                let named = self.attributes(map).iter().rfind(|(key, _)| is_labelled(key, label));
                named.map(|(_, value)| value.as_str().into())
            }
        })
    }

    fn attributes(&self, map: &str) -> &Attributes {
        if map == "attributes" { self.own() } else { &self.origin().resource_attributes }
    }
}

impl LogRecord<'_> {
    /// What a label of Loki's language is of it.
    pub(crate) fn label(&self, name: &str) -> Option<Datum<'_>> {
        self.first_of(&label(name))
    }
}

impl Record for LogRecord<'_> {
    fn field(&self, name: &str) -> Option<Datum<'_>> {
        self.first_of(&field(Kind::Logs, name))
    }

    fn attribute(&self, scope: Scope, name: &str) -> Option<Datum<'_>> {
        self.first_of(&attribute(scope, name))
    }
}

impl Record for SpanRecord<'_> {
    fn field(&self, name: &str) -> Option<Datum<'_>> {
        self.first_of(&field(Kind::Spans, name))
    }

    fn attribute(&self, scope: Scope, name: &str) -> Option<Datum<'_>> {
        self.first_of(&attribute(scope, name))
    }
}

impl Columns for LogRecord<'_> {
    fn column(&self, name: &str) -> Option<Datum<'_>> {
        let log = self.0;
        match name {
            "time" => Some(Datum::Time(log.time)),
            "observed_time" => time(log.observed_time),
            "event_id" => text(log.event_id.as_ref()),
            "event_name" => text(log.event_name.as_ref()),
            "severity_number" => count(log.severity_number),
            "severity_text" => text(log.severity_text.as_ref()),
            "trace_flags" => count(log.trace_flags),
            "dropped_attributes" => count(log.dropped_attributes),
            "flaws" => flaws(log.flaws),
            "level" => log.level.map(Level::as_str).map(level),
            "message" => text(log.message.as_ref()),
            "trace_id" => text(log.trace_id.as_ref()),
            "span_id" => text(log.span_id.as_ref()),
            _ => of_origin(&log.origin, name).or_else(|| of_conventions(&log.conventions, name)),
        }
    }

    fn own(&self) -> &Attributes {
        &self.0.attributes
    }

    fn origin(&self) -> &Origin {
        &self.0.origin
    }
}

impl Columns for SpanRecord<'_> {
    fn column(&self, name: &str) -> Option<Datum<'_>> {
        let span = self.0;
        match name {
            "time" => Some(Datum::Time(span.time)),
            "duration_ns" => Some(Datum::Duration(Duration::from_nanos(span.duration_ns))),
            "name" => Some(span.name.as_str().into()),
            "kind" => Some(span.kind.as_str().into()),
            "status" => Some(span.status.as_str().into()),
            "status_message" => text(span.status_message.as_ref()),
            "trace_id" => Some(span.trace_id.as_str().into()),
            "span_id" => Some(span.span_id.as_str().into()),
            "parent_span_id" => text(span.parent_span_id.as_ref()),
            "trace_state" => text(span.trace_state.as_ref()),
            "trace_flags" => count(span.trace_flags),
            "events" => list(serde_json::to_string(&span.events)),
            "links" => list(serde_json::to_string(&span.links)),
            "dropped_attributes" => count(span.dropped_attributes),
            "dropped_events" => count(span.dropped_events),
            "dropped_links" => count(span.dropped_links),
            "flaws" => flaws(span.flaws),
            _ => of_origin(&span.origin, name).or_else(|| of_conventions(&span.conventions, name)),
        }
    }

    fn own(&self) -> &Attributes {
        &self.0.attributes
    }

    fn origin(&self) -> &Origin {
        &self.0.origin
    }
}

fn text(text: Option<&String>) -> Option<Datum<'_>> {
    text.map(|text| text.as_str().into())
}

fn count(count: Option<u64>) -> Option<Datum<'static>> {
    count.map(|count| Datum::Number(count as f64))
}

/// A list as the store has it: as JSON; nothing where it is empty.
fn list(json: serde_json::Result<String>) -> Option<Datum<'static>> {
    json.ok().filter(|json| json != "[]").map(|json| Datum::Text(Cow::Owned(json)))
}

fn flaws(flaws: Flaws) -> Option<Datum<'static>> {
    (!flaws.is_empty()).then(|| Datum::Text(Cow::Owned(flaws.to_string())))
}

fn time(time: Option<Timestamp>) -> Option<Datum<'static>> {
    time.map(Datum::Time)
}

pub(crate) fn of_origin<'a>(origin: &'a Origin, name: &str) -> Option<Datum<'a>> {
    let found = match name {
        "service" => &origin.service,
        "service_namespace" => &origin.service_namespace,
        "service_version" => &origin.service_version,
        "service_instance_id" => &origin.service_instance_id,
        "environment" => &origin.environment,
        "host" => &origin.host,
        "pid" => return count(origin.pid),
        "scope_name" => &origin.scope_name,
        "scope_version" => &origin.scope_version,
        "dropped_resource_attributes" => return count(origin.dropped_resource_attributes),
        _ => return None,
    };
    text(found.as_ref())
}

pub(crate) fn of_conventions<'a>(said: &'a Conventions, name: &str) -> Option<Datum<'a>> {
    let found = match name {
        "job_id" => &said.job_id,
        "stage" => &said.stage,
        "document_id" => &said.document_id,
        "tenant" => &said.tenant,
        "worker_id" => &said.worker_id,
        "user_id" => &said.user_id,
        "request_id" => &said.request_id,
        "http_method" => &said.http_method,
        "http_route" => &said.http_route,
        "http_status_code" => return count(said.http_status_code),
        "url_path" => &said.url_path,
        "db_system" => &said.db_system,
        "db_operation" => &said.db_operation,
        "db_namespace" => &said.db_namespace,
        "db_collection" => &said.db_collection,
        "db_query" => &said.db_query,
        "messaging_system" => &said.messaging_system,
        "messaging_destination" => &said.messaging_destination,
        "messaging_operation" => &said.messaging_operation,
        "messaging_message_id" => &said.messaging_message_id,
        "gen_ai_provider" => &said.gen_ai_provider,
        "gen_ai_operation" => &said.gen_ai_operation,
        "gen_ai_request_model" => &said.gen_ai_request_model,
        "gen_ai_response_model" => &said.gen_ai_response_model,
        "gen_ai_input_tokens" => return count(said.gen_ai_input_tokens),
        "gen_ai_output_tokens" => return count(said.gen_ai_output_tokens),
        "gen_ai_finish_reason" => &said.gen_ai_finish_reason,
        "error_type" => &said.error_type,
        "exception_type" => &said.exception_type,
        "exception_message" => &said.exception_message,
        "exception_stacktrace" => &said.exception_stacktrace,
        _ => return None,
    };
    text(found.as_ref())
}
