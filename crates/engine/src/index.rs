//! Which series have which labels: an inverted index of roaring bitmaps.
//!
//! Head and blocks use the same index over their own numbering of series. It knows numbers and label
//! pairs, not samples or times.

mod cardinality;

use std::collections::HashMap;
use std::convert::Infallible;
use std::hash::{BuildHasherDefault, Hasher};

use model::LabelsRef;
use roaring::RoaringBitmap;
use store::{MatchOp, Matcher};

/// Characters that mean something in a regular expression; a pattern without them, but for `|`, is a
/// list of values.
const REGEX_SYNTAX: &[char] = &['\\', '.', '+', '*', '?', '(', ')', '[', ']', '{', '}', '^', '$'];

/// Bytes that a value takes with its entry in the map, beside its text and the series that have it.
const VALUE_BYTES: usize = 96;
/// Bytes that the bitmap of a second series takes.
const BITMAP_BYTES: usize = 96;
/// No further value has the same hash.
const NONE: u32 = u32::MAX;

/// A map by hashes that are there already.
pub(crate) type ByHash = HashMap<u64, u32, BuildHasherDefault<AlreadyHashed>>;

/// Label pairs and the series that have them.
#[derive(Debug, Default)]
pub(crate) struct LabelIndex {
    names: HashMap<Box<str>, Values, BuildHasherDefault<AlreadyHashed>>,
    series: u32,
    bytes: usize,
}

/// The values of a label.
#[derive(Debug, Default)]
struct Values {
    all: Vec<Value>,
    by_hash: ByHash,
    /// The place of the one that was last added to: series that come together often share it.
    last: u32,
}

#[derive(Debug)]
struct Value {
    text: Box<str>,
    series: Postings,
    next_same_hash: u32,
}

/// The series that have a value. A value that tells series apart has one series, and needs no bitmap.
#[derive(Debug)]
enum Postings {
    One(u32),
    Many(RoaringBitmap),
}

impl Postings {
    /// Adds a series that comes after the others.
    fn push(&mut self, series: u32) -> usize {
        match self {
            Self::One(first) => {
                *self = Self::Many(RoaringBitmap::from_iter([*first, series]));
                BITMAP_BYTES
            }
            Self::Many(bitmap) => {
                bitmap.insert(series);
                size_of::<u16>()
            }
        }
    }

    fn add_to(&self, all: &mut RoaringBitmap) {
        match self {
            Self::One(series) => _ = all.insert(*series),
            Self::Many(bitmap) => *all |= bitmap,
        }
    }

    fn to_bitmap(&self) -> RoaringBitmap {
        match self {
            Self::One(series) => RoaringBitmap::from_iter([*series]),
            Self::Many(bitmap) => bitmap.clone(),
        }
    }
}

impl Values {
    fn find(&self, text: &str, hash: u64) -> Option<u32> {
        let mut place = *self.by_hash.get(&hash)?;
        loop {
            let value = self.all.get(place as usize)?;
            if *value.text == *text {
                return Some(place);
            }
            place = value.next_same_hash;
        }
    }

    fn get(&self, text: &str) -> Option<&Postings> {
        let place = self.find(text, xxhash_rust::xxh3::xxh3_64(text.as_bytes()))?;
        self.all.get(place as usize).map(|value| &value.series)
    }

    /// Adds a series to a value, and says by how many bytes that grows the index.
    fn push(&mut self, text: &str, series: u32) -> usize {
        if let Some(last) = self.all.get_mut(self.last as usize)
            && *last.text == *text
        {
            return last.series.push(series);
        }
        let hash = xxhash_rust::xxh3::xxh3_64(text.as_bytes());
        if let Some(place) = self.find(text, hash) {
            self.last = place;
            return self.all[place as usize].series.push(series);
        }
        self.last = self.all.len() as u32;
        let next_same_hash = self.by_hash.insert(hash, self.last).unwrap_or(NONE);
        self.all.push(Value { text: text.into(), series: Postings::One(series), next_same_hash });
        VALUE_BYTES + text.len()
    }

    fn texts(&self) -> impl Iterator<Item = &str> {
        self.all.iter().map(|value| &*value.text)
    }
}

impl LabelIndex {
    /// Adds the next series; series are numbered from zero in the order in which they are added.
    pub(crate) fn push(&mut self, labels: LabelsRef<'_>) {
        let series = self.series;
        self.series += 1;
        for (name, value) in labels.iter() {
            let values = match self.names.get_mut(name) {
                Some(values) => values,
                None => {
                    self.bytes += name.len() + VALUE_BYTES;
                    self.names.entry(name.into()).or_default()
                }
            };
            self.bytes += values.push(value, series);
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
                values.get(matcher.value()).map(Postings::to_bitmap).unwrap_or_default()
            }
            (MatchOp::Regex, true) | (MatchOp::NotRegex, false) if listed_values(matcher).is_some() => {
                union(listed_values(matcher).into_iter().flatten().filter_map(|value| values.get(value)))
            }
            _ => {
                let matching = values.all.iter().filter(|value| matcher.matches_value(&value.text) == holds);
                union(matching.map(|value| &value.series))
            }
        }
    }

    /// Label pairs with the series that have them, sorted.
    pub(crate) fn pairs(&self) -> impl Iterator<Item = (&str, &str, RoaringBitmap)> {
        let mut names: Vec<_> = self.names.iter().collect();
        names.sort_unstable_by_key(|(name, _)| &**name);
        names.into_iter().flat_map(|(name, values)| {
            let mut values: Vec<&Value> = values.all.iter().collect();
            values.sort_unstable_by_key(|value| &*value.text);
            values.into_iter().map(|value| (&**name, &*value.text, value.series.to_bitmap()))
        })
    }

    /// The names of all labels.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.names.keys().map(|name| &**name)
    }

    /// The values of one label.
    pub(crate) fn values(&self, name: &str) -> impl Iterator<Item = &str> {
        self.names.get(name).into_iter().flat_map(Values::texts)
    }
}

/// Passes a hash through that is one already, and makes one of bytes that are none.
#[derive(Default)]
pub(crate) struct AlreadyHashed(u64);

impl Hasher for AlreadyHashed {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        self.0 = xxhash_rust::xxh3::xxh3_64_with_seed(bytes, self.0);
    }

    /// The end of a text, which tells nothing that its bytes do not.
    fn write_u8(&mut self, _: u8) {}

    fn write_u64(&mut self, hash: u64) {
        self.0 = hash;
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

fn union<'a>(postings: impl Iterator<Item = &'a Postings>) -> RoaringBitmap {
    postings.fold(RoaringBitmap::new(), |mut all, some| {
        some.add_to(&mut all);
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
