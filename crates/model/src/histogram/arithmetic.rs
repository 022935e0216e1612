//! Sums, differences and multiples of histograms.

use super::layout::{Incompatible, Layout};
use super::{Buckets, Histogram, ResetHint};

/// What is worth a note about a sum or a difference.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Combined {
    /// One of both was told to come after a reset, and the other to come after none.
    pub resets_collide: bool,
    /// Bounds of their own were not the same: those that both have were kept.
    pub bounds_reconciled: bool,
}

impl Histogram {
    /// Adds another one. Of two resolutions the lower one is that of the sum.
    pub fn add(&mut self, other: &Self) -> Result<Combined, Incompatible> {
        self.combine(other, 1.0)
    }

    /// Subtracts another one. Whether the difference is a gauge is for the caller to say.
    pub fn subtract(&mut self, other: &Self) -> Result<Combined, Incompatible> {
        self.combine(other, -1.0)
    }

    fn combine(&mut self, other: &Self, sign: f64) -> Result<Combined, Incompatible> {
        let layout = Layout::of(self, other)?;
        let resets_collide = self.join_reset(other.reset);
        self.pour(&layout);
        let other = other.poured(&layout);
        self.zero_count += sign * other.zero_count;
        self.count += sign * other.count;
        self.sum += sign * other.sum;
        self.positive.combine(&other.positive, sign);
        self.negative.combine(&other.negative, sign);
        Ok(Combined { resets_collide, bounds_reconciled: layout.is_reconciled() })
    }

    /// What is known of resets of two histograms together; `true` when the one contradicts the other.
    pub(super) fn join_reset(&mut self, other: ResetHint) -> bool {
        use ResetHint::{Gauge, NotReset, Reset, Unknown};
        let (joined, collide) = match (self.reset, other) {
            (a, b) if a == b => (a, false),
            (Gauge, _) | (_, Gauge) => (Gauge, false),
            (Reset, NotReset) | (NotReset, Reset) => (Unknown, true),
            _ => (Unknown, false),
        };
        self.reset = joined;
        collide
    }

    /// Multiplies all counts and the sum.
    pub fn multiply(&mut self, factor: f64) {
        self.each_number(|number| *number *= factor);
        if factor < 0.0 {
            self.reset = ResetHint::Gauge;
        }
    }

    /// Divides all counts and the sum. Nothing is left of buckets when they are divided by zero.
    pub fn divide(&mut self, divisor: f64) {
        if divisor == 0.0 {
            self.positive = Buckets::default();
            self.negative = Buckets::default();
        }
        self.each_number(|number| *number /= divisor);
        if divisor < 0.0 {
            self.reset = ResetHint::Gauge;
        }
    }

    fn each_number(&mut self, change: impl Fn(&mut f64)) {
        [&mut self.zero_count, &mut self.count, &mut self.sum].into_iter().for_each(&change);
        self.positive.each(&change);
        self.negative.each(&change);
    }

    /// Drops empty buckets, and joins spans between which none is left.
    pub fn compact(&mut self) {
        self.positive.compact();
        self.negative.compact();
    }

    /// The same without empty buckets.
    pub fn compacted(mut self) -> Self {
        self.compact();
        self
    }
}

impl Buckets {
    fn combine(&mut self, other: &Self, sign: f64) {
        if self.spans == other.spans && self.counts.len() == other.counts.len() {
            for (count, other) in self.counts.iter_mut().zip(&other.counts) {
                *count += sign * other;
            }
        } else if !other.counts.is_empty() {
            *self =
                Self::from_indexed(self.beside(other).map(|(index, own, other)| (index, own + sign * other)));
        }
    }
}
