//! Which series have which labels: an inverted index of roaring bitmaps.
//!
//! Head and blocks use the same index over their own numbering of series. It knows numbers and label
//! pairs, not samples or times.

use std::collections::HashMap;

use model::LabelsRef;
use roaring::RoaringBitmap;
use store::{MatchOp, Matcher};

/// Characters that mean something in a regular expression; a pattern without them, but for `|`, is a
/// list of values.
const REGEX_SYNTAX: &[char] = &['\\', '.', '+', '*', '?', '(', ')', '[', ']', '{', '}', '^', '$'];

/// Bytes that a bitmap with one series in it takes, with its entry in the map.
const PAIR_BYTES: usize = 128;

/// Label pairs and the series that have them.
#[derive(Debug, Default)]
pub(crate) struct LabelIndex {
    names: HashMap<Box<str>, HashMap<Box<str>, RoaringBitmap>>,
    series: u32,
    bytes: usize,
}

impl LabelIndex {
    /// Adds the next series; series are numbered from zero in the order in which they are added.
    pub(crate) fn push(&mut self, labels: LabelsRef<'_>) {
        let series = self.series;
        self.series += 1;
        for (name, value) in labels.iter() {
            if !self.names.contains_key(name) {
                self.names.insert(name.into(), HashMap::new());
                self.bytes += name.len() + PAIR_BYTES;
            }
            let values = self.names.get_mut(name).expect("it was there or has just been inserted");
            match values.get_mut(value) {
                Some(bitmap) => {
                    bitmap.insert(series);
                    self.bytes += size_of::<u16>();
                }
                None => {
                    values.insert(value.into(), RoaringBitmap::from_iter([series]));
                    self.bytes += value.len() + PAIR_BYTES;
                }
            }
        }
    }

    /// Roughly how much memory the index takes.
    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }

    /// The series for which all matchers hold.
    pub(crate) fn select(&self, matchers: &[Matcher]) -> RoaringBitmap {
        let mut selected: Option<RoaringBitmap> = None;
        // A matcher that holds where the label is absent says which values to leave out; the others say
        // which to take. Taking comes first, so that leaving out works on what is left.
        let (absent, present): (Vec<_>, Vec<_>) = matchers.iter().partition(|m| m.matches_absent());
        for matcher in present {
            let series = self.with_value(matcher, true);
            match &mut selected {
                Some(selected) => *selected &= series,
                None => selected = Some(series),
            }
            if selected.as_ref().is_some_and(RoaringBitmap::is_empty) {
                return RoaringBitmap::new();
            }
        }
        let mut selected = selected.unwrap_or_else(|| RoaringBitmap::from_iter(0..self.series));
        for matcher in absent {
            selected -= self.with_value(matcher, false);
        }
        selected
    }

    /// The series that have the matcher's label with a value for which it gives `holds`.
    fn with_value(&self, matcher: &Matcher, holds: bool) -> RoaringBitmap {
        let Some(values) = self.names.get(matcher.name()) else { return RoaringBitmap::new() };
        let one = |value: &str| values.get(value).cloned().unwrap_or_default();
        match (matcher.op(), holds) {
            (MatchOp::Equal, true) | (MatchOp::NotEqual, false) => one(matcher.value()),
            (MatchOp::Regex, true) | (MatchOp::NotRegex, false)
                if !matcher.value().contains(REGEX_SYNTAX) =>
            {
                matcher.value().split('|').filter_map(|value| values.get(value)).fold(
                    RoaringBitmap::new(),
                    |mut all, bitmap| {
                        all |= bitmap;
                        all
                    },
                )
            }
            _ => {
                let mut all = RoaringBitmap::new();
                for (_, bitmap) in values.iter().filter(|(value, _)| matcher.matches_value(value) == holds) {
                    all |= bitmap;
                }
                all
            }
        }
    }

    /// The names of all labels.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.names.keys().map(|name| &**name)
    }

    /// The values of one label.
    pub(crate) fn values(&self, name: &str) -> impl Iterator<Item = &str> {
        self.names.get(name).into_iter().flat_map(|values| values.keys().map(|value| &**value))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::Labels;
    use proptest::prelude::*;

    fn any_matcher() -> impl Strategy<Value = Matcher> {
        let op = prop_oneof![
            Just(MatchOp::Equal),
            Just(MatchOp::NotEqual),
            Just(MatchOp::Regex),
            Just(MatchOp::NotRegex)
        ];
        let value = prop_oneof![
            Just(""),
            Just("a"),
            Just("b"),
            Just("a|b"),
            Just("a|"),
            Just("a.*"),
            Just(".+"),
            Just(".*")
        ];
        ("[xyz]", op, value).prop_map(|(name, op, value)| Matcher::new(name, op, value).expect("valid"))
    }

    proptest! {
        #[test]
        fn selection_agrees_with_matching_each_series(
            sets in proptest::collection::vec(proptest::collection::btree_map("[xyz]", "[ab]{1,2}", 0..4), 0..20),
            matchers in proptest::collection::vec(any_matcher(), 0..4),
        ) {
            let sets: Vec<Labels> = sets.into_iter().map(Labels::from_pairs).collect();
            let mut index = LabelIndex::default();
            sets.iter().for_each(|labels| index.push(labels.as_ref()));
            let expected: Vec<u32> = (0..).zip(&sets)
                .filter(|(_, labels)| matchers.iter().all(|m| m.matches(labels.as_ref())))
                .map(|(series, _)| series)
                .collect();
            prop_assert_eq!(index.select(&matchers).into_iter().collect::<Vec<u32>>(), expected);
        }
    }
}
