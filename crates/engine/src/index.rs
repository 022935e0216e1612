//! Which series have which labels: an inverted index of roaring bitmaps.
//!
//! Head and blocks use the same index over their own numbering of series. It knows numbers and label
//! pairs, not samples or times.

use std::collections::HashMap;
use std::convert::Infallible;

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
        let with_value = |matcher: &Matcher, holds| Ok::<_, Infallible>(self.with_value(matcher, holds));
        select(matchers, self.series, with_value).unwrap_or_else(|never| match never {})
    }

    /// The series that have the matcher's label with a value for which it gives `holds`.
    fn with_value(&self, matcher: &Matcher, holds: bool) -> RoaringBitmap {
        let Some(values) = self.names.get(matcher.name()) else { return RoaringBitmap::new() };
        match (matcher.op(), holds) {
            (MatchOp::Equal, true) | (MatchOp::NotEqual, false) => {
                values.get(matcher.value()).cloned().unwrap_or_default()
            }
            (MatchOp::Regex, true) | (MatchOp::NotRegex, false) if listed_values(matcher).is_some() => {
                union(listed_values(matcher).into_iter().flatten().filter_map(|value| values.get(value)))
            }
            _ => union(
                values
                    .iter()
                    .filter(|(value, _)| matcher.matches_value(value) == holds)
                    .map(|(_, bitmap)| bitmap),
            ),
        }
    }

    /// Label pairs with the series that have them, sorted.
    pub(crate) fn pairs(&self) -> impl Iterator<Item = (&str, &str, &RoaringBitmap)> {
        let mut names: Vec<_> = self.names.iter().collect();
        names.sort_unstable_by_key(|(name, _)| &**name);
        names.into_iter().flat_map(|(name, values)| {
            let mut values: Vec<_> = values.iter().collect();
            values.sort_unstable_by_key(|(value, _)| &**value);
            values.into_iter().map(|(value, bitmap)| (&**name, &**value, bitmap))
        })
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

/// The series of `0..series` for which all matchers hold. `with_value` gives those that have a matcher's
/// label with a value for which the matcher gives what is asked.
pub(crate) fn select<E>(
    matchers: &[Matcher],
    series: u32,
    mut with_value: impl FnMut(&Matcher, bool) -> Result<RoaringBitmap, E>,
) -> Result<RoaringBitmap, E> {
    let mut selected: Option<RoaringBitmap> = None;
    // A matcher that holds where the label is absent says which values to leave out; the others say
    // which to take. Taking comes first, so that leaving out works on what is left.
    let (absent, present): (Vec<_>, Vec<_>) = matchers.iter().partition(|m| m.matches_absent());
    for matcher in present {
        let found = with_value(matcher, true)?;
        match &mut selected {
            Some(selected) => *selected &= found,
            None => selected = Some(found),
        }
        if selected.as_ref().is_some_and(RoaringBitmap::is_empty) {
            return Ok(RoaringBitmap::new());
        }
    }
    let mut selected = selected.unwrap_or_else(|| RoaringBitmap::from_iter(0..series));
    for matcher in absent {
        selected -= with_value(matcher, false)?;
    }
    Ok(selected)
}

/// The values that a matcher's pattern lists, when it is nothing but a list.
pub(crate) fn listed_values(matcher: &Matcher) -> Option<impl Iterator<Item = &str>> {
    (!matcher.value().contains(REGEX_SYNTAX)).then(|| matcher.value().split('|'))
}

fn union<'a>(bitmaps: impl Iterator<Item = &'a RoaringBitmap>) -> RoaringBitmap {
    bitmaps.fold(RoaringBitmap::new(), |mut all, bitmap| {
        all |= bitmap;
        all
    })
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
