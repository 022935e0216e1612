//! Arithmetic, comparison and order of single values, with Prometheus' treatment of NaN.

use std::cmp::Ordering;

use model::Labels;

use crate::plan::{Arithmetic, Comparison};
use crate::steps::ABSENT;
use crate::sums::nan_first;

impl Arithmetic {
    pub(crate) fn apply(self, left: f64, right: f64) -> f64 {
        match self {
            Self::Add => left + right,
            Self::Subtract => left - right,
            Self::Multiply => left * right,
            Self::Divide => left / right,
            Self::Modulo => left % right,
            Self::Power => left.powf(right),
            Self::Atan2 => left.atan2(right),
            Self::Smaller => smaller(left, right),
            Self::Larger => larger(left, right),
        }
    }
}

impl Comparison {
    pub(crate) fn holds(self, left: f64, right: f64) -> bool {
        match self {
            Self::Equal => left == right,
            Self::NotEqual => left != right,
            Self::Greater => left > right,
            Self::Less => left < right,
            Self::GreaterOrEqual => left >= right,
            Self::LessOrEqual => left <= right,
        }
    }
}

/// The smaller of two; NaN when one is, unless the other is as small as can be.
pub(crate) fn smaller(a: f64, b: f64) -> f64 {
    if a == f64::NEG_INFINITY || b == f64::NEG_INFINITY {
        f64::NEG_INFINITY
    } else if a.is_nan() || b.is_nan() {
        f64::NAN
    } else {
        a.min(b)
    }
}

/// The larger of two; NaN when one is, unless the other is as large as can be.
pub(crate) fn larger(a: f64, b: f64) -> f64 {
    if a == f64::INFINITY || b == f64::INFINITY {
        f64::INFINITY
    } else if a.is_nan() || b.is_nan() {
        f64::NAN
    } else {
        a.max(b)
    }
}

/// The value between two bounds; none when the bounds cross.
pub(super) fn clamp(value: f64, min: f64, max: f64) -> f64 {
    if max < min { ABSENT } else { larger(min, smaller(max, value)) }
}

/// The nearest multiple, ties upwards. It multiplies by the inverse, which is exact for 0.1 and its like.
pub(super) fn round(value: f64, nearest: f64) -> f64 {
    let inverse = 1.0 / nearest;
    (value * inverse + 0.5).floor() / inverse
}

/// -1, 1, or the value itself where it is zero or NaN.
pub(crate) fn sign(value: f64) -> f64 {
    if value < 0.0 {
        -1.0
    } else if value > 0.0 {
        1.0
    } else {
        value
    }
}

pub(super) fn nan_last(a: f64, b: f64) -> Ordering {
    a.partial_cmp(&b).unwrap_or_else(|| a.is_nan().cmp(&b.is_nan()))
}

pub(super) fn descending_nan_last(a: f64, b: f64) -> Ordering {
    nan_first(b, a)
}

/// Compares the values of the named labels, numbers in them as numbers; then all labels.
pub(super) fn by_labels(a: &Labels, b: &Labels, names: &[String]) -> Ordering {
    names
        .iter()
        .map(|name| natural(a.get(name).unwrap_or(""), b.get(name).unwrap_or("")))
        .find(|order| order.is_ne())
        .unwrap_or_else(|| a.cmp(b))
}

/// Compares texts so that `4m5` comes before `4m1000`.
fn natural(a: &str, b: &str) -> Ordering {
    let (mut a, mut b) = (a, b);
    loop {
        let ((run_a, rest_a), (run_b, rest_b)) = (leading_run(a), leading_run(b));
        if run_a.is_empty() || run_b.is_empty() {
            return run_a.len().cmp(&run_b.len());
        }
        let order = if is_digits(run_a) && is_digits(run_b) {
            let (short_a, short_b) = (run_a.trim_start_matches('0'), run_b.trim_start_matches('0'));
            short_a.len().cmp(&short_b.len()).then_with(|| short_a.cmp(short_b))
        } else {
            run_a.cmp(run_b)
        };
        if order.is_ne() {
            return order;
        }
        (a, b) = (rest_a, rest_b);
    }
}

fn is_digits(run: &str) -> bool {
    run.starts_with(|c: char| c.is_ascii_digit())
}

/// The digits, or the other characters, that a text begins with.
fn leading_run(text: &str) -> (&str, &str) {
    let digits = is_digits(text);
    let end = text.find(|c: char| c.is_ascii_digit() != digits).unwrap_or(text.len());
    text.split_at(end)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_in_texts_are_compared_as_numbers() {
        let mut texts = ["4m1000", "4m5", "10", "9", "4m600", "", "1.11", "1.2"];
        texts.sort_by(|a, b| natural(a, b));
        assert_eq!(texts, ["", "1.2", "1.11", "4m5", "4m600", "4m1000", "9", "10"]);
    }

    #[test]
    fn nan_is_last_both_ways() {
        let mut values = [2.0, f64::NAN, 1.0];
        values.sort_by(|a, b| nan_last(*a, *b));
        assert_eq!((values[0], values[2].is_nan()), (1.0, true));
        values.sort_by(|a, b| descending_nan_last(*a, *b));
        assert_eq!((values[0], values[2].is_nan()), (2.0, true));
    }

    #[test]
    fn bounds_that_cross_give_nothing() {
        assert!(!crate::steps::is_present(clamp(1.0, 2.0, 1.0)));
        assert!(clamp(1.0, 0.0, f64::NAN).is_nan());
        assert_eq!(clamp(5.0, 0.0, 2.0), 2.0);
    }

    #[test]
    fn infinity_is_past_every_number_and_past_none_at_all() {
        assert_eq!(clamp(f64::NEG_INFINITY, 7.0, f64::NAN), 7.0);
        assert_eq!(larger(f64::NAN, f64::INFINITY), f64::INFINITY);
        assert!(smaller(f64::NAN, f64::INFINITY).is_nan() && larger(f64::NEG_INFINITY, f64::NAN).is_nan());
    }
}
