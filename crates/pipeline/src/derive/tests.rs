//! Derived metrics, as samples.

mod spans;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use model::event::{Event, JobAction, StageAction, WorkerAction};
use model::{MetricBatch, Timestamp, is_stale};
use store::Cancel;
use tokio_util::sync::CancellationToken;

use super::described;
use super::histogram::{Histogram, LONG};
use super::run::Derivation;
use crate::fixtures::{self, MemoryStore, at, job, llm_call, loaded, pipeline, request, stage, worker};
use crate::live::Counting;
use crate::{Config, Page, Pipeline};

/// Series with their samples, as text and `(seconds, value)`.
fn samples(batch: &MetricBatch) -> BTreeMap<String, Vec<(i64, f64)>> {
    let seconds = |millis: i64| (millis - at(0).as_millis()) / 1_000;
    batch
        .iter()
        .map(|(labels, samples)| {
            let samples = samples.iter().map(|sample| (seconds(sample.time_ms), sample.value)).collect();
            (labels.to_string(), samples)
        })
        .collect()
}

fn value(samples: &BTreeMap<String, Vec<(i64, f64)>>, series: &str) -> f64 {
    let found = samples.get(series).and_then(|samples| samples.last());
    found.unwrap_or_else(|| panic!("no {series} in {:#?}", samples.keys())).1
}

fn a_job_and_more() -> Vec<Event> {
    let mut submitted = job(JobAction::Submitted, "j", 0);
    submitted.queue = Some("q".into());
    submitted.kind = Some("summary".into());
    let mut running = job(JobAction::Started, "k", 5);
    running.kind = Some("summary".into());
    let mut end = stage(StageAction::Finished, "j", "ocr", 18);
    end.memory_rss_bytes = Some(300);
    end.memory_peak_bytes = Some(500);
    end.memory_delta_bytes = Some(-20);
    let mut beat = worker(WorkerAction::Heartbeat, "w", 20);
    beat.memory_rss_bytes = Some(1_000);
    beat.cpu_percent = Some(150.0);
    beat.started_at = Some(at(0));
    vec![
        Event::Job(Box::new(submitted)),
        Event::Job(Box::new(job(JobAction::Started, "j", 10))),
        Event::Stage(Box::new(stage(StageAction::Started, "j", "ocr", 11))),
        Event::Stage(Box::new(end)),
        Event::Job(Box::new(job(JobAction::Completed, "j", 20))),
        Event::Job(Box::new(running)),
        Event::Worker(Box::new(beat)),
        Event::Component(Box::new(loaded("embedder", 3, 800))),
        Event::Request(Box::new(request("/documents/7", 503, 4))),
        Event::LlmCall(Box::new(llm_call("qwen", 4))),
        spans::a_span(),
    ]
}

/// Whether the documentation has the family of a series.
fn is_described(name: &str) -> bool {
    let families = described::families();
    let family =
        ["_bucket", "_sum", "_count"].iter().find_map(|suffix| name.strip_suffix(suffix)).unwrap_or(name);
    families.iter().any(|metadata| metadata.family == name || metadata.family == family)
}

#[test]
fn events_become_metrics_under_the_agreed_names() {
    let pipeline = pipeline(Config::default());
    pipeline.fold(&a_job_and_more(), Counting::Counted);
    let derived = Derivation::new(at(0)).derive(&pipeline, at(30));
    let undescribed: Vec<&str> = derived
        .batch
        .iter()
        .map(|(labels, _)| labels.metric_name())
        .filter(|name| !is_described(name))
        .collect();
    assert!(undescribed.is_empty(), "docs/metrics.md: {undescribed:?}");
    let samples = samples(&derived.batch);
    for (series, expected) in [
        (r#"jobs_total{kind="summary", queue="q", status="completed"}"#, 1.0),
        (r#"job_duration_seconds_sum{kind="summary", queue="q"}"#, 10.0),
        (r#"job_duration_seconds_bucket{kind="summary", le="5", queue="q"}"#, 0.0),
        (r#"job_duration_seconds_bucket{kind="summary", le="10", queue="q"}"#, 1.0),
        (r#"job_duration_seconds_bucket{kind="summary", le="+Inf", queue="q"}"#, 1.0),
        (r#"queue_wait_seconds_sum{queue="q"}"#, 10.0),
        (r#"queue_enqueued_total{queue="q"}"#, 1.0),
        (r#"queue_completed_total{queue="q"}"#, 1.0),
        (r#"queue_failed_total{queue="q"}"#, 0.0),
        (r#"jobs_active{kind="summary"}"#, 1.0),
        (r#"job_active_max_age_seconds{kind="summary"}"#, 25.0),
        (r#"stages_total{stage="ocr", status="completed"}"#, 1.0),
        (r#"stage_duration_seconds_sum{stage="ocr"}"#, 7.0),
        (r#"stage_memory_rss_bytes{stage="ocr"}"#, 300.0),
        (r#"stage_memory_peak_bytes{stage="ocr"}"#, 500.0),
        (r#"stage_memory_delta_bytes{stage="ocr"}"#, -20.0),
        (r#"component_memory_bytes{component="embedder"}"#, 800.0),
        (r#"worker_up{worker="w"}"#, 1.0),
        (r#"worker_heartbeat_age_seconds{worker="w"}"#, 10.0),
        (r#"worker_uptime_seconds{worker="w"}"#, 30.0),
        (r#"worker_memory_bytes{worker="w"}"#, 1_000.0),
        (r#"worker_cpu_ratio{worker="w"}"#, 1.5),
        (r#"worker_restarts_total{worker="w"}"#, 0.0),
        (r#"workers{state="online"}"#, 1.0),
        (r#"workers{state="offline"}"#, 0.0),
        (
            r#"http_requests_total{method="GET", route="/documents/{id}", service="gateway", status="503"}"#,
            1.0,
        ),
        (r#"http_request_duration_seconds_count{route="/documents/{id}", service="gateway"}"#, 1.0),
        (r#"llm_calls_total{model="qwen", provider="ollama", status="ok"}"#, 1.0),
        (r#"llm_tokens_total{model="qwen", type="output"}"#, 20.0),
        (r#"llm_time_to_first_token_seconds_sum{model="qwen"}"#, 0.4),
    ] {
        assert_eq!(value(&samples, series), expected, "{series}");
    }
}

#[test]
fn a_counter_begins_at_zero_so_that_its_first_increase_is_seen() {
    let pipeline = pipeline(Config::default());
    pipeline.fold(&a_job_and_more(), Counting::Counted);
    let mut derivation = Derivation::new(at(0));
    let series = r#"stages_total{stage="ocr", status="completed"}"#;
    let first = derivation.derive(&pipeline, at(15));
    assert_eq!(samples(&first.batch)[series], [(0, 0.0), (15, 1.0)]);
    derivation.stored(first);
    let second = derivation.derive(&pipeline, at(30));
    assert_eq!(samples(&second.batch)[series], [(30, 1.0)]);
}

#[test]
fn a_series_that_is_gone_is_ended_once_and_a_lost_writing_ends_it_later() {
    let pipeline = pipeline(Config::default());
    pipeline.fold(&[Event::Job(Box::new(job(JobAction::Started, "j", 0)))], Counting::Counted);
    let mut derivation = Derivation::new(at(0));
    let is_ended = |batch: &MetricBatch| {
        samples(batch).get("jobs_active").map(|samples| samples.iter().any(|(_, value)| is_stale(*value)))
    };
    let first = derivation.derive(&pipeline, at(15));
    assert_eq!(is_ended(&first.batch), Some(false));
    derivation.stored(first);
    pipeline.fold(&[Event::Job(Box::new(job(JobAction::Completed, "j", 20)))], Counting::Counted);
    let lost = derivation.derive(&pipeline, at(30));
    assert_eq!(is_ended(&lost.batch), Some(true));
    let again = derivation.derive(&pipeline, at(45));
    assert_eq!(is_ended(&again.batch), Some(true), "the first end was not stored");
    derivation.stored(again);
    assert_eq!(is_ended(&derivation.derive(&pipeline, at(60)).batch), None);
}

#[test]
fn a_job_whose_worker_is_gone_counts_as_lost_and_not_as_running() {
    let pipeline = pipeline(Config::default());
    let mut started = job(JobAction::Started, "j", 1);
    started.worker_id = Some("w".into());
    let mut lost = Vec::new();
    for event in [worker(WorkerAction::Heartbeat, "w", 0), worker(WorkerAction::Stopped, "w", 20)] {
        pipeline.fold(
            &[Event::Worker(Box::new(event)), Event::Job(Box::new(started.clone()))],
            Counting::Counted,
        );
        let samples = samples(&Derivation::new(at(0)).derive(&pipeline, at(30)).batch);
        lost.push((value(&samples, "jobs_active"), value(&samples, "jobs_lost")));
    }
    assert_eq!(lost, [(1.0, 0.0), (0.0, 1.0)]);
}

#[test]
fn a_stages_memory_is_shown_for_five_minutes() {
    let pipeline = pipeline(Config::default());
    pipeline.fold(&a_job_and_more(), Counting::Counted);
    let shown = |now: i64| {
        let derived = Derivation::new(at(0)).derive(&pipeline, at(now));
        samples(&derived.batch).contains_key(r#"stage_memory_peak_bytes{stage="ocr"}"#)
    };
    assert!(shown(300));
    assert!(!shown(320));
}

#[test]
fn a_worker_that_stopped_has_no_series_and_one_that_is_silent_keeps_only_its_presence() {
    let pipeline = pipeline(Config::default());
    pipeline.fold(&a_job_and_more(), Counting::Counted);
    let silent = samples(&Derivation::new(at(0)).derive(&pipeline, at(400)).batch);
    assert_eq!(value(&silent, r#"worker_up{worker="w"}"#), 0.0);
    assert!(!silent.contains_key(r#"worker_memory_bytes{worker="w"}"#));
    pipeline.fold(&[Event::Worker(Box::new(worker(WorkerAction::Stopped, "w", 401)))], Counting::Counted);
    let stopped = samples(&Derivation::new(at(0)).derive(&pipeline, at(402)).batch);
    assert!(!stopped.contains_key(r#"worker_up{worker="w"}"#));
    assert_eq!(value(&stopped, r#"workers{state="stopped"}"#), 1.0);
}

#[test]
fn label_sets_beyond_the_bound_are_counted_under_other() {
    let pipeline = pipeline(Config { max_series_per_metric: 3, ..Config::default() });
    let events: Vec<Event> =
        (0..10).map(|index| Event::LlmCall(Box::new(llm_call(&format!("m{index}"), index)))).collect();
    pipeline.fold(&events, Counting::Counted);
    let samples = samples(&Derivation::new(at(0)).derive(&pipeline, at(15)).batch);
    assert_eq!(value(&samples, r#"llm_calls_total{model="other", provider="other", status="other"}"#), 7.0);
    assert_eq!(samples.keys().filter(|series| series.starts_with("llm_calls_total")).count(), 4);
}

#[test]
fn a_queue_that_only_events_tell_of_has_depths_counted_from_jobs() {
    let pipeline = pipeline(Config::default());
    let mut waiting = job(JobAction::Submitted, "j", 10);
    waiting.queue = Some("q".into());
    pipeline.fold(&[Event::Job(Box::new(waiting))], Counting::Counted);
    pipeline.tick(at(20));
    let samples = samples(&Derivation::new(at(0)).derive(&pipeline, at(30)).batch);
    assert_eq!(value(&samples, r#"queue_depth{queue="q", state="pending"}"#), 1.0);
    assert_eq!(value(&samples, r#"queue_oldest_age_seconds{queue="q", state="pending"}"#), 20.0);
}

fn restarted(events: Vec<Event>) -> (Arc<Pipeline>, usize) {
    let pipeline = pipeline(Config::default());
    let store = MemoryStore::with(events);
    let count = pipeline.rebuild(&store, at(100)).expect("a store in memory");
    (pipeline, count)
}

#[test]
fn after_a_restart_the_state_is_back_and_nothing_is_counted_again() {
    let mut events = a_job_and_more();
    let mut crash = worker(WorkerAction::Stopped, "w", 25);
    crash.exit_code = Some(-9);
    events.push(Event::Worker(Box::new(crash)));
    let mut back = worker(WorkerAction::Heartbeat, "w", 90);
    back.started_at = Some(at(80));
    events.push(Event::Worker(Box::new(back)));
    let (pipeline, count) = restarted(events);
    assert_eq!(count, 10, "jobs, stages, components and workers; neither requests nor calls of models");
    assert_eq!((pipeline.jobs().counts().completed, pipeline.jobs().counts().running), (1, 1));
    assert_eq!(pipeline.workers().get("w").map(|worker| (worker.restarts, worker.crashes)), Some((1, 1)));
    let samples = samples(&Derivation::new(at(100)).derive(&pipeline, at(115)).batch);
    assert!(!samples.keys().any(|series| series.starts_with("jobs_total")), "counters begin again");
    assert_eq!(value(&samples, r#"worker_crashes_total{worker="w"}"#), 0.0);
    assert_eq!(value(&samples, r#"stage_memory_peak_bytes{stage="ocr"}"#), 500.0);
}

#[test]
fn stored_events_are_read_back_in_slices_however_many_share_a_time() {
    let mut events: Vec<Event> = (0..25_000)
        .map(|index| Event::Job(Box::new(job(JobAction::Completed, &format!("a{index}"), index / 3))))
        .collect();
    events.extend(
        (0..12_000).map(|index| Event::Job(Box::new(job(JobAction::Completed, &format!("b{index}"), 9_000)))),
    );
    let config = Config { max_finished_jobs: 100_000, ..Config::default() };
    let pipeline = pipeline(config);
    let store = MemoryStore::with(events);
    let count = pipeline.rebuild(&store, at(10_000)).expect("a store in memory");
    assert_eq!((count, pipeline.jobs().counts().completed), (37_000, 37_000));
    assert!(*store.scans.lock() < 20);
}

#[test]
fn large_rows_do_not_stop_a_start() {
    let completed = |id: String, seconds| Event::Job(Box::new(job(JobAction::Completed, &id, seconds)));
    let spread = (0..30).map(|index| completed(format!("a{index}"), index));
    let at_once = (0..12).map(|index| completed(format!("b{index}"), 50));
    let later = (0..3).map(|index| completed(format!("c{index}"), 60));
    let pipeline = pipeline(Config::default());
    let events = spread.chain(at_once).chain(later).collect();
    let store = MemoryStore { max_rows: Some(7), ..MemoryStore::with(events) };
    pipeline.rebuild(&store, at(10_000)).expect("a store in memory");
    let ids: Vec<String> = pipeline
        .jobs()
        .list(&Default::default(), Page { limit: 100, offset: 0 })
        .items
        .into_iter()
        .map(|job| job.job_id)
        .collect();
    let of = |letter| ids.iter().filter(|id| id.starts_with(letter)).count();
    assert_eq!((of('a'), of('c')), (30, 3));
    assert!((1..12).contains(&of('b')), "of one instant as many as fit: {}", of('b'));
}

#[test]
fn a_job_that_is_no_longer_in_memory_is_read_from_the_store() {
    let store = MemoryStore::with(a_job_and_more());
    let found = crate::stored_job(&store, "j", at(0), at(100), &Cancel::never())
        .expect("a store in memory")
        .expect("stored");
    assert_eq!((found.job_id.as_str(), found.duration_seconds, found.stages.len()), ("j", Some(10.0), 1));
    assert_eq!(
        crate::stored_job(&store, "unknown", at(0), at(100), &Cancel::never()).expect("a store in memory"),
        None
    );
}

#[test]
fn a_histogram_counts_up_to_each_bound() {
    let mut histogram = Histogram::new(LONG);
    [0.05, 0.051, 59.0, 1e9].into_iter().for_each(|value| histogram.observe(value));
    let counts: BTreeMap<String, u64> =
        histogram.cumulative().map(|(bound, count)| (bound.to_string(), count)).collect();
    assert_eq!(
        (counts["0.05"], counts["0.1"], counts["60"], counts["14400"], counts["inf"]),
        (1, 2, 3, 3, 4)
    );
    assert_eq!(histogram.count(), 4);
}

#[tokio::test]
async fn metrics_are_written_until_the_end_is_asked_for() {
    let store = Arc::new(MemoryStore::default());
    let pipeline = pipeline(Config::default());
    let mut started = job(JobAction::Started, "j", 0);
    started.time = Timestamp::now();
    pipeline.fold(&[Event::Job(Box::new(started))], Counting::Counted);
    let stop = CancellationToken::new();
    let ingest = fixtures::ingest(Arc::clone(&store));
    let task = tokio::spawn(pipeline.run(ingest, Duration::from_millis(5), stop.clone()));
    let deadline = Instant::now() + Duration::from_secs(10);
    while store.samples.lock().iter().filter(|(series, ..)| series == "jobs_active").count() < 3 {
        assert!(Instant::now() < deadline, "nothing was written");
        tokio::task::yield_now().await;
    }
    stop.cancel();
    tokio::time::timeout(Duration::from_secs(10), task).await.expect("it ends").expect("without a panic");
}
