//! Events: what applications and workers report as it happens, records of their logs and spans of their traces.
//!
//! Each family of events is one row type, and is kept in one table of the same shape. Times are
//! [`Timestamp`]s, durations are seconds in `f64`, sizes are bytes: the seeds' own units are
//! translated at the edge, in `protocol`.
//!
//! Start reading at [`Event`].

pub mod attributes;
mod audit;
pub mod columns;
mod conventions;
mod exemplar;
mod flaws;
mod job;
mod log;
mod names;
mod origin;
mod span;
mod usage;
mod worker;

use std::borrow::Cow;

pub use attributes::Attributes;
pub use audit::{AuditCategory, AuditEvent, AuditOutcome};
pub use conventions::Conventions;
pub use exemplar::ExemplarEvent;
pub use flaws::{Flaw, Flaws};
pub use job::{ComponentAction, ComponentEvent, JobAction, JobEvent, StageAction, StageEvent, StageStatus};
pub use log::{Level, LogEvent};
pub use names::UnknownName;
pub use origin::Origin;
pub use span::{SpanEvent, SpanKind, SpanLink, SpanOccurrence, SpanStatus};
pub use usage::{DeployEvent, FeedbackEvent, LlmCallEvent, RequestEvent};
pub use worker::{Capability, ExitCause, ExitEvent, WorkerAction, WorkerEvent};

use crate::Timestamp;

/// One event.
#[derive(Clone, Debug, PartialEq)]
pub enum Event {
    /// `job.*`
    Job(Box<JobEvent>),
    /// `stage.*`
    Stage(Box<StageEvent>),
    /// `component.*`
    Component(Box<ComponentEvent>),
    /// `worker.*`
    Worker(Box<WorkerEvent>),
    /// `request.finished`
    Request(Box<RequestEvent>),
    /// `llm.call`
    LlmCall(Box<LlmCallEvent>),
    /// `feedback.given`
    Feedback(Box<FeedbackEvent>),
    /// `deploy.finished`
    Deploy(Box<DeployEvent>),
    /// `audit.recorded`
    Audit(Box<AuditEvent>),
    /// `process.exited`
    Exit(Box<ExitEvent>),
    /// An observation behind a sample; comes with samples.
    Exemplar(Box<ExemplarEvent>),
    /// A record of a log.
    Log(Box<LogEvent>),
    /// A span of a trace.
    Span(Box<SpanEvent>),
}

impl Event {
    /// The id by which the sender names this event; unique for a sender, and what makes sending idempotent. Most
    /// records of logs have none.
    pub fn event_id(&self) -> Option<Cow<'_, str>> {
        let id = match self {
            Self::Job(event) => &event.event_id,
            Self::Stage(event) => &event.event_id,
            Self::Component(event) => &event.event_id,
            Self::Worker(event) => &event.event_id,
            Self::Request(event) => &event.event_id,
            Self::LlmCall(event) => &event.event_id,
            Self::Feedback(event) => &event.event_id,
            Self::Deploy(event) => &event.event_id,
            Self::Audit(event) => &event.event_id,
            Self::Exit(event) => &event.event_id,
            Self::Exemplar(event) => &event.event_id,
            Self::Log(event) => return event.event_id.as_deref().map(Cow::Borrowed),
            Self::Span(event) => return Some(Cow::Owned(event.event_id())),
        };
        Some(Cow::Borrowed(id))
    }

    /// When it happened.
    pub fn time(&self) -> Timestamp {
        match self {
            Self::Job(event) => event.time,
            Self::Stage(event) => event.time,
            Self::Component(event) => event.time,
            Self::Worker(event) => event.time,
            Self::Request(event) => event.time,
            Self::LlmCall(event) => event.time,
            Self::Feedback(event) => event.time,
            Self::Deploy(event) => event.time,
            Self::Audit(event) => event.time,
            Self::Exit(event) => event.time,
            Self::Exemplar(event) => event.time,
            Self::Log(event) => event.time,
            Self::Span(event) => event.time,
        }
    }

    /// What is not right about it. Only records of logs and spans are kept all the same.
    pub fn flaws(&self) -> Flaws {
        match self {
            Self::Log(event) => event.flaws,
            Self::Span(event) => event.flaws,
            Self::Job(_)
            | Self::Stage(_)
            | Self::Component(_)
            | Self::Worker(_)
            | Self::Request(_)
            | Self::LlmCall(_)
            | Self::Feedback(_)
            | Self::Deploy(_)
            | Self::Audit(_)
            | Self::Exit(_)
            | Self::Exemplar(_) => Flaws::NONE,
        }
    }
}
