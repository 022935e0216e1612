//! SQL over a store with several tables, in files and in memory: what it answers, refuses and bounds.

use std::sync::Arc;
use std::time::Duration;

use engine::Config;
use model::event::{Attributes, Level, LogEvent, Origin, SpanEvent};
use model::{ByteSize, Labels, MetricBatch, Sample, Timestamp};
use serde_json::{Value, json};
use store::{
    Batch, EventBatch, Position, QueryError, Row, SqlError, SqlQuery, SqlSummary, StatementError, Table,
    TelemetryStore,
};
use tabular::{AnswerFormat, AnswerWriter};

use crate::fixture::{Open, Place, T0, deploys};

const LOGS: i64 = 300;
const SPANS: i64 = 100;

/// A store with records of logs, a second apart, spans, deploys and samples: the first two thirds of the logs in two
/// files, the rest in memory.
struct Stored {
    open: Open,
    _place: Place,
}

fn log(number: i64) -> LogEvent {
    let service = format!("svc-{}", number % 3);
    let origin = Arc::new(Origin { service: Some(service), ..Origin::default() });
    let level = if number % 10 == 0 { Level::Error } else { Level::Info };
    let end = if number % 7 == 0 { "timed out" } else { "done" };
    // A word that only the second file has.
    let rare = if number == 150 { " with quicksilver" } else { "" };
    LogEvent {
        level: Some(level),
        message: Some(format!("request {number} {end}{rare}")),
        trace_id: Some(format!("{number:032x}")),
        attributes: Attributes::from([("shard".to_owned(), (number % 4).to_string())]),
        ..LogEvent::new(Timestamp::from_millis(T0 + number * 1_000), origin)
    }
}

fn span(number: i64) -> SpanEvent {
    let time = Timestamp::from_millis(T0 + number * 1_000);
    SpanEvent {
        name: "work".to_owned(),
        duration_ns: number as u64 * 1_000_000,
        ..SpanEvent::new(time, format!("{number:032x}"), format!("{number:016x}"), Arc::default())
    }
}

fn rows<R: Row>(rows: &[R]) -> EventBatch {
    EventBatch { table: R::TABLE, rows: R::to_batch(rows).expect("rows") }
}

fn samples() -> MetricBatch {
    let mut batch = MetricBatch::new();
    for (name, instance) in [("up", "a"), ("up", "b"), ("http_requests_total", "a")] {
        let labels = Labels::metric(name, &[("instance", instance), ("job", "api")]);
        let samples: Vec<Sample> =
            (0..10).map(|place| Sample { time_ms: T0 + place * 1_000, value: place as f64 }).collect();
        batch.push(labels.as_ref(), &samples);
    }
    batch
}

impl Stored {
    fn new() -> Self {
        Self::with(|_| {})
    }

    fn with(change: impl FnOnce(&mut Config)) -> Self {
        let place = Place::with(change);
        let open = place.open();
        let logs: Vec<LogEvent> = (0..LOGS).map(log).collect();
        for (part, logs) in logs.chunks(100).enumerate() {
            let events = vec![rows(logs)];
            open.append(Batch { events, ..Batch::default() }).expect("appended");
            if part < 2 {
                open.engine.checkpoint().expect("written");
            }
        }
        let spans: Vec<SpanEvent> = (0..SPANS).map(span).collect();
        let events = vec![rows(&spans), deploys(&[T0, T0 + 1, T0 + 2])];
        open.append(Batch { events, metrics: samples() }).expect("appended");
        Self { open, _place: place }
    }

    fn answer(&self, query: &SqlQuery) -> Result<(Vec<Value>, SqlSummary), SqlError> {
        let mut answer = AnswerWriter::new(AnswerFormat::Json, Vec::new());
        let summary = self.open.engine.sql(query, &mut answer)?;
        let text = answer.finish(&summary).expect("written");
        let mut read: Value = serde_json::from_slice(&text).expect("JSON");
        let Value::Array(rows) = read["rows"].take() else { panic!("rows: {read}") };
        assert_eq!(rows.len() as u64, summary.rows);
        Ok((rows, summary))
    }

    fn ask(&self, statement: &str) -> (Vec<Value>, SqlSummary) {
        self.answer(&SqlQuery::new(statement)).unwrap_or_else(|error| panic!("{statement}: {error:?}"))
    }

    fn rows(&self, statement: &str) -> Vec<Value> {
        self.ask(statement).0
    }

    fn fault(&self, statement: &str) -> StatementError {
        match self.answer(&SqlQuery::new(statement)) {
            Err(SqlError::Statement(fault)) => fault,
            other => panic!("{statement}: {other:?}"),
        }
    }

    fn stopped(&self, query: &SqlQuery) -> String {
        match self.answer(query) {
            Err(SqlError::Query(error)) => error.to_string(),
            other => panic!("{}: {other:?}", query.statement),
        }
    }
}

#[test]
fn statements_agree_with_what_was_stored() {
    let stored = Stored::new();
    let cases = [
        ("SELECT count(*) FROM logs", json!([[300]])),
        (
            "SELECT x * x AS x FROM (SELECT x * x AS x FROM (SELECT x + 1 AS x FROM (VALUES (2)) t(x)))",
            json!([[81]]),
        ),
        ("SELECT b AS a, a AS b FROM (SELECT b AS a, a AS b FROM (SELECT 1 AS a, 2 AS b))", json!([[1, 2]])),
        (
            "SELECT y+1 AS x FROM (SELECT x+1 AS y FROM (SELECT x+1+1 AS x FROM (SELECT 0 AS x)))",
            json!([[4]]),
        ),
        ("SELECT n * 2 AS n FROM (SELECT n * 2 AS n FROM (SELECT count(*) AS n FROM logs))", json!([[1200]])),
        ("SELECT count(*) FROM logs WHERE level = 'error'", json!([[30]])),
        ("SELECT count(*) FROM logs WHERE level IN ('error', 'warn')", json!([[30]])),
        ("SELECT count(*) FROM logs WHERE message LIKE '%timed%'", json!([[43]])),
        ("SELECT count(*) FROM logs WHERE has_words(message, 'timed out')", json!([[43]])),
        ("SELECT count(*) FROM logs WHERE has_words(message, 'time')", json!([[0]])),
        ("SELECT count(*) FROM logs WHERE message ~ '^request 1.* out$'", json!([[15]])),
        ("SELECT count(*) FROM logs WHERE attributes['shard'] = '2'", json!([[75]])),
        ("SELECT count(*) FROM logs WHERE attributes['none'] IS NULL", json!([[300]])),
        ("SELECT count(*) FROM logs WHERE host IS NULL", json!([[300]])),
        (
            "SELECT service, count(*) AS n FROM logs WHERE level = 'error' GROUP BY service ORDER BY service",
            json!([["svc-0", 10], ["svc-1", 10], ["svc-2", 10]]),
        ),
        (
            "SELECT l.message, s.duration_ns FROM logs l JOIN spans s ON l.trace_id = s.trace_id \
             WHERE s.duration_ns >= 98000000 ORDER BY 2",
            json!([["request 98 timed out", 98_000_000], ["request 99 done", 99_000_000]]),
        ),
        (
            "WITH slow AS (SELECT trace_id FROM spans WHERE duration_ns > 95000000) \
             SELECT count(*) FROM logs WHERE trace_id IN (SELECT trace_id FROM slow)",
            json!([[4]]),
        ),
        ("SELECT max(duration_ns) - min(duration_ns) FROM spans", json!([[99_000_000]])),
        ("SELECT count(*) FROM deploys", json!([[3]])),
        ("SELECT 'a' || 'b' || NULL, 'a' || 1, concat('a', NULL)", json!([[null, "a1", "a"]])),
        ("VALUES (1, 'x'), (2, NULL)", json!([[1, "x"], [2, null]])),
        ("SELECT TRY_CAST('x' AS BIGINT), 1 / NULLIF(0, 0)", json!([[null, null]])),
        // As docs/sql.md says.
        ("SELECT 9223372036854775807 + 1", json!([[i64::MIN]])),
        ("SELECT count(*) FROM logs WHERE attributes['shard'] > 1", json!([[150]])),
        (
            "SELECT date_trunc('minute', time) AS minute, count(*) FROM logs GROUP BY minute ORDER BY minute LIMIT 1",
            json!([["2025-08-01T21:30:00Z", 60]]),
        ),
        (
            "SELECT message, row_number() OVER (PARTITION BY service ORDER BY time DESC) AS place FROM logs \
             WHERE service = 'svc-1' ORDER BY place LIMIT 2",
            json!([["request 298 done", 1], ["request 295 done", 2]]),
        ),
    ];
    for (statement, expected) in cases {
        assert_eq!(Value::Array(stored.rows(statement)), expected, "{statement}");
    }
}

#[test]
fn samples_are_rows_with_their_labels() {
    let stored = Stored::new();
    let cases = [
        ("SELECT count(*) FROM samples", json!([[30]])),
        (
            "SELECT name, labels['instance'], sum(value) FROM samples GROUP BY 1, 2 ORDER BY 1, 2",
            json!([["http_requests_total", "a", 45.0], ["up", "a", 45.0], ["up", "b", 45.0]]),
        ),
        (
            "SELECT time, value FROM samples WHERE name = 'up' AND labels['instance'] = 'b' ORDER BY time DESC LIMIT 1",
            json!([["2025-08-01T21:30:09Z", 9.0]]),
        ),
        ("SELECT DISTINCT labels['job'] FROM samples WHERE name LIKE 'http%'", json!([["api"]])),
        ("SELECT count(*) FROM samples WHERE name IN ('up', 'down')", json!([[20]])),
        ("SELECT count(*) FROM samples WHERE time >= '2025-08-01T21:30:08Z'", json!([[6]])),
        ("SELECT count(*) FROM samples WHERE labels['none'] <> 'x'", json!([[0]])),
        ("SELECT count(*) FROM (SELECT * FROM samples LIMIT 7)", json!([[7]])),
    ];
    for (statement, expected) in cases {
        assert_eq!(Value::Array(stored.rows(statement)), expected, "{statement}");
    }
    let (_, summary) = stored.ask("SELECT value FROM samples WHERE name = 'up' AND labels['instance'] = 'b'");
    assert_eq!(summary.rows_read, 10, "other series are not read");
}

#[test]
fn conditions_on_times_and_words_pass_over_files() {
    let stored = Stored::new();
    let all = stored.ask("SELECT count(*) FROM logs").1;
    assert_eq!((all.rows_read, all.row_groups_read), (300, 2), "{all:?}");
    let early = "SELECT message FROM logs WHERE time < '2025-08-01T21:31:00Z'";
    let (rows, early) = stored.ask(early);
    assert_eq!((rows.len(), early.rows_read, early.row_groups_read), (60, 60, 1), "{early:?}");
    let (rows, rare) = stored.ask("SELECT message FROM logs WHERE has_words(message, 'quicksilver')");
    assert_eq!(rows, [json!(["request 150 done with quicksilver"])]);
    assert_eq!((rare.row_groups_read, rare.row_groups_passed_over), (1, 1), "{rare:?}");
    let (rows, recent) = stored.ask("SELECT message FROM logs WHERE time > now() - interval '1 hour'");
    assert_eq!((rows.len(), recent.rows_read, recent.row_groups_read), (0, 0, 0), "{recent:?}");
    let (rows, between) = stored.ask(
        "SELECT count(*) FROM logs WHERE time BETWEEN '2025-08-01T21:30:00Z' AND '2025-08-01T21:30:10Z'",
    );
    assert_eq!((&rows[0], between.rows_read), (&json!([11]), 11), "{between:?}");
}

#[test]
fn the_schema_can_be_browsed() {
    let stored = Stored::new();
    let tables = stored.rows("SHOW TABLES");
    for name in Table::ALL.iter().map(|table| table.name()).chain(["samples"]) {
        assert!(tables.iter().any(|row| row[2] == name), "{name}: {tables:?}");
        let described = stored.rows(&format!("DESCRIBE {name}"));
        assert_eq!(described[0][0], "time", "{name}");
    }
    let columns =
        stored.rows("SELECT column_name FROM information_schema.columns WHERE table_name = 'deploys'");
    assert_eq!(columns.len(), store::schema(Table::Deploys).fields().len(), "{columns:?}");
    let plan = stored.rows("EXPLAIN SELECT * FROM samples WHERE name = 'up'");
    assert!(plan.iter().any(|row| row.to_string().contains("__name__ Equal")), "{plan:?}");
    assert!(!stored.rows("EXPLAIN ANALYZE SELECT count(*) FROM logs").is_empty());
}

#[test]
fn what_does_not_only_read_is_refused() {
    let stored = Stored::new();
    for statement in [
        "CREATE TABLE t AS SELECT * FROM logs",
        "CREATE VIEW v AS SELECT * FROM logs",
        "CREATE EXTERNAL TABLE t STORED AS CSV LOCATION '/etc/passwd'",
        "CREATE FUNCTION f() RETURNS INT RETURN 1",
        "CREATE SCHEMA s",
        "DROP TABLE logs",
        "INSERT INTO logs SELECT * FROM logs",
        "UPDATE logs SET message = ''",
        "DELETE FROM logs",
        "COPY logs TO '/tmp/logs.csv' STORED AS CSV",
        "SET datafusion.execution.batch_size = 1",
        "RESET datafusion.execution.batch_size",
        "PREPARE p AS SELECT 1",
        "EXECUTE p",
        "BEGIN",
        "TRUNCATE logs",
        "EXPLAIN INSERT INTO logs SELECT * FROM logs",
        "EXPLAIN ANALYZE COPY logs TO '/tmp/logs.csv' STORED AS CSV",
        "SELECT * INTO t FROM logs",
        "SELECT 1; DROP TABLE logs",
        "SELECT * FROM '/etc/passwd'",
        "SELECT * FROM read_csv('/etc/passwd')",
        "SELECT * FROM generate_series(1, 1000000000)",
        "SELECT repeat('x', 1000000000)",
        "SELECT lpad('x', 1000000000)",
        "SELECT arrow_cast(NULL, 'FixedSizeBinary(1000000000)')",
        "SELECT CAST(NULL AS INT[1000000000])",
        "SELECT array_agg(message) FROM logs",
        "SELECT version()",
        "WITH RECURSIVE n AS (SELECT 1 AS i UNION ALL SELECT i + 1 FROM n) SELECT max(i) FROM n",
        "",
        ";",
        "-- nothing",
    ] {
        let fault = stored.fault(statement);
        assert!(!fault.message.is_empty(), "{statement}");
    }
    assert_eq!(stored.rows("SELECT count(*) FROM logs"), [json!([300])]);
}

#[test]
fn a_fault_has_its_place_and_what_may_have_been_meant() {
    let stored = Stored::new();
    let cases = [
        ("SELEC 1", Some((1, 1)), Some("SELECT")),
        ("SELECT 1 FRM logs WHERE", Some((1, 10)), Some("FROM")),
        ("SELECT count(*) form logs", Some((1, 17)), Some("FROM")),
        ("SELECT 1 FROM logs WHER level = 'info'", Some((1, 20)), Some("WHERE")),
        ("SELECT * FROM logs WHERE", Some((1, 25)), None),
        ("SELECT *\nFROM '/etc/passwd'", Some((2, 6)), None),
        ("SELECT * FROM read_csv('/etc/passwd')", Some((1, 15)), None),
        ("SELECT *\nFROM lgs", Some((2, 6)), Some("logs")),
        ("SELECT mesage\nFROM logs", Some((1, 8)), Some("message")),
        ("SELECT l.mesage FROM logs l", Some((1, 8)), Some("message")),
        ("SELECT count(*)\nFROM logs\nWHERE sevice = 'x'", Some((3, 7)), Some("service")),
        ("SELECT cuont(*) FROM logs", Some((1, 8)), Some("count")),
        ("SELECT trace_id FROM logs, spans", Some((1, 8)), None),
        ("SELECT 'open", Some((1, 8)), None),
        ("SELECT 1 FROM logs WHERE level = error", Some((1, 34)), Some("'error'")),
        ("SELECT 1 FROM logs WHERE level IN ('info', error)", Some((1, 44)), Some("'error'")),
        ("SELECT 1 FROM logs WHERE level = \"Error\"", Some((1, 34)), Some("'Error'")),
        ("SELECT 1 FROM logs WHERE trace_id = spn_id", Some((1, 37)), Some("span_id")),
        ("SELECT message FROM logs WHERE message LIKE service", Some((1, 40)), None),
        ("SELECT message['a'] FROM logs", Some((1, 15)), None),
        ("SELECT sum(message) FROM logs", Some((1, 8)), None),
        ("WITH RECURSIVE n AS (SELECT 1 AS i UNION ALL SELECT i FROM n) SELECT 1", Some((1, 6)), None),
    ];
    for (statement, place, suggestion) in cases {
        let fault = stored.fault(statement);
        let found = fault.position.map(|Position { line, column }| (line, column));
        assert_eq!((found, fault.suggestion.as_deref()), (place, suggestion), "{statement}: {fault:?}");
        for word in ["datafusion", "DataFusion", "watchkeeper.public", "Error during"] {
            assert!(!fault.message.contains(word), "{statement}: {fault:?}");
        }
    }
}

#[test]
fn what_fails_while_a_statement_runs_is_its_fault_with_its_place() {
    let stored = Stored::new();
    let an_hour_ago = Some("now() - INTERVAL '1 hour'");
    let cases = [
        ("SELECT 1 FROM logs WHERE message ~ '('", Some((1, 36)), None, "unclosed group"),
        ("SELECT 1 FROM logs WHERE message ~* '('", Some((1, 37)), None, "unclosed group"),
        ("SELECT regexp_replace(message, '(', 'x') FROM logs", Some((1, 32)), None, "unclosed group"),
        ("SELECT regexp_count(message, '(') FROM logs", Some((1, 30)), None, "`(`"),
        ("SELECT * FROM samples WHERE name ~ '('", Some((1, 36)), None, "unclosed group"),
        ("SELECT * FROM samples WHERE labels['job'] !~ '('", Some((1, 46)), None, "unclosed group"),
        ("SELECT 1 FROM logs WHERE level = 5", Some((1, 26)), Some("level = '5'"), "'"),
        ("SELECT 1 FROM logs WHERE 5 < level", Some((1, 30)), Some("level > '5'"), "'"),
        ("SELECT CAST(message AS INT) FROM logs", Some((1, 8)), None, "whole number"),
        ("SELECT CAST('abc' AS INT)", Some((1, 13)), None, "'abc'"),
        ("SELECT 1 FROM logs WHERE time > 'yesterday'", Some((1, 33)), an_hour_ago, "2026-11-30T12:00:00Z"),
        (
            "SELECT 1 FROM samples WHERE time > 'yesterday'",
            Some((1, 36)),
            an_hour_ago,
            "2026-11-30T12:00:00Z",
        ),
        ("SELECT 1 / (count(*) - 300) FROM logs", Some((1, 10)), None, "zero"),
    ];
    for (statement, place, suggestion, said) in cases {
        let fault = stored.fault(statement);
        let found = fault.position.map(|Position { line, column }| (line, column));
        assert_eq!((found, fault.suggestion.as_deref()), (place, suggestion), "{statement}: {fault:?}");
        assert!(fault.message.contains(said), "{statement}: {fault:?}");
        assert!(!fault.message.contains("rror: "), "{statement}: {fault:?}");
    }
}

#[test]
fn a_call_that_is_not_taken_is_told_with_what_is() {
    let stored = Stored::new();
    let sum = stored.fault("SELECT sum(message) FROM logs").message;
    assert!(sum.contains("`sum` does not take (text)"), "{sum}");
    assert!(sum.contains("bigint") && sum.contains("double"), "{sum}");
    let round = stored.fault("SELECT round(1.5, 1, 1)").message;
    assert!(round.contains("`round` does not take") && round.contains("arguments"), "{round}");
}

#[test]
fn an_answer_ends_at_its_limit_and_says_so() {
    let stored = Stored::new();
    let limited = |statement: &str, limit| SqlQuery { limit: Some(limit), ..SqlQuery::new(statement) };
    let (rows, summary) = stored.answer(&limited("SELECT message FROM logs ORDER BY time", 3)).expect("rows");
    assert_eq!(rows, [json!(["request 0 timed out"]), json!(["request 1 done"]), json!(["request 2 done"])]);
    assert!(summary.is_truncated, "{summary:?}");
    let (rows, summary) = stored.answer(&limited("SELECT message FROM logs", 300)).expect("rows");
    assert!(rows.len() == 300 && !summary.is_truncated, "{summary:?}");
}

#[test]
fn every_bound_is_named_by_whoever_reaches_it() {
    let stored = Stored::with(|config| config.max_scan_rows = 200);
    let all = SqlQuery::new("SELECT message FROM logs");
    assert!(stored.stopped(&all).contains("store.max_scan_rows"));
    let (rows, summary) = stored.answer(&SqlQuery { limit: Some(200), ..all.clone() }).expect("rows");
    assert!(rows.len() == 200 && summary.is_truncated);

    let stored = Stored::with(|config| config.max_scan_bytes = ByteSize(4_000));
    assert!(stored.stopped(&all).contains("store.max_scan_bytes"));

    let stored = Stored::with(|config| config.scans_memory_bytes = ByteSize((16 << 20) + 2_000));
    for statement in [
        "SELECT message, count(*) FROM logs GROUP BY message",
        "SELECT message, count(*) OVER () FROM logs",
        "SELECT * FROM logs ORDER BY message",
    ] {
        assert!(
            stored.stopped(&SqlQuery::new(statement)).contains("store.scans_memory_bytes"),
            "{statement}"
        );
    }

    let stored = Stored::new();
    let endless = "SELECT count(*) FROM logs a CROSS JOIN (logs b CROSS JOIN (logs c CROSS JOIN \
                   (logs d CROSS JOIN logs e)))";
    let hurried = SqlQuery { timeout: Some(Duration::from_millis(300)), ..SqlQuery::new(endless) };
    assert!(stored.stopped(&hurried).contains("300ms"));
    let cancelled = SqlQuery::new(endless);
    cancelled.cancel.cancel();
    assert!(matches!(stored.answer(&cancelled), Err(SqlError::Query(QueryError::Stopped(_)))));

    let longer = "SELECT concat(s, s) AS s FROM (";
    let doubled =
        |times| format!("{}SELECT message AS s FROM logs{}", longer.repeat(times), ")".repeat(times));
    assert!(stored.fault(&doubled(20)).message.contains("10000 parts"));
    let eightfold = "concat(s, s, s, s, s, s, s, s)";
    let longer = format!("SELECT {eightfold} AS s FROM (SELECT {eightfold} AS s FROM (");
    let large = format!("{longer}{}SELECT message AS s FROM logs{}", longer, ")".repeat(4));
    assert!(stored.fault(&large).message.contains("too long"));
    let pipes = stored
        .fault("VALUES (1) |> SELECT column1 + column1 AS column1 |> SELECT column1 + column1 AS column1");
    assert!(pipes.message.contains("|>"), "{pipes:?}");
    assert!(stored.fault("SELECT replace(message, 'r', message) FROM logs").message.contains("constant"));
    assert!(stored.fault("SELECT 1 / (count(*) - 300) FROM logs").message.contains("zero"));
}

/// Common tables, each of which has the column of the one before it twice.
fn doubled(levels: usize) -> String {
    format!("WITH c0 AS (SELECT duration_ns AS x FROM spans), {}", again("c0", "c", levels))
}

fn again(first: &str, name: &str, levels: usize) -> String {
    let table = |level: usize| {
        let before = if level == 1 { first.to_owned() } else { format!("{name}{}", level - 1) };
        format!("{name}{level} AS (SELECT x + x AS x FROM {before})")
    };
    (1..=levels).map(table).collect::<Vec<_>>().join(", ")
}

#[test]
fn an_approximate_percentile_has_no_more_centroids_than_it_may() {
    let stored = Stored::new();
    for call in [
        "approx_percentile_cont(x, 0.5, 10000000000000)",
        "approx_percentile_cont(0.5, 10000000000000) WITHIN GROUP (ORDER BY x)",
        "approx_percentile_cont(x, 0.5, 10000 * 1000000)",
        "approx_percentile_cont(x, 0.5, 10000000000000) OVER ()",
        "approx_percentile_cont(x, 0.5, -1)",
    ] {
        let fault = stored.fault(&format!("SELECT {call} FROM (VALUES (1.0)) t(x)"));
        assert!(fault.message.contains("centroids"), "{call}: {}", fault.message);
    }
    let most = "SELECT CAST(approx_percentile_cont(x, 0.5, 10000) AS BIGINT) FROM (VALUES (1.0)) t(x)";
    assert_eq!(stored.rows(most), [json!([1])]);
}

#[test]
fn texts_do_not_grow_by_letters_that_become_several() {
    let stored = Stored::new();
    let left = "translate(upper(".repeat(12);
    let right = "), upper('ΐ'), 'ΐΐΐ')".repeat(12);
    let tripled = format!("SELECT {left}concat(left(message, 1), 'ΐ'){right} FROM logs");
    assert!(stored.fault(&tripled).message.contains("too long"));
    assert_eq!(stored.rows("SELECT DISTINCT upper('ΐ') FROM logs"), [json!(["\u{399}\u{308}\u{301}"])]);

    // A text that is long already, and stays as long as it is.
    let long = LogEvent { message: Some("Ä".repeat(50_000)), ..log(1_000) };
    stored.open.append(Batch { events: vec![rows(&[long])], ..Batch::default() }).expect("appended");
    let longest = "SELECT max(octet_length(lower(message))) FROM logs WHERE lower(message) LIKE 'ää%'";
    assert_eq!(stored.rows(longest), [json!([100_000])]);
}

#[test]
fn planning_ends_when_nobody_waits_for_it() {
    let stored = Stored::new();
    for statement in ["SELECT count(*) FROM logs", "EXPLAIN SELECT count(*) FROM logs"] {
        let late = SqlQuery { timeout: Some(Duration::ZERO), ..SqlQuery::new(statement) };
        assert!(stored.stopped(&late).contains("took longer than"), "{statement}");
        let cancelled = SqlQuery::new(statement);
        cancelled.cancel.cancel();
        assert!(matches!(stored.answer(&cancelled), Err(SqlError::Query(QueryError::Stopped(_)))));
    }
}

#[test]
fn statements_that_would_become_too_large_are_refused_before_they_are_planned() {
    let stored = Stored::new();
    let mut common = "WITH c0 AS (SELECT * FROM logs)".to_owned();
    for level in 1..30 {
        let before = level - 1;
        common += &format!(", c{level} AS (SELECT * FROM c{before} UNION ALL SELECT * FROM c{before})");
    }
    let cases = [
        format!("{common} SELECT count(*) FROM c29"),
        format!("SELECT {}1", "1 + ".repeat(3_000)),
        format!("SELECT {}1{}", "(".repeat(400), ")".repeat(400)),
        format!("SELECT '{}'", "x".repeat(20_000)),
        format!(
            "SELECT 1 FROM {}",
            vec!["logs"; 70]
                .iter()
                .enumerate()
                .map(|(i, t)| format!("{t} t{i}"))
                .collect::<Vec<_>>()
                .join(", ")
        ),
        format!("SELECT 1{}", " UNION ALL SELECT 1".repeat(700)),
    ];
    for statement in cases {
        let fault = stored.fault(&statement);
        assert!(!fault.message.is_empty());
    }
    for (inner, left, right) in [
        ("name", "coalesce(", ", parent_span_id)"),
        ("name IS NULL", "((", ") BETWEEN false AND true)"),
        ("name", "((", " ~ 'a|b|c|d')::text)"),
    ] {
        let nested = format!("{}{inner}{}", left.repeat(14), right.repeat(14));
        let fault = stored.fault(&format!("SELECT {nested} FROM spans"));
        assert!(fault.message.contains("parts"), "{nested}: {}", fault.message);
    }
    for end in ["", " UNION ALL SELECT x FROM c29", " ORDER BY x"] {
        let chain = format!("{} SELECT x FROM c30 WHERE x > 0{end}", doubled(30));
        for statement in [format!("EXPLAIN {chain}"), chain] {
            let fault = stored.fault(&statement);
            assert!(fault.message.contains("parts"), "{statement}: {}", fault.message);
        }
    }
    let inside = format!("{} SELECT name FROM spans WHERE duration_ns IN (SELECT x FROM c30)", doubled(30));
    assert!(stored.fault(&inside).message.contains("parts"));
    // What a group is made of is not put in for it.
    let chain = format!("{} SELECT count(*) FROM c8 WHERE x > 0", doubled(8));
    assert_eq!(stored.rows(&chain), [json!([99])]);
    let summed = format!(
        "{}, s AS (SELECT sum(c8.x) AS x FROM c8 GROUP BY c8.x), {} SELECT count(*) FROM t8 WHERE x > 0",
        doubled(8),
        again("s", "t", 8)
    );
    assert_eq!(stored.rows(&summed), [json!([99])]);

    // As deep as statements may be.
    let deep = format!(
        "SELECT count(*) FROM logs WHERE {}severity_number > 0",
        "severity_number = 1 OR ".repeat(450)
    );
    assert_eq!(stored.rows(&deep), [json!([0])]);
    let sum = format!("SELECT {}1", "1 + ".repeat(900));
    assert_eq!(stored.rows(&sum), [json!([901])]);
}

#[test]
fn the_statements_of_the_documentation_are_answered() {
    let stored = Stored::new();
    let page = include_str!("../../../../docs/sql.md");
    let mut answered = 0;
    for block in page.split("```sql\n").skip(1) {
        let statements = block.split("```").next().expect("an end");
        for statement in statements.split(";\n").map(str::trim).filter(|statement| !statement.is_empty()) {
            stored.ask(statement);
            answered += 1;
        }
    }
    assert!(answered >= 10, "only {answered} statements");
}

/// What is refused or told in words of our own, and where.
#[test]
fn what_no_store_follows_is_refused_at_its_place() {
    let stored = Stored::new();
    let cases = [
        ("SELECT count(*) FROM logs PREWHERE false", Some((1, 27)), Some("WHERE"), "`PREWHERE` is not taken"),
        ("SELECT count(*) FROM logs TABLESAMPLE BERNOULLI (10)", Some((1, 27)), None, "not taken"),
        ("SELECT count(*) FROM logs SAMPLE (10)", Some((1, 27)), None, "not taken"),
        ("SELECT count(*) FROM logs SETTINGS max_threads = 1", Some((1, 27)), None, "not taken"),
        ("SELECT count(*) FROM logs FORMAT JSON", Some((1, 27)), None, "not taken"),
        ("SELECT count(*) FROM logs WITH (NOLOCK)", Some((1, 27)), None, "not taken"),
        ("SELECT count(*) FROM logs FOR UPDATE", Some((1, 27)), None, "not taken"),
        ("SELECT TOP 10 message FROM logs", Some((1, 8)), Some("LIMIT"), "not taken"),
        ("SELECT message FROM logs SORT BY message", Some((1, 26)), Some("ORDER"), "not taken"),
        ("SELECT * FROM logs PIVOT (count(message) FOR level IN ('info'))", Some((1, 20)), None, "not taken"),
        ("WITH x AS (DELETE FROM logs) SELECT * FROM x", Some((1, 12)), None, "only statements that read"),
        ("SELECT message FROM logs ORDER BY 99", Some((1, 35)), None, "to order by"),
        ("VALUES (1), (2, 3)", Some((1, 1)), None, "unlike lengths"),
        ("SELECT 1 AS a, 2 AS a", Some((1, 21)), None, "one name"),
        ("SELECT chr(99999999)", Some((1, 8)), None, ""),
        ("SELECT factorial(100)", Some((1, 8)), None, ""),
        ("SELECT to_char(now(), '%Q')", Some((1, 8)), None, "format"),
        ("SELECT message FROM logs WHERE message LIKE '%' ESCAPE ''", Some((1, 49)), None, "escapes"),
        ("SELECT [1, 2, 3]", Some((1, 8)), None, "arrays"),
        ("SELECT struct(1, 2)", Some((1, 8)), None, "structs"),
        (
            "SELECT (SELECT max(s.name) FROM spans s WHERE s.time < l.time) FROM logs l",
            Some((1, 9)),
            None,
            "join with it",
        ),
    ];
    let mut wrong = Vec::new();
    for (statement, place, suggestion, said) in cases {
        let fault = stored.fault(statement);
        let found = fault.position.map(|Position { line, column }| (line, column));
        if (found, fault.suggestion.as_deref()) != (place, suggestion) || !fault.message.contains(said) {
            wrong.push(format!("{statement}: {fault:?}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    if let Err(SqlError::Statement(fault)) = stored.answer(&SqlQuery::new("SHOW FUNCTIONS")) {
        assert!(fault.position.is_none_or(|place| place.line == 1 && place.column < 15), "{fault:?}");
    }
}
