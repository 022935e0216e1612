//! Functions that compare values.

use std::cmp::Ordering::{Equal, Less};

use crate::template::value::Value;

/// A comparison.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::template) enum Comparison {
    Eq,
    Ne,
    Lt,
    Le,
    Gt,
    Ge,
}

impl Comparison {
    /// Compares the first with the second; whether it is equal, with any of the others.
    pub(super) fn of(self, arguments: &[Value]) -> Result<bool, String> {
        let (first, rest) = arguments.split_first().ok_or("missing argument for comparison")?;
        if self == Self::Eq {
            return is_any(first, rest);
        }
        let [second] = rest else {
            return Err(format!("a comparison takes 2 values, and is given {}", arguments.len()));
        };
        if self == Self::Ne {
            return Ok(!first.equals(second)?);
        }
        let order = first.order(second)?;
        Ok(match self {
            Self::Lt => order == Some(Less),
            Self::Le => matches!(order, Some(Less | Equal)),
            // As Go has it, a NaN is greater than everything: it is not less, and not equal.
            Self::Gt => !matches!(order, Some(Less | Equal)),
            Self::Ge => order != Some(Less),
            Self::Eq | Self::Ne => false,
        })
    }
}

fn is_any(first: &Value, others: &[Value]) -> Result<bool, String> {
    if others.is_empty() {
        return Err("missing argument for comparison".to_owned());
    }
    for other in others {
        if first.equals(other)? {
            return Ok(true);
        }
    }
    Ok(false)
}
