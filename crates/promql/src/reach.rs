//! Until when a query looks at samples, as seen from each of its steps.

use crate::plan::{
    Aggregate, Aggregation, At, BucketNumber, Expr, Extension, Join, Map, RangeExpr, ScalarExpr, Selector,
    SetOperation, Shift, VectorExpr, VectorScalar,
};

/// Until when a step looks at samples. Between such a step and another nothing is shared: the answer at a step is
/// the same whatever other steps are asked for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Reach {
    /// How far beyond the step, with offsets that are negative.
    forward_ms: i64,
    /// Until when at any step, with the modifier `@`.
    fixed_ms: Option<i64>,
}

impl Reach {
    /// Of a whole query; nothing when a step depends on where the query begins and ends.
    pub(crate) fn of(expr: &Expr) -> Option<Self> {
        let mut reach = Self::default();
        let steps_are_apart = match expr {
            Expr::Scalar(scalar) => reach.scalar(scalar),
            Expr::Vector(vector) => reach.vector(vector),
            Expr::Range(_) | Expr::Text(_) => false,
        };
        steps_are_apart.then_some(reach)
    }

    /// Whether a step sees only what lies before a time.
    pub(crate) fn is_before(self, step_ms: i64, time_ms: i64) -> bool {
        step_ms.saturating_add(self.forward_ms) < time_ms
            && self.fixed_ms.is_none_or(|fixed_ms| fixed_ms < time_ms)
    }

    fn shift(&mut self, shift: Shift) -> bool {
        // Shifts nest: the sum of all is at least what any way through them gives.
        self.forward_ms = self.forward_ms.saturating_add(shift.offset_ms.min(0).saturating_neg());
        match shift.at {
            None => true,
            Some(At::Time(time_ms)) => {
                // What is shifted within it is shifted from there.
                let time_ms = time_ms.saturating_add(self.forward_ms);
                self.fixed_ms = Some(self.fixed_ms.map_or(time_ms, |before_ms| before_ms.max(time_ms)));
                true
            }
            Some(At::QueryStart | At::QueryEnd) => false,
        }
    }

    fn selector(&mut self, selector: &Selector) -> bool {
        // How far `smoothed` looks beyond the step is not the query's to say.
        self.shift(selector.shift) && selector.extension != Some(Extension::Smoothed)
    }

    fn range(&mut self, range: &RangeExpr) -> bool {
        match range {
            RangeExpr::Selector { selector, .. } => self.selector(selector),
            RangeExpr::Subquery { input, shift, .. } => self.vector(input) && self.shift(*shift),
        }
    }

    fn scalar(&mut self, scalar: &ScalarExpr) -> bool {
        match scalar {
            ScalarExpr::Number(_) | ScalarExpr::Time | ScalarExpr::QueryStep => true,
            ScalarExpr::QueryStart | ScalarExpr::QueryEnd => false,
            ScalarExpr::Negate(input) => self.scalar(input),
            ScalarExpr::Arithmetic(_, left, right) | ScalarExpr::Compare(_, left, right) => {
                self.scalar(left) && self.scalar(right)
            }
            ScalarExpr::FromVector(input) => self.vector(input),
        }
    }

    fn vector(&mut self, vector: &VectorExpr) -> bool {
        match vector {
            VectorExpr::Selector(selector)
            | VectorExpr::SampleTimes(selector)
            | VectorExpr::SampleStarts(selector) => self.selector(selector),
            VectorExpr::Nothing(input) => self.vector(input),
            VectorExpr::FromScalar(scalar) => self.scalar(scalar),
            VectorExpr::Map { function, input } => self.map(function) && self.vector(input),
            VectorExpr::OverTime(over_time) => {
                over_time.parameters.iter().all(|parameter| self.scalar(parameter))
                    && self.range(&over_time.range)
            }
            VectorExpr::AbsentOverTime { range, .. } => self.range(range),
            VectorExpr::Absent { input, .. }
            | VectorExpr::Sort { input, .. }
            | VectorExpr::Relabel { input, .. } => self.vector(input),
            VectorExpr::Aggregate(aggregate) => self.aggregate(aggregate),
            VectorExpr::VectorScalar(operation) => {
                let VectorScalar { vector, scalar, .. } = operation.as_ref();
                self.vector(vector) && self.scalar(scalar)
            }
            VectorExpr::Join(join) => {
                let Join { left, right, .. } = join.as_ref();
                self.vector(left) && self.vector(right)
            }
            VectorExpr::Set(operation) => {
                let SetOperation { left, right, .. } = operation.as_ref();
                self.vector(left) && self.vector(right)
            }
            VectorExpr::Fixed(input) => self.vector(input),
            VectorExpr::Shared(shared) => self.vector(&shared.input),
            VectorExpr::Watched(watched) => self.vector(&watched.input),
            VectorExpr::Info(info) => self.vector(&info.input),
            VectorExpr::OfHistograms { input, .. } => self.vector(input),
            VectorExpr::OfBuckets(function) => {
                self.bucket_number(&function.number) && self.vector(&function.input)
            }
        }
    }

    fn bucket_number(&mut self, number: &BucketNumber) -> bool {
        match number {
            BucketNumber::Quantile(phi) => self.scalar(phi),
            BucketNumber::Quantiles { phis, .. } => phis.iter().all(|phi| self.scalar(phi)),
            BucketNumber::Fraction { lower, upper } => self.scalar(lower) && self.scalar(upper),
        }
    }

    fn map(&mut self, function: &Map) -> bool {
        match function {
            Map::Plain(_) | Map::Negate | Map::StepTime => true,
            Map::Clamp { min, max } => self.scalar(min) && self.scalar(max),
            Map::ClampMin(scalar) | Map::ClampMax(scalar) | Map::Round(scalar) => self.scalar(scalar),
        }
    }

    fn aggregate(&mut self, aggregate: &Aggregate) -> bool {
        let parameter = match &aggregate.operation {
            Aggregation::Quantile(scalar)
            | Aggregation::Top(scalar)
            | Aggregation::Bottom(scalar)
            | Aggregation::LimitCount(scalar)
            | Aggregation::LimitRatio(scalar) => self.scalar(scalar),
            Aggregation::Sum
            | Aggregation::Average
            | Aggregation::Minimum
            | Aggregation::Maximum
            | Aggregation::Count
            | Aggregation::Group
            | Aggregation::StandardDeviation
            | Aggregation::Variance
            | Aggregation::CountValues(_) => true,
        };
        parameter && self.vector(&aggregate.input)
    }
}

#[cfg(test)]
mod tests {
    use crate::Query;

    use super::*;

    #[test]
    fn offsets_into_the_future_and_fixed_times_reach_beyond_the_step() {
        let reach = |text: &str| Query::parse(text).expect(text).reach();
        let of = |forward_ms, fixed_ms| Some(Reach { forward_ms, fixed_ms });
        assert_eq!(reach("sum(rate(a[5m])) + 1"), of(0, None));
        assert_eq!(reach("a offset 1h"), of(0, None));
        assert_eq!(reach("a offset -1m + max_over_time(b[1h:1m] offset -2m)"), of(180_000, None));
        assert_eq!(reach("a / b @ 100"), of(0, Some(100_000)));
        assert_eq!(reach("sum_over_time(a[1h:] @ 50 offset -1s)"), of(1000, Some(51_000)));
        for text in ["a @ end()", "rate(a[5m] @ start())", "topk(scalar(a @ end()), b)", "\"text\"", "a[5m]"]
        {
            assert_eq!(reach(text), None, "{text}");
        }
    }
}
