//! Scalar expressions: one number at each step.

use super::Evaluation;
use crate::Error;
use crate::plan::ScalarExpr;
use crate::steps::{ABSENT, Steps, is_present};

pub(super) fn evaluate(
    evaluation: &Evaluation<'_>,
    expr: &ScalarExpr,
    steps: Steps,
) -> Result<Vec<f64>, Error> {
    let seconds = |millis: i64| millis as f64 / 1000.0;
    Ok(match expr {
        ScalarExpr::Number(number) => vec![*number; steps.count],
        ScalarExpr::Time => steps.times_ms().map(seconds).collect(),
        ScalarExpr::QueryStart => vec![seconds(evaluation.query.start_ms); steps.count],
        ScalarExpr::QueryEnd => vec![seconds(evaluation.query.end_ms); steps.count],
        ScalarExpr::QueryStep => vec![seconds(evaluation.query.step_ms); steps.count],
        ScalarExpr::Negate(inner) => {
            let mut values = evaluate(evaluation, inner, steps)?;
            values.iter_mut().for_each(|value| *value = -*value);
            values
        }
        ScalarExpr::Arithmetic(arithmetic, left, right) => {
            let combine = |left, right| arithmetic.apply(left, right);
            of_two(evaluation, left, right, steps, combine)?
        }
        ScalarExpr::Compare(comparison, left, right) => {
            let combine = |left, right| f64::from(u8::from(comparison.holds(left, right)));
            of_two(evaluation, left, right, steps, combine)?
        }
        ScalarExpr::FromVector(vector) => {
            let mut values = vec![ABSENT; steps.count];
            evaluation.vector(vector, steps, &mut |series| {
                for (step, value) in series.numbers() {
                    // A second value at the step makes it NaN, and NaN it stays.
                    values[step] = if is_present(values[step]) { f64::NAN } else { value };
                }
                Ok(())
            })?;
            values.iter_mut().filter(|value| !is_present(**value)).for_each(|value| *value = f64::NAN);
            values
        }
    })
}

fn of_two(
    evaluation: &Evaluation<'_>,
    left: &ScalarExpr,
    right: &ScalarExpr,
    steps: Steps,
    combine: impl Fn(f64, f64) -> f64,
) -> Result<Vec<f64>, Error> {
    let mut values = evaluate(evaluation, left, steps)?;
    let right = evaluate(evaluation, right, steps)?;
    for (value, right) in values.iter_mut().zip(right) {
        *value = combine(*value, right);
    }
    Ok(values)
}
