//! Aggregations that fold each series into its group, so that memory grows with groups.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use model::labels::METRIC_NAME;
use model::{Histogram, Labels};

use super::fold::HistogramFold;
use super::held::labels_in_values;
use super::{Evaluation, Sink};
use crate::Error;
use crate::labelset::LabelFilter;
use crate::notes::Place;
use crate::plan::{Aggregate, Aggregation, ScalarExpr, VectorExpr};
use crate::steps::{ABSENT, Point, StepSeries, Steps, histogram_at, is_present};
use crate::sums::{Extreme, KahanSum, Mean, Variance, quantile};
use crate::value::format_plain;

/// What an aggregation does with histograms.
#[derive(Clone, Copy)]
enum OfHistograms {
    /// It looks at numbers only.
    Ignored,
    /// It counts them as it counts numbers.
    Counted,
    /// It makes one of all of them.
    Folded(fn(&Histogram) -> HistogramFold),
}

/// What a group keeps at each step.
trait Fold: Clone {
    const EMPTY: Self;
    const HISTOGRAMS: OfHistograms = OfHistograms::Ignored;
    fn add(&mut self, value: f64);
    /// The result; [`ABSENT`] when nothing was added.
    fn finish(self) -> f64;
}

#[derive(Clone)]
struct Sum(Option<KahanSum>);

impl Fold for Sum {
    const EMPTY: Self = Self(None);
    const HISTOGRAMS: OfHistograms = OfHistograms::Folded(HistogramFold::sum);
    fn add(&mut self, value: f64) {
        self.0.get_or_insert_default().add(value);
    }
    fn finish(self) -> f64 {
        self.0.map_or(ABSENT, KahanSum::total)
    }
}

#[derive(Clone)]
struct Average(Option<Mean>);

impl Fold for Average {
    const EMPTY: Self = Self(None);
    const HISTOGRAMS: OfHistograms = OfHistograms::Folded(HistogramFold::mean);
    fn add(&mut self, value: f64) {
        self.0.get_or_insert_default().add(value);
    }
    fn finish(self) -> f64 {
        self.0.map_or(ABSENT, Mean::value)
    }
}

impl<const GREATEST: bool> Fold for Extreme<GREATEST> {
    const EMPTY: Self = Self::EMPTY;
    fn add(&mut self, value: f64) {
        self.add(value);
    }
    fn finish(self) -> f64 {
        self.value()
    }
}

#[derive(Clone)]
struct Count(f64);

impl Fold for Count {
    const EMPTY: Self = Self(0.0);
    const HISTOGRAMS: OfHistograms = OfHistograms::Counted;
    fn add(&mut self, _: f64) {
        self.0 += 1.0;
    }
    fn finish(self) -> f64 {
        if self.0 == 0.0 { ABSENT } else { self.0 }
    }
}

#[derive(Clone)]
struct One(f64);

impl Fold for One {
    const EMPTY: Self = Self(ABSENT);
    const HISTOGRAMS: OfHistograms = OfHistograms::Counted;
    fn add(&mut self, _: f64) {
        self.0 = 1.0;
    }
    fn finish(self) -> f64 {
        self.0
    }
}

#[derive(Clone)]
struct Spread<const ROOT: bool>(Option<Variance>);

impl<const ROOT: bool> Fold for Spread<ROOT> {
    const EMPTY: Self = Self(None);
    fn add(&mut self, value: f64) {
        self.0.get_or_insert_default().add(value);
    }
    fn finish(self) -> f64 {
        self.0.map_or(ABSENT, |variance| if ROOT { variance.value().sqrt() } else { variance.value() })
    }
}

/// How many values take as much memory as one of these.
pub(super) fn size_in_values<T>() -> usize {
    size_of::<T>().div_ceil(size_of::<f64>())
}

/// Groups by what counts of their labels, in the order of their first series.
pub(super) struct Groups<'a, T> {
    grouping: &'a LabelFilter,
    key: Vec<u8>,
    places: HashMap<Vec<u8>, usize>,
    pub(super) groups: Vec<Group<T>>,
}

pub(super) struct Group<T> {
    labels: Labels,
    drop_name: bool,
    pub(super) cells: Vec<T>,
    /// What was folded of histograms, by step. Nearly all groups have none.
    histograms: BTreeMap<usize, HistogramFold>,
}

impl<'a, T: Clone> Groups<'a, T> {
    pub(super) fn new(grouping: &'a LabelFilter) -> Self {
        Self { grouping, key: Vec::new(), places: HashMap::new(), groups: Vec::new() }
    }

    /// The group of a series; `true` when it is new.
    pub(super) fn of(&mut self, series: &StepSeries, empty: &T) -> (&mut Group<T>, bool) {
        self.grouping.write_key(series.labels.as_ref(), &mut self.key);
        let known = self.places.get(&self.key).copied();
        let place = known.unwrap_or_else(|| {
            let labels = self.grouping.apply(series.labels.as_ref());
            let cells = vec![empty.clone(); series.values.len()];
            self.groups.push(Group { labels, drop_name: false, cells, histograms: BTreeMap::new() });
            self.places.insert(self.key.clone(), self.groups.len() - 1);
            self.groups.len() - 1
        });
        let group = &mut self.groups[place];
        group.drop_name |= series.drop_name;
        (group, known.is_none())
    }
}

impl Evaluation<'_> {
    pub(super) fn aggregate(
        &self,
        aggregate: &Aggregate,
        steps: Steps,
        sink: &mut Sink<'_>,
    ) -> Result<(), Error> {
        let Aggregate { operation, grouping, input, parameter_place, .. } = aggregate;
        match operation {
            Aggregation::Sum => self.fold::<Sum>(aggregate, steps, sink),
            Aggregation::Average => self.fold::<Average>(aggregate, steps, sink),
            Aggregation::Minimum => self.fold::<Extreme<false>>(aggregate, steps, sink),
            Aggregation::Maximum => self.fold::<Extreme<true>>(aggregate, steps, sink),
            Aggregation::Count => self.fold::<Count>(aggregate, steps, sink),
            Aggregation::Group => self.fold::<One>(aggregate, steps, sink),
            Aggregation::StandardDeviation => self.fold::<Spread<true>>(aggregate, steps, sink),
            Aggregation::Variance => self.fold::<Spread<false>>(aggregate, steps, sink),
            Aggregation::Quantile(phi) => {
                let phi = self.scalar(phi, steps)?;
                for outside in phi.iter().filter(|phi| !(0.0..=1.0).contains(*phi)) {
                    self.warn_quantile(*outside, *parameter_place);
                }
                self.quantiles(&phi, aggregate, steps, sink)
            }
            Aggregation::CountValues(label) => self.count_values(label, grouping, input, steps, sink),
            Aggregation::Top(count) => {
                self.best(count, |a, b| a > b || (b.is_nan() && !a.is_nan()), aggregate, steps, sink)
            }
            Aggregation::Bottom(count) => {
                self.best(count, |a, b| a < b || (b.is_nan() && !a.is_nan()), aggregate, steps, sink)
            }
            Aggregation::LimitCount(count) => self.best(count, |_, _| false, aggregate, steps, sink),
            Aggregation::LimitRatio(ratio) => self.limit_ratio(ratio, aggregate, steps, sink),
        }
    }

    fn fold<F: Fold>(&self, aggregate: &Aggregate, steps: Steps, sink: &mut Sink<'_>) -> Result<(), Error> {
        let mut groups = Groups::new(&aggregate.grouping);
        self.vector(&aggregate.input, steps, &mut |series| {
            let is_mixed = series.has_histograms();
            if is_mixed && matches!(F::HISTOGRAMS, OfHistograms::Ignored) {
                self.ignore_histograms(aggregate);
                series.drop_histograms();
                if series.is_empty() {
                    return Ok(());
                }
            }
            let (group, new) = groups.of(series, &F::EMPTY);
            if new {
                self.hold_series(&series.labels, steps.count * size_in_values::<F>())?;
            }
            if is_mixed && let OfHistograms::Folded(begin) = F::HISTOGRAMS {
                self.fold_histograms(group, begin, series, aggregate.input_place)?;
                series.drop_histograms();
            }
            for (cell, value) in group.cells.iter_mut().zip(&series.values) {
                if is_present(*value) {
                    cell.add(*value);
                }
            }
            Ok(())
        })?;
        self.emit_mixed(&mut groups, aggregate.input_place, sink)?;
        emit(groups, |_, cell| cell.finish(), sink)
    }

    fn fold_histograms<F: Fold>(
        &self,
        group: &mut Group<F>,
        begin: fn(&Histogram) -> HistogramFold,
        series: &StepSeries,
        place: Place,
    ) -> Result<(), Error> {
        for (step, histogram) in series.present_histograms() {
            match group.histograms.entry(step) {
                Entry::Vacant(entry) => {
                    let fold = begin(histogram);
                    self.hold(fold.size_in_values())?;
                    entry.insert(fold);
                }
                Entry::Occupied(mut entry) => {
                    let fold = entry.get_mut();
                    let before = fold.size_in_values();
                    if fold.add(histogram).is_err() {
                        self.warn_of_incompatible(series.labels.metric_name(), place);
                    }
                    self.hold(fold.size_in_values().saturating_sub(before))?;
                }
            }
        }
        Ok(())
    }

    /// Passes groups on that have histograms. Where a group has numbers at the same step there is no result.
    fn emit_mixed<F: Fold>(
        &self,
        groups: &mut Groups<'_, F>,
        place: Place,
        sink: &mut Sink<'_>,
    ) -> Result<(), Error> {
        for group in &mut groups.groups {
            if group.histograms.is_empty() {
                continue;
            }
            let cells = std::mem::take(&mut group.cells);
            let values = cells.into_iter().map(F::finish).collect();
            let mut series = StepSeries::of_numbers(group.labels.clone(), values);
            series.drop_name = group.drop_name;
            for (step, fold) in std::mem::take(&mut group.histograms) {
                if is_present(series.values[step]) {
                    self.warn_of_mixed_group(place);
                    series.values[step] = ABSENT;
                } else if let Some(histogram) = fold.finish(self, place) {
                    series.set(step, Point::Histogram(Arc::new(histogram)));
                }
            }
            if !series.is_empty() {
                sink(&mut series)?;
            }
        }
        Ok(())
    }

    fn quantiles(
        &self,
        phi: &[f64],
        aggregate: &Aggregate,
        steps: Steps,
        sink: &mut Sink<'_>,
    ) -> Result<(), Error> {
        let mut groups = Groups::new(&aggregate.grouping);
        self.vector(&aggregate.input, steps, &mut |series| {
            if series.has_histograms() {
                self.ignore_histograms(aggregate);
                series.drop_histograms();
            }
            let (group, new) = groups.of(series, &Vec::new());
            let mut grown = if new {
                labels_in_values(&series.labels) + steps.count * size_in_values::<Vec<f64>>()
            } else {
                0
            };
            for (step, value) in series.present() {
                group.cells[step].push(value);
                grown += 1;
            }
            self.hold(grown)
        })?;
        let finish = |step: usize, mut values: Vec<f64>| {
            if values.is_empty() { ABSENT } else { quantile(phi[step], &mut values) }
        };
        emit(groups, finish, sink)
    }

    fn count_values(
        &self,
        label: &str,
        grouping: &LabelFilter,
        input: &VectorExpr,
        steps: Steps,
        sink: &mut Sink<'_>,
    ) -> Result<(), Error> {
        let mut places: HashMap<Labels, usize> = HashMap::new();
        let mut counts: Vec<StepSeries> = Vec::new();
        self.vector(input, steps, &mut |series| {
            let base = grouping.apply(series.labels.as_ref());
            let mut last: Option<(u64, usize)> = None;
            for (step, value) in series.present() {
                let place = match last {
                    Some((bits, place)) if bits == value.to_bits() => place,
                    _ => {
                        let text = match histogram_at(value, &series.histograms) {
                            Some(histogram) => histogram.to_string(),
                            None => format_plain(value),
                        };
                        let labels = base.to_builder().set(label, text).build();
                        if !places.contains_key(&labels) {
                            self.hold_series(&labels, steps.count)?;
                            places.insert(labels.clone(), counts.len());
                            counts.push(StepSeries::new(labels.clone(), steps));
                        }
                        places[&labels]
                    }
                };
                last = Some((value.to_bits(), place));
                let counted = &mut counts[place];
                counted.drop_name |= series.drop_name && label != METRIC_NAME;
                let count = &mut counted.values[step];
                *count = if is_present(*count) { *count + 1.0 } else { 1.0 };
            }
            Ok(())
        })?;
        counts.iter_mut().try_for_each(sink)
    }

    /// The number of series to keep at each step.
    pub(super) fn counts(&self, count: &ScalarExpr, steps: Steps) -> Result<Vec<usize>, Error> {
        let to_count = |value: f64| {
            if value.is_nan() {
                return Err(Error::Execution("Parameter value is NaN".to_owned()));
            }
            if value >= i64::MAX as f64 || value <= i64::MIN as f64 {
                let way = if value > 0.0 { "overflows" } else { "underflows" };
                let value = crate::format_value(value);
                return Err(Error::Execution(format!("Scalar value {value} {way} int64")));
            }
            Ok(value.max(0.0) as usize)
        };
        self.scalar(count, steps)?.into_iter().map(to_count).collect()
    }
}

fn emit<T>(
    groups: Groups<'_, T>,
    finish: impl Fn(usize, T) -> f64,
    sink: &mut Sink<'_>,
) -> Result<(), Error> {
    for group in groups.groups {
        let values = group.cells.into_iter().enumerate().map(|(step, cell)| finish(step, cell)).collect();
        let mut series = StepSeries::of_numbers(group.labels, values);
        series.drop_name = group.drop_name;
        if !series.is_empty() {
            sink(&mut series)?;
        }
    }
    Ok(())
}
