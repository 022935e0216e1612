//! Takes a body apart into JSON values, whichever of the three forms it has.

use serde::de::{Deserializer, IgnoredAny, SeqAccess, Visitor};
use serde_json::Value;

use super::MAX_EVENTS;

/// A body that holds no events at all.
#[derive(Debug, thiserror::Error)]
pub enum BodyError {
    /// It is empty.
    #[error("the body is empty: send a JSON array of events, or one JSON object a line")]
    Empty,
    /// It is not JSON.
    #[error("the body is not JSON: send a JSON array of events, or one JSON object a line")]
    NotJson(#[source] serde_json::Error),
    /// It holds too many events.
    #[error("the body holds {count} events, at most {MAX_EVENTS} are taken at once: send them in parts")]
    TooMany {
        /// How many it holds.
        count: usize,
    },
}

/// One event, or why it is not JSON.
type Element = Result<Value, String>;

/// The values of a body, in order.
pub(super) fn split(body: &[u8]) -> Result<Vec<Element>, BodyError> {
    let body = body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body).trim_ascii();
    match body.first() {
        None => Err(BodyError::Empty),
        Some(b'[') => array(body),
        Some(_) => object_or_lines(body),
    }
}

fn array(body: &[u8]) -> Result<Vec<Element>, BodyError> {
    let mut json = serde_json::Deserializer::from_slice(body);
    let elements = json.deserialize_seq(ElementsVisitor).map_err(BodyError::NotJson)?;
    json.end().map_err(BodyError::NotJson)?;
    match elements.beyond {
        0 => Ok(elements.values.into_iter().map(Ok).collect()),
        beyond => Err(BodyError::TooMany { count: MAX_EVENTS + beyond }),
    }
}

/// One object may be spread over many lines; many objects stand on one line each.
fn object_or_lines(body: &[u8]) -> Result<Vec<Element>, BodyError> {
    let whole_error = match serde_json::from_slice::<Value>(body) {
        Ok(value) => return Ok(vec![Ok(value)]),
        Err(error) => error,
    };
    let lines = || body.split(|byte| *byte == b'\n').map(<[u8]>::trim_ascii).filter(|line| !line.is_empty());
    let count = lines().count();
    if count > MAX_EVENTS {
        return Err(BodyError::TooMany { count });
    }
    let values: Vec<Element> = lines()
        .map(|line| {
            serde_json::from_slice(line).map_err(|error| format!("this line is not a JSON object: {error}"))
        })
        .collect();
    // When no line is an object the body is one broken object, not a list of broken ones.
    let is_lines = values.iter().any(|value| value.as_ref().is_ok_and(Value::is_object));
    if is_lines { Ok(values) } else { Err(BodyError::NotJson(whole_error)) }
}

/// The elements of an array up to the bound, and how many there are beyond it; those are only counted,
/// so that a body of millions of tiny elements takes no memory.
#[derive(Default)]
struct Elements {
    values: Vec<Value>,
    beyond: usize,
}

struct ElementsVisitor;

impl<'de> Visitor<'de> for ElementsVisitor {
    type Value = Elements;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("an array of events")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut sequence: A) -> Result<Elements, A::Error> {
        let mut elements = Elements::default();
        while elements.values.len() < MAX_EVENTS {
            match sequence.next_element()? {
                Some(value) => elements.values.push(value),
                None => return Ok(elements),
            }
        }
        while sequence.next_element::<IgnoredAny>()?.is_some() {
            elements.beyond += 1;
        }
        Ok(elements)
    }
}
