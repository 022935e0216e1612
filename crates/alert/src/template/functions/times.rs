//! Functions of times and durations.

use model::{DurationText, Timestamp};

use crate::template::number::not_finite;
use crate::template::value::{Value, go_time};

pub(super) fn timestamp(seconds: f64) -> String {
    if !seconds.is_finite() {
        return not_finite(seconds);
    }
    go_time(Timestamp::from_secs_f64(seconds))
}

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

/// What can be asked of a time. Methods with arguments, as `Format`, are not there.
pub(in crate::template) fn time_field(time: Timestamp, name: &str) -> Option<Value> {
    let seconds = time.as_nanos().div_euclid(1_000_000_000);
    // RFC 3339: its numbers stand at fixed places.
    let text = time.to_string();
    let part = |from: usize, to: usize| text.get(from..to).and_then(|part| part.parse().ok()).map(Value::Int);
    match name {
        "Unix" => Some(Value::Int(seconds)),
        "UnixMilli" => Some(Value::Int(time.as_millis())),
        "Year" => part(0, 4),
        "Month" => {
            const MONTHS: [&str; 12] = [
                "January",
                "February",
                "March",
                "April",
                "May",
                "June",
                "July",
                "August",
                "September",
                "October",
                "November",
                "December",
            ];
            let month: usize = text.get(5..7)?.parse().ok()?;
            MONTHS.get(month.checked_sub(1)?).map(|name| Value::text(*name))
        }
        "Day" => part(8, 10),
        "Hour" => part(11, 13),
        "Minute" => part(14, 16),
        "Second" => part(17, 19),
        "Weekday" => {
            const DAYS: [&str; 7] =
                ["Thursday", "Friday", "Saturday", "Sunday", "Monday", "Tuesday", "Wednesday"];
            let day = usize::try_from(seconds.div_euclid(86_400).rem_euclid(7)).ok()?;
            DAYS.get(day).map(|name| Value::text(*name))
        }
        "String" => Some(Value::text(go_time(time))),
        _ => None,
    }
}
