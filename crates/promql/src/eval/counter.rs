//! The change of a counter or a gauge over windows, extrapolated to their edges as Prometheus does.

use super::overlap::Overlap;
use super::window::{Run, Window, Windows};

/// Where the first and the last of some samples lie in a window.
#[derive(Clone, Copy)]
struct Sampled {
    first_ms: i64,
    last_ms: i64,
    /// How many samples come after the first one; one at least.
    distances: usize,
    start_ms: i64,
    end_ms: i64,
}

impl Sampled {
    /// Of a window that has two samples at least.
    fn of(window: Window<'_>) -> Option<Self> {
        let [first_ms, .., last_ms] = *window.times_ms else { return None };
        let (distances, Window { start_ms, end_ms, .. }) = (window.times_ms.len() - 1, window);
        Some(Self { first_ms, last_ms, distances, start_ms, end_ms })
    }

    /// By what the change from the first sample to the last is multiplied to be that over the window: up to an edge
    /// that is no farther than 1.1 times the mean distance of samples, else by half that distance. A counter, of which
    /// the first value and the change are given, is never below zero.
    #[inline]
    fn reach(self, counter: Option<(f64, f64)>) -> f64 {
        let sampled = (self.last_ms - self.first_ms) as f64;
        let mean_distance = sampled / self.distances as f64;
        let to_edge = |distance_ms: i64| {
            let distance = distance_ms as f64;
            if distance >= mean_distance * 1.1 { mean_distance / 2.0 } else { distance }
        };
        let mut to_start = to_edge(self.first_ms - self.start_ms);
        if let Some((first, change)) = counter
            && change > 0.0
            && first >= 0.0
            // Asked without a division: few counters are near zero.
            && sampled * first < to_start * change
        {
            to_start = sampled * (first / change);
        }
        (sampled + to_start + to_edge(self.end_ms - self.last_ms)) / sampled
    }
}

/// The change over the window, extrapolated to its edges. What a counter was before each fall is added again. The result
/// is divided by `divisor`.
#[inline]
pub(super) fn extrapolated(
    window: Window<'_>,
    falls: Option<impl Iterator<Item = f64>>,
    divisor: f64,
) -> Option<f64> {
    let (&first, &last) = (window.values.first()?, window.values.last()?);
    let sampled = Sampled::of(window)?;
    let change = last - first;
    Some(match falls {
        None => change * (sampled.reach(None) / divisor),
        Some(falls) => {
            let change = falls.fold(change, |change, before| change + before);
            change * (sampled.reach(Some((first, change))) / divisor)
        }
    })
}

impl Windows {
    /// The change of a counter in each window of a run that has numbers only, divided by `divisor`; windows with less
    /// than two samples are left as they are. Says whether there was any other.
    pub(super) fn counter_changes(
        &self,
        run: &Run<'_>,
        places: &[(usize, usize)],
        overlap: &Overlap,
        divisor: f64,
        into: &mut [f64],
    ) -> bool {
        let mut any = false;
        for (step, (&(first, end), value)) in places.iter().zip(into).enumerate() {
            if end - first < 2 {
                continue;
            }
            let (times_ms, values) = (&run.times_ms[first..end], &run.values[first..end]);
            let end_ms = self.clock.time_ms(step);
            let window = Window { first, times_ms, values, start_ms: end_ms - self.range_ms(), end_ms };
            let falls = overlap.marks(first, end).iter().map(|place| run.values[place - 1]);
            let Some(change) = extrapolated(window, Some(falls), divisor) else { continue };
            *value = change;
            any = true;
        }
        any
    }
}
