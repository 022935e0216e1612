//! From samples to buckets.

use model::histogram::{NO_HISTOGRAM, histogram_place};
use model::{Moment, NO_START, STALE_NAN, is_stale};
use store::SeriesBuffer;

use super::Part;
use super::days::REACH_MS;

/// The buckets of a series, in flat arrays that are used again for the next.
#[derive(Debug, Default)]
pub(super) struct Rolled {
    /// The ends of buckets that have a sample or a staleness marker.
    pub(super) times_ms: Vec<i64>,
    /// What is said of them, part by part. Where a bucket has nothing but staleness markers, they are. Of a bucket with
    /// histograms nothing is said but which sample is the last; the other parts are a histogram that is not there.
    pub(super) parts: [Vec<f64>; Part::ALL.len()],
}

impl Rolled {
    pub(super) fn part(&self, part: Part) -> &[f64] {
        &self.parts[part as usize]
    }

    fn push(&mut self, open: &Open) {
        self.times_ms.push(open.end_ms);
        let is_known = open.count > 0.0;
        let known = |value: f64| match (open.has_histograms, is_known) {
            (true, _) => NO_HISTOGRAM,
            (false, true) => value,
            (false, false) => STALE_NAN,
        };
        for part in Part::ALL {
            let value = match part {
                Part::Count => known(open.count),
                Part::Sum => known(open.sum + open.lost),
                Part::Min => known(open.least),
                Part::Max => known(open.greatest),
                Part::Last => open.last,
                Part::Increase => known(open.increase),
            };
            self.parts[part as usize].push(value);
        }
    }

    /// Rolls up samples to buckets of `bucket_ms` that end after `after_ms`. The increase is counted from the last
    /// sample before the bucket, if that is within reach: hand them over from there on.
    pub(super) fn roll(&mut self, series: &SeriesBuffer, bucket_ms: i64, after_ms: i64) {
        self.times_ms.clear();
        self.parts.iter_mut().for_each(Vec::clear);
        let mut open: Option<Open> = None;
        let mut before: Option<Before> = None;
        for (&time_ms, &value) in series.times_ms.iter().zip(&series.values) {
            let bucket = match &mut open {
                Some(bucket) if time_ms <= bucket.end_ms => bucket,
                _ => {
                    if let Some(done) = open.take_if(|done| done.end_ms > after_ms) {
                        self.push(&done);
                    }
                    open.insert(Open::new(end_ms(time_ms, bucket_ms)))
                }
            };
            bucket.last = value;
            if is_stale(value) {
                continue;
            }
            if histogram_place(value).is_some() {
                bucket.has_histograms = true;
                before = None;
                continue;
            }
            bucket.add(value);
            let now = Moment { time_ms, start_ms: series.starts.at(time_ms) };
            let reach_ms = bucket.end_ms - bucket_ms - REACH_MS;
            bucket.increase += match before {
                Some(before) if before.moment.time_ms > reach_ms => before.increase_to(now, value),
                // It began at zero, in reach and before the sample.
                _ if now.start_ms != NO_START && (reach_ms + 1..time_ms).contains(&now.start_ms) => value,
                _ => 0.0,
            };
            before = Some(Before { moment: now, value });
        }
        if let Some(done) = open.filter(|done| done.end_ms > after_ms) {
            self.push(&done);
        }
    }
}

/// The last sample before another.
#[derive(Clone, Copy)]
struct Before {
    moment: Moment,
    value: f64,
}

impl Before {
    /// By how much a counter grew until a sample.
    fn increase_to(self, now: Moment, value: f64) -> f64 {
        if value < self.value || now.began_again_after(self.moment) { value } else { value - self.value }
    }
}

/// The end of the bucket that a time lies in.
fn end_ms(time_ms: i64, bucket_ms: i64) -> i64 {
    let floor = time_ms.div_euclid(bucket_ms) * bucket_ms;
    if floor == time_ms { floor } else { floor + bucket_ms }
}

/// A bucket that samples are added to.
struct Open {
    end_ms: i64,
    count: f64,
    sum: f64,
    lost: f64,
    least: f64,
    greatest: f64,
    last: f64,
    increase: f64,
    has_histograms: bool,
}

impl Open {
    fn new(end_ms: i64) -> Self {
        let [count, sum, lost, increase] = [0.0; 4];
        let [least, greatest, last] = [STALE_NAN; 3];
        Self { end_ms, count, sum, lost, least, greatest, last, increase, has_histograms: false }
    }

    fn add(&mut self, value: f64) {
        self.count += 1.0;
        // What the addition loses is kept beside the sum, as queries do.
        let sum = self.sum + value;
        if sum.is_finite() {
            let added = sum - self.sum;
            self.lost += (self.sum - (sum - added)) + (value - added);
        } else {
            self.lost = 0.0;
        }
        self.sum = sum;
        // Any number is better than NaN.
        if value < self.least || self.least.is_nan() {
            self.least = value;
        }
        if value > self.greatest || self.greatest.is_nan() {
            self.greatest = value;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn series(times_ms: &[i64], values: &[f64]) -> SeriesBuffer {
        SeriesBuffer { times_ms: times_ms.to_vec(), values: values.to_vec(), ..SeriesBuffer::default() }
    }

    #[test]
    fn a_bucket_has_the_samples_after_its_start_and_until_its_end() {
        let mut rolled = Rolled::default();
        let times = [90, 100, 101, 150, 200, 450];
        let values = [5.0, 7.0, 1.0, f64::NAN, 4.0, 10.0];
        rolled.roll(&series(&times, &values), 100, 0);
        assert_eq!(rolled.times_ms, [100, 200, 500]);
        assert_eq!(rolled.part(Part::Count), [2.0, 3.0, 1.0]);
        assert_eq!(rolled.part(Part::Sum)[0], 12.0);
        assert!(rolled.part(Part::Sum)[1].is_nan() && !is_stale(rolled.part(Part::Sum)[1]));
        assert_eq!(rolled.part(Part::Min), [5.0, 1.0, 10.0]);
        assert_eq!(rolled.part(Part::Max), [7.0, 4.0, 10.0]);
        assert_eq!(rolled.part(Part::Last), [7.0, 4.0, 10.0]);
        rolled.roll(&series(&times, &values), 100, 100);
        assert_eq!(rolled.times_ms, [200, 500]);
    }

    #[test]
    fn an_increase_goes_over_edges_of_buckets_over_resets_and_over_gaps_of_less_than_an_hour() {
        let mut rolled = Rolled::default();
        let far = 500 + REACH_MS;
        let times = [10, 60, 110, 120, 180, 220, 550, far + 50, far + 60];
        rolled.roll(&series(&times, &[1.0, 3.0, 8.0, 2.0, 5.0, 6.0, 100.0, 200.0, 203.0]), 100, 0);
        assert_eq!(rolled.times_ms, [100, 200, 300, 600, far + 100]);
        assert_eq!(rolled.part(Part::Increase), [2.0, 5.0 + 2.0 + 3.0, 1.0, 94.0, 103.0]);
        let farther: Vec<i64> =
            times.iter().map(|time| if *time < far { *time } else { time + 100 }).collect();
        rolled.roll(&series(&farther, &[1.0, 3.0, 8.0, 2.0, 5.0, 6.0, 100.0, 200.0, 203.0]), 100, 500);
        assert_eq!(rolled.part(Part::Increase), [94.0, 3.0], "an hour before the bucket's start is too far");
    }

    #[test]
    fn an_increase_counts_from_a_start_in_reach_and_from_each_start_behind_a_sample() {
        let mut rolled = Rolled::default();
        let mut counter = series(&[210, 250, 310, 350], &[5.0, 6.0, 6.0, 9.0]);
        counter.starts.push(210, 150);
        counter.starts.push(310, 280);
        rolled.roll(&counter, 100, 0);
        assert_eq!(rolled.part(Part::Increase), [5.0 + 1.0, 6.0 + 3.0]);
        counter.starts.clear();
        counter.starts.push(210, 300 - 100 - REACH_MS);
        rolled.roll(&counter, 100, 0);
        assert_eq!(rolled.part(Part::Increase), [1.0, 3.0], "what was before is not known");
        let mut differences = series(&[110, 120, 210], &[5.0, 5.0, 7.0]);
        for (time_ms, start_ms) in [(110, 100), (120, 110), (210, 120)] {
            differences.starts.push(time_ms, start_ms);
        }
        rolled.roll(&differences, 100, 0);
        assert_eq!(rolled.part(Part::Increase), [10.0, 7.0]);
    }

    #[test]
    fn of_histograms_nothing_is_said_but_which_is_the_last() {
        let mut rolled = Rolled::default();
        let histogram = model::histogram::histogram_value(7);
        rolled.roll(
            &series(&[10, 20, 110, 120, 220, 230], &[4.0, histogram, histogram, 3.0, 5.0, 6.0]),
            100,
            0,
        );
        assert_eq!(rolled.times_ms, [100, 200, 300]);
        let bits = |part: Part| rolled.part(part).iter().map(|value| value.to_bits()).collect::<Vec<_>>();
        let untold = NO_HISTOGRAM.to_bits();
        assert_eq!(bits(Part::Last), [histogram.to_bits(), 3f64.to_bits(), 6f64.to_bits()]);
        assert_eq!(bits(Part::Sum), [untold, untold, 11f64.to_bits()]);
        assert_eq!(bits(Part::Increase), [untold, untold, (2f64 + 1.0).to_bits()]);
    }

    #[test]
    fn staleness_markers_are_the_last_of_a_bucket_and_nothing_else() {
        let mut rolled = Rolled::default();
        rolled.roll(&series(&[10, 20, 110], &[4.0, STALE_NAN, STALE_NAN]), 100, 0);
        assert_eq!(rolled.times_ms, [100, 200]);
        assert_eq!((rolled.part(Part::Count)[0], rolled.part(Part::Max)[0]), (1.0, 4.0));
        for part in Part::ALL {
            assert!(is_stale(rolled.part(part)[1]), "{part:?}");
        }
        assert!(is_stale(rolled.part(Part::Last)[0]));
    }
}
