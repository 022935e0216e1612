//! What it says of a counter when it began: resets that its values do not show, and where it was zero.
//!
//! Few series tell. Of all others a run has no starts, and nothing here is asked but that.

use model::{Moment, NO_START};

use super::Evaluation;
use super::window::{Run, Window};
use crate::notes::Place;

impl Run<'_> {
    fn moment(&self, place: usize) -> Option<Moment> {
        Some(Moment { time_ms: *self.times_ms.get(place)?, start_ms: *self.starts.get(place)? })
    }

    /// Whether the start of a sample says that it counts anew since the sample before.
    pub(super) fn began_again(&self, place: usize) -> bool {
        let before = place.checked_sub(1).and_then(|before| self.moment(before));
        before.zip(self.moment(place)).is_some_and(|(before, now)| now.began_again_after(before))
    }

    /// When the counter was zero, if that lies in a window, before its first sample.
    pub(super) fn began_in(&self, window: Window<'_>) -> Option<i64> {
        let first = self.moment(window.first)?;
        let is_known = first.start_ms != NO_START;
        (is_known && first.start_ms > window.start_ms && first.start_ms < first.time_ms)
            .then_some(first.start_ms)
    }

    /// The starts of the samples of a window; none, when none is known.
    pub(super) fn starts_in(&self, window: Window<'_>) -> &[i64] {
        self.starts.get(window.first..window.first + window.values.len()).unwrap_or_default()
    }

    /// Whether a sample of a window counts since before the one before it, and since another time.
    fn overlaps_in(&self, window: Window<'_>) -> bool {
        let places = window.first + 1..window.first + window.values.len();
        places.into_iter().any(|place| {
            let pair = self.moment(place - 1).zip(self.moment(place));
            pair.is_some_and(|(before, now)| now.overlaps(before))
        })
    }
}

/// The increase since a counter was zero at `began_ms`, before the first sample of a window. Towards the end of the
/// window it is extrapolated as without a start.
pub(super) fn since_zero(window: Window<'_>, began_ms: i64, increase: f64, divisor: f64) -> f64 {
    increase * (reach(window.times_ms, window.end_ms, began_ms) / divisor)
}

/// By what an increase since `began_ms` is multiplied to be that until the end of a window.
pub(super) fn reach(times_ms: &[i64], end_ms: i64, began_ms: i64) -> f64 {
    let [first_ms, last_ms] = [times_ms.first(), times_ms.last()].map(|time| time.copied().unwrap_or(end_ms));
    let seconds = |from_ms: i64, to_ms: i64| (to_ms - from_ms) as f64 / 1000.0;
    let mean_distance = match times_ms.len() {
        0 | 1 => 0.0,
        samples => seconds(first_ms, last_ms) / (samples - 1) as f64,
    };
    let to_end = seconds(last_ms, end_ms);
    let to_end = if to_end >= mean_distance * 1.1 { mean_distance / 2.0 } else { to_end };
    let counted = seconds(began_ms, last_ms);
    (counted + to_end) / counted
}

impl Evaluation<'_> {
    /// Warns of starts in a window that contradict each other; says whether it did.
    pub(super) fn warn_of_overlap(&self, run: &Run<'_>, window: Window<'_>, place: Place) -> bool {
        let overlaps = run.overlaps_in(window);
        if overlaps {
            let name = run.labels.metric_name();
            let text = "sample has start time that overlaps with previous sample timestamp for metric";
            self.warn(&format!("{text} {name:?}"), place);
        }
        overlaps
    }
}
