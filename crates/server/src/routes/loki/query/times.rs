//! Times, steps and limits as Loki's parameters have them.

use std::time::Duration;

use model::{TimeRange, Timestamp};
use records::{MAX_LINES, MAX_STEPS, Steps};
use search::logql;
use store::Order;

use crate::problem::Problem;
use crate::routes::given::{Given, wrong};

/// How far back is looked, if nothing is said.
const LAST: Duration = Duration::from_secs(3_600);
/// How many lines there are, if nothing is said.
const LIMIT: usize = 100;
/// About how many steps there are, if nothing is said.
const STEPS: u32 = 250;

const A_TIME: &str = "nanoseconds or seconds since the epoch, or RFC 3339";
const A_DURATION: &str = "a duration as `15s`, or seconds";

/// The parameters `start` and `end`, or `since`. Lines of the end itself are not among those that are found.
pub(super) fn range(given: &Given) -> Result<(Timestamp, Timestamp), Problem> {
    let end = at(given, "end")?.unwrap_or_else(Timestamp::now);
    let since = given.read("since", A_DURATION, duration)?.unwrap_or(LAST);
    let start = at(given, "start")?.unwrap_or_else(|| end.before(since));
    if start > end {
        return Err(wrong("start", "it lies behind `end`"));
    }
    Ok((start, end))
}

/// The times of lines between them.
pub(super) fn of_lines((start, end): (Timestamp, Timestamp)) -> TimeRange {
    TimeRange::new(start, end.before(Duration::from_nanos(1)))
}

/// A time, if it is given.
pub(super) fn at(given: &Given, name: &str) -> Result<Option<Timestamp>, Problem> {
    given.read(name, A_TIME, time)
}

/// The parameter `step`, as steps from one time to another.
pub(super) fn steps(given: &Given, (start, end): (Timestamp, Timestamp)) -> Result<Steps, Problem> {
    let length = end.since(start);
    let usual = || Duration::from_secs((length / STEPS).as_secs().max(1));
    let step = given.read("step", A_DURATION, duration)?.unwrap_or_else(usual);
    if step.is_zero() {
        return Err(wrong("step", "expected more than zero"));
    }
    let more = usize::try_from(length.as_nanos() / step.as_nanos()).unwrap_or(usize::MAX);
    if more >= MAX_STEPS {
        return Err(wrong("step", &format!("there would be more than {MAX_STEPS} steps; take larger ones")));
    }
    Ok(Steps { first: start, step, count: more + 1 })
}

/// The parameter `limit`.
pub(super) fn limit(given: &Given) -> Result<usize, Problem> {
    number(given, "limit", LIMIT, MAX_LINES)
}

/// How many of something there may be.
pub(super) fn number(given: &Given, name: &str, usual: usize, most: usize) -> Result<usize, Problem> {
    let expected = format!("a number from 1 to {most}");
    let number = |text: &str| text.parse::<usize>().ok().filter(|number| (1..=most).contains(number));
    Ok(given.read(name, &expected, number)?.unwrap_or(usual))
}

/// The parameter `direction`.
pub(super) fn direction(given: &Given) -> Result<Order, Problem> {
    let order = |text: &str| match text {
        _ if text.eq_ignore_ascii_case("backward") => Some(Order::NewestFirst),
        _ if text.eq_ignore_ascii_case("forward") => Some(Order::OldestFirst),
        _ => None,
    };
    Ok(given.read("direction", "`forward` or `backward`", order)?.unwrap_or(Order::NewestFirst))
}

/// Up to ten digits are seconds, more are nanoseconds; with a point they are seconds, however many there are.
fn time(text: &str) -> Option<Timestamp> {
    if let Ok(number) = text.parse::<i64>() {
        let is_seconds = text.len() <= 10;
        let nanos = if is_seconds { number.checked_mul(1_000_000_000)? } else { number };
        return Some(Timestamp::from_nanos(nanos));
    }
    match text.parse::<f64>() {
        Ok(seconds) => seconds.is_finite().then(|| Timestamp::from_secs_f64(seconds)),
        Err(_) => Timestamp::parse_rfc3339(text).ok(),
    }
}

fn duration(text: &str) -> Option<Duration> {
    match text.parse::<f64>() {
        Ok(seconds) => Duration::try_from_secs_f64(seconds).ok(),
        Err(_) => logql::duration(text),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_in_each_form_that_loki_takes() {
        let cases = [
            ("1754083800", Some(1_754_083_800_000_000_000)),
            ("1754083800000000000", Some(1_754_083_800_000_000_000)),
            ("1754083800.5", Some(1_754_083_800_500_000_000)),
            ("2025-08-01T21:30:00.5Z", Some(1_754_083_800_500_000_000)),
            ("4000000000", Some(4_000_000_000_000_000_000)),
            ("4", Some(4_000_000_000)),
            ("soon", None),
            ("NaN", None),
        ];
        for (text, nanos) in cases {
            assert_eq!(time(text).map(Timestamp::as_nanos), nanos, "{text}");
        }
        let cases = [
            ("15s", Some(15_000)),
            ("200ms", Some(200)),
            ("1m0s", Some(60_000)),
            ("0.5", Some(500)),
            ("60", Some(60_000)),
            ("-1", None),
            ("x", None),
        ];
        for (text, millis) in cases {
            assert_eq!(duration(text), millis.map(Duration::from_millis), "{text}");
        }
    }
}
