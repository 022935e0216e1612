//! Numbers that are made of attributes: they are the same, and the same are errors, whether attributes have columns of
//! their own in files, as numbers or as texts, stand in maps there, or are in memory.

use std::sync::Arc;

use model::Timestamp;
use model::event::{Attributes, Level, LogEvent};
use serde_json::Value;
use store::{Batch, EventBatch, Row, SqlQuery, Table, TelemetryStore};
use tabular::{AnswerFormat, AnswerWriter};

use crate::fixture::{Open, Place, T0};

const LOGS: i64 = 2_400;
/// Texts of which floats can be made, but that would not come back of numbers.
const ODD: [&str; 10] =
    ["1e3", "-0", "1.50", "99999999999999999999", "NaN", "-inf", " 7 ", "1e400", "+5", "9007199254740993"];

fn attributes(number: i64) -> Attributes {
    let place = usize::try_from(number / 20).expect("no number is negative") % ODD.len();
    let mut attributes = Attributes::from([
        // A column of numbers.
        ("ms".to_owned(), ((number * 7_919 % 10_007 - 99) as f64 / 8.0).to_string()),
        // One of whole numbers, as large as they get.
        ("count".to_owned(), (number * 3_752_999_689_475 - 9_007_199_254_740_992).to_string()),
        // One of numbers always with two digits behind the point.
        ("fixed".to_owned(), format!("{:.2}", number as f64 / 100.0)),
        // One of numbers, with others in maps.
        ("odd".to_owned(), if number % 20 == 7 { ODD[place].to_owned() } else { format!("{number}.5") }),
        // The same with some that are none.
        ("wrong".to_owned(), if number % 20 == 7 { "abc".to_owned() } else { number.to_string() }),
        // One of texts that are numbers.
        ("same".to_owned(), (number % 3).to_string()),
        ("name".to_owned(), format!("name {}", number % 7)),
    ]);
    if number % 40 == 0 {
        attributes.insert("rare".to_owned(), number.to_string());
    }
    if number % 5 == 0 {
        attributes.remove("ms");
    }
    attributes
}

fn log(number: i64) -> LogEvent {
    LogEvent {
        level: Some(if number % 20 == 7 { Level::Error } else { Level::Info }),
        message: Some(format!("request {number}")),
        attributes: attributes(number),
        ..LogEvent::new(Timestamp::from_millis(T0 + number * 1_000), Arc::default())
    }
}

fn append(open: &Open, numbers: std::ops::Range<i64>) {
    let logs: Vec<LogEvent> = numbers.map(log).collect();
    let events = vec![EventBatch { table: Table::Logs, rows: LogEvent::to_batch(&logs).expect("rows") }];
    open.append(Batch { events, ..Batch::default() }).expect("appended");
}

/// The rows of an answer, or what is wrong.
fn ask(open: &Open, statement: &str) -> Result<Vec<Value>, String> {
    let mut answer = AnswerWriter::new(AnswerFormat::Json, Vec::new());
    let summary =
        open.engine.sql(&SqlQuery::new(statement), &mut answer).map_err(|error| format!("{error:?}"))?;
    let text = answer.finish(&summary).expect("written");
    let mut read: Value = serde_json::from_slice(&text).expect("JSON");
    let Value::Array(rows) = read["rows"].take() else { panic!("rows: {read}") };
    Ok(rows)
}

/// Statements of which it does not matter in which order rows are read.
const STATEMENTS: &[&str] = &[
    "SELECT level, count(*) AS n, percentile_cont(0.95) WITHIN GROUP \
     (ORDER BY CAST(attributes['ms'] AS DOUBLE)) AS p95 FROM logs GROUP BY level ORDER BY n DESC",
    "SELECT min(CAST(attributes['count'] AS BIGINT)), max(attributes['count']::bigint), \
     count(CAST(attributes['count'] AS BIGINT)) FROM logs",
    "SELECT sum(CAST(attributes['same'] AS BIGINT)) AS a, avg(CAST(attributes['same'] AS DOUBLE)) AS b FROM logs",
    "SELECT count(*), count(DISTINCT attributes['ms']::double) FROM logs WHERE attributes['ms']::double > 600.125",
    "SELECT TRY_CAST(attributes['wrong'] AS DOUBLE) AS x, count(*) FROM logs GROUP BY 1 ORDER BY 1 LIMIT 50",
    "SELECT CAST(attributes['ms'] AS DOUBLE) AS x, count(*) FROM logs \
     GROUP BY ROLLUP(CAST(attributes['ms'] AS DOUBLE)) ORDER BY 1, 2",
    "SELECT level, CAST(attributes['ms'] AS DOUBLE) AS x, count(*) FROM logs \
     GROUP BY level, CUBE(CAST(attributes['ms'] AS DOUBLE), attributes['name']) ORDER BY 1, 2, 3 LIMIT 90",
    "SELECT TRY_CAST(attributes['wrong'] AS BIGINT) AS x, count(*) FROM logs \
     GROUP BY GROUPING SETS ((TRY_CAST(attributes['wrong'] AS BIGINT)), ()) ORDER BY 1, 2",
    "SELECT sum(CAST(attributes['wrong'] AS DOUBLE)) FROM logs",
    "SELECT sum(CAST(attributes['ms'] AS BIGINT)) FROM logs",
    "SELECT count(TRY_CAST(attributes['ms'] AS BIGINT)), sum(TRY_CAST(attributes['ms'] AS BIGINT)) FROM logs",
    "SELECT count(TRY_CAST(attributes['odd'] AS BIGINT)), max(TRY_CAST(attributes['odd'] AS BIGINT)) FROM logs",
    "SELECT max(CAST(attributes['rare'] AS DOUBLE)), max(CAST(attributes['none'] AS DOUBLE)) FROM logs",
    "SELECT max(CAST(attributes['name'] AS DOUBLE)) FROM logs",
    // A text that is no number is no error where nobody makes one of it.
    "SELECT sum(CASE WHEN lower(level) = 'info' THEN CAST(attributes['wrong'] AS BIGINT) END) FROM logs",
    "SELECT sum(CAST(attributes['wrong'] AS DOUBLE)) FROM logs WHERE lower(level) = 'info'",
    "SELECT sum(x) FROM (SELECT CAST(attributes['wrong'] AS DOUBLE) AS x, level FROM logs) AS t \
     WHERE lower(level) = 'info'",
    // As texts and as numbers of one type or two.
    "SELECT max(attributes['ms']) AS a, min(CAST(attributes['ms'] AS DOUBLE)) AS b FROM logs",
    "SELECT max(CAST(attributes['count'] AS DOUBLE)) AS a, min(CAST(attributes['count'] AS BIGINT)) AS b FROM logs",
    "SELECT f, n FROM (SELECT attributes['fixed'] AS f, count(*) AS n FROM logs GROUP BY 1) AS t \
     ORDER BY CAST(f AS DOUBLE) LIMIT 20",
    "SELECT attributes['same'] AS s, max(CAST(attributes['fixed'] AS DOUBLE)) AS m FROM logs GROUP BY 1 ORDER BY 1",
    "SELECT CAST(a['ms'] AS DOUBLE) AS x FROM (SELECT attributes AS a, time FROM logs \
     UNION ALL SELECT attributes AS a, time FROM spans) AS t ORDER BY time LIMIT 20",
    "SELECT CAST(x AS DOUBLE) AS y FROM (SELECT attributes['ms'] AS x, time FROM logs \
     UNION ALL SELECT name AS x, time FROM spans) AS t ORDER BY time LIMIT 20",
    "SELECT count(*), sum(CAST(b.x AS DOUBLE)) FROM logs a LEFT JOIN \
     (SELECT time, attributes['ms'] AS x FROM logs WHERE level = 'error') AS b ON a.time = b.time",
    "SELECT lag(CAST(attributes['ms'] AS DOUBLE)) OVER (ORDER BY time) AS before FROM logs ORDER BY time LIMIT 20",
    "SELECT CAST(attributes['ms'] AS REAL) AS x, CAST(attributes['ms'] AS INT) AS y FROM logs WHERE attributes['ms'] = '12'",
    "SELECT time FROM logs WHERE attributes['ms'] = '1.125' AND CAST(attributes['ms'] AS DOUBLE) < 2 ORDER BY time",
    "SELECT count(*) FROM logs WHERE attributes['odd']::double IS NULL OR attributes['odd'] IS NULL",
    "SELECT attributes FROM logs ORDER BY time LIMIT 9",
    "SELECT CAST(attributes['ms'] AS DOUBLE) AS x, attributes FROM logs ORDER BY time LIMIT 9",
    "SELECT * FROM logs ORDER BY time DESC LIMIT 9",
];

/// Each number of each attribute, and the same of texts of which nobody knows that they are attributes.
fn of_each_row() -> impl Iterator<Item = [String; 2]> {
    ["ms", "count", "fixed", "odd", "wrong", "same", "name", "rare", "none"].into_iter().flat_map(|name| {
        ["DOUBLE", "BIGINT"].into_iter().flat_map(move |number| {
            ["CAST", "TRY_CAST"].map(|cast| {
                [format!("attributes['{name}']"), format!("nullif(attributes['{name}'], 'nothing')")]
                    .map(|text| format!("SELECT {cast}({text} AS {number}) AS x FROM logs ORDER BY time"))
            })
        })
    })
}

#[test]
fn numbers_of_attributes_are_those_of_their_texts() {
    let places = [(); 3].map(|()| Place::new());
    let [memory, files, both] = [0, 1, 2].map(|place| places[place].open());
    append(&memory, 0..LOGS);
    for numbers in [0..LOGS / 2, LOGS / 2..LOGS] {
        append(&files, numbers);
        files.engine.checkpoint().expect("written");
    }
    append(&both, 0..LOGS / 2);
    both.engine.checkpoint().expect("written");
    append(&both, LOGS / 2..LOGS);

    let (mut answers, mut faults) = (0, 0);
    let of_rows = of_each_row().map(|[of_attributes, of_texts]| {
        let (expected, texts) = (ask(&memory, &of_attributes), ask(&memory, &of_texts));
        assert_eq!(expected.as_ref().ok(), texts.as_ref().ok(), "{of_texts}");
        of_attributes
    });
    for statement in STATEMENTS.iter().map(|statement| (*statement).to_owned()).chain(of_rows) {
        let expected = ask(&memory, &statement);
        match &expected {
            Ok(rows) => answers += usize::from(!rows.is_empty()),
            Err(fault) => {
                assert!(
                    fault.contains("number") || fault.contains("Cast") || fault.contains("cast"),
                    "{fault}"
                );
                faults += 1;
            }
        }
        assert_eq!(ask(&files, &statement), expected, "{statement}");
        assert_eq!(ask(&both, &statement), expected, "{statement}, of which a part is in memory");
    }
    assert!(answers > 40 && faults > 8, "{answers} answers, {faults} faults");
    assert!(files.engine.compact_days(Timestamp::now()).expect("merged") > 0);
    for statement in STATEMENTS {
        assert_eq!(ask(&files, statement), ask(&memory, statement), "{statement}, merged");
    }
}

/// The plan that is carried out.
fn plan(open: &Open, statement: &str) -> String {
    let rows = ask(open, &format!("EXPLAIN {statement}")).expect("a plan");
    let physical = rows.iter().find(|row| row[0] == "physical_plan").expect("the plan that is carried out");
    physical[1].as_str().expect("a text").to_owned()
}

#[test]
fn attributes_are_columns_of_scans_and_numbers_where_nothing_else_is_done_with_them() {
    let place = Place::new();
    let open = place.open();
    append(&open, 0..LOGS);
    open.engine.checkpoint().expect("written");
    let cases = [
        ("SELECT CAST(attributes['ms'] AS DOUBLE) AS x FROM logs", true),
        ("SELECT TRY_CAST(attributes['ms'] AS BIGINT) AS x FROM logs", true),
        ("SELECT time FROM logs WHERE attributes['ms']::double > 5", true),
        ("SELECT x::double AS y FROM (SELECT attributes['ms'] AS x FROM logs LIMIT 5) AS t", true),
        ("SELECT attributes['ms'] AS x FROM logs", false),
        ("SELECT attributes['ms'] AS x, attributes['ms']::double AS y FROM logs", false),
        ("SELECT attributes['ms']::bigint AS x, attributes['ms']::double AS y FROM logs", false),
        ("SELECT attributes['ms']::real AS x FROM logs", false),
        ("SELECT attributes['name'] AS x, count(*) FROM logs GROUP BY 1", false),
    ];
    for (statement, are_numbers) in cases {
        let plan = plan(&open, statement);
        assert!(!plan.contains("get_field") && plan.contains("entries=Entries"), "{statement}: {plan}");
        assert_eq!(plan.contains("read_number("), are_numbers, "{statement}: {plan}");
    }
    let aggregate = "SELECT level, approx_percentile_cont(0.95) WITHIN GROUP \
                     (ORDER BY CAST(attributes['ms'] AS DOUBLE)) AS p95 FROM logs GROUP BY level";
    let of_aggregate = plan(&open, aggregate);
    // The name of what comes out has the words of the statement.
    assert!(!of_aggregate.contains("get_field(attributes"), "{of_aggregate}");
    assert!(of_aggregate.contains("read_number(attributes.ms"), "{of_aggregate}");
    for statement in ["SELECT attributes['ms'] AS x, attributes FROM logs", "SELECT attributes FROM logs"] {
        let plan = plan(&open, statement);
        assert!(!plan.contains("attributes.ms"), "{statement}: {plan}");
    }
}
