//! The mean and the variance of observations.

use super::Histogram;
use super::sum::add_compensated;

impl Histogram {
    /// The mean of all observations.
    pub fn average(&self) -> f64 {
        self.sum / self.count
    }

    /// The population variance, each observation taken for the middle of its bucket: the geometric mean of the bounds,
    /// zero in the zero bucket, and the arithmetic mean where bounds are the histogram's own.
    pub fn variance(&self) -> f64 {
        let mean = self.average();
        let (mut squares, mut lost) = (0.0, 0.0);
        for bucket in self.buckets().iter().filter(|bucket| bucket.count != 0.0) {
            let middle = if self.has_custom_bounds() {
                bucket.lower.midpoint(bucket.upper)
            } else if bucket.lower <= 0.0 && bucket.upper >= 0.0 {
                0.0
            } else {
                (bucket.upper * bucket.lower).sqrt().copysign(bucket.upper)
            };
            let distance = middle - mean;
            add_compensated(&mut squares, &mut lost, bucket.count * distance * distance);
        }
        (squares + lost) / self.count
    }
}
