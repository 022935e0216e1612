//! How the lines of a log are read.

use jiff::tz::TimeZone;
use model::event::Origin;

use super::pattern::LinePattern;
use crate::otlp::rows::RowLimits;

/// How lines look.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum LogFormat {
    /// Each line as it looks.
    #[default]
    Auto,
    /// A JSON object a line.
    Json,
    /// `key=value` pairs.
    Logfmt,
    /// A time, a level and a logger, as far as they are there, then the message.
    Text,
    /// Requests as web servers write them.
    Access,
    /// The whole line is the message.
    Plain,
    /// As a pattern says.
    Pattern,
}

impl LogFormat {
    /// Its name in settings and labels.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::Json => "json",
            Self::Logfmt => "logfmt",
            Self::Text => "text",
            Self::Access => "access",
            Self::Plain => "plain",
            Self::Pattern => "pattern",
        }
    }
}

/// Which lines belong to the record before.
#[derive(Clone, Debug, Default)]
pub enum Multiline {
    /// Those that are indented, and those of stack traces.
    #[default]
    Auto,
    /// None.
    Off,
    /// All that do not match: what matches begins a record.
    Start(regex::Regex),
}

/// A pattern that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum PatternError {
    /// It is no regular expression.
    #[error("`{pattern}` is not a regular expression that can be used")]
    Regex {
        /// The pattern.
        pattern: String,
        /// What is wrong with it.
        #[source]
        source: regex::Error,
    },
    /// Nothing of a line would be taken.
    #[error("the pattern `{0}` has no named group, as `(?<message>.*)`")]
    NoGroups(String),
    /// A line is read in one way.
    #[error("the format `{0}` takes no pattern: leave one of the two out")]
    TwoWays(&'static str),
    /// A format is missing what it needs.
    #[error("the format `pattern` needs a `pattern`")]
    NoPattern,
}

/// The largest program that a pattern may become.
const MAX_REGEX_BYTES: usize = 1 << 20;

/// Compiles a pattern within bounds.
pub(super) fn compile(pattern: &str) -> Result<regex::Regex, PatternError> {
    regex::RegexBuilder::new(pattern)
        .size_limit(MAX_REGEX_BYTES)
        .build()
        .map_err(|source| PatternError::Regex { pattern: pattern.to_owned(), source })
}

impl Multiline {
    /// Records that begin where `pattern` matches.
    pub fn start(pattern: &str) -> Result<Self, PatternError> {
        compile(pattern).map(Self::Start)
    }
}

/// How the lines of a log are read.
#[derive(Clone, Debug)]
pub struct LogOptions {
    /// How they look.
    pub format: LogFormat,
    /// How they look, where that is [`LogFormat::Pattern`].
    pub pattern: Option<LinePattern>,
    /// Which belong together.
    pub multiline: Multiline,
    /// The zone of times that have no offset.
    pub zone: TimeZone,
    /// What the log comes from, as far as lines do not say otherwise.
    pub origin: Origin,
    /// How much of a record is kept.
    pub limits: RowLimits,
}

impl LogOptions {
    /// Each line as it looks, times in `zone`.
    pub fn new(zone: TimeZone) -> Self {
        Self {
            format: LogFormat::Auto,
            pattern: None,
            multiline: Multiline::Auto,
            zone,
            origin: Origin::default(),
            // A line is no longer than that; `ingest` has limits of its own for what is kept of a text.
            limits: RowLimits { max_text_bytes: super::MAX_LINE_BYTES, ..RowLimits::default() },
        }
    }
}
