//! Durations that are calculated: `[2 * step() + 5s]`.

use crate::plan::Arithmetic;

/// A duration, in seconds until it is used.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Span {
    Seconds(f64),
    /// The same, written as a number without units.
    Number(f64),
    /// The step of the whole query.
    Step,
    /// The range of the whole query.
    Range,
    Negate(Box<Span>),
    /// What is written in parentheses.
    Group(Box<Span>),
    Operation(Arithmetic, Box<Span>, Box<Span>),
}

/// Why a duration has no value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NoSpan {
    /// It depends on the query's step or range.
    Open,
    DivisionByZero,
    ModuloByZero,
    OutOfRange,
}

impl NoSpan {
    pub(crate) const fn text(self) -> &'static str {
        match self {
            Self::Open => "the duration depends on the step or the range of the query",
            Self::DivisionByZero => "division by zero",
            Self::ModuloByZero => "modulo by zero",
            Self::OutOfRange => "duration out of range",
        }
    }
}

/// The step and the range of a whole query, in seconds.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct QuerySpans {
    pub(crate) step: f64,
    pub(crate) range: f64,
}

/// The farthest that a duration reaches, in milliseconds: sums of a few never overflow.
pub(crate) const MAX_MILLISECONDS: i64 = i64::MAX / 1_000_000;

impl Span {
    /// Whether it is written as one number or duration, which may have a sign: nothing is calculated.
    pub(crate) fn is_literal(&self) -> bool {
        match self {
            Self::Seconds(_) | Self::Number(_) => true,
            Self::Negate(span) => matches!(**span, Self::Seconds(_) | Self::Number(_)),
            Self::Step | Self::Range | Self::Group(_) | Self::Operation(..) => false,
        }
    }

    /// In milliseconds; `query` may not be known yet.
    pub(crate) fn milliseconds(&self, query: Option<QuerySpans>) -> Result<i64, NoSpan> {
        let exact = self.seconds(query)? * 1000.0;
        // What is whole but for the last bits of seconds is whole.
        let near = exact.round();
        let millis = if (exact - near).abs() < 1e-3 { near } else { exact.trunc() };
        if millis.is_nan() || millis.abs() > MAX_MILLISECONDS as f64 {
            return Err(NoSpan::OutOfRange);
        }
        Ok(millis as i64)
    }

    fn seconds(&self, query: Option<QuerySpans>) -> Result<f64, NoSpan> {
        match self {
            Self::Seconds(seconds) | Self::Number(seconds) => Ok(*seconds),
            Self::Group(span) => span.seconds(query),
            Self::Step => query.map(|query| query.step).ok_or(NoSpan::Open),
            Self::Range => query.map(|query| query.range).ok_or(NoSpan::Open),
            Self::Negate(span) => span.seconds(query).map(|seconds| -seconds),
            Self::Operation(operator, left, right) => {
                // What is wrong whatever the query is, is told before it is known.
                let (left, right) = (left.seconds(query), right.seconds(query));
                match (operator, right) {
                    (Arithmetic::Divide, Ok(0.0)) => return Err(NoSpan::DivisionByZero),
                    (Arithmetic::Modulo, Ok(0.0)) => return Err(NoSpan::ModuloByZero),
                    _ => {}
                }
                Ok(operator.apply(left?, right?))
            }
        }
    }
}
