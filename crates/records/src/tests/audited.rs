//! What is audited among records of logs, over a real store.

use std::collections::BTreeSet;
use std::num::NonZeroU32;
use std::sync::Arc;

use model::event::{
    Attributes, AuditCategory, AuditEvent, AuditOutcome, Conventions, Event, Level, LogEvent, Origin,
};
use model::{TimeRange, Timestamp};
use proptest::prelude::*;
use proptest::test_runner::TestRunner;
use store::{Cancel, Order, Row, Table};

use super::made_up::{NOW, audits, query_of};
use super::stored::Stored;
use crate::{
    AuditRecord, Context, Counted, Cursor, Facet, Kind, LogRecord, OfJob, Page, Search, around, category_of,
    facets, histogram, id_of_log, jobs_of_log, log_of_audit, patterns, trace,
};

#[test]
fn a_store_finds_those_audits_that_the_evaluator_finds_in_them_and_in_what_is_shown_of_them() {
    let events = audits(200);
    let stored = Stored::in_files_and_memory(&events);
    let audits: Vec<&AuditEvent> = events
        .iter()
        .filter_map(|event| if let Event::Audit(audit) = event { Some(&**audit) } else { None })
        .collect();
    let shown: Vec<LogEvent> = audits.iter().map(|audit| log_of_audit((*audit).clone())).collect();
    let mut runner = TestRunner::new(ProptestConfig { cases: 400, ..ProptestConfig::default() });
    let result = runner.run(&query_of(Kind::Logs), |text| {
        let search = Search::new(Kind::Logs, &text, TimeRange::ALL, NOW).expect("a query");
        let range = search.range();
        let scan = search.scan(Table::AuditEvents, range, Order::NewestFirst, 10_000, &Cancel::never());
        let mut found = BTreeSet::new();
        for rows in stored.store.scan(&scan).expect("a scan") {
            found
                .extend(AuditEvent::from_batch(&rows).expect("rows").into_iter().map(|audit| audit.event_id));
        }
        let query = search.query();
        let expected: BTreeSet<String> = audits
            .iter()
            .filter(|audit| query.matches(&AuditRecord(audit)))
            .map(|audit| audit.event_id.clone())
            .collect();
        prop_assert_eq!(&found, &expected, "{} as {:?}", text, search.predicate(Table::AuditEvents));
        // What is shown does not tell whose an attribute was.
        if !text.contains("resource.") {
            let of_shown: BTreeSet<String> = shown
                .iter()
                .filter(|log| query.matches(&LogRecord(log)))
                .filter_map(|log| log.event_id.clone())
                .collect();
            prop_assert_eq!(&of_shown, &expected, "{}", text);
        }
        Ok(())
    });
    result.expect("the store and the evaluator find the same");
}

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_nanos(NOW.as_nanos() + seconds * 1_000_000_000)
}

fn text(text: &str) -> Option<String> {
    Some(text.to_owned())
}

fn audit(id: &str, seconds: i64, category: AuditCategory) -> AuditEvent {
    AuditEvent {
        time: at(seconds),
        event_id: id.to_owned(),
        action: "user.login".to_owned(),
        category,
        outcome: Some(AuditOutcome::Denied),
        user_id: text("ann"),
        target: text("d-7"),
        message: text("user login from elsewhere"),
        client_ip: text("192.0.2.7"),
        tenant: None,
        service: text("gateway"),
        host: text("docs-1"),
        job_id: text("j-7"),
        document_id: None,
        request_id: None,
        trace_id: Some("ab".repeat(16)),
        attributes: Attributes::new(),
    }
}

fn log(id: &str, seconds: i64) -> LogEvent {
    let origin = Origin { service: text("gateway"), host: text("docs-1"), ..Origin::default() };
    LogEvent {
        event_id: text(id),
        level: Some(Level::Info),
        message: text("user login page shown"),
        attributes: [("retry".to_owned(), id.to_owned())].into(),
        ..LogEvent::new(at(seconds), Arc::new(origin))
    }
}

/// Logs and audits by turns, some of one time, in a file and in memory.
fn by_turns() -> Stored {
    let stored = Stored::new();
    let of = |events: [(i64, &str); 4]| {
        let event = |(seconds, id): (i64, &str)| match id.as_bytes()[0] {
            b'l' => Event::Log(Box::new(log(id, seconds))),
            b's' => Event::Audit(Box::new(audit(id, seconds, AuditCategory::Security))),
            _ => Event::Audit(Box::new(audit(id, seconds, AuditCategory::UserAction))),
        };
        events.map(event)
    };
    stored.take(&of([(-9, "l1"), (-8, "a1"), (-7, "l2"), (-7, "a2")]));
    stored.to_file();
    stored.take(&of([(-7, "l3"), (-6, "s1"), (-5, "l4"), (-4, "a3")]));
    stored
}

fn search(text: &str) -> Search {
    Search::new(Kind::Logs, text, TimeRange::new(at(-100), at(0)), NOW).expect("a query")
}

fn pages(stored: &Stored, search: &Search, order: Order, limit: usize) -> Vec<LogEvent> {
    let (mut all, mut after): (Vec<LogEvent>, Option<Cursor>) = (Vec::new(), None);
    loop {
        let page = Page { limit, order, after };
        let page = crate::logs(&*stored.store, search, &page, &Cancel::never()).expect("a page");
        all.extend(page.items);
        after = page.next;
        if after.is_none() {
            return all;
        }
    }
}

fn ids(logs: &[LogEvent]) -> String {
    let ids = logs.iter().map(|log| log.event_id.as_deref().expect("an id"));
    ids.collect::<Vec<_>>().join(" ")
}

#[test]
fn what_is_audited_and_what_is_logged_are_one_list_however_it_is_paged() {
    let stored = by_turns();
    let (oldest, newest) = ("l1 a1 l2 l3 a2 s1 l4 a3", "a3 l4 s1 a2 l3 l2 a1 l1");
    for limit in [1, 2, 3, 100] {
        for (order, expected) in [(Order::OldestFirst, oldest), (Order::NewestFirst, newest)] {
            let all = pages(&stored, &search("\"user login\""), order, limit);
            assert_eq!(ids(&all), expected, "{order:?} by {limit}");
        }
    }
    for (query, expected) in [
        ("category:audit", "a1 a2 a3"),
        ("category:security", "s1"),
        ("log.category:(audit OR security)", "a1 a2 s1 a3"),
        ("-category:*", "l1 l2 l3 l4"),
        ("action:user.login outcome:denied target:d-7 client.address:192.0.2.7", "a1 a2 s1 a3"),
        ("audit.category:user_action", "a1 a2 a3"),
        ("job_id:j-7 user.id:ann service:gateway", "a1 a2 s1 a3"),
        ("retry:l3", "l3"),
    ] {
        assert_eq!(ids(&pages(&stored, &search(query), Order::OldestFirst, 2)), expected, "{query}");
    }
    let shown = pages(&stored, &search("category:*"), Order::OldestFirst, 10);
    let categories: Vec<_> = shown.iter().map(category_of).collect();
    assert_eq!(categories, [Some("audit"), Some("audit"), Some("security"), Some("audit")]);
    assert_eq!(category_of(&log("l", 0)), None);
}

#[test]
fn both_are_counted_over_time_by_fields_and_by_attributes() {
    let stored = by_turns();
    let named = |name| Facet::named(Kind::Logs, name).expect("a field");
    let fields =
        ["category", "service", "retry", "outcome", "attributes.outcome", "nobody.has.it"].map(named);
    let counted = facets(&*stored.store, &search(""), &fields, 2, &Cancel::never()).expect("counts");
    let counts = |field: usize| -> Vec<(Option<&str>, u64)> {
        let values = &counted[field].values;
        values.iter().map(|Counted { value, count }| (value.as_deref(), *count)).collect()
    };
    assert_eq!(counts(0), [(None, 4), (Some("audit"), 3)]);
    assert_eq!((counted[0].others, counted[0].distinct), (1, 2));
    assert_eq!(counts(1), [(Some("gateway"), 8)]);
    assert_eq!((counts(2)[0], counted[2].others, counted[2].distinct), ((None, 4), 3, 4));
    assert_eq!(counts(3), [(None, 4), (Some("denied"), 4)]);
    assert_eq!(counts(4), counts(3));
    assert_eq!((counts(5), counted[5].distinct, counted[5].others), (vec![(None, 8)], 0, 0));

    let ten = NonZeroU32::new(10).expect("ten");
    for (by, expected) in [("category", vec![None, Some("audit"), Some("security")]), ("none", vec![None])] {
        let counted = histogram(&*stored.store, &search("login"), Some(&named(by)), ten, &Cancel::never());
        let counted = counted.expect("counts");
        let values: Vec<_> = counted.series.iter().map(|series| series.value.as_deref()).collect();
        assert_eq!((counted.total, values), (8, expected), "{by}");
    }
}

#[test]
fn an_example_of_a_pattern_leads_to_what_stands_around_it_in_both() {
    let stored = by_turns();
    let found = patterns(&*stored.store, &search("category:*"), 10, &Cancel::never()).expect("patterns");
    assert_eq!((found.total, found.items.len()), (4, 1), "{found:?}");
    let example = &found.items[0].example;
    let context = Context { service: text("gateway"), host: text("docs-1"), ..Context::default() };
    let middle = (example.time, Some(example.id));
    let shown = around(&*stored.store, &context, middle, (3, 1), &Cancel::never()).expect("records");
    let shown = shown.expect("the one in the middle");
    assert_eq!((ids(&shown.items).as_str(), shown.place), ("a2 s1 l4 a3", Some(3)));
    assert_eq!(id_of_log(&shown.items[3]), example.id);
    let elsewhere = Context { service: text("other"), ..Context::default() };
    let none = around(&*stored.store, &elsewhere, middle, (3, 1), &Cancel::never()).expect("an answer");
    assert!(none.is_none(), "{none:?}");
}

#[test]
fn each_stands_among_those_of_both_tables_though_several_are_of_one_time() {
    let stored = by_turns();
    let all = pages(&stored, &search("login"), Order::OldestFirst, 100);
    for (id, expected, place) in [
        ("l1", "l1 a1", 0),
        ("l2", "a1 l2 l3", 1),
        ("l3", "l2 l3 a2", 1),
        ("a2", "l3 a2 s1", 1),
        ("a3", "l4 a3", 1),
    ] {
        let it = all.iter().find(|log| log.event_id.as_deref() == Some(id)).expect("one of them");
        let middle = (it.time, Some(id_of_log(it)));
        let shown = around(&*stored.store, &Context::default(), middle, (1, 1), &Cancel::never());
        let shown = shown.expect("records").expect("the one in the middle");
        assert_eq!((ids(&shown.items).as_str(), shown.place), (expected, Some(place)), "{id}");
    }
    let of_audit = all.iter().find(|log| log.event_id.as_deref() == Some("s1")).expect("an audit");
    let jobs = jobs_of_log(&*stored.store, of_audit, &Cancel::never()).expect("jobs");
    assert_eq!(jobs.jobs().iter().map(|job| job.job_id.as_str()).collect::<Vec<_>>(), ["j-7"]);
}

#[test]
fn what_is_audited_belongs_to_its_trace_and_its_job() {
    let stored = by_turns();
    let whole = trace(&*stored.store, &"ab".repeat(16), &Cancel::never()).expect("a trace");
    assert_eq!((ids(&whole.logs).as_str(), whole.has_more_logs), ("a1 a2 s1 a3", false));
    assert_eq!(whole.jobs.jobs().iter().map(|job| job.job_id.as_str()).collect::<Vec<_>>(), ["j-7"]);
    let job = OfJob::new("j-7", None, TimeRange::new(at(-7), at(0)));
    assert_eq!(job.counts(&*stored.store, &Cancel::never()).expect("counts").logs, 3);
    assert_eq!(ids(&pages(&stored, &search(&job.query()), Order::OldestFirst, 10)), "a1 a2 s1 a3");
}

#[test]
fn what_has_a_place_in_a_record_is_shown_there_and_the_rest_among_its_attributes() {
    let kept = [
        ("dropped_attributes", "3"),
        ("level", "warn"),
        ("severity", "WARNING"),
        ("span_id", "0000000000000001"),
        ("service.version", "1.4"),
        ("process.pid", "4711"),
        ("http.request.method", "DELETE"),
        ("http.response.status_code", "many"),
        ("colour", "red"),
    ];
    let kept = kept.map(|(name, value)| (name.to_owned(), value.to_owned()));
    let shown = log_of_audit(AuditEvent {
        message: None,
        attributes: kept.into(),
        ..audit("a", 0, AuditCategory::System)
    });
    let origin = Origin {
        service: text("gateway"),
        service_version: text("1.4"),
        host: text("docs-1"),
        pid: Some(4711),
        ..Origin::default()
    };
    let attributes = [
        ("audit.category", "system"),
        ("category", "audit"),
        ("client_ip", "192.0.2.7"),
        ("colour", "red"),
        ("dropped_attributes", "3"),
        ("http.response.status_code", "many"),
        ("outcome", "denied"),
        ("target", "d-7"),
    ];
    let expected = LogEvent {
        event_id: text("a"),
        level: Some(Level::Warn),
        severity_text: text("WARNING"),
        event_name: text("user.login"),
        message: text("user.login"),
        trace_id: Some("ab".repeat(16)),
        span_id: text("0000000000000001"),
        conventions: Conventions {
            job_id: text("j-7"),
            user_id: text("ann"),
            http_method: text("DELETE"),
            ..Conventions::default()
        },
        attributes: attributes.map(|(name, value)| (name.to_owned(), value.to_owned())).into(),
        ..LogEvent::new(at(0), Arc::new(origin))
    };
    assert_eq!(shown, expected);
}

#[test]
fn a_table_that_has_nothing_takes_no_look_at_files() {
    let stored = Stored::new();
    stored.take(&[Event::Log(Box::new(log("l1", -1)))]);
    stored.to_file();
    let read = || stored.metric("watchkeeper_scan_row_groups_total");
    let before = read();
    assert_eq!(ids(&pages(&stored, &search("login"), Order::NewestFirst, 10)), "l1");
    assert!((read() - before - 1.0).abs() < f64::EPSILON, "that of the log alone");
}
