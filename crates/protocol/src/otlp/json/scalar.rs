//! Texts, numbers, ids and bytes as OTLP/JSON writes them.

use std::any::type_name;
use std::borrow::Cow;
use std::fmt;

use base64::Engine;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use model::event::{SpanKind, SpanStatus as StatusCode};
use serde::Deserialize;
use serde::de::{Deserializer, Error, Unexpected, Visitor};
use serde_json::value::RawValue;

use super::object::FromJson;
use crate::otlp::bounds::Bounds;
use crate::otlp::ids::Id;
use crate::otlp::metrics::{PointFlags, Temporality};
use crate::otlp::time::UnixNanos;
use crate::otlp::traces::{span_kind, status_code};

/// Takes base64 with and without padding, as parsers of protobuf's JSON do.
const CONFIG: GeneralPurposeConfig =
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);
const STANDARD: GeneralPurpose = GeneralPurpose::new(&alphabet::STANDARD, CONFIG);
const URL_SAFE: GeneralPurpose = GeneralPurpose::new(&alphabet::URL_SAFE, CONFIG);

/// Whole numbers of up to so many are exact in a number with a fraction.
const MAX_EXACT: f64 = 9_007_199_254_740_992.0;

/// JSON that is read later.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Raw<'a>(pub(super) Option<&'a RawValue>);

impl<'de> FromJson<'de> for Raw<'de> {
    fn from_json<D: Deserializer<'de>>(deserializer: D, _: &Bounds) -> Result<Self, D::Error> {
        <&RawValue>::deserialize(deserializer).map(|raw| Self(Some(raw)))
    }
}

struct TextVisitor;

impl<'de> Visitor<'de> for TextVisitor {
    type Value = Cow<'de, str>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a text")
    }

    fn visit_borrowed_str<E: Error>(self, text: &'de str) -> Result<Self::Value, E> {
        Ok(Cow::Borrowed(text))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Self::Value, E> {
        Ok(Cow::Owned(text.to_owned()))
    }

    fn visit_string<E: Error>(self, text: String) -> Result<Self::Value, E> {
        Ok(Cow::Owned(text))
    }
}

impl<'de> FromJson<'de> for Cow<'de, str> {
    fn from_json<D: Deserializer<'de>>(deserializer: D, _: &Bounds) -> Result<Self, D::Error> {
        deserializer.deserialize_str(TextVisitor)
    }
}

impl<'de> FromJson<'de> for Cow<'de, [u8]> {
    fn from_json<D: Deserializer<'de>>(deserializer: D, bounds: &Bounds) -> Result<Self, D::Error> {
        let text = Cow::<str>::from_json(deserializer, bounds)?;
        let engine = if text.contains(['-', '_']) { URL_SAFE } else { STANDARD };
        let bytes = engine.decode(text.as_bytes());
        bytes.map(Cow::Owned).map_err(|_| D::Error::custom("expected bytes in base64"))
    }
}

impl<'de, const N: usize> FromJson<'de> for Id<N> {
    fn from_json<D: Deserializer<'de>>(deserializer: D, bounds: &Bounds) -> Result<Self, D::Error> {
        Cow::<str>::from_json(deserializer, bounds).map(|text| Self::from_hex(&text))
    }
}

impl<'de> FromJson<'de> for bool {
    fn from_json<D: Deserializer<'de>>(deserializer: D, _: &Bounds) -> Result<Self, D::Error> {
        Self::deserialize(deserializer)
    }
}

struct WholeVisitor;

impl Visitor<'_> for WholeVisitor {
    type Value = i128;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a whole number")
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<i128, E> {
        Ok(number.into())
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<i128, E> {
        Ok(number.into())
    }

    fn visit_f64<E: Error>(self, number: f64) -> Result<i128, E> {
        let is_whole = number.fract() == 0.0 && number.abs() <= MAX_EXACT;
        if is_whole { Ok(number as i128) } else { Err(E::invalid_value(Unexpected::Float(number), &self)) }
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<i128, E> {
        text.parse().map_err(|_| E::invalid_value(Unexpected::Str(text), &self))
    }
}

impl<'de> FromJson<'de> for UnixNanos {
    fn from_json<D: Deserializer<'de>>(deserializer: D, _: &Bounds) -> Result<Self, D::Error> {
        deserializer.deserialize_any(TimeVisitor)
    }
}

/// Reads a time. A number or a text that is none lies beyond all times: the record that has it is wrong, and not the
/// request.
struct TimeVisitor;

impl Visitor<'_> for TimeVisitor {
    type Value = UnixNanos;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("nanoseconds since 1970")
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<UnixNanos, E> {
        Ok(UnixNanos(number))
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<UnixNanos, E> {
        Ok(u64::try_from(number).map_or(UnixNanos::BEYOND, UnixNanos))
    }

    fn visit_f64<E: Error>(self, number: f64) -> Result<UnixNanos, E> {
        let is_exact = number.fract() == 0.0 && (0.0..=MAX_EXACT).contains(&number);
        Ok(if is_exact { UnixNanos(number as u64) } else { UnixNanos::BEYOND })
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<UnixNanos, E> {
        Ok(text.parse().map_or(UnixNanos::BEYOND, UnixNanos))
    }
}

/// The number of a severity, which may be sent by its name. A number or a text that is none is one that there is not:
/// the record that has it is marked, and the request is not wrong.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Severity(i32);

impl Severity {
    /// Stands for whatever was sent as a number and is none.
    const INVALID: Self = Self(-1);
    const PREFIX: &str = "SEVERITY_NUMBER_";
    /// The levels, each of four numbers.
    const LEVELS: [&str; 6] = ["TRACE", "DEBUG", "INFO", "WARN", "ERROR", "FATAL"];

    fn of(number: impl TryInto<i32>) -> Self {
        number.try_into().map_or(Self::INVALID, Self)
    }

    /// By its name in the protocol: `SEVERITY_NUMBER_INFO`, `SEVERITY_NUMBER_WARN2`.
    fn named(name: &str) -> Option<Self> {
        let name = name.strip_prefix(Self::PREFIX)?;
        if name == "UNSPECIFIED" {
            return Some(Self(0));
        }
        let (level, place) = match name.as_bytes().last()? {
            digit @ b'2'..=b'4' => (&name[..name.len() - 1], i32::from(digit - b'1')),
            _ => (name, 0),
        };
        (1..)
            .step_by(4)
            .zip(Self::LEVELS)
            .find(|(_, known)| *known == level)
            .map(|(first, _)| Self(first + place))
    }
}

impl From<Severity> for i32 {
    fn from(severity: Severity) -> Self {
        severity.0
    }
}

impl<'de> FromJson<'de> for Severity {
    fn from_json<D: Deserializer<'de>>(deserializer: D, _: &Bounds) -> Result<Self, D::Error> {
        deserializer.deserialize_any(SeverityVisitor)
    }
}

struct SeverityVisitor;

impl Visitor<'_> for SeverityVisitor {
    type Value = Severity;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the number of a severity")
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<Severity, E> {
        Ok(Severity::of(number))
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<Severity, E> {
        Ok(Severity::of(number))
    }

    fn visit_f64<E: Error>(self, number: f64) -> Result<Severity, E> {
        let is_exact = number.fract() == 0.0 && number.abs() <= MAX_EXACT;
        Ok(if is_exact { Severity::of(number as i64) } else { Severity::INVALID })
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Severity, E> {
        let number = || text.parse().ok().map(Severity);
        Ok(Severity::named(text).or_else(number).unwrap_or(Severity::INVALID))
    }
}

macro_rules! whole {
    ($($type:ty),*) => {$(
        impl<'de> FromJson<'de> for $type {
            fn from_json<D: Deserializer<'de>>(deserializer: D, _: &Bounds) -> Result<Self, D::Error> {
                let number = deserializer.deserialize_any(WholeVisitor)?;
                Self::try_from(number).map_err(|_| {
                    D::Error::custom(format_args!("{number} is out of the range of {}", type_name::<Self>()))
                })
            }
        }
    )*};
}
whole!(i32, u32, i64, u64);

impl<'de> FromJson<'de> for f64 {
    fn from_json<D: Deserializer<'de>>(deserializer: D, _: &Bounds) -> Result<Self, D::Error> {
        // Serde's own numbers may be one bit off; what is sent in JSON is to be what is sent in protobuf.
        let sent = <&RawValue>::deserialize(deserializer)?.get();
        double(sent).ok_or_else(|| {
            let sent: String = sent.chars().take(MAX_SHOWN).collect();
            D::Error::custom(format_args!(
                "expected a number, or \"NaN\", \"Infinity\" or \"-Infinity\", found {sent}"
            ))
        })
    }
}

/// The most characters of a wrong number in an error.
const MAX_SHOWN: usize = 40;

/// A number, or a text that is one.
fn double(sent: &str) -> Option<f64> {
    match sent.trim_matches('"') {
        "NaN" => Some(f64::NAN),
        "Infinity" => Some(f64::INFINITY),
        "-Infinity" => Some(f64::NEG_INFINITY),
        // What else Rust reads as infinite is too large, or no number in JSON.
        number => number.parse().ok().filter(|number: &f64| number.is_finite()),
    }
}

/// Kinds that are numbers in JSON.
macro_rules! number {
    ($($type:ty: $number:ty, $from:expr;)*) => {$(
        impl<'de> FromJson<'de> for $type {
            fn from_json<D: Deserializer<'de>>(deserializer: D, bounds: &Bounds) -> Result<Self, D::Error> {
                <$number>::from_json(deserializer, bounds).map($from)
            }
        }
    )*};
}
number! {
    PointFlags: u32, PointFlags;
    SpanKind: i32, span_kind;
    StatusCode: i32, status_code;
    Temporality: i32, Temporality::from;
}
