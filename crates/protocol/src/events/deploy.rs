//! `deploy.finished`: a release was brought out.

use std::collections::BTreeMap;

use model::event::DeployEvent;
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use super::envelope::Envelope;
use super::fields::{Text, text};
use super::{EventType, attributes, required};

/// A release that was brought out.
#[derive(Deserialize, JsonSchema)]
#[schemars(extend("required" = ["service", "version"]))]
#[schemars(rename = "DeployFields")]
pub(super) struct WireDeploy {
    /// The application. Required.
    service: Option<Text>,
    /// The release. Required.
    version: Option<Text>,
    /// Where: `production`.
    environment: Option<Text>,
    /// In words.
    description: Option<Text>,
    /// A page about it.
    url: Option<Text>,
    /// Further facts, kept as text; unknown fields are added to them.
    attributes: Option<BTreeMap<String, Value>>,
    #[serde(flatten)]
    unknown: BTreeMap<String, Value>,
}

pub(super) fn translate(
    wire: WireDeploy,
    mut envelope: Envelope,
    dropped: &mut usize,
) -> Result<DeployEvent, String> {
    let name = EventType::Deploy.as_str();
    Ok(DeployEvent {
        time: envelope.time(None),
        event_id: envelope.event_id(None),
        service: required(text(wire.service), name, "`service`")?,
        version: required(text(wire.version), name, "`version`")?,
        environment: text(wire.environment),
        description: text(wire.description),
        url: text(wire.url),
        attributes: attributes::join(wire.attributes, wire.unknown, dropped),
    })
}
