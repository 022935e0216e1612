//! Checks that read the pipeline's live state: in memory, and at once.

use async_trait::async_trait;
use pipeline::{
    JobFilter, JobSnapshot, JobStatus, Page, Verdict, WorkerFilter, WorkerSnapshot, WorkerStatus,
};

use super::table::{CheckVerdict, counted};
use super::{Check, CheckError, Context, MAX_ROWS, Table, age, bytes, none, share, text};

/// How many items are looked through for the few that are shown.
pub(super) const LOOKED_THROUGH: Page = Page { offset: 0, limit: 10_000 };

/// A check that looks at live state alone.
pub(super) struct Live {
    pub(super) name: &'static str,
    pub(super) title: &'static str,
    pub(super) look: fn(&Context) -> Table,
}

#[async_trait]
impl Check for Live {
    fn name(&self) -> &'static str {
        self.name
    }

    fn title(&self) -> &'static str {
        self.title
    }

    async fn run(&self, context: &Context) -> Result<Table, CheckError> {
        Ok((self.look)(context))
    }
}

pub(super) fn checks() -> Vec<Box<dyn Check>> {
    let checks = [
        Live { name: "workers", title: "Workers", look: workers },
        Live { name: "active_jobs", title: "Jobs that have run longest", look: active_jobs },
        Live { name: "recent_failures", title: "Jobs that failed last", look: recent_failures },
        Live { name: "disk_use", title: "File systems", look: disk_use },
    ];
    checks.into_iter().map(|check| Box::new(check) as Box<dyn Check>).collect()
}

fn workers(context: &Context) -> Table {
    let listing = context.pipeline().workers().list(&WorkerFilter::default(), LOOKED_THROUGH);
    let mut workers = listing.items;
    let total = listing.total;
    // The worker that the alert is about first, then those that are not well.
    let about = context.label("worker");
    workers.sort_by_key(|worker| {
        let well = worker.status == WorkerStatus::Online && worker.is_healthy != Some(false);
        (about != Some(worker.worker_id.as_str()), well)
    });
    let rows = workers.iter().map(|worker| {
        [
            worker.worker_id.clone(),
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
    judge_workers(context, table, &workers)
}

/// A worker that fell silent is bad; one that crashed or is not well deserves a look. One that said
/// that it stops is no fault, as long as there are others.
fn judge_workers(context: &Context, mut table: Table, workers: &[WorkerSnapshot]) -> Table {
    let Some(first) = workers.first() else {
        return table
            .judged(CheckVerdict::Look, "no worker has reported itself, so how they do is not known");
    };
    let of = |status| workers.iter().filter(move |worker| worker.status == status).count();
    let (online, offline) = (of(WorkerStatus::Online), of(WorkerStatus::Offline));
    if online == 0 {
        table = table.judged(CheckVerdict::Bad, "no worker is online");
    }
    if offline > 0 {
        let name = &first.worker_id;
        let told = if first.status == WorkerStatus::Offline { format!(": {name}") } else { String::new() };
        let reason = format!("{} fell silent without a word{told}", counted(offline, "worker"));
        table = table.judged(CheckVerdict::Bad, reason);
    }
    let recent = context.now.before(context.config().changes_window.0);
    let crashed = |worker: &&WorkerSnapshot| worker.last_crash_at.is_some_and(|at| at >= recent);
    let crashes = workers.iter().filter(crashed).count();
    if crashes > 0 {
        let window = context.config().changes_window;
        table = table
            .judged(CheckVerdict::Look, format!("{} crashed within {window}", counted(crashes, "worker")));
    }
    let unwell = of(WorkerStatus::Stale)
        + workers
            .iter()
            .filter(|worker| worker.status == WorkerStatus::Online && worker.is_healthy == Some(false))
            .count();
    if unwell > 0 {
        table = table.judged(CheckVerdict::Look, format!("{} late or unwell", counted(unwell, "worker")));
    }
    table.judged(CheckVerdict::Fine, format!("{} online", counted(online, "worker")))
}

fn active_jobs(context: &Context) -> Table {
    let mut jobs = jobs_of(context, JobStatus::Running);
    jobs.sort_by_key(|job| job.started_at.unwrap_or(job.first_event_at));
    let gone = jobs.iter().filter(|job| job.judgement.verdict == Verdict::OwnerGone).count();
    let odd = jobs.iter().filter(|job| !job.judgement.is_fine()).count();
    let running = jobs.len();
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
    let table =
        Table::new(["job", "kind", "document", "worker", "stage", "runs for", "verdict", "why"], rows)
            .or_else_note("no job is running");
    if gone > 0 {
        return table.judged(CheckVerdict::Bad, format!("the worker of {} is gone", counted(gone, "job")));
    }
    if odd > 0 {
        return table.judged(
            CheckVerdict::Look,
            format!("{} of {running} not as they should be", counted(odd, "job")),
        );
    }
    table.judged(CheckVerdict::Fine, format!("{} as they should be", counted(running, "job")))
}

fn recent_failures(context: &Context) -> Table {
    let mut jobs = jobs_of(context, JobStatus::Failed);
    jobs.sort_by_key(|job| std::cmp::Reverse(job.ended_at.unwrap_or(job.last_event_at)));
    let window = context.config().errors_window;
    let recent = context.now.before(window.0);
    let failed = jobs.iter().filter(|job| job.ended_at.unwrap_or(job.last_event_at) >= recent).count();
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
    let table = Table::new(["job", "kind", "document", "stage", "ago", "error", "message"], rows)
        .or_else_note("no failed job is known");
    let verdict = if failed > 0 { CheckVerdict::Look } else { CheckVerdict::Fine };
    table.judged(verdict, format!("{} failed within {window}", counted(failed, "job")))
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
    context.pipeline().jobs().list(&filter, LOOKED_THROUGH).items
}

fn disk_use(context: &Context) -> Table {
    let hosts = context.pipeline().hosts().list(LOOKED_THROUGH).items;
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
    let limit = context.config().disk_ratio;
    let full = rows.iter().filter(|(ratio, _)| *ratio > limit).count();
    let table =
        Table::new(["host", "mounted at", "size", "free", "used"], rows.into_iter().map(|(_, row)| row))
            .or_else_note("no collector has reported file systems");
    match full {
        0 => table.judged(CheckVerdict::Fine, format!("none is more than {} full", share(Some(limit)))),
        full => {
            let reason = format!("{} more than {} full", counted(full, "file system"), share(Some(limit)));
            table.judged(CheckVerdict::Bad, reason)
        }
    }
}
