//! The labels that all series of a point have, each series' own ones put between them when it is written.

use std::cmp::Reverse;
use std::fmt::{Display, Write};
use std::ops::Range;

use model::labels::{MAX_LABEL_BYTES, METRIC_NAME};

use super::target::Target;
use crate::otlp::names::{NameStrategy, label_name};
use crate::otlp::value::KeyValue;

/// The most attributes of a point, many more than any series may have labels.
const MAX_ATTRIBUTES: usize = 512;
/// The most characters of a key in a reason.
const MAX_SHOWN: usize = 100;

/// Which of several labels with one name holds: the one that ranks highest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Rank {
    /// An attribute of the resource that was promoted.
    Promoted,
    /// An attribute of the point.
    Attribute,
    /// From the scope.
    Scope,
    /// `job` and `instance`.
    Target,
}

/// Labels by name, in memory that is used again for the next point.
#[derive(Debug, Default)]
pub(super) struct SeriesLabels {
    text: String,
    pairs: Vec<Pair>,
    order: Vec<usize>,
}

/// Where a name and its value stand in the text.
#[derive(Clone, Debug)]
struct Pair {
    name: Range<usize>,
    value: Range<usize>,
    rank: Rank,
}

impl SeriesLabels {
    /// Takes the labels of a point; else says what is wrong with them.
    pub(super) fn set(
        &mut self,
        attributes: &[KeyValue<'_>],
        target: &Target,
        names: NameStrategy,
    ) -> Result<(), String> {
        if attributes.len() > MAX_ATTRIBUTES {
            return Err(format!("it has more than {MAX_ATTRIBUTES} attributes"));
        }
        self.text.clear();
        self.pairs.clear();
        // Values of attributes that become one label stand in it in the order of their keys.
        let mut order = std::mem::take(&mut self.order);
        order.clear();
        order.extend(0..attributes.len());
        order.sort_by_key(|index| &attributes[*index].key);
        for KeyValue { key, value } in order.iter().map(|index| &attributes[*index]) {
            let name = label_name(key, names).ok_or_else(|| {
                format!("no letter and no digit is in the key `{}` of an attribute", shown(key))
            })?;
            self.put(&name, value, Rank::Attribute);
        }
        self.order = order;
        target.labels().for_each(|(name, value, rank)| self.put(name, &value, rank));
        self.merge();
        self.check()
    }

    fn put(&mut self, name: &str, value: &impl Display, rank: Rank) {
        let start = self.text.len();
        self.text.push_str(name);
        let middle = self.text.len();
        // A text takes whatever is written to it.
        _ = write!(self.text, "{value}");
        self.pairs.push(Pair { name: start..middle, value: middle..self.text.len(), rank });
    }

    /// Makes one label of those with one name.
    fn merge(&mut self) {
        let Self { text, pairs, .. } = self;
        pairs.sort_by(|a, b| {
            let key = |pair: &Pair| (&text[pair.name.clone()], Reverse(pair.rank));
            key(a).cmp(&key(b))
        });
        let is_same = |text: &str, a: &Pair, b: &Pair| text[a.name.clone()] == text[b.name.clone()];
        if !pairs.windows(2).any(|pair| is_same(text, &pair[0], &pair[1])) {
            return;
        }
        let mut rest = std::mem::take(pairs).into_iter().peekable();
        while let Some(first) = rest.next() {
            let start = text.len();
            text.extend_from_within(first.value.clone());
            while let Some(same) = rest.next_if(|next| is_same(text, &first, next)) {
                if same.rank == first.rank {
                    text.push(';');
                    text.extend_from_within(same.value);
                }
            }
            pairs.push(Pair { value: start..text.len(), ..first });
        }
    }

    fn check(&self) -> Result<(), String> {
        let is_too_long = |text: &Range<usize>| text.len() > MAX_LABEL_BYTES;
        match self.pairs.iter().find(|pair| is_too_long(&pair.name) || is_too_long(&pair.value)) {
            Some(pair) => Err(label_too_long(&self.text[pair.name.clone()])),
            None => Ok(()),
        }
    }

    /// Bytes of the labels.
    pub(super) fn size_bytes(&self) -> usize {
        self.pairs.iter().map(|pair| pair.name.len() + pair.value.len() + 2 * size_of::<u16>()).sum()
    }

    /// Appends the labels of a series in their canonical encoding: those of the point, the name (in two parts), and
    /// maybe one more.
    pub(super) fn write(&self, name: (&str, &str), label: Option<(&str, &str)>, into: &mut Vec<u8>) {
        let label = label.map(|(name, value)| (name, (value, "")));
        let mut own = [Some((METRIC_NAME, name)), label].into_iter().flatten().peekable();
        for pair in &self.pairs {
            let (name, value) = (&self.text[pair.name.clone()], &self.text[pair.value.clone()]);
            while let Some((name, value)) = own.next_if(|(own, _)| *own < name) {
                put_label(name, value, into);
            }
            // What the series itself says holds, and a label without a value is none.
            if !value.is_empty() && own.peek().is_none_or(|(own, _)| *own != name) {
                put_label(name, (value, ""), into);
            }
        }
        own.for_each(|(name, value)| put_label(name, value, into));
    }
}

fn put_label(name: &str, value: (&str, &str), into: &mut Vec<u8>) {
    for (start, end) in [(name, ""), value] {
        // Lengths were checked before.
        into.extend_from_slice(&((start.len() + end.len()) as u16).to_le_bytes());
        into.extend_from_slice(start.as_bytes());
        into.extend_from_slice(end.as_bytes());
    }
}

/// What is wrong with a label whose name or value is longer than any may be.
pub(super) fn label_too_long(name: &str) -> String {
    format!("the label `{}` has more than {MAX_LABEL_BYTES} bytes", shown(name))
}

fn shown(text: &str) -> String {
    text.chars().take(MAX_SHOWN).collect()
}
