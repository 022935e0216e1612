//! Queues and the tasks in them.

use std::collections::BTreeMap;

use model::Timestamp;
use pipeline::QueueState;
use serde::Serialize;
use utoipa::ToSchema;

use super::{Show, shape};

/// A map by state, by the state's name.
impl<T> Show<BTreeMap<&'static str, T>> for BTreeMap<QueueState, T> {
    fn show(self) -> BTreeMap<&'static str, T> {
        self.into_iter().map(|(state, value)| (state.as_str(), value)).collect()
    }
}

shape! {
    /// A queue.
    Queue from pipeline::QueueView {
        /// Its name.
        queue: String,
        /// What kind of system holds it: `redis`; `events` when only jobs' events tell of it.
        system: String,
        /// When it was last looked at, or last heard of.
        #[schema(value_type = String, format = DateTime)]
        time: Timestamp,
        /// Whether it could be read.
        ok: bool,
        /// Whether a collector watches it; otherwise depths are counted from jobs' events.
        observed: bool,
        /// Tasks by state: `pending`, `processing`, `delayed`, `dead`.
        #[schema(value_type = BTreeMap<String, u64>)]
        depth: BTreeMap<&'static str, u64>,
        /// The age of the oldest task by state, in seconds.
        #[schema(value_type = BTreeMap<String, f64>)]
        oldest_age_seconds: BTreeMap<&'static str, f64>,
        /// Tasks that arrived since Watchkeeper started.
        enqueued_total: u64,
        /// Tasks that ended well since Watchkeeper started.
        completed_total: u64,
        /// Tasks that ended badly since Watchkeeper started.
        failed_total: u64,
        /// Tasks that arrive, per second.
        arrival_rate: Option<f64>,
        /// Tasks that end, per second.
        completion_rate: Option<f64>,
        /// How long until nothing is pending, in seconds, if no more arrives.
        drain_seconds: Option<f64>,
        /// Tasks that ended well among those that ended, 0 to 1.
        completion_ratio: Option<f64>,
    }
}

/// A queue with its first tasks.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct QueueDetail {
    /// The queue.
    #[serde(flatten)]
    pub(crate) queue: Queue,
    /// The first tasks of each state, oldest first.
    pub(crate) tasks: Vec<Task>,
}

/// A task in a queue; never its payload.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Task {
    /// Its id.
    pub(crate) id: String,
    /// `pending`, `processing`, `delayed` or `dead`.
    pub(crate) state: &'static str,
    /// How long it has been in this state, in seconds.
    pub(crate) age_seconds: f64,
    /// Its kind.
    pub(crate) kind: Option<String>,
    /// Its document.
    pub(crate) document_id: Option<String>,
    /// Its priority.
    pub(crate) priority: Option<f64>,
    /// When it was made.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub(crate) created_at: Option<Timestamp>,
    /// When it was first seen in this state.
    #[schema(value_type = String, format = DateTime)]
    pub(crate) first_seen: Timestamp,
    /// A hash of its payload, in hexadecimal.
    pub(crate) payload_hash: String,
    /// The size of its payload, in bytes.
    pub(crate) payload_bytes: u64,
    /// Its score, where the queue is a sorted set.
    pub(crate) score: Option<f64>,
    /// How many tasks of its state are before it in the order of the queue; that which is taken next has 0.
    pub(crate) position: Option<u64>,
}

impl QueueDetail {
    pub(crate) fn at(mut view: pipeline::QueueView, now: Timestamp) -> Self {
        let tasks = std::mem::take(&mut view.tasks);
        Self { queue: view.into(), tasks: tasks.into_iter().map(|task| Task::at(task, now)).collect() }
    }
}

impl Task {
    fn at(task: pipeline::QueueTask, now: Timestamp) -> Self {
        Self {
            age_seconds: task.age_seconds(now),
            id: task.id,
            state: task.state.as_str(),
            kind: task.kind,
            document_id: task.document_id,
            priority: task.priority,
            created_at: task.created_at,
            first_seen: task.first_seen,
            payload_hash: task.payload_hash,
            payload_bytes: task.payload_bytes,
            score: task.score,
            position: task.position,
        }
    }
}
