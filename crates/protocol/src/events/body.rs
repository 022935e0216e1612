//! Takes a body apart into JSON values, whichever of the three forms it has.

use serde::de::{Deserializer, IgnoredAny, SeqAccess, Visitor};
use serde_json::Value;

use super::MAX_EVENTS;
use crate::Budget;

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
    /// What it holds would take too much memory.
    #[error(
        "the values in the body would take {bytes} bytes, at most {MAX_BYTES} are taken at once: send them in parts"
    )]
    TooLarge {
        /// How much that would be, roughly.
        bytes: usize,
    },
    /// There is no room for what it holds, beside that of others.
    #[error("there is no room for what the body holds; send it again")]
    NoRoom,
}

/// The most memory that the values of a body may take.
const MAX_BYTES: usize = 128 << 20;
/// What a value in a list or an object takes, with its name and all that a list that grew keeps free.
const VALUE_BYTES: usize = 144;
/// What the first values of an object take room with.
const OBJECT_BYTES: usize = 640;
/// What an event takes beside its texts.
const EVENT_BYTES: usize = 1024;

/// Roughly the memory that all values of a body take, and the events that they become, by the signs that stand between
/// them. A value of two letters takes a hundred times its size.
fn size_of_values(body: &[u8]) -> usize {
    let (mut values, mut objects) = (1_usize, 0_usize);
    let (mut is_text, mut is_escaped) = (false, false);
    for byte in body {
        match byte {
            // No text goes on in the next line.
            b'\n' => (is_text, is_escaped) = (false, false),
            _ if is_escaped => is_escaped = false,
            b'\\' => is_escaped = is_text,
            b'"' => is_text = !is_text,
            _ if is_text => {}
            b',' | b'[' => values += 1,
            b'{' => (values, objects) = (values + 1, objects + 1),
            _ => {}
        }
    }
    let events = objects.min(MAX_EVENTS) * EVENT_BYTES;
    values
        .saturating_mul(VALUE_BYTES)
        .saturating_add(objects.saturating_mul(OBJECT_BYTES))
        .saturating_add(events)
}

/// One event, or why it is not JSON.
type Element = Result<Value, String>;

/// The values of a body, in order.
pub(super) fn split(body: &[u8], budget: &Budget) -> Result<Vec<Element>, BodyError> {
    let body = body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body).trim_ascii();
    let bytes = size_of_values(body);
    if bytes > MAX_BYTES {
        return Err(BodyError::TooLarge { bytes });
    }
    if !budget.has_room(bytes) {
        return Err(BodyError::NoRoom);
    }
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
