//! A range query gives at each step what an instant query gives there, for any data.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use model::histogram::{Buckets, CUSTOM_SCHEMA, Span};
use model::{Histogram, Labels, STALE_NAN, Timestamp};
use promql::{Cancel, Engine, Error, Limits, Query, QueryOutput, Value, VectorSample};
use proptest::prelude::*;

use crate::memory::MemoryStore;

/// One of every kind of expression.
const QUERIES: &[&str] = &[
    "a",
    "-a",
    "a offset 70s",
    "a offset -70s",
    "a @ 300",
    "timestamp(a)",
    "a + 1",
    "2 * a > 20",
    "a == bool b",
    "a and b",
    "a or b",
    "a unless on(x) b",
    "a + on(x, y) b",
    "a / ignoring(y) group_left sum by (x) (b)",
    "sum by (x) (b) - on(x) group_right a",
    "sum(a)",
    "sum by (x) (a)",
    "avg without (x) (a)",
    "min(a)",
    "max by (y) (a)",
    "count(a)",
    "group by (x) (a)",
    "stddev(a)",
    "stdvar by (x) (a)",
    "quantile by (x) (0.3, a)",
    "topk(2, a)",
    "bottomk by (x) (1, a)",
    "limitk(2, a)",
    "count_values(\"v\", round(a, 50))",
    "rate(a[3m])",
    "increase(a[200s])",
    "delta(a[3m])",
    "irate(a[3m])",
    "idelta(a[3m])",
    "deriv(a[5m])",
    "predict_linear(a[5m], 60)",
    "avg_over_time(a[5m])",
    "sum_over_time(a[5m] offset 1m)",
    "min_over_time(a[2m])",
    "max_over_time(a[2m] @ 400)",
    "count_over_time(a[5m])",
    "last_over_time(a[5m])",
    "present_over_time(a[5m])",
    "quantile_over_time(0.9, a[5m])",
    "stddev_over_time(a[5m])",
    "changes(a[5m])",
    "resets(a[5m])",
    "max_over_time(rate(a[2m])[5m:30s])",
    "sum_over_time(a[5m:])",
    "absent(a{x=\"0\"})",
    "absent_over_time(a[45s])",
    "vector(time())",
    "vector(scalar(a{x=\"0\",y=\"0\"}))",
    "clamp(a, scalar(sum(b)), 100)",
    "histogram_quantile(0.5, label_replace(a, \"le\", \"$1\", \"y\", \"(.*)\") or label_replace(sum by (x) (a), \"le\", \"+Inf\", \"\", \"\"))",
    "label_join(a, \"z\", \"-\", \"x\", \"y\")",
    "sum by (__name__) ({__name__=~\"a|b\"})",
    "hour(a)",
];

/// One of every kind of expression over series that have native histograms, and numbers among them.
const HISTOGRAM_QUERIES: &[&str] = &[
    "h",
    "-h",
    "h offset 70s",
    "timestamp(h)",
    "h * 2",
    "h / b",
    "h == h",
    "h > 5",
    "h </ 1.5",
    "h - on(x, y) h offset 1m",
    "h and a",
    "h unless h > 1",
    "abs(h)",
    "sum(h)",
    "sum by (x) (h)",
    "avg by (y) (h)",
    "count by (x) (h)",
    "max by (x) (h)",
    "topk(2, h)",
    "limitk(2, h)",
    "count_values(\"v\", h)",
    "rate(h[3m])",
    "increase(h[3m])",
    "delta(h[3m])",
    "irate(h[3m])",
    "sum_over_time(h[3m])",
    "avg_over_time(h[3m])",
    "max_over_time(h[3m])",
    "last_over_time(h[3m])",
    "changes(h[5m])",
    "resets(h[5m])",
    "count_over_time(h[5m] @ 400)",
    "sum_over_time(h[5m:30s])",
    "absent(h{x=\"0\"})",
    "scalar(h{x=\"0\",y=\"0\"}) + h",
    "label_join(h, \"z\", \"-\", \"x\", \"y\")",
    "histogram_quantile(0.5, h)",
    "histogram_quantiles(h, \"q\", 0.5, 0.9)",
    "histogram_fraction(0, 2, h)",
    "histogram_count(sum(h))",
    "histogram_sum(rate(h[3m]))",
    "histogram_avg(h)",
    "histogram_stddev(h)",
];

/// One sample: how long after the one before, in seconds, and its value.
fn sample() -> impl Strategy<Value = (i64, f64)> {
    let value = prop_oneof![
        8 => (0..300i32).prop_map(f64::from),
        1 => Just(f64::NAN),
        1 => Just(STALE_NAN),
        1 => prop_oneof![Just(f64::INFINITY), Just(-2.5)],
    ];
    (prop_oneof![5 => Just(30i64), 1 => 1..400i64], value)
}

/// A histogram with some observations in its buckets.
fn histogram() -> impl Strategy<Value = Histogram> {
    let counts = proptest::collection::vec((0..9u32).prop_map(f64::from), 1..4);
    let schema = prop_oneof![4 => Just(0i8), 1 => Just(1), 1 => Just(CUSTOM_SCHEMA)];
    (schema, counts).prop_map(|(schema, counts)| Histogram {
        schema,
        count: counts.iter().sum(),
        sum: counts.iter().sum::<f64>() * 1.5,
        custom_bounds: if schema == CUSTOM_SCHEMA { vec![1.0, 2.0] } else { Vec::new() },
        positive: Buckets { spans: vec![Span { offset: 0, length: counts.len() as u32 }], counts },
        ..Histogram::default()
    })
}

/// Some histograms, and the times of numbers among them, every thirty seconds.
fn histograms() -> impl Strategy<Value = Vec<Option<Histogram>>> {
    proptest::collection::vec(prop_oneof![8 => histogram().prop_map(Some), 1 => Just(None)], 0..30)
}

fn store(data: &[Vec<(i64, f64)>]) -> MemoryStore {
    let store = MemoryStore::default();
    for (index, samples) in data.iter().enumerate() {
        let (x, y) = ((index % 2).to_string(), (index / 2 % 3).to_string());
        let name = if index < 6 { "a" } else { "b" };
        let labels = Labels::metric(name, &[("x", &x), ("y", &y)]);
        let mut time_ms = 0;
        for (gap, value) in samples {
            time_ms += gap * 1000;
            store.insert(&labels, time_ms, *value);
        }
    }
    store
}

/// Values by labels, as texts so that NaN equals itself; or the error.
type Answer = Result<BTreeMap<Labels, String>, String>;

fn number(value: f64) -> String {
    if value.is_nan() { "NaN".to_owned() } else { format!("{value:?}") }
}

fn instant(engine: &Engine, query: &Query, time_ms: i64) -> Answer {
    match engine.instant(query, Timestamp::from_millis(time_ms), &Cancel::never()) {
        Ok(output) => match output.value {
            Value::Vector(samples) => {
                let value = |sample: &VectorSample| match &sample.histogram {
                    Some(histogram) => histogram.to_string(),
                    None => number(sample.value),
                };
                Ok(samples.iter().map(|sample| (sample.labels.clone(), value(sample))).collect())
            }
            other => Err(format!("not a vector: {other:?}")),
        },
        Err(error) => Err(error.to_string()),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn a_range_query_equals_instant_queries_at_its_steps(
        data in proptest::collection::vec(proptest::collection::vec(sample(), 0..40), 9),
        histograms in proptest::collection::vec(histograms(), 6),
        start in 0i64..600,
        step in prop_oneof![Just(30i64), 1i64..200],
        count in 1i64..20,
    ) {
        let store = store(&data);
        for (index, points) in histograms.iter().enumerate() {
            let (x, y) = ((index % 2).to_string(), (index / 2 % 3).to_string());
            let labels = Labels::metric("h", &[("x", &x), ("y", &y)]);
            for (place, point) in points.iter().enumerate() {
                let time_ms = 30_000 * (place + index) as i64;
                match point {
                    Some(histogram) => store.insert_histogram(&labels, time_ms, histogram),
                    None => store.insert(&labels, time_ms, place as f64),
                }
            }
        }
        let engine = Engine::new(Arc::new(store), Limits::default());
        for text in QUERIES.iter().chain(HISTOGRAM_QUERIES) {
            let query = Query::parse(text).expect(text);
            let times: Vec<i64> = (0..count).map(|index| (start + step * index) * 1000).collect();
            let singly: Vec<Answer> = times.iter().map(|time_ms| instant(&engine, &query, *time_ms)).collect();
            let end = start + step * (count - 1);
            let (from, to) = (Timestamp::from_millis(start * 1000), Timestamp::from_millis(end * 1000));
            match engine.range(&query, from, to, Duration::from_secs(step as u64), &Cancel::never()) {
                Ok(output) => {
                    let Value::Matrix(matrix) = output.value else { panic!("{text} gives no matrix") };
                    let mut together = vec![BTreeMap::new(); times.len()];
                    for series in matrix {
                        for sample in series.samples {
                            let at = times.iter().position(|time_ms| *time_ms == sample.time_ms).expect("a step");
                            together[at].insert(series.labels.clone(), number(sample.value));
                        }
                        for (time_ms, histogram) in series.histograms {
                            let at = times.iter().position(|step_ms| *step_ms == time_ms).expect("a step");
                            together[at].insert(series.labels.clone(), histogram.to_string());
                        }
                    }
                    for ((time_ms, singly), together) in times.iter().zip(singly).zip(together) {
                        prop_assert_eq!(singly, Ok(together), "{} at {}", text, time_ms);
                    }
                }
                // A range query fails when one of its steps does.
                Err(Error::Execution(message)) => {
                    prop_assert!(singly.contains(&Err(message.clone())), "{}: {}", text, message);
                }
                Err(error) => panic!("{text}: {error}"),
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn a_filter_by_a_number_reads_less_and_answers_as_one_that_reads_all(
        data in proptest::collection::vec(proptest::collection::vec(sample(), 0..40), 9),
        number in prop_oneof![0..300i32, Just(-2)],
        step in 20i64..100,
    ) {
        let engine = Engine::new(Arc::new(store(&data)), Limits::default()).without_cache();
        let answer = |text: &str| {
            let query = Query::parse(text).expect(text);
            let (from, to) = (Timestamp::from_millis(0), Timestamp::from_millis(step * 20_000));
            let step = Duration::from_secs(step as u64);
            let output = engine.range(&query, from, to, step, &Cancel::never());
            format!("{:?}", output.map(|output| output.value))
        };
        let vectors = ["a", "a offset 1m", "max_over_time(a[3m])", "min_over_time(a[3m])", "max_over_time(a[5m] @ 400)"];
        for vector in vectors {
            for operator in ["==", "!=", ">", "<", ">=", "<="] {
                // A number that is not known before.
                let all = format!("scalar(vector({number}))");
                let pairs = [
                    (format!("{vector} {operator} {number}"), format!("{vector} {operator} {all}")),
                    (format!("{number} {operator} {vector}"), format!("{all} {operator} {vector}")),
                ];
                for (text, whole) in pairs {
                    prop_assert_eq!(answer(&text), answer(&whole), "{}", text);
                }
            }
        }
    }
}

/// What happens between two looks at a dashboard.
#[derive(Clone, Debug)]
enum Event {
    Ask { first: i64, count: i64 },
    Insert { series: usize, minute: i64, value: f64 },
}

fn event() -> impl Strategy<Value = Event> {
    prop_oneof![
        3 => (0i64..30, 1i64..30).prop_map(|(first, count)| Event::Ask { first, count }),
        1 => (0usize..9, 0i64..40, 0..300i32)
            .prop_map(|(series, minute, value)| Event::Insert { series, minute, value: f64::from(value) }),
    ]
}

/// What warns of some steps, by way of their times: a parameter that is none until then, and one that is none after it.
const WARNING: [&str; 3] =
    ["quantile(1 + (time() < bool 900), a)", "quantile(time() / 1000, a)", "limit_ratio(time() / 1000, a)"];

/// The infos of an answer that is kept may speak of what was so at earlier steps of it.
fn same_answers(
    kept: Result<QueryOutput, Error>,
    anew: Result<QueryOutput, Error>,
    text: &str,
) -> Result<(), TestCaseError> {
    let told = |answer: &Result<QueryOutput, Error>| {
        format!("{:?}", answer.as_ref().map(|output| (&output.value, &output.warnings)))
    };
    prop_assert_eq!(told(&kept), told(&anew), "{}", text);
    let infos = |answer: Result<QueryOutput, Error>| answer.map(|output| output.infos).unwrap_or_default();
    let kept = infos(kept);
    prop_assert!(infos(anew).iter().all(|info| kept.contains(info)), "{}: {:?}", text, kept);
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn answers_that_are_kept_are_those_that_would_be_found_anew(
        data in proptest::collection::vec(proptest::collection::vec(sample(), 0..40), 9),
        events in proptest::collection::vec(event(), 1..12),
        step in prop_oneof![Just(60i64), 20i64..100],
    ) {
        let store = Arc::new(store(&data));
        let keeping = Engine::new(Arc::<MemoryStore>::clone(&store), Limits::default());
        let anew = keeping.without_cache();
        let mut kept_at_once = 0;
        let has_asked = events.iter().any(|event| matches!(event, Event::Ask { .. }));
        for event in events {
            let (first, count) = match event {
                Event::Ask { first, count } => (first, count),
                Event::Insert { series, minute, value } => {
                    let (x, y) = ((series % 2).to_string(), (series / 2 % 3).to_string());
                    let labels = Labels::metric(if series < 6 { "a" } else { "b" }, &[("x", &x), ("y", &y)]);
                    store.insert(&labels, minute * 60_000, value);
                    continue;
                }
            };
            for text in QUERIES.iter().chain(&WARNING) {
                let query = Query::parse(text).expect(text);
                let at = |step_at: i64| Timestamp::from_millis(step_at * step * 1000);
                let (start, end, step) = (at(first), at(first + count), Duration::from_secs(step as u64));
                let range = |engine: &Engine| engine.range(&query, start, end, step, &Cancel::never());
                // What is there from before, what is given now, and the same again.
                let before = keeping.kept_range(&query, start, end, step);
                same_answers(range(&keeping), range(&anew), text)?;
                let after = keeping.kept_range(&query, start, end, step);
                prop_assert!(anew.kept_range(&query, start, end, step).is_none());
                for kept in before.into_iter().chain(after) {
                    kept_at_once += 1;
                    same_answers(Ok(kept), range(&anew), text)?;
                }
                let instant = |engine: &Engine| engine.instant(&query, start, &Cancel::never());
                let before = keeping.kept_instant(&query, start);
                same_answers(instant(&keeping), instant(&anew), text)?;
                for kept in before.into_iter().chain(keeping.kept_instant(&query, start)) {
                    kept_at_once += 1;
                    same_answers(Ok(kept), instant(&anew), text)?;
                }
            }
        }
        prop_assert!(!has_asked || kept_at_once > 0, "some answers are given at once");
    }
}
