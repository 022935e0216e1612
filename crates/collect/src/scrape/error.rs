//! How scraping fails: a scrape, and a configuration.

use std::path::PathBuf;

use model::DurationText;
use protocol::exposition::ExpositionError;

use super::http::NoAnswer;

/// Why a scrape gave nothing. The texts are written for the person who reads the targets page.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub(super) enum ScrapeError {
    #[error("{0}")]
    Unreachable(String),
    #[error("no whole answer within {0}")]
    TimedOut(DurationText),
    #[error("no credentials within {0}: the server of `oauth2` does not answer, or a file cannot be read")]
    NoCredentials(DurationText),
    #[error("{0}")]
    Refused(String),
    #[error("{0}")]
    ContentType(String),
    #[error("the body has more than {0} bytes, which is the limit (body_size_limit, scraping.max_body)")]
    BodyTooLarge(usize),
    #[error(
        "the bodies that are being read take all of scraping.max_bodies: ask fewer large targets at once"
    )]
    NoRoom,
    #[error(
        "the body takes more than {0} bytes of memory, which is the share of scraping.max_bodies for one target"
    )]
    OverShare(usize),
    #[error("the body cannot be unpacked: {0}")]
    Encoding(String),
    #[error("the body cannot be read: {0}")]
    Malformed(#[from] ExpositionError),
    #[error("{0}")]
    Limit(String),
    #[error("{0}")]
    TargetLimit(String),
    #[error("what was scraped could not be stored: {0}")]
    Store(String),
    #[error("the scrape failed inside: {0}")]
    Panicked(String),
}

impl ScrapeError {
    /// Of a body whose type is none that is known.
    pub(super) fn of_type(content_type: &str) -> Self {
        const ADVICE: &str = "set `fallback_scrape_protocol` to what it is";
        if content_type.is_empty() {
            return Self::ContentType(format!("the answer does not say of what type its body is: {ADVICE}"));
        }
        let kind: String = content_type.chars().take(100).collect();
        Self::ContentType(format!("the type of the body, `{kind}`, is none that is known: {ADVICE}"))
    }

    /// Whether the body was larger than it may be.
    pub(super) const fn is_of_size(&self) -> bool {
        matches!(self, Self::BodyTooLarge(_) | Self::OverShare(_))
    }

    /// The value of the label `outcome`: a short, fixed list.
    pub(super) const fn outcome(&self) -> &'static str {
        match self {
            Self::Unreachable(_) => "unreachable",
            Self::TimedOut(_) | Self::NoCredentials(_) => "timed_out",
            Self::Refused(_) => "refused",
            Self::ContentType(_) => "content_type",
            Self::BodyTooLarge(_) | Self::NoRoom | Self::OverShare(_) => "body_too_large",
            Self::Encoding(_) | Self::Malformed(_) => "malformed",
            Self::Limit(_) => "limit",
            Self::TargetLimit(_) => "target_limit",
            Self::Store(_) => "not_stored",
            Self::Panicked(_) => "panicked",
        }
    }
}

impl From<NoAnswer> for ScrapeError {
    fn from(no_answer: NoAnswer) -> Self {
        match no_answer {
            NoAnswer::Unreachable(reason) => Self::Unreachable(reason),
            NoAnswer::Refused(reason) => Self::Refused(reason),
        }
    }
}

/// A configuration that cannot be scraped by.
#[derive(Debug, thiserror::Error)]
pub enum ScrapeSetupError {
    /// A file cannot be read.
    #[error("cannot read {path}")]
    Read {
        /// The file, or the pattern.
        path: PathBuf,
        /// Why not.
        #[source]
        source: std::io::Error,
    },
    /// A file is not what it should be.
    #[error("{file}:{line}:{column}: {reason}")]
    File {
        /// The file.
        file: String,
        /// The line, from 1.
        line: u64,
        /// The column, from 1.
        column: u64,
        /// What is wrong, and what to do.
        reason: String,
    },
    /// A job of `[[scrape]]` cannot be used.
    #[error("the job `{job}` in [[scrape]]: {reason}")]
    Job {
        /// Its name.
        job: String,
        /// What is wrong, and what to do.
        reason: String,
    },
    /// The counters could not be registered: two of us share one registry.
    #[error("the counters of scraping could not be registered")]
    Metrics(#[source] prometheus::Error),
}

/// An error and its causes, joined for people.
pub(super) fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(": ");
        text.push_str(&error.to_string());
        cause = error.source();
    }
    text
}
