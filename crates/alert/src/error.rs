//! What can go wrong with alerts, in terms of what the caller can do about it.

use std::path::PathBuf;

use state::{AlertState, StateError};

/// A rule file that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum RuleError {
    /// It could not be read.
    #[error("the rule file {} could not be read", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// The cause.
        #[source]
        source: std::io::Error,
    },
    /// No file is there.
    #[error("no rule file is at `{pattern}`")]
    NoFile {
        /// The path or pattern.
        pattern: String,
    },
    /// It is larger than any rule file.
    #[error("the rule file {} is larger than {limit} bytes", path.display())]
    TooLarge {
        /// The file.
        path: PathBuf,
        /// The most bytes.
        limit: u64,
    },
    /// Something in it is wrong.
    #[error("{file}:{line}:{column}: {reason}")]
    Invalid {
        /// The file.
        file: String,
        /// The line, from 1.
        line: u64,
        /// The column, from 1.
        column: u64,
        /// What is wrong.
        reason: String,
    },
}

/// Alerting that could not be set up.
#[derive(Debug, thiserror::Error)]
pub enum AlertError {
    /// A channel is set up wrongly.
    #[error("the channel `{channel}` cannot be used: {reason}")]
    Channel {
        /// The channel.
        channel: String,
        /// Why.
        reason: String,
    },
    /// `[alerts] channels` names one that is not configured.
    #[error("[alerts] channels names `{name}`, and no such channel is configured")]
    UnknownChannel {
        /// The name.
        name: String,
    },
    /// A setting cannot be used.
    #[error("[alerts] {key} must be more than zero")]
    Zero {
        /// The setting.
        key: &'static str,
    },
    /// The counters could not be registered: two of us share one registry.
    #[error("the counters of alerts could not be registered")]
    Metrics(#[source] prometheus::Error),
    /// Stored states could not be read.
    #[error("stored alert states could not be read")]
    State(#[source] StateError),
}

/// Something that somebody wanted to do with an alert, and could not.
#[derive(Debug, thiserror::Error)]
pub enum ActionError {
    /// There is no such alert.
    #[error("there is no such alert")]
    NotFound,
    /// The alert is not in a state for it.
    #[error("an alert that is {state} cannot be {action}")]
    NotPossible {
        /// Where the alert is.
        state: AlertState,
        /// What was wanted.
        action: &'static str,
    },
    /// It could not be written down, so it has not happened.
    #[error("the change could not be stored")]
    Store(#[source] StateError),
    /// Watchkeeper is shutting down.
    #[error("alerting is shutting down")]
    Stopped,
}
