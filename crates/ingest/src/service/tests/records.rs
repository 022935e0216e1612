//! Records of logs and spans on the path in.

use model::Timestamp;
use model::event::{
    Attributes, Conventions, Flaw, LogEvent, Origin, SpanEvent, SpanKind, SpanLink, SpanOccurrence,
};

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
    let first = ingest.append_events(Source::OtlpLogs, events()).await.expect("stored");
    assert_eq!((first.accepted, first.duplicates), (5, 1));
    let second = ingest.append_events(Source::OtlpLogs, events()).await.expect("stored");
    assert_eq!((second.accepted, second.duplicates), (2, 4));
    let (restarted, _) = open(&store);
    restarted.recall().expect("ids");
    let third = restarted.append_events(Source::OtlpLogs, events()).await.expect("stored");
    assert_eq!((third.accepted, third.duplicates), (2, 4));
}

#[tokio::test]
async fn records_that_are_fetched_do_not_make_a_restart_forget_those_that_are_sent() {
    let store = Arc::new(Memory::default());
    let limits = || Limits { remembered_event_ids: 2 * 10 * Table::ALL.len(), ..Limits::default() };
    let open = || {
        let redactor = Redactor::new(&Redaction::default()).expect("shipped rules");
        let store: Arc<dyn TelemetryStore> = Arc::<Memory>::clone(&store);
        let registry = prometheus::Registry::new();
        Ingest::new(store, limits(), redactor, Retention::from(7 * DAY), &registry).expect("a fresh registry")
    };
    let named = |ids: &[&str]| -> Vec<Event> {
        let log = |id: &&str| LogEvent { event_id: Some((*id).to_owned()), ..log("named") };
        ids.iter().map(|id| Event::Log(Box::new(log(id)))).collect()
    };
    let sent = ["0123", "filed", "journal", "kernel;"];
    let ingest = open();
    ingest.append_events(Source::Loki, named(&sent)).await.expect("stored");
    for (source, prefix) in
        [(Source::LogFile, "file:k:"), (Source::Journal, "journal:"), (Source::KernelLog, "kernel:b:")]
    {
        let ids: Vec<String> = (0..20).map(|number| format!("{prefix}{number}")).collect();
        let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
        ingest.append_events(source, named(&ids)).await.expect("stored");
    }
    let restarted = open();
    assert_eq!(restarted.recall().expect("ids"), sent.len());
    let again = restarted.append_events(Source::Loki, named(&sent)).await.expect("known");
    assert_eq!((again.accepted, again.duplicates), (0, sent.len()));
}

#[tokio::test]
async fn lines_of_shippers_do_not_make_ids_be_forgotten_that_others_send() {
    let store: Arc<dyn TelemetryStore> = Arc::new(Memory::default());
    let limits = Limits { remembered_event_ids: 20, ..Limits::default() };
    let redactor = Redactor::new(&Redaction::default()).expect("shipped rules");
    let registry = prometheus::Registry::new();
    let ingest =
        Ingest::new(store, limits, redactor, Retention::from(7 * DAY), &registry).expect("a path in");
    let named = |id: String| Event::Log(Box::new(LogEvent { event_id: Some(id), ..log("named") }));
    let own = || vec![named("u".to_owned()), Event::Span(Box::new(span("1")))];
    let first = ingest.append_events(Source::OtlpLogs, own()).await.expect("stored");
    assert_eq!((first.accepted, first.duplicates), (2, 0));
    let lines: Vec<Event> = (0..100).map(|number| named(format!("{number:016x}"))).collect();
    let burst = ingest.append_events(Source::Loki, lines.clone()).await.expect("stored");
    assert_eq!((burst.accepted, burst.duplicates), (100, 0));
    let again = ingest.append_events(Source::OtlpLogs, own()).await.expect("known");
    assert_eq!((again.accepted, again.duplicates), (0, 2));
    let last = ingest.append_events(Source::Loki, lines[95..].to_vec()).await.expect("known");
    assert_eq!((last.accepted, last.duplicates), (0, 5));
}

#[tokio::test]
async fn records_of_what_is_audited_are_stored_as_that_and_once() {
    let store = Arc::new(Memory::default());
    let (ingest, _) = open(&store);
    let said = |name: &str, id: Option<&str>| {
        let mut log = log("password=hunter22");
        (log.event_name, log.event_id) = (Some(name.to_owned()), id.map(str::to_owned));
        // More than an event may have that cannot be kept without them.
        log.attributes = (0..128).map(|number| (number.to_string(), String::new())).collect();
        let of_resource = attributes([("api_key", "hunter22")]);
        log.origin = Arc::new(Origin { resource_attributes: of_resource, ..Origin::default() });
        log
    };
    let logs = [said("audit.login", None), said("plain", None), said("audit.login", Some("u"))];
    let logs = logs.map(|log| Event::Log(Box::new(log)));
    let events = || [&logs[..], &[Event::Log(Box::new(said("audit.logout", Some("v"))))]].concat();
    let first = ingest.append_events(Source::OtlpLogs, events()).await.expect("stored");
    assert_eq!((first.accepted, first.duplicates, first.rejected), (4, 0, Vec::new()));
    assert_eq!(*store.intakes.lock(), ["usual"], "all of them are records, and one part");
    let second = ingest.append_events(Source::OtlpLogs, events()).await.expect("stored");
    assert_eq!((second.accepted, second.duplicates), (1, 3), "the log has no id");
    let (restarted, _) = open(&store);
    restarted.recall().expect("ids");
    let third = restarted.append_events(Source::OtlpLogs, events()).await.expect("stored");
    assert_eq!((third.accepted, third.duplicates), (1, 3));
    let stored = store.events.lock().clone();
    let actions = stored.iter().filter_map(|event| match event {
        Event::Audit(audit) => Some(audit.action.as_str()),
        _ => None,
    });
    assert_eq!(actions.collect::<Vec<_>>(), ["login", "login", "logout"]);
    assert_eq!(stored.iter().filter(|event| matches!(event, Event::Log(_))).count(), 3);
    assert!(!format!("{stored:?}").contains("hunter22"), "{stored:?}");
}

#[tokio::test]
async fn records_of_which_some_are_audits_are_refused_whole_where_there_is_no_room() {
    let store = Arc::new(Memory::default());
    let (ingest, _) = open(&store);
    let audited = LogEvent { event_name: Some("audit.login".to_owned()), ..log("in") };
    let events = [log("plain"), audited, log("plain")].map(|log| Event::Log(Box::new(log))).to_vec();
    store.full.store(true, Ordering::SeqCst);
    let refusal = ingest.append_events(Source::Syslog, events.clone()).await.expect_err("no room");
    assert!(matches!(refusal, IngestError::Store(_)) && refusal.is_passing(), "{refusal:?}");
    store.full.store(false, Ordering::SeqCst);
    let again = ingest.append_events(Source::Syslog, events).await.expect("stored");
    assert_eq!((again.accepted, again.duplicates), (3, 0));
    assert_eq!(store.events.lock().len(), 3, "no log is there twice");
}

#[tokio::test]
async fn audits_of_logs_do_not_make_ids_of_events_be_forgotten() {
    let store: Arc<dyn TelemetryStore> = Arc::new(Memory::default());
    let limits = Limits { remembered_event_ids: 20, ..Limits::default() };
    let redactor = Redactor::new(&Redaction::default()).expect("shipped rules");
    let registry = prometheus::Registry::new();
    let ingest =
        Ingest::new(store, limits, redactor, Retention::from(7 * DAY), &registry).expect("a path in");
    let audited = |id: String| {
        let marked = attributes([("log.category", "security")]);
        Event::Log(Box::new(LogEvent { event_id: Some(id), attributes: marked, ..log("login") }))
    };
    let deploys = || vec![Event::Deploy(Box::new(deploy("a")))];
    ingest.append_events(Source::EventsApi, deploys()).await.expect("stored");
    for source in [Source::OtlpLogs, Source::Loki, Source::Journal] {
        let flood: Vec<Event> =
            (0..100).map(|number| audited(format!("{}{number}", source.as_str()))).collect();
        let stored = ingest.append_events(source, flood.clone()).await.expect("stored");
        assert_eq!((stored.accepted, stored.duplicates), (100, 0));
        let last = ingest.append_events(source, flood[95..].to_vec()).await.expect("known");
        assert_eq!((last.accepted, last.duplicates), (0, 5));
    }
    let again = ingest.append_events(Source::EventsApi, deploys()).await.expect("known");
    assert_eq!((again.accepted, again.duplicates), (0, 1));
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
    let outcome = ingest.append_events(Source::OtlpTraces, events).await.expect("stored");
    assert_eq!((outcome.accepted, outcome.rejected.len(), outcome.rejected[0].index), (2, 1, 2));
    let stored = store.events.lock().clone();
    let kept = as_log(&stored[0]);
    assert_eq!((kept.attributes.len(), kept.dropped_attributes), (128, Some(75)));
    assert_eq!(kept.flaws, [Flaw::Attributes, Flaw::Text].into_iter().collect());
    assert!(kept.message.as_ref().is_some_and(|text| text.len() < 17_000 && text.ends_with('…')));
    assert_eq!(kept.conventions.job_id, None, "cut, it would be the id of another job");
    let Event::Span(kept) = &stored[1] else { panic!("no span: {stored:?}") };
    assert_eq!((kept.events.len(), kept.dropped_events), (128, Some(72)));
    assert_eq!((kept.links.len(), kept.dropped_links), (128, Some(2)));
    assert_eq!(kept.flaws, [Flaw::Events, Flaw::Links].into_iter().collect());
    let families = registry.gather();
    let counted = families.iter().find(|family| family.name() == "watchkeeper_ingest_flaws_total");
    assert_eq!(counted.map(|family| family.get_metric().len()), Some(4));
}

#[tokio::test]
async fn an_id_that_is_too_long_is_left_out_and_a_span_that_needs_it_is_rejected() {
    let store = Arc::new(Memory::default());
    let (ingest, registry) = open_ruled(&store, vec![rule("email", &["request_id"], Action::Mask)]);
    let long = "i".repeat(600);
    // Once it is redacted it is longer than an id may be.
    let grows = "a@b.org,".repeat(60);
    let conventions = Conventions {
        user_id: Some(long.clone()),
        request_id: Some(grows),
        job_id: Some("j".repeat(512)),
        ..Conventions::default()
    };
    let named = LogEvent { event_id: Some(long.clone()), conventions, ..log("a") };
    let events = vec![Event::Log(Box::new(named)), Event::Span(Box::new(span(&long)))];
    let outcome = ingest.append_events(Source::OtlpLogs, events).await.expect("stored");
    assert_eq!((outcome.accepted, outcome.rejected.len(), outcome.rejected[0].index), (1, 1, 1));
    assert!(outcome.rejected[0].reason.contains("span_id has 600 bytes"), "{:?}", outcome.rejected);
    assert!((refused(&registry, "too_large") - 1.0).abs() < f64::EPSILON);
    let stored = store.events.lock().clone();
    let kept = as_log(&stored[0]);
    let said = &kept.conventions;
    assert_eq!((&kept.event_id, &said.user_id, &said.request_id), (&None, &None, &None));
    assert_eq!(said.job_id.as_ref().map(String::len), Some(512));
    assert_eq!(kept.flaws, [Flaw::Text].into_iter().collect());
}

#[tokio::test]
async fn both_sides_of_a_call_and_a_record_with_the_same_id_are_stored() {
    let store = Arc::new(Memory::default());
    let (ingest, _) = open(&store);
    let sides = [SpanKind::Client, SpanKind::Server].map(|kind| SpanEvent { kind, ..span("1") });
    let named = LogEvent { event_id: Some(sides[0].event_id()), ..log("named") };
    let spans = sides.map(|span| Event::Span(Box::new(span)));
    let events = spans.into_iter().chain([Event::Log(Box::new(named))]).collect();
    let outcome = ingest.append_events(Source::OtlpTraces, events).await.expect("stored");
    assert_eq!((outcome.accepted, outcome.duplicates), (3, 0));
}

/// How many flaws were counted.
fn flaws_counted(registry: &prometheus::Registry) -> f64 {
    let families = registry.gather();
    let family = families.iter().find(|family| family.name() == "watchkeeper_ingest_flaws_total");
    let metrics = family.map(prometheus::proto::MetricFamily::get_metric).unwrap_or_default();
    metrics.iter().map(|metric| metric.get_counter().get_value()).sum()
}

#[tokio::test]
async fn flaws_are_counted_once_the_record_is_stored_and_not_each_time_it_is_sent() {
    let store = Arc::new(Memory::default());
    let (ingest, registry) = open(&store);
    let events = || {
        let flawed = SpanEvent { flaws: [Flaw::EndTime].into_iter().collect(), ..span("1") };
        vec![Event::Span(Box::new(flawed)), Event::Span(Box::new(span("2")))]
    };
    store.full.store(true, Ordering::SeqCst);
    ingest.append_events(Source::OtlpTraces, events()).await.expect_err("no room");
    assert!(flaws_counted(&registry) < 0.5);
    store.full.store(false, Ordering::SeqCst);
    for _ in 0..2 {
        ingest.append_events(Source::OtlpTraces, events()).await.expect("stored, or known");
        assert!((flaws_counted(&registry) - 1.0).abs() < f64::EPSILON);
    }
}

/// Spans of about a megabyte each, nearly all of which they share.
fn large_spans(count: usize) -> Vec<Event> {
    let text = "x".repeat(16_000);
    let origin = Arc::new(Origin {
        resource_attributes: (0..64).map(|number| (number.to_string(), text.clone())).collect(),
        ..Origin::default()
    });
    let spans =
        (0..count).map(|number| SpanEvent { origin: Arc::clone(&origin), ..span(&number.to_string()) });
    spans.map(|span| Event::Span(Box::new(span))).collect()
}

#[tokio::test]
async fn a_large_request_is_stored_in_parts_and_what_found_no_room_is_stored_when_it_is_sent_again() {
    let store = Arc::new(Memory::default());
    let (ingest, registry) = open(&store);
    store.full_after.store(1, Ordering::SeqCst);
    let refusal = ingest.append_events(Source::OtlpTraces, large_spans(40)).await.expect_err("no room");
    assert!(matches!(refusal, IngestError::Part(AppendError::Overloaded { .. })), "{refusal:?}");
    let first = store.events.lock().len();
    assert!((10..17).contains(&first), "{first} are within the bound of a part");
    let missing = (40 - first) as f64;
    assert!((refused(&registry, "overloaded") - missing).abs() < f64::EPSILON);
    store.full_after.store(0, Ordering::SeqCst);
    let outcome = ingest.append_events(Source::OtlpTraces, large_spans(40)).await.expect("stored");
    assert_eq!((outcome.accepted, outcome.duplicates), (40 - first, first));
    assert_eq!(store.events.lock().len(), 40);
    assert!(store.appends.load(Ordering::SeqCst) > 3, "the rest is more than one part, too");
}

#[test]
fn many_events_are_gone_over_on_a_thread_that_may_block_and_few_where_they_are() {
    let runtime = tokio::runtime::Builder::new_current_thread().max_blocking_threads(1).build();
    runtime.expect("a runtime").block_on(async {
        let store = Arc::new(Memory::default());
        let (ingest, _) = open(&store);
        let (free, taken) = std::sync::mpsc::channel::<()>();
        let busy = tokio::task::spawn_blocking(move || taken.recv());
        let few = ingest.append_events(Source::OtlpTraces, vec![Event::Span(Box::new(span("few")))]).await;
        assert_eq!(few.expect("stored while that thread is busy").accepted, 1);
        let many = {
            let ingest = Arc::clone(&ingest);
            tokio::spawn(async move { ingest.append_events(Source::OtlpTraces, large_spans(2)).await })
        };
        // Everything that can go on without that thread does.
        for _ in 0..1000 {
            tokio::task::yield_now().await;
        }
        assert!(!many.is_finished());
        assert_eq!(store.events.lock().len(), 1);
        free.send(()).expect("it waits");
        busy.await.expect("no panic").expect("sent");
        assert_eq!(many.await.expect("no panic").expect("stored").accepted, 2);
    });
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
    ingest.append_events(Source::OtlpLogs, events).await.expect("stored");
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
    ingest.append_events(Source::OtlpLogs, events).await.expect("stored");
    let stored = store.events.lock().clone();
    let shown = |origin: &Origin, said: &Conventions| {
        [&origin.host, &said.job_id, &said.user_id, &said.tenant].map(|text| text.clone().unwrap_or_default())
    };
    let log = as_log(&stored[0]);
    let cut_out = ["[redacted:text]", "[redacted:text]", "[redacted:email]", "[redacted:email]"];
    assert_eq!(shown(&log.origin, &log.conventions), cut_out, "a user is no name of a thing");
    let Event::Span(span) = &stored[2] else { panic!("no span: {stored:?}") };
    let kept = ["a@b.org", "a@b.org", "[redacted:email]", "[redacted:email]"];
    assert_eq!(shown(&span.origin, &span.conventions), kept);
    for (action, count) in [("drop", 3.0), ("keep", 2.0), ("mask", 6.0)] {
        assert!((redacted(&registry, "email", action) - count).abs() < f64::EPSILON, "{action}");
    }
}

/// A span of a message that was processed, which says what is secret.
fn processed(id: &str) -> SpanEvent {
    let conventions = Conventions {
        messaging_system: Some("rabbitmq".to_owned()),
        messaging_operation: Some("process".to_owned()),
        messaging_message_id: Some(format!("m{id}")),
        ..Conventions::default()
    };
    let mut span = SpanEvent { kind: SpanKind::Consumer, conventions, ..span(id) };
    span.status = model::event::SpanStatus::Error;
    span.status_message = Some("password=hunter22".to_owned());
    span
}

/// Remembers how many events it was told of, call by call.
#[derive(Default)]
struct Told(Mutex<Vec<usize>>);

impl EventListener for Told {
    fn on_events(&self, events: &[Event]) {
        self.0.lock().push(events.len());
    }
}

#[tokio::test]
async fn what_follows_from_a_span_is_stored_with_it_once_and_redacted() {
    let store = Arc::new(Memory::default());
    let (ingest, registry) = open(&store);
    let told = Arc::new(Told::default());
    ingest.subscribe(Arc::clone(&told) as Arc<dyn EventListener>);
    let send = || ingest.append_events(Source::OtlpTraces, vec![Event::Span(Box::new(processed("1")))]);
    store.full.store(true, Ordering::SeqCst);
    assert!(matches!(send().await, Err(IngestError::Store(AppendError::Overloaded { .. }))));
    assert!(told.0.lock().is_empty());
    store.full.store(false, Ordering::SeqCst);
    let outcome = send().await.expect("stored");
    assert_eq!((outcome.accepted, outcome.rejected.len()), (1, 0), "what was sent is counted alone");
    assert_eq!(*told.0.lock(), [3], "the span, the start and the end of its job, together");
    assert_eq!(send().await.expect("known").duplicates, 1);
    let (restarted, _) = open(&store);
    restarted.recall().expect("ids");
    let again = restarted.append_events(Source::OtlpTraces, vec![Event::Span(Box::new(processed("1")))]);
    assert_eq!(again.await.expect("known").duplicates, 1);
    let stored = store.events.lock().clone();
    assert_eq!(stored.len(), 3, "{stored:?}");
    assert!(!format!("{stored:?}").contains("hunter22"), "{stored:?}");
    let families = registry.gather();
    let accepted = families.iter().find(|family| family.name() == "watchkeeper_ingest_accepted_total");
    let derived = accepted.and_then(|family| {
        family
            .get_metric()
            .iter()
            .find(|metric| metric.get_label().iter().any(|label| label.value() == "derived"))
    });
    assert_eq!(derived.map(|metric| metric.get_counter().get_value()), Some(2.0));
}

#[tokio::test]
async fn what_follows_from_a_span_and_breaks_a_limit_is_left_out_and_the_span_stays() {
    let store = Arc::new(Memory::default());
    let (ingest, registry) = open(&store);
    let mut long = processed("1");
    long.duration_ns = 3_600_000_000_000;
    let outcome = ingest.append_events(Source::OtlpTraces, vec![Event::Span(Box::new(long))]).await;
    assert_eq!(outcome.expect("stored").accepted, 1);
    assert_eq!(store.events.lock().len(), 2, "its end lies in the future");
    assert!((refused(&registry, "future") - 1.0).abs() < f64::EPSILON);
}

#[tokio::test]
async fn of_a_span_that_is_not_kept_its_job_is_and_listeners_hear_of_it() {
    let store = Arc::new(Memory::default());
    let registry = prometheus::Registry::new();
    let redactor = Redactor::new(&Redaction::default()).expect("shipped rules");
    let sampling = SamplingSettings {
        probability: 0.0,
        keep_errors: false,
        wait: model::DurationText(Duration::ZERO),
        ..SamplingSettings::default()
    };
    let spans = SpanSettings { sampling, ..SpanSettings::default() };
    let port: Arc<dyn TelemetryStore> = Arc::<Memory>::clone(&store);
    let ingest = Ingest::with_spans(port, Limits::default(), redactor, spans, 7 * DAY, &registry);
    let ingest = ingest.expect("a fresh registry");
    let told = Arc::new(Told::default());
    ingest.subscribe(Arc::clone(&told) as Arc<dyn EventListener>);
    let send = |span| ingest.append_events(Source::OtlpTraces, vec![Event::Span(Box::new(span))]);
    assert_eq!(send(processed("1")).await.expect("taken").accepted, 1);
    assert_eq!(send(span("2")).await.expect("taken").accepted, 1);
    assert_eq!(send(processed("1")).await.expect("known").duplicates, 1);
    let stored = store.events.lock().clone();
    assert!(stored.iter().all(|event| matches!(event, Event::Job(_))), "{stored:?}");
    assert_eq!((stored.len(), told.0.lock().clone()), (2, vec![3, 1]));
    assert!((refused(&registry, "sampled") - 2.0).abs() < f64::EPSILON);
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
        let outcome = ingest.append_events(Source::Syslog, vec![event]).await.expect("stored");
        assert_eq!(outcome.rejected.len(), rejected, "{time} in {times:?}");
    }
}

#[tokio::test]
async fn a_private_key_that_comes_line_by_line_is_not_stored_whatever_batches_its_lines_are_in() {
    let store = Arc::new(Memory::default());
    let (ingest, registry) = open(&store);
    let full = "MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQC7VJTUt9Us8cKj";
    let (begin, end) = (concat!("-----BEGIN ", "PRIVATE KEY-----"), "-----END PRIVATE KEY-----");
    let batches: [&[&str]; 3] = [&[full, begin, full], &[full, "8Hw=="], &[full, end, full, "done"]];
    for batch in batches {
        let events = batch.iter().map(|line| Event::Log(Box::new(log(line)))).collect();
        ingest.append_events(Source::Loki, events).await.expect("stored");
    }
    let stored: Vec<String> =
        store.events.lock().iter().filter_map(|event| as_log(event).message.clone()).collect();
    let gone = "[redacted:private_key]";
    assert_eq!(stored, [full, begin, gone, gone, gone, gone, end, full, "done"]);
    assert!((redacted(&registry, "private_key", "mask") - 4.0).abs() < f64::EPSILON);
}

#[tokio::test]
async fn lines_of_a_key_that_have_something_around_them_are_not_stored_in_messages_or_attributes() {
    let store = Arc::new(Memory::default());
    let (ingest, registry) = open(&store);
    let full = "MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQC7VJTUt9Us8cKj";
    let begin = concat!("-----BEGIN ", "PRIVATE KEY-----");
    let line = |inner: &str| {
        let message = format!("{{\"text\":\"{inner}\",\"caller\":\"key.go:12\"}}");
        let attributes = attributes([("text", inner), ("caller", "key.go:12")]);
        Event::Log(Box::new(LogEvent { attributes, ..log(&message) }))
    };
    for inner in [begin, full, "8Hw=="] {
        ingest.append_events(Source::Loki, vec![line(inner)]).await.expect("stored");
    }
    let events = store.events.lock();
    let stored: Vec<&LogEvent> = events.iter().map(as_log).collect();
    let gone = "{\"text\":\"[redacted:private_key]\",\"caller\":\"key.go:12\"}";
    assert_eq!(stored[1].message.as_deref(), Some(gone));
    assert_eq!(stored[1].attributes["text"], "[redacted:private_key]");
    assert_eq!(stored[1].attributes["caller"], "key.go:12");
    assert_eq!(stored[2].message.as_deref(), Some(gone));
    assert_eq!(stored[2].attributes["text"], "[redacted:private_key]");
    assert!((redacted(&registry, "private_key", "mask") - 2.0).abs() < f64::EPSILON);
}

#[tokio::test]
async fn users_who_are_known_by_an_address_are_masked_and_with_a_key_they_stay_apart() {
    let stored = async |hash_key: &str, user: &str| {
        let store = Arc::new(Memory::default());
        let settings = Redaction { hash_key: hash_key.to_owned(), ..Redaction::default() };
        let redactor = Redactor::new(&settings).expect("settings that can be used");
        let place: Arc<dyn TelemetryStore> = Arc::<Memory>::clone(&store);
        let registry = prometheus::Registry::new();
        let ingest = Ingest::new(place, Limits::default(), redactor, Retention::from(7 * DAY), &registry);
        let text = || Some(user.to_owned());
        let conventions = Conventions { user_id: text(), document_id: text(), ..Conventions::default() };
        let log = LogEvent { conventions, trace_id: text(), ..log("a") };
        let events = vec![Event::Log(Box::new(log))];
        ingest.expect("a path in").append_events(Source::OtlpLogs, events).await.expect("stored");
        let log = as_log(&store.events.lock()[0]).clone();
        assert_eq!((log.conventions.document_id, log.trace_id), (text(), text()), "they are looked up");
        log.conventions.user_id.unwrap_or_default()
    };
    assert_eq!(stored("", "jane@example.org").await, "[redacted:email]");
    for id in ["4711", "+49 30 23125 123", "4111111111111111", "jane"] {
        assert_eq!(stored("", id).await, id);
    }
    let (jane, john) = (stored(KEY, "jane@example.org").await, stored(KEY, "john@example.org").await);
    assert!(jane.starts_with("[redacted:email:") && jane != john, "{jane} {john}");
    assert_eq!(stored(KEY, "Jane@example.org").await, jane);
}

/// A secret of hashes.
const KEY: &str = "0123456789abcdef";
