//! Functions of what queries give.

use std::sync::Arc;

use super::given::Given;
use crate::template::value::Value;

/// A function of samples.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::template) enum OfResults {
    First,
    Label,
    Value,
    TextValue,
    SortByLabel,
}

impl OfResults {
    pub(super) fn of(self, given: &Given<'_>) -> Result<Value, String> {
        match self {
            Self::First => match given.list(0, 1)?.first() {
                Some(first) => Ok(first.clone()),
                None => Err(given.failed("first() called on vector with no elements")),
            },
            Self::Label => {
                let sample = given.sample(1, 2)?;
                Ok(Value::text(sample.labels.get(given.text(0, 2)?).map_or("", String::as_str)))
            }
            Self::Value => Ok(Value::Float(given.sample(0, 1)?.value)),
            Self::TextValue => {
                Ok(Value::text(given.sample(0, 1)?.labels.get("__value__").map_or("", String::as_str)))
            }
            Self::SortByLabel => Ok(sorted(given.text(0, 2)?, given.list(1, 2)?)),
        }
    }
}

fn sorted(label: &str, samples: &[Value]) -> Value {
    let mut samples = samples.to_vec();
    let key = |value: &Value| match value {
        Value::Sample(sample) => sample.labels.get(label).cloned().unwrap_or_default(),
        _ => String::new(),
    };
    samples.sort_by_cached_key(key);
    Value::List(Arc::new(samples))
}
