//! Scans of event tables, against filtering every row.

use arrow::array::{AsArray, RecordBatch};
use model::event::DeployEvent;
use model::{TimeRange, Timestamp};
use proptest::prelude::*;
use store::{EventPass, EventScan, FilterOp, Order, QueryError, Table, TelemetryStore};

use crate::fixture::{Open, Place, T0, deploy, times_of};

fn any_scan() -> impl Strategy<Value = EventScan> {
    let condition = prop_oneof![
        Just(("service", FilterOp::Equal, "service-1".to_owned())),
        Just(("service", FilterOp::NotEqual, "service-1".to_owned())),
        Just(("service", FilterOp::AtLeast, "service-2".to_owned())),
        Just(("environment", FilterOp::Equal, "production".to_owned())),
        Just(("environment", FilterOp::Less, "q".to_owned())),
        Just(("event_id", FilterOp::Contains, "7".to_owned())),
        (0i64..3000).prop_map(|time| ("event_id", FilterOp::Equal, format!("e{}", T0 + time))),
    ];
    let conditions = proptest::collection::vec(condition, 0..3);
    (conditions, -10i64..3000, 0i64..3000, any::<bool>(), prop_oneof![1usize..20, Just(100_000)]).prop_map(
        |(conditions, start, length, newest, limit)| {
            let start = T0 + start;
            let range = TimeRange::new(Timestamp::from_millis(start), Timestamp::from_millis(start + length));
            let mut scan = EventScan::new(Table::Deploys, range, limit);
            for (column, op, value) in conditions {
                scan = scan.with(column, op, value);
            }
            if newest { scan.newest_first() } else { scan }
        },
    )
}

/// The answer by looking at every row.
fn brute_force(times: &[i64], scan: &EventScan) -> Vec<DeployEvent> {
    let holds = |row: &DeployEvent| {
        scan.range.contains(row.time)
            && scan.filters.iter().all(|filter| {
                let column = match filter.column {
                    "service" => Some(row.service.as_str()),
                    "environment" => row.environment.as_deref(),
                    _ => Some(row.event_id.as_str()),
                };
                let store::Scalar::Text(value) = &filter.value else { panic!("texts only") };
                column.is_some_and(|column| match filter.op {
                    FilterOp::Equal => column == value,
                    FilterOp::NotEqual => column != value,
                    FilterOp::AtLeast => column >= value.as_str(),
                    FilterOp::Less => column < value.as_str(),
                    FilterOp::Contains => column.contains(value.as_str()),
                })
            })
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
        let pass = EventPass { table, range, filters, columns: &["event_id"] };
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
        columns: &["event_id"],
    };
    let mut calls = 0;
    let stopped = store.engine.each_batch(&pass, &mut |_| {
        calls += 1;
        Err(QueryError::Stopped("enough"))
    });
    assert!(matches!(stopped, Err(QueryError::Stopped("enough"))), "{stopped:?}");
    assert_eq!(calls, 1);
    let unknown = EventPass { columns: &["colour"], ..pass };
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
