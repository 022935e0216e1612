//! Exemplars as both versions of remote write send them.

use std::collections::BTreeMap;

use model::{Exemplar, Labels};

use super::series::{Pair, pair};
use super::symbols::{Symbols, each_reference};
use crate::wire::{Fields, Malformed, Value};

/// The most characters of all labels of an exemplar, as OpenMetrics has it.
pub(super) const MAX_LABEL_CHARS: usize = 128;

/// Where an exemplar's labels are.
#[derive(Clone, Copy)]
pub(super) enum LabelsOf<'s, 'a> {
    /// In its message.
    Message,
    /// Among the request's symbols.
    Symbols(&'s Symbols<'a>),
}

/// Takes an exemplar apart. One that can't be kept (its labels are wrong or too long, or there is no time to give it)
/// is nothing.
pub(super) fn exemplar(
    message: &[u8],
    series: &Labels,
    last_ms: Option<i64>,
    labels_of: LabelsOf<'_, '_>,
) -> Result<Option<Exemplar>, Malformed> {
    let (mut value, mut time_ms) = (0.0, 0);
    let mut labels: Option<BTreeMap<String, String>> = Some(BTreeMap::new());
    let mut chars = 0;
    let mut put = |pair: Pair<'_>| {
        let text = |bytes| std::str::from_utf8(bytes).ok();
        let kept = text(pair.name).zip(text(pair.value)).filter(|(name, value)| {
            chars += name.chars().count() + value.chars().count();
            !name.is_empty() && chars <= MAX_LABEL_CHARS
        });
        let is_put = kept.zip(labels.as_mut()).is_some_and(|((name, value), labels)| {
            labels.insert(name.to_owned(), value.to_owned()).is_none()
        });
        if !is_put {
            labels = None;
        }
    };
    let mut references = Vec::new();
    for field in Fields::of(message) {
        match (field?, labels_of) {
            ((1, Value::Bytes(message)), LabelsOf::Message) => put(pair(message)?),
            ((1, value), LabelsOf::Symbols(_)) => {
                // More of them would be more characters than are taken.
                each_reference(value, 1, |reference| {
                    if references.len() <= 2 * MAX_LABEL_CHARS {
                        references.push(reference);
                    }
                })?;
            }
            ((2, Value::Eight(bytes)), _) => value = f64::from_le_bytes(bytes),
            ((3, Value::Number(time)), _) => time_ms = time.cast_signed(),
            ((number @ 1..=3, _), _) => return Err(Malformed::Type(number)),
            _ => {}
        }
    }
    if let LabelsOf::Symbols(symbols) = labels_of {
        match symbols.pairs(&references) {
            Ok(pairs) => pairs.into_iter().for_each(put),
            Err(_) => labels = None,
        }
    }
    // Zero is a time that was not given.
    let time_ms = if time_ms == 0 { last_ms } else { Some(time_ms) };
    Ok(labels.zip(time_ms).map(|(labels, time_ms)| Exemplar {
        series: series.clone(),
        labels: Labels::from_pairs(labels),
        value,
        time_ms,
    }))
}
