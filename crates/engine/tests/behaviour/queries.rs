//! Queries over head and files together, against a plain model.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use model::{DurationText, Labels, MetricBatch, Sample, TimeRange, Timestamp};
use proptest::prelude::*;
use store::{Cancel, MatchOp, Matcher, QueryError, SelectRequest, SeriesBuffer, TelemetryStore};

use crate::fixture::{Place, Series, T0, expected, labels_of, samples_of};

/// What a test does to the store.
#[derive(Clone, Debug)]
enum Step {
    Append { series: usize, samples: Vec<(i64, f64)> },
    Checkpoint,
    Restart,
}

const NAMES: [&str; 6] = ["up", "down", "a", "ab", "abc", "cpu_seconds_total"];

fn any_step() -> impl Strategy<Value = Step> {
    let time = prop_oneof![
        Just(T0),
        (0i64..50).prop_map(|time| T0 + time * 15_000),
        (0i64..5000).prop_map(|time| T0 + time)
    ];
    let value = prop_oneof![(0i32..1000).prop_map(f64::from), any::<f64>()];
    let samples = proptest::collection::vec((time, value), 1..60);
    prop_oneof![
        8 => (0..NAMES.len(), samples).prop_map(|(series, samples)| Step::Append { series, samples }),
        1 => Just(Step::Checkpoint),
        1 => Just(Step::Restart),
    ]
}

fn any_matchers() -> impl Strategy<Value = Vec<Matcher>> {
    let one = prop_oneof![
        Just(Matcher::equal("__name__", "up")),
        Just(Matcher::equal("parity", "even")),
        Just(Matcher::new("__name__", MatchOp::Regex, "a.*|up").expect("valid")),
        Just(Matcher::new("__name__", MatchOp::NotRegex, "ab?").expect("valid")),
        Just(Matcher::new("parity", MatchOp::NotEqual, "even").expect("valid")),
        Just(Matcher::equal("absent", "")),
    ];
    proptest::collection::vec(one, 0..3)
}

/// The model: what a query over everything that was taken gives.
fn model_of(
    taken: &BTreeMap<&'static str, BTreeMap<i64, f64>>,
    matchers: &[Matcher],
    (start, end): (i64, i64),
) -> Series {
    let matching =
        taken.iter().filter(|(name, _)| matchers.iter().all(|m| m.matches(labels_of(name).as_ref())));
    let series = matching.map(|(name, samples)| {
        let samples: Vec<(i64, f64)> =
            samples.range(start..=end).map(|(time, value)| (*time, *value)).collect();
        expected(name, &samples)
    });
    series.filter(|(_, samples)| !samples.is_empty()).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn head_and_files_together_give_what_was_put_in(
        steps in proptest::collection::vec(any_step(), 1..25),
        queries in proptest::collection::vec((any_matchers(), -1i64..800_000, 0i64..800_000), 3),
    ) {
        let place = Place::with(|config| config.out_of_order_window = DurationText(Duration::from_secs(86_400)));
        let mut store = place.open();
        let mut taken: BTreeMap<&'static str, BTreeMap<i64, f64>> = BTreeMap::new();
        for step in steps {
            match step {
                Step::Append { series, samples } => {
                    store.append(samples_of(NAMES[series], &samples)).expect("appended");
                    let known = taken.entry(NAMES[series]).or_default();
                    for (time, value) in samples {
                        known.entry(time).or_insert(value);
                    }
                }
                Step::Checkpoint => store.engine.checkpoint().expect("a checkpoint"),
                Step::Restart => {
                    drop(store);
                    store = place.open();
                }
            }
        }
        prop_assert_eq!(store.all(), model_of(&taken, &[], (i64::MIN, i64::MAX)));
        for (matchers, start, length) in queries {
            let (start, end) = (T0 + start, T0 + start + length);
            let range = TimeRange::new(Timestamp::from_millis(start), Timestamp::from_millis(end));
            let found = store.select(&matchers, range, u64::MAX).expect("a query");
            prop_assert_eq!(&found, &model_of(&taken, &matchers, (start, end)), "{:?}", matchers);
        }
    }
}

#[test]
fn long_series_are_cut_into_chunks_and_come_back_whole() {
    let place = Place::new();
    let store = place.open();
    let samples: Vec<(i64, f64)> =
        (0..10_000).map(|i| (T0 + i * 15_000 + i % 3, (i as f64 / 50.0).sin())).collect();
    store.push("up", &samples);
    store.push("down", &samples[..479]);
    store.engine.checkpoint().expect("a checkpoint");
    let known = Series::from([expected("up", &samples), expected("down", &samples[..479])]);
    assert_eq!(store.all(), known);
    let one = |time: i64| TimeRange::new(Timestamp::from_millis(time), Timestamp::from_millis(time));
    let (time, value) = samples[8191];
    let found = store.select(&[], one(time), u64::MAX).expect("a query");
    assert_eq!(found, Series::from([expected("up", &[(time, value)])]));
    assert!(store.select(&[], one(time + 7), u64::MAX).expect("a query").is_empty());
}

#[test]
fn histograms_count_as_the_samples_that_take_as_much_memory() {
    let place = Place::new();
    let store = place.open();
    let sums: Vec<(i64, f64)> =
        (0..100).map(|i| (T0 + i, f64::from_bits(1f64.to_bits() | (8 * 15) | 5))).collect();
    store.push("up", &sums);
    for _ in 0..2 {
        let refused = store.select(&[], TimeRange::ALL, 150).expect_err("more than may be");
        assert!(matches!(refused, QueryError::LimitReached(_)), "{refused}");
        assert_eq!(
            store.select(&[], TimeRange::ALL, 10_000).expect("a query"),
            Series::from([expected("up", &sums)])
        );
        store.engine.checkpoint().expect("a checkpoint");
    }
}

#[test]
fn many_series_in_many_blocks_are_merged_in_order() {
    let place = Place::new();
    let store = place.open();
    let mut known = Series::new();
    for round in 0..5i64 {
        let mut batch = model::MetricBatch::new();
        for series in (0..3000).filter(|series| series % (round + 1) == 0) {
            let name = format!("metric_{series:05}");
            batch.push_one(&labels_of(&name), T0 + round, series as f64);
            let (key, samples) = expected(&name, &[(T0 + round, series as f64)]);
            known.entry(key).or_default().extend(samples);
        }
        store.append(batch).expect("appended");
        store.engine.checkpoint().expect("a checkpoint");
    }
    assert_eq!(store.all(), known);
    let some = Matcher::new("__name__", MatchOp::Regex, "metric_0[02]0.7").expect("valid");
    let found = store.select(&[some], TimeRange::ALL, u64::MAX).expect("a query");
    assert_eq!(found.len(), 20);
    assert!(found.iter().all(|(key, samples)| known[key] == *samples));
}

#[test]
fn labels_of_head_and_files_are_listed_sorted_and_once() {
    let place = Place::new();
    let store = place.open();
    store.push("up", &[(T0, 1.0)]);
    store.push("down", &[(T0, 1.0)]);
    store.engine.checkpoint().expect("a checkpoint");
    store.push("up", &[(T0 + 1, 1.0)]);
    store.push("abc", &[(T0 + 1, 1.0)]);
    let names = store.engine.label_names(&[], TimeRange::ALL, &Cancel::never()).expect("names");
    assert_eq!(names, ["__name__", "job", "parity"]);
    let values = |matchers: &[Matcher]| {
        store.engine.label_values("__name__", matchers, TimeRange::ALL, &Cancel::never()).expect("values")
    };
    assert_eq!(values(&[]), ["abc", "down", "up"]);
    assert_eq!(values(&[Matcher::equal("parity", "even")]), ["down", "up"]);
    let series = store.engine.series(&[], TimeRange::ALL, 10, &Cancel::never()).expect("series");
    let shown: BTreeSet<String> = series.iter().map(ToString::to_string).collect();
    assert_eq!((series.len(), shown.len()), (3, 3));
    assert_eq!(store.engine.series(&[], TimeRange::ALL, 2, &Cancel::never()).expect("series").len(), 2);
    let early = TimeRange::new(Timestamp::MIN, Timestamp::from_millis(T0));
    assert_eq!(store.engine.series(&[], early, 10, &Cancel::never()).expect("series").len(), 2);
}

#[test]
fn thousands_of_series_in_blocks_and_head_come_whole_and_in_order_for_any_range() {
    let place = Place::new();
    let store = place.open();
    // Three lots, so that each series is in two blocks and in the head; every third misses the second.
    let names: Vec<String> = (0..5_000).map(|index| format!("m{index:04}")).collect();
    for lot in 0..3 {
        let mut batch = MetricBatch::new();
        for (index, name) in names.iter().enumerate().filter(|(index, _)| lot != 1 || index % 3 > 0) {
            let first = T0 + lot * 60_000;
            let samples: Vec<Sample> = (0..4)
                .map(|step| Sample {
                    time_ms: first + step * 15_000,
                    value: (index as i64 * 10 + step) as f64 / 10.0,
                })
                .collect();
            batch.push(Labels::metric(name, &[]).as_ref(), &samples);
        }
        store.append(batch).expect("appended");
        if lot < 2 {
            store.engine.checkpoint().expect("a checkpoint");
        }
    }
    for (start, end, samples) in [(0, 200_000, 12), (45_000, 60_000, 2), (60_000, 119_999, 4)] {
        let range = TimeRange::new(Timestamp::from_millis(T0 + start), Timestamp::from_millis(T0 + end));
        let request = SelectRequest {
            matchers: Vec::new(),
            range,
            values: None,
            max_samples: u64::MAX,
            cancel: Cancel::never(),
        };
        let mut cursor = store.engine.select(&request).expect("a query");
        let mut series = SeriesBuffer::default();
        for (index, name) in names.iter().enumerate() {
            let missing = if index % 3 == 0 { samples.min(4) } else { 0 };
            let left = match (start, index % 3) {
                (45_000, 0) => 1,
                _ => samples - missing,
            };
            if left == 0 {
                continue;
            }
            assert!(cursor.next_series(&mut series).expect("a series"), "{name}");
            assert_eq!(series.labels.as_ref().metric_name(), name);
            assert_eq!(series.times_ms.len(), left, "{name} in {start} to {end}");
            for (time, value) in series.times_ms.iter().zip(&series.values) {
                let step = (time - T0) / 15_000 % 4;
                assert_eq!(*value, (index as i64 * 10 + step) as f64 / 10.0);
            }
        }
        assert!(!cursor.next_series(&mut series).expect("the end"));
        assert!(!cursor.next_series(&mut series).expect("still the end"));
    }
}

#[test]
fn values_that_do_not_matter_are_not_read_and_those_that_do_are_as_they_were() {
    let place = Place::new();
    let store = place.open();
    // Of 8,000 samples, those of the third thousand reach 10.
    let value = |at: i64| if at / 1_000 == 2 { 10.0 + (at % 7) as f64 } else { (at % 7) as f64 };
    let samples: Vec<(i64, f64)> = (0..8_000).map(|at| (T0 + at * 1_000, value(at))).collect();
    store.push("m", &samples);
    store.push("never", &samples.iter().map(|(time, _)| (*time, -1.0)).collect::<Vec<_>>());
    store.engine.checkpoint().expect("a checkpoint");
    store.push("m", &[(T0 + 8_000_000, 11.0), (T0 + 8_001_000, 1.0)]);
    let all = |values| {
        let range = TimeRange::ALL;
        let (max_samples, cancel) = (u64::MAX, Cancel::never());
        let request = SelectRequest { matchers: Vec::new(), range, values, max_samples, cancel };
        let mut cursor = store.engine.select(&request).expect("a query");
        let mut series = SeriesBuffer::default();
        let mut found = Vec::new();
        while cursor.next_series(&mut series).expect("a series") {
            found.push((series.labels.to_string(), series.times_ms.clone(), series.values.clone()));
        }
        found
    };
    let whole = all(None);
    for wanted in [10.0..=f64::INFINITY, f64::NEG_INFINITY..=-1.0, 3.0..=3.0, 99.0..=99.0] {
        let mut replaced = 0;
        for ((labels, times, values), found) in whole.iter().zip(all(Some(wanted.clone()))) {
            assert_eq!((labels, times), (&found.0, &found.1), "{wanted:?}");
            for (value, found) in values.iter().zip(&found.2) {
                if wanted.contains(value) {
                    assert_eq!(value, found, "{wanted:?}");
                } else {
                    assert!(value == found || model::is_stale(*found), "{wanted:?}");
                    replaced += usize::from(model::is_stale(*found));
                }
            }
        }
        assert!(replaced > 5_000, "{replaced} of {wanted:?}");
    }
}

#[test]
fn a_query_that_nobody_waits_for_stops_between_two_series() {
    let place = Place::new();
    let store = place.open();
    store.push("a", &[(T0, 1.0)]);
    store.push("b", &[(T0, 1.0)]);
    let cancel = Cancel::new();
    let request = SelectRequest {
        matchers: Vec::new(),
        range: TimeRange::ALL,
        values: None,
        max_samples: u64::MAX,
        cancel: cancel.clone(),
    };
    let mut cursor = store.engine.select(&request).expect("a query");
    let mut series = SeriesBuffer::default();
    assert!(cursor.next_series(&mut series).expect("a series"));
    cancel.cancel();
    assert!(matches!(cursor.next_series(&mut series), Err(QueryError::Stopped(_))));
}

#[test]
fn labels_that_nobody_waits_for_are_not_looked_for() {
    let place = Place::new();
    let store = place.open();
    store.push("a", &[(T0, 1.0)]);
    store.engine.checkpoint().expect("written");
    let cancel = Cancel::new();
    cancel.cancel();
    let engine = &store.engine;
    let matchers = [Matcher::new("__name__", MatchOp::NotEqual, "").expect("a matcher")];
    for matchers in [&[][..], &matchers] {
        let names = engine.label_names(matchers, TimeRange::ALL, &cancel);
        assert!(matches!(names, Err(QueryError::Stopped(_))), "{names:?}");
        let values = engine.label_values("__name__", matchers, TimeRange::ALL, &cancel);
        assert!(matches!(values, Err(QueryError::Stopped(_))), "{values:?}");
        let series = engine.series(matchers, TimeRange::ALL, 10, &cancel);
        assert!(matches!(series, Err(QueryError::Stopped(_))), "{series:?}");
    }
}
