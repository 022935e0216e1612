//! What is evaluated once, and what is told about it.

use std::sync::Arc;
use std::time::Duration;

use model::{Labels, Timestamp};
use promql::{Cancel, Engine, Error, ExplainedPart, Explanation, Limits, Query, Value};

use crate::memory::MemoryStore;

/// Ten series of each of two metrics, with a sample a second.
fn store() -> Arc<MemoryStore> {
    let store = MemoryStore::default();
    for name in ["a", "b"] {
        for series in 0..10 {
            let labels = Labels::metric(name, &[("n", &series.to_string())]);
            for sample in 0..100 {
                store.insert(&labels, sample * 1000, (sample * (series + 1)) as f64);
            }
        }
    }
    Arc::new(store)
}

fn engine(store: &Arc<MemoryStore>, limits: Limits) -> Engine {
    Engine::new(Arc::<MemoryStore>::clone(store), limits).without_cache()
}

fn range(engine: &Engine, query: &str) -> Result<Value, Error> {
    let query = Query::parse(query).expect("valid");
    let (start, end) = (Timestamp::from_millis(50_000), Timestamp::from_millis(99_000));
    engine.range(&query, start, end, Duration::from_secs(1), &Cancel::never()).map(|output| output.value)
}

fn explained(engine: &Engine, query: &str) -> Explanation {
    let query = Query::parse(query).expect("valid");
    let (start, end) = (Timestamp::from_millis(50_000), Timestamp::from_millis(99_000));
    engine.explain_range(&query, start, end, Duration::from_secs(1), &Cancel::never()).expect("evaluates")
}

#[test]
fn what_a_query_has_more_than_once_is_read_once() {
    let store = store();
    let engine = engine(&store, Limits::default());
    let cases = [
        ("a / (a + b)", 2),
        ("sum(a) / (sum(a) + sum(b))", 2),
        ("sum(rate(a[10s])) - sum (rate( a[10s] )) # the same", 1),
        (r#"a{n="1",n!="2"} + a{n!="2",n="1"}"#, 1),
        ("a + b + (a + b) + a", 2),
        ("max_over_time(sum(a)[5s:1s]) + min_over_time(sum(a)[5s:1s])", 1),
        ("max_over_time(sum(a)[5s:1s]) + sum(a)", 2),
        ("sum(a) + sum(a offset 1s)", 2),
        ("sum(a) + avg(a)", 1),
        ("rate(a[10s]) + increase(a[10s])", 2),
    ];
    for (query, reads) in cases {
        store.take_reads();
        range(&engine, query).expect(query);
        assert_eq!(store.take_reads(), reads, "{query}");
    }
}

#[test]
fn sharing_changes_no_answer() {
    let store = store();
    let whole = engine(&store, Limits::default());
    // So little room that nothing is kept for a second time.
    let none = engine(&store, Limits { max_held_samples: 1600, ..Limits::default() });
    for query in ["sum(a > 5) / (sum(a > 5) + sum(b))", "sum(a * 2) - sum(max by (n) (a * 2))"] {
        store.take_reads();
        let shared = range(&whole, query).expect(query);
        let shared_reads = store.take_reads();
        assert_eq!(range(&none, query).expect(query), shared, "{query}");
        assert!(store.take_reads() >= shared_reads);
    }
    assert_eq!(range(&none, "sum(a) + avg(a)").ok(), range(&whole, "sum(a) + avg(a)").ok());
    store.take_reads();
    range(&none, "sum(a) + avg(a)").expect("it has room for what it needs");
    assert_eq!(store.take_reads(), 2, "a result that is too large is not kept");
}

#[test]
fn what_is_the_same_at_every_step_is_evaluated_at_one() {
    let store = store();
    let engine = engine(&store, Limits::default());
    for (query, plain) in [
        ("sum(a @ 70)", "sum(a offset 0s)"),
        ("a - on (n) group_left () topk(1, max_over_time(b[10s] @ end()))", "a"),
        ("scalar(sum(a @ 70)) + b", "b"),
    ] {
        let value = range(&engine, query).expect(query);
        let Value::Matrix(series) = value else { panic!("{query}") };
        let full = series.iter().all(|series| series.samples.len() == 50);
        assert!(full && !series.is_empty(), "{query} has a value at every step, as {plain} has");
    }
    let part = &explained(&engine, "sum(a @ 70) + sum(b)").plan[0];
    let [fixed, moving] = &part.children[..] else { panic!("{part:?}") };
    assert!(fixed.once && !moving.once, "{part:?}");
    assert_eq!((fixed.children[0].series, fixed.children[0].samples), (10, 10), "one step of each series");
    assert_eq!((moving.children[0].series, moving.children[0].samples), (10, 500));
    assert_eq!((fixed.series, fixed.samples), (1, 50));
    let Value::Matrix(series) = range(&engine, "sum(a @ 70)").expect("evaluates") else { panic!() };
    assert!(series[0].samples.iter().all(|sample| sample.value == 70.0 * 55.0));
}

#[test]
fn what_looks_at_the_step_is_evaluated_at_each() {
    let engine = engine(&store(), Limits::default());
    for query in ["predict_linear(a[10s] @ 70, 5)", "timestamp(a @ 70 + 0)", "a @ 70 * time()"] {
        let Value::Matrix(series) = range(&engine, query).expect(query) else { panic!("{query}") };
        let samples = &series[series.len() - 1].samples;
        assert_ne!(samples[0].value, samples[1].value, "{query}");
    }
}

#[test]
fn calculations_of_numbers_are_done_before_anything_is_read() {
    let store = store();
    let engine = engine(&store, Limits::default());
    let part = &explained(&engine, "a > 2 * (3 + 4) - 1").plan[0];
    // A filter by a number tells the store which values matter, so it was one when the plan was made.
    assert_eq!(part.text, "… > 2 * (3 + 4) - 1");
    let sum = |query: &str| range(&engine, query).expect(query);
    assert_eq!(sum("max_over_time(a[5s]) > 2 * 30"), sum("max_over_time(a[5s]) > 60"));
    let Value::Matrix(series) = sum("1 + 2 * 3 ^ 2 - min_of(4, 5) == bool 15") else { panic!() };
    assert!(series[0].samples.iter().all(|sample| sample.value == 1.0));
}

#[test]
fn a_plan_is_explained_part_by_part() {
    let store = store();
    let engine = engine(&store, Limits::default());
    let explanation =
        explained(&engine, "sum by (n) (rate(a[10s])) / on () group_left () (count(b) + scalar(sum(b)))");
    assert_eq!((explanation.steps, explanation.series, explanation.samples), (50, 10, 500));
    let texts = |parts: &[ExplainedPart]| parts.iter().map(|part| part.text.clone()).collect::<Vec<_>>();
    let root = &explanation.plan[0];
    assert_eq!(texts(&explanation.plan), ["… / on () group_left () …"]);
    assert_eq!(texts(&root.children), ["sum by (n) (…)", "… + …"]);
    assert_eq!(texts(&root.children[0].children), ["rate(a[10s])"]);
    assert_eq!(texts(&root.children[1].children), ["count(…)", "sum(…)"]);
    let rate = &root.children[0].children[0];
    assert_eq!((rate.series, rate.samples), (10, 500));
    assert_eq!(rate.samples_read, 10 * 59, "ten seconds before the first step, the first left out");
    let (first, second) =
        (&root.children[1].children[0].children[0], &root.children[1].children[1].children[0]);
    let shared: Vec<bool> = [first, second].iter().map(|part| part.shared).collect();
    assert!(shared.contains(&true) && shared.contains(&false), "{first:?} and {second:?}");
    fn read(part: &ExplainedPart) -> u64 {
        part.samples_read + part.children.iter().map(read).sum::<u64>()
    }
    assert_eq!(read(root), explanation.samples_read);
    fn times_nest(part: &ExplainedPart) -> bool {
        let below: f64 = part.children.iter().map(|child| child.time_seconds).sum();
        part.time_seconds + 1e-9 >= below && part.children.iter().all(times_nest)
    }
    assert!(times_nest(root) && explanation.time_seconds >= root.time_seconds, "{root:?}");
    let query = Query::parse("timestamp(a)").expect("valid");
    let at_once = engine.explain_instant(&query, Timestamp::from_millis(50_000), &Cancel::never());
    let at_once = at_once.expect("evaluates");
    assert_eq!(
        (at_once.steps, at_once.samples, texts(&at_once.plan)),
        (1, 10, vec!["timestamp(a)".to_owned()])
    );
    assert!(at_once.plan[0].children.is_empty());
}

#[test]
fn what_is_experimental_is_refused_where_it_is_not_wanted() {
    let engine = engine(&store(), Limits { experimental: false, ..Limits::default() });
    let cases = [
        ("info(a)", "1:1: parse error: function \"info\" is not enabled"),
        ("a + limitk(1, a)", "1:5: parse error: limitk() is experimental and not enabled"),
        ("rate(a[5m] anchored)", "1:6: parse error: anchored modifier is experimental and not enabled"),
        ("a smoothed", "1:1: parse error: smoothed modifier is experimental and not enabled"),
        ("a + fill(0) b", "1:1: parse error: binop fill modifiers are experimental and not enabled"),
        ("rate(a[2 * 5m])", "1:6: parse error: experimental duration expression is not enabled"),
    ];
    for (query, expected) in cases {
        let told = range(&engine, query).expect_err(query).to_string();
        assert!(told.starts_with(expected) && told.contains("promql.experimental"), "{told}");
    }
    range(&engine, "sum(rate(a[5m] offset -1m)) + topk(1, b)").expect("nothing of it is experimental");
}
