//! Records of logs, spans, and samples of delta temporality on the path in.

use model::event::{Attributes, Conventions, Flaw, LogEvent, Origin, SpanEvent, SpanLink, SpanOccurrence};
use model::{SampleRun, Timestamp};

use super::*;

fn attributes<const N: usize>(all: [(&str, &str); N]) -> Attributes {
    all.map(|(name, value)| (name.to_owned(), value.to_owned())).into()
}

fn log(message: &str) -> LogEvent {
    LogEvent { message: Some(message.to_owned()), ..LogEvent::new(Timestamp::now(), Arc::default()) }
}

fn span(id: &str) -> SpanEvent {
    SpanEvent::new(Timestamp::now(), "t".repeat(32), id.to_owned(), Arc::default())
}

fn as_log(event: &Event) -> &LogEvent {
    match event {
        Event::Log(log) => log,
        other => panic!("no record of a log: {other:?}"),
    }
}

#[tokio::test]
async fn a_span_is_stored_once_and_a_record_of_a_log_as_often_as_it_is_sent_unless_it_has_an_id() {
    let store = Arc::new(Memory::default());
    let (ingest, _) = open(&store);
    let events = || {
        let named = LogEvent { event_id: Some("u".to_owned()), ..log("named") };
        let logs = [log("plain"), log("plain"), named].map(|log| Event::Log(Box::new(log)));
        let spans = [span("1"), span("1"), span("2")].map(|span| Event::Span(Box::new(span)));
        logs.into_iter().chain(spans).collect::<Vec<_>>()
    };
    let first = ingest.append_records(Source::OtlpLogs, events()).await.expect("stored");
    assert_eq!((first.accepted, first.duplicates), (5, 1));
    let second = ingest.append_records(Source::OtlpLogs, events()).await.expect("stored");
    assert_eq!((second.accepted, second.duplicates), (2, 4));
    let (restarted, _) = open(&store);
    restarted.recall().expect("ids");
    let third = restarted.append_records(Source::OtlpLogs, events()).await.expect("stored");
    assert_eq!((third.accepted, third.duplicates), (2, 4));
}

#[tokio::test]
async fn what_is_too_large_about_a_record_is_cut_and_the_record_says_so() {
    let store = Arc::new(Memory::default());
    let (ingest, registry) = open(&store);
    let mut crowded = log(&"x".repeat(20_000));
    crowded.attributes = (0..200).map(|n| (format!("{n:03}"), String::new())).collect();
    crowded.attributes.insert("y".repeat(1000), String::new());
    crowded.dropped_attributes = Some(2);
    crowded.conventions = Conventions { job_id: Some("j".repeat(1000)), ..Conventions::default() };
    let mut full = span("1");
    let event = SpanOccurrence {
        time: None,
        name: "e".to_owned(),
        attributes: Attributes::new(),
        dropped_attributes: None,
    };
    full.events = vec![event; 200];
    full.links = vec![SpanLink::default(); 130];
    let old = LogEvent { time: Timestamp::from_millis(5), ..log("old") };
    let events = vec![Event::Log(Box::new(crowded)), Event::Span(Box::new(full)), Event::Log(Box::new(old))];
    let outcome = ingest.append_records(Source::OtlpTraces, events).await.expect("stored");
    assert_eq!((outcome.accepted, outcome.rejected.len(), outcome.rejected[0].index), (2, 1, 2));
    let stored = store.events.lock().clone();
    let kept = as_log(&stored[0]);
    assert_eq!((kept.attributes.len(), kept.dropped_attributes), (128, Some(75)));
    assert_eq!(kept.flaws, [Flaw::Attributes, Flaw::Text].into_iter().collect());
    assert!(kept.message.as_ref().is_some_and(|text| text.len() < 17_000 && text.ends_with('…')));
    assert!(kept.conventions.job_id.as_ref().is_some_and(|id| id.len() < 600), "{:?}", kept.conventions);
    let Event::Span(kept) = &stored[1] else { panic!("no span: {stored:?}") };
    assert_eq!((kept.events.len(), kept.dropped_events), (128, Some(72)));
    assert_eq!((kept.links.len(), kept.dropped_links), (128, Some(2)));
    assert_eq!(kept.flaws, [Flaw::Events, Flaw::Links].into_iter().collect());
    let families = registry.gather();
    let counted = families.iter().find(|family| family.name() == "watchkeeper_ingest_flaws_total");
    assert_eq!(counted.map(|family| family.get_metric().len()), Some(4));
}

#[tokio::test]
async fn secrets_in_every_part_of_a_record_are_gone_before_it_is_stored() {
    let store = Arc::new(Memory::default());
    let (ingest, _) = open(&store);
    let secret = "password=hunter22";
    let origin = Arc::new(Origin {
        service: Some("ocr".to_owned()),
        resource_attributes: attributes([("process.command_args", secret), ("api_key", "hunter22")]),
        scope_attributes: attributes([("a", secret)]),
        ..Origin::default()
    });
    let conventions = Conventions {
        url_path: Some(secret.to_owned()),
        db_query: Some(secret.to_owned()),
        exception_message: Some(secret.to_owned()),
        exception_stacktrace: Some(secret.to_owned()),
        http_method: Some("GET".to_owned()),
        ..Conventions::default()
    };
    let log = LogEvent {
        conventions: conventions.clone(),
        attributes: attributes([("http.request.header.authorization", "hunter22"), ("b", secret)]),
        origin: Arc::clone(&origin),
        ..log(secret)
    };
    let happened = SpanOccurrence {
        time: None,
        name: secret.to_owned(),
        attributes: attributes([("c", secret)]),
        dropped_attributes: None,
    };
    let link = SpanLink { attributes: attributes([("d", secret)]), ..SpanLink::default() };
    let span = SpanEvent {
        name: secret.to_owned(),
        status_message: Some(secret.to_owned()),
        trace_state: Some(secret.to_owned()),
        events: vec![happened],
        links: vec![link],
        attributes: attributes([("e", secret)]),
        conventions,
        origin,
        ..span("1")
    };
    let events =
        vec![Event::Log(Box::new(log.clone())), Event::Log(Box::new(log)), Event::Span(Box::new(span))];
    ingest.append_records(Source::OtlpLogs, events).await.expect("stored");
    let stored = store.events.lock().clone();
    let shown = format!("{stored:?}");
    assert_eq!(stored.len(), 3);
    assert!(!shown.contains("hunter22") && shown.contains("GET"), "{shown}");
    assert_eq!(as_log(&stored[0]).origin, as_log(&stored[1]).origin);
}

#[tokio::test]
async fn rules_tell_logs_from_spans_and_what_both_come_from_is_redacted_once_for_each() {
    let store = Arc::new(Memory::default());
    let of = |signal: &str, action| RedactionRule {
        signals: vec![signal.to_owned()],
        ..rule("email", &["host", "job_id"], action)
    };
    let (ingest, registry) = open_ruled(&store, vec![of("logs", Action::Drop), of("spans", Action::Keep)]);
    let address = || Some("a@b.org".to_owned());
    let origin = Arc::new(Origin { host: address(), ..Origin::default() });
    let conventions =
        Conventions { job_id: address(), user_id: address(), tenant: address(), ..Conventions::default() };
    let log = LogEvent { conventions: conventions.clone(), origin: Arc::clone(&origin), ..log("a") };
    let span = SpanEvent { conventions, origin, ..span("1") };
    let events =
        vec![Event::Log(Box::new(log.clone())), Event::Log(Box::new(log)), Event::Span(Box::new(span))];
    ingest.append_records(Source::OtlpLogs, events).await.expect("stored");
    let stored = store.events.lock().clone();
    let shown = |origin: &Origin, said: &Conventions| {
        [&origin.host, &said.job_id, &said.user_id, &said.tenant].map(|text| text.clone().unwrap_or_default())
    };
    let log = as_log(&stored[0]);
    let cut_out = ["[redacted:text]", "[redacted:text]", "a@b.org", "[redacted:email]"];
    assert_eq!(shown(&log.origin, &log.conventions), cut_out, "an id that no rule names stays");
    let Event::Span(span) = &stored[2] else { panic!("no span: {stored:?}") };
    let kept = ["a@b.org", "a@b.org", "a@b.org", "[redacted:email]"];
    assert_eq!(shown(&span.origin, &span.conventions), kept);
    for (action, count) in [("drop", 3.0), ("keep", 2.0), ("mask", 3.0)] {
        assert!((redacted(&registry, "email", action) - count).abs() < f64::EPSILON, "{action}");
    }
}

#[tokio::test]
async fn differences_are_stored_as_sums_and_what_was_refused_for_want_of_room_is_added_once() {
    let store = Arc::new(Memory::default());
    let (ingest, registry) = open(&store);
    let now = Timestamp::now().as_millis();
    let labels = Labels::metric("jobs_total", &[]);
    let send = |seconds_ago: i64| {
        let mut batch = MetricBatch::new();
        let sample = Sample { time_ms: now - seconds_ago * 1000, value: 1.0 };
        let start_ms = sample.time_ms - 10_000;
        batch.push_run(labels.as_ref(), SampleRun { samples: &[sample], starts: &[start_ms] });
        ingest.append_deltas(Source::OtlpMetrics, batch)
    };
    assert_eq!(send(20).await.expect("stored").stored, 1);
    store.full.store(true, Ordering::SeqCst);
    assert!(matches!(send(10).await, Err(IngestError::Store(AppendError::Overloaded { .. }))));
    store.full.store(false, Ordering::SeqCst);
    assert_eq!(send(10).await.expect("stored").stored, 1);
    let again = send(10).await.expect("known");
    assert_eq!((again.stored, again.duplicate, again.held()), (0, 1, 1));
    assert_eq!(send(30).await.expect("late").too_old, 1);
    let values: Vec<f64> = store.samples.lock().iter().map(|(_, sample)| sample.value).collect();
    assert_eq!(values, [1.0, 2.0]);
    assert!((refused(&registry, "duplicate") - 1.0).abs() < f64::EPSILON);
}

#[tokio::test]
async fn the_times_that_are_said_to_be_taken_are() {
    let (ingest, _) = open(&Arc::new(Memory::default()));
    let now = Timestamp::now();
    let times = ingest.log_times(now);
    let minute = std::time::Duration::from_secs(60);
    let cases = [
        (times.start.after(minute), 0),
        (times.end.before(minute), 0),
        (times.start.before(minute), 1),
        (times.end.after(minute), 1),
    ];
    for (time, rejected) in cases {
        let event = Event::Log(Box::new(LogEvent::new(time, Arc::default())));
        let outcome = ingest.append_records(Source::Syslog, vec![event]).await.expect("stored");
        assert_eq!(outcome.rejected.len(), rejected, "{time} in {times:?}");
    }
}
