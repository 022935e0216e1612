//! Evaluation: a plan becomes a stream of series, each with its values at all steps.
//!
//! Series are pushed from the selectors upwards into a [`Sink`]. What can be said about a series alone
//! is said on its way; what needs others (groups, joins, ranks) keeps no more of them than it must.

mod aggregate;
mod binary;
mod buckets;
pub(crate) mod calendar;
mod counter;
mod decode;
mod extended;
mod fold;
mod held;
mod histogram_rate;
mod info;
mod join;
mod kind;
mod mixed;
pub(crate) mod numbers;
mod once;
mod output;
mod over_time;
mod overlap;
mod rank;
mod relabel;
mod remarks;
mod rolled;
mod scalar;
mod selector;
mod set;
mod started;
mod watched;
mod window;

use std::cell::{Cell, RefCell};
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::Instant;

use model::{Histogram, Labels};
use store::TelemetryStore;

use crate::labelset::without_name;
use crate::notes::Notes;
use crate::plan::{Map, ScalarExpr, SortOrder, VectorExpr};
use crate::steps::{ABSENT, Point, StepSeries, Steps, histogram_at, is_present};
use crate::{Cancel, Error, Limits};
use held::Held;

use once::Kept;

pub use held::HeldAnswer;
pub(crate) use output::{instant, range};
pub(crate) use watched::{Cost, Costs};

/// Where a stream of series goes.
pub(crate) type Sink<'s> = dyn FnMut(&mut StepSeries) -> Result<(), Error> + 's;

/// One evaluation of one query.
pub(crate) struct Evaluation<'a> {
    store: &'a dyn TelemetryStore,
    limits: &'a Limits,
    cancel: &'a Cancel,
    started: Instant,
    /// The steps of the whole query, which `@ start()` and `@ end()` mean, in subqueries too.
    query: QueryRange,
    samples_read: Cell<u64>,
    held: Held,
    kept: Kept,
    /// Where costs are written down, if anybody wants to know.
    costs: Option<&'a Costs>,
    notes: RefCell<Notes>,
}

/// The range of a whole query in milliseconds; an instant query has a step of 0.
#[derive(Clone, Copy, Debug)]
pub(crate) struct QueryRange {
    pub(crate) start_ms: i64,
    pub(crate) end_ms: i64,
    pub(crate) step_ms: i64,
}

impl<'a> Evaluation<'a> {
    /// One of a store, within limits. `held` counts the values that all evaluations hold.
    pub(crate) fn new(
        store: &'a dyn TelemetryStore,
        limits: &'a Limits,
        held: &Arc<AtomicU64>,
        cancel: &'a Cancel,
        query: QueryRange,
    ) -> Self {
        Self {
            store,
            limits,
            cancel,
            started: Instant::now(),
            query,
            samples_read: Cell::new(0),
            held: Held::within(limits.max_held_samples, held),
            kept: Kept::default(),
            costs: None,
            notes: RefCell::default(),
        }
    }

    /// Writes down what parts of the plan cost.
    pub(crate) fn watching(self, costs: &'a Costs) -> Self {
        Self { costs: Some(costs), ..self }
    }

    /// Whether the query may go on.
    fn check(&self) -> Result<(), Error> {
        if self.cancel.is_cancelled() {
            return Err(Error::Canceled);
        }
        if self.started.elapsed() > self.limits.timeout.0 {
            return Err(Error::Timeout { limit: self.limits.timeout });
        }
        Ok(())
    }

    /// Counts values that stay in memory until the query is answered.
    fn hold(&self, values: usize) -> Result<(), Error> {
        self.held.add(values as u64)
    }

    /// The same, with the labels that they belong to.
    fn hold_series(&self, labels: &Labels, values: usize) -> Result<(), Error> {
        self.hold(values + held::labels_in_values(labels))
    }

    /// The same, with the key under which they are kept.
    fn hold_key(&self, key: &[u8], values: usize) -> Result<(), Error> {
        self.hold(values + held::key_in_values(key))
    }

    /// Streams the series of an expression.
    fn vector(&self, expr: &VectorExpr, steps: Steps, sink: &mut Sink<'_>) -> Result<(), Error> {
        self.check()?;
        match expr {
            VectorExpr::Selector(selector) => self.select_values(selector, steps, sink),
            VectorExpr::SampleTimes(selector) => self.select_times(selector, steps, sink),
            VectorExpr::SampleStarts(selector) => self.select_starts(selector, steps, sink),
            // Whatever goes wrong in it is told.
            VectorExpr::Nothing(input) => self.vector(input, steps, &mut |_| Ok(())),
            VectorExpr::FromScalar(scalar) => {
                let values = self.scalar(scalar, steps)?;
                sink(&mut StepSeries::of_numbers(Labels::empty(), values))
            }
            VectorExpr::Map { function, input } => self.map(function, input, steps, sink),
            VectorExpr::OverTime(over_time) => self.over_time(over_time, steps, sink),
            VectorExpr::Absent { input, labels } => {
                let mut covered = vec![false; steps.count];
                self.vector(input, steps, &mut |series| {
                    series.present().for_each(|(step, _)| covered[step] = true);
                    Ok(())
                })?;
                emit_absent(&covered, labels, steps, sink)
            }
            VectorExpr::AbsentOverTime { range, labels } => {
                let covered = self.covered_windows(range, steps)?;
                emit_absent(&covered, labels, steps, sink)
            }
            VectorExpr::Aggregate(aggregate) => self.aggregate(aggregate, steps, sink),
            VectorExpr::VectorScalar(operation) => self.vector_scalar(operation, steps, sink),
            VectorExpr::Join(join) => self.join(join, steps, sink),
            VectorExpr::Set(operation) => self.set_operation(operation, steps, sink),
            VectorExpr::Sort { order, input, place } => {
                if self.query.step_ms > 0 {
                    self.notes.borrow_mut().warn_of_query(
                        "sort is ineffective for range queries since results are always ordered by labels",
                        *place,
                    );
                    return self.vector(input, steps, sink);
                }
                self.sort(order, input, steps, sink)
            }
            VectorExpr::Relabel { relabel, input } => self.relabel(relabel, input, steps, sink),
            VectorExpr::Fixed(input) => self.fixed(input, steps, sink),
            VectorExpr::Shared(shared) => self.shared(shared, steps, sink),
            VectorExpr::Watched(watched) => self.watched(watched, steps, sink),
            VectorExpr::Info(info) => self.info(info, steps, sink),
            VectorExpr::OfHistograms { number, input } => self.vector(input, steps, &mut |series| {
                series.drop_name = true;
                series.map_histograms(|_, histogram| number.of(histogram));
                if series.is_empty() { Ok(()) } else { sink(series) }
            }),
            VectorExpr::OfBuckets(function) => self.of_buckets(function, steps, sink),
        }
    }

    fn map(
        &self,
        function: &Map,
        input: &VectorExpr,
        steps: Steps,
        sink: &mut Sink<'_>,
    ) -> Result<(), Error> {
        let each: Box<dyn Fn(usize, f64) -> f64> = match function {
            Map::Plain(function) => Box::new(move |_, value| function(value)),
            Map::Negate => return self.negated(input, steps, sink),
            Map::StepTime => return self.step_times(input, steps, sink),
            Map::Clamp { min, max } => {
                let (min, max) = (self.scalar(min, steps)?, self.scalar(max, steps)?);
                Box::new(move |step, value| numbers::clamp(value, min[step], max[step]))
            }
            Map::ClampMin(min) => {
                let min = self.scalar(min, steps)?;
                Box::new(move |step, value| numbers::larger(min[step], value))
            }
            Map::ClampMax(max) => {
                let max = self.scalar(max, steps)?;
                Box::new(move |step, value| numbers::smaller(max[step], value))
            }
            Map::Round(nearest) => {
                let nearest = self.scalar(nearest, steps)?;
                Box::new(move |step, value| numbers::round(value, nearest[step]))
            }
        };
        self.vector(input, steps, &mut |series| {
            series.drop_name = true;
            series.map(&each);
            if series.is_empty() { Ok(()) } else { sink(series) }
        })
    }

    fn negated(&self, input: &VectorExpr, steps: Steps, sink: &mut Sink<'_>) -> Result<(), Error> {
        self.vector(input, steps, &mut |series| {
            series.drop_name = true;
            let negated = series.histograms.iter().map(|histogram| {
                let mut negated = Histogram::clone(histogram);
                negated.multiply(-1.0);
                Arc::new(negated.compacted())
            });
            series.histograms = negated.collect();
            let StepSeries { values, histograms, .. } = series;
            let numbers = values.iter_mut().filter(|value| {
                is_present(**value) && (histograms.is_empty() || histogram_at(**value, histograms).is_none())
            });
            numbers.for_each(|value| *value = -*value);
            sink(series)
        })
    }

    fn step_times(&self, input: &VectorExpr, steps: Steps, sink: &mut Sink<'_>) -> Result<(), Error> {
        self.vector(input, steps, &mut |series| {
            series.drop_name = true;
            series.map_all(|step| steps.time_ms(step) as f64 / 1000.0);
            sink(series)
        })
    }

    fn sort(
        &self,
        order: &SortOrder,
        input: &VectorExpr,
        steps: Steps,
        sink: &mut Sink<'_>,
    ) -> Result<(), Error> {
        let mut found = self.collect(input, steps)?;
        if !matches!(order, SortOrder::ByLabels { .. }) {
            found.iter_mut().for_each(StepSeries::drop_histograms);
            found.retain(|series| !series.is_empty());
        }
        let value = |series: &StepSeries| series.values.first().copied().unwrap_or(ABSENT);
        match order {
            SortOrder::Ascending => found.sort_by(|a, b| numbers::nan_last(value(a), value(b))),
            SortOrder::Descending => found.sort_by(|a, b| numbers::descending_nan_last(value(a), value(b))),
            SortOrder::ByLabels { names, descending } => found.sort_by(|a, b| {
                let order = numbers::by_labels(&a.labels, &b.labels, names);
                if *descending { order.reverse() } else { order }
            }),
        }
        found.iter_mut().try_for_each(sink)
    }

    /// Keeps all series of an expression, each labels' once.
    fn collect(&self, expr: &VectorExpr, steps: Steps) -> Result<Vec<StepSeries>, Error> {
        let mut merger = Merger::default();
        self.vector(expr, steps, &mut |series| {
            self.hold_series(&series.labels, series.size_in_values())?;
            merger.add(series.take())
        })?;
        Ok(merger.series)
    }

    /// The value of a scalar expression at each step.
    fn scalar(&self, expr: &ScalarExpr, steps: Steps) -> Result<Vec<f64>, Error> {
        scalar::evaluate(self, expr, steps)
    }
}

fn emit_absent(covered: &[bool], labels: &Labels, steps: Steps, sink: &mut Sink<'_>) -> Result<(), Error> {
    let mut series = StepSeries::new(labels.clone(), steps);
    for (value, _) in series.values.iter_mut().zip(covered).filter(|(_, covered)| !**covered) {
        *value = 1.0;
    }
    if series.is_empty() { Ok(()) } else { sink(&mut series) }
}

/// Joins series of the same labels that never have values at the same step.
#[derive(Default)]
struct Merger {
    series: Vec<StepSeries>,
    places: std::collections::HashMap<Labels, usize>,
}

impl Merger {
    fn add(&mut self, series: StepSeries) -> Result<(), Error> {
        match self.places.entry(series.labels.clone()) {
            std::collections::hash_map::Entry::Vacant(place) => {
                place.insert(self.series.len());
                self.series.push(series);
                Ok(())
            }
            std::collections::hash_map::Entry::Occupied(place) => {
                let into = &mut self.series[*place.get()];
                into.drop_name |= series.drop_name;
                for (step, value) in series.present() {
                    if is_present(into.values[step]) {
                        return Err(same_labels());
                    }
                    into.set(step, Point::of(value, &series.histograms));
                }
                Ok(())
            }
        }
    }
}

fn same_labels() -> Error {
    Error::Execution("vector cannot contain metrics with the same labelset".to_owned())
}

/// The labels as they stand in the answer.
fn final_labels(series: &StepSeries) -> Labels {
    if series.drop_name { without_name(&series.labels) } else { series.labels.clone() }
}
