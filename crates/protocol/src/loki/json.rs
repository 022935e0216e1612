//! `{"streams": [{"stream": {…}, "values": [["ns", "line", {…}]]}]}`.
//!
//! A request is checked to be JSON once and then read line by line, so that no more than one line is in memory beside
//! it. What is not known is passed over.

use std::borrow::Cow;
use std::fmt;

use model::Timestamp;
use serde::Deserialize;
use serde::de::{Deserializer as _, Error, MapAccess, SeqAccess, Visitor};
use serde_json::Deserializer;
use serde_json::value::RawValue;

use super::rows::{LineTime, PushRows};

/// What is wrong, in words.
type Read<T> = Result<T, String>;

/// A text, borrowed where it has no escapes.
#[derive(Deserialize)]
struct Text<'a>(#[serde(borrow)] Cow<'a, str>);

/// Takes a request apart.
pub(super) fn read(body: &[u8], rows: &mut PushRows<'_>) -> Read<()> {
    let text = std::str::from_utf8(body).map_err(|_| "it is not UTF-8".to_owned())?;
    let mut streams = None;
    each_field(text, |name, value| {
        if name == "streams" {
            streams = Some(value);
        }
    })
    .map_err(|error| shortened(&error.to_string()))?;
    let Some(streams) = streams else { return Err("it has no `streams`".to_owned()) };
    let mut index = 0;
    each_item(streams, |stream| {
        read_stream(stream, rows).map_err(|fault| format!("streams[{index}]{fault}"))?;
        index += 1;
        Ok(())
    })
}

fn read_stream(raw: &RawValue, rows: &mut PushRows<'_>) -> Read<()> {
    let (mut labels, mut values) = ("{}", None);
    let read = each_field(raw.get(), |name, value| match name {
        "stream" => labels = value.get(),
        "values" => values = Some(value),
        _ => {}
    });
    read.map_err(|error| format!(": {}", words(&error)))?;
    rows.stream(labels.as_bytes(), |put| each_pair(labels, put))
        .map_err(|fault| format!(".stream: {fault}"))?;
    let Some(values) = values else { return Ok(()) };
    let mut index = 0;
    each_item(values, |value| {
        read_line(value, rows).map_err(|fault| format!(".values[{index}]: {fault}"))?;
        index += 1;
        Ok(())
    })
}

/// A time, a line and perhaps metadata.
fn read_line(raw: &RawValue, rows: &mut PushRows<'_>) -> Read<()> {
    let mut parts: [Option<&RawValue>; 3] = [None; 3];
    let mut place = parts.iter_mut();
    each_item(raw, |part| {
        // What later versions may put behind these is passed over.
        if let Some(place) = place.next() {
            *place = Some(part);
        }
        Ok(())
    })?;
    let [Some(time), Some(line), metadata] = parts else {
        return Err("expected a time and a line, as [\"1700000000000000000\", \"line\"]".to_owned());
    };
    let Text(line) = serde_json::from_str(line.get()).map_err(|_| "the line is no text".to_owned())?;
    let metadata = metadata.map_or("{}", RawValue::get);
    rows.line(time_of(time), &line, raw.get().as_bytes(), |put| each_pair(metadata, put))
}

/// Nanoseconds since 1970, as a text or a number; times as RFC 3339 has them are understood, too.
fn time_of(raw: &RawValue) -> LineTime {
    // A number, as it stands.
    let plain = |_| Text(Cow::Borrowed(raw.get()));
    let Text(text) = serde_json::from_str(raw.get()).unwrap_or_else(plain);
    match text.parse::<i64>() {
        Ok(0) => LineTime::Unknown,
        Ok(nanos) => LineTime::At(Timestamp::from_nanos(nanos)),
        Err(_) => Timestamp::parse_rfc3339(&text).map_or(LineTime::TooFarOut, LineTime::At),
    }
}

/// Hands each item of a list to `take`.
fn each_item<'a>(raw: &'a RawValue, take: impl FnMut(&'a RawValue) -> Read<()>) -> Read<()> {
    let mut fault = None;
    let read = Deserializer::from_str(raw.get()).deserialize_seq(Items { take, fault: &mut fault });
    read.map_err(|error| fault.unwrap_or_else(|| words(&error)))
}

struct Items<'f, F> {
    take: F,
    /// What went wrong with an item.
    fault: &'f mut Option<String>,
}

impl<'de, F: FnMut(&'de RawValue) -> Read<()>> Visitor<'de> for Items<'_, F> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list")
    }

    fn visit_seq<A: SeqAccess<'de>>(mut self, mut seq: A) -> Result<(), A::Error> {
        while let Some(item) = seq.next_element::<&RawValue>()? {
            if let Err(fault) = (self.take)(item) {
                *self.fault = Some(fault);
                return Err(A::Error::custom("an item is wrong"));
            }
        }
        Ok(())
    }
}

/// Hands each field of an object to `put`: texts as they are, numbers and what has parts as JSON; `null` is as if it
/// were not there.
fn each_pair(object: &str, put: &mut dyn FnMut(&str, &str)) -> Read<()> {
    let read = each_field(object, |name, value| match serde_json::from_str(value.get()) {
        Ok(Text(text)) => put(name, &text),
        Err(_) if value.get() == "null" => {}
        Err(_) => put(name, value.get()),
    });
    read.map_err(|error| words(&error))
}

/// Hands each field of an object to `take`.
fn each_field<'a>(object: &'a str, take: impl FnMut(&str, &'a RawValue)) -> serde_json::Result<()> {
    let mut deserializer = Deserializer::from_str(object);
    deserializer.deserialize_map(FieldsOf(take))?;
    deserializer.end()
}

struct FieldsOf<F>(F);

impl<'de, F: FnMut(&str, &'de RawValue)> Visitor<'de> for FieldsOf<F> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut map: A) -> Result<(), A::Error> {
        while let Some(Text(name)) = map.next_key::<Text<'de>>()? {
            (self.0)(&name, map.next_value()?);
        }
        Ok(())
    }
}

/// What a parser of JSON says, without a place: it would be that in a part of the request.
fn words(error: &serde_json::Error) -> String {
    let text = error.to_string();
    let without = text.rsplit_once(" at line ").map_or(text.as_str(), |(words, _)| words);
    shortened(without)
}

/// It may quote a text of any length.
fn shortened(said: &str) -> String {
    match said.char_indices().nth(200) {
        Some((end, _)) => format!("{}…", &said[..end]),
        None => said.to_owned(),
    }
}
