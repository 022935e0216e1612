//! What every event has: its type, its id and its time.

use std::str::FromStr;

use model::Timestamp;
use model::event::{ComponentAction, JobAction, StageAction, WorkerAction};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value};
use xxhash_rust::xxh3::Xxh3;

use super::fields::{Text, When, text, when};

/// The type of an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EventType {
    /// `job.*`
    Job(JobAction),
    /// `stage.*`
    Stage(StageAction),
    /// `component.*`
    Component(ComponentAction),
    /// `worker.*`
    Worker(WorkerAction),
    /// `request.finished`
    Request,
    /// `llm.call`
    LlmCall,
    /// `feedback.given`
    Feedback,
    /// `deploy.finished`
    Deploy,
    /// `audit.recorded`
    Audit,
    /// `process.exited`
    Exit,
}

impl EventType {
    /// Every type, in the order of the documentation.
    pub fn all() -> Vec<Self> {
        let mut all: Vec<Self> = JobAction::ALL.iter().copied().map(Self::Job).collect();
        all.extend(StageAction::ALL.iter().copied().map(Self::Stage));
        all.extend(ComponentAction::ALL.iter().copied().map(Self::Component));
        all.extend(WorkerAction::ALL.iter().copied().map(Self::Worker));
        all.extend([Self::Request, Self::LlmCall, Self::Feedback, Self::Deploy, Self::Audit, Self::Exit]);
        all
    }

    /// The type as it is written.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Job(action) => action.as_str(),
            Self::Stage(action) => action.as_str(),
            Self::Component(action) => action.as_str(),
            Self::Worker(action) => action.as_str(),
            Self::Request => "request.finished",
            Self::LlmCall => "llm.call",
            Self::Feedback => "feedback.given",
            Self::Deploy => "deploy.finished",
            Self::Audit => "audit.recorded",
            Self::Exit => "process.exited",
        }
    }
}

impl FromStr for EventType {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Self::all().into_iter().find(|event_type| event_type.as_str() == text).ok_or_else(|| {
            let text: String = text.chars().take(64).collect();
            format!("`type`: there is no event type `{text}`; use one of {}", names())
        })
    }
}

fn names() -> String {
    EventType::all().into_iter().map(EventType::as_str).collect::<Vec<_>>().join(", ")
}

/// The fields that every event has.
#[derive(Deserialize, JsonSchema)]
#[schemars(rename = "CommonFields")]
struct WireEnvelope {
    /// The sender's id of this event, unique for a sender: an id that was stored before is not stored
    /// again, so sending twice is safe. Without one, an event that says when it happened gets an id from
    /// its content; an event without id and time is new each time that it is sent.
    event_id: Option<Text>,
    /// When it happened: RFC 3339 (UTC when it names no offset), or seconds, milliseconds, microseconds
    /// or nanoseconds since the epoch. Without it: the time that the event is about (`completed_at` of a
    /// `job.completed`, `last_heartbeat` of a heartbeat), else `timestamp`, else the time of arrival.
    time: Option<When>,
    /// When it was written down. Used when neither `time` nor the time that the event is about is given.
    timestamp: Option<When>,
}

/// What every event has, read.
pub(super) struct Envelope {
    pub(super) event_type: EventType,
    event_id: Option<String>,
    content_hash: Xxh3,
    time: Option<Timestamp>,
    timestamp: Option<Timestamp>,
    now: Timestamp,
    index: usize,
}

impl Envelope {
    /// Takes the envelope's fields out of an event's.
    pub(super) fn take(
        fields: &mut Map<String, Value>,
        now: Timestamp,
        index: usize,
    ) -> Result<Self, String> {
        let content_hash = hash_of_content(fields);
        let event_type = match fields.remove("type") {
            Some(Value::String(name)) => name.parse()?,
            Some(_) => return Err(format!("`type` is a text: use one of {}", names())),
            None => return Err(format!("the event has no `type`: add one of {}", names())),
        };
        let own = ["event_id", "time", "timestamp"];
        let own = own.into_iter().filter_map(|name| Some((name.to_owned(), fields.remove(name)?))).collect();
        let wire: WireEnvelope = super::wire(own)?;
        Ok(Self {
            event_type,
            event_id: text(wire.event_id),
            content_hash,
            time: when(wire.time),
            timestamp: when(wire.timestamp),
            now,
            index,
        })
    }

    /// When the event happened; `own` is the time that it is about, where it has one.
    pub(super) fn time(&self, own: Option<Timestamp>) -> Timestamp {
        self.said_time(own).unwrap_or(self.now)
    }

    fn said_time(&self, own: Option<Timestamp>) -> Option<Timestamp> {
        self.time.or(own).or(self.timestamp)
    }

    /// The event's id: the sender's, or else one from the event's content. What says neither id nor
    /// time may well be the same thing happening again (a heartbeat, a request), so its arrival makes it
    /// another event; rejecting it as sent twice would lose it.
    pub(super) fn event_id(&mut self, own: Option<Timestamp>) -> String {
        if let Some(id) = self.event_id.take() {
            return id;
        }
        if self.said_time(own).is_none() {
            self.content_hash.update(&self.now.as_nanos().to_le_bytes());
            self.content_hash.update(&self.index.to_le_bytes());
        }
        format!("auto-{:032x}", self.content_hash.digest128())
    }
}

fn hash_of_content(fields: &Map<String, Value>) -> Xxh3 {
    let mut hash = Xxh3::new();
    for (name, value) in fields {
        hash.update(name.as_bytes());
        hash.update(b"=");
        hash.update(value.to_string().as_bytes());
        hash.update(b"\n");
    }
    hash
}

/// The schema of the envelope.
pub(super) fn schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
    generator.subschema_for::<WireEnvelope>()
}
