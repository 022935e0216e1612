//! The registry, seen from outside.

use model::event::{Event, WorkerAction, WorkerEvent};
use proptest::prelude::*;

use super::*;
use crate::fixtures::{at, pipeline, worker};
use crate::live::Counting;
use crate::{Config, Page};

fn beat(seconds: i64, pid: u64) -> WorkerEvent {
    let mut event = worker(WorkerAction::Heartbeat, "w", seconds);
    event.pid = Some(pid);
    event.cpu_percent = Some(seconds as f64);
    event
}

fn stop(seconds: i64, exit_code: Option<i64>, reason: &str) -> WorkerEvent {
    let mut event = worker(WorkerAction::Stopped, "w", seconds);
    event.exit_code = exit_code;
    event.reason = Some(reason.to_owned());
    event
}

fn seen(events: Vec<WorkerEvent>, now: i64) -> WorkerSnapshot {
    let pipeline = pipeline(Config::default());
    let events: Vec<Event> = events.into_iter().map(Box::new).map(Event::Worker).collect();
    pipeline.fold(&events, Counting::Counted);
    let all = pipeline.workers().list_at(&WorkerFilter::default(), Page::default(), at(now));
    all.items.into_iter().next().expect("one worker")
}

#[test]
fn a_worker_is_stale_and_then_offline_when_it_falls_silent() {
    for (now, status) in [
        (59, WorkerStatus::Online),
        (60, WorkerStatus::Stale),
        (299, WorkerStatus::Stale),
        (300, WorkerStatus::Offline),
    ] {
        assert_eq!(seen(vec![beat(0, 1)], now).status, status, "after {now} s");
    }
    assert_eq!(seen(vec![beat(0, 1), stop(10, Some(0), "shutdown")], 20).status, WorkerStatus::Stopped);
    assert_eq!(seen(vec![beat(0, 1), stop(10, Some(0), ""), beat(15, 2)], 20).status, WorkerStatus::Online);
    let mut reported = beat(10, 1);
    reported.attributes.insert("is_online".into(), "false".into());
    assert_eq!(seen(vec![beat(0, 1), reported], 11).status, WorkerStatus::Offline);
}

#[test]
fn restarts_and_crashes_are_told_apart() {
    let cases: Vec<(&str, Vec<WorkerEvent>, (u64, u64))> = vec![
        ("one process", vec![beat(0, 1), beat(15, 1), beat(30, 1)], (0, 0)),
        ("a new process without a stop", vec![beat(0, 1), beat(30, 2)], (1, 1)),
        ("a new process after a stop", vec![beat(0, 1), stop(10, Some(0), "shutdown"), beat(30, 2)], (1, 0)),
        ("a stop by a signal", vec![beat(0, 1), stop(10, Some(-9), "SIGKILL"), beat(30, 2)], (1, 1)),
        ("a stop that was asked for", vec![beat(0, 1), stop(10, Some(143), "SIGTERM")], (0, 0)),
        ("a stop with an error", vec![beat(0, 1), stop(10, Some(1), "")], (0, 1)),
        ("a stop for want of memory", vec![beat(0, 1), stop(10, None, "Out of memory")], (0, 1)),
        ("processes that share an id", vec![beat(0, 1), beat(1, 2), beat(15, 1), beat(16, 2)], (0, 0)),
        ("three processes in a row", vec![beat(0, 1), beat(30, 2), beat(60, 3)], (2, 2)),
    ];
    for (what, events, expected) in cases {
        let worker = seen(events, 100);
        assert_eq!((worker.restarts, worker.crashes), expected, "{what}");
    }
}

#[test]
fn a_worker_that_never_says_which_process_it_is_is_seen_to_come_back() {
    let plain = |seconds| worker(WorkerAction::Heartbeat, "w", seconds);
    let worker = seen(vec![plain(0), stop(10, Some(0), ""), plain(20)], 30);
    assert_eq!((worker.status, worker.restarts, worker.crashes), (WorkerStatus::Online, 1, 0));
}

#[test]
fn falls_beyond_what_is_remembered_stay_counted() {
    let events: Vec<WorkerEvent> = (0..200).map(|index| beat(index * 30, index as u64)).collect();
    let worker = seen(events, 200 * 30);
    assert_eq!((worker.restarts, worker.crashes), (199, 199));
}

proptest! {
    #[test]
    fn the_order_of_events_makes_no_difference(
        order in Just((0..7usize).chain(0..7).collect::<Vec<_>>()).prop_shuffle(),
    ) {
        let history = [
            beat(0, 1), beat(15, 1), stop(20, Some(0), "shutdown"), beat(30, 2), beat(45, 2), beat(60, 3),
            stop(70, Some(139), "SIGSEGV"),
        ];
        let shuffled = order.iter().map(|&index| history[index].clone()).collect();
        let worker = seen(shuffled, 80);
        prop_assert_eq!(&worker, &seen(history.to_vec(), 80));
        prop_assert_eq!((worker.restarts, worker.crashes, worker.status), (2, 2, WorkerStatus::Stopped));
        prop_assert_eq!(worker.cpu_percent, Some(60.0));
    }
}

#[test]
fn workers_long_gone_are_forgotten_and_too_many_make_room() {
    let pipeline = pipeline(Config { max_workers: 2, ..Config::default() });
    let events: Vec<Event> = [("a", 0), ("b", 20), ("c", 10)]
        .into_iter()
        .map(|(id, seconds)| Event::Worker(Box::new(worker(WorkerAction::Heartbeat, id, seconds))))
        .collect();
    pipeline.fold(&events, Counting::Counted);
    let ids = |now: i64| -> Vec<String> {
        let all = pipeline.workers().list_at(&WorkerFilter::default(), Page::default(), at(now));
        all.items.into_iter().map(|worker| worker.worker_id).collect()
    };
    assert_eq!(ids(30), ["b", "c"]);
    pipeline.tick(at(24 * 3600 + 15));
    assert_eq!(ids(24 * 3600 + 15), ["b"]);
}

#[test]
fn workers_are_found_by_each_condition() {
    let pipeline = pipeline(Config::default());
    for (id, host, queues) in [("w1", "one", "a,b"), ("w2", "two", "b")] {
        let mut event = worker(WorkerAction::Heartbeat, id, 0);
        event.host = Some(host.into());
        event.queues = Some(queues.into());
        pipeline.fold(&[Event::Worker(Box::new(event))], Counting::Counted);
    }
    let find = |filter: &WorkerFilter| -> Vec<String> {
        let found = pipeline.workers().list_at(filter, Page::default(), at(1));
        found.items.into_iter().map(|worker| worker.worker_id).collect()
    };
    assert_eq!(find(&WorkerFilter { queue: Some("a".into()), ..WorkerFilter::default() }), ["w1"]);
    assert_eq!(find(&WorkerFilter { host: Some("two".into()), ..WorkerFilter::default() }), ["w2"]);
    assert_eq!(find(&WorkerFilter { text: Some("TWO".into()), ..WorkerFilter::default() }), ["w2"]);
    assert_eq!(
        find(&WorkerFilter { status: Some(WorkerStatus::Online), ..WorkerFilter::default() }),
        ["w1", "w2"]
    );
    assert!(
        find(&WorkerFilter { status: Some(WorkerStatus::Stopped), ..WorkerFilter::default() }).is_empty()
    );
}
