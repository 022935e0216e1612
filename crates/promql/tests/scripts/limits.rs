//! What a query may cost, and how it is stopped.

use std::sync::Arc;
use std::time::Duration;

use model::{DurationText, Labels, Timestamp};
use promql::{Cancel, Engine, Error, ErrorKind, Limits, Query, Value};

use crate::memory::MemoryStore;

fn engine(limits: Limits) -> Engine {
    let store = MemoryStore::default();
    for series in 0..10 {
        for sample in 0..100 {
            store.insert(&Labels::metric("m", &[("n", &series.to_string())]), sample * 1000, sample as f64);
        }
    }
    Engine::new(Arc::new(store), limits)
}

fn range(engine: &Engine, query: &str, step: Duration) -> Result<Value, Error> {
    let query = Query::parse(query).expect("valid");
    let (start, end) = (Timestamp::from_millis(0), Timestamp::from_millis(99_000));
    engine.range(&query, start, end, step, &Cancel::never()).map(|output| output.value)
}

#[test]
fn each_limit_is_named_when_it_is_reached() {
    let second = Duration::from_secs(1);
    let cases = [
        (Limits { max_samples: 999, ..Limits::default() }, "sum(m)", "max_samples", ErrorKind::Execution),
        (
            Limits { max_held_samples: 999, ..Limits::default() },
            "m",
            "max_held_samples",
            ErrorKind::Execution,
        ),
        (
            Limits { max_held_samples: 999, ..Limits::default() },
            "sum_over_time(vector(1)[1d:1ms])",
            "max_held_samples",
            ErrorKind::Execution,
        ),
        (Limits { max_series: 9, ..Limits::default() }, "sum(m)", "max_series", ErrorKind::Execution),
        (Limits { max_steps: 99, ..Limits::default() }, "sum(m)", "max_steps", ErrorKind::BadData),
    ];
    for (limits, query, name, kind) in cases {
        let error = range(&engine(limits), query, second).expect_err(query);
        assert!(error.to_string().contains(name), "{error}");
        assert_eq!(error.kind(), kind, "{error}");
    }
}

#[test]
fn an_answer_counts_until_it_is_dropped_and_a_copy_of_it_does_not() {
    let engine = engine(Limits { max_held_samples: 3000, ..Limits::default() }).without_cache();
    let query = Query::parse("m").expect("valid");
    let ask = |engine: &Engine| {
        let (start, end) = (Timestamp::from_millis(0), Timestamp::from_millis(99_000));
        engine.range(&query, start, end, Duration::from_secs(1), &Cancel::never())
    };
    let answers = [ask(&engine), ask(&engine)].map(|answer| answer.expect("there is room for two"));
    let refused = ask(&engine).expect_err("there is none for a third").to_string();
    assert!(refused.contains("all queries together") && refused.contains("ask again"), "{refused}");
    let copies = answers.clone();
    drop(answers);
    assert_eq!(ask(&engine).expect("there is room again").value, copies[0].value);
}

#[test]
fn memory_grows_with_groups_and_not_with_series() {
    let limits = Limits { max_held_samples: 700, ..Limits::default() };
    let value = range(&engine(limits), "sum(rate(m[10s]) * 2)", Duration::from_secs(1)).expect("fits");
    assert!(matches!(value, Value::Matrix(series) if series.len() == 1));
}

#[test]
fn a_query_ends_when_it_is_cancelled_or_late() {
    let (cancel, query) = (Cancel::new(), Query::parse("m").expect("valid"));
    cancel.cancel();
    let error = engine(Limits::default()).instant(&query, Timestamp::from_millis(0), &cancel);
    assert_eq!(error.expect_err("cancelled").kind(), ErrorKind::Canceled);
    let late = engine(Limits { timeout: DurationText(Duration::ZERO), ..Limits::default() });
    let error = late.instant(&query, Timestamp::from_millis(0), &Cancel::never()).expect_err("late");
    assert_eq!(error.kind(), ErrorKind::Timeout);
}

#[test]
fn a_query_as_deep_as_is_read_is_evaluated() {
    let engine = engine(Limits::default());
    let sum = format!("{}m", "m + ".repeat(190));
    let nested = format!("{}m{}", "abs(".repeat(95), ")".repeat(95));
    for query in [sum, nested, format!("{}m", "m or ".repeat(190)), format!("{}1", "1 + ".repeat(190))] {
        let value = range(&engine, &query, Duration::from_secs(10)).expect("evaluates");
        assert!(matches!(value, Value::Matrix(series) if !series.is_empty()));
    }
}

#[test]
fn times_that_make_no_range_are_refused() {
    let (engine, query) = (engine(Limits::default()), Query::parse("m").expect("valid"));
    let (early, late) = (Timestamp::from_millis(0), Timestamp::from_millis(1000));
    for (start, end, step) in [(late, early, Duration::from_secs(1)), (early, late, Duration::ZERO)] {
        let error = engine.range(&query, start, end, step, &Cancel::never()).expect_err("no range");
        assert_eq!(error.kind(), ErrorKind::BadData);
    }
}
