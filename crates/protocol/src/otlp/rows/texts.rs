//! Texts of a record, within its limits, and attributes made of them.

use std::fmt::{self, Write};

use model::event::{Attributes, Flaw, Flaws};

use super::RowLimits;
use crate::otlp::value::{AnyValue, KeyValue, Shallow};

/// Stands where a text was cut.
const CUT: char = '…';

/// Makes texts, and notes what was cut.
pub(crate) struct Texts<'l> {
    pub(crate) limits: &'l RowLimits,
    pub(crate) flaws: Flaws,
    /// Bytes that the record may still have.
    left: usize,
}

impl<'l> Texts<'l> {
    pub(crate) fn new(limits: &'l RowLimits, flaws: Flaws) -> Self {
        Self { limits, flaws, left: limits.max_record_bytes }
    }

    /// Bytes of all texts so far.
    pub(crate) fn bytes(&self) -> usize {
        self.limits.max_record_bytes - self.left
    }

    /// A text, cut when it is too long.
    pub(crate) fn of(&mut self, text: &str) -> String {
        let limit = self.limit();
        if text.len() <= limit {
            self.left -= text.len();
            return text.to_owned();
        }
        self.written(|clipped| clipped.write_str(text))
    }

    /// The same of a text that need not be there.
    pub(crate) fn of_some(&mut self, text: &str) -> Option<String> {
        (!text.is_empty()).then(|| self.of(text))
    }

    /// A value as text.
    pub(crate) fn of_value(&mut self, value: &AnyValue<'_>) -> String {
        if let AnyValue::Text(text) = value {
            return self.of(text);
        }
        let shallow = Shallow { value, depth: self.limits.max_depth };
        if shallow.is_cut() {
            self.flaws.insert(Flaw::Depth);
        }
        self.written(|clipped| write!(clipped, "{shallow}"))
    }

    /// Attributes, and how many of them are left out.
    pub(crate) fn attributes(&mut self, sent: &[KeyValue<'_>]) -> Kept {
        let mut kept = Kept::default();
        for KeyValue { key, value } in sent {
            let text = self.of_value(value);
            kept.put(key, text, self);
        }
        kept
    }

    fn limit(&self) -> usize {
        self.limits.max_text_bytes.min(self.left)
    }

    /// What is written to a text, up to the limit.
    fn written(&mut self, write: impl FnOnce(&mut Clipped) -> fmt::Result) -> String {
        // There is room for what says that it was cut.
        let left = self.limit().saturating_sub(CUT.len_utf8());
        let mut clipped = Clipped { text: String::new(), left, is_cut: false };
        // An error is how it ends where it is cut.
        let _ = write(&mut clipped);
        let Clipped { mut text, is_cut, .. } = clipped;
        if is_cut {
            text.push(CUT);
            self.flaws.insert(Flaw::Text);
        }
        self.left = self.left.saturating_sub(text.len());
        text
    }
}

/// A text that grows to a limit.
struct Clipped {
    text: String,
    left: usize,
    is_cut: bool,
}

impl Write for Clipped {
    fn write_str(&mut self, part: &str) -> fmt::Result {
        if let Some(left) = self.left.checked_sub(part.len()) {
            self.left = left;
            self.text.push_str(part);
            return Ok(());
        }
        self.text.push_str(&part[..part.floor_char_boundary(self.left)]);
        self.left = 0;
        self.is_cut = true;
        Err(fmt::Error)
    }
}

/// Attributes that are kept.
#[derive(Debug, Default)]
pub(crate) struct Kept {
    pub(crate) attributes: Attributes,
    left_out: u64,
}

impl Kept {
    /// Adds one. Of several with one key the first is kept.
    pub(crate) fn put(&mut self, key: &str, value: String, texts: &mut Texts<'_>) {
        if self.attributes.get(key).is_some_and(|there| *there == value) {
            return;
        }
        let limits = texts.limits;
        let fits = key.len() <= limits.max_name_bytes.min(texts.left)
            && self.attributes.len() < limits.max_attributes
            && !self.attributes.contains_key(key);
        if fits {
            texts.left -= key.len();
            self.attributes.insert(key.to_owned(), value);
        } else {
            self.left_out += 1;
            texts.flaws.insert(Flaw::Attributes);
        }
    }

    /// Attributes that are not here: left out here, or by the sender before.
    pub(crate) fn dropped(&self, before: u32) -> Option<u64> {
        let all = self.left_out + u64::from(before);
        (all > 0).then_some(all)
    }
}
