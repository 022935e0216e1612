//! Rollups instead of samples: a query with large steps needs no more of every five minutes than was written down
//! when the day was over.

use std::collections::HashSet;
use std::time::Duration;

use model::histogram::histogram_place;
use model::{Labels, is_stale};
use store::{RollupBuffer, RollupCursor, RollupPart, SelectRequest};

use super::overlap::Overlap;
use super::window::{Windows, range};
use super::{Evaluation, Sink};
use crate::Error;
use crate::notes::Place;
use crate::plan::{OverTime, RangeExpr, Selector, WindowFunction};
use crate::steps::{StepSeries, Steps};

/// The lengths of buckets, the longest first.
const BUCKETS_MS: [i64; 2] = [3_600_000, 300_000];
/// Of how many buckets a window must be for the increase of a counter: the sum over buckets counts from the last
/// sample before the window, where samples give an extrapolation. The more buckets, the closer the two are.
const BUCKETS_OF_INCREASE: i64 = 12;

/// How a function over samples is one over rollups.
#[derive(Clone, Copy)]
struct Rule {
    part: RollupPart,
    /// What is done with the parts of a window.
    fold: WindowFunction,
    /// What the result is divided by, bucket by bucket.
    divisor: Option<RollupPart>,
    /// The fewest buckets of a window.
    buckets: i64,
    /// Whether the answer is the one that samples give. Others are for where samples are gone.
    is_exact: bool,
}

impl Rule {
    fn of(function: WindowFunction) -> Option<Self> {
        use WindowFunction as F;
        let rule = |part, fold| Some(Self { part, fold, divisor: None, buckets: 1, is_exact: true });
        match function {
            F::Count => rule(RollupPart::Count, F::Sum),
            F::Sum => rule(RollupPart::Sum, F::Sum),
            F::Minimum => rule(RollupPart::Min, F::Minimum),
            F::Maximum => rule(RollupPart::Max, F::Maximum),
            F::Average => {
                rule(RollupPart::Sum, F::Sum).map(|rule| Self { divisor: Some(RollupPart::Count), ..rule })
            }
            F::Increase | F::Rate => {
                let increase = rule(RollupPart::Increase, F::Sum);
                increase.map(|rule| Self { buckets: BUCKETS_OF_INCREASE, is_exact: false, ..rule })
            }
            _ => None,
        }
    }
}

/// The longest buckets of which windows consist.
fn bucket_ms(windows: Windows, fewest: i64) -> Option<i64> {
    let (step_ms, range_ms) = (windows.step_ms().unwrap_or(0), windows.range_ms());
    BUCKETS_MS.into_iter().find(|bucket_ms| {
        [step_ms, range_ms, windows.clock.first_ms()].iter().all(|length_ms| length_ms % bucket_ms == 0)
            && range_ms >= fewest * bucket_ms
    })
}

/// What was answered from rollups.
pub(super) enum Rolled {
    Nothing,
    Everything,
    /// All but some series that have histograms, of which rollups say nothing.
    AllBut(HashSet<Labels>),
}

impl Rolled {
    fn all_but(histograms: HashSet<Labels>) -> Self {
        if histograms.is_empty() { Self::Everything } else { Self::AllBut(histograms) }
    }
}

/// Whether a series has histograms.
fn has_histograms(rolled: &RollupBuffer) -> bool {
    rolled.parts.iter().flatten().any(|value| histogram_place(*value).is_some())
}

impl Evaluation<'_> {
    /// Answers a function over windows from rollups, if there are any that can.
    pub(super) fn over_rollups(
        &self,
        over_time: &OverTime,
        windows: Windows,
        steps: Steps,
        sink: &mut Sink<'_>,
    ) -> Result<Rolled, Error> {
        let RangeExpr::Selector { selector, range_ms } = &over_time.range else { return Ok(Rolled::Nothing) };
        let Some(rule) = Rule::of(over_time.function) else { return Ok(Rolled::Nothing) };
        let Some(bucket_ms) = bucket_ms(windows, rule.buckets) else { return Ok(Rolled::Nothing) };
        // One window is read from samples, if there are any.
        let is_wanted = rule.is_exact && windows.step_ms().is_some();
        if !is_wanted && !self.store.rollups_stand_in(range(windows.bounds())) {
            return Ok(Rolled::Nothing);
        }
        let parts: Vec<RollupPart> = [rule.part].into_iter().chain(rule.divisor).collect();
        let opened = self.rollups(selector, windows.bounds(), bucket_ms, &parts)?;
        let Some(mut cursor) = opened else { return Ok(Rolled::Nothing) };
        let mut histograms = HashSet::new();
        self.note_rollups(bucket_ms, over_time.range_place);
        let per_second =
            if over_time.function == WindowFunction::Rate { *range_ms as f64 / 1000.0 } else { 1.0 };
        let mut rolled = RollupBuffer::default();
        let mut series = StepSeries::new(Labels::empty(), steps);
        let [mut fold, mut fold_divisor] = [Overlap::new(rule.fold), Overlap::new(rule.fold)];
        let mut places = Vec::new();
        let mut count = 0;
        while cursor.next_series(&mut rolled)? {
            self.check()?;
            count += 1;
            self.count_read(count, rolled.times_ms.len())?;
            if has_histograms(&rolled) {
                self.hold_series(&rolled.labels, 0)?;
                histograms.insert(rolled.labels.clone());
                continue;
            }
            drop_stale_buckets(&mut rolled);
            windows.places(&rolled.times_ms, &mut places);
            fold.look_at_windows(&rolled.parts[0], &places);
            let divisor = rolled.parts.get(1);
            if let Some(divisor) = divisor {
                fold_divisor.look_at_windows(divisor, &places);
            }
            series.clear(steps);
            let windows = series.values.iter_mut().zip(&places).filter(|(_, (first, end))| first < end);
            for (value, &(first, end)) in windows {
                let by = divisor.map_or(per_second, |divisor| fold_divisor.folded(divisor, first, end));
                *value = fold.folded(&rolled.parts[0], first, end) / by;
            }
            if !series.is_empty() {
                series.labels = rolled.labels.clone();
                series.drop_name = true;
                sink(&mut series)?;
            }
        }
        Ok(Rolled::all_but(histograms))
    }

    /// Answers a selector from rollups, if each step looks back over exactly one bucket.
    pub(super) fn select_rollups(
        &self,
        selector: &Selector,
        windows: Windows,
        steps: Steps,
        sink: &mut Sink<'_>,
    ) -> Result<Rolled, Error> {
        let Some(bucket_ms) = bucket_ms(windows, 1) else { return Ok(Rolled::Nothing) };
        if windows.step_ms().is_none() || windows.range_ms() != bucket_ms {
            return Ok(Rolled::Nothing);
        }
        let opened = self.rollups(selector, windows.bounds(), bucket_ms, &[RollupPart::Last])?;
        let Some(mut cursor) = opened else { return Ok(Rolled::Nothing) };
        let mut histograms = HashSet::new();
        self.note_rollups(bucket_ms, selector.place);
        let mut last = RollupBuffer::default();
        let mut series = StepSeries::new(Labels::empty(), steps);
        let mut places = Vec::new();
        let mut count = 0;
        while cursor.next_series(&mut last)? {
            self.check()?;
            count += 1;
            self.count_read(count, last.times_ms.len())?;
            if has_histograms(&last) {
                self.hold_series(&last.labels, 0)?;
                histograms.insert(last.labels.clone());
                continue;
            }
            windows.places(&last.times_ms, &mut places);
            series.clear(steps);
            for (value, &(first, end)) in series.values.iter_mut().zip(&places) {
                // There is one at the most, and a staleness marker is what is absent.
                *value = last.parts[0][first..end].last().copied().unwrap_or(*value);
            }
            if !series.is_empty() {
                series.labels = last.labels.clone();
                series.drop_name = false;
                sink(&mut series)?;
            }
        }
        Ok(Rolled::all_but(histograms))
    }

    fn rollups(
        &self,
        selector: &Selector,
        bounds_ms: (i64, i64),
        bucket_ms: i64,
        parts: &[RollupPart],
    ) -> Result<Option<Box<dyn RollupCursor>>, Error> {
        if !self.limits.rollups {
            return Ok(None);
        }
        let request = SelectRequest {
            matchers: selector.matchers.clone(),
            range: range(bounds_ms),
            values: None,
            max_samples: self.limits.max_samples.saturating_sub(self.samples_read.get()),
            cancel: self.cancel.clone(),
        };
        let bucket = Duration::from_millis(bucket_ms.unsigned_abs());
        Ok(self.store.rollups(&request, bucket, parts)?)
    }

    fn note_rollups(&self, bucket_ms: i64, place: Place) {
        let text = format!("answered from rollups of {}m", bucket_ms / 60_000);
        self.notes.borrow_mut().info_of_query(&text, place);
    }
}

/// Takes buckets away that have nothing but staleness markers: all their parts but the last value are.
fn drop_stale_buckets(rolled: &mut RollupBuffer) {
    if !rolled.parts[0].iter().any(|value| is_stale(*value)) {
        return;
    }
    let is_kept: Vec<bool> = rolled.parts[0].iter().map(|value| !is_stale(*value)).collect();
    let retain = |place: &mut std::slice::Iter<'_, bool>| place.next().copied().unwrap_or(false);
    let mut place = is_kept.iter();
    rolled.times_ms.retain(|_| retain(&mut place));
    for part in &mut rolled.parts {
        let mut place = is_kept.iter();
        part.retain(|_| retain(&mut place));
    }
}
