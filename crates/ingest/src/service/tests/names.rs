//! Names of attributes that come again and again in a request, and what is made of them each time.

use model::event::{Attributes, LogEvent, SpanEvent, SpanOccurrence};

use super::*;
use crate::TextPattern;

fn attributes(all: &[(&str, &str)]) -> Attributes {
    all.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

fn log(all: &[(&str, &str)]) -> Event {
    let log = LogEvent::new(Timestamp::now(), Arc::default());
    Event::Log(Box::new(LogEvent { attributes: attributes(all), ..log }))
}

fn span(all: &[(&str, &str)], of_event: &[(&str, &str)]) -> Event {
    let occurrence = SpanOccurrence {
        time: None,
        name: "e".to_owned(),
        attributes: attributes(of_event),
        dropped_attributes: None,
    };
    let span = SpanEvent::new(Timestamp::now(), "t".repeat(32), "1".to_owned(), Arc::default());
    Event::Span(Box::new(SpanEvent { attributes: attributes(all), events: vec![occurrence], ..span }))
}

fn pairs(all: &Attributes) -> Vec<(&str, &str)> {
    all.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect()
}

fn of(event: &Event) -> Vec<(&str, &str)> {
    match event {
        Event::Log(log) => pairs(&log.attributes),
        Event::Span(span) => pairs(&span.attributes),
        other => panic!("neither a record of a log nor a span: {other:?}"),
    }
}

/// Stores events in one request.
async fn stored(settings: &Redaction, events: Vec<Event>) -> (Vec<Event>, prometheus::Registry) {
    let (store, registry) = (Arc::new(Memory::default()), prometheus::Registry::new());
    let redactor = Redactor::new(settings).expect("settings that can be used");
    let place: Arc<dyn TelemetryStore> = Arc::<Memory>::clone(&store);
    let ingest = Ingest::new(place, Limits::default(), redactor, Retention::from(7 * DAY), &registry);
    ingest.expect("a path in").append_events(Source::OtlpLogs, events).await.expect("stored");
    let events = store.events.lock().clone();
    (events, registry)
}

#[tokio::test]
async fn records_with_other_names_at_the_same_place_are_each_redacted_by_their_own() {
    let sent: [&[(&str, &str)]; 7] = [
        &[("pass_through", "hunter22"), ("state", "ok")],
        &[("password", "hunter22"), ("state", "ok")],
        &[("pass_through", "hunter22"), ("state", "to a@b.org")],
        &[("password", "hunter22"), ("token", "hunter22")],
        &[("jane.doe@example.org", "1"), ("john.doe@example.org", "2")],
        &[("of ticket-4711", "1"), ("state", "of ticket-12")],
        &[("password", "hunter22")],
    ];
    let expected: [&[(&str, &str)]; 7] = [
        &[("pass_through", "hunter22"), ("state", "ok")],
        &[("password", "[redacted:name]"), ("state", "ok")],
        &[("pass_through", "hunter22"), ("state", "to [redacted:email]")],
        &[("password", "[redacted:name]"), ("token", "[redacted:name]")],
        &[("[redacted:email]", "1"), ("[redacted:email]_2", "2")],
        &[("of [redacted:ticket]", "1"), ("state", "of [redacted:ticket]")],
        &[("password", "[redacted:name]")],
    ];
    let pattern = TextPattern::new("ticket-[0-9]+").expect("a pattern");
    let settings = Redaction { patterns: [("ticket".to_owned(), pattern)].into(), ..Redaction::default() };
    // Twice, so that all names have been met.
    let events = sent.iter().chain(&sent).map(|all| log(all)).collect();
    let (events, registry) = stored(&settings, events).await;
    for (event, expected) in events.iter().zip(expected.iter().chain(&expected)) {
        assert_eq!(of(event), *expected);
    }
    assert_eq!(events.len(), 14);
    for (detector, count) in [("name", 8.0), ("email", 6.0), ("ticket", 4.0)] {
        assert!((redacted(&registry, detector, "mask") - count).abs() < f64::EPSILON, "{detector}");
    }
}

#[tokio::test]
async fn rules_by_field_and_table_hold_for_a_name_wherever_it_was_met_before() {
    let of_spans = |rule: RedactionRule| RedactionRule { signals: vec!["spans".to_owned()], ..rule };
    let rules = vec![
        rule("email", &["note"], Action::Drop),
        of_spans(rule("name", &["password"], Action::Keep)),
        of_spans(rule("email", &["to"], Action::Keep)),
    ];
    let settings = Redaction { rules, ..Redaction::default() };
    let all = [("note", "a@b.org"), ("password", "hunter22"), ("to", "a@b.org")];
    let masked = [("password", "[redacted:name]"), ("to", "[redacted:email]")];
    let kept = [("password", "hunter22"), ("to", "a@b.org")];
    let (events, registry) = stored(&settings, vec![log(&all), span(&all, &all), log(&all)]).await;
    // Rows of logs come first.
    for event in &events[..2] {
        assert_eq!(of(event), masked);
    }
    assert_eq!(of(&events[2]), kept);
    let Event::Span(span) = &events[2] else { panic!("no span: {events:?}") };
    assert_eq!(pairs(&span.events[0].attributes), kept);
    for (detector, action, count) in
        [("email", "drop", 4.0), ("email", "mask", 2.0), ("email", "keep", 2.0), ("name", "keep", 2.0)]
    {
        assert!((redacted(&registry, detector, action) - count).abs() < f64::EPSILON, "{detector} {action}");
    }
}
