//! Reports over a real store.

use std::sync::Arc;
use std::time::Duration;

use model::event::{Event, JobAction, JobEvent, RequestEvent, StageAction, StageEvent};
use model::{Labels, MetricBatch, Sample, TimeRange, Timestamp};
use pipeline::Page;
use promql::Cancel;
use store::{Batch, TelemetryStore, batches_from_events};

use super::*;

const HOUR: i64 = 3_600_000;
/// A whole hour, in milliseconds.
const T0: i64 = 1_753_999_200_000;

struct Stored {
    store: Arc<dyn TelemetryStore>,
    engine: promql::Engine,
    runtime: tokio::runtime::Runtime,
    _folder: tempfile::TempDir,
}

impl Stored {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let runtime = tokio::runtime::Runtime::new().expect("a runtime");
        // The store takes what is older than its retention for too old.
        let config = engine::Config {
            disk_reserve_bytes: model::ByteSize(0),
            retention_free_bytes: model::ByteSize(0),
            retention: model::DurationText(Duration::from_secs(100 * 365 * 24 * 3600)),
            ..engine::Config::default()
        };
        let opened = engine::Engine::open(folder.path(), config, &prometheus::Registry::new());
        let store: Arc<dyn TelemetryStore> = opened.expect("a store");
        let engine = promql::Engine::new(Arc::clone(&store), promql::Limits::default());
        Self { store, engine, runtime, _folder: folder }
    }

    fn take(&self, events: &[Event]) {
        let batch = Batch { events: batches_from_events(events).expect("rows"), ..Batch::default() };
        self.runtime.block_on(self.store.append(batch)).expect("stored");
    }

    fn sample(&self, name: &str, labels: &[(&str, &str)], samples: &[(i64, f64)]) {
        let mut batch = MetricBatch::new();
        let samples: Vec<Sample> =
            samples.iter().map(|(time_ms, value)| Sample { time_ms: *time_ms, value: *value }).collect();
        batch.push(Labels::metric(name, labels).as_ref(), &samples);
        self.runtime.block_on(self.store.append(batch.into())).expect("stored");
    }

    fn stats(&self, by: GroupBy, filter: &RequestFilter) -> RequestStats {
        request_stats(&*self.store, by, filter, TimeRange::ALL, &Cancel::never()).expect("statistics")
    }

    fn listed(&self, filter: &RequestFilter, page: Page) -> (Vec<String>, usize) {
        let listing = requests(&*self.store, filter, TimeRange::ALL, page, &Cancel::never()).expect("a page");
        (listing.items.into_iter().map(|request| request.event_id).collect(), listing.total)
    }
}

fn request(n: i64, route: Option<&str>, user: Option<&str>, status: u64, seconds: f64) -> Event {
    Event::Request(Box::new(RequestEvent {
        time: Timestamp::from_millis(T0 + n),
        event_id: format!("r{n}"),
        path: format!("/documents/{n}"),
        route: route.map(str::to_owned),
        method: "GET".to_owned(),
        status_code: status,
        duration_seconds: seconds,
        user_id: user.map(str::to_owned),
        api_key_id: None,
        client_ip: None,
        request_id: None,
        service: None,
        trace_id: None,
        request_bytes: Some(10),
        response_bytes: None,
        error_message: None,
        attributes: model::event::Attributes::new(),
    }))
}

#[test]
fn requests_are_summed_up_by_what_they_have_in_common() {
    let stored = Stored::new();
    let mut events: Vec<Event> =
        (0..100).map(|n| request(n, Some("/documents/{id}"), Some("ada"), 200, (n + 1) as f64)).collect();
    events.extend((100..110).map(|n| request(n, None, None, 500, 1.0)));
    stored.take(&events);
    let stats = stored.stats(GroupBy::Route, &RequestFilter::default());
    assert_eq!((stats.all.requests, stats.all.errors, stats.all.request_bytes), (110, 10, 1100));
    assert!((stats.all.average_seconds() - (5050.0 + 10.0) / 110.0).abs() < 1e-9);
    assert_eq!(stats.groups.len(), 11, "one route, and ten paths without one");
    let first = &stats.groups[0];
    assert_eq!((first.key.as_deref(), first.tally.requests), (Some("/documents/{id}"), 100));
    let p95 = first.tally.durations.quantile(0.95).expect("not empty");
    assert!((p95 / 95.0 - 1.0).abs() < 0.012, "{p95}");
    let by_user = stored.stats(GroupBy::User, &RequestFilter::default());
    let users: Vec<(Option<&str>, u64)> =
        by_user.groups.iter().map(|group| (group.key.as_deref(), group.tally.requests)).collect();
    assert_eq!(users, [(Some("ada"), 100), (None, 10)]);
    let errors = RequestFilter { status: "5xx".parse().ok(), ..RequestFilter::default() };
    assert_eq!(stored.stats(GroupBy::User, &errors).all.requests, 10);
}

#[test]
fn groups_beyond_the_bound_are_counted_together_and_none_is_lost() {
    let stored = Stored::new();
    stored.take(&(0..1_500).map(|n| request(n, None, None, 200, 1.0)).collect::<Vec<_>>());
    let stats = stored.stats(GroupBy::Route, &RequestFilter::default());
    assert_eq!((stats.groups.len(), stats.beyond.requests, stats.all.requests), (1_000, 500, 1_500));
}

#[test]
fn the_log_is_read_newest_first_page_by_page_under_every_condition() {
    let stored = Stored::new();
    let status = |n: i64| if n % 10 == 0 { 404 } else { 200 };
    stored.take(&(0..100).map(|n| request(n, None, None, status(n), n as f64)).collect::<Vec<_>>());
    let all = RequestFilter::default();
    let (ids, total) = stored.listed(&all, Page { offset: 0, limit: 3 });
    assert_eq!((ids, total), (vec!["r99".to_owned(), "r98".to_owned(), "r97".to_owned()], 100));
    let (ids, total) = stored.listed(&all, Page { offset: 98, limit: 10 });
    assert_eq!((ids, total), (vec!["r1".to_owned(), "r0".to_owned()], 100));
    let cases = [
        (RequestFilter { status: "404".parse().ok(), ..all.clone() }, 10),
        (RequestFilter { status: "4xx".parse().ok(), ..all.clone() }, 10),
        (RequestFilter { status: "3xx".parse().ok(), ..all.clone() }, 0),
        (RequestFilter { path: Some("/documents/7".to_owned()), ..all.clone() }, 1),
        (RequestFilter { text: Some("/9".to_owned()), ..all.clone() }, 11),
        (RequestFilter { method: Some("POST".to_owned()), ..all.clone() }, 0),
        (RequestFilter { min_seconds: Some(90.0), ..all.clone() }, 10),
    ];
    for (filter, count) in cases {
        assert_eq!(stored.listed(&filter, Page::default()).1, count, "{filter:?}");
    }
    for text in ["", "4", "x", "6xx", "0xx", "99", "600", "40x", "-1", "4xxx"] {
        assert!(text.parse::<StatusFilter>().is_err(), "{text}");
    }
}

#[test]
fn a_report_ends_when_nobody_waits_for_it() {
    let stored = Stored::new();
    stored.take(&[request(0, None, None, 200, 1.0)]);
    let cancel = Cancel::new();
    cancel.cancel();
    let filter = RequestFilter::default();
    let stopped = request_stats(&*stored.store, GroupBy::User, &filter, TimeRange::ALL, &cancel);
    assert!(matches!(stopped, Err(ReportError::Events(store::QueryError::Stopped(_)))), "{stopped:?}");
}

fn job(job_id: &str, action: JobAction, time_ms: i64) -> Event {
    let mut event = job_event(job_id, action);
    event.time = Timestamp::from_millis(time_ms);
    event.event_id = format!("{job_id}-{action}-{time_ms}");
    Event::Job(Box::new(event))
}

fn hours(stored: &Stored, history: &mut History, now_ms: i64) -> Vec<Bucket> {
    let now = Timestamp::from_millis(now_ms);
    history.hours(&*stored.store, &stored.engine, now, &Cancel::never()).expect("hours")
}

#[test]
fn jobs_are_counted_in_the_hours_in_which_they_ended_also_when_they_began_in_another() {
    let stored = Stored::new();
    stored.take(&[
        job("a", JobAction::Submitted, T0),
        job("a", JobAction::Started, T0 + 10_000),
        job("a", JobAction::Completed, T0 + 40_000),
        job("b", JobAction::Submitted, T0 + HOUR - 20_000),
        job("b", JobAction::Started, T0 + HOUR - 10_000),
        job("b", JobAction::Retried, T0 + HOUR + 10_000),
        job("b", JobAction::Started, T0 + HOUR + 20_000),
        job("b", JobAction::Completed, T0 + HOUR + 70_000),
        job("c", JobAction::Failed, T0 + HOUR + 80_000),
    ]);
    let found = hours(&stored, &mut History::new(), T0 + 5 * HOUR);
    assert_eq!(found.iter().map(|hour| hour.start.as_millis()).collect::<Vec<_>>(), [T0, T0 + HOUR]);
    let (first, second) = (found[0].tasks, found[1].tasks);
    assert_eq!((first.completed, first.failed, first.retried), (1, 0, 0));
    assert_eq!((first.average_seconds(), first.average_wait_seconds()), (30.0, 10.0));
    assert_eq!((second.completed, second.failed, second.retried), (1, 1, 1));
    assert_eq!((second.average_seconds(), second.average_wait_seconds()), (50.0, 10.0));
    assert_eq!((second.error_rate(), second.retry_rate()), (0.5, 1.0 / 3.0));
    let days = days(&found);
    assert_eq!(days.iter().map(|day| day.tasks.completed).sum::<u64>(), 2);
}

#[test]
fn a_history_that_is_read_on_is_what_one_read_at_once_is() {
    let stored = Stored::new();
    let mut read_on = History::new();
    for step in 0..40 {
        let time = T0 + step * HOUR / 4;
        let id = format!("job-{step}");
        stored.take(&[job(&id, JobAction::Submitted, time), job(&id, JobAction::Started, time + 60_000)]);
        if step >= 9 {
            // Each job takes more than two hours, so that it is under way when hours are settled.
            stored.take(&[job(&format!("job-{}", step - 9), JobAction::Completed, time)]);
        }
        stored.sample("host_cpu_usage_ratio", &[("host", "box")], &[(time, step as f64 / 100.0)]);
        let now = time + 120_000;
        assert_eq!(hours(&stored, &mut read_on, now), hours(&stored, &mut History::new(), now), "{step}");
    }
    let found = hours(&stored, &mut read_on, T0 + 10 * HOUR);
    assert_eq!(found.iter().map(|hour| hour.tasks.completed).sum::<u64>(), 31);
    assert!(found.iter().all(|hour| hour.tasks.timed == hour.tasks.completed), "{found:?}");
    assert!(found.iter().any(|hour| hour.gauges.cpu_ratio.is_some_and(|ratio| ratio > 0.3)), "{found:?}");
}

#[test]
fn hours_of_which_nothing_is_stored_are_not_there_and_old_ones_go() {
    let stored = Stored::new();
    stored.take(&[job("a", JobAction::Completed, T0)]);
    let mut history = History::new();
    assert_eq!(hours(&stored, &mut history, T0 + 3 * HOUR).len(), 1);
    assert_eq!(hours(&stored, &mut history, T0 + 31 * 24 * HOUR), []);
}

#[test]
fn a_period_comes_in_points_of_averages_with_the_newest_value_beside_them() {
    let stored = Stored::new();
    let samples: Vec<(i64, f64)> =
        (0..240).map(|n| (T0 + n * 15_000, if n < 120 { 0.2 } else { 0.4 })).collect();
    stored.sample("host_cpu_usage_ratio", &[("host", "a")], &samples);
    let depths = |depth: f64| -> Vec<(i64, f64)> { (0..240).map(|n| (T0 + n * 15_000, depth)).collect() };
    for (queue, depth) in [("one", 3.0), ("two", 4.0)] {
        stored.sample("queue_depth", &[("queue", queue), ("state", "pending")], &depths(depth));
    }
    let now = Timestamp::from_millis(T0 + 239 * 15_000);
    let stats = system_stats(&stored.engine, Period::Hour, now, &Cancel::never()).expect("statistics");
    assert!((100..=120).contains(&stats.points.len()), "{}", stats.points.len());
    let cpu = stats.average(|point| point.cpu_percent).expect("known");
    assert!((cpu - 30.0).abs() < 0.5, "{cpu}");
    assert_eq!(stats.average(|point| point.pending), Some(7.0));
    assert_eq!(stats.average(|point| point.memory_percent), None);
    assert_eq!(
        stats.current,
        SystemPoint {
            time: now,
            cpu_percent: Some(40.0),
            memory_percent: None,
            pending: Some(7.0),
            processing: None
        }
    );
}

#[test]
fn the_memory_of_a_job_comes_in_order_and_of_an_unknown_one_there_is_none() {
    let stored = Stored::new();
    let stage = |millis: i64, action| {
        let mut event = stage_event("j", action);
        event.time = Timestamp::from_millis(T0 + millis);
        event.event_id = format!("s{millis}");
        event.memory_rss_bytes = Some(millis as u64);
        Event::Stage(Box::new(event))
    };
    stored.take(&[stage(20, StageAction::Finished), stage(10, StageAction::Started)]);
    let now = Timestamp::from_millis(T0 + 100);
    let read =
        |job: &str| memory_history(&*stored.store, job, Timestamp::MIN, now, &Cancel::never()).expect("rows");
    let rows: Vec<(Option<String>, Option<u64>)> =
        read("j").into_iter().map(|row| (row.stage, row.rss_bytes)).collect();
    assert_eq!(rows, [(Some("ocr".to_owned()), Some(10)), (Some("ocr".to_owned()), Some(20))]);
    assert_eq!(read("other"), []);
}

fn job_event(job_id: &str, action: JobAction) -> JobEvent {
    JobEvent::new(Timestamp::default(), String::new(), action, job_id.to_owned())
}

fn stage_event(job_id: &str, action: StageAction) -> StageEvent {
    StageEvent {
        time: Timestamp::default(),
        event_id: String::new(),
        action,
        job_id: job_id.to_owned(),
        stage: "ocr".to_owned(),
        component: None,
        kind: None,
        document_id: None,
        worker_id: None,
        service: None,
        trace_id: None,
        retry_count: None,
        status: None,
        duration_seconds: None,
        cpu_seconds: None,
        gpu_seconds: None,
        memory_rss_bytes: None,
        memory_vms_bytes: None,
        memory_percent: None,
        memory_peak_bytes: None,
        memory_delta_bytes: None,
        gpu_memory_bytes: None,
        items: None,
        expected_max_seconds: None,
        error_type: None,
        error_message: None,
        attributes: model::event::Attributes::new(),
    }
}

/// A counter that grows by so much a second for ten minutes.
fn growing(per_second: f64) -> Vec<(i64, f64)> {
    (0..=10).map(|minute| (T0 + minute * 60_000, per_second * 60.0 * minute as f64)).collect()
}

fn mapped(stored: &Stored, from: i64, to: i64) -> ServiceMap {
    let at = |minute: i64| Timestamp::from_millis(T0 + minute * 60_000);
    service_map(&stored.engine, TimeRange::new(at(from), at(to)), &Cancel::never()).expect("a map")
}

fn about(number: Option<f64>, expected: f64) -> bool {
    number.is_some_and(|number| (number - expected).abs() < 1e-6)
}

#[test]
fn services_are_shown_with_what_they_are_asked_and_whom_they_ask() {
    let stored = Stored::new();
    let calls = |service: &str, kind: &str, status: &str, per_second: f64| {
        let labels = [("service_name", service), ("span_kind", kind), ("status_code", status)];
        stored.sample("traces_span_metrics_calls_total", &labels, &growing(per_second));
    };
    calls("gateway", "SPAN_KIND_SERVER", "STATUS_CODE_UNSET", 3.0);
    calls("gateway", "SPAN_KIND_SERVER", "STATUS_CODE_ERROR", 1.0);
    calls("gateway", "SPAN_KIND_CLIENT", "STATUS_CODE_UNSET", 4.0);
    calls("worker", "SPAN_KIND_CONSUMER", "STATUS_CODE_UNSET", 2.0);
    calls("script", "SPAN_KIND_INTERNAL", "STATUS_CODE_UNSET", 1.0);
    calls("idle", "SPAN_KIND_SERVER", "STATUS_CODE_UNSET", 0.0);
    for (bound, per_second) in [("0.1", 2.0), ("1", 4.0), ("+Inf", 4.0)] {
        let labels = [("service_name", "gateway"), ("span_kind", "SPAN_KIND_SERVER"), ("le", bound)];
        stored.sample("traces_span_metrics_duration_seconds_bucket", &labels, &growing(per_second));
        let labels = [
            ("client", "gateway"),
            ("server", "worker"),
            ("connection_type", "messaging_system"),
            ("le", bound),
        ];
        stored.sample("traces_service_graph_request_server_seconds_bucket", &labels, &growing(per_second));
    }
    for (client, server, connection, rate, failed) in [
        ("gateway", "worker", "messaging_system", 4.0, 1.0),
        ("worker", "postgres", "database", 8.0, 0.0),
        ("gateway", "gone", "", 0.0, 0.0),
    ] {
        let labels = [("client", client), ("server", server), ("connection_type", connection)];
        let labels = &labels[..if connection.is_empty() { 2 } else { 3 }];
        stored.sample("traces_service_graph_request_total", labels, &growing(rate));
        stored.sample("traces_service_graph_request_failed_total", labels, &growing(failed));
    }

    let map = mapped(&stored, 0, 10);
    let names: Vec<&str> = map.nodes.iter().map(|node| node.name.as_str()).collect();
    assert_eq!(names, ["gateway", "worker", "postgres", "script"]);
    let [gateway, worker, postgres, script] = &map.nodes[..] else { panic!("four: {map:?}") };
    assert!(about(gateway.rate, 4.0) && about(gateway.error_ratio, 0.25), "{gateway:?}");
    assert!(about(gateway.span_rate, 8.0) && about(gateway.p50_seconds, 0.1), "{gateway:?}");
    assert!(about(gateway.p95_seconds, 0.91), "{gateway:?}");
    assert!(about(worker.rate, 2.0) && about(worker.error_ratio, 0.0), "{worker:?}");
    assert_eq!((worker.p95_seconds, postgres.is_database, postgres.rate), (None, true, None));
    assert_eq!((script.rate, script.error_ratio), (None, None));
    assert!(about(script.span_rate, 1.0), "{script:?}");
    let [database, message] = &map.edges[..] else { panic!("two: {map:?}") };
    assert_eq!((database.client.as_str(), database.server.as_str()), ("worker", "postgres"));
    assert_eq!((database.connection.as_deref(), database.p95_seconds), (Some("database"), None));
    assert!(about(Some(message.rate), 4.0) && about(Some(message.failed_ratio), 0.25), "{message:?}");
    assert!(about(message.p95_seconds, 0.91), "{message:?}");
    assert_eq!((map.more_nodes, map.more_edges), (0, 0));
    assert_eq!(mapped(&stored, -60, -30), ServiceMap::default(), "nothing was before");
}
