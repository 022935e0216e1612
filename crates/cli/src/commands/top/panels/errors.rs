//! Recent errors: of jobs and workers, and of the watching itself; the latest first.

use std::cmp::Reverse;

use model::Timestamp;

use crate::commands::top::grid::{Cell, Column, Row, Subject, Tone, numbers, wide};
use crate::commands::top::picture::{Collector, Job, JobError, Picture, Rule, Worker};
use crate::show::seconds;

pub(super) const COLUMNS: &[Column] =
    &[numbers("AGO", 6, 1), wide("WHERE", 11, 1, 2), wide("ERROR", 16, 4, 0)];

pub(super) fn rows(picture: &Picture) -> Vec<Row> {
    let mut found: Vec<(Timestamp, Row)> = Vec::new();
    found.extend(picture.jobs.iter().filter_map(|job| of_job(job, picture)));
    found.extend(picture.workers.iter().filter_map(|worker| of_worker(worker, picture)));
    found.extend(picture.collectors.iter().filter_map(|collector| of_collector(collector, picture)));
    found.extend(picture.rules.iter().filter_map(|rule| of_rule(rule, picture)));
    found.sort_by_key(|(time, row)| (Reverse(*time), row.key.clone()));
    super::bounded(found.into_iter().map(|(_, row)| row))
}

/// An error in one sentence.
pub(super) fn sentence(error: &JobError) -> String {
    let told: Vec<&str> =
        [error.error_type.as_deref(), error.message.as_deref()].into_iter().flatten().collect();
    match (told.is_empty(), error.timed_out) {
        (true, true) => "ran out of time".to_owned(),
        (true, false) => "failed, and did not say why".to_owned(),
        (false, _) => told.join(": "),
    }
}

fn row(picture: &Picture, key: String, time: Timestamp, subject: Subject, place: &str, error: &str) -> Row {
    Row {
        key,
        subject,
        cells: vec![
            Cell::number(Some(picture.time.since(time).as_secs_f64()), seconds),
            Cell::text(place),
            Cell::text(error).tone(Tone::Bad),
        ],
    }
}

fn of_job(job: &Job, picture: &Picture) -> Option<(Timestamp, Row)> {
    let error = job.error.as_ref()?;
    let time = job.ended_at.unwrap_or(job.last_event_at);
    let key = format!("job {}", job.job_id);
    Some((time, row(picture, key, time, Subject::Job(job.job_id.clone()), &job.job_id, &sentence(error))))
}

fn of_worker(worker: &Worker, picture: &Picture) -> Option<(Timestamp, Row)> {
    let (time, error) = match worker.status.as_str() {
        "offline" => (worker.last_heartbeat_at?, "no heartbeat; it seems to be gone".to_owned()),
        _ => {
            let reason = worker.stop_reason.as_deref().filter(|_| worker.stopped_at.is_some());
            let reason = reason.map(|reason| format!(": {reason}")).unwrap_or_default();
            (worker.last_crash_at?, format!("crashed{reason} ({} restarts)", worker.restarts))
        }
    };
    let key = format!("worker {}", worker.worker_id);
    let subject = Subject::Worker(worker.worker_id.clone());
    Some((time, row(picture, key, time, subject, &worker.worker_id, &error)))
}

fn of_collector(collector: &Collector, picture: &Picture) -> Option<(Timestamp, Row)> {
    if collector.up || collector.absent || collector.runs == 0 {
        return None;
    }
    let error = collector.last_error.as_deref().unwrap_or("the last look failed");
    let place = format!("{} {}", collector.name, collector.target);
    // It goes on failing: what was never well is as old as the picture.
    let time = collector.last_success.unwrap_or(picture.time);
    let told = vec![format!("The collector {place} fails."), String::new(), error.to_owned()];
    Some((time, row(picture, format!("collector {place}"), time, Subject::Told(told), &place, error)))
}

fn of_rule(rule: &Rule, picture: &Picture) -> Option<(Timestamp, Row)> {
    if rule.health != "err" {
        return None;
    }
    let error = rule.last_error.as_deref().unwrap_or("it cannot be evaluated");
    let told = vec![format!("The rule {} cannot be evaluated.", rule.name), String::new(), error.to_owned()];
    let place = format!("rule {}", rule.name);
    Some((picture.time, row(picture, place.clone(), picture.time, Subject::Told(told), &place, error)))
}
