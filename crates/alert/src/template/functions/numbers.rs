//! Functions of one number.

use model::Timestamp;

use super::times::timestamp;
use crate::template::number::{humanize, humanize_1024, humanize_duration, humanize_percentage};
use crate::template::value::Value;

/// What a number is made into.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::template) enum OfNumber {
    Humanize,
    Humanize1024,
    HumanizeDuration,
    HumanizePercentage,
    HumanizeTimestamp,
    ToTime,
    ToDuration,
}

impl OfNumber {
    pub(super) fn of(self, number: f64) -> Value {
        match self {
            Self::Humanize => Value::text(humanize(number)),
            Self::Humanize1024 => Value::text(humanize_1024(number)),
            Self::HumanizeDuration => Value::text(humanize_duration(number)),
            Self::HumanizePercentage => Value::text(humanize_percentage(number)),
            Self::HumanizeTimestamp => Value::text(timestamp(number)),
            Self::ToTime => Value::Time(Timestamp::from_secs_f64(number)),
            Self::ToDuration => Value::Duration(number),
        }
    }
}

/// What is taken for a number: numbers, texts that are numbers, and durations in seconds.
pub(super) fn number(value: &Value) -> Result<f64, String> {
    match value {
        Value::Float(number) | Value::Duration(number) => Ok(*number),
        Value::Int(number) => Ok(*number as f64),
        Value::Text(text) => {
            text.parse().map_err(|_| format!("strconv.ParseFloat: parsing {text:?}: invalid syntax"))
        }
        other => Err(format!("can't convert {} to float", other.kind())),
    }
}
