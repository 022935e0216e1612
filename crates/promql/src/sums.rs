//! Sums and moments that keep the digits which plain addition loses. The results equal Prometheus'.

use crate::steps::ABSENT;

/// A sum with Neumaier's compensation.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct KahanSum {
    sum: f64,
    lost: f64,
}

impl KahanSum {
    /// What an addition loses is computed without asking which term is the larger one (Knuth's two-sum): it is
    /// the same number, and no step waits for a branch. Once the sum overflows, what is lost means nothing.
    pub(crate) fn add(&mut self, value: f64) {
        let total = self.sum + value;
        let added = total - self.sum;
        self.lost += (self.sum - (total - added)) + (value - added);
        self.sum = total;
    }

    pub(crate) fn of(values: &[f64]) -> Self {
        let mut sum = Self::default();
        values.iter().for_each(|value| sum.add(*value));
        sum
    }

    /// The sum of both.
    pub(crate) fn joined(mut self, other: Self) -> Self {
        self.add(other.sum);
        Self { sum: self.sum, lost: self.lost + other.lost }
    }

    pub(crate) fn total(self) -> f64 {
        if self.sum.is_finite() { self.sum + self.lost } else { self.sum }
    }

    /// The mean of so many terms whose sum this is, if it has not overflowed.
    pub(crate) fn mean(self, count: f64) -> f64 {
        self.sum / count + self.lost / count
    }

    fn scaled(self, factor: f64) -> Self {
        Self { sum: self.sum * factor, lost: self.lost * factor }
    }
}

/// An arithmetic mean: a plain sum until that overflows, an incremental mean from there on.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Mean {
    state: KahanSum,
    count: f64,
    incremental: bool,
}

impl Mean {
    pub(crate) fn add(&mut self, value: f64) {
        self.count += 1.0;
        if self.count == 1.0 {
            self.state = KahanSum { sum: value, lost: 0.0 };
            return;
        }
        if !self.incremental {
            let mut next = self.state;
            next.add(value);
            if !next.sum.is_infinite() {
                self.state = next;
                return;
            }
            self.incremental = true;
            let before = self.count - 1.0;
            self.state = KahanSum { sum: self.state.sum / before, lost: self.state.lost / before };
        }
        self.state = self.state.scaled((self.count - 1.0) / self.count);
        self.state.add(value / self.count);
    }

    pub(crate) fn value(self) -> f64 {
        if self.incremental || !self.state.sum.is_finite() {
            self.state.total()
        } else {
            self.state.mean(self.count)
        }
    }

    pub(crate) fn of(values: &[f64]) -> f64 {
        let mut mean = Self::default();
        values.iter().for_each(|value| mean.add(*value));
        mean.value()
    }
}

/// The least, or the greatest, value; any number is better than NaN.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Extreme<const GREATEST: bool>(f64);

impl<const GREATEST: bool> Extreme<GREATEST> {
    /// Of no values. What is absent is a NaN, so the first value always wins.
    pub(crate) const EMPTY: Self = Self(ABSENT);

    const WORST: f64 = if GREATEST { f64::NEG_INFINITY } else { f64::INFINITY };

    /// No NaN is better than anything.
    fn better(value: f64, best: f64) -> f64 {
        if if GREATEST { value > best } else { value < best } { value } else { best }
    }

    pub(crate) fn add(&mut self, value: f64) {
        self.0 = if self.0.is_nan() { value } else { Self::better(value, self.0) };
    }

    pub(crate) fn value(self) -> f64 {
        self.0
    }

    /// Of these values, four at a time.
    pub(crate) fn of(values: &[f64]) -> f64 {
        let (fours, rest) = values.as_chunks::<4>();
        let mut best = [Self::WORST; 4];
        for four in fours {
            for (best, value) in best.iter_mut().zip(four) {
                *best = Self::better(*value, *best);
            }
        }
        let found = best.iter().chain(rest).fold(Self::WORST, |best, value| Self::better(*value, best));
        if found == Self::WORST {
            // None was better: all are the worst there is, or NaN.
            let mut extreme = Self::EMPTY;
            values.iter().for_each(|value| extreme.add(*value));
            return extreme.value();
        }
        found
    }
}

/// A population variance by Welford's method, compensated.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Variance {
    count: f64,
    mean: KahanSum,
    squares: KahanSum,
}

impl Variance {
    pub(crate) fn add(&mut self, value: f64) {
        self.count += 1.0;
        let delta = value - (self.mean.sum + self.mean.lost);
        self.mean.add(delta / self.count);
        self.squares.add(delta * (value - (self.mean.sum + self.mean.lost)));
    }

    pub(crate) fn of(values: &[f64]) -> f64 {
        let mut variance = Self::default();
        values.iter().for_each(|value| variance.add(*value));
        variance.value()
    }

    pub(crate) fn value(self) -> f64 {
        (self.squares.sum + self.squares.lost) / self.count
    }
}

/// The order in which Prometheus ranks values: NaN comes before every number.
pub(crate) fn nan_first(a: f64, b: f64) -> std::cmp::Ordering {
    a.partial_cmp(&b).unwrap_or_else(|| b.is_nan().cmp(&a.is_nan()))
}

/// The φ-quantile of values, interpolated between neighbours. Sorts the values.
pub(crate) fn quantile(phi: f64, values: &mut [f64]) -> f64 {
    if values.is_empty() || phi.is_nan() {
        return f64::NAN;
    }
    if phi < 0.0 {
        return f64::NEG_INFINITY;
    }
    if phi > 1.0 {
        return f64::INFINITY;
    }
    values.sort_by(|a, b| nan_first(*a, *b));
    let last = values.len() - 1;
    let rank = phi * last as f64;
    let lower = rank.floor();
    let upper = (lower as usize + 1).min(last);
    let weight = rank - lower;
    values[lower as usize] * (1.0 - weight) + values[upper] * weight
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sum_keeps_what_large_terms_would_swallow() {
        let mut sum = KahanSum::default();
        [1.0, 1e100, 1.0, -1e100].into_iter().for_each(|value| sum.add(value));
        assert_eq!(sum.total(), 2.0);
    }

    #[test]
    fn a_mean_survives_a_sum_that_overflows() {
        let mut mean = Mean::default();
        [f64::MAX, f64::MAX, f64::MAX].into_iter().for_each(|value| mean.add(value));
        assert!((mean.value() / f64::MAX - 1.0).abs() < 1e-15);
    }

    #[test]
    fn quantiles_interpolate_and_rank_nan_lowest() {
        assert_eq!(quantile(0.5, &mut [4.0, 1.0]), 2.5);
        assert_eq!(quantile(1.0, &mut [1.0, f64::NAN]), 1.0);
        assert!(quantile(0.0, &mut [1.0, f64::NAN]).is_nan());
        assert_eq!(quantile(-1.0, &mut [1.0]), f64::NEG_INFINITY);
    }
}
