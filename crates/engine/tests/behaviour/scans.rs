//! Scans of event tables, against filtering every row.

use std::time::Duration;

use arrow::array::{AsArray, RecordBatch};
use engine::Config;
use model::event::DeployEvent;
use model::{DurationText, TimeRange, Timestamp};
use proptest::prelude::*;
use store::{
    Cancel, Condition, Entries, EventPass, EventScan, Field, FilterOp, FoldedText, Order, Phrase, Predicate,
    QueryError, Scalar, Table, TelemetryStore, Test,
};

use crate::bounds::eventually;
use crate::fixture::{Open, Place, T0, deploy, times_of};

fn any_scan() -> impl Strategy<Value = EventScan> {
    let condition = prop_oneof![
        Just(("service", FilterOp::Equal, "service-1".to_owned())),
        Just(("service", FilterOp::NotEqual, "service-1".to_owned())),
        Just(("service", FilterOp::AtLeast, "service-2".to_owned())),
        Just(("environment", FilterOp::Equal, "production".to_owned())),
        Just(("environment", FilterOp::Less, "q".to_owned())),
        Just(("event_id", FilterOp::Contains, "7".to_owned())),
        Just(("service", FilterOp::ContainsWords, "2".to_owned())),
        (0i64..3000).prop_map(|time| ("event_id", FilterOp::Equal, format!("e{}", T0 + time))),
        (0i64..3000).prop_map(|time| ("event_id", FilterOp::AtLeast, format!("e{}", T0 + time))),
        (0i64..3000).prop_map(|time| ("event_id", FilterOp::Less, format!("e{}", T0 + time))),
    ];
    let conditions = proptest::collection::vec(condition, 0..3);
    let predicates = proptest::collection::vec(any_predicate(), 0..2);
    (
        (conditions, predicates),
        -10i64..3000,
        0i64..3000,
        any::<bool>(),
        prop_oneof![1usize..20, Just(100_000)],
    )
        .prop_map(|((conditions, predicates), start, length, newest, limit)| {
            let start = T0 + start;
            let range = TimeRange::new(Timestamp::from_millis(start), Timestamp::from_millis(start + length));
            let mut scan = EventScan::new(Table::Deploys, range, limit);
            for (column, op, value) in conditions {
                scan = scan.with(column, op, value);
            }
            scan.filters.extend(predicates);
            if newest { scan.newest_first() } else { scan }
        })
}

/// Whether a row satisfies a predicate, said once more in the plainest way.
fn satisfies(row: &DeployEvent, predicate: &Predicate) -> bool {
    match predicate {
        Predicate::All(parts) => parts.iter().all(|part| satisfies(row, part)),
        Predicate::Any(parts) => parts.iter().any(|part| satisfies(row, part)),
        Predicate::Not(part) => !satisfies(row, part),
        Predicate::Own(_) => panic!("none of our own"),
        Predicate::Is(Condition { field, test }) => {
            let value = match (field, field.column()) {
                (Field::Attribute { key, .. }, _) => row.attributes.get(key).map(String::as_str),
                (_, "service") => Some(row.service.as_str()),
                (_, "environment") => row.environment.as_deref(),
                _ => Some(row.event_id.as_str()),
            };
            value.is_some_and(|value| holds(test, value))
        }
    }
}

fn holds(test: &Test, text: &str) -> bool {
    let words = |text: &str| -> Vec<String> {
        text.split(|letter: char| !letter.is_alphanumeric()).map(str::to_lowercase).collect()
    };
    match test {
        Test::Exists => true,
        Test::Contains(part) => text.to_lowercase().contains(part.as_str()),
        Test::Words(phrase) => {
            let phrase: Vec<&str> = phrase.certain().collect();
            words(text).windows(phrase.len()).any(|run| run == phrase)
        }
        Test::Matches(pattern) => pattern.is_match(text),
        Test::Compare(op, value) => {
            let store::Scalar::Text(value) = value else { panic!("texts only") };
            match op {
                FilterOp::Equal => text == value,
                FilterOp::NotEqual => text != value,
                FilterOp::AtLeast => text >= value.as_str(),
                FilterOp::Greater => text > value.as_str(),
                FilterOp::AtMost => text <= value.as_str(),
                FilterOp::Less => text < value.as_str(),
                FilterOp::Contains => text.contains(value.as_str()),
                FilterOp::ContainsWords => {
                    text.split(|letter: char| !letter.is_alphanumeric()).any(|word| word == value)
                }
            }
        }
    }
}

fn any_predicate() -> impl Strategy<Value = Predicate> {
    let service = |test| Predicate::column("service", test);
    let single = prop_oneof![
        Just(service(Test::equal("service-1"))),
        Just(service(Test::Words(Phrase::of("SERVICE 2")))),
        Just(service(Test::Contains(FoldedText::new("ICE-0")))),
        Just(Predicate::column("environment", Test::Exists)),
        Just(Predicate::column("environment", Test::equal("production"))),
        (0i64..3000, prop_oneof![Just(FilterOp::Equal), Just(FilterOp::AtMost), Just(FilterOp::Greater)])
            .prop_map(|(time, op)| {
                let id = Scalar::Text(format!("e{}", T0 + time));
                Predicate::column("event_id", Test::Compare(op, id))
            }),
        (0i64..3000).prop_map(|time| {
            Predicate::attribute("attributes", "k", Test::equal((T0 + time).to_string()))
        }),
        Just(Predicate::attribute("attributes", "none", Test::Exists)),
    ];
    single.prop_recursive(3, 12, 3, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..3).prop_map(Predicate::All),
            proptest::collection::vec(inner.clone(), 0..3).prop_map(Predicate::Any),
            inner.prop_map(Predicate::opposite),
        ]
    })
}

/// The answer by looking at every row.
fn brute_force(times: &[i64], scan: &EventScan) -> Vec<DeployEvent> {
    let holds = |row: &DeployEvent| {
        scan.range.contains(row.time) && scan.filters.iter().all(|filter| satisfies(row, filter))
    };
    let mut rows: Vec<DeployEvent> = times.iter().map(|time| deploy(*time)).filter(holds).collect();
    rows.sort_by_key(|row| row.time);
    if scan.order == Order::NewestFirst {
        rows.reverse();
    }
    rows.truncate(scan.limit);
    rows
}

/// Rows in three files, out of order and overlapping, and in memory.
fn filled(place: &Place) -> (Open, Vec<i64>) {
    let store = place.open();
    let times: Vec<i64> = (0..3000).map(|i| T0 + i * 1009 % 3000).collect();
    for (part, times) in times.chunks(750).enumerate() {
        for some in times.chunks(50) {
            store.push_rows(some);
        }
        if part < 3 {
            store.engine.checkpoint().expect("a checkpoint");
        }
    }
    (store, times)
}

#[test]
fn scans_with_conditions_limit_and_order_give_what_looking_at_every_row_gives() {
    let place = Place::new();
    let (store, times) = filled(&place);
    let mut runner = proptest::test_runner::TestRunner::new(ProptestConfig::with_cases(200));
    let result = runner.run(&any_scan(), |scan| {
        prop_assert_eq!(store.scan(&scan), brute_force(&times, &scan));
        Ok(())
    });
    result.expect("every scan agrees");
}

#[test]
fn a_pass_goes_once_over_every_row_that_a_scan_without_a_limit_gives() {
    let place = Place::new();
    let (store, times) = filled(&place);
    let mut runner = proptest::test_runner::TestRunner::new(ProptestConfig::with_cases(100));
    let result = runner.run(&any_scan(), |scan| {
        let all = EventScan { limit: usize::MAX, order: Order::OldestFirst, ..scan.clone() };
        let (table, range, filters) = (scan.table, scan.range, scan.filters);
        let pass = EventPass {
            table,
            range,
            filters,
            columns: (&["event_id"]).into(),
            entries: Entries::all(),
            cancel: Cancel::never(),
        };
        let mut ids = Vec::new();
        let each = &mut |rows: &RecordBatch| {
            let column = rows.column_by_name("event_id").expect("the column that was asked for");
            ids.extend(column.as_string::<i32>().iter().map(|id| id.expect("no null").to_owned()));
            Ok(())
        };
        store.engine.each_batch(&pass, each).expect("a pass");
        let mut expected: Vec<String> =
            brute_force(&times, &all).into_iter().map(|row| row.event_id).collect();
        ids.sort();
        expected.sort();
        prop_assert_eq!(ids, expected);
        Ok(())
    });
    result.expect("every pass agrees");
}

#[test]
fn a_pass_ends_at_the_first_error_of_who_asked() {
    let place = Place::new();
    let (store, _) = filled(&place);
    let pass = EventPass {
        table: Table::Deploys,
        range: TimeRange::ALL,
        filters: Vec::new(),
        columns: (&["event_id"]).into(),
        entries: Entries::all(),
        cancel: Cancel::never(),
    };
    let mut calls = 0;
    let stopped = store.engine.each_batch(&pass, &mut |_| {
        calls += 1;
        Err(QueryError::Stopped("enough"))
    });
    assert!(matches!(stopped, Err(QueryError::Stopped("enough"))), "{stopped:?}");
    assert_eq!(calls, 1);
    let unknown = EventPass { columns: (&["colour"]).into(), ..pass.clone() };
    let refused = store.engine.each_batch(&unknown, &mut |_| Ok(()));
    assert!(matches!(&refused, Err(QueryError::Invalid(text)) if text.contains("colour")), "{refused:?}");
}

#[test]
fn rows_at_the_same_time_come_in_the_order_in_which_they_were_stored() {
    let place = Place::new();
    let store = place.open();
    let stored = ["first", "second", "third", "fourth"];
    for (place_in_order, id) in stored.iter().enumerate() {
        let row = DeployEvent { event_id: (*id).to_owned(), ..deploy(T0) };
        let rows = store::Row::to_batch(&[row]).expect("rows");
        let batch = store::EventBatch { table: Table::Deploys, rows };
        store.append(store::Batch { events: vec![batch], ..store::Batch::default() }).expect("appended");
        if place_in_order == 1 {
            store.engine.checkpoint().expect("a checkpoint");
        }
    }
    let scan = EventScan::new(Table::Deploys, TimeRange::ALL, 10);
    let ids = |scan: &EventScan| store.scan(scan).into_iter().map(|row| row.event_id).collect::<Vec<_>>();
    assert_eq!(ids(&scan), stored);
    assert_eq!(ids(&scan.newest_first()), ["fourth", "third", "second", "first"]);
}

#[test]
fn a_file_of_several_row_groups_is_read_where_the_scan_wants() {
    let place = Place::new();
    let store = place.open();
    let times: Vec<i64> = (0..140_000).map(|i| T0 + i).collect();
    for some in times.chunks(20_000) {
        store.push_rows(some);
    }
    store.engine.checkpoint().expect("a checkpoint");
    let newest = EventScan::new(Table::Deploys, TimeRange::ALL, 3).newest_first();
    assert_eq!(times_of(&store.scan(&newest)), [T0 + 139_999, T0 + 139_998, T0 + 139_997]);
    let one = EventScan::new(Table::Deploys, TimeRange::ALL, 9).with(
        "event_id",
        FilterOp::Equal,
        format!("e{}", T0 + 135_000),
    );
    assert_eq!(times_of(&store.scan(&one)), [T0 + 135_000]);
    let none = EventScan::new(Table::Deploys, TimeRange::ALL, 9).with("event_id", FilterOp::Equal, "e0");
    assert!(store.scan(&none).is_empty());
    let range = TimeRange::new(Timestamp::from_millis(T0 + 131_070), Timestamp::from_millis(T0 + 131_075));
    assert_eq!(
        times_of(&store.scan(&EventScan::new(Table::Deploys, range, 9))),
        (T0 + 131_070..=T0 + 131_075).collect::<Vec<_>>()
    );
}

#[test]
fn a_scan_of_a_column_that_does_not_exist_is_invalid() {
    let place = Place::new();
    let store = place.open();
    let scan = EventScan::new(Table::Deploys, TimeRange::ALL, 9).with("colour", FilterOp::Equal, "red");
    let answer = store.engine.scan(&scan);
    assert!(matches!(&answer, Err(QueryError::Invalid(text)) if text.contains("colour")), "{answer:?}");
}

/// Rows in files of two row groups and one, each with a description in which a number is a word; words
/// of all rows are in the first file too.
fn described(place: &Place) -> Open {
    let store = place.open();
    for (start, count) in [(0, 140_000), (140_000, 1000)] {
        let rows: Vec<DeployEvent> = (start..start + count)
            .map(|i| DeployEvent {
                description: Some(format!("build {i} took {}s", i % 7)),
                ..deploy(T0 + i)
            })
            .collect();
        for rows in rows.chunks(20_000) {
            let rows = store::Row::to_batch(rows).expect("rows");
            let batch = store::EventBatch { table: Table::Deploys, rows };
            store.append(store::Batch { events: vec![batch], ..store::Batch::default() }).expect("appended");
        }
        store.engine.checkpoint().expect("a checkpoint");
    }
    store
}

#[test]
fn a_search_for_words_reads_only_row_groups_that_have_them() {
    let place = Place::new();
    let store = described(&place);
    let read = |op, text: &str| {
        let scan = EventScan::new(Table::Deploys, TimeRange::ALL, 9).with("description", op, text);
        let before = store.metric("watchkeeper_scan_row_groups_total");
        let times = times_of(&store.scan(&scan)).iter().map(|time| time - T0).collect::<Vec<_>>();
        (times, store.metric("watchkeeper_scan_row_groups_total") - before)
    };
    // Each word was looked for once to see that no filter is wrong about it.
    assert_eq!(read(FilterOp::ContainsWords, "build 135000"), (vec![135_000], 1.0));
    assert_eq!(read(FilterOp::ContainsWords, "140500 took"), (vec![140_500], 1.0));
    assert_eq!(read(FilterOp::ContainsWords, "999999"), (vec![], 0.0));
    // Nothing is known of words of which only a part is named.
    assert_eq!(read(FilterOp::Contains, "build 135000"), (vec![135_000], 3.0));
    assert_eq!(read(FilterOp::Contains, "build 135000 "), (vec![135_000], 1.0));
    assert_eq!(read(FilterOp::Contains, "ild 999999 "), (vec![], 0.0));
    assert_eq!(read(FilterOp::Equal, "build 135000 took 6s"), (vec![], 1.0));
    assert_eq!(
        store.metric("watchkeeper_scan_row_groups_passed_over_total"),
        2.0 + 2.0 + 3.0 + 2.0 + 3.0 + 2.0
    );
}

#[test]
fn a_scan_ends_when_it_is_cancelled_or_takes_too_long() {
    let place = Place::new();
    let store = place.open();
    store.push_rows(&(T0..T0 + 100).collect::<Vec<_>>());
    let cancel = Cancel::new();
    let scan = EventScan::new(Table::Deploys, TimeRange::ALL, 10).stopped_by(&cancel);
    assert_eq!(store.scan(&scan).len(), 10);
    cancel.cancel();
    assert!(matches!(store.engine.scan(&scan), Err(QueryError::Stopped(_))));
    let pass = EventPass {
        table: Table::Deploys,
        range: TimeRange::ALL,
        filters: Vec::new(),
        columns: (&["event_id"]).into(),
        entries: Entries::all(),
        cancel: Cancel::never(),
    };
    drop(store);
    let limit = Duration::from_millis(10);
    let place =
        Place { config: Config { scan_timeout: DurationText(limit), ..place.config.clone() }, ..place };
    let store = place.open();
    // More batches than a pass reads ahead.
    for part in 0..8 {
        store.push_rows(&(T0 + part * 5000..T0 + part * 5000 + 5000).collect::<Vec<_>>());
    }
    let answer = store.engine.each_batch(&pass, &mut |_| {
        std::thread::sleep(2 * limit);
        Ok(())
    });
    let Err(QueryError::TimedOut(text)) = answer else { panic!("{answer:?}") };
    assert!(text.contains("store.scan_timeout") && text.contains("narrow its time range"), "{text}");
}

#[test]
fn scans_beyond_those_that_may_wait_are_told_to_come_back() {
    let place = Place::with(|config| (config.max_concurrent_scans, config.max_waiting_scans) = (1, 0));
    let store = place.open();
    // More batches than a pass reads ahead.
    for part in 0..8 {
        store.push_rows(&(T0 + part * 5000..T0 + part * 5000 + 5000).collect::<Vec<_>>());
    }
    let pass = EventPass {
        table: Table::Deploys,
        range: TimeRange::ALL,
        filters: Vec::new(),
        columns: (&["event_id"]).into(),
        entries: Entries::all(),
        cancel: Cancel::never(),
    };
    let scan = EventScan::new(Table::Deploys, TimeRange::ALL, 10);
    let mut meanwhile = Vec::new();
    let mut each = |_: &RecordBatch| {
        meanwhile.push(store.engine.scan(&scan).map(drop));
        Ok(())
    };
    store.engine.each_batch(&pass, &mut each).expect("it has the only place");
    assert!(matches!(meanwhile[0], Err(QueryError::Busy { waiting: 0 })), "{meanwhile:?}");
    eventually("its place is free again", || store.engine.scan(&scan).is_ok());
    assert!(store.metric("watchkeeper_store_query_limits_total") >= 1.0);
}
