//! Spans as instrumentations write them, and what follows from them.

mod calls;
mod jobs;

use model::event::{Conventions, LlmCallEvent, Origin, RequestEvent, SpanOccurrence, SpanStatus};

use super::*;

const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";

/// Seconds since some beginning, as a time.
fn at(seconds: f64) -> Timestamp {
    Timestamp::from_millis(1_700_000_000_000 + (seconds * 1e3) as i64)
}

fn derivation() -> Derivation {
    with(DeriveSettings::default())
}

fn with(settings: DeriveSettings) -> Derivation {
    Derivation::new(settings, 512)
}

/// A process of a service.
fn process(service: &str, instance: &str) -> Arc<Origin> {
    Arc::new(Origin {
        service: Some(service.to_owned()),
        service_instance_id: Some(instance.to_owned()),
        ..Origin::default()
    })
}

/// A span of `id` within `parent`, from second to second.
fn span(kind: SpanKind, (id, parent): (&str, &str), name: &str, (from, to): (f64, f64)) -> SpanEvent {
    let mut span = SpanEvent::new(at(from), TRACE.to_owned(), id.to_owned(), process("worker", "w1"));
    span.parent_span_id = (!parent.is_empty()).then(|| parent.to_owned());
    span.kind = kind;
    span.name = name.to_owned();
    span.duration_ns = at(to).since(at(from)).as_nanos() as u64;
    span
}

fn saying<const N: usize>(mut span: SpanEvent, attributes: [(&str, &str); N]) -> SpanEvent {
    for (name, value) in attributes {
        span.attributes.insert(name.to_owned(), value.to_owned());
    }
    span
}

/// As an exception leaves a span.
fn failed(mut span: SpanEvent, kind: &str, message: &str) -> SpanEvent {
    span.status = SpanStatus::Error;
    span.status_message = Some(message.to_owned());
    span.conventions.exception_type = Some(kind.to_owned());
    span.conventions.exception_message = Some(message.to_owned());
    let attributes = [("exception.type", kind), ("exception.message", message)];
    span.events.push(SpanOccurrence {
        time: None,
        name: "exception".to_owned(),
        attributes: attributes.map(|(name, value)| (name.to_owned(), value.to_owned())).into(),
        dropped_attributes: None,
    });
    span
}

/// As `opentelemetry-instrumentation-celery` writes the sending of a task.
fn apply_async(task: &str, (id, parent): (&str, &str), seconds: f64) -> SpanEvent {
    let name = format!("apply_async/{task}");
    let mut span = span(SpanKind::Producer, (id, parent), &name, (seconds, seconds + 0.01));
    span.origin = process("gateway", "g1");
    span.conventions.messaging_message_id = Some("task-1".to_owned());
    span.conventions.messaging_destination = Some("documents".to_owned());
    let attributes = [
        ("celery.action", "apply_async"),
        ("celery.task_name", task),
        ("messaging.destination_kind", "queue"),
    ];
    saying(span, attributes)
}

/// As it writes that a worker ran one.
fn run(task: &str, (id, parent): (&str, &str), times: (f64, f64), state: &str) -> SpanEvent {
    let mut span = span(SpanKind::Consumer, (id, parent), &format!("run/{task}"), times);
    span.conventions.messaging_message_id = Some("task-1".to_owned());
    span.conventions.messaging_destination = Some("documents".to_owned());
    let attributes = [
        ("celery.action", "run"),
        ("celery.task_name", task),
        ("celery.state", state),
        ("celery.hostname", "gen4711@gateway-host"),
        ("celery.delivery_info", "{'exchange': '', 'routing_key': 'documents'}"),
    ];
    saying(span, attributes)
}

fn derive(derivation: &Derivation, spans: &[SpanEvent]) -> Vec<Event> {
    derivation.derive(&spans.iter().collect::<Vec<_>>()).events
}

fn jobs(events: &[Event]) -> Vec<&JobEvent> {
    events.iter().filter_map(|event| if let Event::Job(job) = event { Some(&**job) } else { None }).collect()
}

fn stages(events: &[Event]) -> Vec<&StageEvent> {
    events
        .iter()
        .filter_map(|event| if let Event::Stage(one) = event { Some(&**one) } else { None })
        .collect()
}

fn calls(events: &[Event]) -> Vec<&LlmCallEvent> {
    events
        .iter()
        .filter_map(|event| if let Event::LlmCall(one) = event { Some(&**one) } else { None })
        .collect()
}

fn requests(events: &[Event]) -> Vec<&RequestEvent> {
    events
        .iter()
        .filter_map(|event| if let Event::Request(one) = event { Some(&**one) } else { None })
        .collect()
}
