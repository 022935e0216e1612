//! What two histograms have in common: the buckets that either can be poured into.

use std::borrow::Cow;

use super::{Buckets, Histogram};

/// Two histograms of which one has bounds of its own and the other has not: nothing can be said of both together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Incompatible;

impl std::fmt::Display for Incompatible {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("histograms with exponential and with custom buckets have nothing in common")
    }
}

impl std::error::Error for Incompatible {}

/// Buckets that histograms are poured into.
pub(super) enum Layout {
    Exponential { schema: i8, zero_threshold: f64 },
    Custom { bounds: Vec<f64>, is_reconciled: bool },
}

impl Layout {
    /// The finest buckets that both can be poured into.
    pub(super) fn of(a: &Histogram, b: &Histogram) -> Result<Self, Incompatible> {
        match (a.has_custom_bounds(), b.has_custom_bounds()) {
            (false, false) => {
                let schema = a.schema.min(b.schema);
                Ok(Self::Exponential { schema, zero_threshold: common_threshold(a, b) })
            }
            (true, true) if a.custom_bounds == b.custom_bounds => {
                Ok(Self::Custom { bounds: a.custom_bounds.clone(), is_reconciled: false })
            }
            (true, true) => {
                let bounds = common_bounds(&a.custom_bounds, &b.custom_bounds);
                Ok(Self::Custom { bounds, is_reconciled: true })
            }
            _ => Err(Incompatible),
        }
    }

    /// Whether bounds of their own were not the same, and some were given up.
    pub(super) fn is_reconciled(&self) -> bool {
        matches!(self, Self::Custom { is_reconciled: true, .. })
    }
}

/// The smallest zero bucket that has the zero buckets of both within it, and ends within no bucket of either.
fn common_threshold(a: &Histogram, b: &Histogram) -> f64 {
    let mut threshold = a.zero_threshold.max(b.zero_threshold);
    if a.zero_threshold == b.zero_threshold {
        return threshold;
    }
    loop {
        let wider = b.threshold_from(a.threshold_from(threshold));
        // A NaN is as wide as it gets.
        if wider.partial_cmp(&threshold) != Some(std::cmp::Ordering::Greater) {
            return threshold;
        }
        threshold = wider;
    }
}

fn common_bounds(a: &[f64], b: &[f64]) -> Vec<f64> {
    let mut others = b.iter().peekable();
    let is_common = |bound: &&f64| {
        while others.next_if(|other| other < bound).is_some() {}
        others.peek() == Some(bound)
    };
    a.iter().filter(is_common).copied().collect()
}

impl Histogram {
    /// The least threshold from this one on that ends within no bucket that has anything in it.
    pub(super) fn threshold_from(&self, threshold: f64) -> f64 {
        if threshold == self.zero_threshold {
            return threshold;
        }
        let mut threshold = threshold;
        loop {
            let filled =
                self.positive.indexed().chain(self.negative.indexed()).filter(|(_, count)| *count != 0.0);
            let around = filled
                .map(|(index, _)| (self.bound(index - 1), self.bound(index)))
                .find(|(near, far)| *near < threshold && *far > threshold);
            match around {
                Some((_, far)) => threshold = far,
                None => return threshold,
            }
        }
    }

    /// Pours it into other buckets, which are coarser than its own.
    pub(super) fn pour(&mut self, layout: &Layout) {
        match layout {
            Layout::Exponential { schema, zero_threshold } => {
                if *zero_threshold != self.zero_threshold {
                    self.widen_zero_bucket(*zero_threshold);
                }
                if *schema < self.schema {
                    self.reduce_resolution(*schema);
                }
            }
            Layout::Custom { bounds, .. } => {
                if *bounds != self.custom_bounds {
                    self.change_bounds(bounds);
                }
            }
        }
    }

    /// Reduces its resolution to that of another one, if that is lower.
    pub fn be_as_coarse_as(&mut self, other: &Self) {
        let are_exponential = !self.has_custom_bounds() && !other.has_custom_bounds();
        if are_exponential && other.schema < self.schema {
            self.reduce_resolution(other.schema);
        }
    }

    /// The same, poured into other buckets.
    pub(super) fn poured(&self, layout: &Layout) -> Cow<'_, Self> {
        let is_as_it_is = match layout {
            Layout::Exponential { schema, zero_threshold } => {
                *schema == self.schema && *zero_threshold == self.zero_threshold
            }
            Layout::Custom { bounds, .. } => *bounds == self.custom_bounds,
        };
        if is_as_it_is {
            return Cow::Borrowed(self);
        }
        let mut poured = self.clone();
        poured.pour(layout);
        Cow::Owned(poured)
    }

    fn widen_zero_bucket(&mut self, threshold: f64) {
        let mut swallowed = 0.0;
        let (positive, negative) = (&self.positive, &self.negative);
        let [positive, negative] = [positive, negative].map(|side| {
            Buckets::from_indexed(side.indexed().filter(|(index, count)| {
                let is_within = self.bound(index - 1) < threshold;
                swallowed += if is_within { *count } else { 0.0 };
                !is_within
            }))
        });
        self.positive = positive;
        self.negative = negative;
        self.zero_count += swallowed;
        self.zero_threshold = threshold;
    }

    fn reduce_resolution(&mut self, schema: i8) {
        let by = u32::from((self.schema - schema).unsigned_abs());
        for side in [&mut self.positive, &mut self.negative] {
            *side =
                Buckets::from_indexed(side.indexed().map(|(index, count)| (((index - 1) >> by) + 1, count)));
        }
        self.schema = schema;
    }

    fn change_bounds(&mut self, bounds: &[f64]) {
        let wider = self.positive.indexed().map(|(index, count)| {
            let upper = self.bound(index);
            (bounds.partition_point(|bound| *bound < upper) as i64, count)
        });
        self.positive = Buckets::from_indexed(wider);
        self.custom_bounds = bounds.to_vec();
    }
}
