//! What belongs to a job, over a real store.

use std::sync::Arc;

use model::event::{
    Attributes, Conventions, Event, JobAction, JobEvent, LlmCallEvent, LogEvent, Origin, SpanEvent,
    WorkerAction, WorkerEvent,
};
use model::{TimeRange, Timestamp};
use store::{Cancel, Order};

use super::made_up::NOW;
use super::stored::Stored;
use crate::{
    JobCounts, Kind, MAX_JOBS_OF_TRACE, OfJob, OfWhat, Page, Search, TraceJobs, WorkersOf, failed_jobs,
    jobs_of_log, llm_calls, trace,
};

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_nanos(NOW.as_nanos() + seconds * 1_000_000_000)
}

fn log(seconds: i64, job: Option<&str>, trace: Option<&str>) -> Event {
    Event::Log(Box::new(LogEvent {
        message: Some(format!("at {seconds}")),
        trace_id: trace.map(str::to_owned),
        conventions: Conventions { job_id: job.map(str::to_owned), ..Conventions::default() },
        ..LogEvent::new(at(seconds), Arc::default())
    }))
}

fn span(seconds: i64, job: Option<&str>, trace: &str) -> Event {
    let id = format!("{seconds:016x}");
    Event::Span(Box::new(SpanEvent {
        conventions: Conventions { job_id: job.map(str::to_owned), ..Conventions::default() },
        ..SpanEvent::new(at(seconds), trace.to_owned(), id, Arc::new(Origin::default()))
    }))
}

fn call(id: &str, seconds: i64, job: Option<&str>, trace: Option<&str>) -> Event {
    Event::LlmCall(Box::new(LlmCallEvent {
        time: at(seconds),
        event_id: id.to_owned(),
        model: "llama".to_owned(),
        operation: None,
        provider: None,
        backend: None,
        job_id: job.map(str::to_owned),
        stage: None,
        document_id: None,
        tenant: None,
        user_id: None,
        worker_id: None,
        service: None,
        trace_id: trace.map(str::to_owned),
        duration_seconds: 1.0,
        time_to_first_token_seconds: None,
        input_tokens: None,
        output_tokens: None,
        cached_tokens: None,
        cost_usd: None,
        finish_reason: None,
        error_message: None,
        attributes: Attributes::new(),
    }))
}

fn job(id: &str, seconds: i64, action: JobAction, queue: &str, trace: Option<&str>) -> Event {
    let event = JobEvent::new(at(seconds), format!("{id}{seconds}"), action, id.to_owned());
    Event::Job(Box::new(JobEvent {
        queue: Some(queue.to_owned()),
        trace_id: trace.map(str::to_owned),
        ..event
    }))
}

#[test]
fn records_spans_and_calls_belong_to_a_job_by_its_name_or_its_traces_in_its_time() {
    let (first, second, other) = ("a1".repeat(16), "b2".repeat(16), "c3".repeat(16));
    let stored = Stored::new();
    stored.take(&[
        job("say \"j\"", 0, JobAction::Started, "ocr", Some(&first.to_uppercase())),
        log(1, Some("say \"j\""), None),
        log(2, None, Some(&second)),
        log(3, None, Some(&other)),
        log(4, Some("k"), None),
        log(900, Some("say \"j\""), None),
        span(1, None, &first),
        span(2, Some("say \"j\""), &second),
        span(3, Some("k"), &other),
    ]);
    stored.to_file();
    stored.take(&[
        call("c1", 1, Some("say \"j\""), None),
        call("c2", 2, None, Some(&first.to_uppercase())),
        call("c3", 3, Some("k"), None),
    ]);
    let range = TimeRange::new(at(-10), at(10));
    let never = Cancel::never();
    let known = OfJob::new("say \"j\"", None, range);
    assert_eq!(known.query(), "job_id:\"say \\\"j\\\"\"");
    let of_job = known.with_all_traces(&*stored.store, &never).expect("traces");
    let traces: Vec<String> = of_job.traces().iter().map(|trace| trace.to_lowercase()).collect();
    assert_eq!(traces, [first.clone(), second.clone()]);
    let counts = of_job.counts(&*stored.store, &never).expect("counts");
    assert_eq!(counts, JobCounts { logs: 2, spans: 2, llm_calls: 2 });
    let calls = |skip, most| {
        let calls = of_job.llm_calls(&*stored.store, (skip, most), &never).expect("calls");
        calls.into_iter().map(|call| call.event_id).collect::<Vec<_>>()
    };
    assert_eq!(
        (calls(0, 10), calls(1, 10), calls(0, 1)),
        (vec!["c1".to_owned(), "c2".to_owned()], vec!["c2".to_owned()], vec!["c1".to_owned()],)
    );

    // Its search finds the same.
    let search = Search::new(Kind::Logs, &of_job.query(), range, NOW).expect("a query");
    let page = Page { limit: 10, order: Order::OldestFirst, after: None };
    let found = crate::logs(&*stored.store, &search, &page, &never).expect("a page").items;
    let messages: Vec<&str> = found.iter().filter_map(|log| log.message.as_deref()).collect();
    assert_eq!(messages, ["at 1", "at 2"]);
    let narrower = Search::new(Kind::Logs, "\"at 2\"", TimeRange::ALL, NOW).expect("a query").and(&search);
    let found = crate::logs(&*stored.store, &narrower, &page, &never).expect("a page").items;
    assert_eq!((found.len(), found[0].message.as_deref()), (1, Some("at 2")));
    assert_eq!(narrower.range(), range);
}

#[test]
fn a_trace_that_a_search_cannot_name_is_followed_all_the_same() {
    let stored = Stored::new();
    stored.take(&[call("c1", 1, None, Some("no hex"))]);
    let of_job = OfJob::new("j", Some("no hex"), TimeRange::ALL);
    assert_eq!(of_job.query(), "job_id:\"j\"");
    assert_eq!(of_job.counts(&*stored.store, &Cancel::never()).expect("counts").llm_calls, 1);
}

/// An event of a job that follows from a span.
fn of_span(id: &str, span: u64, action: JobAction, trace: &str) -> Event {
    let event = JobEvent::new(at(1), format!("{id}{span}{action}"), action, id.to_owned());
    Event::Job(Box::new(JobEvent {
        kind: Some(format!("kind of {id}")),
        trace_id: Some(trace.to_owned()),
        attributes: [("span_id".to_owned(), format!("{span:016x}"))].into(),
        ..event
    }))
}

fn ids(jobs: &TraceJobs) -> String {
    jobs.jobs().iter().map(|job| job.job_id.as_str()).collect::<Vec<_>>().join(" ")
}

#[test]
fn a_record_belongs_to_the_job_in_whose_span_it_was_written_or_else_to_those_of_its_trace() {
    let (first, other) = ("a1".repeat(16), "b2".repeat(16));
    let within = |seconds: i64, parent: i64| {
        let Event::Span(span) = span(seconds, None, &first) else { panic!("a span") };
        Event::Span(Box::new(SpanEvent { parent_span_id: Some(format!("{parent:016x}")), ..*span }))
    };
    let stored = Stored::new();
    // A request (1) sends (2) a job (3), which has a part (4) and sends (5) another one (6).
    stored.take(&[
        span(1, None, &first),
        within(2, 1),
        within(3, 2),
        within(4, 3),
        within(5, 4),
        within(6, 5),
    ]);
    stored.take(&[
        of_span("a", 2, JobAction::Submitted, &first),
        of_span("a", 3, JobAction::Started, &first.to_uppercase()),
        of_span("b", 5, JobAction::Submitted, &first),
        of_span("b", 6, JobAction::Failed, &first),
        span(7, Some("named"), &other),
    ]);
    let never = Cancel::never();
    let of_line = |job: Option<&str>, trace: Option<&str>, span: Option<u64>| {
        let Event::Log(log) = log(1, job, trace) else { panic!("a record") };
        let log = LogEvent { span_id: span.map(|span| format!("{span:016x}")), ..*log };
        ids(&jobs_of_log(&*stored.store, &log, &never).expect("jobs"))
    };
    for (span, jobs) in [(1, "a b"), (2, "a b"), (3, "a"), (4, "a"), (5, "a"), (6, "b"), (99, "a b")] {
        assert_eq!(of_line(None, Some(&first), Some(span)), jobs, "{span}");
    }
    assert_eq!(of_line(None, Some(&first), None), "a b");
    assert_eq!(of_line(Some("c"), Some(&first), Some(3)), "c");
    assert_eq!(of_line(None, Some(&other), None), "named");
    assert_eq!(of_line(None, None, Some(3)), "");

    let whole = trace(&*stored.store, &first, &never).expect("a trace").jobs;
    assert_eq!((ids(&whole).as_str(), whole.has_more()), ("a b", false));
    assert_eq!(whole.jobs()[1].kind.as_deref(), Some("kind of b"));
}

#[test]
fn of_a_trace_with_very_many_jobs_some_are_told_and_that_there_are_more() {
    let first = "a1".repeat(16);
    let stored = Stored::new();
    let events: Vec<Event> =
        (0..60).map(|number| of_span(&format!("j{number}"), number, JobAction::Started, &first)).collect();
    stored.take(&events);
    let jobs = trace(&*stored.store, &first, &Cancel::never()).expect("a trace").jobs;
    assert_eq!((jobs.jobs().len(), jobs.has_more()), (MAX_JOBS_OF_TRACE, true));
}

#[test]
fn jobs_that_failed_in_a_time_are_those_of_the_queue_newest_first() {
    let stored = Stored::new();
    stored.take(&[
        job("a", 1, JobAction::Failed, "ocr", None),
        job("b", 2, JobAction::Completed, "ocr", None),
        job("c", 3, JobAction::Failed, "ocr", None),
        job("d", 4, JobAction::Failed, "asr", None),
        job("e", 99, JobAction::Failed, "ocr", None),
    ]);
    let range = TimeRange::new(at(0), at(10));
    let failed = |queue: Option<&str>, most| {
        let of = OfWhat { queue: queue.map(str::to_owned), ..OfWhat::default() };
        let found = failed_jobs(&*stored.store, range, &of, most, &Cancel::never());
        found.expect("jobs").into_iter().map(|job| job.job_id).collect::<Vec<_>>().join(" ")
    };
    assert_eq!(failed(Some("ocr"), 10), "c a");
    assert_eq!((failed(None, 10), failed(None, 1)), ("d c a".to_owned(), "d".to_owned()));
}

fn worked(id: &str, seconds: i64, action: JobAction, worker: Option<&str>) -> Event {
    let Event::Job(event) = job(id, seconds, action, "ocr", None) else { panic!("an event of a job") };
    Event::Job(Box::new(JobEvent {
        worker_id: worker.map(str::to_owned),
        kind: Some("scan".to_owned()),
        ..*event
    }))
}

fn heartbeat(worker: &str, host: &str) -> Event {
    Event::Worker(Box::new(WorkerEvent {
        time: at(0),
        event_id: worker.to_owned(),
        action: WorkerAction::Heartbeat,
        worker_id: worker.to_owned(),
        capability: None,
        service: None,
        host: Some(host.to_owned()),
        pid: None,
        queues: None,
        version: None,
        started_at: None,
        job_id: None,
        is_healthy: None,
        active_tasks: None,
        max_concurrent_tasks: None,
        completed_tasks: None,
        failed_tasks: None,
        timeout_count: None,
        error_count: None,
        consecutive_failures: None,
        total_processing_seconds: None,
        cpu_percent: None,
        memory_percent: None,
        memory_rss_bytes: None,
        gpu_percent: None,
        gpu_memory_percent: None,
        disk_percent: None,
        network_latency_seconds: None,
        bytes_transferred: None,
        reason: None,
        exit_code: None,
        attributes: Attributes::new(),
    }))
}

#[test]
fn what_one_event_of_a_job_says_counts_for_the_others_and_for_its_calls() {
    let stored = Stored::new();
    // Only what began a job names its worker, and that was before the time that is asked for.
    stored.take(&[
        worked("a", -500, JobAction::Started, Some("gpu-1:7")),
        worked("a", 1, JobAction::Failed, None),
        worked("b", -400, JobAction::Started, Some("celery@gpu-1")),
        worked("b", 2, JobAction::Failed, None),
        worked("c", -300, JobAction::Started, Some("gpu-10:7")),
        worked("c", 3, JobAction::Failed, None),
        worked("d", 4, JobAction::Failed, Some("named")),
        job("e", 5, JobAction::Failed, "asr", None),
        call("of a", 1, Some("a"), None),
        call("of c", 3, Some("c"), None),
        call("of nobody", 4, None, None),
    ]);
    stored.take(&[heartbeat("named", "gpu-1")]);
    let (range, never) = (TimeRange::new(at(0), at(10)), Cancel::never());
    let jobs = |of: &OfWhat| {
        let found = failed_jobs(&*stored.store, range, of, 10, &never).expect("jobs");
        found.into_iter().map(|job| job.job_id).collect::<Vec<_>>().join(" ")
    };
    let calls = |of: &OfWhat| {
        let found = llm_calls(&*stored.store, range, of, 10, &never).expect("calls");
        found.into_iter().map(|call| call.event_id).collect::<Vec<_>>().join(", ")
    };
    let of_workers = |workers| OfWhat { workers: Some(workers), ..OfWhat::default() };
    let host = of_workers(WorkersOf::on("gpu-1", []));
    assert_eq!((jobs(&host), calls(&host)), ("b a".to_owned(), "of a".to_owned()));
    let stored_too = WorkersOf::on("gpu-1", []).with_stored(&*stored.store, range, &never).expect("workers");
    assert_eq!(stored_too.ids().collect::<Vec<_>>(), ["named"]);
    assert_eq!(jobs(&of_workers(stored_too)), "d b a");
    let one = of_workers(WorkersOf::one("gpu-10:7"));
    assert_eq!((jobs(&one), calls(&one)), ("c".to_owned(), "of c".to_owned()));
    let kind = OfWhat { kind: Some("scan".to_owned()), ..OfWhat::default() };
    assert_eq!((jobs(&kind), calls(&kind)), ("d c b a".to_owned(), "of c, of a".to_owned()));
    let of_job = OfJob::new("a", None, range);
    let job = OfWhat { job: Some(of_job), ..OfWhat::default() };
    assert_eq!((jobs(&job), calls(&job)), ("a".to_owned(), "of a".to_owned()));
}

#[test]
fn calls_that_failed_come_first_and_are_those_of_the_model() {
    let stored = Stored::new();
    let called = |id: &str, seconds, model: &str, error: Option<&str>| {
        let Event::LlmCall(event) = call(id, seconds, None, None) else { panic!("a call") };
        let (model, error_message) = (model.to_owned(), error.map(str::to_owned));
        Event::LlmCall(Box::new(LlmCallEvent { model, error_message, ..*event }))
    };
    stored.take(&[
        called("failed", 1, "llama", Some("overloaded")),
        called("fine", 2, "llama", None),
        called("other", 3, "qwen", None),
        called("late", 99, "llama", None),
    ]);
    let range = TimeRange::new(at(0), at(10));
    let calls = |model: Option<&str>, most| {
        let of = OfWhat { model: model.map(str::to_owned), ..OfWhat::default() };
        let found = llm_calls(&*stored.store, range, &of, most, &Cancel::never()).expect("calls");
        found.into_iter().map(|call| call.event_id).collect::<Vec<_>>().join(" ")
    };
    assert_eq!((calls(None, 10), calls(None, 1)), ("failed other fine".to_owned(), "failed".to_owned()));
    assert_eq!(calls(Some("llama"), 10), "failed fine");
}
