//! Further facts about an event, by name.
//!
//! Every record of a log and every span has up to four sets of them, most of none to ten. A tree's node has room for
//! eleven, and is taken, searched and walked for one as for all; so they lie in one list, in the order of their names.
//! It does what a map of texts would do, in the same order, and is that as JSON.

#[cfg(test)]
mod tests;

use std::fmt;
use std::iter::FusedIterator;
use std::mem;
use std::ops::Index;
use std::{slice, vec};

use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// The most entries that room is made for because of what a sender says that is to come.
const MAX_ROOM: usize = 64;

/// Further facts about an event, by name, in the order of their names. Bounded at the edge.
///
/// To put one behind all others takes no longer for many than for few; to put one before others moves them. What may
/// have any number of entries is collected, or [extended](Extend::extend) with all at once: that takes no more than
/// sorting them.
#[derive(Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Attributes(Vec<(String, String)>);

impl Attributes {
    /// None. Takes no memory.
    pub const fn new() -> Self {
        Self(Vec::new())
    }

    /// None, with room for so many.
    pub fn with_capacity(count: usize) -> Self {
        Self(Vec::with_capacity(count))
    }

    /// Makes room for so many more.
    pub fn reserve(&mut self, count: usize) {
        self.0.reserve(count);
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The value of a name.
    pub fn get(&self, name: &str) -> Option<&String> {
        self.find(name).ok().map(|place| &self.0[place].1)
    }

    /// The value of a name, to be changed.
    pub fn get_mut(&mut self, name: &str) -> Option<&mut String> {
        let place = self.find(name).ok()?;
        Some(&mut self.0[place].1)
    }

    /// Whether a name is there.
    pub fn contains_key(&self, name: &str) -> bool {
        self.find(name).is_ok()
    }

    /// Gives a name a value; the one that it had before is handed back.
    pub fn insert(&mut self, name: String, value: String) -> Option<String> {
        match self.find(&name) {
            Ok(place) => Some(mem::replace(&mut self.0[place].1, value)),
            Err(place) => {
                self.0.insert(place, (name, value));
                None
            }
        }
    }

    /// Gives a name a value unless it has one; whether it had none.
    pub fn insert_new(&mut self, name: String, value: String) -> bool {
        let place = self.find(&name).err();
        if let Some(place) = place {
            self.0.insert(place, (name, value));
        }
        place.is_some()
    }

    /// What is at a name: its value, or a place for one. Neither name nor value need be made for what is there.
    pub fn entry<'a>(&'a mut self, name: &'a str) -> Entry<'a> {
        match self.find(name) {
            Ok(place) => Entry::Occupied(&mut self.0[place].1),
            Err(place) => Entry::Vacant(Vacant { entries: &mut self.0, place, name }),
        }
    }

    /// Takes a name out; its value, if it was there.
    pub fn remove(&mut self, name: &str) -> Option<String> {
        self.find(name).ok().map(|place| self.0.remove(place).1)
    }

    /// Takes out the one whose name is the last.
    pub fn pop_last(&mut self) -> Option<(String, String)> {
        self.0.pop()
    }

    /// Leaves those of which `keep` says so.
    pub fn retain(&mut self, mut keep: impl FnMut(&String, &mut String) -> bool) {
        self.0.retain_mut(|(name, value)| keep(name, value));
    }

    /// Takes out all.
    pub fn clear(&mut self) {
        self.0.clear();
    }

    /// Names with their values, in the order of the names.
    pub fn iter(&self) -> Iter<'_> {
        Iter(self.0.iter())
    }

    /// The same, with values to be changed.
    pub fn iter_mut(&mut self) -> IterMut<'_> {
        IterMut(self.0.iter_mut())
    }

    /// The names, in their order.
    pub fn keys(&self) -> impl DoubleEndedIterator<Item = &String> + ExactSizeIterator + Clone {
        self.0.iter().map(|(name, _)| name)
    }

    /// The values, in the order of their names.
    pub fn values(&self) -> impl DoubleEndedIterator<Item = &String> + ExactSizeIterator + Clone {
        self.0.iter().map(|(_, value)| value)
    }

    /// The values, to be changed, in the order of their names.
    pub fn values_mut(&mut self) -> impl DoubleEndedIterator<Item = &mut String> + ExactSizeIterator {
        self.0.iter_mut().map(|(_, value)| value)
    }

    /// The place of a name, or the one where it would be.
    fn find(&self, name: &str) -> Result<usize, usize> {
        match self.0.last() {
            Some((last, _)) if last.as_str() >= name => {
                self.0.binary_search_by(|(known, _)| known.as_str().cmp(name))
            }
            // Many come in their order.
            _ => Err(self.0.len()),
        }
    }
}

/// What is at a name.
#[derive(Debug)]
pub enum Entry<'a> {
    /// Its value.
    Occupied(&'a mut String),
    /// A place for one.
    Vacant(Vacant<'a>),
}

/// The place of a name that is not there.
#[derive(Debug)]
pub struct Vacant<'a> {
    entries: &'a mut Vec<(String, String)>,
    place: usize,
    name: &'a str,
}

impl Vacant<'_> {
    /// Gives the name its value.
    pub fn insert(self, value: String) {
        self.entries.insert(self.place, (self.name.to_owned(), value));
    }
}

/// In any order. Of several with one name the last holds.
impl From<Vec<(String, String)>> for Attributes {
    fn from(mut entries: Vec<(String, String)>) -> Self {
        if !entries.is_sorted_by(|one, next| one.0 < next.0) {
            // Those of one name stay in the order in which they came.
            entries.sort_by(|one, other| one.0.cmp(&other.0));
            entries.dedup_by(|later, kept| {
                let is_same = later.0 == kept.0;
                if is_same {
                    mem::swap(later, kept);
                }
                is_same
            });
        }
        Self(entries)
    }
}

impl<const N: usize> From<[(String, String); N]> for Attributes {
    fn from(entries: [(String, String); N]) -> Self {
        Self::from(Vec::from(entries))
    }
}

impl FromIterator<(String, String)> for Attributes {
    fn from_iter<I: IntoIterator<Item = (String, String)>>(entries: I) -> Self {
        Self::from(entries.into_iter().collect::<Vec<_>>())
    }
}

impl Extend<(String, String)> for Attributes {
    fn extend<I: IntoIterator<Item = (String, String)>>(&mut self, entries: I) {
        let mut all = mem::take(&mut self.0);
        all.extend(entries);
        *self = Self::from(all);
    }
}

/// # Panics
/// If the name is not there.
impl Index<&str> for Attributes {
    type Output = String;

    fn index(&self, name: &str) -> &String {
        self.get(name).expect("whoever names an attribute so knows that it is there")
    }
}

impl fmt::Debug for Attributes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self).finish()
    }
}

impl Serialize for Attributes {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self)
    }
}

impl<'de> Deserialize<'de> for Attributes {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(Entries)
    }
}

/// Reads a map.
struct Entries;

impl<'de> Visitor<'de> for Entries {
    type Value = Attributes;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a map")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Attributes, A::Error> {
        let room = map.size_hint().unwrap_or(0).min(MAX_ROOM);
        let mut entries: Vec<(String, String)> = Vec::with_capacity(room);
        while let Some(entry) = map.next_entry()? {
            entries.push(entry);
        }
        Ok(entries.into())
    }
}

fn parts((name, value): &(String, String)) -> (&String, &String) {
    (name, value)
}

fn parts_mut((name, value): &mut (String, String)) -> (&String, &mut String) {
    (&*name, value)
}

/// Goes over names with their values.
#[derive(Clone, Debug)]
pub struct Iter<'a>(slice::Iter<'a, (String, String)>);

impl<'a> Iterator for Iter<'a> {
    type Item = (&'a String, &'a String);

    fn next(&mut self) -> Option<Self::Item> {
        self.0.next().map(parts)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.0.size_hint()
    }
}

impl DoubleEndedIterator for Iter<'_> {
    fn next_back(&mut self) -> Option<Self::Item> {
        self.0.next_back().map(parts)
    }
}

impl ExactSizeIterator for Iter<'_> {}
impl FusedIterator for Iter<'_> {}

/// Goes over names with their values, which can be changed.
#[derive(Debug)]
pub struct IterMut<'a>(slice::IterMut<'a, (String, String)>);

impl<'a> Iterator for IterMut<'a> {
    type Item = (&'a String, &'a mut String);

    fn next(&mut self) -> Option<Self::Item> {
        self.0.next().map(parts_mut)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.0.size_hint()
    }
}

impl DoubleEndedIterator for IterMut<'_> {
    fn next_back(&mut self) -> Option<Self::Item> {
        self.0.next_back().map(parts_mut)
    }
}

impl ExactSizeIterator for IterMut<'_> {}
impl FusedIterator for IterMut<'_> {}

impl<'a> IntoIterator for &'a Attributes {
    type Item = (&'a String, &'a String);
    type IntoIter = Iter<'a>;

    fn into_iter(self) -> Iter<'a> {
        self.iter()
    }
}

impl<'a> IntoIterator for &'a mut Attributes {
    type Item = (&'a String, &'a mut String);
    type IntoIter = IterMut<'a>;

    fn into_iter(self) -> IterMut<'a> {
        self.iter_mut()
    }
}

impl IntoIterator for Attributes {
    type Item = (String, String);
    type IntoIter = vec::IntoIter<(String, String)>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}
