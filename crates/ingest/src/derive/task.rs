//! Spans of messages, and of Celery's tasks, as events of jobs.
//!
//! A message that is sent is a job that was submitted, one that is processed is a job that ran, and its id is the job's:
//! that is what both sides know. A message without an id is no job. After the conventions for messaging
//! (<https://opentelemetry.io/docs/specs/semconv/messaging/messaging-spans/>) and what
//! `opentelemetry-instrumentation-celery` writes, which names no messaging system.
//!
//! A task of Celery that another runs in place (`apply`, alone or as a chain) came by no message: it is a step.

use model::event::{JobAction, JobEvent, SpanEvent, SpanKind, SpanStatus};

use super::memory::Run;
use super::{Derivation, SPAN_ID, end_of};

/// The side of a job that a span shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Side {
    /// It was submitted.
    Sent,
    /// It ran.
    Run,
}

/// A span that tells of a job.
#[derive(Clone, Copy, Debug)]
pub(super) struct Task<'s> {
    pub(super) side: Side,
    pub(super) job_id: &'s str,
    span: &'s SpanEvent,
}

impl<'s> Task<'s> {
    pub(super) fn of(span: &'s SpanEvent) -> Option<Self> {
        let side = side_of(span).filter(|_| !is_in_place(span))?;
        let conventions = &span.conventions;
        let job_id = conventions.messaging_message_id.as_deref().or(conventions.job_id.as_deref())?;
        (!job_id.is_empty()).then_some(Self { side, job_id, span })
    }

    /// Whether nothing more is to come of the job.
    pub(super) fn is_over(&self) -> bool {
        self.side == Side::Run && end_action(self.span) != JobAction::Retried
    }

    /// What is known of the job that others ask for.
    pub(super) fn run(&self, derivation: &Derivation) -> Run {
        Run {
            job_id: self.job_id.to_owned(),
            kind: derivation.name_of(kind_of(self.span)),
            worker_id: self.worker(derivation),
            document_id: self.span.conventions.document_id.clone(),
            retry_count: retries_of(self.span),
        }
    }

    /// The job came into its queue.
    pub(super) fn submitted(&self, derivation: &Derivation, parent_id: Option<String>) -> JobEvent {
        let mut event = self.event(derivation, JobAction::Submitted);
        event.time = self.span.time;
        event.submitted_at = Some(self.span.time);
        event.parent_id = parent_id;
        event
    }

    /// It began, and it ended.
    pub(super) fn ran(&self, derivation: &Derivation, run: &Run) -> [JobEvent; 2] {
        let span = self.span;
        let mut started = self.event(derivation, JobAction::Started);
        started.time = span.time;
        let mut ended = self.event(derivation, end_action(span));
        ended.time = end_of(span);
        if ended.action != JobAction::Completed {
            let (kind, message) = error_of(span).unwrap_or_default();
            ended.timed_out = kind.is_some_and(is_timeout).then_some(true);
            ended.error_type = derivation.name_of(kind);
            ended.error_message = message.or(retry_reason(span)).map(str::to_owned);
        }
        for event in [&mut started, &mut ended] {
            event.started_at = Some(span.time);
            event.retry_count = Some(run.retry_count);
            event.worker_id.clone_from(&run.worker_id);
        }
        [started, ended]
    }

    fn event(&self, derivation: &Derivation, action: JobAction) -> JobEvent {
        let (span, conventions) = (self.span, &self.span.conventions);
        let what = action.as_str().trim_start_matches("job.");
        let mut event = JobEvent::new(span.time, span.derived_id(what), action, self.job_id.to_owned());
        event.kind = derivation.name_of(kind_of(span));
        let queue = conventions.messaging_destination.as_deref();
        event.queue = derivation.name_of(queue.or_else(|| attribute(span, "celery.queue")));
        event.document_id.clone_from(&conventions.document_id);
        event.tenant.clone_from(&conventions.tenant);
        event.request_id.clone_from(&conventions.request_id);
        event.service.clone_from(&span.origin.service);
        event.trace_id = Some(span.trace_id.clone());
        event.input_bytes = attribute(span, "messaging.message.body.size")
            .or_else(|| attribute(span, "messaging.message_payload_size_bytes"))
            .and_then(|bytes| bytes.parse().ok());
        event.attributes.insert(SPAN_ID.to_owned(), span.span_id.clone());
        if let Some(system) = &conventions.messaging_system {
            event.attributes.insert("messaging.system".to_owned(), system.clone());
        }
        event
    }

    /// Who works on it: as it says itself, or else the process that reports.
    fn worker(&self, derivation: &Derivation) -> Option<String> {
        let origin = &self.span.origin;
        let conventions = self.span.conventions.worker_id.as_deref();
        // Celery's instrumentation writes who sent the task over who runs it.
        let node = attribute(self.span, "celery.hostname").filter(|name| !is_sender(name));
        let named = conventions.or(node).or(origin.service_instance_id.as_deref());
        derivation.name_of(named).or_else(|| {
            let (host, pid) = (origin.host.as_deref()?, origin.pid?);
            Some(derivation.name(&format!("{host}:{pid}")))
        })
    }
}

fn attribute<'s>(span: &'s SpanEvent, name: &str) -> Option<&'s str> {
    span.attributes.get(name).map(String::as_str).filter(|value| !value.is_empty())
}

fn side_of(span: &SpanEvent) -> Option<Side> {
    match attribute(span, "celery.action") {
        Some("apply_async") => return Some(Side::Sent),
        Some("run") => return Some(Side::Run),
        _ => {}
    }
    span.conventions.messaging_system.as_ref()?;
    // The type of the operation comes under its own name beside that of a client's method.
    let named = span.conventions.messaging_operation.as_deref();
    match attribute(span, "messaging.operation.type").or(named) {
        Some("publish" | "send" | "create" | "enqueue") => {
            matches!(span.kind, SpanKind::Producer | SpanKind::Client).then_some(Side::Sent)
        }
        Some("process" | "deliver") => (span.kind == SpanKind::Consumer).then_some(Side::Run),
        Some("receive" | "poll" | "settle" | "ack" | "nack" | "commit") => None,
        _ => match span.kind {
            SpanKind::Producer => Some(Side::Sent),
            SpanKind::Consumer => Some(Side::Run),
            SpanKind::Unspecified | SpanKind::Internal | SpanKind::Server | SpanKind::Client => None,
        },
    }
}

/// Whether a span may be a step of what it lies in.
pub(super) fn is_step(span: &SpanEvent) -> bool {
    span.kind == SpanKind::Internal || is_in_place(span)
}

/// What a step is called: a task that runs in place as its function, without the module.
pub(super) fn name_of_step(span: &SpanEvent) -> &str {
    match attribute(span, "celery.task_name") {
        Some(task) if is_in_place(span) => task.rsplit('.').next().unwrap_or(task),
        _ => &span.name,
    }
}

/// Whether a task of Celery ran within another span, and came by no message. Its instrumentation writes the delivery
/// as Python prints a dictionary.
fn is_in_place(span: &SpanEvent) -> bool {
    span.parent_span_id.is_some()
        && attribute(span, "celery.action") == Some("run")
        && attribute(span, "celery.delivery_info").is_some_and(|told| told.contains("'is_eager': True"))
}

fn kind_of(span: &SpanEvent) -> Option<&str> {
    ["celery.task_name", "messaging.sidekiq.job_class", "messaging.message.type"]
        .into_iter()
        .find_map(|name| attribute(span, name))
}

fn retries_of(span: &SpanEvent) -> u64 {
    ["celery.retries", "messaging.message.retry.count"]
        .into_iter()
        .find_map(|name| attribute(span, name))
        .and_then(|retries| retries.parse().ok())
        .unwrap_or(0)
}

fn retry_reason(span: &SpanEvent) -> Option<&str> {
    attribute(span, "celery.retry.reason")
}

fn end_action(span: &SpanEvent) -> JobAction {
    match attribute(span, "celery.state") {
        Some("RETRY") => JobAction::Retried,
        Some("FAILURE" | "REVOKED" | "REJECTED") => JobAction::Failed,
        _ if retry_reason(span).is_some() => JobAction::Retried,
        _ if span.status == SpanStatus::Error => JobAction::Failed,
        _ => JobAction::Completed,
    }
}

/// The type of the error that ended a span, and what it says; none when it did not fail.
pub(super) fn error_of(span: &SpanEvent) -> Option<(Option<&str>, Option<&str>)> {
    let conventions = &span.conventions;
    let kind = conventions.exception_type.as_deref().or(conventions.error_type.as_deref());
    let message = span.status_message.as_deref().or(conventions.exception_message.as_deref());
    (span.status == SpanStatus::Error).then_some((kind, message))
}

fn is_timeout(kind: &str) -> bool {
    kind.contains("TimeLimitExceeded")
        || kind.ends_with("Timeout")
        || kind.ends_with("TimeoutError")
        || kind == "timeout"
}

/// Whether a name of Celery is that of a process that sends: `gen4711@host`.
fn is_sender(name: &str) -> bool {
    name.strip_prefix("gen").is_some_and(|rest| rest.starts_with(|first: char| first.is_ascii_digit()))
}
