//! The published JSON schema of a body, made from the wire structures.

use schemars::{JsonSchema, SchemaGenerator, generate::SchemaSettings};
use serde_json::{Value, json};

use super::audit::WireAudit;
use super::component::WireComponent;
use super::deploy::WireDeploy;
use super::envelope::{self, EventType};
use super::exit::WireExit;
use super::feedback::WireFeedback;
use super::job::WireJob;
use super::llm::WireLlmCall;
use super::request::WireRequest;
use super::stage::WireStage;
use super::worker::WireWorker;

/// The JSON schema (draft 2020-12) of one event or an array of them.
pub fn schema() -> Value {
    let mut generator = SchemaSettings::draft2020_12().into_generator();
    let envelope = envelope::schema(&mut generator);
    let mut alternatives = Vec::new();
    for event_type in EventType::all() {
        let fields = fields_of(event_type, &mut generator);
        alternatives.push(json!({
            "title": event_type.as_str(),
            "type": "object",
            "properties": { "type": { "const": event_type.as_str() } },
            "required": ["type"],
            "allOf": [envelope, fields],
        }));
    }
    let mut definitions = generator.take_definitions(true);
    definitions.insert("Event".to_owned(), json!({ "oneOf": alternatives }));
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Watchkeeper pipeline events",
        "description": "The body of POST /api/v1/events: one event or an array of events. A body may also \
            hold one event a line.",
        "anyOf": [
            { "$ref": "#/$defs/Event" },
            { "type": "array", "maxItems": super::MAX_EVENTS, "items": { "$ref": "#/$defs/Event" } },
        ],
        "$defs": definitions,
    })
}

fn fields_of(event_type: EventType, generator: &mut SchemaGenerator) -> Value {
    fn of<T: JsonSchema>(generator: &mut SchemaGenerator) -> Value {
        generator.subschema_for::<T>().to_value()
    }
    match event_type {
        EventType::Job(_) => of::<WireJob>(generator),
        EventType::Stage(_) => of::<WireStage>(generator),
        EventType::Component(_) => of::<WireComponent>(generator),
        EventType::Worker(_) => of::<WireWorker>(generator),
        EventType::Request => of::<WireRequest>(generator),
        EventType::LlmCall => of::<WireLlmCall>(generator),
        EventType::Feedback => of::<WireFeedback>(generator),
        EventType::Deploy => of::<WireDeploy>(generator),
        EventType::Audit => of::<WireAudit>(generator),
        EventType::Exit => of::<WireExit>(generator),
    }
}
