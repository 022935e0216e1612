//! Jobs: those with something wrong, those that run, those that wait, those that ended lately.

use std::cmp::Reverse;

use crate::commands::top::grid::{Cell, Column, Row, Subject, Tone, narrow, numbers, wide};
use crate::commands::top::picture::{Job, Picture};
use crate::show::{percent, seconds};

pub(super) const COLUMNS: &[Column] = &[
    wide("JOB", 10, 2, 0),
    narrow("STATUS", 9, 1),
    numbers("TIME", 6, 2),
    wide("STAGE", 8, 1, 3),
    numbers("DONE", 4, 4),
    numbers("WAITED", 6, 7),
    numbers("TRIES", 5, 8),
    narrow("KIND", 10, 6),
    narrow("QUEUE", 10, 9),
    wide("WORKER", 10, 1, 10),
    wide("WHAT IS WRONG", 16, 3, 5),
];

pub(super) fn rows(picture: &Picture) -> Vec<Row> {
    let mut jobs: Vec<&Job> = picture.jobs.iter().collect();
    jobs.sort_by_key(|job| (rank(job), Reverse(millis(job))));
    super::bounded(jobs.into_iter().map(row))
}

fn is_open(job: &Job) -> bool {
    matches!(job.status.as_str(), "running" | "pending")
}

fn rank(job: &Job) -> u8 {
    match job.status.as_str() {
        _ if is_open(job) && !job.judgement.is_fine() => 0,
        "running" => 1,
        "pending" => 2,
        _ => 3,
    }
}

/// The longest at work first; of those that ended, the last.
fn millis(job: &Job) -> i64 {
    if is_open(job) { (time(job).unwrap_or(0.0) * 1000.0) as i64 } else { job.last_event_at.as_millis() }
}

/// How long it has run; of one that waits, how long it has waited. In seconds.
fn time(job: &Job) -> Option<f64> {
    if job.status == "pending" { job.total_seconds.or(job.queue_wait_seconds) } else { job.duration_seconds }
}

fn row(job: &Job) -> Row {
    let wrong = is_open(job) && !job.judgement.is_fine();
    let (status, tone) = match (job.status.as_str(), job.judgement.verdict.as_str()) {
        (_, "owner_gone") if wrong => ("lost", Tone::Bad),
        (_, "waiting_no_consumer") if wrong => ("nobody", Tone::Warning),
        (_, _) if wrong => ("stuck?", Tone::Warning),
        ("running", _) => ("running", Tone::Good),
        ("failed", _) => ("failed", Tone::Bad),
        (other, _) => (other, Tone::Quiet),
    };
    let problem = if wrong {
        job.judgement.reason.clone()
    } else {
        job.error.as_ref().map(super::errors::sentence).unwrap_or_default()
    };
    let progress = job.progress.filter(|_| is_open(job));
    Row {
        key: job.job_id.clone(),
        subject: Subject::Job(job.job_id.clone()),
        cells: vec![
            Cell::text(&job.job_id),
            Cell::text(status).tone(tone),
            Cell::number(time(job), seconds),
            Cell::maybe(job.stage.as_deref()),
            Cell::number(progress, percent),
            Cell::number(job.queue_wait_seconds, seconds),
            Cell::number((job.retry_count > 0).then_some(job.retry_count as f64 + 1.0), crate::show::number),
            Cell::maybe(job.kind.as_deref()),
            Cell::maybe(job.queue.as_deref()),
            Cell::maybe(job.worker_id.as_deref()),
            Cell::text(&problem).tone(tone),
        ],
    }
}
