//! A line that is a JSON object.

use std::borrow::Cow;
use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, SeqAccess, Visitor};

use super::clock::Clock;
use super::draft::Draft;
use crate::otlp::rows::RowLimits;
use crate::otlp::{AnyValue, KeyValue};

/// Reads a line; nothing when it is no JSON object.
pub(super) fn read<'l>(line: &str, limits: &'l RowLimits, clock: &mut Clock) -> Option<Draft<'l>> {
    let Ok(Json(AnyValue::Map(entries))) = serde_json::from_str::<Json<'_>>(line) else { return None };
    let mut draft = Draft::new(limits);
    for entry in &entries {
        draft.put(&entry.key, &entry.value, clock);
    }
    Some(draft)
}

/// Any JSON. Texts are borrowed where they have no escapes. The parser bounds how deep it is.
struct Json<'a>(AnyValue<'a>);

impl<'de> Deserialize<'de> for Json<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(AnyJson)
    }
}

struct AnyJson;

impl<'de> Visitor<'de> for AnyJson {
    type Value = Json<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<Json<'de>, E> {
        Ok(Json(AnyValue::Empty))
    }

    fn visit_bool<E>(self, value: bool) -> Result<Json<'de>, E> {
        Ok(Json(AnyValue::Bool(value)))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Json<'de>, E> {
        Ok(Json(AnyValue::Int(value)))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Json<'de>, E> {
        Ok(Json(match i64::try_from(value) {
            Ok(value) => AnyValue::Int(value),
            // As a text it keeps all its digits.
            Err(_) => AnyValue::Text(Cow::Owned(value.to_string())),
        }))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Json<'de>, E> {
        Ok(Json(AnyValue::Double(value)))
    }

    fn visit_borrowed_str<E>(self, value: &'de str) -> Result<Json<'de>, E> {
        Ok(Json(AnyValue::Text(Cow::Borrowed(value))))
    }

    fn visit_str<E>(self, value: &str) -> Result<Json<'de>, E> {
        Ok(Json(AnyValue::Text(Cow::Owned(value.to_owned()))))
    }

    fn visit_string<E>(self, value: String) -> Result<Json<'de>, E> {
        Ok(Json(AnyValue::Text(Cow::Owned(value))))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Json<'de>, A::Error> {
        let mut values = Vec::new();
        while let Some(Json(value)) = items.next_element()? {
            values.push(value);
        }
        Ok(Json(AnyValue::Array(values)))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Json<'de>, A::Error> {
        let mut entries = Vec::new();
        while let Some(Key(key)) = map.next_key()? {
            let Json(value) = map.next_value()?;
            entries.push(KeyValue { key, value });
        }
        Ok(Json(AnyValue::Map(entries)))
    }
}

/// A key, borrowed where it has no escapes.
struct Key<'a>(Cow<'a, str>);

impl<'de> Deserialize<'de> for Key<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match Json::deserialize(deserializer)?.0 {
            AnyValue::Text(text) => Ok(Self(text)),
            _ => Err(serde::de::Error::custom("a key is a text")),
        }
    }
}
