//! What the server shows at one moment, as typed shapes.
//!
//! Only the fields that are drawn. A field that is missing is empty, one that is not known is passed
//! over, and an item that cannot be read is left out and counted, so that a newer or an older server
//! still gives a picture.

use std::collections::BTreeMap;

use model::Timestamp;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

/// Everything that is drawn.
#[derive(Clone, Debug, Default)]
pub(crate) struct Picture {
    /// The server's clock when it answered; ages are reckoned from it, so that a laptop whose clock
    /// is wrong shows right ages.
    pub(crate) time: Timestamp,
    pub(crate) counts: JobCounts,
    pub(crate) queues: Vec<Queue>,
    pub(crate) workers: Vec<Worker>,
    /// Running, waiting, and lately ended jobs.
    pub(crate) jobs: Vec<Job>,
    pub(crate) alerts: Vec<Alert>,
    pub(crate) hosts: Vec<Host>,
    pub(crate) collectors: Vec<Collector>,
    pub(crate) rules: Vec<Rule>,
    pub(crate) past: Past,
    /// Items that could not be read.
    pub(crate) unread: usize,
}

/// The last minutes, a point each half minute, by name.
#[derive(Clone, Debug, Default)]
pub(crate) struct Past {
    /// Tasks that wait, by queue.
    pub(crate) pending: Series,
    /// Resident bytes of each group of processes.
    pub(crate) group_memory: Series,
    /// CPU of each group; 1 is one core.
    pub(crate) group_cpu: Series,
    /// Members of each group.
    pub(crate) group_count: Series,
    /// Share of the processors in use, by host.
    pub(crate) host_cpu: Series,
    /// Resident bytes, by worker.
    pub(crate) worker_memory: Series,
}

/// Points by name; a point that is missing is NaN.
pub(crate) type Series = BTreeMap<String, Vec<f64>>;

/// The list in `answer`, and how many of its items could not be read.
pub(crate) fn items<T: DeserializeOwned>(mut answer: Value) -> (Vec<T>, usize) {
    let all = answer["items"].as_array_mut().map(std::mem::take).unwrap_or_default();
    let count = all.len();
    let read: Vec<T> = all.into_iter().filter_map(|item| serde_json::from_value(item).ok()).collect();
    let unread = count - read.len();
    (read, unread)
}

#[derive(Clone, Copy, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct JobCounts {
    pub(crate) pending: u64,
    pub(crate) running: u64,
    pub(crate) completed: u64,
    pub(crate) failed: u64,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Queue {
    pub(crate) queue: String,
    pub(crate) ok: bool,
    pub(crate) depth: BTreeMap<String, u64>,
    pub(crate) oldest_age_seconds: BTreeMap<String, f64>,
    pub(crate) completed_total: u64,
    pub(crate) failed_total: u64,
    pub(crate) arrival_rate: Option<f64>,
    pub(crate) completion_rate: Option<f64>,
    pub(crate) drain_seconds: Option<f64>,
    pub(crate) completion_ratio: Option<f64>,
}

impl Queue {
    /// Tasks in a state.
    pub(crate) fn depth(&self, state: &str) -> u64 {
        self.depth.get(state).copied().unwrap_or(0)
    }
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Worker {
    pub(crate) worker_id: String,
    pub(crate) status: String,
    pub(crate) is_healthy: Option<bool>,
    pub(crate) host: Option<String>,
    pub(crate) started_at: Option<Timestamp>,
    pub(crate) stopped_at: Option<Timestamp>,
    pub(crate) stop_reason: Option<String>,
    pub(crate) last_heartbeat_at: Option<Timestamp>,
    pub(crate) restarts: u64,
    pub(crate) crashes: u64,
    pub(crate) last_crash_at: Option<Timestamp>,
    pub(crate) job_id: Option<String>,
    pub(crate) active_tasks: Option<u64>,
    pub(crate) completed_tasks: Option<u64>,
    pub(crate) failed_tasks: Option<u64>,
    pub(crate) cpu_percent: Option<f64>,
    pub(crate) memory_rss_bytes: Option<f64>,
    pub(crate) gpu_percent: Option<f64>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Job {
    pub(crate) job_id: String,
    pub(crate) status: String,
    pub(crate) judgement: Judgement,
    pub(crate) kind: Option<String>,
    pub(crate) queue: Option<String>,
    pub(crate) worker_id: Option<String>,
    pub(crate) ended_at: Option<Timestamp>,
    pub(crate) last_event_at: Timestamp,
    pub(crate) queue_wait_seconds: Option<f64>,
    pub(crate) duration_seconds: Option<f64>,
    pub(crate) total_seconds: Option<f64>,
    pub(crate) retry_count: u64,
    pub(crate) progress: Option<f64>,
    pub(crate) stage: Option<String>,
    pub(crate) error: Option<JobError>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Judgement {
    pub(crate) verdict: String,
    pub(crate) reason: String,
}

impl Judgement {
    /// Whether nothing is wrong.
    pub(crate) fn is_fine(&self) -> bool {
        self.verdict.is_empty() || self.verdict == "fine"
    }
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct JobError {
    pub(crate) error_type: Option<String>,
    pub(crate) message: Option<String>,
    pub(crate) timed_out: bool,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Alert {
    pub(crate) id: String,
    pub(crate) rule: String,
    pub(crate) severity: String,
    pub(crate) state: String,
    pub(crate) labels: BTreeMap<String, String>,
    pub(crate) annotations: BTreeMap<String, String>,
    pub(crate) active_at: Timestamp,
    pub(crate) fired_at: Option<Timestamp>,
    pub(crate) acknowledged: Option<Acknowledged>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Acknowledged {
    pub(crate) by: String,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Host {
    pub(crate) host: String,
    pub(crate) time: Timestamp,
    pub(crate) cpus: u64,
    pub(crate) cpu_ratio: Option<f64>,
    pub(crate) load: Vec<f64>,
    pub(crate) memory_total_bytes: f64,
    pub(crate) memory_ratio: Option<f64>,
    pub(crate) filesystems: Vec<Filesystem>,
    pub(crate) gpus: Vec<Value>,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Filesystem {
    pub(crate) mountpoint: String,
    pub(crate) size_bytes: f64,
    pub(crate) available_bytes: f64,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Collector {
    pub(crate) name: String,
    pub(crate) target: String,
    pub(crate) up: bool,
    pub(crate) absent: bool,
    pub(crate) last_success: Option<Timestamp>,
    pub(crate) last_error: Option<String>,
    pub(crate) runs: u64,
}

#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Rule {
    pub(crate) name: String,
    pub(crate) health: String,
    pub(crate) last_error: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn an_item_that_cannot_be_read_is_left_out_and_counted() {
        let answer = json!({ "items": [
            { "queue": "llm", "depth": { "pending": 3 }, "news": [1, 2] },
            { "queue": 7 },
            { "queue": "odd", "depth": "deep" },
        ] });
        let (queues, unread) = items::<Queue>(answer);
        assert_eq!(queues.len(), 1);
        assert_eq!((queues[0].depth("pending"), queues[0].depth("dead"), unread), (3, 0, 2));
        assert_eq!(items::<Queue>(json!(null)).1, 0);
    }
}
