//! Times in the layouts of Go, which show how the second of January 2006, 15:04:05, is to be written.

use std::fmt::Write as _;

use model::Timestamp;

pub(super) const MONTHS: [&str; 12] = [
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

/// From the day of the epoch on.
pub(super) const DAYS: [&str; 7] =
    ["Thursday", "Friday", "Saturday", "Sunday", "Monday", "Tuesday", "Wednesday"];

/// What is written in the place of what. Longer ones first.
const PARTS: [(&str, Part); 30] = [
    ("January", Part::Month),
    ("Monday", Part::Weekday),
    ("-07:00", Part::Zone("+00:00")),
    ("Z07:00", Part::Zone("Z")),
    ("-0700", Part::Zone("+0000")),
    ("Z0700", Part::Zone("Z")),
    ("2006", Part::Year),
    ("Jan", Part::ShortMonth),
    ("Mon", Part::ShortWeekday),
    ("MST", Part::Zone("UTC")),
    ("-07", Part::Zone("+00")),
    ("Z07", Part::Zone("Z")),
    ("002", Part::DayOfYear),
    ("01", Part::Padded(Field::Month)),
    ("02", Part::Padded(Field::Day)),
    ("03", Part::Padded(Field::Hour12)),
    ("04", Part::Padded(Field::Minute)),
    ("05", Part::Padded(Field::Second)),
    ("06", Part::ShortYear),
    ("15", Part::Padded(Field::Hour)),
    ("PM", Part::Noon("AM", "PM")),
    ("pm", Part::Noon("am", "pm")),
    ("_2", Part::Spaced(Field::Day)),
    ("1", Part::Plain(Field::Month)),
    ("2", Part::Plain(Field::Day)),
    ("3", Part::Plain(Field::Hour12)),
    ("4", Part::Plain(Field::Minute)),
    ("5", Part::Plain(Field::Second)),
    (".0", Part::Fraction { shortens: false }),
    (".9", Part::Fraction { shortens: true }),
];

#[derive(Clone, Copy)]
enum Part {
    Year,
    ShortYear,
    Month,
    ShortMonth,
    Weekday,
    ShortWeekday,
    DayOfYear,
    Noon(&'static str, &'static str),
    /// All times are in UTC.
    Zone(&'static str),
    Plain(Field),
    Padded(Field),
    Spaced(Field),
    /// Of a second, with as many digits as there are.
    Fraction {
        shortens: bool,
    },
}

#[derive(Clone, Copy)]
enum Field {
    Month,
    Day,
    Hour,
    Hour12,
    Minute,
    Second,
}

/// The numbers of a time.
struct Numbers {
    year: i64,
    month: i64,
    day: i64,
    hour: i64,
    minute: i64,
    second: i64,
    nanos: i64,
    days: i64,
    day_of_year: i64,
}

impl Numbers {
    fn of(time: Timestamp) -> Option<Self> {
        // RFC 3339: its numbers stand at fixed places.
        let text = time.to_string();
        let part = |from: usize, to: usize| text.get(from..to)?.parse().ok();
        let days_of = |time: Timestamp| time.as_nanos().div_euclid(86_400_000_000_000);
        let year = part(0, 4)?;
        let first = Timestamp::parse_rfc3339(&format!("{year:04}-01-01T00:00:00Z")).ok()?;
        Some(Self {
            year,
            month: part(5, 7)?,
            day: part(8, 10)?,
            hour: part(11, 13)?,
            minute: part(14, 16)?,
            second: part(17, 19)?,
            nanos: time.as_nanos().rem_euclid(1_000_000_000),
            days: days_of(time),
            day_of_year: days_of(time) - days_of(first) + 1,
        })
    }

    fn field(&self, field: Field) -> i64 {
        match field {
            Field::Month => self.month,
            Field::Day => self.day,
            Field::Hour => self.hour,
            Field::Hour12 => (self.hour + 11) % 12 + 1,
            Field::Minute => self.minute,
            Field::Second => self.second,
        }
    }

    fn write(&self, part: Part, digits: usize, into: &mut String) {
        let named = |names: &[&'static str], at: i64| {
            usize::try_from(at).ok().and_then(|at| names.get(at)).copied().unwrap_or_default()
        };
        let month = named(&MONTHS, self.month - 1);
        let weekday = named(&DAYS, self.days.rem_euclid(7));
        _ = match part {
            Part::Year => write!(into, "{:04}", self.year),
            Part::ShortYear => write!(into, "{:02}", self.year % 100),
            Part::Month => write!(into, "{month}"),
            Part::ShortMonth => write!(into, "{}", month.get(..3).unwrap_or_default()),
            Part::Weekday => write!(into, "{weekday}"),
            Part::ShortWeekday => write!(into, "{}", weekday.get(..3).unwrap_or_default()),
            Part::DayOfYear => write!(into, "{:03}", self.day_of_year),
            Part::Noon(before, after) => write!(into, "{}", if self.hour < 12 { before } else { after }),
            Part::Zone(zone) => write!(into, "{zone}"),
            Part::Plain(field) => write!(into, "{}", self.field(field)),
            Part::Padded(field) => write!(into, "{:02}", self.field(field)),
            Part::Spaced(field) => write!(into, "{:2}", self.field(field)),
            Part::Fraction { shortens } => {
                let nanos = format!("{:09}", self.nanos);
                let shown = nanos.get(..digits).unwrap_or(&nanos);
                let shown = if shortens { shown.trim_end_matches('0') } else { shown };
                if shown.is_empty() { Ok(()) } else { write!(into, ".{shown}") }
            }
        };
    }
}

/// Which day of its year it is.
pub(super) fn day_of_year(time: Timestamp) -> Option<i64> {
    Numbers::of(time).map(|numbers| numbers.day_of_year)
}

/// A time in a layout.
pub(super) fn formatted(time: Timestamp, layout: &str) -> String {
    let Some(numbers) = Numbers::of(time) else { return time.to_string() };
    let mut text = String::with_capacity(layout.len());
    let mut rest = layout;
    while let Some(first) = rest.chars().next() {
        match part_of(rest) {
            Some((part, length)) => {
                numbers.write(part, length - 1, &mut text);
                rest = &rest[length..];
            }
            None => {
                text.push(first);
                rest = &rest[first.len_utf8()..];
            }
        }
    }
    text
}

/// The part that a layout begins with, and how long that is written.
fn part_of(layout: &str) -> Option<(Part, usize)> {
    // `_2006` is a line and a year.
    if layout.starts_with("_2006") {
        return None;
    }
    let (written, part) = PARTS.iter().find(|(written, _)| layout.starts_with(written))?;
    let rest = &layout[written.len()..];
    match part {
        // `Month` is a word of its own.
        Part::ShortMonth | Part::ShortWeekday if rest.starts_with(|c: char| c.is_ascii_lowercase()) => None,
        Part::Fraction { .. } => {
            let digit = &written[1..];
            let more = rest.len() - rest.trim_start_matches(digit).len();
            let ends = !rest[more..].starts_with(|c: char| c.is_ascii_digit());
            ends.then_some((*part, written.len() + more))
        }
        _ => Some((*part, written.len())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn layouts_show_how_a_time_is_written() {
        let time = Timestamp::from_millis(1_754_083_805_120);
        let cases = [
            ("2006-01-02T15:04:05Z07:00", "2025-08-01T21:30:05Z"),
            ("Mon, 02 Jan 2006 15:04:05 MST", "Fri, 01 Aug 2025 21:30:05 UTC"),
            ("Monday January _2 3:04PM 06", "Friday August  1 9:30PM 25"),
            ("15:04:05.000 -0700", "21:30:05.120 +0000"),
            ("05.999999", "05.12"),
            ("002/1/2 pm", "213/8/1 pm"),
            ("_2006 Month été", "_2025 Month été"),
            ("", ""),
        ];
        for (layout, expected) in cases {
            assert_eq!(formatted(time, layout), expected, "{layout}");
        }
        assert_eq!(formatted(Timestamp::from_millis(0), "3:04 AM .99"), "12:00 AM ");
    }
}
