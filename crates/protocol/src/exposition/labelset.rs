//! The labels of one sample: gathered in any order, written once in their canonical encoding.

use std::borrow::Cow;

use model::Labels;
use model::labels::{MAX_LABEL_BYTES, METRIC_NAME};

use super::Refused;

/// A text of the body; owned only where an escape stands in it.
pub(super) type Text<'a> = Cow<'a, str>;

/// Names and values that borrow from the body. Its memory is used again for the next sample.
#[derive(Default)]
pub(super) struct LabelSet<'a> {
    pairs: Vec<(Text<'a>, Text<'a>)>,
}

impl<'a> LabelSet<'a> {
    pub(super) fn clear(&mut self) {
        self.pairs.clear();
    }

    pub(super) fn add(&mut self, name: impl Into<Text<'a>>, value: impl Into<Text<'a>>) {
        self.pairs.push((name.into(), value.into()));
    }

    /// Whether the metric has a name.
    pub(super) fn is_named(&self) -> bool {
        self.pairs.iter().any(|(name, value)| name == METRIC_NAME && !value.is_empty())
    }

    /// How many characters all names and values have.
    pub(super) fn characters(&self) -> usize {
        self.pairs.iter().map(|(name, value)| name.chars().count() + value.chars().count()).sum()
    }

    /// The value of a label, to be changed.
    pub(super) fn value_mut(&mut self, name: &str) -> Option<&mut Text<'a>> {
        self.pairs.iter_mut().find(|(key, _)| key == name).map(|(_, value)| value)
    }

    /// A set of its own.
    pub(super) fn to_labels(&self) -> Labels {
        Labels::from_pairs(self.pairs.iter().map(|(name, value)| (name.as_ref(), value.as_ref())))
    }

    /// Appends the canonical encoding, labels without a value among them, and forgets the labels.
    pub(super) fn write(&mut self, into: &mut Vec<u8>) -> Result<(), Refused> {
        if !self.pairs.is_sorted_by(|a, b| a.0 < b.0) {
            self.pairs.sort_unstable_by(|a, b| a.0.cmp(&b.0));
            if let Some(twice) = self.pairs.windows(2).find(|pair| pair[0].0 == pair[1].0) {
                return Err(Refused::Labels {
                    expected: "each label once",
                    found: format!("`{}` twice", twice[0].0),
                });
            }
        }
        for (name, value) in &self.pairs {
            if name.is_empty() {
                return Err(Refused::Labels { expected: "the name of a label", found: "none".to_owned() });
            }
            for text in [name, value] {
                if text.len() > MAX_LABEL_BYTES {
                    let found = format!("{} in `{}`", text.len(), super::line::short(name));
                    return Err(Refused::Labels { expected: "at most 65535 bytes in a label", found });
                }
                // The length was checked before.
                into.extend_from_slice(&(text.len() as u16).to_le_bytes());
                into.extend_from_slice(text.as_bytes());
            }
        }
        self.pairs.clear();
        Ok(())
    }
}
