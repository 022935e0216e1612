//! Texts of a record, within its limits, and attributes made of them.

use std::fmt::{self, Write};
use std::mem;

use model::event::attributes::Entry;
use model::event::{Attributes, Flaw, Flaws};

use super::{ATTRIBUTE_BYTES, RowLimits};
use crate::otlp::value::{AnyValue, KeyValue, Shallow, double};

/// The most attributes that room is made for ahead; for more it grows as they are kept. A sender may say many of which
/// one is kept, and what is counted is what is kept.
const MAX_ROOM: usize = 10;

/// Stands where a text was cut.
const CUT: char = '…';

/// Makes texts, and notes what was cut.
pub(crate) struct Texts<'l> {
    limits: &'l RowLimits,
    pub(crate) flaws: Flaws,
    max_text_bytes: usize,
    /// Bytes that all texts may have.
    budget: usize,
    /// Those of them that are not used yet.
    left: usize,
}

impl<'l> Texts<'l> {
    /// Texts of a record.
    pub(crate) fn of_record(limits: &'l RowLimits) -> Self {
        Self::within(limits, limits.max_text_bytes, limits.max_record_bytes)
    }

    /// Texts of a part of what records come from, which may have so many bytes.
    pub(crate) fn of_origin(limits: &'l RowLimits, budget: usize) -> Self {
        Self::within(limits, limits.max_text_bytes.min(limits.max_origin_text_bytes), budget)
    }

    fn within(limits: &'l RowLimits, max_text_bytes: usize, budget: usize) -> Self {
        Self { limits, flaws: Flaws::NONE, max_text_bytes, budget, left: budget }
    }

    /// What bounds them.
    pub(crate) fn limits(&self) -> &'l RowLimits {
        self.limits
    }

    /// Bytes of all texts so far.
    pub(crate) fn bytes(&self) -> usize {
        self.budget - self.left
    }

    /// A text, cut when it is too long.
    #[inline]
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

    /// A value as text. What most are is inlined, as [`of`](Self::of) is, so that a text is made where it goes.
    #[inline]
    pub(crate) fn of_value(&mut self, value: &AnyValue<'_>) -> String {
        match value {
            AnyValue::Text(text) => self.of(text),
            other => self.of_any_value(other),
        }
    }

    fn of_any_value(&mut self, value: &AnyValue<'_>) -> String {
        match value {
            AnyValue::Empty => return String::new(),
            AnyValue::Text(text) => return self.of(text),
            AnyValue::Bool(is_so) => return self.made(is_so.to_string()),
            AnyValue::Int(number) => return self.made(number.to_string()),
            AnyValue::Double(number) => return self.made(double(*number)),
            AnyValue::Bytes(_) | AnyValue::Array(_) | AnyValue::Map(_) => {}
        }
        let shallow = Shallow { value, depth: self.limits.max_depth };
        if shallow.is_cut() {
            self.flaws.insert(Flaw::Depth);
        }
        self.written(|clipped| write!(clipped, "{shallow}"))
    }

    /// A value that is an id; nothing where there is no room for all of it. Cut, it would be the id of something else.
    pub(crate) fn id(&mut self, value: &AnyValue<'_>) -> Option<String> {
        let left = self.limits.max_name_bytes.min(self.limit());
        if let AnyValue::Text(text) = value
            && text.len() <= left
        {
            return self.of_some(text);
        }
        let shallow = Shallow { value, depth: self.limits.max_depth };
        let mut clipped = Clipped { text: String::new(), left, is_cut: shallow.is_cut() };
        // An error is how it ends where it is cut.
        _ = write!(clipped, "{shallow}");
        if clipped.is_cut {
            self.flaws.insert(Flaw::Text);
            return None;
        }
        self.left -= clipped.text.len();
        Some(clipped.text).filter(|id| !id.is_empty())
    }

    /// Attributes, and how many of them are left out.
    pub(crate) fn attributes(&mut self, sent: &[KeyValue<'_>]) -> Kept {
        let mut kept = Kept::default();
        kept.expect_up_to(sent.len());
        for KeyValue { key, value } in sent {
            kept.put(key, self, |texts| texts.of_value(value));
        }
        kept
    }

    /// A text that was made here is not kept where it was made for.
    pub(crate) fn give_back(&mut self, text: &str) {
        self.left = (self.left + text.len()).min(self.budget);
    }

    /// A text that is there already, counted once more; it is not cut again.
    pub(crate) fn charged(&mut self, text: String) -> String {
        self.left = self.left.saturating_sub(text.len());
        text
    }

    /// What is made and not kept: it takes nothing, and nothing is wrong about it.
    fn unkept(&mut self, make: impl FnOnce(&mut Self) -> String) -> String {
        let before = (self.left, self.flaws);
        let text = make(self);
        (self.left, self.flaws) = before;
        text
    }

    fn limit(&self) -> usize {
        self.max_text_bytes.min(self.left)
    }

    /// A text that was made for this: it is taken as it is where there is room for it and for what would say that it
    /// was cut.
    fn made(&mut self, text: String) -> String {
        if text.len() <= self.limit().saturating_sub(CUT.len_utf8()) {
            self.left -= text.len();
            return text;
        }
        self.written(|clipped| clipped.write_str(&text))
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
#[derive(Clone, Debug, Default)]
pub(crate) struct Kept {
    pub(crate) attributes: Attributes,
    left_out: u64,
    /// How many may come, until room is made for them.
    expected: usize,
}

impl Kept {
    /// Those that are kept already, and how many were left out.
    pub(crate) fn with(attributes: Attributes, left_out: u64) -> Self {
        Self { attributes, left_out, expected: 0 }
    }

    /// Room for so many is made when the first of them is kept: often all of them fill fields.
    pub(crate) fn expect_up_to(&mut self, count: usize) {
        self.expected = count.min(MAX_ROOM);
    }

    /// Adds one, whose value is made when there is room for its key: a value can be cut, a key cannot. Of several with
    /// one key the first is kept.
    pub(crate) fn put(
        &mut self,
        key: &str,
        texts: &mut Texts<'_>,
        value: impl FnOnce(&mut Texts<'_>) -> String,
    ) {
        let limits = texts.limits;
        let fits = key.len() <= limits.max_name_bytes.min(texts.left)
            && self.attributes.len() < limits.max_attributes;
        if fits {
            self.attributes.reserve(mem::take(&mut self.expected));
        }
        // One that says the same is not missed.
        let is_missed = match self.attributes.entry(key) {
            Entry::Occupied(there) => texts.unkept(value) != *there,
            Entry::Vacant(place) if fits => {
                texts.left -= key.len();
                place.insert(value(texts));
                false
            }
            Entry::Vacant(_) => true,
        };
        if is_missed {
            self.leave_out(texts);
        }
    }

    /// Counts one that is not kept.
    pub(crate) fn leave_out(&mut self, texts: &mut Texts<'_>) {
        self.left_out += 1;
        texts.flaws.insert(Flaw::Attributes);
    }

    /// Roughly what they take beside their texts.
    pub(crate) fn bytes(&self) -> usize {
        self.attributes.len() * ATTRIBUTE_BYTES
    }

    /// Attributes that are not here: left out here, or by the sender before.
    pub(crate) fn dropped(&self, before: u32) -> Option<u64> {
        let all = self.left_out + u64::from(before);
        (all > 0).then_some(all)
    }
}
