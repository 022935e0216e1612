//! How severe a record is, from what sources write.

use model::event::Level;

/// A level, and the number that OpenTelemetry gives it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Severity {
    pub(super) level: Level,
    pub(super) number: u64,
}

impl Severity {
    /// The first of the numbers of a level.
    pub(super) fn of(level: Level) -> Self {
        let number = match level {
            Level::Trace => 1,
            Level::Debug => 5,
            Level::Info => 9,
            Level::Warn => 13,
            Level::Error => 17,
            Level::Fatal => 21,
        };
        Self { level, number }
    }

    /// From a word, in whatever case: `WARNING`, `err`, `notice`.
    pub(super) fn of_word(word: &str) -> Option<Self> {
        Self::usual(word).or_else(|| Self::of_any_word(word))
    }

    /// From the words that as good as all loggers write; they need not be compared with all that there are.
    fn usual(word: &str) -> Option<Self> {
        Some(Self::of(match word {
            "INFO" | "info" => Level::Info,
            "DEBUG" | "debug" => Level::Debug,
            "WARNING" | "WARN" | "warning" | "warn" => Level::Warn,
            "ERROR" | "error" => Level::Error,
            "CRITICAL" | "critical" => Level::Fatal,
            _ => return None,
        }))
    }

    fn of_any_word(word: &str) -> Option<Self> {
        // Longer ones are no levels; asked of every word of every line.
        if !(3..=13).contains(&word.len()) || !word.as_bytes()[0].is_ascii_alphabetic() {
            return None;
        }
        let is = |name: &str| word.eq_ignore_ascii_case(name);
        if is("notice") {
            return Some(Self { level: Level::Info, number: 10 });
        }
        if is("log") {
            return Some(Self::of(Level::Info));
        }
        if is("success") {
            return Some(Self { level: Level::Info, number: 10 });
        }
        let word = match word.as_bytes() {
            // PostgreSQL has five of them: `DEBUG1`.
            [.., b'1'..=b'5'] if word.len() == 6 => &word[..5],
            _ => word,
        };
        Level::from_text(word).map(Self::of)
    }

    /// From a number under the key `level`: those of pino and bunyan.
    pub(super) fn of_pino(number: u64) -> Option<Self> {
        Some(Self::of(match number {
            10 => Level::Trace,
            20 => Level::Debug,
            30 => Level::Info,
            40 => Level::Warn,
            50 => Level::Error,
            60 => Level::Fatal,
            _ => return None,
        }))
    }

    /// From a `levelno` of Python.
    pub(super) fn of_python(number: u64) -> Option<Self> {
        Some(Self::of(match number {
            1..=9 => Level::Trace,
            10..=19 => Level::Debug,
            20..=29 => Level::Info,
            30..=39 => Level::Warn,
            40..=49 => Level::Error,
            50..=99 => Level::Fatal,
            _ => return None,
        }))
    }

    /// From a severity of syslog, 0 to 7, by OpenTelemetry's mapping.
    pub(super) fn of_syslog(number: u64) -> Option<Self> {
        let (level, number) = match number {
            0 => (Level::Fatal, 21),
            1 => (Level::Fatal, 19),
            2 => (Level::Fatal, 18),
            3 => (Level::Error, 17),
            4 => (Level::Warn, 13),
            5 => (Level::Info, 10),
            6 => (Level::Info, 9),
            7 => (Level::Debug, 5),
            _ => return None,
        };
        // Numbers of OpenTelemetry, but for the two between error and fatal, which are levels of ours.
        let number = if level == Level::Fatal { number.max(21) } else { number };
        Some(Self { level, number })
    }

    /// From the letter in front of lines of klog and glog, and the sign in those of Redis.
    pub(super) fn of_letter(letter: u8) -> Option<Self> {
        Some(Self::of(match letter {
            b'T' => Level::Trace,
            b'D' | b'.' => Level::Debug,
            b'I' | b'-' => Level::Info,
            b'*' => return Some(Self { level: Level::Info, number: 10 }),
            b'W' | b'#' => Level::Warn,
            b'E' => Level::Error,
            b'F' => Level::Fatal,
            _ => return None,
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn usual_words_are_the_levels_that_they_are_in_any_case() {
        let words = ["info", "debug", "warning", "warn", "error", "critical"];
        for word in words {
            let told = Severity::of_any_word(word);
            assert!(told.is_some(), "{word}");
            let (loud, mixed) = (word.to_uppercase(), format!("{}{}", word[..1].to_uppercase(), &word[1..]));
            assert_eq!(Severity::of_any_word(&loud), told, "{loud}");
            assert_eq!([word, loud.as_str()].map(Severity::usual), [told, told], "{word}");
            assert_eq!((Severity::usual(&mixed), Severity::of_word(&mixed)), (None, told), "{mixed}");
        }
        for other in ["", "inf", "infos", "INFO ", "nothing"] {
            assert_eq!(Severity::usual(other), None, "{other}");
            assert_eq!(Severity::of_word(other), None, "{other}");
        }
    }
}
