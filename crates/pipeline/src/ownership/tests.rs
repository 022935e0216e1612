use std::time::Duration;

use model::Timestamp;
use model::event::{Event, JobAction, WorkerAction};

use super::*;
use crate::fixtures::{at, job, pipeline, worker};
use crate::live::Counting;
use crate::{Config, QueueState};

fn task(id: &str, taken: Timestamp) -> QueueTask {
    QueueTask {
        id: id.into(),
        kind: Some("summary".to_owned()),
        document_id: Some(format!("doc-{id}")),
        priority: None,
        created_at: None,
        first_seen: taken,
        state: QueueState::Processing,
        payload_hash: String::new(),
        payload_bytes: 0,
        score: None,
        position: None,
    }
}

fn heartbeat(id: &str, time: Timestamp, job_id: Option<&str>) -> Event {
    let mut event = worker(WorkerAction::Heartbeat, id, 0);
    (event.time, event.active_tasks) = (time, Some(u64::from(job_id.is_some())));
    event.job_id = job_id.map(str::to_owned);
    Event::Worker(Box::new(event))
}

fn started(id: &str, worker: &str, document: &str, time: Timestamp) -> Event {
    let mut event = job(JobAction::Started, id, 0);
    (event.time, event.worker_id) = (time, Some(worker.to_owned()));
    (event.kind, event.document_id) = (Some("summary".to_owned()), Some(document.to_owned()));
    Event::Job(Box::new(event))
}

#[test]
fn a_task_is_held_by_the_worker_that_says_so() {
    let pipeline = pipeline(Config::default());
    let now = Timestamp::now();
    let events = [
        heartbeat("w-1", now, Some("t-1")),
        started("other-id", "w-1", "doc-t-2", now),
        started("t-3", "w-1", "doc-t-3", now),
    ];
    pipeline.fold(&events, Counting::Counted);
    let owners = pipeline.owners();
    let taken = now.before(Duration::from_secs(3600));
    for id in ["t-1", "t-2", "t-3"] {
        assert_eq!(owners.owner(&task(id, taken), now), Ownership::Held { worker: "w-1".to_owned() }, "{id}");
    }
}

#[test]
fn a_task_whose_worker_is_gone_has_nobody() {
    let pipeline = pipeline(Config::default());
    // A worker that was last heard of years ago.
    pipeline.fold(&[heartbeat("w-1", at(0), Some("t-1"))], Counting::Counted);
    let owner = pipeline.owners().owner(&task("t-1", at(0)), Timestamp::now());
    let Ownership::Nobody { worker, reason } = owner else { panic!("{owner:?}") };
    assert_eq!(worker.as_deref(), Some("w-1"));
    assert!(reason.contains("offline"), "{reason}");
}

#[test]
fn a_task_that_nobody_speaks_of_has_nobody_only_after_a_while() {
    let pipeline = pipeline(Config::default());
    let now = Timestamp::now();
    pipeline.fold(&[heartbeat("w-1", now, None)], Counting::Counted);
    let owners = pipeline.owners();
    let young = task("t-1", now.before(Duration::from_secs(60)));
    assert_eq!(owners.owner(&young, now), Ownership::Unknown);
    let old = task("t-1", now.before(Duration::from_secs(180)));
    assert!(matches!(owners.owner(&old, now), Ownership::Nobody { worker: None, .. }));
}

#[test]
fn where_no_worker_says_what_it_does_nothing_can_be_told() {
    let pipeline = pipeline(Config::default());
    let now = Timestamp::now();
    let owners = pipeline.owners();
    assert_eq!(owners.owner(&task("t-1", at(0)), now), Ownership::Unknown);
}
