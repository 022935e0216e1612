//! Times in the forms in which logs write them.

use model::Timestamp;

use super::clock::{Civil, Clock};

const MONTHS: [&[u8; 3]; 12] =
    [b"Jan", b"Feb", b"Mar", b"Apr", b"May", b"Jun", b"Jul", b"Aug", b"Sep", b"Oct", b"Nov", b"Dec"];

/// A time at the beginning of a text, and how many bytes it takes.
pub(super) fn leading(text: &[u8], clock: &mut Clock) -> Option<(Timestamp, usize)> {
    let mut scan = Scan { text, at: 0 };
    let civil = match text.first()? {
        b'0'..=b'9' => scan.usual().or_else(|| scan.numeric())?,
        b'A'..=b'Z' => scan.named(clock)?,
        _ => return None,
    };
    Some((clock.at(civil)?, scan.at))
}

/// A time of day with a fraction at the beginning of a text, as Logback writes it where it is told nothing else, and how
/// many bytes it takes. It is of the day that brings it nearest to the present.
pub(super) fn of_day(text: &[u8], clock: &mut Clock) -> Option<(Timestamp, usize)> {
    let [b'0'..=b'2', b'0'..=b'9', b':', ..] = text else { return None };
    let mut scan = Scan { text, at: 0 };
    let civil = scan.time_of_day(Civil { year: 0, month: 0, day: 0, second: 0, nanos: 0, offset: None })?;
    // Without a fraction it may as well be a score or a duration.
    if !matches!(text.get(8)?, b'.' | b',') || civil.offset.is_some() {
        return None;
    }
    let (year, month, day) = clock.day_of(civil.second);
    Some((clock.at(Civil { year, month, day, ..civil })?, scan.at))
}

/// A text that is a time and nothing else, or a number of seconds, milliseconds and so on since the epoch.
pub(super) fn whole(text: &str, clock: &mut Clock) -> Option<Timestamp> {
    // Most have nothing around them, and no time ends in what would be taken away.
    if let Some(time) = bare(text, clock) {
        return Some(time);
    }
    let whole = text;
    let text = text.trim().trim_matches(['[', ']']);
    if text.len() < whole.len()
        && let Some(time) = bare(text, clock)
    {
        return Some(time);
    }
    let is_number = text.len() >= 9 && text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    if is_number {
        return epoch(text.parse().ok()?);
    }
    Timestamp::parse_rfc3339(text).ok()
}

/// A text that is a time from its first byte to its last.
fn bare(text: &str, clock: &mut Clock) -> Option<Timestamp> {
    leading(text.as_bytes(), clock).filter(|(_, length)| *length == text.len()).map(|(time, _)| time)
}

/// A number of seconds, milliseconds and so on since the epoch.
pub(super) fn epoch(number: f64) -> Option<Timestamp> {
    // What is smaller is no time of a log: an uptime, a number of a line.
    if number < 1e8 { None } else { Timestamp::from_epoch_number(number).ok() }
}

struct Scan<'a> {
    text: &'a [u8],
    at: usize,
}

impl Scan<'_> {
    fn peek(&self) -> Option<u8> {
        self.text.get(self.at).copied()
    }

    fn take(&mut self, byte: u8) -> Option<()> {
        (self.peek()? == byte).then(|| self.at += 1)
    }

    fn take_any(&mut self, bytes: &[u8]) -> Option<u8> {
        let byte = self.peek().filter(|byte| bytes.contains(byte))?;
        self.at += 1;
        Some(byte)
    }

    /// A number of so many digits.
    fn number(&mut self, digits: usize) -> Option<i64> {
        let part = self.text.get(self.at..self.at + digits)?;
        let mut number = 0;
        for byte in part {
            if !byte.is_ascii_digit() {
                return None;
            }
            number = number * 10 + i64::from(byte - b'0');
        }
        self.at += digits;
        Some(number)
    }

    fn month(&mut self) -> Option<i64> {
        let name = self.text.get(self.at..self.at + 3)?;
        let month = (1..).zip(MONTHS).find(|(_, month)| *month == name)?.0;
        self.at += 3;
        Some(month)
    }

    /// `2025-08-01T21:30:00.5Z`, `2025-08-01 21:30:00,5`: what most lines begin with. Whatever differs from that is left to
    /// [`numeric`](Self::numeric), which reads these as well.
    fn usual(&mut self) -> Option<Civil> {
        let [y0, y1, y2, y3, b'-', m0, m1, b'-', d0, d1, b'T' | b' ', h0, h1, b':', n0, n1, b':', s0, s1] =
            self.text.first_chunk::<19>()?
        else {
            return None;
        };
        let [century, year, month, day, hour, minute, second] =
            [[y0, y1], [y2, y3], [m0, m1], [d0, d1], [h0, h1], [n0, n1], [s0, s1]].map(pair);
        let (hour, minute, second) = (hour?, minute?, second?);
        if hour >= 24 || minute >= 60 || second > 60 {
            return None;
        }
        let (year, month, day) = (century? * 100 + year?, month?, day?);
        self.at = 19;
        let nanos = self.fraction();
        let offset = self.offset();
        Some(Civil { year, month, day, second: hour * 3600 + minute * 60 + second, nanos, offset })
    }

    /// `2025-08-01T21:30:00.5Z`, `2025/08/01 21:30:00`, `01/Aug/2025:21:30:00 +0000`, `01 Aug 2025 21:30:00.000`.
    fn numeric(&mut self) -> Option<Civil> {
        if self.text.get(2).is_some_and(|byte| matches!(byte, b'/' | b' ')) {
            return self.day_first();
        }
        let year = self.number(4)?;
        let separator = self.take_any(b"-/.")?;
        let month = self.number(2)?;
        self.take(separator)?;
        let day = self.number(2)?;
        self.take_any(b"T t")?;
        self.time_of_day(Civil { year, month, day, second: 0, nanos: 0, offset: None })
    }

    fn day_first(&mut self) -> Option<Civil> {
        let day = self.number(2)?;
        let separator = self.take_any(b"/ ")?;
        let month = self.month()?;
        self.take(separator)?;
        let year = self.number(4)?;
        self.take_any(b": ")?;
        self.time_of_day(Civil { year, month, day, second: 0, nanos: 0, offset: None })
    }

    /// `Aug  1 21:30:00`, `Fri Aug  1 21:30:00.123456 2025`.
    fn named(&mut self, clock: &Clock) -> Option<Civil> {
        let has_weekday = self.text.get(3) == Some(&b' ') && self.text.get(7) == Some(&b' ');
        if has_weekday && MONTHS.iter().any(|month| self.text.get(4..7) == Some(&month[..])) {
            self.at = 4;
        }
        let month = self.month()?;
        self.take(b' ')?;
        let day = if self.take(b' ').is_some() { self.number(1)? } else { self.number(2)? };
        self.take(b' ')?;
        let year = clock.year_of(month, day);
        let civil = self.time_of_day(Civil { year, month, day, second: 0, nanos: 0, offset: None })?;
        let before = self.at;
        // A year, where one follows.
        let told = self.take(b' ').and_then(|()| self.number(4)).filter(|year| (1970..2200).contains(year));
        let is_end = self.peek().is_none_or(|byte| !byte.is_ascii_alphanumeric());
        match told {
            Some(year) if has_weekday && is_end => Some(Civil { year, ..civil }),
            _ => {
                self.at = before;
                Some(civil)
            }
        }
    }

    fn time_of_day(&mut self, civil: Civil) -> Option<Civil> {
        let hour = self.number(2).filter(|hour| *hour < 24)?;
        self.take(b':')?;
        let minute = self.number(2).filter(|minute| *minute < 60)?;
        self.take(b':')?;
        // A leap second is the first of the next minute.
        let second = self.number(2).filter(|second| *second <= 60)?;
        let nanos = self.fraction();
        let offset = self.offset();
        Some(Civil { second: hour * 3600 + minute * 60 + second, nanos, offset, ..civil })
    }

    /// What follows a point or a comma, in nanoseconds.
    fn fraction(&mut self) -> i64 {
        let is_fraction = self.peek().is_some_and(|byte| matches!(byte, b'.' | b',' | b':'))
            && self.text.get(self.at + 1).is_some_and(u8::is_ascii_digit);
        if !is_fraction {
            return 0;
        }
        self.at += 1;
        let (mut nanos, mut unit) = (0, 100_000_000);
        while let Some(digit) = self.peek().filter(u8::is_ascii_digit) {
            nanos += i64::from(digit - b'0') * unit;
            unit /= 10;
            self.at += 1;
        }
        nanos
    }

    /// `Z`, `+02:00`, ` +0200`, ` UTC`.
    fn offset(&mut self) -> Option<i64> {
        let before = self.at;
        if self.take_any(b"Zz").is_some() {
            return Some(0);
        }
        let is_apart = self.take(b' ').is_some();
        for name in [&b"UTC"[..], b"GMT"] {
            if self.text[self.at..].starts_with(name) {
                self.at += name.len();
                return Some(0);
            }
        }
        let offset = self.signed_offset(is_apart);
        if offset.is_none() {
            self.at = before;
        }
        offset
    }

    /// `+02:00`, `+0200`, and `+02` where nothing stands between it and the time.
    fn signed_offset(&mut self, is_apart: bool) -> Option<i64> {
        let sign = if self.take_any(b"+-")? == b'-' { -1 } else { 1 };
        let hours = self.number(2).filter(|hours| *hours <= 15)?;
        let has_colon = self.take(b':').is_some();
        let minutes = match self.number(2) {
            Some(minutes) => minutes,
            // ` -10 items` is no offset.
            None if has_colon || is_apart => return None,
            None => 0,
        };
        // What goes on is no offset.
        if self.peek().is_some_and(|byte| byte.is_ascii_alphanumeric()) {
            return None;
        }
        Some(sign * (hours * 3600 + minutes * 60))
    }
}

/// A number of two digits.
fn pair([tens, ones]: [&u8; 2]) -> Option<i64> {
    let digit = |byte: u8| byte.is_ascii_digit().then(|| i64::from(byte - b'0'));
    Some(digit(*tens)? * 10 + digit(*ones)?)
}

#[cfg(test)]
mod tests {
    use jiff::tz::TimeZone;

    use super::*;

    #[test]
    fn usual_times_are_read_as_all_others_are() {
        let texts = [
            "2025-08-01T21:30:00.000Z rest",
            "2025-08-01 21:30:00,123 - name",
            "2025-08-01T21:30:00.123456789+05:30",
            "2025-08-01 21:30:60 -10 items",
            "2025-12-31 23:59:59",
        ];
        let both = |text: &[u8]| {
            let mut scans = [Scan { text, at: 0 }, Scan { text, at: 0 }];
            let (usual, numeric) = (scans[0].usual(), scans[1].numeric());
            ((usual, scans[0].at), (numeric, scans[1].at))
        };
        for text in texts {
            let (usual, numeric) = both(text.as_bytes());
            assert!(usual.0.is_some(), "{text}");
            assert_eq!(usual, numeric, "{text}");
            // Whatever stands at any place: what is read is the same, and what is not is left to the other.
            for place in 0..text.len() {
                for byte in *b"0579-/.,:+ TtZz[\xff" {
                    let mut other = text.as_bytes().to_vec();
                    other[place] = byte;
                    let (usual, numeric) = both(&other);
                    assert!(usual.0.is_none() || usual == numeric, "{}", String::from_utf8_lossy(&other));
                    assert!(usual.0.is_some() || usual.1 == 0, "{}", String::from_utf8_lossy(&other));
                }
                let (usual, numeric) = both(&text.as_bytes()[..place]);
                assert!(usual.0.is_none() || usual == numeric, "{}", &text[..place]);
            }
        }
    }

    #[test]
    fn times_are_read_in_the_forms_of_logs_and_say_how_long_they_are() {
        let now = Timestamp::parse_rfc3339("2025-08-02T00:00:00Z").expect("a time");
        let mut clock = Clock::new(TimeZone::UTC, now);
        let cases = [
            ("2025-08-01T21:30:00.000Z rest", 24, "2025-08-01T21:30:00Z"),
            ("2025-08-01 21:30:00,123 - name", 23, "2025-08-01T21:30:00.123Z"),
            ("2025-08-01 21:30:00 +0200] [1]", 25, "2025-08-01T19:30:00Z"),
            ("2025-08-01 21:30:00.5 UTC [7]", 25, "2025-08-01T21:30:00.5Z"),
            ("2025-08-01 21:30:00 -10 items", 19, "2025-08-01T21:30:00Z"),
            ("2025/08/01 21:30:00 [error]", 19, "2025-08-01T21:30:00Z"),
            ("01/Aug/2025:21:30:00 +0000]", 26, "2025-08-01T21:30:00Z"),
            ("01 Aug 2025 21:30:00.123 * x", 24, "2025-08-01T21:30:00.123Z"),
            ("Aug  1 21:30:00 host x", 15, "2025-08-01T21:30:00Z"),
            ("Dec 31 21:30:00 host x", 15, "2024-12-31T21:30:00Z"),
            ("Fri Aug  1 21:30:00.25 2025] x", 27, "2025-08-01T21:30:00.25Z"),
        ];
        for (text, length, expected) in cases {
            let read = leading(text.as_bytes(), &mut clock).map(|(time, length)| (time.to_string(), length));
            assert_eq!(read, Some((expected.to_owned(), length)), "{text}");
        }
        for text in
            ["", "2025-08-01", "2025-13-01T00:00:00", "12:30:00", "Augustus", "99999", "2025-02-30 00:00:00"]
        {
            assert_eq!(leading(text.as_bytes(), &mut clock), None, "{text}");
        }
        for (text, expected) in [
            ("23:59:59.123 [main] x", Some("2025-08-01T23:59:59.123Z")),
            ("00:00:01,5 x", Some("2025-08-02T00:00:01.5Z")),
            ("12:30:00 x", None),
            ("24:00:00.1 x", None),
            ("12:30:00:1 x", None),
        ] {
            let read = of_day(text.as_bytes(), &mut clock).map(|(time, _)| time.to_string());
            assert_eq!(read.as_deref(), expected, "{text}");
        }
        let zone = "2025-08-01 21:30:00 +0200";
        for (before, after) in [("", ""), ("[", "]"), (" [", "] "), ("\u{a0}", "\t"), ("]", "[")] {
            let read = whole(&format!("{before}{zone}{after}"), &mut clock).map(|time| time.to_string());
            assert_eq!(read.as_deref(), Some("2025-08-01T19:30:00Z"), "{before}{after}");
        }
        for text in ["2025-08-01 21:30:00 x", "", "[]", " "] {
            assert_eq!(whole(text, &mut clock), None, "{text}");
        }
        assert_eq!(whole("1754083800.5", &mut clock).map(Timestamp::as_millis), Some(1_754_083_800_500));
        assert_eq!(whole("1234", &mut clock), None);
    }
}
