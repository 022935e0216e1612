//! The fold of jobs, seen through the live state.

use model::event::{Event, JobAction, StageAction, StageStatus, WorkerAction};
use proptest::prelude::*;

use super::*;
use crate::fixtures::{at, job, pipeline, stage, worker};
use crate::live::Counting;
use crate::observation::Observation;
use crate::{Config, Page, Pipeline, Verdict};

fn fold(pipeline: &Pipeline, events: impl IntoIterator<Item = Event>) {
    pipeline.fold(&events.into_iter().collect::<Vec<_>>(), Counting::Counted);
}

fn said(action: JobAction, id: &str, seconds: i64) -> Event {
    Event::Job(Box::new(job(action, id, seconds)))
}

/// A job that fails once, is tried again by another worker, and is completed.
fn history() -> Vec<Event> {
    let mut submitted = job(JobAction::Submitted, "j", 0);
    submitted.queue = Some("q".into());
    submitted.kind = Some("extraction".into());
    let mut first = job(JobAction::Started, "j", 10);
    first.worker_id = Some("w1".into());
    let mut retried = job(JobAction::Retried, "j", 30);
    retried.error_message = Some("no answer".into());
    retried.timed_out = Some(true);
    let mut second = job(JobAction::Started, "j", 40);
    second.worker_id = Some("w2".into());
    let mut progress = job(JobAction::Progress, "j", 45);
    progress.progress = Some(0.5);
    let mut ocr = stage(StageAction::Started, "j", "ocr", 41);
    ocr.memory_rss_bytes = Some(100);
    let mut ocr_end = stage(StageAction::Finished, "j", "ocr", 50);
    ocr_end.memory_rss_bytes = Some(160);
    ocr_end.memory_peak_bytes = Some(200);
    let chunk = stage(StageAction::Finished, "j", "chunk", 55);
    let mut completed = job(JobAction::Completed, "j", 60);
    completed.output_bytes = Some(7);
    vec![
        Event::Job(Box::new(submitted)),
        Event::Job(Box::new(first)),
        Event::Stage(Box::new(stage(StageAction::Started, "j", "ocr", 11))),
        Event::Job(Box::new(retried)),
        Event::Job(Box::new(second)),
        Event::Stage(Box::new(ocr)),
        Event::Job(Box::new(progress)),
        Event::Stage(Box::new(ocr_end)),
        Event::Stage(Box::new(chunk)),
        Event::Job(Box::new(completed)),
    ]
}

fn snapshot_of(events: &[Event]) -> JobSnapshot {
    JobSnapshot::from_events("j", events, at(100)).expect("events of j")
}

#[test]
fn a_job_is_followed_through_its_attempts_and_stages() {
    let job = snapshot_of(&history());
    assert_eq!((job.status, job.retry_count), (JobStatus::Completed, 1));
    assert_eq!((job.submitted_at, job.started_at, job.ended_at), (Some(at(0)), Some(at(40)), Some(at(60))));
    assert_eq!((job.duration_seconds, job.total_seconds), (Some(20.0), Some(60.0)));
    assert_eq!(job.queue_wait_seconds, Some(10.0), "the second attempt waited since the first ended");
    assert_eq!((job.error, job.eta_seconds), (None, None));
    let outcomes: Vec<_> = job.attempts.iter().map(|attempt| (attempt.number, attempt.outcome)).collect();
    assert_eq!(outcomes, [(0, Some(AttemptOutcome::Retried)), (1, Some(AttemptOutcome::Completed))]);
    let error = job.attempts[0].error.as_ref().expect("the first attempt failed");
    assert_eq!((error.message.as_deref(), error.timed_out), (Some("no answer"), true));
    let workers: Vec<_> = job.attempts.iter().map(|attempt| attempt.worker_id.as_deref()).collect();
    assert_eq!(workers, [Some("w1"), Some("w2")]);

    let stages: Vec<_> =
        job.stages.iter().map(|stage| (stage.stage.as_str(), stage.status, stage.running)).collect();
    let completed = Some(StageStatus::Completed);
    assert_eq!(stages, [("ocr", None, false), ("ocr", completed, false), ("chunk", completed, false)]);
    let ocr = &job.stages[1];
    assert_eq!((ocr.memory_rss_start_bytes, ocr.memory_rss_end_bytes), (Some(100), Some(160)));
    assert_eq!((ocr.memory_delta_bytes, ocr.memory_peak_bytes), (Some(60), Some(200)));
    assert_eq!((ocr.duration_seconds, job.memory_peak_bytes), (Some(9.0), Some(200)));
}

fn counted(events: &[Event]) -> Vec<String> {
    let pipeline = pipeline(Config::default());
    let mut counted: Vec<String> = Vec::new();
    for event in events {
        for observation in pipeline.jobs().fold(std::slice::from_ref(event)) {
            match observation {
                Observation::Enqueued { .. } => counted.push("enqueued".into()),
                Observation::AttemptEnded { outcome, .. } => counted.push(outcome.as_str().into()),
                Observation::StageEnded { stage, .. } => counted.push(stage),
                _ => {}
            }
        }
    }
    counted.sort();
    counted
}

proptest! {
    #[test]
    fn neither_order_nor_repetition_of_events_makes_a_difference(
        order in Just((0..10usize).chain(0..10).collect::<Vec<_>>()).prop_shuffle(),
    ) {
        let history = history();
        let events: Vec<Event> = order.iter().map(|&index| history[index].clone()).collect();
        prop_assert_eq!(snapshot_of(&events), snapshot_of(&history));
        prop_assert_eq!(counted(&events), ["chunk", "completed", "enqueued", "ocr", "retried"]);
    }

    #[test]
    fn any_events_in_any_order_give_the_same_job(
        events in proptest::collection::btree_map(0..400i64, 0..8usize, 1..12),
        seed in any::<u64>(),
    ) {
        let mut events: Vec<Event> = events.into_iter().map(|(seconds, kind)| match kind {
            6 => Event::Stage(Box::new(stage(StageAction::Started, "j", "a", seconds))),
            7 => Event::Stage(Box::new(stage(StageAction::Finished, "j", "a", seconds))),
            kind => said(JobAction::ALL[kind], "j", seconds),
        }).collect();
        let in_order = snapshot_of(&events);
        let mut state = seed;
        events.sort_by_cached_key(|_| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            state >> 16
        });
        prop_assert_eq!(snapshot_of(&events), in_order);
    }
}

#[test]
fn what_opens_a_finished_job_again_and_what_does_not() {
    use JobAction::*;
    type Case<'a> = (&'a str, &'a [(JobAction, i64)], JobStatus);
    let cases: &[Case<'_>] = &[
        ("a start that arrives late", &[(Completed, 10), (Started, 5)], JobStatus::Completed),
        ("a start by a clock that is ahead", &[(Completed, 10), (Started, 11)], JobStatus::Completed),
        (
            "a submission by a clock that is ahead",
            &[(Started, 5), (Completed, 10), (Submitted, 12)],
            JobStatus::Completed,
        ),
        (
            "progress that arrives late",
            &[(Started, 1), (Completed, 10), (Progress, 11)],
            JobStatus::Completed,
        ),
        ("a retry", &[(Started, 1), (Failed, 10), (Retried, 11)], JobStatus::Pending),
        (
            "a second submission",
            &[(Submitted, 0), (Started, 1), (Failed, 10), (Submitted, 20)],
            JobStatus::Pending,
        ),
        ("a second start", &[(Started, 1), (Failed, 10), (Started, 20)], JobStatus::Running),
        ("a start much later", &[(Failed, 10), (Started, 1_000)], JobStatus::Running),
        ("an end that is told twice", &[(Started, 1), (Failed, 10), (Failed, 11)], JobStatus::Failed),
        ("a start after a retry", &[(Started, 1), (Retried, 5), (Started, 6)], JobStatus::Running),
        ("only progress", &[(Progress, 5)], JobStatus::Running),
        ("progress after a retry", &[(Started, 1), (Retried, 5), (Progress, 9)], JobStatus::Running),
        ("progress before a retry", &[(Started, 1), (Progress, 4), (Retried, 5)], JobStatus::Pending),
    ];
    for (what, events, status) in cases {
        let events: Vec<Event> =
            events.iter().map(|(action, seconds)| said(*action, "j", *seconds)).collect();
        assert_eq!(snapshot_of(&events).status, *status, "{what}");
    }
}

/// A worker gave the job back, another took it, and only then the first told that it had failed.
#[test]
fn a_failure_that_is_told_after_the_next_attempt_began_ended_the_attempt_before() {
    use JobAction::*;
    let tried = |action, seconds, attempt: u64, worker: &str| {
        let mut event = job(action, "j", seconds);
        event.retry_count = Some(attempt);
        event.worker_id = Some(worker.into());
        Event::Job(Box::new(event))
    };
    let mut events =
        vec![tried(Started, 10, 0, "w1"), tried(Started, 20, 1, "w2"), tried(Retried, 21, 0, "w1")];
    assert_eq!(snapshot_of(&events).status, JobStatus::Running);
    events.insert(2, tried(Completed, 20, 1, "w2"));
    let job = snapshot_of(&events);
    assert_eq!((job.status, job.retry_count), (JobStatus::Completed, 1));
    let attempts: Vec<_> =
        job.attempts.iter().map(|attempt| (attempt.worker_id.as_deref(), attempt.outcome)).collect();
    let expected =
        [(Some("w1"), Some(AttemptOutcome::Retried)), (Some("w2"), Some(AttemptOutcome::Completed))];
    assert_eq!(attempts, expected);
    // Queued anew by hand, its attempts count from 0 again.
    let again = [events.clone(), vec![tried(Started, 30, 0, "w3"), tried(Failed, 31, 0, "w3")]].concat();
    assert_eq!(snapshot_of(&again).status, JobStatus::Failed);
    // What was told much later is no matter of order.
    events.push(tried(Retried, 1_000, 0, "w1"));
    assert_eq!(snapshot_of(&events).status, JobStatus::Pending);
}

#[test]
fn an_end_alone_tells_of_a_whole_attempt() {
    let mut end = job(JobAction::Completed, "j", 100);
    end.submitted_at = Some(at(60));
    end.started_at = Some(at(70));
    let job = snapshot_of(&[Event::Job(Box::new(end))]);
    assert_eq!(
        (job.queue_wait_seconds, job.duration_seconds, job.total_seconds),
        (Some(10.0), Some(30.0), Some(40.0))
    );
}

#[test]
fn a_running_job_says_how_long_it_may_still_take() {
    let mut progress = job(JobAction::Progress, "j", 80);
    progress.progress = Some(0.8);
    let job = snapshot_of(&[said(JobAction::Started, "j", 20), Event::Job(Box::new(progress))]);
    assert_eq!((job.duration_seconds, job.eta_seconds.map(f64::round)), (Some(80.0), Some(20.0)));
}

#[test]
fn jobs_beyond_the_bounds_are_dropped_and_counted() {
    let registry = prometheus::Registry::new();
    let config = Config { max_active_jobs: 2, max_finished_jobs: 3, ..Config::default() };
    let pipeline = Pipeline::new(config, &registry).unwrap();
    fold(&pipeline, (0..5).map(|index| said(JobAction::Completed, &format!("done{index}"), index)));
    fold(&pipeline, (0..4).map(|index| said(JobAction::Started, &format!("busy{index}"), 10 + index)));
    fold(&pipeline, [said(JobAction::Progress, "busy2", 20)]);
    let ids: Vec<String> = pipeline
        .jobs()
        .list(&JobFilter::default(), Page::default())
        .items
        .into_iter()
        .map(|job| job.job_id)
        .collect();
    assert_eq!(ids, ["busy3", "busy2", "done4", "done3", "done2"]);
    let dropped: Vec<(String, f64)> = registry
        .gather()
        .iter()
        .filter(|family| family.name() == "watchkeeper_pipeline_jobs_dropped_total")
        .flat_map(prometheus::proto::MetricFamily::get_metric)
        .map(|metric| (metric.get_label()[0].value().to_owned(), metric.get_counter().get_value()))
        .collect();
    assert_eq!(dropped[..2], [("active".to_owned(), 2.0), ("finished".to_owned(), 2.0)]);
    pipeline.tick(at(24 * 3600 + 15));
    assert_eq!(pipeline.jobs().counts(), JobCounts { running: 1, completed: 3, ..JobCounts::default() });
}

#[test]
fn jobs_are_found_by_each_condition_and_page_by_page() {
    let pipeline = pipeline(Config::default());
    for index in 0..10 {
        let mut event = job(JobAction::Submitted, &format!("j{index}"), index);
        event.queue = Some(if index < 3 { "a" } else { "b" }.to_owned());
        event.document_id = Some(format!("Report-{index}"));
        fold(&pipeline, [Event::Job(Box::new(event))]);
    }
    let mut failed = job(JobAction::Failed, "j4", 20);
    failed.error_message = Some("File is Encrypted".into());
    failed.trace_id = Some("AB".repeat(16));
    let mut again = stage(StageAction::Started, "j4", "ocr", 15);
    again.trace_id = Some("cd".repeat(16));
    fold(&pipeline, [Event::Job(Box::new(failed)), Event::Stage(Box::new(again))]);
    let find = |filter: JobFilter, page: Page| {
        let listing = pipeline.jobs().list(&filter, page);
        (listing.items.into_iter().map(|job| job.job_id).collect::<Vec<_>>(), listing.total)
    };
    let all = Page { offset: 0, limit: 100 };
    let by = |change: fn(&mut JobFilter)| {
        let mut filter = JobFilter::default();
        change(&mut filter);
        find(filter, all).0
    };
    assert_eq!(by(|filter| filter.queue = Some("a".into())), ["j2", "j1", "j0"]);
    assert_eq!(by(|filter| filter.status = Some(JobStatus::Failed)), ["j4"]);
    assert_eq!(by(|filter| filter.text = Some("encrypted".into())), ["j4"]);
    assert_eq!(by(|filter| filter.text = Some("report-7".into())), ["j7"]);
    assert_eq!(by(|filter| filter.document = Some("Report-7".into())), ["j7"]);
    // It is found by each of its traces.
    assert_eq!(by(|filter| filter.trace_id = Some("ab".repeat(16))), ["j4"]);
    assert_eq!(by(|filter| filter.trace_id = Some("cd".repeat(16))), ["j4"]);
    assert!(by(|filter| filter.trace_id = Some("ef".repeat(16))).is_empty());
    assert_eq!(by(|filter| filter.since = Some(at(9))), ["j9", "j4"]);
    assert_eq!(by(|filter| filter.until = Some(at(1))), ["j1", "j0"]);
    assert!(by(|filter| filter.tenant = Some("nobody".into())).is_empty());
    let page = find(JobFilter::default(), Page { offset: 8, limit: 5 });
    assert_eq!(page, (vec!["j1".to_owned(), "j0".to_owned()], 10));
}

/// The verdict on job `j` at `now`, after `events`.
fn verdict(events: Vec<Event>, now: i64) -> (Verdict, String) {
    let pipeline = pipeline(Config::default());
    fold(&pipeline, events);
    let job = pipeline.jobs().get_at("j", at(now)).expect("j");
    (job.judgement.verdict, job.judgement.reason)
}

fn heartbeat(seconds: i64, started: i64) -> Event {
    let mut event = worker(WorkerAction::Heartbeat, "w", seconds);
    event.started_at = Some(at(started));
    event.queues = Some("q".into());
    Event::Worker(Box::new(event))
}

fn started_by_w(seconds: i64) -> Event {
    let mut event = job(JobAction::Started, "j", seconds);
    event.worker_id = Some("w".into());
    Event::Job(Box::new(event))
}

#[test]
fn a_job_whose_worker_is_gone_is_said_to_be_lost() {
    let cases = [
        (vec![heartbeat(0, 0), started_by_w(1), heartbeat(50, 0)], 60, Verdict::Fine, ""),
        (
            vec![heartbeat(0, 0), started_by_w(1)],
            400,
            Verdict::OwnerGone,
            "its worker w was last heard of 6m40s ago",
        ),
        (
            vec![heartbeat(0, 0), started_by_w(1), heartbeat(50, 40)],
            60,
            Verdict::OwnerGone,
            "started again since, 20s ago",
        ),
        (
            vec![
                heartbeat(0, 0),
                started_by_w(1),
                Event::Worker(Box::new(worker(WorkerAction::Stopped, "w", 5))),
            ],
            60,
            Verdict::OwnerGone,
            "its worker w has stopped",
        ),
    ];
    for (events, now, expected, reason) in cases {
        let (verdict, given) = verdict(events, now);
        assert_eq!(verdict, expected, "{given}");
        assert!(given.contains(reason), "{given}");
    }
}

#[test]
fn a_job_that_nobody_takes_is_said_to_have_no_consumer() {
    let mut submitted = job(JobAction::Submitted, "j", 0);
    submitted.queue = Some("q".into());
    let waiting = || Event::Job(Box::new(submitted.clone()));
    assert_eq!(verdict(vec![waiting()], 4_000).0, Verdict::Fine, "without any worker nothing can be said");
    assert_eq!(verdict(vec![waiting(), heartbeat(0, 0)], 30).0, Verdict::Fine, "it may wait a little");
    assert_eq!(verdict(vec![waiting(), heartbeat(70, 0)], 80).0, Verdict::Fine);
    let (found, reason) = verdict(vec![waiting(), heartbeat(0, 0)], 600);
    assert_eq!(
        (found, reason.as_str()),
        (Verdict::WaitingNoConsumer, "it has waited for 10m: none of the 1 known workers is alive")
    );
    let mut other = worker(WorkerAction::Heartbeat, "other", 590);
    other.queues = Some("elsewhere".into());
    let (found, reason) = verdict(vec![waiting(), heartbeat(0, 0), Event::Worker(Box::new(other))], 600);
    assert_eq!(found, Verdict::WaitingNoConsumer, "{reason}");
    assert!(reason.ends_with("none of the 1 workers that take from q is alive"), "{reason}");
}

#[test]
fn a_job_is_late_by_what_it_said_or_else_by_its_stages_history() {
    let mut slow = job(JobAction::Progress, "j", 10);
    slow.expected_max_seconds = Some(100.0);
    let events = || vec![heartbeat(0, 0), started_by_w(1), Event::Job(Box::new(slow.clone()))];
    let alive = |now: i64| vec![heartbeat(now - 10, 0)];
    assert_eq!(verdict([events(), alive(100)].concat(), 100).0, Verdict::Fine);
    let (found, reason) = verdict([events(), alive(200)].concat(), 200);
    assert_eq!(
        (found, reason.as_str()),
        (Verdict::OverExpectedTime, "it has been at this for 3m10s, and said that it takes 1m40s at most")
    );

    let mut past: Vec<Event> = Vec::new();
    for index in 0..30 {
        past.push(Event::Stage(Box::new(stage(StageAction::Started, &format!("p{index}"), "ocr", 0))));
        past.push(Event::Stage(Box::new(stage(StageAction::Finished, &format!("p{index}"), "ocr", 20))));
    }
    let now_running =
        vec![started_by_w(100), Event::Stage(Box::new(stage(StageAction::Started, "j", "ocr", 100)))];
    let at_120 = [past.clone(), now_running.clone(), vec![heartbeat(119, 0)]].concat();
    assert_eq!(verdict(at_120, 120).0, Verdict::Fine);
    let at_300 = [past, now_running, vec![heartbeat(299, 0)]].concat();
    let (found, reason) = verdict(at_300, 300);
    assert_eq!(found, Verdict::OverStageHistory, "{reason}");
    assert!(reason.starts_with("its stage ocr has run for 3m20s; 95 % of such stages took"), "{reason}");
}

#[test]
fn a_job_of_an_unknown_worker_that_says_nothing_is_silent() {
    let (found, reason) = verdict(vec![started_by_w(0)], 700);
    assert_eq!(found, Verdict::NoHeartbeat);
    assert_eq!(reason, "nothing was heard of it for 11m40s, and its worker w sends no heartbeats");
    assert_eq!(verdict(vec![started_by_w(0)], 500).0, Verdict::Fine);
    assert_eq!(verdict(vec![said(JobAction::Completed, "j", 0)], 7_000).0, Verdict::Fine);
}

#[test]
fn troubled_jobs_are_listed_by_verdict() {
    let pipeline = pipeline(Config::default());
    fold(
        &pipeline,
        [started_by_w(0), said(JobAction::Started, "k", 0), said(JobAction::Completed, "done", 0)],
    );
    let troubled = pipeline.jobs().troubled(10);
    assert_eq!(troubled.len(), 2);
    assert!(troubled.iter().all(|job| job.judgement.verdict == Verdict::NoHeartbeat));
}
