//! Which fields of an event are ids, names and texts, in one place: what limits and redaction walk over.

use model::event::{Attributes, Conventions, Event, LogEvent, Origin, SpanEvent, SpanLink};

/// Where a text stands in an event.
pub(crate) enum Place<'a> {
    /// An id, by which events find each other: redacted only where a rule names it or it stands for somebody, and never
    /// cut. Two ids that became one would make two jobs one.
    Id(&'static str, &'a mut String),
    /// The same of one that an event can be without. It is there.
    OptionalId(&'static str, &'a mut Option<String>),
    /// A name: redacted.
    Name(&'static str, &'a mut String),
    /// A text that people wrote or a program printed: redacted, and cut when too long.
    Text(&'static str, &'a mut String),
    /// Labels of the series that an event belongs to, or attributes of a part of it: redacted by their names.
    Labels(&'a mut Attributes),
    /// The event's own attributes: the same.
    Attributes(&'a mut Attributes),
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
    "user_id",
    "api_key_id",
    "service_instance_id",
    "messaging_message_id",
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
    ($visit:ident, $field:ident, $text:expr) => {
        $visit(if const { is_id(stringify!($field)) } {
            Place::Id(stringify!($field), $text)
        } else {
            Place::Name(stringify!($field), $text)
        })
    };
}

macro_rules! option {
    ($visit:ident, $field:ident, $option:expr) => {{
        let option: &mut Option<String> = $option;
        if option.is_some() && const { is_id(stringify!($field)) } {
            $visit(Place::OptionalId(stringify!($field), option));
        } else if let Some(name) = option {
            $visit(Place::Name(stringify!($field), name));
        }
    }};
}

macro_rules! visit {
    (
        $event:ident, $visit:ident,
        names: [$($name:ident),*], options: [$($option:ident),*], texts: [$($text:ident),*]
        $(, attributes: $attributes:ident)?
    ) => {{
        $(name!($visit, $name, &mut $event.$name);)*
        $(option!($visit, $option, &mut $event.$option);)*
        $(if let Some(text) = &mut $event.$text { $visit(Place::Text(stringify!($text), text)); })*
        $($visit(Place::Attributes(&mut $event.$attributes));)?
    }};
}

/// The same of fields that lie apart.
macro_rules! visit_apart {
    ($visit:ident, options: [$($option:ident),*], texts: [$($text:ident),*]) => {{
        $(option!($visit, $option, $option);)*
        $(if let Some(text) = $text { $visit(Place::Text(stringify!($text), text)); })*
    }};
}

/// Calls `visit` with every text of `event` but its origin, which it may share with others: that is for
/// [`visit_origin`].
pub(crate) fn visit(event: &mut Event, mut visit: impl FnMut(Place<'_>)) {
    match event {
        Event::Job(event) => visit!(event, visit,
            names: [event_id, job_id],
            options: [kind, queue, document_id, tenant, parent_id, worker_id, content_type, service, trace_id, request_id, stage, error_type],
            texts: [message, error_message],
            attributes: attributes),
        Event::Stage(event) => visit!(event, visit,
            names: [event_id, job_id, stage],
            options: [component, kind, document_id, worker_id, service, trace_id, error_type],
            texts: [error_message],
            attributes: attributes),
        Event::Component(event) => visit!(event, visit,
            names: [event_id, component],
            options: [job_id, stage, worker_id, service],
            texts: [],
            attributes: attributes),
        Event::Worker(event) => visit!(event, visit,
            names: [event_id, worker_id],
            options: [service, host, queues, version, job_id],
            texts: [reason],
            attributes: attributes),
        Event::Request(event) => {
            visit(Place::Text("path", &mut event.path));
            visit!(event, visit,
                names: [event_id, method],
                options: [route, user_id, api_key_id, client_ip, request_id, service, trace_id],
                texts: [error_message],
                attributes: attributes);
        }
        Event::LlmCall(event) => visit!(event, visit,
            names: [event_id, model],
            options: [operation, provider, job_id, stage, document_id, tenant, user_id, worker_id, service, trace_id, finish_reason],
            texts: [backend, error_message],
            attributes: attributes),
        Event::Feedback(event) => visit!(event, visit,
            names: [event_id],
            options: [job_id, document_id, trace_id, user_id],
            texts: [comment],
            attributes: attributes),
        Event::Deploy(event) => visit!(event, visit,
            names: [event_id, service, version],
            options: [environment],
            texts: [description, url],
            attributes: attributes),
        Event::Audit(event) => visit!(event, visit,
            names: [event_id, action],
            options: [user_id, target, client_ip, tenant, service, host, job_id, document_id, request_id, trace_id],
            texts: [message],
            attributes: attributes),
        Event::Exit(event) => visit!(event, visit,
            names: [event_id, name],
            options: [host, group, unit, worker_id, signal],
            texts: [command, cgroup, message],
            attributes: attributes),
        Event::Exemplar(event) => {
            visit(Place::Labels(&mut event.series));
            visit!(event, visit,
                names: [event_id, metric],
                options: [trace_id],
                texts: [],
                attributes: labels);
        }
        Event::Log(log) => visit_log(log, visit),
        Event::Span(span) => visit_span(span, visit),
    }
}

fn visit_log(log: &mut LogEvent, mut visit: impl FnMut(Place<'_>)) {
    visit!(log, visit,
        names: [],
        options: [event_id, trace_id, span_id, severity_text, event_name],
        texts: [message],
        attributes: attributes);
    visit_conventions(&mut log.conventions, visit);
}

fn visit_span(span: &mut SpanEvent, mut visit: impl FnMut(Place<'_>)) {
    visit(Place::Text("name", &mut span.name));
    visit!(span, visit,
        names: [trace_id, span_id],
        options: [parent_span_id],
        texts: [status_message, trace_state],
        attributes: attributes);
    for event in &mut span.events {
        visit(Place::Text("name", &mut event.name));
        visit(Place::Labels(&mut event.attributes));
    }
    for link in &mut span.links {
        visit_link(link, &mut visit);
    }
    visit_conventions(&mut span.conventions, visit);
}

fn visit_link(link: &mut SpanLink, mut visit: impl FnMut(Place<'_>)) {
    visit!(link, visit,
        names: [],
        options: [trace_id, span_id],
        texts: [trace_state]);
    visit(Place::Labels(&mut link.attributes));
}

/// Calls `visit` with every text of what records come from.
pub(crate) fn visit_origin(origin: &mut Origin, mut visit: impl FnMut(Place<'_>)) {
    // Taken apart, so that a field that is new has to be thought of here.
    let Origin {
        service,
        service_namespace,
        service_version,
        service_instance_id,
        environment,
        host,
        pid: _,
        scope_name,
        scope_version,
        resource_attributes,
        scope_attributes,
        dropped_resource_attributes: _,
    } = origin;
    visit_apart!(visit,
        options: [service, service_namespace, service_version, service_instance_id, environment, host, scope_name, scope_version],
        texts: []);
    visit(Place::Labels(resource_attributes));
    visit(Place::Labels(scope_attributes));
}

fn visit_conventions(conventions: &mut Conventions, mut visit: impl FnMut(Place<'_>)) {
    // Taken apart, as an origin is.
    let Conventions {
        job_id,
        stage,
        document_id,
        tenant,
        worker_id,
        user_id,
        request_id,
        http_method,
        http_route,
        http_status_code: _,
        url_path,
        db_system,
        db_operation,
        db_namespace,
        db_collection,
        db_query,
        messaging_system,
        messaging_destination,
        messaging_operation,
        messaging_message_id,
        gen_ai_provider,
        gen_ai_operation,
        gen_ai_request_model,
        gen_ai_response_model,
        gen_ai_input_tokens: _,
        gen_ai_output_tokens: _,
        gen_ai_finish_reason,
        error_type,
        exception_type,
        exception_message,
        exception_stacktrace,
    } = conventions;
    visit_apart!(visit,
        options: [job_id, stage, document_id, tenant, worker_id, user_id, request_id, http_method, http_route],
        texts: [url_path]);
    visit_apart!(visit,
        options: [db_system, db_operation, db_namespace, db_collection],
        texts: [db_query]);
    visit_apart!(visit,
        options: [messaging_system, messaging_destination, messaging_operation, messaging_message_id],
        texts: []);
    visit_apart!(visit,
        options: [gen_ai_provider, gen_ai_operation, gen_ai_request_model, gen_ai_response_model, gen_ai_finish_reason],
        texts: []);
    visit_apart!(visit,
        options: [error_type, exception_type],
        texts: [exception_message, exception_stacktrace]);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_told_from_names() {
        assert!(["event_id", "metric", "span_id"].into_iter().all(is_id));
        assert!(!["user", "queue", "event", "event_ids", ""].into_iter().any(is_id));
    }
}
