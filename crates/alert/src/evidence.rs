//! Evidence: what a runbook's checks give at the moment an alert fires.

/// The checks that a rule's `runbook` can name.
pub(crate) const CHECK_NAMES: &[&str] = &[
    "active_jobs",
    "collectors_down",
    "disk_use",
    "oldest_pending_tasks",
    "oldest_processing_tasks",
    "queues",
    "recent_failures",
    "top_processes_by_memory",
    "workers",
];
