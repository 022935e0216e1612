use std::collections::BTreeMap;

use arrow::array::{AsArray, RecordBatch};
use arrow::datatypes::Int64Type;
use datafusion::common::{Column, ScalarValue};
use datafusion::dataframe::DataFrame;
use datafusion::functions_aggregate::count::count_all;
use datafusion::logical_expr::{Like, col, lit};
use datafusion::physical_plan::displayable;
use store::{Batch, Cancel, EventBatch, QueryError, TelemetryStore};

use super::*;
use crate::events::times_of;
use crate::testing::deploys;
use crate::{Config, Engine};

const MILLI: i64 = 1_000_000;

/// A store with rows in two files and in memory: those at 0 to 299, in milliseconds, in no order.
struct Stored {
    engine: Arc<Engine>,
    runtime: tokio::runtime::Runtime,
    _dir: tempfile::TempDir,
}

impl Stored {
    fn new(change: impl FnOnce(&mut Config)) -> Self {
        let dir = tempfile::tempdir().expect("dir");
        let none = model::ByteSize(0);
        let retention = model::DurationText(std::time::Duration::from_secs(100 * 365 * 86_400));
        let mut config =
            Config { disk_reserve_bytes: none, retention_free_bytes: none, retention, ..Config::default() };
        change(&mut config);
        let engine = Engine::open(dir.path(), config, &prometheus::Registry::new()).expect("opens");
        let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
        let times: Vec<i64> = (0..300).map(|i| i * 7 % 300).collect();
        for (part, times) in times.chunks(100).enumerate() {
            let events = vec![EventBatch { table: Table::Deploys, rows: deploys(times) }];
            runtime.block_on(engine.append(Batch { events, ..Batch::default() })).expect("appended");
            if part < 2 {
                engine.checkpoint().expect("written");
            }
        }
        Self { engine, runtime, _dir: dir }
    }

    fn table(&self) -> DataFrame {
        self.runtime.block_on(self.engine.session().table("deploys")).expect("a table")
    }

    /// The plan as text, and what it gives.
    fn run(&self, query: &DataFrame) -> (String, Result<Vec<RecordBatch>, QueryError>) {
        let plan = self.runtime.block_on(query.create_physical_plan()).expect("a plan");
        let text = displayable(&*plan).indent(false).to_string();
        let mut rows = Vec::new();
        let run = self.engine.run_plan(plan, &Cancel::never(), &mut |batch| {
            rows.push(batch);
            Ok(())
        });
        (text, run.map(|()| rows))
    }
}

fn millis(rows: &[RecordBatch]) -> Vec<i64> {
    rows.iter()
        .flat_map(|rows| {
            times_of(rows).expect("times").values().iter().map(|time| time / MILLI).collect::<Vec<_>>()
        })
        .collect()
}

#[test]
fn order_and_limit_reach_the_scan() {
    let stored = Stored::new(|_| {});
    for ascending in [true, false] {
        let query = stored
            .table()
            .filter(col("service").eq(lit("service-1")))
            .and_then(|rows| rows.sort(vec![col("time").sort(ascending, true)]))
            .and_then(|rows| rows.limit(0, Some(3)))
            .expect("a query");
        let (plan, rows) = stored.run(&query);
        let rows = millis(&rows.expect("rows"));
        assert_eq!(rows, if ascending { [1, 4, 7] } else { [298, 295, 292] }, "{plan}");
        assert!(plan.contains("First(3)") && !plan.contains("Sort") && !plan.contains("Filter"), "{plan}");
    }
}

#[test]
fn filters_that_mean_the_same_reach_the_scan_and_others_are_carried_out_above() {
    let stored = Stored::new(|_| {});
    let zone = Some("UTC".into());
    let at = |millis: i64| lit(ScalarValue::TimestampNanosecond(Some(millis * MILLI), zone.clone()));
    let like = |negated, pattern: &str| {
        let column = Box::new(Expr::Column(Column::from_name("event_id")));
        Expr::Like(Like::new(negated, column, Box::new(lit(pattern)), None, false))
    };
    let cases = [
        (col("time").gt(at(10)).and(col("time").lt_eq(at(12))), vec![11, 12], true),
        (col("time").eq(at(299)), vec![299], true),
        (at(2).gt(col("time")), vec![0, 1], true),
        (like(false, "%29%").and(col("time").lt(at(290))), vec![29, 129, 229], true),
        (like(true, "%e%"), vec![], false),
        (like(false, "%e_").and(col("time").lt(at(2))), vec![0, 1], false),
        (col("event_id").eq(lit("e7")).or(col("event_id").eq(lit("e8"))), vec![7, 8], true),
        (col("environment").is_null().and(col("time").lt(at(4))), vec![1, 3], true),
        (col("service").not_eq(lit("service-1")).and(col("time").lt(at(4))), vec![0, 2, 3], true),
    ];
    for (filter, expected, pushed) in cases {
        let query = stored.table().filter(filter.clone()).expect("a query");
        let (plan, rows) = stored.run(&query);
        let mut rows = millis(&rows.expect("rows"));
        rows.sort_unstable();
        assert_eq!(rows, expected, "{filter}");
        assert_eq!(!plan.contains("FilterExec"), pushed, "{plan}");
    }
}

#[test]
fn rows_of_files_and_memory_are_counted_once_each() {
    let stored = Stored::new(|_| {});
    let groups = stored.table().aggregate(vec![col("service")], vec![count_all()]).expect("a query");
    let (_, rows) = stored.run(&groups);
    let mut counts = BTreeMap::new();
    for rows in rows.expect("rows") {
        let (services, numbers) =
            (rows.column(0).as_string::<i32>(), rows.column(1).as_primitive::<Int64Type>());
        for row in 0..rows.num_rows() {
            counts.insert(services.value(row).to_owned(), numbers.value(row));
        }
    }
    let expected = (0..3).map(|service| (format!("service-{service}"), 100)).collect();
    assert_eq!(counts, expected);
    let all = stored.table().aggregate(vec![], vec![count_all()]).expect("a query");
    let (plan, rows) = stored.run(&all);
    let rows = rows.expect("rows");
    assert_eq!(rows[0].column(0).as_primitive::<Int64Type>().value(0), 300, "{plan}");
}

#[test]
fn a_limit_alone_ends_the_scan_and_no_column_is_read_that_is_not_named() {
    let stored = Stored::new(|_| {});
    let query = stored.table().select_columns(&["service"]).and_then(|rows| rows.limit(0, Some(5)));
    let (plan, rows) = stored.run(&query.expect("a query"));
    let rows = rows.expect("rows");
    assert!(rows.iter().all(|rows| rows.num_columns() == 1), "{plan}");
    assert_eq!(rows.iter().map(RecordBatch::num_rows).sum::<usize>(), 5);
    assert!(plan.contains("AsRead(Some(5))"), "{plan}");
}

#[test]
fn a_plan_that_needs_more_memory_than_all_may_take_is_an_error_that_names_the_limit() {
    let stored = Stored::new(|config| config.scans_memory_bytes = model::ByteSize((8 << 20) + 1024));
    let groups = stored.table().aggregate(vec![col("event_id")], vec![count_all()]).expect("a query");
    let (plan, rows) = stored.run(&groups);
    let Err(QueryError::LimitReached(text)) = rows else { panic!("{plan} {rows:?}") };
    assert!(text.contains("store.scans_memory_bytes"), "{text}");
}

#[test]
fn what_is_past_its_retention_is_not_answered() {
    let stored = Stored::new(|config| config.retention = Config::default().retention);
    let (plan, rows) = stored.run(&stored.table());
    assert_eq!(millis(&rows.expect("rows")), [0i64; 0], "{plan}");
    let at = lit(ScalarValue::TimestampNanosecond(Some(7 * MILLI), Some("UTC".into())));
    let (plan, rows) = stored.run(&stored.table().filter(col("time").eq(at)).expect("a query"));
    assert_eq!(millis(&rows.expect("rows")), [0i64; 0], "{plan}");
    assert!(plan.contains("EmptyExec"), "{plan}");
}

#[test]
fn a_query_of_sql_reaches_the_scan_as_well() {
    let stored = Stored::new(|_| {});
    let text = "SELECT event_id FROM deploys WHERE time >= '1970-01-01T00:00:00.010Z' AND event_id LIKE '%7%' \
                ORDER BY time DESC LIMIT 2";
    let query = stored.runtime.block_on(stored.engine.session().sql(text)).expect("a query");
    let (plan, rows) = stored.run(&query);
    let rows = rows.expect("rows");
    let ids: Vec<&str> =
        rows.iter().flat_map(|rows| rows.column(0).as_string::<i32>()).map(|id| id.expect("an id")).collect();
    assert_eq!(ids, ["e297", "e287"], "{plan}");
    assert!(plan.contains("First(2)") && !plan.contains("Filter") && !plan.contains("Sort"), "{plan}");
}

#[test]
fn all_parts_of_a_plan_are_run() {
    let stored = Stored::new(|_| {});
    let text = "SELECT time FROM deploys WHERE event_id = 'e1' UNION ALL SELECT time FROM deploys WHERE event_id = 'e250'";
    let query = stored.runtime.block_on(stored.engine.session().sql(text)).expect("a query");
    let (plan, rows) = stored.run(&query);
    let mut rows = millis(&rows.expect("rows"));
    rows.sort_unstable();
    assert_eq!(rows, [1, 250], "{plan}");
}
