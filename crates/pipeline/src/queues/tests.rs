//! Queues, by what collectors see and what events tell.

use std::collections::BTreeMap;

use super::*;
use crate::fixtures::{at, pipeline};
use crate::jobs::AttemptOutcome;
use crate::{Config, Page, Pipeline};

fn look(seconds: i64, pending: u64, processing: u64, totals: (u64, u64, u64)) -> QueueSnapshot {
    QueueSnapshot {
        queue: "q".into(),
        system: "redis".into(),
        time: at(seconds),
        depth: [(QueueState::Pending, pending), (QueueState::Processing, processing)].into(),
        tasks: Vec::new(),
        oldest_age_seconds: BTreeMap::new(),
        enqueued_total: Some(totals.0),
        completed_total: Some(totals.1),
        failed_total: Some(totals.2),
        ok: true,
    }
}

fn view(pipeline: &Pipeline, now: i64) -> QueueView {
    pipeline.queues().list_at(Page::default(), at(now)).items.remove(0)
}

#[test]
fn rates_drain_time_and_ratio_follow_from_what_is_seen() {
    let pipeline = pipeline(Config::default());
    pipeline.queues().observe(look(0, 100, 1, (0, 0, 0)));
    pipeline.tick(at(0));
    let first = view(&pipeline, 0);
    assert_eq!((first.arrival_rate, first.drain_seconds, first.completion_ratio), (None, None, None));
    pipeline.queues().observe(look(100, 80, 1, (30, 40, 10)));
    pipeline.tick(at(100));
    let queue = view(&pipeline, 100);
    assert_eq!((queue.arrival_rate, queue.completion_rate), (Some(0.3), Some(0.5)));
    assert_eq!((queue.drain_seconds, queue.completion_ratio), (Some(160.0), Some(0.8)));
    assert_eq!((queue.enqueued_total, queue.completed_total, queue.failed_total), (30, 40, 10));
}

#[test]
fn a_rate_forgets_what_is_older_than_its_window() {
    let pipeline = pipeline(Config::default());
    for step in 0..80_u64 {
        let done = step.min(40) * 10;
        pipeline.queues().observe(look(step as i64 * 15, 5, 0, (0, done, 0)));
        pipeline.tick(at(step as i64 * 15));
    }
    let queue = view(&pipeline, 80 * 15);
    assert_eq!((queue.completion_rate, queue.drain_seconds), (Some(0.0), None));
    assert_eq!(queue.completion_ratio, Some(1.0));
    assert!(pipeline.queues().is_at_rest("q", at(80 * 15)));
    assert!(!pipeline.queues().is_at_rest("q", at(40 * 15)), "something ended in the window before");
}

#[test]
fn that_nothing_ends_any_more_shows_within_a_minute_and_not_only_in_the_rate() {
    let pipeline = pipeline(Config::default());
    for step in 0..20_u64 {
        let done = step.min(10) * 10;
        pipeline.queues().observe(look(step as i64 * 15, 5, 0, (0, done, 0)));
        pipeline.tick(at(step as i64 * 15));
        let seen = match step {
            0 => None,
            1..=13 => Some(true),
            _ => Some(false),
        };
        let queue = view(&pipeline, step as i64 * 15);
        assert_eq!(queue.ended_lately, seen, "after {step} looks");
        assert!(step == 0 || queue.completion_rate > Some(0.0), "after {step} looks");
    }
}

#[test]
fn a_collector_that_starts_again_counts_on() {
    let pipeline = pipeline(Config::default());
    for (seconds, total) in [(0, 5), (15, 9), (30, 2), (45, 3)] {
        pipeline.queues().observe(look(seconds, 0, 0, (total, total, 0)));
    }
    let queue = view(&pipeline, 45);
    assert_eq!((queue.enqueued_total, queue.completed_total), (12, 12));
}

#[test]
fn of_two_witnesses_the_one_that_saw_more_counts() {
    let pipeline = pipeline(Config::default());
    pipeline.queues().observe(look(0, 0, 0, (10, 4, 0)));
    for _ in 0..6 {
        pipeline.queues().hear("q", Moved::In, at(1));
        pipeline.queues().hear("q", Moved::Out(AttemptOutcome::Completed), at(1));
    }
    pipeline.queues().hear("q", Moved::Out(AttemptOutcome::Retried), at(1));
    let queue = view(&pipeline, 1);
    assert_eq!((queue.enqueued_total, queue.completed_total, queue.failed_total), (10, 6, 0));
    pipeline.queues().observe(look(15, 0, 0, (10, 6, 0)));
    pipeline.queues().hear("q", Moved::Out(AttemptOutcome::Failed), at(16));
    let queue = view(&pipeline, 16);
    assert_eq!((queue.completed_total, queue.failed_total), (6, 1));
}

#[test]
fn a_queue_that_could_not_be_read_keeps_its_last_sight() {
    let pipeline = pipeline(Config::default());
    pipeline.queues().observe(look(0, 7, 0, (3, 0, 0)));
    pipeline.queues().observe(QueueSnapshot {
        ok: false,
        enqueued_total: Some(0),
        ..look(15, 7, 0, (0, 0, 0))
    });
    let queue = view(&pipeline, 15);
    assert_eq!((queue.ok, queue.enqueued_total, queue.depth_of(QueueState::Pending)), (false, 3, 7));
}

#[test]
fn a_queue_that_nobody_tells_of_is_forgotten() {
    let pipeline = pipeline(Config::default());
    pipeline.queues().observe(look(0, 7, 0, (3, 0, 0)));
    pipeline.tick(at(600));
    assert_eq!(pipeline.queues().list(Page::default()).total, 1);
    pipeline.tick(at(601));
    assert_eq!(pipeline.queues().list(Page::default()).total, 0);
}

#[test]
fn the_oldest_tasks_come_first() {
    let task = |id: &str, state, created: Option<i64>, first_seen: i64| QueueTask {
        id: id.into(),
        kind: None,
        document_id: None,
        priority: None,
        created_at: created.map(at),
        first_seen: at(first_seen),
        state,
        payload_hash: String::new(),
        payload_bytes: 0,
        score: None,
        position: None,
    };
    let pipeline = pipeline(Config::default());
    let mut seen = look(100, 3, 1, (0, 0, 0));
    seen.tasks = vec![
        task("young", QueueState::Pending, Some(90), 10),
        task("old", QueueState::Pending, Some(1), 95),
        task("undated", QueueState::Pending, None, 50),
        task("busy", QueueState::Processing, Some(0), 99),
    ];
    pipeline.queues().observe(seen);
    let ids = |state| -> Vec<String> {
        pipeline.queues().oldest_tasks(Some("q"), state, 2).into_iter().map(|(_, task)| task.id).collect()
    };
    assert_eq!(ids(QueueState::Pending), ["old", "undated"]);
    assert_eq!(ids(QueueState::Processing), ["busy"]);
    assert!(pipeline.queues().oldest_tasks(Some("other"), QueueState::Pending, 2).is_empty());
}
