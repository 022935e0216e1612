//! Differences and their sums.

use model::histogram::{Buckets, Span};
use model::{Labels, STALE_NAN};

use super::*;

const IDLE: Duration = Duration::from_secs(60);

fn at(seconds: u64) -> Timestamp {
    Timestamp::from_millis(1_754_083_800_000).after(Duration::from_secs(seconds))
}

/// Differences of series `name`: when each begins and ends, in seconds, and its value.
fn differences(name: &str, all: &[(u64, u64, f64)]) -> MetricBatch {
    let mut batch = MetricBatch::new();
    for (start, end, value) in all {
        let sample = Sample { time_ms: at(*end).as_millis(), value: *value };
        push(&mut batch, Labels::metric(name, &[]).as_ref(), sample, at(*start).as_millis());
    }
    batch
}

/// Sums, as differences are written.
fn sums(batch: &MetricBatch) -> Vec<(i64, i64, f64)> {
    let seconds = |time_ms: i64| (time_ms - at(0).as_millis()) / 1000;
    let of = |run: SampleRun<'_>| {
        run.iter().map(|(sample, start)| (seconds(start), seconds(sample.time_ms), sample.value)).collect()
    };
    batch.runs().flat_map(|(_, run)| -> Vec<(i64, i64, f64)> { of(run) }).collect()
}

fn taken(cumulative: &Cumulative, batch: &MetricBatch) -> Summed {
    let mut summed = cumulative.add(batch, at(0));
    cumulative.settle(std::mem::take(&mut summed.changes), true);
    summed
}

#[test]
fn differences_that_follow_each_other_are_added_up_from_the_first_start_on() {
    let cumulative = Cumulative::new(10, IDLE);
    let first = taken(&cumulative, &differences("a", &[(0, 10, 1.0), (10, 20, 2.0)]));
    let second = taken(&cumulative, &differences("a", &[(20, 30, 4.0)]));
    assert_eq!(sums(&first.sums), [(0, 10, 1.0), (0, 20, 3.0)]);
    assert_eq!(sums(&second.sums), [(0, 30, 7.0)]);
    let other = taken(&cumulative, &differences("b", &[(25, 30, 1.0)]));
    assert_eq!(sums(&other.sums), [(25, 30, 1.0)]);
}

#[test]
fn after_a_gap_a_sum_begins_anew_and_its_start_shows_it() {
    let cumulative = Cumulative::new(10, IDLE);
    let summed = taken(&cumulative, &differences("a", &[(0, 10, 5.0), (15, 20, 1.0), (20, 30, 1.0)]));
    assert_eq!(sums(&summed.sums), [(0, 10, 5.0), (15, 20, 1.0), (15, 30, 2.0)]);
}

#[test]
fn what_is_sent_again_is_a_duplicate_what_comes_late_is_out_of_order_and_an_overlap_is_added() {
    let cumulative = Cumulative::new(10, IDLE);
    taken(&cumulative, &differences("a", &[(10, 20, 1.0)]));
    let late = taken(&cumulative, &differences("a", &[(10, 20, 1.0), (10, 15, 1.0), (5, 25, 1.0)]));
    assert_eq!((late.duplicate, late.out_of_order, sums(&late.sums)), (1, 2, Vec::new()));
    let overlap = taken(&cumulative, &differences("a", &[(15, 25, 2.0)]));
    assert_eq!(sums(&overlap.sums), [(10, 25, 3.0)]);
}

#[test]
fn what_is_no_finite_number_is_refused_and_the_end_of_a_series_is_passed_on() {
    let cumulative = Cumulative::new(10, IDLE);
    let odd =
        differences("a", &[(0, 10, 1.0), (10, 20, f64::NAN), (10, 20, f64::INFINITY), (10, 20, STALE_NAN)]);
    let summed = taken(&cumulative, &odd);
    assert_eq!((summed.malformed, summed.sums.sample_count(), cumulative.len()), (2, 2, 0));
    let again = taken(&cumulative, &differences("a", &[(20, 30, 1.0)]));
    assert_eq!(sums(&again.sums), [(20, 30, 1.0)]);
}

#[test]
fn what_is_not_stored_is_taken_back_unless_another_has_built_on_it() {
    let cumulative = Cumulative::new(10, IDLE);
    taken(&cumulative, &differences("a", &[(0, 10, 1.0)]));
    let lost = cumulative.add(&differences("a", &[(10, 20, 2.0), (20, 30, 2.0)]), at(0));
    cumulative.settle(lost.changes, false);
    let again = cumulative.add(&differences("a", &[(10, 20, 2.0), (20, 30, 2.0)]), at(0));
    assert_eq!(sums(&again.sums), [(0, 20, 3.0), (0, 30, 5.0)]);

    let twice = cumulative.add(&differences("a", &[(20, 30, 2.0)]), at(0));
    assert!(twice.is_in_flight, "it is not stored yet");
    cumulative.settle(twice.changes, false);
    let later = taken(&cumulative, &differences("a", &[(30, 40, 1.0)]));
    assert_eq!(sums(&later.sums), [(0, 40, 6.0)]);
    cumulative.settle(again.changes, false);
    let repeated = taken(&cumulative, &differences("a", &[(10, 20, 2.0), (20, 30, 2.0), (40, 50, 1.0)]));
    assert_eq!((repeated.out_of_order, sums(&repeated.sums)), (2, vec![(0, 50, 7.0)]));
    assert!(!repeated.is_in_flight);
}

#[test]
fn there_are_as_many_series_as_the_bound_allows_and_idle_ones_make_room() {
    let cumulative = Cumulative::new(2, IDLE);
    for name in ["a", "b", "c"] {
        let summed = taken(&cumulative, &differences(name, &[(0, 10, 1.0)]));
        assert_eq!(summed.over_limit, u64::from(name == "c"), "{name}");
    }
    let mut later = cumulative.add(&differences("c", &[(100, 110, 1.0)]), at(100));
    assert_eq!((later.over_limit, cumulative.len()), (0, 1));
    cumulative.settle(std::mem::take(&mut later.changes), true);
}

#[test]
fn histograms_are_added_bucket_by_bucket() {
    let histogram = |count: f64| Histogram {
        count,
        sum: count * 2.0,
        positive: Buckets { spans: vec![Span { offset: 0, length: 1 }], counts: vec![count] },
        ..Histogram::default()
    };
    let cumulative = Cumulative::new(10, IDLE);
    let mut batch = MetricBatch::new();
    for (end, count) in [(10, 1.0), (20, 3.0)] {
        let sample = Sample { time_ms: at(end).as_millis(), value: batch.histogram(&histogram(count)) };
        let start_ms = at(end - 10).as_millis();
        push(&mut batch, Labels::metric("h", &[]).as_ref(), sample, start_ms);
    }
    let summed = taken(&cumulative, &batch);
    let totals: Vec<Histogram> = summed
        .sums
        .iter()
        .flat_map(|(_, samples)| samples)
        .map(|sample| summed.sums.histograms().of(sample.value).expect("a histogram").expect("decodes"))
        .collect();
    assert_eq!(totals, [histogram(1.0), histogram(4.0)]);
    // Over a number there is nothing to add it to: the sum begins anew.
    let mixed = taken(&cumulative, &differences("h", &[(20, 30, 2.0)]));
    assert_eq!(sums(&mixed.sums), [(20, 30, 2.0)]);
}
