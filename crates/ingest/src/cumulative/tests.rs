//! Differences and their sums.

mod histograms;
mod in_flight;

use model::{Labels, STALE_NAN};

use super::*;

const IDLE: Duration = Duration::from_secs(60);

fn at(seconds: u64) -> Timestamp {
    Timestamp::from_millis(1_754_083_800_000).after(Duration::from_secs(seconds))
}

fn of_series(max_series: usize) -> Cumulative {
    Cumulative::new(Bounds { max_series, histogram_bytes: HISTOGRAM_BYTES, idle: IDLE })
}

/// Differences of series `name`: when each begins and ends, in seconds, and its value.
fn differences(name: &str, all: &[(u64, u64, f64)]) -> MetricBatch {
    let mut batch = MetricBatch::new();
    for (start, end, value) in all {
        let sample = Sample { time_ms: at(*end).as_millis(), value: *value };
        let run = SampleRun { samples: &[sample], starts: &[at(*start).as_millis()] };
        batch.push_run(Labels::metric(name, &[]).as_ref(), run);
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

/// What differences become that are stored, and which of them are refused.
fn stored_at(cumulative: &Cumulative, batch: &MetricBatch, now: Timestamp) -> (MetricBatch, SamplesOutcome) {
    let mut outcome = SamplesOutcome::default();
    let Summed { sums, later, unsettled, .. } = cumulative.add(batch, now, &mut outcome);
    assert_eq!(later, None);
    unsettled.stored();
    (sums, outcome)
}

fn stored(cumulative: &Cumulative, batch: &MetricBatch) -> (MetricBatch, SamplesOutcome) {
    stored_at(cumulative, batch, at(0))
}

#[test]
fn differences_that_follow_each_other_are_added_up_from_the_first_start_on() {
    let cumulative = of_series(10);
    let (first, _) = stored(&cumulative, &differences("a", &[(0, 10, 1.0), (10, 20, 2.0)]));
    let (second, _) = stored(&cumulative, &differences("a", &[(20, 30, 4.0)]));
    assert_eq!(sums(&first), [(0, 10, 1.0), (0, 20, 3.0)]);
    assert_eq!(sums(&second), [(0, 30, 7.0)]);
    let (other, _) = stored(&cumulative, &differences("b", &[(25, 30, 1.0)]));
    assert_eq!(sums(&other), [(25, 30, 1.0)]);
}

#[test]
fn samples_of_one_series_stay_together() {
    let mut batch = MetricBatch::new();
    let samples = [10, 20].map(|end| Sample { time_ms: at(end).as_millis(), value: 1.0 });
    let starts = [0, 10].map(|start| at(start).as_millis());
    let run = SampleRun { samples: &samples, starts: &starts };
    batch.push_run(Labels::metric("a", &[]).as_ref(), run);
    let (summed, _) = stored(&of_series(10), &batch);
    assert_eq!((summed.series_count(), sums(&summed)), (1, vec![(0, 10, 1.0), (0, 20, 2.0)]));
}

#[test]
fn after_a_gap_a_sum_begins_anew_and_its_start_shows_it() {
    let cumulative = of_series(10);
    let (summed, _) = stored(&cumulative, &differences("a", &[(0, 10, 5.0), (15, 20, 1.0), (20, 30, 1.0)]));
    assert_eq!(sums(&summed), [(0, 10, 5.0), (15, 20, 1.0), (15, 30, 2.0)]);
}

#[test]
fn what_is_sent_again_is_a_duplicate_what_comes_late_is_out_of_order_and_an_overlap_is_added() {
    let cumulative = of_series(10);
    stored(&cumulative, &differences("a", &[(10, 20, 1.0)]));
    let (none, late) = stored(&cumulative, &differences("a", &[(10, 20, 1.0), (10, 15, 1.0), (5, 25, 1.0)]));
    assert_eq!((late.duplicate, late.too_old, sums(&none)), (1, 2, Vec::new()));
    let (overlap, _) = stored(&cumulative, &differences("a", &[(15, 25, 2.0)]));
    assert_eq!(sums(&overlap), [(10, 25, 3.0)]);
}

#[test]
fn a_request_that_is_sent_again_is_a_repetition_with_all_its_differences_of_a_series() {
    let cumulative = of_series(10);
    let request = differences("a", &[(0, 10, 1.0), (10, 20, 2.0), (25, 30, 3.0)]);
    stored(&cumulative, &request);
    for later in [30, 40] {
        let (none, again) = stored(&cumulative, &request);
        assert_eq!((again.duplicate, again.refused(), none.is_empty()), (3, 0, true));
        stored(&cumulative, &differences("a", &[(later, later + 10, 1.0)]));
    }
    let (_, late) = stored(&cumulative, &differences("a", &[(25, 29, 3.0)]));
    assert_eq!((late.duplicate, late.too_old), (0, 1), "one that was never added is none");
}

#[test]
fn what_is_no_finite_number_is_refused_and_the_end_of_a_series_is_passed_on() {
    let cumulative = of_series(10);
    let odd =
        differences("a", &[(0, 10, 1.0), (10, 20, f64::NAN), (10, 20, f64::INFINITY), (10, 20, STALE_NAN)]);
    let (summed, outcome) = stored(&cumulative, &odd);
    assert_eq!((outcome.malformed, summed.sample_count(), cumulative.held().0), (2, 2, 0));
    let (again, _) = stored(&cumulative, &differences("a", &[(20, 30, 1.0)]));
    assert_eq!(sums(&again), [(20, 30, 1.0)]);
}

#[test]
fn a_marker_of_the_end_that_comes_late_ends_nothing() {
    let cumulative = of_series(10);
    stored(&cumulative, &differences("a", &[(0, 10, 1.0), (10, 20, 1.0)]));
    for late in [5, 10, 20] {
        let (none, outcome) = stored(&cumulative, &differences("a", &[(0, late, STALE_NAN)]));
        assert_eq!((none.is_empty(), outcome.too_old, cumulative.held().0), (true, 1, 1), "{late}");
    }
    let (on, _) = stored(&cumulative, &differences("a", &[(20, 30, 1.0)]));
    assert_eq!(sums(&on), [(0, 30, 3.0)]);
}

#[test]
fn a_sum_that_would_be_infinite_is_refused_and_begins_anew_with_what_comes_next() {
    let cumulative = of_series(10);
    let (summed, outcome) =
        stored(&cumulative, &differences("a", &[(0, 10, f64::MAX), (10, 20, f64::MAX), (20, 30, 1.0)]));
    assert_eq!(sums(&summed), [(0, 10, f64::MAX), (20, 30, 1.0)]);
    assert_eq!((outcome.beyond_sums, outcome.refused()), (1, 1));
    assert!(outcome.refusals().is_some_and(|said| said.contains("no finite number")), "{outcome:?}");
}

#[test]
fn there_are_as_many_series_as_the_bound_allows_and_idle_ones_make_room() {
    let cumulative = of_series(2);
    for name in ["a", "b", "c"] {
        let (_, outcome) = stored(&cumulative, &differences(name, &[(0, 10, 1.0)]));
        assert_eq!(outcome.over_delta_limit, u64::from(name == "c"), "{name}");
    }
    stored_at(&cumulative, &differences("a", &[(10, 20, 1.0)]), at(50));
    let (_, later) = stored_at(&cumulative, &differences("c", &[(100, 110, 1.0)]), at(100));
    assert_eq!((later.over_delta_limit, cumulative.held().0), (0, 2), "of three one is idle");
    let (on, _) = stored_at(&cumulative, &differences("a", &[(20, 110, 1.0)]), at(100));
    assert_eq!(sums(&on), [(0, 110, 3.0)]);
}
