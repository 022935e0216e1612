//! Which fields of an event are names and which are texts, in one place: what limits and redaction
//! walk over.

use model::event::{Attributes, Event};

/// Where a text stands in an event.
pub(crate) enum Place<'a> {
    /// An id, by which events find each other: refused when too long, redacted only where a rule names it. Two ids
    /// that became one would make two jobs one.
    Id(&'static str, &'a mut String),
    /// A name: refused when too long, redacted.
    Name(&'static str, &'a mut String),
    /// A text that people wrote or a program printed: redacted, and cut when too long.
    Text(&'static str, &'a mut String),
    /// Labels of the series that an event belongs to: redacted as those of the series are.
    Labels(&'a mut Attributes),
}

/// The fields that are ids, in whatever event.
const IDS: &[&str] = &[
    "event_id",
    "job_id",
    "document_id",
    "parent_id",
    "worker_id",
    "trace_id",
    "span_id",
    "parent_span_id",
    "request_id",
    "api_key_id",
    "metric",
];

/// Whether a field is an id. Asked when this is compiled.
const fn is_id(field: &str) -> bool {
    let mut place = 0;
    while place < IDS.len() {
        if is_same(IDS[place].as_bytes(), field.as_bytes()) {
            return true;
        }
        place += 1;
    }
    false
}

const fn is_same(one: &[u8], other: &[u8]) -> bool {
    let mut at = 0;
    while at < one.len() && at < other.len() && one[at] == other[at] {
        at += 1;
    }
    at == one.len() && at == other.len()
}

macro_rules! name {
    ($field:ident, $text:expr) => {
        if const { is_id(stringify!($field)) } {
            Place::Id(stringify!($field), $text)
        } else {
            Place::Name(stringify!($field), $text)
        }
    };
}

macro_rules! visit {
    ($event:ident, $visit:ident, names: [$($name:ident),*], options: [$($option:ident),*], texts: [$($text:ident),*]) => {{
        $($visit(name!($name, &mut $event.$name));)*
        $(if let Some(name) = &mut $event.$option { $visit(name!($option, name)); })*
        $(if let Some(text) = &mut $event.$text { $visit(Place::Text(stringify!($text), text)); })*
    }};
}

/// Calls `visit` with every text of `event` but its attributes.
pub(crate) fn visit(event: &mut Event, mut visit: impl FnMut(Place<'_>)) {
    match event {
        Event::Job(event) => visit!(event, visit,
            names: [event_id, job_id],
            options: [kind, queue, document_id, tenant, parent_id, worker_id, content_type, service, trace_id, request_id, stage, error_type],
            texts: [message, error_message]),
        Event::Stage(event) => visit!(event, visit,
            names: [event_id, job_id, stage],
            options: [component, kind, document_id, worker_id, service, trace_id, error_type],
            texts: [error_message]),
        Event::Component(event) => visit!(event, visit,
            names: [event_id, component],
            options: [job_id, stage, worker_id, service],
            texts: []),
        Event::Worker(event) => visit!(event, visit,
            names: [event_id, worker_id],
            options: [service, host, queues, version, job_id],
            texts: [reason]),
        Event::Request(event) => {
            visit(Place::Text("path", &mut event.path));
            visit!(event, visit,
                names: [event_id, method],
                options: [route, user_id, api_key_id, client_ip, request_id, service, trace_id],
                texts: [error_message]);
        }
        Event::LlmCall(event) => visit!(event, visit,
            names: [event_id, model],
            options: [operation, provider, job_id, stage, document_id, tenant, user_id, worker_id, service, trace_id, finish_reason],
            texts: [backend, error_message]),
        Event::Feedback(event) => visit!(event, visit,
            names: [event_id],
            options: [job_id, document_id, trace_id, user_id],
            texts: [comment]),
        Event::Deploy(event) => visit!(event, visit,
            names: [event_id, service, version],
            options: [environment],
            texts: [description, url]),
        Event::Exit(event) => visit!(event, visit,
            names: [event_id, name],
            options: [host, group, unit, worker_id, signal],
            texts: [command, cgroup, message]),
        Event::Exemplar(event) => {
            visit(Place::Labels(&mut event.series));
            visit!(event, visit,
                names: [event_id, metric],
                options: [trace_id],
                texts: []);
        }
    }
}

/// The event's attributes.
pub(crate) fn attributes(event: &mut Event) -> &mut Attributes {
    match event {
        Event::Job(event) => &mut event.attributes,
        Event::Stage(event) => &mut event.attributes,
        Event::Component(event) => &mut event.attributes,
        Event::Worker(event) => &mut event.attributes,
        Event::Request(event) => &mut event.attributes,
        Event::LlmCall(event) => &mut event.attributes,
        Event::Feedback(event) => &mut event.attributes,
        Event::Deploy(event) => &mut event.attributes,
        Event::Exit(event) => &mut event.attributes,
        Event::Exemplar(event) => &mut event.labels,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_told_from_names() {
        assert!(["event_id", "metric", "span_id"].into_iter().all(is_id));
        assert!(!["user_id", "queue", "event", "event_ids", ""].into_iter().any(is_id));
    }
}
