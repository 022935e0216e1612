//! Workers: who is there, what they do, what they need.

use crate::commands::top::grid::{Cell, Column, Row, Subject, Tone, narrow, numbers, wide};
use crate::commands::top::picture::{Picture, Worker};
use crate::show::{bytes, seconds};

pub(super) const COLUMNS: &[Column] = &[
    wide("WORKER", 12, 3, 0),
    narrow("STATUS", 7, 1),
    numbers("MEM", 4, 2),
    numbers("CPU", 4, 3),
    wide("TREND", 6, 1, 8),
    numbers("UP", 6, 4),
    numbers("TASKS", 5, 6),
    numbers("DONE", 5, 9),
    numbers("FAILED", 6, 7),
    numbers("BEAT", 5, 10),
    numbers("CRASHES", 7, 11),
    numbers("GPU", 4, 12),
    wide("JOB", 8, 2, 5),
    wide("HOST", 8, 1, 13),
];

pub(super) fn rows(picture: &Picture) -> Vec<Row> {
    let mut workers: Vec<&Worker> = picture.workers.iter().collect();
    workers.sort_by_key(|worker| rank(worker));
    super::bounded(workers.into_iter().map(|worker| row(worker, picture)))
}

/// Those that need a look first; those that ended as they should last.
fn rank(worker: &Worker) -> u8 {
    match worker.status.as_str() {
        "offline" => 0,
        "stale" => 1,
        "stopped" => 4,
        _ if worker.is_healthy == Some(false) => 2,
        _ => 3,
    }
}

fn row(worker: &Worker, picture: &Picture) -> Row {
    let since = |time: Option<model::Timestamp>| time.map(|time| picture.time.since(time).as_secs_f64());
    let ended = worker.status == "stopped";
    let (status, tone) = match worker.status.as_str() {
        "online" if worker.is_healthy == Some(false) => ("sick", Tone::Bad),
        "online" => ("online", Tone::Good),
        "stale" => ("stale", Tone::Warning),
        "stopped" => ("stopped", Tone::Quiet),
        other => (other, Tone::Bad),
    };
    let trouble = |count: u64| Cell::count(count).tone(if count > 0 { Tone::Warning } else { Tone::Quiet });
    let mut memory = picture.past.worker_memory.get(&worker.worker_id).cloned().unwrap_or_default();
    memory.extend(worker.memory_rss_bytes);
    let uptime = if ended { None } else { since(worker.started_at) };
    Row {
        key: worker.worker_id.clone(),
        subject: Subject::Worker(worker.worker_id.clone()),
        cells: vec![
            Cell::text(&worker.worker_id),
            Cell::text(status).tone(tone),
            Cell::number(worker.memory_rss_bytes.filter(|_| !ended), bytes),
            Cell::number(worker.cpu_percent.filter(|_| !ended), |percent| format!("{percent:.0}%")),
            Cell::curve(memory),
            Cell::number(uptime, seconds),
            Cell::number(worker.active_tasks.map(|count| count as f64), crate::show::number),
            Cell::count(worker.completed_tasks.unwrap_or(0)),
            trouble(worker.failed_tasks.unwrap_or(0)),
            Cell::number(since(worker.last_heartbeat_at), seconds),
            trouble(worker.crashes),
            Cell::number(worker.gpu_percent, |percent| format!("{percent:.0}%")),
            Cell::maybe(worker.job_id.as_deref()),
            Cell::maybe(worker.host.as_deref()),
        ],
    }
}
