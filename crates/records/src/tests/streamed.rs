//! Queries of Loki's language over a real store.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use model::event::{Attributes, Event, Level, LogEvent, Origin};
use model::{TimeRange, Timestamp};
use search::logql::{Counts, Expression, parse, selector};
use store::{Cancel, Order};

use super::made_up::{NOW, logs};
use super::stored::Stored;
use crate::{Labels, Steps, facts_of, lines, selected, sets, stream_of, windows};

fn found(stored: &Stored, query: &str) -> BTreeSet<String> {
    let selection = selected(&selector(query).expect(query), TimeRange::ALL);
    let rows = lines(&*stored.store, &selection, Order::NewestFirst, 1_000, &Cancel::never());
    rows.expect(query).into_iter().filter_map(|log| log.event_id).collect()
}

fn all(events: &[Event]) -> impl Iterator<Item = &LogEvent> {
    events.iter().filter_map(|event| if let Event::Log(log) = event { Some(&**log) } else { None })
}

fn has(log: &LogEvent, text: &str) -> bool {
    log.message.as_deref().is_some_and(|message| message.contains(text))
}

fn counts(query: &str) -> Counts {
    match parse(query) {
        Ok(Expression::Counts(counts)) => counts,
        other => panic!("{query}: {other:?}"),
    }
}

/// A query, and which records it finds.
type Case = (&'static str, fn(&LogEvent) -> bool);

const CASES: &[Case] = &[
    ("{}", |_| true),
    ("{level=\"error\"}", |log| log.level == Some(Level::Error)),
    ("{detected_level=~\"warn|error\"}", |log| matches!(log.level, Some(Level::Warn | Level::Error))),
    ("{level!=\"error\"}", |log| log.level != Some(Level::Error)),
    ("{level=\"\"}", |log| log.level.is_none()),
    ("{level!=\"\"}", |log| log.level.is_some()),
    ("{level=~\"error|\"}", |log| log.level.is_none_or(|level| level == Level::Error)),
    ("{service_name=\"ocr\"}", |log| log.origin.service.as_deref() == Some("ocr")),
    ("{job=~\".+\"}", |log| log.origin.service.as_deref().is_some_and(|name| !name.is_empty())),
    ("{} |= \"retry\"", |log| has(log, "retry")),
    ("{} |= \"out\" != \"retry\"", |log| has(log, "out") && !has(log, "retry")),
    ("{} |= \"retry\" or \"db7\"", |log| has(log, "retry") || has(log, "db7")),
    ("{} != \"retry\" or \"db7\"", |log| !has(log, "retry") && !has(log, "db7")),
    ("{} |~ \"RETRY|Time\"", |log| has(log, "RETRY") || has(log, "Time")),
    ("{service_name=~`\\Qocr\\E`}", |log| log.origin.service.as_deref() == Some("ocr")),
    ("{} |~ `\\Qretry\\E|[[:alpha:]&&]b7`", |log| has(log, "retry") || has(log, "db7")),
    ("{} | service_name!~`\\pL{3}`", |log| {
        log.origin.service.as_deref().is_none_or(|name| name.chars().count() != 3)
    }),
    ("{} |= ``", |_| true),
    ("{} |~ \".*\"", |_| true),
    ("{} | json | level=\"error\" or level=\"warn\"", |log| {
        matches!(log.level, Some(Level::Warn | Level::Error))
    }),
    ("{} | http_status_code >= 500", |log| log.conventions.http_status_code.is_some_and(|code| code >= 500)),
    ("{} | http_response_status_code != 500", |log| {
        log.conventions.http_status_code.is_some_and(|code| code != 500)
    }),
    ("{} | __error__=\"\"", |_| true),
    ("{} | __error__!=\"\"", |_| false),
];

#[test]
fn a_store_finds_those_lines_that_a_query_means() {
    let events = logs(300);
    let stored = Stored::in_files_and_memory(&events);
    let mut some = 0;
    for (query, means) in CASES {
        let expected: BTreeSet<String> =
            all(&events).filter(|log| means(log)).filter_map(|log| log.event_id.clone()).collect();
        assert_eq!(found(&stored, query), expected, "{query}");
        some += usize::from(!expected.is_empty() && expected.len() < 300);
    }
    assert!(some > 10, "{some} queries find some and not all");
}

#[test]
fn lines_are_counted_in_windows_as_if_each_window_was_looked_at() {
    let events = logs(300);
    let stored = Stored::in_files_and_memory(&events);
    let (step, window, count) = (Duration::from_secs(100), Duration::from_secs(250), 40);
    let steps = Steps { first: NOW.before(step * 39), step, count };
    for (query, means) in CASES {
        let query = format!("sum by (level) (count_over_time({query} [250s]))");
        let series = windows(&*stored.store, &counts(&query), steps, &Cancel::never()).expect(&query);
        let mut expected: BTreeMap<Labels, Vec<Option<f64>>> = BTreeMap::new();
        for log in all(&events).filter(|log| means(log)) {
            let labels: Labels =
                log.level.map(|level| ("level".to_owned(), level.as_str().to_owned())).into_iter().collect();
            let values = expected.entry(labels).or_insert_with(|| vec![None; count]);
            for (place, value) in values.iter_mut().enumerate() {
                let end = steps.at(place);
                if log.time <= end && log.time > end.before(window) {
                    *value = Some(value.unwrap_or_default() + 1.0);
                }
            }
        }
        expected.retain(|_, values| values.iter().any(Option::is_some));
        let found: BTreeMap<_, _> = series.into_iter().map(|one| (one.labels, one.values)).collect();
        assert_eq!(found, expected, "{query}");
    }
}

#[test]
fn bytes_and_rates_are_sums_over_the_window() {
    let events = logs(300);
    let stored = Stored::in_files_and_memory(&events);
    let long = Duration::from_secs(100 * 24 * 3600);
    let total = |query: &str| {
        let series =
            windows(&*stored.store, &counts(query), Steps::one(NOW.after(long / 2)), &Cancel::never());
        let series = series.expect(query);
        let [one] = &series[..] else { panic!("{query}: one series") };
        one.values[0].expect("a value")
    };
    let bytes: usize = all(&events).filter_map(|log| log.message.as_ref()).map(String::len).sum();
    assert_eq!(total("sum(count_over_time({}[100d]))"), 300.0);
    assert_eq!(total("sum(rate({}[100d]))"), 300.0 / long.as_secs_f64());
    assert_eq!(total("sum(bytes_over_time({}[100d]))"), bytes as f64);
}

#[test]
fn streams_are_told_apart_by_their_labels_and_no_more_than_so_many() {
    let events = logs(300);
    let stored = Stored::in_files_and_memory(&events);
    let selection = selected(&selector("{level!=\"\"}").expect("a selector"), TimeRange::ALL);
    let found = sets(&*stored.store, &selection, &crate::STREAM_LABELS, 1_000, &Cancel::never());
    let found: BTreeMap<Labels, u64> =
        found.expect("sets").into_iter().map(|set| (set.labels, set.count)).collect();
    let mut expected: BTreeMap<Labels, u64> = BTreeMap::new();
    for log in all(&events).filter(|log| log.level.is_some()) {
        *expected.entry(stream_of(log)).or_default() += 1;
    }
    assert_eq!(found, expected);
    let few = sets(&*stored.store, &selection, &["level"], 2, &Cancel::never()).expect_err("too many");
    let said = std::error::Error::source(&few).map(ToString::to_string).unwrap_or_default();
    assert!(said.contains("more than 2 different sets"), "{said}");
}

#[test]
fn nothing_is_found_in_no_time() {
    let stored = Stored::in_files_and_memory(&logs(30));
    let none = TimeRange::new(NOW, Timestamp::from_nanos(NOW.as_nanos() - 1));
    let selection = selected(&selector("{}").expect("a selector"), none);
    let rows = lines(&*stored.store, &selection, Order::OldestFirst, 10, &Cancel::never()).expect("no rows");
    assert!(rows.is_empty());
    let found = sets(&*stored.store, &selection, &["level"], 10, &Cancel::never()).expect("no sets");
    assert!(found.is_empty());
}

/// A record whose attributes have names that mean something else.
fn ambiguous() -> LogEvent {
    let attributes = |all: &[(&str, &str)]| -> Attributes {
        all.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    };
    let origin = Origin {
        service: Some("ocr".to_owned()),
        host: Some("gpu-1".to_owned()),
        scope_name: Some("ocr.pages".to_owned()),
        resource_attributes: attributes(&[
            ("job", "docs/ocr"),
            ("tenant", "acme"),
            ("app", "of the resource"),
        ]),
        ..Origin::default()
    };
    let mut log = LogEvent::new(NOW, Arc::new(origin));
    (log.event_id, log.level) = (Some("ambiguous".to_owned()), Some(Level::Info));
    log.conventions.http_method = Some("GET".to_owned());
    log.attributes = attributes(&[
        ("2nd", "second"),
        ("app", "viewer"),
        ("detected_level", "loud"),
        ("host.name", "inner"),
        ("hostname", "outer"),
        ("http.method", "POST"),
        ("k8s.pod.start_time", "noon"),
        ("k8s.pod_uid", "dot first"),
        ("k8s_pod.uid", "dot last"),
        ("scope", "all"),
        ("service", "mail"),
        ("service.name", "inner"),
    ]);
    log
}

#[test]
fn what_a_line_shows_finds_it_again() {
    let mut events = logs(120);
    events.push(Event::Log(Box::new(ambiguous())));
    let stored = Stored::in_files_and_memory(&events);
    let mut shown: BTreeMap<(String, String), BTreeSet<String>> = BTreeMap::new();
    for log in all(&events) {
        for pair in stream_of(log).into_iter().chain(facts_of(log)) {
            shown.entry(pair).or_default().extend(log.event_id.clone());
        }
    }
    assert!(shown.len() > 50, "{shown:?}");
    for ((name, value), ids) in shown {
        let query = format!("{{}} | {name}=`{value}`");
        assert!(found(&stored, &query).is_superset(&ids), "{query}: {ids:?}");
    }
}

#[test]
fn names_that_mean_something_else_are_shown_as_names_of_attributes() {
    let facts = facts_of(&ambiguous());
    let expected = [
        ("app", "viewer"),
        ("attribute__2nd", "second"),
        ("attribute_detected_level", "loud"),
        ("attribute_host_name", "inner"),
        ("attribute_http_method", "POST"),
        ("attribute_k8s_pod_start_time", "noon"),
        // Two attributes of one name: filters find what the last of them is.
        ("attribute_k8s_pod_uid", "dot last"),
        ("attribute_service_name", "inner"),
        ("hostname", "outer"),
        ("http_method", "GET"),
        ("job", "docs/ocr"),
        ("resource_app", "of the resource"),
        ("resource_tenant", "acme"),
        ("scope", "all"),
        ("scope_name", "ocr.pages"),
        ("service", "mail"),
    ];
    let expected: Labels =
        expected.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
    assert_eq!(facts, expected);
    // Where there is no such attribute, the names mean what they mean elsewhere.
    let stored =
        Stored::in_files_and_memory(&[Event::Log(Box::new(ambiguous())), Event::Log(Box::new(plain()))]);
    let cases: [(&str, &[&str]); 7] = [
        ("{service_name=\"ocr\"}", &["ambiguous", "plain"]),
        ("{job=\"ocr\"}", &["plain"]),
        ("{job=\"docs/ocr\"}", &["ambiguous"]),
        ("{hostname=\"gpu-1\"}", &["plain"]),
        ("{} | scope=\"ocr.pages\"", &["plain"]),
        ("{} | attribute_k8s_pod_start_time=~\"no.*\"", &["ambiguous"]),
        ("{} | attribute_k8s_pod_start_time=\"\"", &["plain"]),
    ];
    for (query, expected) in cases {
        let expected: BTreeSet<String> = expected.iter().map(|id| (*id).to_owned()).collect();
        assert_eq!(found(&stored, query), expected, "{query}");
    }
}

/// The same without attributes.
fn plain() -> LogEvent {
    let mut log = ambiguous();
    let origin = Origin { resource_attributes: Attributes::new(), ..Origin::clone(&log.origin) };
    (log.event_id, log.origin) = (Some("plain".to_owned()), Arc::new(origin));
    log.attributes.clear();
    log
}
