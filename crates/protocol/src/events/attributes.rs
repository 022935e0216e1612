//! What an event says beyond its known fields, kept as text.

use std::collections::BTreeMap;

use model::event::Attributes;
use serde_json::Value;

/// The most attributes of one event. The first ones are kept: those given as `attributes`, then
/// unknown fields, each by name.
const MAX_ATTRIBUTES: usize = 64;

/// Joins the field `attributes` and all unknown fields. What is beyond the bound is counted in `dropped`.
pub(super) fn join(
    given: Option<BTreeMap<String, Value>>,
    unknown: BTreeMap<String, Value>,
    dropped: &mut usize,
) -> Attributes {
    let mut attributes = Attributes::new();
    for (name, value) in given.into_iter().flatten().chain(unknown) {
        let text = match value {
            Value::Null => continue,
            Value::String(text) => text,
            other => other.to_string(),
        };
        if attributes.contains_key(&name) {
            continue;
        }
        if attributes.len() < MAX_ATTRIBUTES {
            attributes.insert(name, text);
        } else {
            *dropped += 1;
        }
    }
    attributes
}
