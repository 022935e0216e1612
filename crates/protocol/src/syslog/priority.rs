//! `<34>`: which part of a system speaks, and how severe it is.

use model::event::Level;

/// Facility and severity, each by its number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Priority(u8);

/// The largest one: the last facility, the last severity.
const LARGEST: u8 = 191;

const FACILITIES: [&str; 24] = [
    "kern", "user", "mail", "daemon", "auth", "syslog", "lpr", "news", "uucp", "cron", "authpriv", "ftp",
    "ntp", "audit", "alert", "clock", "local0", "local1", "local2", "local3", "local4", "local5", "local6",
    "local7",
];

/// The name of each severity, its level, and the number that OpenTelemetry has for that.
const SEVERITIES: [(&str, Level, u64); 8] = [
    ("emerg", Level::Fatal, 23),
    ("alert", Level::Fatal, 22),
    ("crit", Level::Fatal, 21),
    ("err", Level::Error, 17),
    ("warning", Level::Warn, 13),
    ("notice", Level::Info, 10),
    ("info", Level::Info, 9),
    ("debug", Level::Debug, 5),
];

impl Priority {
    pub(super) fn facility(self) -> &'static str {
        FACILITIES[usize::from(self.0 / 8)]
    }

    pub(super) fn severity(self) -> (&'static str, Level, u64) {
        SEVERITIES[usize::from(self.0 % 8)]
    }
}

/// The priority that a message begins with, and what follows it.
pub(super) fn read(text: &str) -> Option<(Priority, &str)> {
    let (number, rest) = text.strip_prefix('<')?.split_once('>')?;
    let is_number = (1..=3).contains(&number.len()) && number.bytes().all(|byte| byte.is_ascii_digit());
    let number: u8 = Some(number).filter(|_| is_number)?.parse().ok()?;
    (number <= LARGEST).then_some((Priority(number), rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_priority_is_a_facility_and_a_severity() {
        let read = |text| read(text).map(|(priority, _)| (priority.facility(), priority.severity().0));
        assert_eq!(read("<34>x"), Some(("auth", "crit")));
        assert_eq!(read("<0>"), Some(("kern", "emerg")));
        assert_eq!(read("<191>"), Some(("local7", "debug")));
        for text in ["<192>", "<>", "<+1>", "<0001>", "<1", "34>", "", "<é>"] {
            assert_eq!(read(text), None, "{text}");
        }
    }

    #[test]
    fn levels_are_those_of_the_names_and_of_the_numbers() {
        for (name, level, number) in SEVERITIES {
            assert_eq!(Level::from_text(name), Some(level), "{name}");
            assert_eq!(Level::from_severity(number), Some(level), "{name}");
        }
    }
}
