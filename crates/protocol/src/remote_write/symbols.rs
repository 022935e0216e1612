//! The texts of a request of the second version, which its series refer to.

use super::series::Pair;
use crate::wire::{Fields, Malformed, Value};

/// The most symbols of a request.
pub(super) const MAX_SYMBOLS: usize = 1 << 20;

/// The texts that there are.
#[derive(Default)]
pub(super) struct Symbols<'a>(Vec<&'a [u8]>);

impl<'a> Symbols<'a> {
    /// Adds one; `false` when there are too many.
    pub(super) fn put(&mut self, text: &'a [u8]) -> bool {
        let has_room = self.0.len() < MAX_SYMBOLS;
        if has_room {
            self.0.push(text);
        }
        has_room
    }

    /// Whether they begin as they must: references that are not set are zero, and mean nothing.
    pub(super) fn begin_with_nothing(&self) -> bool {
        self.0.first().is_none_or(|text| text.is_empty())
    }

    pub(super) fn get(&self, reference: u64) -> Option<&'a [u8]> {
        self.0.get(usize::try_from(reference).ok()?).copied()
    }

    /// The labels that references name, each by its name and its value; else why they name none.
    pub(super) fn pairs(&self, references: &[u64]) -> Result<Vec<Pair<'a>>, String> {
        let (pairs, rest) = references.as_chunks::<2>();
        if !rest.is_empty() {
            return Err(format!(
                "it has {} references to labels; a name and a value each make an even number",
                references.len()
            ));
        }
        pairs
            .iter()
            .map(|[name, value]| {
                Ok(Pair { name: self.named(*name)?, value: self.named(*value)?, plain: &[] })
            })
            .collect()
    }

    fn named(&self, reference: u64) -> Result<&'a [u8], String> {
        self.get(reference)
            .ok_or_else(|| format!("it refers to the symbol {reference}, and there are {}", self.0.len()))
    }
}

/// Hands references to `take`, packed or one by one.
pub(super) fn each_reference(
    value: Value<'_>,
    field: u32,
    mut take: impl FnMut(u64),
) -> Result<(), Malformed> {
    match value {
        Value::Number(reference) => take(reference),
        Value::Bytes(packed) => {
            let mut packed = Fields::of(packed);
            while !packed.is_empty() {
                take(packed.number()?);
            }
        }
        Value::Eight(_) | Value::Four(_) => return Err(Malformed::Type(field)),
    }
    Ok(())
}
