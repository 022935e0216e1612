//! Operators between a vector and a scalar, and what an operator makes of two numbers.

use super::{Evaluation, Sink};
use crate::Error;
use crate::plan::{Operator, Side, VectorScalar};
use crate::steps::{ABSENT, Steps};

impl Operator {
    /// What the operator makes of two numbers; [`ABSENT`] where a filter lets nothing through.
    pub(super) fn apply(self, left: f64, right: f64, kept: f64) -> f64 {
        match self {
            Self::Arithmetic(arithmetic) => arithmetic.apply(left, right),
            Self::Test(comparison) => f64::from(u8::from(comparison.holds(left, right))),
            Self::Filter(comparison) if comparison.holds(left, right) => kept,
            Self::Filter(_) => ABSENT,
        }
    }
}

impl Evaluation<'_> {
    pub(super) fn vector_scalar(
        &self,
        operation: &VectorScalar,
        steps: Steps,
        sink: &mut Sink<'_>,
    ) -> Result<(), Error> {
        let operator = operation.operator;
        let scalar = self.scalar(&operation.scalar, steps)?;
        self.vector(&operation.vector, steps, &mut |series| {
            series.drop_name |= operator.drops_name();
            // A filter keeps the value of the series, on whichever side it stands.
            match operation.scalar_side {
                Side::Right => series.map(|step, value| operator.apply(value, scalar[step], value)),
                Side::Left => series.map(|step, value| operator.apply(scalar[step], value, value)),
            }
            if series.is_empty() { Ok(()) } else { sink(series) }
        })
    }
}
