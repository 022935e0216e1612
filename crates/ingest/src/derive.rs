//! Events of jobs, stages, requests and calls of models, derived from the spans of an application that knows nothing of
//! Watchkeeper (ADR 33).
//!
//! Their ids follow from those of the spans, so that they are stored once as the spans are, and they go to the disk with
//! the spans in one append: what reads jobs, requests and calls needs to know nothing of traces. Spans come in any order
//! and a job's own comes last, so some things are remembered from request to request ([`memory`]). Start reading at
//! [`Derivation::derive`].

mod family;
mod http;
mod llm;
mod memory;
mod settings;
mod task;

#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::sync::Arc;

use model::Timestamp;
use model::event::{Event, JobAction, JobEvent, SpanEvent, SpanKind, StageAction, StageEvent, StageStatus};
use parking_lot::Mutex;

use family::{Family, key_of, parent_key_of, process_of, trace_key_of};
use llm::Call;
use memory::{Memory, Part, Run, ToldOf, TraceJobs};
pub use settings::{DeriveService, DeriveSettings};
use task::{Side, Task};

/// The attribute of a derived event that names its span.
const SPAN_ID: &str = "span_id";
/// The most spans that lie in each other between a call and its job.
const MAX_DEPTH: usize = 64;
/// The longest text of an error that is kept with a step until its job comes, in bytes.
const MAX_HELD_ERROR: usize = 1 << 10;

/// Derives events from spans.
#[derive(Debug)]
pub(crate) struct Derivation {
    settings: DeriveSettings,
    /// The longest name that an event may have, in bytes.
    max_name_bytes: usize,
    memory: Mutex<Memory>,
}

/// What spans have become.
#[derive(Debug, Default)]
pub(crate) struct Derived {
    /// The events, those of jobs first.
    pub(crate) events: Vec<Event>,
    /// Steps that were forgotten before their job came.
    pub(crate) forgotten: u64,
}

impl Derivation {
    pub(crate) fn new(settings: DeriveSettings, max_name_bytes: usize) -> Self {
        Self { settings, max_name_bytes, memory: Mutex::default() }
    }

    /// Takes note of events that are stored or are to be stored: of a job of which others tell nothing is derived.
    pub(crate) fn hear(&self, events: &[Event]) {
        let told = events.iter().filter_map(|event| match event {
            Event::Job(job) => Some(&job.job_id),
            Event::Stage(stage) => Some(&stage.job_id),
            _ => None,
        });
        let mut memory = None;
        for job_id in told {
            memory.get_or_insert_with(|| self.memory.lock()).tell(job_key(job_id));
        }
    }

    /// Takes note of events that were stored before a restart.
    pub(crate) fn recall(&self, events: Vec<Event>) {
        let (spans, others): (Vec<Event>, Vec<Event>) =
            events.into_iter().partition(|event| matches!(event, Event::Span(_)));
        let others: Vec<Event> = others.into_iter().filter(|event| !is_derived(event)).collect();
        self.hear(&others);
        let spans: Vec<&SpanEvent> = spans_of(&spans).collect();
        self.derive(&spans);
    }

    /// What follows from spans that came together. Asked again with the same spans, it says the same.
    pub(crate) fn derive(&self, spans: &[&SpanEvent]) -> Derived {
        if spans.is_empty() {
            return Derived::default();
        }
        let mut memory = self.memory.lock();
        let family = Family::new(spans);
        let mut deriving =
            Deriving { derivation: self, family: &family, memory: &mut memory, derived: Derived::default() };
        // Jobs first, so that it makes no difference in which order spans stand in a request.
        for span in spans {
            deriving.job(span);
        }
        for span in spans {
            deriving.step(span);
        }
        deriving.signs_of_work();
        for span in spans {
            deriving.call(span);
            deriving.request(span);
        }
        deriving.derived
    }

    /// A name, within its limit.
    fn name(&self, name: &str) -> String {
        name[..name.floor_char_boundary(self.max_name_bytes)].to_owned()
    }

    fn name_of(&self, name: Option<&str>) -> Option<String> {
        name.filter(|name| !name.is_empty()).map(|name| self.name(name))
    }
}

/// The spans among events.
pub(crate) fn spans_of(events: &[Event]) -> impl Iterator<Item = &SpanEvent> {
    events.iter().filter_map(|event| match event {
        Event::Span(span) => Some(&**span),
        _ => None,
    })
}

/// Whether an event of a job was derived from a span.
fn is_derived(event: &Event) -> bool {
    let (id, trace, attributes) = match event {
        Event::Job(job) => (&job.event_id, &job.trace_id, &job.attributes),
        Event::Stage(stage) => (&stage.event_id, &stage.trace_id, &stage.attributes),
        _ => return false,
    };
    let (Some(trace), Some(span)) = (trace, attributes.get(SPAN_ID)) else { return false };
    id.strip_prefix(trace.as_str()).is_some_and(|rest| rest.starts_with(span.as_str()))
}

fn job_key(job_id: &str) -> u128 {
    xxhash_rust::xxh3::xxh3_128(job_id.as_bytes())
}

/// The spans of one request while events are derived from them.
struct Deriving<'d, 's> {
    derivation: &'d Derivation,
    family: &'d Family<'s>,
    memory: &'d mut Memory,
    derived: Derived,
}

impl Deriving<'_, '_> {
    fn push(&mut self, event: Event) {
        self.derived.events.push(event);
    }

    fn wants_jobs(&self, span: &SpanEvent) -> bool {
        self.derivation.settings.of(span.origin.service.as_deref()).jobs
    }

    /// The span of a job, or of a message that became one.
    fn job(&mut self, span: &SpanEvent) {
        let Some(task) = Task::of(span) else { return };
        if !self.wants_jobs(span) || task.job_id.len() > self.derivation.max_name_bytes {
            return;
        }
        let parent = self.family.parent(span).and_then(Task::of).filter(|parent| parent.side == Side::Run);
        // A task that asks to be tried again submits itself, which is part of the attempt that ends.
        if task.side == Side::Sent && parent.as_ref().is_some_and(|parent| parent.job_id == task.job_id) {
            return;
        }
        let sender = (task.side == Side::Sent).then(|| process_of(span));
        let told = ToldOf { job_id: task.job_id, sender, since: span.time, is_over: task.is_over() };
        self.memory.note_job(trace_key_of(span), told);
        let parent_id = parent.map(|parent| parent.job_id.to_owned()).filter(|id| id != task.job_id);
        let is_told = self.memory.is_told(job_key(task.job_id));
        match task.side {
            Side::Sent if is_told => {}
            Side::Sent => {
                let event = task.submitted(self.derivation, parent_id);
                self.push(Event::Job(Box::new(event)));
            }
            Side::Run => {
                let run = Arc::new(task.run(self.derivation));
                self.memory.note_run(key_of(span), &run);
                if !is_told {
                    for event in task.ran(self.derivation, &run) {
                        self.push(Event::Job(Box::new(event)));
                    }
                    let parts = self.memory.parts(key_of(span)).to_vec();
                    for part in parts {
                        self.push(Event::Stage(Box::new(stage(&run, part))));
                    }
                }
            }
        }
    }

    /// A step directly below a job, or one whose parent is still to come.
    fn step(&mut self, span: &SpanEvent) {
        if !task::is_step(span) || !self.wants_jobs(span) || Task::of(span).is_some() {
            return;
        }
        let Some(parent) = parent_key_of(span) else { return };
        if let Some(run) = self.memory.run(parent).cloned() {
            if !self.memory.is_told(job_key(&run.job_id)) {
                let part = self.part(span);
                self.push(Event::Stage(Box::new(stage(&run, part))));
            }
        } else if self.family.parent(span).is_none() {
            let part = self.part(span);
            self.derived.forgotten += self.memory.keep(parent, part);
        }
    }

    fn part(&self, span: &SpanEvent) -> Part {
        let derivation = self.derivation;
        let error = task::error_of(span).map(|(kind, message)| {
            let short = |text: &str| text[..text.floor_char_boundary(MAX_HELD_ERROR)].to_owned();
            (derivation.name_of(kind), message.map(short))
        });
        Part {
            event_id: span.derived_id("stage"),
            span_id: span.span_id.clone(),
            trace_id: span.trace_id.clone(),
            stage: self.stage_of(span),
            service: span.origin.service.clone(),
            end: end_of(span),
            duration_ns: span.duration_ns,
            error,
        }
    }

    fn stage_of(&self, span: &SpanEvent) -> String {
        let named = span.conventions.stage.as_deref().unwrap_or_else(|| task::name_of_step(span));
        self.derivation.name(if named.is_empty() { "unnamed" } else { named })
    }

    /// The span of a job comes when it ends. That a trace has one job, and that a process other than the one that
    /// submitted it works in that trace, says before that it runs.
    fn signs_of_work(&mut self) {
        let mut newest: HashMap<Arc<str>, &SpanEvent> = HashMap::new();
        for span in self.family.spans() {
            let is_orphan = parent_key_of(span)
                .is_some_and(|parent| self.family.get(parent).is_none() && self.memory.run(parent).is_none());
            let works =
                is_orphan && (task::is_step(span) || span.kind == SpanKind::Client) && self.wants_jobs(span);
            if let Some((job, false)) = works.then(|| self.job_worked_on(span)).flatten() {
                let held = newest.entry(job).or_insert(span);
                if end_of(span) > end_of(held) {
                    *held = span;
                }
            }
        }
        for (job_id, span) in newest {
            if self.memory.is_told(job_key(&job_id)) {
                continue;
            }
            let id = span.derived_id("progress");
            let mut event = JobEvent::new(end_of(span), id, JobAction::Progress, job_id.as_ref().to_owned());
            event.service.clone_from(&span.origin.service);
            event.trace_id = Some(span.trace_id.clone());
            event.message = Some(span.name.clone()).filter(|name| !name.is_empty());
            event.attributes.insert(SPAN_ID.to_owned(), span.span_id.clone());
            self.push(Event::Job(Box::new(event)));
        }
    }

    /// The job of a trace that has one, for a span of a process that did not submit it, and whether it is over.
    fn job_worked_on(&self, span: &SpanEvent) -> Option<(Arc<str>, bool)> {
        match self.memory.jobs_of(trace_key_of(span)) {
            TraceJobs::One { job_id, sender, since, is_over } => {
                let is_sender = *sender == Some(process_of(span));
                (!is_sender && span.time >= *since).then(|| (Arc::clone(job_id), *is_over))
            }
            TraceJobs::None | TraceJobs::Several => None,
        }
    }

    /// The job, and the stage of it, that a span lies in.
    fn place_of(&self, span: &SpanEvent) -> (Option<String>, Option<String>) {
        let mut at = span;
        for _ in 0..MAX_DEPTH {
            let Some(parent) = parent_key_of(at) else { break };
            if let Some(run) = self.memory.run(parent) {
                let is_stage = task::is_step(at) && at.span_id != span.span_id;
                return (Some(run.job_id.clone()), is_stage.then(|| self.stage_of(at)));
            }
            let Some(above) = self.family.get(parent) else { break };
            at = above;
        }
        (self.job_worked_on(span).map(|(job, _)| job.as_ref().to_owned()), None)
    }

    fn call(&mut self, span: &SpanEvent) {
        let Some(call) = Call::of(span) else { return };
        if !self.derivation.settings.of(span.origin.service.as_deref()).llm_calls {
            return;
        }
        // Frameworks tell of a call, and the library below them tells of the same once more.
        if self.family.parent(span).and_then(Call::of).is_some() {
            return;
        }
        let place = self.place_of(span);
        let event = call.event(self.derivation, place);
        self.push(Event::LlmCall(Box::new(event)));
    }

    fn request(&mut self, span: &SpanEvent) {
        let settings = &self.derivation.settings;
        if settings.of(span.origin.service.as_deref()).requests
            && let Some(event) = http::request(span, self.derivation)
        {
            self.push(Event::Request(Box::new(event)));
        }
    }
}

/// A step that is known to be a job's.
fn stage(run: &Run, part: Part) -> StageEvent {
    let is_failed = part.error.is_some();
    let mut event =
        StageEvent::new(part.end, part.event_id, StageAction::Finished, run.job_id.clone(), part.stage);
    event.kind.clone_from(&run.kind);
    event.worker_id.clone_from(&run.worker_id);
    event.document_id.clone_from(&run.document_id);
    event.service = part.service;
    event.trace_id = Some(part.trace_id);
    event.retry_count = Some(run.retry_count);
    event.status = Some(if is_failed { StageStatus::Failed } else { StageStatus::Completed });
    event.duration_seconds = Some(seconds(part.duration_ns));
    (event.error_type, event.error_message) = part.error.unwrap_or_default();
    event.attributes.insert(SPAN_ID.to_owned(), part.span_id);
    event
}

/// When a span ended.
fn end_of(span: &SpanEvent) -> Timestamp {
    span.time.after(std::time::Duration::from_nanos(span.duration_ns))
}

fn seconds(duration_ns: u64) -> f64 {
    std::time::Duration::from_nanos(duration_ns).as_secs_f64()
}
