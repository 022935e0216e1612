//! Which fields of a pipeline event are names and which are texts, in one place: what limits and redaction
//! walk over. Records of OpenTelemetry, which are cut and not refused, have `records` for that.

use model::event::{Attributes, Event};

/// Where a text stands in an event.
pub(crate) enum Place<'a> {
    /// An id or name: refused when too long, never rewritten.
    Name(&'static str, &'a str),
    /// A text that people wrote or a program printed: redacted, and cut when too long.
    Text(&'a mut String),
}

macro_rules! visit {
    ($event:ident, $visit:ident, names: [$($name:ident),*], options: [$($option:ident),*], texts: [$($text:ident),*]) => {{
        $($visit(Place::Name(stringify!($name), &$event.$name));)*
        $(if let Some(name) = &$event.$option { $visit(Place::Name(stringify!($option), name)); })*
        $(if let Some(text) = &mut $event.$text { $visit(Place::Text(text)); })*
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
            visit(Place::Text(&mut event.path));
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
        Event::Exemplar(event) => visit!(event, visit,
            names: [event_id, metric],
            options: [trace_id],
            texts: []),
        Event::Log(_) | Event::Span(_) => {}
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
        // Labels of series are not rewritten: they say which series it is.
        Event::Exemplar(event) => &mut event.labels,
        Event::Log(event) => &mut event.attributes,
        Event::Span(event) => &mut event.attributes,
    }
}
