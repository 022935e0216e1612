//! Sums and means of native histograms, with what is worth a remark about them.

use model::Histogram;
use model::histogram::{Combined, HistogramMean, HistogramSum, Incompatible, ResetHint};

use super::Evaluation;
use super::remarks::Deed;
use crate::notes::Place;

/// A sum or a mean of some histograms.
#[derive(Clone, Debug)]
pub(super) struct HistogramFold {
    state: State,
    seen: Seen,
}

#[derive(Clone, Debug)]
enum State {
    Sum(Box<HistogramSum>),
    Mean(Box<HistogramMean>),
    /// There was one that does not go with the others.
    Incompatible,
}

/// What was seen of the histograms.
#[derive(Clone, Copy, Debug, Default)]
struct Seen {
    reset: bool,
    no_reset: bool,
    other_bounds: bool,
}

impl HistogramFold {
    pub(super) fn sum(first: &Histogram) -> Self {
        Self::begin(State::Sum(Box::new(HistogramSum::from(first.clone()))), first)
    }

    pub(super) fn mean(first: &Histogram) -> Self {
        Self::begin(State::Mean(Box::new(HistogramMean::from(first.clone()))), first)
    }

    fn begin(state: State, first: &Histogram) -> Self {
        let mut fold = Self { state, seen: Seen::default() };
        fold.see(first);
        fold
    }

    fn see(&mut self, histogram: &Histogram) {
        self.seen.reset |= histogram.reset == ResetHint::Reset;
        self.seen.no_reset |= histogram.reset == ResetHint::NotReset;
    }

    /// Adds one more. Once one does not go with the others there is no result.
    pub(super) fn add(&mut self, histogram: &Histogram) -> Result<(), Incompatible> {
        let added = match &mut self.state {
            State::Sum(sum) => sum.add(histogram),
            State::Mean(mean) => mean.add(histogram),
            State::Incompatible => return Ok(()),
        };
        match added {
            Ok(Combined { bounds_reconciled, .. }) => {
                self.see(histogram);
                self.seen.other_bounds |= bounds_reconciled;
                Ok(())
            }
            Err(incompatible) => {
                self.state = State::Incompatible;
                Err(incompatible)
            }
        }
    }

    /// The result, and remarks about it.
    pub(super) fn finish(self, evaluation: &Evaluation<'_>, place: Place) -> Option<Histogram> {
        if self.seen.other_bounds {
            evaluation.inform_of_bounds(Deed::Aggregation, place);
        }
        let result = match self.state {
            State::Sum(sum) => sum.total(),
            State::Mean(mean) => mean.mean(),
            State::Incompatible => return None,
        };
        if self.seen.reset && self.seen.no_reset {
            evaluation.warn_of_resets(Deed::Aggregation, place);
        }
        Some(result.compacted())
    }

    /// How many values take as much memory.
    pub(super) fn size_in_values(&self) -> usize {
        let bytes = match &self.state {
            State::Sum(sum) => sum.size_bytes(),
            State::Mean(mean) => mean.size_bytes(),
            State::Incompatible => 0,
        };
        (bytes + size_of::<Self>()) / size_of::<f64>()
    }
}
