//! Processes that ended.

use model::Timestamp;
use model::event::Attributes;

use super::shape;

shape! {
    /// A process that ended in a way that somebody should know of.
    Exit from model::event::ExitEvent {
        /// The id of the event that says so.
        event_id: String,
        /// When it ended.
        #[schema(value_type = String, format = DateTime)]
        time: Timestamp,
        /// What ended it: `oom_kill`, `signal`, `exit` or `unknown`.
        cause: &'static str,
        /// The program's name.
        name: String,
        /// The host that it ran on.
        host: Option<String>,
        /// Its process id on that host.
        pid: Option<u64>,
        /// Its command line, secrets masked.
        command: Option<String>,
        /// The configured group that it belonged to.
        group: Option<String>,
        /// The unit of the service manager that it ran in.
        unit: Option<String>,
        /// The control group that it ran in.
        cgroup: Option<String>,
        /// The worker that it was, where that is known.
        worker_id: Option<String>,
        /// The signal that ended it.
        signal: Option<String>,
        /// The exit code that it ended with.
        exit_code: Option<i64>,
        /// Resident memory at its end, in bytes.
        memory_rss_bytes: Option<u64>,
        /// The part of that which no file stands behind, in bytes.
        memory_anon_bytes: Option<u64>,
        /// Virtual memory at its end, in bytes.
        memory_vms_bytes: Option<u64>,
        /// What was said of it, in words.
        message: Option<String>,
        /// Further facts.
        #[schema(value_type = std::collections::BTreeMap<String, String>)]
        attributes: Attributes,
    }
}
