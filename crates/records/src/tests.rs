//! What a store finds, compared with what the language's evaluator says of each record.

mod audited;
mod clustered;
mod counted;
mod made_up;
mod of_jobs;
mod stored;
mod streamed;
mod traced;

use std::cell::RefCell;
use std::collections::BTreeSet;

use model::event::{Event, LogEvent, SpanEvent};
use model::{TimeRange, Timestamp};
use proptest::prelude::*;
use proptest::test_runner::TestRunner;
use store::{Cancel, Order, Row, Table};

use crate::{Kind, LogRecord, Search, SpanRecord};
use made_up::{NOW, logs, query_of, spans};
use stored::Stored;

/// The rows that the store finds, by what tells them apart.
fn found(stored: &Stored, search: &Search) -> BTreeSet<String> {
    let table = search.kind().table();
    let scan = search.scan(table, search.range(), Order::NewestFirst, 10_000, &Cancel::never());
    let batches = stored.store.scan(&scan).expect("a scan");
    let ids = batches.iter().flat_map(|rows| match search.kind() {
        Kind::Logs => {
            LogEvent::from_batch(rows).expect("rows").into_iter().filter_map(|log| log.event_id).collect()
        }
        Kind::Spans => SpanEvent::from_batch(rows)
            .expect("rows")
            .into_iter()
            .map(|span| span.span_id)
            .collect::<Vec<_>>(),
    });
    ids.collect()
}

/// The same by the evaluator alone.
fn expected(events: &[Event], search: &Search) -> BTreeSet<String> {
    let query = search.query();
    let ids = events.iter().filter_map(|event| match event {
        Event::Log(log) => query.matches(&LogRecord(log)).then(|| log.event_id.clone()).flatten(),
        Event::Span(span) => query.matches(&SpanRecord(span)).then(|| span.span_id.clone()),
        _ => None,
    });
    ids.collect()
}

fn compare(kind: Kind, events: &[Event]) {
    let stored = Stored::in_files_and_memory(events);
    let sizes = RefCell::new(BTreeSet::new());
    let mut runner = TestRunner::new(ProptestConfig { cases: 400, ..ProptestConfig::default() });
    let result = runner.run(&query_of(kind), |text| {
        let search = match Search::new(kind, &text, TimeRange::ALL, NOW) {
            Ok(search) => search,
            Err(error) => panic!("{text}: {error}"),
        };
        let expected = expected(events, &search);
        prop_assert_eq!(
            &found(&stored, &search),
            &expected,
            "{} as {:?}",
            text,
            search.predicate(kind.table())
        );
        sizes.borrow_mut().insert(expected.len());
        Ok(())
    });
    result.expect("the store and the evaluator find the same");
    let sizes = sizes.into_inner();
    assert!(sizes.len() > 20, "queries find {sizes:?}");
}

#[test]
fn a_store_finds_those_logs_that_the_evaluator_finds() {
    compare(Kind::Logs, &logs(300));
}

#[test]
fn a_store_finds_those_spans_that_the_evaluator_finds() {
    compare(Kind::Spans, &spans(300));
}

#[test]
fn what_a_query_says_of_times_narrows_the_search() {
    let at = |text: &str| Timestamp::parse_rfc3339(text).expect("a time");
    let range = TimeRange::new(at("2025-08-01T10:00:00Z"), at("2025-08-01T20:00:00Z"));
    let search = |text| Search::new(Kind::Logs, text, range, NOW).expect("a query");
    assert_eq!(search("error").range(), range);
    let narrow = search("time>=2025-08-01T12:00:00Z time<2025-08-01T13:00:00Z");
    assert_eq!(narrow.range().start, at("2025-08-01T12:00:00Z"));
    assert_eq!(narrow.range().end.as_nanos(), at("2025-08-01T13:00:00Z").as_nanos() - 1);
    assert!(search("time<2025-08-01T09:00:00Z").is_empty());
}

/// What the store is not asked for by its own conditions costs a look at each row.
#[test]
fn only_attributes_as_numbers_durations_sizes_and_times_are_left_to_the_evaluator() {
    let is_asked = |kind, text: &str| {
        let search = Search::new(kind, text, TimeRange::ALL, NOW).expect("a query");
        !format!("{:?}", search.predicate(kind.table())).contains("Own(")
    };
    for text in [
        "timeout \"timed out\" tim* -retry",
        "message:/timed? out/i level>=warn",
        "service:ocr* host!=gpu-1 trace_id:4bf9*",
        "http.response.status_code:500..599 http.response.status_code:(404 OR >=500)",
        "time>=-15m observed_time:*",
        "flaws:text_cut severity_text:ERROR event_name:cache.missed environment:test db.query.text:insert",
        "tenant:acme attributes.colour:red resource.zone:eu-* colour>blue colour:*",
    ] {
        assert!(is_asked(Kind::Logs, text), "{text}");
    }
    assert!(is_asked(Kind::Spans, "duration>5s duration:1s..2s status:error name:/GET/ kind:server"));
    for text in ["attempts>3", "duration>5s", "colour:1..5", "http.request.body.size>1MiB", "process.pid>5"] {
        assert!(!is_asked(Kind::Logs, text), "{text}");
    }
}

#[test]
fn row_groups_without_the_words_attributes_and_ids_of_a_search_are_passed_over() {
    let stored = Stored::new();
    for part in 0..4u64 {
        let events: Vec<Event> = (0..50)
            .map(|number| {
                Event::Log(Box::new(LogEvent {
                    message: Some(format!("Attempt of SHARD{part} number {number}")),
                    trace_id: Some(format!("{part:032x}")),
                    attributes: [(format!("key.{part}"), format!("Value-{part}"))].into(),
                    ..LogEvent::new(NOW, Default::default())
                }))
            })
            .collect();
        stored.take(&events);
        stored.to_file();
    }
    let cases = [
        ("shard2", 1, 50),
        ("Shard2 number 7", 1, 1),
        ("shard2 OR shard3", 2, 100),
        ("(shard2 7) OR nothing", 1, 1),
        ("nothing", 0, 0),
        ("-nothing", 4, 200),
        ("-shard2", 4, 150),
        ("key.1:Value-1", 1, 50),
        ("key.1:value-1", 1, 0),
        ("key.1:*", 1, 50),
        ("key.1>5", 1, 0),
        ("key.9:*", 0, 0),
        ("attributes.key.1:Value-2", 0, 0),
        ("trace_id:00000000000000000000000000000003", 1, 50),
        ("trace_id:00000000000000000000000000000009", 0, 0),
        ("trace_id:0000000000000000000000000000000*", 4, 200),
        ("trace_id:00000000000000000000000000000001*", 1, 50),
    ];
    let read = || stored.metric("watchkeeper_scan_row_groups_total");
    for (text, groups, rows) in cases {
        let search = Search::new(Kind::Logs, text, TimeRange::ALL, NOW).expect("a query");
        let before = read();
        let scan = search.scan(Table::Logs, search.range(), Order::OldestFirst, 1_000, &Cancel::never());
        let batches = stored.store.scan(&scan).expect("a scan");
        let found: usize = batches.iter().map(arrow::array::RecordBatch::num_rows).sum();
        assert_eq!((found, read() - before), (rows, f64::from(groups)), "{text}");
    }
}
