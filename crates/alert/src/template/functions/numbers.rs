//! Functions of one number.

use model::Timestamp;

use crate::template::number::{
    humanize, humanize_1024, humanize_duration, humanize_percentage, not_finite, shortest,
};
use crate::template::value::{Value, go_time};

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
    pub(super) fn of(self, number: f64) -> Result<Value, String> {
        Ok(match self {
            Self::Humanize => Value::text(humanize(number)),
            Self::Humanize1024 => Value::text(humanize_1024(number)),
            Self::HumanizeDuration => Value::text(humanize_duration(number)),
            Self::HumanizePercentage => Value::text(humanize_percentage(number)),
            Self::HumanizeTimestamp if !number.is_finite() => Value::text(not_finite(number)),
            Self::HumanizeTimestamp => Value::text(go_time(time(number)?)),
            Self::ToTime => Value::Time(time(number)?),
            Self::ToDuration => Value::Duration(number),
        })
    }
}

/// The time so many seconds after the epoch, in whole milliseconds as Prometheus has them.
fn time(seconds: f64) -> Result<Timestamp, String> {
    if !seconds.is_finite() {
        return Err("value is NaN or Inf".to_owned());
    }
    let nanos = seconds * 1e9;
    if nanos.abs() >= i64::MAX as f64 {
        let number = shortest(seconds);
        return Err(format!(
            "{number} cannot be represented as a nanoseconds timestamp since it overflows int64"
        ));
    }
    Ok(Timestamp::from_millis(nanos as i64 / 1_000_000))
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
