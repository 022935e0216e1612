//! Numbers and durations as logs write them: `1,234`, `12.5 s`, `1m30s`.
//!
//! The reader of durations in configuration knows neither fractions, nor less than a millisecond, nor words.

/// Units by what they are called, in whatever case, and the seconds that they have.
const UNITS: &[(&[&str], f64)] = &[
    (&["ns", "nanosecond", "nanoseconds"], 1e-9),
    // The two letters for micro that Unicode has.
    (&["us", "\u{b5}s", "\u{3bc}s", "microsecond", "microseconds"], 1e-6),
    (&["ms", "msec", "msecs", "millis", "millisecond", "milliseconds"], 1e-3),
    (&["s", "sec", "secs", "second", "seconds"], 1.0),
    (&["m", "min", "mins", "minute", "minutes"], 60.0),
    (&["h", "hr", "hrs", "hour", "hours"], 3600.0),
    (&["d", "day", "days"], 86_400.0),
];

/// What closes a clause may stand behind a number.
const CLOSING: [char; 4] = ['.', ';', ')', ']'];

/// The seconds of a unit that is known.
pub(super) fn seconds_of(unit: &str) -> Option<f64> {
    let is_it = |names: &[&str]| names.iter().any(|name| name.eq_ignore_ascii_case(unit));
    UNITS.iter().find(|(names, _)| is_it(names)).map(|(_, seconds)| *seconds)
}

/// A number. Commas part thousands where there are three digits behind each; another one is a decimal point.
pub(super) fn number(text: &str) -> Option<f64> {
    let text = text.trim_end_matches(CLOSING);
    if !text.contains(',') {
        return text.parse().ok();
    }
    let plain = if has_thousands(text) { text.replace(',', "") } else { text.replace(',', ".") };
    plain.parse().ok()
}

fn has_thousands(text: &str) -> bool {
    let whole = text.split(['.', 'e', 'E']).next().unwrap_or_default();
    let mut groups = whole.trim_start_matches(['+', '-']).split(',');
    let is_first = |group: &str| (1..=3).contains(&group.len()) && !group.starts_with('0');
    groups.next().is_some_and(is_first) && groups.all(|group| group.len() == 3)
}

/// Seconds of numbers that each have a unit that is known, smaller ones behind larger ones: `250 ms`, `1m30s`,
/// `1 hour and 5 minutes`.
pub(super) fn duration(text: &str) -> Option<f64> {
    let mut rest = text.trim();
    let mut seconds = 0.0;
    let mut before = f64::INFINITY;
    while !rest.is_empty() {
        let (sent, behind) = rest.split_at(end_of_number(rest));
        let behind = behind.trim_start();
        let end = behind.find(|letter: char| !letter.is_alphabetic()).unwrap_or(behind.len());
        let (unit, behind) = behind.split_at(end);
        let unit = seconds_of(unit).filter(|unit| *unit < before)?;
        seconds += number(sent)? * unit;
        before = unit;
        let behind = behind.trim_start_matches([',', ' ']);
        rest = behind.strip_prefix("and ").unwrap_or(behind);
    }
    (!text.trim().is_empty()).then_some(seconds)
}

/// Where the number with which a text begins ends, its power of ten among it.
fn end_of_number(text: &str) -> usize {
    let end_of = |from: usize, is_of: fn(u8) -> bool| {
        text.as_bytes()[from..].iter().position(|byte| !is_of(*byte)).map_or(text.len(), |end| from + end)
    };
    let end = end_of(0, |byte| byte.is_ascii_digit() || matches!(byte, b'.' | b','));
    let power = match &text.as_bytes()[end..] {
        [b'e' | b'E', b'+' | b'-', b'0'..=b'9', ..] => end + 2,
        [b'e' | b'E', b'0'..=b'9', ..] => end + 1,
        _ => return end,
    };
    end_of(power, |byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commas_part_thousands_or_are_a_decimal_point() {
        for (text, expected) in [
            ("1,234", Some(1234.0)),
            ("1,234,567.5", Some(1_234_567.5)),
            ("12,5", Some(12.5)),
            ("0,250", Some(0.25)),
            ("1,2345", Some(1.2345)),
            ("-1,000", Some(-1000.0)),
            ("1e3", Some(1000.0)),
            ("12.", Some(12.0)),
            ("1,234,5", None),
            ("00:01:30", None),
            ("ten", None),
            ("", None),
        ] {
            assert_eq!(number(text), expected, "{text}");
        }
    }

    #[test]
    fn durations_are_numbers_with_units() {
        for (text, expected) in [
            ("1m30s", Some(90.0)),
            ("1m 30.5 s", Some(90.5)),
            ("1h2m3s", Some(3723.0)),
            ("250 ms", Some(0.25)),
            ("1,500 MS", Some(1.5)),
            ("1e3ms", Some(1.0)),
            ("2.5E-1 hours", Some(900.0)),
            ("2 days", Some(172_800.0)),
            ("1 hour, 5 minutes and 2 s", Some(3902.0)),
            ("3 s, 5 s", None),
            ("1m30", None),
            ("10 pages", None),
            ("1:30 m", None),
            ("s", None),
            ("é", None),
            (" ", None),
        ] {
            assert_eq!(duration(text), expected, "{text}");
        }
    }
}
