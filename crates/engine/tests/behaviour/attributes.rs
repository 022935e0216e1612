//! Statements over attributes that have columns of their own in files: they answer what they answer of rows in memory,
//! and read no more of them than they look at.

use std::collections::BTreeSet;
use std::sync::Arc;

use arrow::array::{Array, AsArray};
use model::event::{Attributes, Level, LogEvent, Origin, SpanEvent};
use model::{TimeRange, Timestamp};
use serde_json::Value;
use store::{Batch, Cancel, Entries, EventBatch, EventPass, Row, SqlQuery, Table, TelemetryStore};
use tabular::{AnswerFormat, AnswerWriter};

use crate::fixture::{Open, Place, T0};

const LOGS: i64 = 2_400;
const SPANS: i64 = 2_200;

fn attributes(number: i64) -> Attributes {
    let mut attributes = Attributes::from([
        ("duration_ms".to_owned(), ((number * 7_919 % 10_007) as f64 / 8.0).to_string()),
        ("shard".to_owned(), (number % 4).to_string()),
        ("user".to_owned(), format!("user {}", number % 7)),
    ]);
    if number % 9 == 0 {
        attributes.insert("rare".to_owned(), format!("rare {number}"));
    }
    if number % 5 == 0 {
        attributes.remove("shard");
    }
    attributes
}

fn log(number: i64) -> LogEvent {
    let origin = Arc::new(Origin {
        service: Some(format!("svc-{}", number % 3)),
        resource_attributes: Attributes::from([("node".to_owned(), format!("node {}", number % 2))]),
        ..Origin::default()
    });
    LogEvent {
        level: Some(if number % 10 == 0 { Level::Error } else { Level::Info }),
        message: Some(format!("request {number}")),
        attributes: attributes(number),
        ..LogEvent::new(Timestamp::from_millis(T0 + number * 1_000), origin)
    }
}

fn span(number: i64) -> SpanEvent {
    let time = Timestamp::from_millis(T0 + number * 1_000);
    SpanEvent {
        name: "work".to_owned(),
        attributes: attributes(number),
        ..SpanEvent::new(time, format!("{number:032x}"), format!("{number:016x}"), Arc::default())
    }
}

fn rows<R: Row>(rows: &[R]) -> EventBatch {
    EventBatch { table: R::TABLE, rows: R::to_batch(rows).expect("rows") }
}

/// A store with records of logs and spans, in two parts; what becomes of each is said.
fn filled(place: &Place, each: impl Fn(&Open)) -> Open {
    let open = place.open();
    let (logs, spans): (Vec<_>, Vec<_>) = ((0..LOGS).map(log).collect(), (0..SPANS).map(span).collect());
    for (logs, spans) in logs.chunks(logs.len() / 2).zip(spans.chunks(spans.len() / 2)) {
        let events = vec![rows(logs), rows(spans)];
        open.append(Batch { events, ..Batch::default() }).expect("appended");
        each(&open);
    }
    open
}

/// The same in files and in memory.
fn both(of_files: &Place, of_memory: &Place) -> (Open, Open) {
    let files = filled(of_files, |open| open.engine.checkpoint().expect("written"));
    (files, filled(of_memory, |_| {}))
}

fn ask(open: &Open, statement: &str) -> Vec<Value> {
    let mut answer = AnswerWriter::new(AnswerFormat::Json, Vec::new());
    let summary = open.engine.sql(&SqlQuery::new(statement), &mut answer);
    let summary = summary.unwrap_or_else(|error| panic!("{statement}: {error:?}"));
    let text = answer.finish(&summary).expect("written");
    let mut read: Value = serde_json::from_slice(&text).expect("JSON");
    let Value::Array(rows) = read["rows"].take() else { panic!("rows: {read}") };
    rows
}

/// Statements, and whether their scans read some entries of maps alone.
const STATEMENTS: &[(&str, bool)] = &[
    (
        "SELECT service, count(*), max(CAST(attributes['duration_ms'] AS DOUBLE)) FROM logs \
         WHERE level IN ('error', 'fatal') GROUP BY service ORDER BY service",
        true,
    ),
    ("SELECT attributes['shard'] AS s, count(*) FROM logs GROUP BY 1 ORDER BY 1", true),
    ("SELECT attributes['rare'], attributes['none'] FROM logs ORDER BY time LIMIT 20", true),
    ("SELECT resource_attributes['node'], attributes['user'] FROM logs ORDER BY time LIMIT 5", true),
    ("SELECT DISTINCT attributes['user'] FROM logs ORDER BY 1", true),
    ("SELECT count(DISTINCT attributes['duration_ms']) FROM logs", true),
    ("SELECT time FROM logs WHERE CAST(attributes['duration_ms'] AS DOUBLE) > 1240 ORDER BY time", true),
    (
        "SELECT a['shard'] AS s, count(*) FROM (SELECT attributes AS a, level FROM logs) AS t GROUP BY 1 ORDER BY 1",
        true,
    ),
    (
        "WITH t AS (SELECT time, attributes AS a FROM logs) SELECT a['user'] FROM t ORDER BY time LIMIT 5",
        true,
    ),
    (
        "SELECT a['shard'] AS s, count(*) FROM \
         (SELECT attributes AS a FROM logs UNION ALL SELECT attributes AS a FROM spans) AS t GROUP BY 1 ORDER BY 1",
        true,
    ),
    (
        "SELECT a['user'] AS u, b['rare'] AS r FROM (SELECT time, attributes AS a FROM logs) AS l \
         LEFT JOIN (SELECT time AS t, attributes AS b FROM spans) AS s ON l.time = s.t ORDER BY l.time LIMIT 20",
        true,
    ),
    ("SELECT lag(attributes['user']) OVER (ORDER BY time) AS earlier FROM logs ORDER BY time LIMIT 9", true),
    (
        "SELECT a['user'] AS u, n FROM (SELECT attributes AS a, time, \
         row_number() OVER (PARTITION BY service ORDER BY time) AS n FROM logs) AS t ORDER BY time LIMIT 9",
        true,
    ),
    // What follows looks at whole maps, at none, or at what is told by conditions alone.
    ("SELECT count(*) FROM logs WHERE attributes['shard'] = '2'", false),
    (
        "SELECT count(*) FROM logs WHERE attributes['duration_ms'] = '12.5' OR attributes['rare'] IS NOT NULL",
        false,
    ),
    ("SELECT * FROM logs ORDER BY time LIMIT 3", false),
    ("SELECT attributes FROM logs ORDER BY time LIMIT 12", false),
    ("SELECT attributes['shard'], attributes FROM logs ORDER BY time LIMIT 12", false),
    (
        "SELECT a['shard'], t.* FROM (SELECT time, attributes AS a FROM logs) AS t ORDER BY time LIMIT 12",
        false,
    ),
    (
        "SELECT a['shard'] AS s, b FROM (SELECT time, attributes AS a, resource_attributes AS b FROM logs) AS t \
         ORDER BY time LIMIT 12",
        true,
    ),
    (
        "SELECT attributes FROM logs UNION ALL SELECT attributes FROM spans WHERE time < '2000-01-01T00:00:00Z' \
         LIMIT 2400",
        false,
    ),
];

#[test]
fn statements_answer_the_same_of_files_and_look_at_no_more_than_they_say() {
    let (of_files, of_memory) = (Place::new(), Place::new());
    let (files, memory) = both(&of_files, &of_memory);
    for (statement, are_some) in STATEMENTS {
        let expected = ask(&memory, statement);
        assert!(!expected.is_empty(), "{statement}");
        assert_eq!(ask(&files, statement), expected, "{statement}");
        let plan = Value::Array(ask(&files, &format!("EXPLAIN {statement}"))).to_string();
        assert_eq!(plan.contains("entries=Entries"), *are_some, "{statement}: {plan}");
    }
    assert_eq!(files.engine.compact_days(Timestamp::now()).expect("merged"), 4);
    for (statement, _) in STATEMENTS {
        assert_eq!(ask(&files, statement), ask(&memory, statement), "{statement}, merged");
    }
}

#[test]
fn what_is_asked_within_another_statement_is_answered_the_same() {
    let (of_files, of_memory) = (Place::new(), Place::new());
    let (files, memory) = both(&of_files, &of_memory);
    for statement in [
        "SELECT attributes['user'] FROM logs WHERE time = (SELECT max(time) FROM logs WHERE attributes['shard'] = '1')",
        "SELECT count(*) FROM logs WHERE attributes['user'] IN (SELECT attributes['user'] FROM spans WHERE name = 'work')",
        "SELECT count(*) FROM logs l WHERE EXISTS (SELECT 1 FROM spans s WHERE s.time = l.time)",
    ] {
        assert_eq!(ask(&files, statement), ask(&memory, statement), "{statement}");
    }
}

/// Of each record those of these attributes that it has.
fn looked_at(open: &Open, names: &[&str]) -> Vec<Vec<(String, String)>> {
    let names: BTreeSet<String> = names.iter().map(|name| (*name).to_owned()).collect();
    let pass = EventPass {
        table: Table::Logs,
        range: TimeRange::ALL,
        filters: Vec::new(),
        columns: (&["attributes"]).into(),
        entries: Entries::all().only("attributes", names.clone()),
        cancel: Cancel::never(),
    };
    let mut found = Vec::new();
    let passed = open.engine.each_batch(&pass, &mut |rows| {
        let maps = rows.column_by_name("attributes").expect("the column that was asked for").as_map();
        for row in 0..rows.num_rows() {
            let entries = maps.value(row);
            let (keys, values) = (entries.column(0).as_string::<i32>(), entries.column(1).as_string::<i32>());
            let all =
                (0..keys.len()).map(|entry| (keys.value(entry).to_owned(), values.value(entry).to_owned()));
            found.push(all.filter(|(name, _)| names.contains(name)).collect());
        }
        Ok(())
    });
    passed.expect("a pass");
    found
}

#[test]
fn a_pass_gets_the_attributes_that_it_looks_at() {
    let (of_files, of_memory) = (Place::new(), Place::new());
    let (files, memory) = both(&of_files, &of_memory);
    for names in [&["duration_ms"][..], &["shard", "rare"], &["user", "none"], &["none"]] {
        let expected = looked_at(&memory, names);
        assert_eq!(expected.len() as i64, LOGS);
        assert_eq!(looked_at(&files, names), expected, "{names:?}");
    }
}
