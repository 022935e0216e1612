//! Traces over a real store.

use std::sync::Arc;

use model::event::{Event, LogEvent, Origin, SpanEvent, SpanStatus};
use model::{TimeRange, Timestamp};
use store::Cancel;

use super::made_up::NOW;
use super::stored::Stored;
use crate::{Kind, Search, TraceSummary, trace, traces};

const SECOND: i64 = 1_000_000_000;

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_nanos(NOW.as_nanos() + seconds * SECOND)
}

/// A span of a trace, by seconds.
fn span(trace: u64, id: u64, parent: Option<u64>, service: &str, from: i64, seconds: u64) -> SpanEvent {
    let origin = Origin { service: Some(service.to_owned()), ..Origin::default() };
    SpanEvent {
        parent_span_id: parent.map(|parent| format!("{parent:016x}")),
        name: format!("op {id}"),
        duration_ns: seconds * SECOND as u64,
        ..SpanEvent::new(at(from), format!("{trace:032x}"), format!("{id:016x}"), Arc::new(origin))
    }
}

fn failed(span: SpanEvent) -> SpanEvent {
    SpanEvent { status: SpanStatus::Error, ..span }
}

fn filled() -> Stored {
    let stored = Stored::new();
    let spans = [
        span(1, 0x11, None, "gateway", 0, 10),
        span(1, 0x12, Some(0x11), "ocr", 1, 4),
        failed(span(1, 0x13, Some(0x12), "llm", 2, 2)),
        span(2, 0x21, None, "gateway", 20, 1),
        span(3, 0x32, Some(0x31), "ocr", 31, 2),
        span(3, 0x33, Some(0x31), "ocr", 30, 1),
    ];
    let events: Vec<Event> = spans.into_iter().map(|span| Event::Span(Box::new(span))).collect();
    stored.take(&events[..4]);
    stored.to_file();
    stored.take(&events[4..]);
    let log = |seconds, message: &str| {
        let log = LogEvent::new(at(seconds), Arc::default());
        Event::Log(Box::new(LogEvent {
            message: Some(message.to_owned()),
            trace_id: Some(format!("{:032x}", 1)),
            ..log
        }))
    };
    stored.take(&[log(3, "second"), log(2, "first")]);
    stored
}

fn found(stored: &Stored, text: &str, limit: usize) -> Vec<TraceSummary> {
    let search = Search::new(Kind::Spans, text, TimeRange::ALL, NOW).expect("a query");
    traces(&*stored.store, &search, limit, &Cancel::never()).expect("traces")
}

#[test]
fn traces_are_found_by_any_of_their_spans_and_told_as_a_whole() {
    let stored = filled();
    let ids = |text: &str| -> Vec<u64> {
        let all = found(&stored, text, 10);
        all.iter().map(|trace| u64::from_str_radix(&trace.trace_id, 16).expect("an id")).collect()
    };
    assert_eq!(ids(""), [3, 2, 1]);
    assert_eq!(ids("service:ocr"), [3, 1]);
    assert_eq!(ids("duration>3s"), [1]);
    assert_eq!(ids("status:error"), [1]);
    assert_eq!(ids("name:\"op 50\" OR name:\"op 51\""), [3]);
    assert_eq!(ids("service:nobody"), [0; 0]);
    assert_eq!(found(&stored, "", 2).len(), 2);
    let [one] = &found(&stored, "status:error", 10)[..] else { panic!("one trace") };
    let services = ["gateway", "llm", "ocr"].map(str::to_owned).to_vec();
    let expected = TraceSummary {
        trace_id: format!("{:032x}", 1),
        start: at(0),
        duration_ns: 10 * SECOND as u64,
        service: Some("gateway".to_owned()),
        name: "op 17".to_owned(),
        spans: 3,
        errors: 1,
        services,
        matching: 1,
        newest: at(2),
    };
    assert_eq!(one, &expected);
    // Without its root it is named after its first span.
    let orphaned = &found(&stored, "", 10)[0];
    assert_eq!((orphaned.name.as_str(), orphaned.spans, orphaned.matching), ("op 51", 2, 2));
    assert_eq!((orphaned.start, orphaned.duration_ns), (at(30), 3 * SECOND as u64));
}

#[test]
fn more_spans_than_are_read_at_once_are_gone_back_through() {
    let stored = Stored::new();
    // The newest trace has more of them than that, and some of one time at the end of what is read.
    let many = (0..700).map(|number| span(9, 0x9000 + number, None, "a", 1_000 - number as i64 / 3, 1));
    let others = (1..4).map(|trace| span(trace, trace, None, "a", trace as i64, 1));
    let events: Vec<Event> = many.chain(others).map(|span| Event::Span(Box::new(span))).collect();
    stored.take(&events);
    let all = found(&stored, "service:a", 10);
    let told: Vec<(u64, u64)> = all.iter().map(|trace| (trace.matching, trace.spans)).collect();
    assert_eq!(told, [(700, 700), (1, 1), (1, 1), (1, 1)]);
}

#[test]
fn of_spans_that_began_at_one_time_all_are_looked_at_and_what_is_before_them() {
    let stored = Stored::new();
    let one = |trace: u64| span(trace, trace, None, "a", 5, 1);
    let many = (0..1_100).map(|number| span(9, 0x9000 + number, None, "a", 5, 1));
    // Whatever the order of those of one time is, some of these are not among the first.
    let spans = [one(1)].into_iter().chain(many).chain([one(2), span(3, 3, None, "a", 4, 1)]);
    let events: Vec<Event> = spans.map(|span| Event::Span(Box::new(span))).collect();
    stored.take(&events);
    let told: Vec<(String, u64)> =
        found(&stored, "service:a", 10).into_iter().map(|trace| (trace.trace_id, trace.matching)).collect();
    let expected = [(1_u64, 1), (2, 1), (9, 1_100), (3, 1)].map(|(id, count)| (format!("{id:032x}"), count));
    assert_eq!(told, expected);
}

#[test]
fn a_trace_is_read_with_its_tree_and_its_logs() {
    let stored = filled();
    let read = |id: &str| trace(&*stored.store, id, &Cancel::never()).expect("a trace");
    let one = read(&format!("{:032x}", 1));
    let told: Vec<_> = one.spans.iter().zip(&one.nodes).collect();
    let depths: Vec<(&str, usize, u64, u64)> = told
        .iter()
        .map(|(span, node)| {
            (span.name.as_str(), node.depth, node.own / SECOND as u64, node.critical / SECOND as u64)
        })
        .collect();
    assert_eq!(depths, [("op 17", 0, 6, 6), ("op 18", 1, 2, 2), ("op 19", 2, 2, 2)]);
    let messages: Vec<_> = one.logs.iter().map(|log| log.message.as_deref().unwrap_or_default()).collect();
    assert_eq!(messages, ["first", "second"]);
    assert!(!one.has_more_spans && !one.has_more_logs);
    assert!(read("nothing").spans.is_empty());
}
