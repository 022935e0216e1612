//! The sections `[tailing]` and `[[logs]]`.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::tz::TimeZone;
use model::DurationText;
use model::event::Origin;
use protocol::logs::{LinePattern, LogFormat, LogOptions, Multiline, PatternError};
use serde::{Deserialize, Serialize};

/// The section `[tailing]`: what holds for all log files.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct TailingConfig {
    /// How often files are looked at.
    #[schemars(with = "String")]
    pub interval: DurationText,
    /// How often it is looked for new files.
    #[schemars(with = "String")]
    pub discover_interval: DurationText,
    /// The most files that are open; more are not read, and counted.
    pub max_files: usize,
    /// How long a file that was renamed or removed is still read: its writer may not have noticed yet.
    #[schemars(with = "String")]
    pub grace: DurationText,
}

impl Default for TailingConfig {
    fn default() -> Self {
        Self {
            interval: DurationText(Duration::from_millis(250)),
            discover_interval: DurationText(Duration::from_secs(5)),
            max_files: 1000,
            grace: DurationText(Duration::from_secs(60)),
        }
    }
}

/// An entry of `[[logs]]`: files that are tailed.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct LogsConfig {
    /// The files: absolute paths, in which `*` and `?` stand for parts of a name and `**` for any folders. Files that
    /// rotation has compressed are passed over.
    pub paths: Vec<String>,
    /// Files that are not read although `paths` names them.
    pub exclude: Vec<String>,
    /// The service that writes them; by default the name of the file without its ending.
    pub service: Option<String>,
    /// How lines look.
    pub format: LineFormat,
    /// A regular expression with named groups, for the format `pattern`: `time`, `level`, `logger`, `message`, and any
    /// other name for an attribute.
    pub pattern: Option<String>,
    /// Whether lines that belong together are joined: those that are indented, and those of stack traces.
    pub multiline: Joining,
    /// A regular expression: lines that match it begin a record, all others belong to the one before.
    pub multiline_start: Option<String>,
    /// The zone of times that are written without one, as `Europe/Berlin`; by default that of this machine.
    pub time_zone: Option<String>,
    /// Where files begin to be read that are there when they are read for the first time. Files that come later are
    /// read from their beginning.
    pub from: StartAt,
    /// Attributes of every record.
    pub attributes: BTreeMap<String, String>,
}

/// How lines look.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum LineFormat {
    /// Each as it looks, or as `pattern` says where there is one.
    #[default]
    Auto,
    /// A JSON object a line.
    Json,
    /// `key=value` pairs.
    Logfmt,
    /// A time, a level and a logger, then the message.
    Text,
    /// Requests as web servers write them.
    Access,
    /// The line is the message.
    Plain,
    /// As `pattern` says.
    Pattern,
}

/// Whether lines that belong together are joined.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Joining {
    /// They are.
    #[default]
    Auto,
    /// Each line is a record.
    Off,
}

/// Where a file that is read for the first time begins to be read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum StartAt {
    /// At what is written from now on.
    #[default]
    End,
    /// At its first line.
    Beginning,
}

/// An entry of `[[logs]]` that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum TailSetupError {
    /// It names no files.
    #[error("`paths` names no file")]
    NoPaths,
    /// A path starts nowhere.
    #[error("the path `{0}` is not absolute: where it starts would depend on where Watchkeeper was started")]
    Relative(String),
    /// A pattern is wrong.
    #[error(transparent)]
    Pattern(#[from] PatternError),
    /// There is no such zone.
    #[error(
        "`{0}` is not the name of a time zone that this machine knows: write it like Europe/Berlin or UTC"
    )]
    Zone(String),
    /// The counters could not be registered: two of us share one registry.
    #[error("the counters of tailing could not be registered")]
    Metrics(#[source] prometheus::Error),
}

impl LineFormat {
    fn format(self) -> LogFormat {
        match self {
            Self::Auto => LogFormat::Auto,
            Self::Json => LogFormat::Json,
            Self::Logfmt => LogFormat::Logfmt,
            Self::Text => LogFormat::Text,
            Self::Access => LogFormat::Access,
            Self::Plain => LogFormat::Plain,
            Self::Pattern => LogFormat::Pattern,
        }
    }
}

impl LogsConfig {
    /// How lines are read, without what they come from.
    pub fn options(&self) -> Result<LogOptions, TailSetupError> {
        let zone = match &self.time_zone {
            Some(name) => TimeZone::get(name).map_err(|_| TailSetupError::Zone(name.clone()))?,
            None => TimeZone::system(),
        };
        let pattern = self.pattern.as_deref().map(LinePattern::new).transpose()?;
        let format = match (self.format, &pattern) {
            (LineFormat::Auto | LineFormat::Pattern, Some(_)) => LogFormat::Pattern,
            (LineFormat::Pattern, None) => return Err(PatternError::NoPattern.into()),
            (format, Some(_)) => return Err(PatternError::TwoWays(format.format().as_str()).into()),
            (format, None) => format.format(),
        };
        let multiline = match (&self.multiline_start, self.multiline) {
            (Some(start), _) => Multiline::start(start)?,
            (None, Joining::Auto) => Multiline::Auto,
            (None, Joining::Off) => Multiline::Off,
        };
        let origin = Origin { service: self.service.clone(), ..Origin::default() };
        Ok(LogOptions { format, pattern, multiline, origin, ..LogOptions::new(zone) })
    }

    /// Refuses what nothing could be read by.
    pub fn check(&self) -> Result<(), TailSetupError> {
        if self.paths.is_empty() {
            return Err(TailSetupError::NoPaths);
        }
        if let Some(path) = self.paths.iter().chain(&self.exclude).find(|path| !path.starts_with('/')) {
            return Err(TailSetupError::Relative(path.clone()));
        }
        self.options().map(|_| ())
    }
}
