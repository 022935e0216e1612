//! Sums of native histograms, and the memory that they take.

use model::Histogram;
use model::histogram::{Buckets, MAX_BUCKETS, Span as Neighbours};

use super::*;

/// A histogram with so many buckets from an index on, each with one observation.
fn wide(first: i32, buckets: usize) -> Histogram {
    let spans = vec![Neighbours { offset: first, length: buckets as u32 }];
    let positive = Buckets { spans, counts: vec![1.0; buckets] };
    Histogram { schema: 8, count: buckets as f64, sum: 1.0, positive, ..Histogram::default() }
}

/// Differences of series `name` that are histograms, one after the other: when each begins, and each ten seconds long.
fn all(name: &str, from: u64, histograms: &[Histogram]) -> MetricBatch {
    let mut batch = MetricBatch::new();
    for (place, histogram) in histograms.iter().enumerate() {
        let start = from + 10 * place as u64;
        let value = batch.histogram(histogram);
        let sample = Sample { time_ms: at(start + 10).as_millis(), value };
        let run = SampleRun { samples: &[sample], starts: &[at(start).as_millis()] };
        batch.push_run(Labels::metric(name, &[]).as_ref(), run);
    }
    batch
}

/// Histograms of a batch, each as whoever reads it from the store sees it.
fn read(batch: &MetricBatch) -> Vec<Histogram> {
    let samples = batch.iter().flat_map(|(_, samples)| samples);
    samples
        .map(|sample| batch.histograms().of(sample.value).expect("a histogram").expect("decodes"))
        .collect()
}

fn within(histogram_bytes: usize) -> Cumulative {
    Cumulative::new(Bounds { max_series: 100, histogram_bytes, idle: IDLE })
}

#[test]
fn histograms_are_added_bucket_by_bucket() {
    let cumulative = of_series(10);
    let mut three = wide(0, 1);
    three.multiply(3.0);
    let (summed, _) = stored(&cumulative, &all("h", 0, &[wide(0, 1), three]));
    let mut four = wide(0, 1);
    four.multiply(4.0);
    assert_eq!(read(&summed), [wide(0, 1), four]);
    // Over a number there is nothing to add it to: the sum begins anew.
    let (mixed, _) = stored(&cumulative, &differences("h", &[(20, 30, 2.0)]));
    assert_eq!((sums(&mixed), cumulative.held()), (vec![(20, 30, 2.0)], (1, 0, 0)));
}

#[test]
fn a_sum_with_too_many_buckets_becomes_coarser_so_that_it_can_be_read() {
    let cumulative = of_series(10);
    let apart = MAX_BUCKETS as i32;
    let (summed, outcome) =
        stored(&cumulative, &all("h", 0, &[wide(1, MAX_BUCKETS), wide(1 + apart, MAX_BUCKETS), wide(1, 2)]));
    assert_eq!(outcome, SamplesOutcome::default());
    let found: Vec<(i8, usize, f64)> =
        read(&summed).iter().map(|sum| (sum.schema, sum.bucket_count(), sum.count)).collect();
    let most = MAX_BUCKETS as f64;
    let coarse = |count| (7, MAX_BUCKETS, count);
    assert_eq!(found, [(8, MAX_BUCKETS, most), coarse(2.0 * most), coarse(2.0 * most + 2.0)]);
}

#[test]
fn what_no_sum_can_hold_is_refused_and_counted() {
    // So far apart that buckets of the coarsest schema are not joined.
    let sparse = |first: i32| {
        let spans = vec![Neighbours { offset: 1 << 14, length: 1 }; MAX_BUCKETS];
        let mut histogram = wide(0, MAX_BUCKETS);
        histogram.positive.spans = spans;
        histogram.positive.spans[0].offset = first;
        histogram
    };
    let infinite = Histogram { sum: f64::INFINITY, ..wide(0, 1) };
    let largest = Histogram { sum: f64::MAX, ..wide(0, 1) };
    let cases = [
        ([sparse(0), sparse(1 << 13)], (1, 0)),
        ([largest.clone(), largest], (1, 0)),
        ([wide(0, 1), infinite], (0, 1)),
    ];
    for (histograms, expected) in cases {
        let cumulative = of_series(10);
        let (summed, outcome) = stored(&cumulative, &all("h", 0, &histograms));
        assert_eq!((outcome.beyond_sums, outcome.malformed), expected);
        assert_eq!((read(&summed), outcome.refused()), (vec![histograms[0].clone()], 1));
        let (on, _) = stored(&cumulative, &all("h", 20, &[wide(0, 1)]));
        assert_eq!(read(&on), [wide(0, 1)], "after a gap");
    }
}

#[test]
fn small_differences_of_a_large_sum_are_held_once_and_end_at_the_bound_of_a_request() {
    let large = wide(1, 1000);
    let each = large.size_bytes();
    let cumulative = within(10 * each);
    stored(&cumulative, &all("h", 0, &[large]));
    let small = vec![wide(1, 1); 50];
    let request = all("h", 10, &small);
    let mut outcome = SamplesOutcome::default();
    let call = cumulative.add(&request, at(0), &mut outcome);
    assert_eq!(cumulative.held(), (1, each, each), "what it is, and what it was before the call");
    let made = call.sums.sample_count();
    assert!((8..=10).contains(&made), "{made}");
    assert_eq!(outcome.over_delta_request, 50 - made as u64);
    assert!(outcome.refusals().is_some_and(|said| said.contains("one request")), "{outcome:?}");
    drop(call);
    assert_eq!(cumulative.held(), (1, each, 0), "as it was");
    let (one, _) = stored(&cumulative, &all("h", 10, &small[..1]));
    assert_eq!(read(&one)[0].count.to_bits(), 1001f64.to_bits());
}

#[test]
fn a_sum_that_stays_as_large_as_it_is_needs_no_more_room() {
    let cumulative = within(wide(1, 100).size_bytes());
    for round in 0..3 {
        let (_, outcome) = stored(&cumulative, &all("h", round * 10, &[wide(1, 100)]));
        assert_eq!(outcome, SamplesOutcome::default(), "{round}");
    }
    let (_, other) = stored(&cumulative, &all("i", 0, &[wide(1, 1)]));
    assert_eq!((other.over_delta_memory, cumulative.held().0), (1, 1));
    assert!(other.refusals().is_some_and(|said| said.contains("no memory")), "{other:?}");
    let (number, _) = stored(&cumulative, &differences("n", &[(0, 10, 1.0)]));
    assert_eq!(number.sample_count(), 1, "numbers need none");
}

#[test]
fn idle_histograms_make_room_for_new_ones_and_for_those_that_grow() {
    let cumulative = within(wide(1, 100).size_bytes() + wide(1, 10).size_bytes());
    stored_at(&cumulative, &all("idle", 0, &[wide(1, 100)]), at(0));
    stored_at(&cumulative, &all("live", 0, &[wide(1, 10)]), at(50));
    let (_, refused) = stored_at(&cumulative, &all("live", 10, &[wide(11, 10)]), at(51));
    assert_eq!(refused.over_delta_memory, 1);
    let (grown, outcome) = stored_at(&cumulative, &all("live", 10, &[wide(11, 10)]), at(70));
    assert_eq!((outcome.refused(), read(&grown)[0].bucket_count()), (0, 20));
    let (_, new) = stored_at(&cumulative, &all("new", 0, &[wide(1, 100)]), at(150));
    assert_eq!((new.refused(), cumulative.held().0), (0, 1));
}

#[test]
fn what_sums_were_before_calls_in_flight_has_a_bound_too() {
    let each = wide(1, 100).size_bytes();
    let cumulative = within(2 * each);
    stored(&cumulative, &all("a", 0, &[wide(1, 100)]));
    let call = |from| cumulative.add(&all("a", from, &[wide(1, 100)]), at(0), &mut SamplesOutcome::default());
    let (first, second, third) = (call(10), call(20), call(30));
    assert_eq!(cumulative.held(), (1, each, 2 * each));
    assert_eq!([&first, &second].map(|call| call.later), [None, None]);
    assert!(third.later.is_some_and(|why| why.contains("on their way")), "{:?}", third.later);
    drop((first, second, third));
    assert_eq!(cumulative.held(), (1, each, 0));
    let (on, _) = stored(&cumulative, &all("a", 10, &[wide(1, 100)]));
    assert_eq!(read(&on)[0].count.to_bits(), 200f64.to_bits());
}
