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
fn each_limit_is_named_with_how_to_narrow_the_query_when_it_is_reached() {
    const HELD: &str =
        "(promql.max_held_samples); aggregate, ask for fewer series, a shorter range or a larger step";
    let held = || Limits { max_held_samples: 999, ..Limits::default() };
    let cases = [
        (
            Limits { max_samples: 999, ..Limits::default() },
            "sum(m)",
            "(promql.max_samples); add matchers or ask for a shorter range",
            ErrorKind::Execution,
        ),
        (held(), "m", HELD, ErrorKind::Execution),
        (held(), "sum_over_time(vector(1)[1d:1ms])", HELD, ErrorKind::Execution),
        (
            Limits { max_series: 9, ..Limits::default() },
            "sum(m)",
            "(promql.max_series); add matchers",
            ErrorKind::Execution,
        ),
        (
            Limits { max_steps: 99, ..Limits::default() },
            "sum(m)",
            "(promql.max_steps); ask for a larger step or a shorter range",
            ErrorKind::BadData,
        ),
    ];
    for (limits, query, advice, kind) in cases {
        let error = range(&engine(limits), query, Duration::from_secs(1)).expect_err(query);
        assert!(error.to_string().ends_with(advice), "{query}: {error}");
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
    let advice = "(promql.timeout); ask for a shorter range, a larger step or fewer series";
    assert!(error.to_string().ends_with(advice), "{error}");
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

/// Ten series, each with a label of as many bytes.
fn with_long_labels(bytes: usize, limits: Limits) -> Engine {
    let store = MemoryStore::default();
    for series in 0..10 {
        let (number, long) = (series.to_string(), format!("{series}{}", "x".repeat(bytes)));
        store.insert(&Labels::metric("m", &[("n", &number), ("long", &long)]), 0, f64::from(series));
    }
    Engine::new(Arc::new(store), limits).without_cache()
}

fn instant(engine: &Engine, query: &str) -> Result<Value, Error> {
    let query = Query::parse(query).expect("valid");
    engine.instant(&query, Timestamp::from_millis(0), &Cancel::never()).map(|output| output.value)
}

#[test]
fn labels_that_are_kept_count() {
    // Ten sets of labels take ten thousand values, of which an argument of `info` is kept in any case.
    let cases = [
        (r#"count(m and m{n=~".+"})"#, 5_000),
        (r#"count(m unless on (long) m{n="none"} or m{n=~".+"})"#, 5_000),
        (r#"count(label_replace(m, "a", "b", "", ""))"#, 5_000),
        ("count(m * on () group_left () vector(1))", 5_000),
        ("count(quantile by (n) (0.5, m))", 5_000),
        ("count(info(m))", 15_000),
    ];
    for (query, max_held_samples) in cases {
        let limits = Limits { max_held_samples, ..Limits::default() };
        let short = instant(&with_long_labels(8, limits.clone()), query).expect(query);
        assert!(matches!(short, Value::Vector(samples) if samples.len() == 1), "{query}");
        let refused = instant(&with_long_labels(8_000, limits), query).expect_err(query);
        assert_eq!(refused.kind(), ErrorKind::Execution, "{query}");
        assert!(refused.to_string().contains("max_held_samples"), "{query}: {refused}");
    }
}

#[test]
fn a_label_is_refused_before_it_is_longer_than_any_can_be() {
    let engine = with_long_labels(60_000, Limits::default());
    let sources = r#", "long""#.repeat(500);
    let cases = [
        (format!(r#"label_replace(m, "a", "{}", "long", "(.*)")"#, "$1".repeat(30_000)), "label_replace()"),
        (r#"label_replace(m, "a", "$1$long", "long", "(?P<long>.*)")"#.to_owned(), "label_replace()"),
        (format!(r#"label_join(m, "a", "-"{sources})"#), "label_join()"),
    ];
    for (query, function) in cases {
        let refused = instant(&engine, &query).expect_err(function);
        assert_eq!(refused.kind(), ErrorKind::Execution);
        let said = refused.to_string();
        assert!(said.contains(function) && said.contains("more than 65535 bytes"), "{said}");
    }
    let whole = r#"label_replace(m, "a", "$1", "long", "(.*)")"#;
    assert!(matches!(instant(&engine, whole), Ok(Value::Vector(samples)) if samples.len() == 10));
}
