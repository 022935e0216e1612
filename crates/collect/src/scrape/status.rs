//! How targets do, for the targets page.

use std::sync::Arc;
use std::time::Duration;

use model::{Labels, MetricMetadata, Timestamp};

/// Whether a target could be scraped.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Health {
    /// It was not scraped yet.
    #[default]
    Unknown,
    /// The last scrape succeeded.
    Up,
    /// It did not.
    Down,
}

impl Health {
    /// The name, as Prometheus writes it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Unknown => "unknown",
            Self::Up => "up",
            Self::Down => "down",
        }
    }
}

/// How a target does.
#[derive(Clone, Debug, PartialEq)]
pub struct TargetStatus {
    /// The job.
    pub pool: String,
    /// The labels that it was found with.
    pub discovered: Labels,
    /// The labels of its series.
    pub labels: Labels,
    /// What is asked for.
    pub url: String,
    /// Whether it could be scraped.
    pub health: Health,
    /// Why it could not.
    pub last_error: Option<String>,
    /// When it was scraped last.
    pub last_scrape: Option<Timestamp>,
    /// How long that took.
    pub last_duration: Duration,
    /// How often it is scraped.
    pub interval: Duration,
    /// How long a scrape may take.
    pub timeout: Duration,
}

/// A target that relabelling dropped.
#[derive(Clone, Debug, PartialEq)]
pub struct DroppedTarget {
    /// The job.
    pub pool: String,
    /// The labels that it was found with.
    pub discovered: Labels,
}

/// How a job does.
#[derive(Clone, Debug, PartialEq)]
pub struct PoolStatus {
    /// Its name.
    pub name: String,
    /// How many of its targets relabelling dropped.
    pub dropped: usize,
    /// What is wrong with finding its targets.
    pub problem: Option<String>,
}

/// What a target says of its families.
#[derive(Clone, Debug)]
pub struct TargetMetadata {
    /// The labels of its series.
    pub target: Labels,
    /// What it says.
    pub metadata: Arc<Vec<MetricMetadata>>,
}
