//! The trait that everything we fetch from implements, and how fetching fails.

use std::time::Duration;

use async_trait::async_trait;
use model::{MetricBatch, Timestamp};

/// An error of any library, as a cause.
pub type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// One thing that is looked at again and again.
#[async_trait]
pub trait Collector: Send {
    /// What kind of collector this is: `host`, `redis`.
    fn name(&self) -> &'static str;

    /// What it looks at: a host, an address, a queue.
    fn target(&self) -> &str;

    /// How often it looks.
    fn interval(&self) -> Duration;

    /// How long one pass may take. Longer than a short interval: a server that is slow to refuse
    /// should be quoted, not given up.
    fn time_limit(&self) -> Duration {
        self.interval().clamp(Duration::from_secs(5), Duration::from_secs(10))
    }

    /// Looks once. Every sample carries the time `now`. The runner marks the series that the pass
    /// before had and this one has not as ended, so a collector writes only what there is.
    async fn collect(&mut self, now: Timestamp) -> Result<MetricBatch, CollectError>;

    /// What is wrong with a part of what it looks at, although the last pass succeeded.
    fn remark(&self) -> Option<String> {
        None
    }

    /// What is known when [`collect`](Self::collect) has failed: an own `up` series, mostly.
    fn when_down(&self, _now: Timestamp) -> MetricBatch {
        MetricBatch::new()
    }
}

/// Why a pass gave nothing. The texts are written for the person who reads `/api/v1/collectors`.
#[derive(Debug, thiserror::Error)]
pub enum CollectError {
    /// There is nothing to watch here, and nobody asked for it by name: no fault.
    #[error("{0}; nobody has configured it, so this is no fault")]
    Absent(String),
    /// A server does not answer.
    #[error("cannot reach {what}")]
    Unreachable {
        /// Which server, with its address.
        what: String,
        /// Why.
        #[source]
        source: BoxError,
    },
    /// Something answered, but not what was asked for.
    #[error("cannot read {what}")]
    Read {
        /// What was to be read.
        what: String,
        /// Why not.
        #[source]
        source: BoxError,
    },
    /// Something was to be changed, and was not.
    #[error("cannot change {what}")]
    Change {
        /// What was to be changed.
        what: String,
        /// Why not.
        #[source]
        source: BoxError,
    },
    /// A service was asked, and is not as it should be.
    #[error("the probe of {target} failed")]
    Probe {
        /// What was asked, without any password.
        target: String,
        /// Why it failed, in plain words.
        #[source]
        source: BoxError,
    },
    /// What was found is not what the configuration says is there.
    #[error("{0}")]
    Mismatch(String),
    /// The pass took too long.
    #[error("gave up after {} s", .0.as_secs_f64())]
    TimedOut(Duration),
    /// An earlier pass hangs in the kernel.
    #[error("an earlier pass still waits for the kernel")]
    StillBusy,
    /// The collector panicked: a fault of ours.
    #[error("the collector failed inside: {0}")]
    Panicked(String),
}

impl CollectError {
    /// The innermost cause alone: `connection refused`.
    pub(crate) fn reason(&self) -> String {
        let mut innermost: &dyn std::error::Error = self;
        while let Some(cause) = innermost.source() {
            innermost = cause;
        }
        innermost.to_string()
    }

    /// The error and its causes, joined for people: `cannot reach redis at …: connection refused`.
    pub fn chain(&self) -> String {
        let mut text = self.to_string();
        let mut cause = std::error::Error::source(self);
        while let Some(error) = cause {
            text.push_str(": ");
            text.push_str(&error.to_string());
            cause = error.source();
        }
        text
    }
}
