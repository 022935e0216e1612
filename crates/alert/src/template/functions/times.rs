//! Functions of times and durations.

use model::{DurationText, Timestamp};

use super::layout;
use crate::template::value::{Value, go_time};

/// What the text of a duration is made into.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::template) enum OfDuration {
    Seconds,
    Duration,
}

impl OfDuration {
    pub(super) fn of(self, text: &str) -> Result<Value, String> {
        let DurationText(duration) = text.parse().map_err(|error| format!("{error}"))?;
        let seconds = duration.as_secs_f64();
        Ok(match self {
            Self::Seconds => Value::Float(seconds),
            Self::Duration => Value::Duration(seconds),
        })
    }
}

/// What can be asked of a value with arguments: a time in a layout of Go.
pub(in crate::template) fn call_method(
    value: &Value,
    name: &str,
    arguments: &[Value],
) -> Result<Value, String> {
    match (value, name, arguments) {
        (Value::Time(time), "Format", [Value::Text(layout)]) => {
            Ok(Value::text(layout::formatted(*time, layout)))
        }
        (Value::Time(_), "Format", [other]) => {
            Err(format!("wrong type for value; expected string; got {}", other.kind()))
        }
        (Value::Time(_), "Format", _) => {
            Err(format!("wrong number of args for Format: want 1 got {}", arguments.len()))
        }
        _ => Err(format!("{name} has arguments but cannot be invoked as function")),
    }
}

/// What can be asked of a time without arguments.
pub(in crate::template) fn time_field(time: Timestamp, name: &str) -> Option<Value> {
    let seconds = time.as_nanos().div_euclid(1_000_000_000);
    // RFC 3339: its numbers stand at fixed places.
    let text = time.to_string();
    let part = |from: usize, to: usize| text.get(from..to).and_then(|part| part.parse().ok()).map(Value::Int);
    match name {
        "Unix" => Some(Value::Int(seconds)),
        "UnixMilli" => Some(Value::Int(time.as_millis())),
        "UnixNano" => Some(Value::Int(time.as_nanos())),
        "UTC" => Some(Value::Time(time)),
        "YearDay" => layout::day_of_year(time).map(Value::Int),
        "Year" => part(0, 4),
        "Month" => {
            let month: usize = text.get(5..7)?.parse().ok()?;
            layout::MONTHS.get(month.checked_sub(1)?).map(|name| Value::text(*name))
        }
        "Day" => part(8, 10),
        "Hour" => part(11, 13),
        "Minute" => part(14, 16),
        "Second" => part(17, 19),
        "Weekday" => {
            let day = usize::try_from(seconds.div_euclid(86_400).rem_euclid(7)).ok()?;
            layout::DAYS.get(day).map(|name| Value::text(*name))
        }
        "String" => Some(Value::text(go_time(time))),
        _ => None,
    }
}
