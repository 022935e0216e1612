//! Pipeline events: a JSON array, one JSON object, or one JSON object a line.
//!
//! ```
//! let body = br#"{"type": "job.completed", "job_id": 7, "time": "2025-08-01T21:30:00Z"}"#;
//! let decoded = protocol::events::decode(body, model::Timestamp::now()).expect("JSON");
//! assert_eq!(decoded.events.len(), 1);
//! ```
//!
//! A body goes through three steps: [`body`] takes it apart into JSON values, [`envelope`] reads what
//! all events have (type, id, time), and one module for each family of events reads its fields as a
//! wire structure and translates it, once, into `model`. The wire structures are also where the
//! published JSON schema comes from ([`schema()`]).

mod attributes;
mod audit;
mod body;
mod component;
mod deploy;
mod envelope;
mod exit;
mod feedback;
mod fields;
mod job;
mod llm;
mod request;
mod schema;
mod stage;
mod worker;

#[cfg(test)]
mod tests;

use model::Timestamp;
use model::event::Event;
use serde_json::{Map, Value};

use crate::Budget;
pub use body::BodyError;
pub use envelope::EventType;
pub use schema::schema;

use envelope::Envelope;

/// The most events in one body.
pub const MAX_EVENTS: usize = 10_000;

/// What was in a body.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Decoded {
    /// Each event of the body, in its order, or why it is none.
    pub events: Vec<Result<Event, Rejected>>,
    /// Attributes that were left out because an event had too many.
    pub dropped_attributes: usize,
}

/// An event of a body that could not be understood.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("event {index}: {reason}")]
pub struct Rejected {
    /// Its place in the body, from 0. Empty lines are not counted.
    pub index: usize,
    /// Why, in words that say what to change.
    pub reason: String,
}

/// Takes a body apart. An event that cannot be understood is rejected alone; a body that is no JSON at
/// all is an error. Events that do not say when they happened happened at `now`.
pub fn decode(body: &[u8], now: Timestamp) -> Result<Decoded, BodyError> {
    decode_within(body, now, &Budget::default())
}

/// The same, which asks for room for the values and events before it makes them.
pub fn decode_within(body: &[u8], now: Timestamp, budget: &Budget) -> Result<Decoded, BodyError> {
    let mut decoded = Decoded::default();
    for (index, value) in body::split(body, budget)?.into_iter().enumerate() {
        let event = value
            .and_then(|value| event(value, now, index, &mut decoded.dropped_attributes))
            .map_err(|reason| Rejected { index, reason });
        decoded.events.push(event);
    }
    Ok(decoded)
}

/// Translates one JSON value. `Err` is the reason for the sender.
fn event(value: Value, now: Timestamp, index: usize, dropped: &mut usize) -> Result<Event, String> {
    let Value::Object(mut fields) = value else {
        return Err("an event is a JSON object like {\"type\": \"job.completed\", …}".to_owned());
    };
    let envelope = Envelope::take(&mut fields, now, index)?;
    let event = match envelope.event_type {
        EventType::Job(action) => {
            Event::Job(Box::new(job::translate(action, wire(fields)?, envelope, dropped)?))
        }
        EventType::Stage(action) => {
            Event::Stage(Box::new(stage::translate(action, wire(fields)?, envelope, dropped)?))
        }
        EventType::Component(action) => {
            Event::Component(Box::new(component::translate(action, wire(fields)?, envelope, dropped)?))
        }
        EventType::Worker(action) => {
            Event::Worker(Box::new(worker::translate(action, wire(fields)?, envelope, dropped)?))
        }
        EventType::Request => Event::Request(Box::new(request::translate(wire(fields)?, envelope, dropped)?)),
        EventType::LlmCall => Event::LlmCall(Box::new(llm::translate(wire(fields)?, envelope, dropped)?)),
        EventType::Feedback => {
            Event::Feedback(Box::new(feedback::translate(wire(fields)?, envelope, dropped)))
        }
        EventType::Deploy => Event::Deploy(Box::new(deploy::translate(wire(fields)?, envelope, dropped)?)),
        EventType::Audit => Event::Audit(Box::new(audit::translate(wire(fields)?, envelope, dropped)?)),
        EventType::Exit => Event::Exit(Box::new(exit::translate(wire(fields)?, envelope, dropped)?)),
    };
    Ok(event)
}

/// The longest reason given back, in characters: a reason may quote what was sent.
const MAX_REASON_CHARS: usize = 300;

/// Reads the fields of one family; a field that does not fit is named.
fn wire<T: serde::de::DeserializeOwned>(fields: Map<String, Value>) -> Result<T, String> {
    serde_path_to_error::deserialize(Value::Object(fields)).map_err(|error| {
        let reason = format!("`{}`: {}", error.path(), error.inner());
        reason.chars().take(MAX_REASON_CHARS).collect()
    })
}

/// The value of a field that an event of this type must have.
fn required<T>(value: Option<T>, event_type: &str, field: &str) -> Result<T, String> {
    value.ok_or_else(|| format!("{event_type} needs the field {field}: add it"))
}
