//! What is made sure of before anything of a request is stored.

use model::event::{LogEvent, Origin};

use super::*;

/// Records of about a megabyte each, nearly all of which they share, without ids.
fn large_logs(count: usize) -> Vec<Event> {
    let text = "x".repeat(16_000);
    let origin = Arc::new(Origin {
        resource_attributes: (0..64).map(|number| (number.to_string(), text.clone())).collect(),
        ..Origin::default()
    });
    let log = || LogEvent::new(Timestamp::now(), Arc::clone(&origin));
    (0..count).map(|_| Event::Log(Box::new(log()))).collect()
}

fn log_with_id(id: &str) -> Event {
    let log = LogEvent::new(Timestamp::now(), Arc::default());
    Event::Log(Box::new(LogEvent { event_id: Some(id.to_owned()), ..log }))
}

#[tokio::test]
async fn a_request_of_many_parts_for_which_there_is_no_room_is_refused_before_any_of_it_is_stored() {
    let store = Arc::new(Memory::default());
    let (ingest, registry) = open(&store);
    store.crowded.store(true, Ordering::SeqCst);
    let refusal = ingest.append_events(Source::OtlpLogs, large_logs(40)).await.expect_err("no room");
    assert!(matches!(refusal, IngestError::Store(AppendError::Overloaded { .. })), "{refusal:?}");
    assert_eq!((store.appends.load(Ordering::SeqCst), store.events.lock().len()), (0, 0));
    assert!((refused(&registry, "overloaded") - 40.0).abs() < f64::EPSILON);
    store.crowded.store(false, Ordering::SeqCst);
    let outcome = ingest.append_events(Source::OtlpLogs, large_logs(40)).await.expect("stored");
    assert_eq!((outcome.accepted, store.events.lock().len()), (40, 40), "each once");
    let intakes = store.intakes.lock().clone();
    assert!(intakes.len() > 2 && intakes.iter().all(|intake| *intake == "reserved"), "{intakes:?}");
    let reserved = *store.reserved.lock();
    assert!(reserved > 40 * 1_000_000, "{reserved} bytes for all parts");
    assert_eq!(*store.given_back.lock(), reserved, "what was taken goes back");
}

#[tokio::test]
async fn an_id_that_is_on_its_way_for_another_keeps_back_all_parts_and_none_of_their_ids_stay_claimed() {
    let store = Arc::new(Memory::default());
    let (ingest, _) = open(&store);
    let request = || [vec![log_with_id("first")], large_logs(40), vec![log_with_id("last")]].concat();
    let last = duplicates::hash(Table::Logs.name(), "last");
    assert_eq!(ingest.seen_records.lock().claim(last), Seen::New);
    let refusal = ingest.append_events(Source::OtlpLogs, request()).await.expect_err("it is on its way");
    assert!(matches!(refusal, IngestError::Store(AppendError::Overloaded { .. })), "{refusal:?}");
    assert!(store.events.lock().is_empty());
    ingest.seen_records.lock().settle([last], false);
    let outcome = ingest.append_events(Source::OtlpLogs, request()).await.expect("stored");
    assert_eq!((outcome.accepted, outcome.duplicates), (42, 0));
}

#[tokio::test]
async fn an_id_that_two_parts_of_a_request_have_is_stored_once() {
    let store = Arc::new(Memory::default());
    let (ingest, registry) = open(&store);
    let request = [vec![log_with_id("a")], large_logs(40), vec![log_with_id("a")]].concat();
    let outcome = ingest.append_events(Source::OtlpLogs, request).await.expect("stored");
    assert_eq!((outcome.accepted, outcome.duplicates), (41, 1));
    assert!((refused(&registry, "duplicate") - 1.0).abs() < f64::EPSILON);
    assert_eq!(store.events.lock().len(), 41);
}

#[tokio::test]
async fn what_nobody_sends_again_may_have_what_is_spare_and_floods_may_not() {
    let store = Arc::new(Memory::default());
    let (ingest, _) = open(&store);
    let sample = || {
        let mut batch = MetricBatch::new();
        batch.push_one(&model::Labels::metric("up", &[]), Timestamp::now().as_millis(), 1.0);
        batch
    };
    let cases = [
        (Source::Rules, "spare"),
        (Source::Pipeline, "spare"),
        (Source::LogMetrics, "spare"),
        (Source::Collector, "spare"),
        (Source::RemoteWrite, "usual"),
        (Source::OtlpMetrics, "usual"),
        (Source::Scrape, "usual"),
    ];
    for (source, expected) in cases {
        ingest.append_metrics(source, sample()).await.expect("stored");
        assert_eq!(store.intakes.lock().pop(), Some(expected), "{source:?}");
    }
    let security = |id: &str| {
        let Event::Log(log) = log_with_id(id) else { panic!("a record of a log") };
        let attributes = [("log.category".to_owned(), "security".to_owned())].into();
        Event::Log(Box::new(LogEvent { attributes, ..*log }))
    };
    let events = [
        (Source::EventsApi, log_with_id("a"), "usual"),
        (Source::EventsApi, Event::Deploy(Box::new(deploy("a"))), "spare"),
        (Source::OtlpLogs, security("a"), "usual"),
        (Source::Loki, security("b"), "usual"),
        (Source::Syslog, security("c"), "usual"),
        (Source::LogFile, security("d"), "usual"),
    ];
    for (source, event, expected) in events {
        ingest.append_events(source, vec![event]).await.expect("stored");
        assert_eq!(store.intakes.lock().pop(), Some(expected));
    }
}
