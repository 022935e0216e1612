//! What is known of one queue, as plain data.

use std::collections::BTreeMap;

use model::Timestamp;

/// Where in a queue a task is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum QueueState {
    /// It waits.
    Pending,
    /// Somebody took it.
    Processing,
    /// It waits for a time to come.
    Delayed,
    /// It was given up: a dead letter.
    Dead,
}

impl QueueState {
    /// Every state.
    pub const ALL: &[Self] = &[Self::Pending, Self::Processing, Self::Delayed, Self::Dead];

    /// The state as it is written: the value of the label `state`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Processing => "processing",
            Self::Delayed => "delayed",
            Self::Dead => "dead",
        }
    }
}

/// A task in a queue. Never its payload: only the payload's hash and size.
#[derive(Clone, Debug, PartialEq)]
pub struct QueueTask {
    /// Its id.
    pub id: String,
    /// Its kind.
    pub kind: Option<String>,
    /// Its document.
    pub document_id: Option<String>,
    /// Its priority, as its payload has it.
    pub priority: Option<f64>,
    /// When it was made, as its payload has it.
    pub created_at: Option<Timestamp>,
    /// When the collector first saw it in this state.
    pub first_seen: Timestamp,
    /// Where it is.
    pub state: QueueState,
    /// A hash of its payload, in hex.
    pub payload_hash: String,
    /// The size of its payload, in bytes.
    pub payload_bytes: u64,
    /// Its score, where the queue is a sorted set.
    pub score: Option<f64>,
    /// How many tasks of its state are before it in the order of the queue, where that was read: the
    /// task that is taken next has 0.
    pub position: Option<u64>,
}

impl QueueTask {
    /// How long it has been in its state, in seconds: since it was made while it is pending, since it
    /// was first seen otherwise.
    pub fn age_seconds(&self, now: Timestamp) -> f64 {
        let since = match self.state {
            QueueState::Pending | QueueState::Dead => self.created_at.unwrap_or(self.first_seen),
            QueueState::Processing | QueueState::Delayed => self.first_seen,
        };
        now.since(since).as_secs_f64()
    }
}

/// What a collector saw of a queue in one look.
///
/// The collector itself writes `queue_depth` and `queue_oldest_age_seconds` to the store; the pipeline
/// writes what is derived: the totals, the rates, the drain time, the completion ratio and the wait.
#[derive(Clone, Debug, PartialEq)]
pub struct QueueSnapshot {
    /// The queue's name.
    pub queue: String,
    /// What kind of system holds it: `redis`.
    pub system: String,
    /// When it was looked at.
    pub time: Timestamp,
    /// Tasks by state; a state that this queue does not have is absent.
    pub depth: BTreeMap<QueueState, u64>,
    /// The first tasks of each state, oldest first; bounded by the collector.
    pub tasks: Vec<QueueTask>,
    /// The age of the oldest task by state, in seconds.
    pub oldest_age_seconds: BTreeMap<QueueState, f64>,
    /// Tasks that the collector has seen arrive since it began; `None` when it cannot tell.
    pub enqueued_total: Option<u64>,
    /// Tasks that the collector has seen end well since it began; `None` when it cannot tell.
    pub completed_total: Option<u64>,
    /// Tasks that the collector has seen end badly since it began; `None` when it cannot tell.
    pub failed_total: Option<u64>,
    /// Whether the queue could be read. When it could not, the rest is from the last time.
    pub ok: bool,
}

/// What is known of a queue.
#[derive(Clone, Debug, PartialEq)]
pub struct QueueView {
    /// The queue's name.
    pub queue: String,
    /// What kind of system holds it; `events` when only jobs' events tell of it.
    pub system: String,
    /// When it was last looked at, or last heard of.
    pub time: Timestamp,
    /// Whether it could be read.
    pub ok: bool,
    /// Whether a collector watches it; otherwise depths are counted from jobs' events.
    pub observed: bool,
    /// Tasks by state.
    pub depth: BTreeMap<QueueState, u64>,
    /// The age of the oldest task by state, in seconds.
    pub oldest_age_seconds: BTreeMap<QueueState, f64>,
    /// The first tasks of each state, oldest first.
    pub tasks: Vec<QueueTask>,
    /// Tasks that arrived since Watchkeeper started.
    pub enqueued_total: u64,
    /// Tasks that ended well since Watchkeeper started.
    pub completed_total: u64,
    /// Tasks that ended badly since Watchkeeper started.
    pub failed_total: u64,
    /// Tasks that arrive, per second; `None` until a window has been seen.
    pub arrival_rate: Option<f64>,
    /// Tasks that end, well or badly, per second; `None` until a window has been seen.
    pub completion_rate: Option<f64>,
    /// Whether a task ended, well or badly, within the last minute; `None` until a minute has been seen.
    pub ended_lately: Option<bool>,
    /// How long until nothing is pending, in seconds, if no more arrives; `None` when nothing ends.
    pub drain_seconds: Option<f64>,
    /// Tasks that ended well among those that ended, 0 to 1; `None` when none has ended.
    pub completion_ratio: Option<f64>,
}

impl QueueView {
    /// Tasks in a state.
    pub fn depth_of(&self, state: QueueState) -> u64 {
        self.depth.get(&state).copied().unwrap_or(0)
    }
}
