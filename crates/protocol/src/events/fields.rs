//! The kinds of fields that events have: each is read leniently where the meaning is clear, and its
//! error says what is expected.

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;

use model::Timestamp;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{self, Deserialize, Deserializer, Unexpected, Visitor};

/// A kind of field that is read from one JSON scalar.
trait Scalar: Sized {
    const EXPECTING: &'static str;
    fn from_number(_number: f64) -> Option<Self> {
        None
    }
    fn from_integer(number: u64) -> Option<Self> {
        Self::from_number(number as f64)
    }
    fn from_signed(number: i64) -> Option<Self> {
        Self::from_number(number as f64)
    }
    fn from_text(_text: &str) -> Option<Self> {
        None
    }
}

struct ScalarVisitor<T>(PhantomData<T>);

impl<T: Scalar> Visitor<'_> for ScalarVisitor<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(T::EXPECTING)
    }

    fn visit_u64<E: de::Error>(self, number: u64) -> Result<T, E> {
        T::from_integer(number).ok_or_else(|| E::invalid_value(Unexpected::Unsigned(number), &self))
    }

    fn visit_i64<E: de::Error>(self, number: i64) -> Result<T, E> {
        T::from_signed(number).ok_or_else(|| E::invalid_value(Unexpected::Signed(number), &self))
    }

    fn visit_f64<E: de::Error>(self, number: f64) -> Result<T, E> {
        T::from_number(number).ok_or_else(|| E::invalid_value(Unexpected::Float(number), &self))
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<T, E> {
        T::from_text(text).ok_or_else(|| E::invalid_value(Unexpected::Str(text), &self))
    }
}

macro_rules! scalar {
    ($(#[$meta:meta])* $name:ident($type:ty), $schema:tt) => {
        $(#[$meta])*
        #[derive(Clone, Debug, PartialEq)]
        pub(super) struct $name(pub(super) $type);

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                deserializer.deserialize_any(ScalarVisitor(PhantomData))
            }
        }

        impl JsonSchema for $name {
            fn inline_schema() -> bool {
                true
            }
            fn schema_name() -> Cow<'static, str> {
                stringify!($name).into()
            }
            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                json_schema!($schema)
            }
        }
    };
}

scalar! {
    /// A text or an id. A number is taken as its digits.
    Text(String), { "type": ["string", "number"] }
}

impl Scalar for Text {
    const EXPECTING: &'static str = "a text or a number";
    fn from_number(number: f64) -> Option<Self> {
        Some(Self(number.to_string()))
    }
    fn from_integer(number: u64) -> Option<Self> {
        Some(Self(number.to_string()))
    }
    fn from_signed(number: i64) -> Option<Self> {
        Some(Self(number.to_string()))
    }
    fn from_text(text: &str) -> Option<Self> {
        Some(Self(text.trim().to_owned()))
    }
}

scalar! {
    /// A number of things.
    Count(u64), { "type": "integer", "minimum": 0 }
}

impl Scalar for Count {
    const EXPECTING: &'static str = "a whole number that is not negative";
    fn from_number(number: f64) -> Option<Self> {
        // Up to 2^53 a float holds every whole number exactly.
        (number >= 0.0 && number.fract() == 0.0 && number <= 9_007_199_254_740_992.0)
            .then_some(Self(number as u64))
    }
    fn from_integer(number: u64) -> Option<Self> {
        // Stored columns and their sums are signed elsewhere; nothing counts further than that.
        i64::try_from(number).is_ok().then_some(Self(number))
    }
}

scalar! {
    /// A whole number.
    Whole(i64), { "type": "integer" }
}

impl Scalar for Whole {
    const EXPECTING: &'static str = "a whole number";
    fn from_number(number: f64) -> Option<Self> {
        (number.abs() <= 9_007_199_254_740_992.0 && number.fract() == 0.0).then_some(Self(number as i64))
    }
    fn from_integer(number: u64) -> Option<Self> {
        i64::try_from(number).ok().map(Self)
    }
    fn from_signed(number: i64) -> Option<Self> {
        Some(Self(number))
    }
}

scalar! {
    /// Any number.
    Number(f64), { "type": "number" }
}

impl Scalar for Number {
    const EXPECTING: &'static str = "a number";
    fn from_number(number: f64) -> Option<Self> {
        number.is_finite().then_some(Self(number))
    }
}

scalar! {
    /// A measure that is not negative: seconds, milliseconds, megabytes, percent, dollars. Sums of as many
    /// as are ever stored stay finite.
    Amount(f64), { "type": "number", "minimum": 0, "maximum": 1e15 }
}

impl Scalar for Amount {
    const EXPECTING: &'static str = "a number from 0 to 1e15";
    fn from_number(number: f64) -> Option<Self> {
        (0.0..=1e15).contains(&number).then_some(Self(number))
    }
}

scalar! {
    /// A share, 0 to 1.
    Share(f64), { "type": "number", "minimum": 0, "maximum": 1 }
}

impl Scalar for Share {
    const EXPECTING: &'static str = "a number from 0 to 1";
    fn from_number(number: f64) -> Option<Self> {
        (0.0..=1.0).contains(&number).then_some(Self(number))
    }
}

scalar! {
    /// A point in time.
    When(Timestamp), { "type": ["string", "number"] }
}

impl Scalar for When {
    const EXPECTING: &'static str =
        "a time: RFC 3339 like 2025-08-01T21:30:00Z, or a number of seconds or milliseconds since the epoch";
    fn from_number(number: f64) -> Option<Self> {
        Timestamp::from_epoch_number(number).ok().map(Self)
    }
    fn from_text(text: &str) -> Option<Self> {
        Timestamp::parse_rfc3339(text.trim()).ok().map(Self)
    }
}

/// A text, unless it is empty: senders write `""` for "nothing".
pub(super) fn text(field: Option<Text>) -> Option<String> {
    field.map(|text| text.0).filter(|text| !text.is_empty())
}

/// The first text of several names for one thing.
pub(super) fn first_text<const N: usize>(fields: [Option<Text>; N]) -> Option<String> {
    fields.into_iter().find_map(text)
}

pub(super) fn count(field: Option<Count>) -> Option<u64> {
    field.map(|count| count.0)
}

pub(super) fn amount(field: Option<Amount>) -> Option<f64> {
    field.map(|amount| amount.0)
}

pub(super) fn when(field: Option<When>) -> Option<Timestamp> {
    field.map(|when| when.0)
}

/// Seconds, from a field in seconds or else one in milliseconds.
pub(super) fn seconds(seconds: Option<Amount>, millis: Option<Amount>) -> Option<f64> {
    amount(seconds).or(amount(millis).map(|millis| millis / 1e3))
}

/// A megabyte as memory tools and pipelines count it.
const MEGABYTE: f64 = 1_048_576.0;

/// Bytes, from a field in bytes or else one in megabytes.
pub(super) fn bytes(bytes: Option<Count>, megabytes: Option<Amount>) -> Option<u64> {
    count(bytes).or(amount(megabytes).map(|megabytes| ((megabytes * MEGABYTE) as u64).min(i64::MAX as u64)))
}

/// Bytes that may be negative, from a field in bytes or else one in megabytes.
pub(super) fn signed_bytes(bytes: Option<Whole>, megabytes: Option<Number>) -> Option<i64> {
    bytes.map(|bytes| bytes.0).or(megabytes.map(|megabytes| (megabytes.0 * MEGABYTE) as i64))
}

/// `time` less `seconds`.
pub(super) fn earlier(time: Timestamp, seconds: f64) -> Timestamp {
    time.before(std::time::Duration::try_from_secs_f64(seconds).unwrap_or_default())
}
