//! Checks that read the pipeline's live state: in memory, and at once.

use async_trait::async_trait;
use pipeline::{JobFilter, JobSnapshot, JobStatus, Page, QueueState, WorkerFilter, WorkerStatus};

use super::{Check, Context, MAX_ROWS, Table, age, bytes, none, share, text};
use crate::evaluate::EvaluateError;

/// How many items are looked through for the few that are shown.
const LOOKED_THROUGH: Page = Page { offset: 0, limit: 10_000 };

/// A check that looks at live state alone.
struct Live {
    name: &'static str,
    title: &'static str,
    look: fn(&Context) -> Table,
}

#[async_trait]
impl Check for Live {
    fn name(&self) -> &'static str {
        self.name
    }

    fn title(&self) -> &'static str {
        self.title
    }

    async fn run(&self, context: &Context) -> Result<Table, EvaluateError> {
        Ok((self.look)(context))
    }
}

pub(super) fn checks() -> Vec<Box<dyn Check>> {
    let checks = [
        Live { name: "top_processes_by_memory", title: "Processes with the most memory", look: processes },
        Live { name: "oldest_pending_tasks", title: "Tasks that wait longest", look: pending_tasks },
        Live { name: "oldest_processing_tasks", title: "Tasks longest in work", look: processing_tasks },
        Live { name: "queues", title: "Queues", look: queues },
        Live { name: "workers", title: "Workers", look: workers },
        Live { name: "active_jobs", title: "Jobs that have run longest", look: active_jobs },
        Live { name: "recent_failures", title: "Jobs that failed last", look: recent_failures },
        Live { name: "disk_use", title: "File systems", look: disk_use },
    ];
    checks.into_iter().map(|check| Box::new(check) as Box<dyn Check>).collect()
}

fn processes(context: &Context) -> Table {
    let top = context.pipeline.hosts().top_processes_by_memory(MAX_ROWS);
    let rows = top.into_iter().map(|(host, process)| {
        [
            host,
            process.pid.to_string(),
            process.name,
            bytes(process.rss_bytes),
            share(process.memory_ratio),
            share(process.cpu_ratio),
            text(process.group.as_deref()),
            process.command,
        ]
    });
    Table::new(["host", "pid", "name", "memory", "of host", "cpu", "group", "command"], rows)
        .or_else_note("no collector has reported processes")
}

fn pending_tasks(context: &Context) -> Table {
    tasks(context, QueueState::Pending)
}

fn processing_tasks(context: &Context) -> Table {
    tasks(context, QueueState::Processing)
}

fn tasks(context: &Context, state: QueueState) -> Table {
    let found = context.pipeline.queues().oldest_tasks(context.label("queue"), state, MAX_ROWS);
    let rows = found.into_iter().map(|(queue, task)| {
        [
            queue,
            task.id.clone(),
            text(task.kind.as_deref()),
            text(task.document_id.as_deref()),
            task.priority.map_or_else(none, |priority| priority.to_string()),
            age(task.age_seconds(context.now)),
        ]
    });
    Table::new(["queue", "task", "kind", "document", "priority", "age"], rows)
        .or_else_note("no task is in this state")
}

fn queues(context: &Context) -> Table {
    let listing = context.pipeline.queues().list(LOOKED_THROUGH);
    let wanted = context.label("queue");
    let rows = listing.items.into_iter().filter(|queue| wanted.is_none_or(|name| name == queue.queue)).map(
        |queue| {
            let rate = |rate: Option<f64>| rate.map_or_else(none, |rate| format!("{:.1}/min", rate * 60.0));
            let depth = |state| queue.depth_of(state).to_string();
            [
                queue.queue.clone(),
                depth(QueueState::Pending),
                depth(QueueState::Processing),
                depth(QueueState::Delayed),
                depth(QueueState::Dead),
                rate(queue.arrival_rate),
                rate(queue.completion_rate),
                queue.drain_seconds.map_or_else(none, age),
            ]
        },
    );
    Table::new(["queue", "pending", "processing", "delayed", "dead", "arrive", "end", "drained in"], rows)
        .or_else_note("no queue is known")
}

fn workers(context: &Context) -> Table {
    let listing = context.pipeline.workers().list(&WorkerFilter::default(), LOOKED_THROUGH);
    let mut workers = listing.items;
    let total = listing.total;
    // The worker that the alert is about first, then those that are not well.
    let about = context.label("worker");
    workers.sort_by_key(|worker| {
        let well = worker.status == WorkerStatus::Online && worker.is_healthy != Some(false);
        (about != Some(worker.worker_id.as_str()), well)
    });
    let rows = workers.into_iter().map(|worker| {
        [
            worker.worker_id,
            worker.status.as_str().to_owned(),
            worker.last_heartbeat_at.map_or_else(none, |at| age(context.now.since(at).as_secs_f64())),
            text(worker.job_id.as_deref()),
            worker.memory_rss_bytes.map_or_else(none, bytes),
            share(worker.cpu_percent.map(|percent| percent / 100.0)),
            worker.restarts.to_string(),
            worker.crashes.to_string(),
        ]
    });
    let mut table = Table::new(
        ["worker", "status", "heard of", "job", "memory", "cpu", "restarts", "crashes"],
        rows.take(MAX_ROWS),
    )
    .or_else_note("no worker has reported itself");
    if total > MAX_ROWS {
        table.note = Some(format!("{MAX_ROWS} of {total} workers, those that are not well first"));
    }
    table
}

fn active_jobs(context: &Context) -> Table {
    let mut jobs = jobs_of(context, JobStatus::Running);
    jobs.sort_by_key(|job| job.started_at.unwrap_or(job.first_event_at));
    let rows = jobs.into_iter().map(|job| {
        [
            job.job_id,
            text(job.kind.as_deref()),
            text(job.document_id.as_deref()),
            text(job.worker_id.as_deref()),
            text(job.stage.as_deref()),
            job.duration_seconds.map_or_else(none, age),
            job.judgement.verdict.as_str().to_owned(),
            job.judgement.reason,
        ]
    });
    Table::new(["job", "kind", "document", "worker", "stage", "runs for", "verdict", "why"], rows)
        .or_else_note("no job is running")
}

fn recent_failures(context: &Context) -> Table {
    let mut jobs = jobs_of(context, JobStatus::Failed);
    jobs.sort_by_key(|job| std::cmp::Reverse(job.ended_at.unwrap_or(job.last_event_at)));
    let rows = jobs.into_iter().map(|job| {
        let ended = job.ended_at.unwrap_or(job.last_event_at);
        let error = job.error.unwrap_or_default();
        [
            job.job_id,
            text(job.kind.as_deref()),
            text(job.document_id.as_deref()),
            text(job.stage.as_deref()),
            age(context.now.since(ended).as_secs_f64()),
            text(error.error_type.as_deref()),
            text(error.message.as_deref()),
        ]
    });
    Table::new(["job", "kind", "document", "stage", "ago", "error", "message"], rows)
        .or_else_note("no failed job is known")
}

/// Jobs in a state, of the alert's queue, kind and worker where it names them.
fn jobs_of(context: &Context, status: JobStatus) -> Vec<JobSnapshot> {
    let filter = JobFilter {
        status: Some(status),
        queue: context.label("queue").map(str::to_owned),
        kind: context.label("kind").map(str::to_owned),
        worker: context.label("worker").map(str::to_owned),
        ..JobFilter::default()
    };
    context.pipeline.jobs().list(&filter, LOOKED_THROUGH).items
}

fn disk_use(context: &Context) -> Table {
    let hosts = context.pipeline.hosts().list(LOOKED_THROUGH).items;
    let mut rows: Vec<(f64, [String; 5])> = Vec::new();
    for view in hosts {
        for filesystem in view.host.filesystems {
            let used = filesystem.size_bytes.saturating_sub(filesystem.available_bytes);
            let ratio = used as f64 / filesystem.size_bytes.max(1) as f64;
            let row = [
                view.host.host.clone(),
                filesystem.mountpoint,
                bytes(filesystem.size_bytes),
                bytes(filesystem.available_bytes),
                share(Some(ratio)),
            ];
            rows.push((ratio, row));
        }
    }
    rows.sort_by(|(one, _), (other, _)| other.total_cmp(one));
    Table::new(["host", "mounted at", "size", "free", "used"], rows.into_iter().map(|(_, row)| row))
        .or_else_note("no collector has reported file systems")
}
