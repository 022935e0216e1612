//! Operators between a vector and a scalar, and what an operator makes of two values.

use std::sync::Arc;

use model::Histogram;
use model::histogram::{Combined, Incompatible, ResetHint};

use super::remarks::Deed;
use super::{Evaluation, Sink};
use crate::Error;
use crate::notes::Place;
use crate::plan::{Arithmetic, Comparison, Operator, Side, VectorScalar};
use crate::steps::{ABSENT, Point, StepSeries, Steps};

impl Operator {
    /// What the operator makes of two numbers; [`ABSENT`] where a filter lets nothing through. Of numbers nothing can be
    /// cut off.
    pub(super) fn apply(self, left: f64, right: f64, kept: f64) -> f64 {
        match self {
            Self::Arithmetic(arithmetic) => arithmetic.apply(left, right),
            Self::Test(comparison) => f64::from(u8::from(comparison.holds(left, right))),
            Self::Filter(comparison) if comparison.holds(left, right) => kept,
            Self::Filter(_) | Self::Trim(_) => ABSENT,
        }
    }

    /// The result of a comparison that holds or not.
    fn compared(self, holds: bool, kept: &Arc<Histogram>) -> Option<Point> {
        match self {
            Self::Test(_) => Some(Point::Number(f64::from(u8::from(holds)))),
            _ => holds.then(|| Point::Histogram(Arc::clone(kept))),
        }
    }
}

fn changed(histogram: &Histogram, change: impl FnOnce(&mut Histogram)) -> Option<Point> {
    let mut changed = histogram.clone();
    change(&mut changed);
    Some(Point::Histogram(Arc::new(changed.compacted())))
}

impl Evaluation<'_> {
    pub(super) fn vector_scalar(
        &self,
        operation: &VectorScalar,
        steps: Steps,
        sink: &mut Sink<'_>,
    ) -> Result<(), Error> {
        let (operator, place) = (operation.operator, operation.place);
        let scalar = self.scalar(&operation.scalar, steps)?;
        self.vector(&operation.vector, steps, &mut |series| {
            series.drop_name |= operator.drops_name();
            if series.has_histograms() || matches!(operator, Operator::Trim(_)) {
                let mut result = StepSeries::new(series.labels.clone(), steps);
                result.drop_name = series.drop_name;
                for (step, number) in scalar.iter().enumerate() {
                    let Some(point) = series.point(step) else { continue };
                    let number = Point::Number(*number);
                    let combined = match operation.scalar_side {
                        Side::Right => self.combine(operator, &point, &number, &point, place),
                        Side::Left => self.combine(operator, &number, &point, &point, place),
                    };
                    if let Some(combined) = combined {
                        result.set(step, combined);
                    }
                }
                return if result.is_empty() { Ok(()) } else { sink(&mut result) };
            }
            // A filter keeps the value of the series, on whichever side it stands.
            match operation.scalar_side {
                Side::Right => series.map(|step, value| operator.apply(value, scalar[step], value)),
                Side::Left => series.map(|step, value| operator.apply(scalar[step], value, value)),
            }
            if series.is_empty() { Ok(()) } else { sink(series) }
        })
    }

    /// What an operator makes of two values, with a remark where it makes nothing of them. `kept` is what a filter lets
    /// through.
    pub(super) fn combine(
        &self,
        operator: Operator,
        left: &Point,
        right: &Point,
        kept: &Point,
        place: Place,
    ) -> Option<Point> {
        use Operator::{Arithmetic as Of, Filter, Test, Trim};
        let types = |left, right| {
            self.inform_of_types(left, operator, right, place);
            None
        };
        match (left, right) {
            (Point::Number(_), Point::Number(_)) if matches!(operator, Trim(_)) => types("float", "float"),
            (Point::Number(left), Point::Number(right)) => {
                let Point::Number(kept) = kept else { return None };
                Some(operator.apply(*left, *right, *kept))
                    .filter(|value| crate::steps::is_present(*value))
                    .map(Point::Number)
            }
            (Point::Number(number), Point::Histogram(histogram)) => match operator {
                Of(Arithmetic::Multiply) => changed(histogram, |histogram| histogram.multiply(*number)),
                _ => types("float", "histogram"),
            },
            (Point::Histogram(histogram), Point::Number(number)) => match operator {
                Of(Arithmetic::Multiply) => changed(histogram, |histogram| histogram.multiply(*number)),
                Of(Arithmetic::Divide) => changed(histogram, |histogram| histogram.divide(*number)),
                Trim(keep) => Some(Point::Histogram(Arc::new(histogram.trimmed(*number, keep)))),
                _ => types("histogram", "float"),
            },
            (Point::Histogram(left), Point::Histogram(right)) => match operator {
                Of(Arithmetic::Add) => {
                    let mut sum = Histogram::clone(left);
                    let combined = sum.add(right);
                    self.combined(operator, sum, combined, Deed::Addition, place)
                }
                Of(Arithmetic::Subtract) => {
                    let mut difference = Histogram::clone(left);
                    let combined = difference.subtract(right);
                    difference.reset = ResetHint::Gauge;
                    self.combined(operator, difference, combined, Deed::Subtraction, place)
                }
                Filter(Comparison::Equal) | Test(Comparison::Equal) => {
                    operator.compared(left.is_same(right), left)
                }
                Filter(Comparison::NotEqual) | Test(Comparison::NotEqual) => {
                    operator.compared(!left.is_same(right), left)
                }
                _ => types("histogram", "histogram"),
            },
        }
    }

    fn combined(
        &self,
        operator: Operator,
        result: Histogram,
        combined: Result<Combined, Incompatible>,
        deed: Deed,
        place: Place,
    ) -> Option<Point> {
        match combined {
            Err(Incompatible) => {
                self.warn_of_layouts(operator, place);
                None
            }
            // As in Prometheus there is no result where one begins anew and the other is known to go on.
            Ok(Combined { resets_collide: true, .. }) => {
                self.warn_of_resets(deed, place);
                None
            }
            Ok(Combined { bounds_reconciled, .. }) => {
                if bounds_reconciled {
                    self.inform_of_bounds(deed, place);
                }
                Some(Point::Histogram(Arc::new(result.compacted())))
            }
        }
    }
}
