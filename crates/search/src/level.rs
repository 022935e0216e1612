//! How grave a log record is.

use std::fmt;

/// The severity of a log record, from the least to the gravest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Level {
    /// Single steps, for those who look for a fault in one.
    Trace,
    /// For those who develop.
    Debug,
    /// What goes on.
    Info,
    /// What may become a fault.
    Warn,
    /// What failed.
    Error,
    /// What ended the program, or should have.
    Fatal,
}

impl Level {
    /// All of them, from the least.
    pub const ALL: [Self; 6] = [Self::Trace, Self::Debug, Self::Info, Self::Warn, Self::Error, Self::Fatal];

    /// The name in lower case, which is how it is written.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Trace => "trace",
            Self::Debug => "debug",
            Self::Info => "info",
            Self::Warn => "warn",
            Self::Error => "error",
            Self::Fatal => "fatal",
        }
    }

    /// By its name or another usual one, whatever its case.
    pub fn parse(text: &str) -> Option<Self> {
        let name = text.to_ascii_lowercase();
        match name.as_str() {
            "warning" => Some(Self::Warn),
            "err" => Some(Self::Error),
            "critical" | "crit" => Some(Self::Fatal),
            "information" => Some(Self::Info),
            _ => Self::ALL.into_iter().find(|level| level.name() == name),
        }
    }

    /// By OpenTelemetry's number of a severity: four numbers for each level, from 1 to 24.
    pub fn from_severity_number(number: i32) -> Option<Self> {
        let place = usize::try_from(number.checked_sub(1)? / 4).ok()?;
        if number < 1 { None } else { Self::ALL.get(place).copied() }
    }
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn levels_are_known_by_all_their_usual_names() {
        let cases = [
            ("warn", Some(Level::Warn)),
            ("WARNING", Some(Level::Warn)),
            ("Err", Some(Level::Error)),
            ("error", Some(Level::Error)),
            ("critical", Some(Level::Fatal)),
            ("FATAL", Some(Level::Fatal)),
            ("information", Some(Level::Info)),
            ("eror", None),
            ("", None),
        ];
        for (text, level) in cases {
            assert_eq!(Level::parse(text), level, "{text}");
        }
        assert!(Level::ALL.is_sorted());
        assert!(Level::ALL.iter().all(|level| Level::parse(level.name()) == Some(*level)));
    }

    #[test]
    fn severity_numbers_of_opentelemetry_are_levels() {
        let cases = [
            (0, None),
            (-3, None),
            (1, Some(Level::Trace)),
            (9, Some(Level::Info)),
            (12, Some(Level::Info)),
            (13, Some(Level::Warn)),
            (17, Some(Level::Error)),
            (24, Some(Level::Fatal)),
            (25, None),
            (i32::MIN, None),
        ];
        for (number, level) in cases {
            assert_eq!(Level::from_severity_number(number), level, "{number}");
        }
    }
}
