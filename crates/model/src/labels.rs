//! Label sets in one canonical encoding.
//!
//! A set is a run of bytes: for each label, sorted by name, `u16` length and name, `u16` length and
//! value (little endian). Equal sets are equal bytes, so hashing, comparing, logging and looking up a
//! series touch no strings. [`Labels`] owns such a run, [`LabelsRef`] borrows one.

use std::fmt;
use std::sync::Arc;

/// The label that holds a metric's name.
pub const METRIC_NAME: &str = "__name__";
/// The longest name or value that a label can have, in bytes.
pub const MAX_LABEL_BYTES: usize = u16::MAX as usize;

/// A label set that owns its bytes; cheap to clone.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Labels(Arc<[u8]>);

/// A borrowed label set.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct LabelsRef<'a>(&'a [u8]);

/// Bytes that are no label set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum LabelsError {
    /// The bytes end inside a label.
    #[error("label bytes end inside a label")]
    Truncated,
    /// A name or value is not UTF-8.
    #[error("a label is not UTF-8")]
    NotUtf8,
    /// Names are not strictly ascending.
    #[error("label names are not sorted, or one occurs twice")]
    NotSorted,
}

impl<'a> LabelsRef<'a> {
    /// Takes bytes that another `Labels` or `LabelsBuilder` produced. Wrong bytes give empty or cut
    /// label sets, never undefined behaviour.
    pub fn from_canonical(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    /// Takes bytes from outside (a log, a file) after checking them.
    pub fn from_encoded(bytes: &'a [u8]) -> Result<Self, LabelsError> {
        let mut rest = bytes;
        let mut previous: Option<&[u8]> = None;
        while !rest.is_empty() {
            let (name, after) = take(rest).ok_or(LabelsError::Truncated)?;
            let (value, after) = take(after).ok_or(LabelsError::Truncated)?;
            if std::str::from_utf8(name).is_err() || std::str::from_utf8(value).is_err() {
                return Err(LabelsError::NotUtf8);
            }
            if previous.is_some_and(|previous| previous >= name) {
                return Err(LabelsError::NotSorted);
            }
            previous = Some(name);
            rest = after;
        }
        Ok(Self(bytes))
    }

    /// The canonical bytes.
    pub fn as_bytes(self) -> &'a [u8] {
        self.0
    }

    /// The labels, sorted by name.
    pub fn iter(self) -> LabelIter<'a> {
        LabelIter(self.0)
    }

    /// How many bytes each name and its value have, in their order. Reads no text.
    pub fn lengths(self) -> impl Iterator<Item = (usize, usize)> {
        let mut rest = self.0;
        std::iter::from_fn(move || {
            let (name, after) = take(rest)?;
            let (value, after) = take(after)?;
            rest = after;
            Some((name.len(), value.len()))
        })
    }

    /// The value of the label `name`, if it is set.
    pub fn get(self, name: &str) -> Option<&'a str> {
        self.iter().find(|(key, _)| *key == name).map(|(_, value)| value)
    }

    /// The metric's name, or the empty string.
    pub fn metric_name(self) -> &'a str {
        self.get(METRIC_NAME).unwrap_or("")
    }

    /// A 64-bit hash of the set (xxh3), the same in every process and on every machine.
    pub fn hash64(self) -> u64 {
        xxhash_rust::xxh3::xxh3_64(self.0)
    }

    /// An owned copy.
    pub fn to_owned(self) -> Labels {
        Labels(self.0.into())
    }
}

fn take(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (length, rest) = bytes.split_first_chunk::<2>()?;
    rest.split_at_checked(usize::from(u16::from_le_bytes(*length)))
}

/// The labels of a set, as `(name, value)`, sorted by name.
#[derive(Clone)]
pub struct LabelIter<'a>(&'a [u8]);

impl<'a> Iterator for LabelIter<'a> {
    type Item = (&'a str, &'a str);

    fn next(&mut self) -> Option<Self::Item> {
        let (name, rest) = take(self.0)?;
        let (value, rest) = take(rest)?;
        self.0 = rest;
        Some((std::str::from_utf8(name).ok()?, std::str::from_utf8(value).ok()?))
    }
}

impl Labels {
    /// The empty set.
    pub fn empty() -> Self {
        Self(Arc::from([]))
    }

    /// From pairs in any order. Empty values are left out, as in Prometheus; of two labels with the
    /// same name the last wins; over-long names and values are cut at a character.
    pub fn from_pairs<N: Into<String>, V: Into<String>>(pairs: impl IntoIterator<Item = (N, V)>) -> Self {
        let mut builder = LabelsBuilder::default();
        for (name, value) in pairs {
            builder.set(name, value);
        }
        builder.build()
    }

    /// A set with a metric's name and further labels.
    pub fn metric(name: &str, labels: &[(&str, &str)]) -> Self {
        let mut builder = LabelsBuilder::default();
        builder.set(METRIC_NAME, name);
        for (name, value) in labels {
            builder.set(*name, *value);
        }
        builder.build()
    }

    /// The set, borrowed.
    pub fn as_ref(&self) -> LabelsRef<'_> {
        LabelsRef(&self.0)
    }

    /// The labels, sorted by name.
    pub fn iter(&self) -> LabelIter<'_> {
        self.as_ref().iter()
    }

    /// The value of the label `name`, if it is set.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.as_ref().get(name)
    }

    /// The metric's name, or the empty string.
    pub fn metric_name(&self) -> &str {
        self.as_ref().metric_name()
    }

    /// See [`LabelsRef::hash64`].
    pub fn hash64(&self) -> u64 {
        self.as_ref().hash64()
    }

    /// Whether no label is set.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// A builder that starts from this set.
    pub fn to_builder(&self) -> LabelsBuilder {
        LabelsBuilder {
            pairs: self.iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect(),
        }
    }
}

impl Ord for Labels {
    /// By name, then value, label by label: the order in which Prometheus lists series.
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.iter().cmp(other.iter())
    }
}

impl PartialOrd for Labels {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl fmt::Display for LabelsRef<'_> {
    /// As Prometheus writes it: `name{label="value", …}`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.metric_name())?;
        let mut separator = "{";
        for (name, value) in self.iter().filter(|(name, _)| *name != METRIC_NAME) {
            write!(f, "{separator}{name}={value:?}")?;
            separator = ", ";
        }
        if separator == ", " || self.metric_name().is_empty() {
            f.write_str(if separator == "{" { "{}" } else { "}" })?;
        }
        Ok(())
    }
}

impl fmt::Display for Labels {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.as_ref().fmt(f)
    }
}

impl fmt::Debug for Labels {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Debug for LabelsRef<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Gathers labels in any order and makes a [`Labels`] of them.
#[derive(Clone, Debug, Default)]
pub struct LabelsBuilder {
    pairs: Vec<(String, String)>,
}

impl LabelsBuilder {
    /// An empty builder.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets a label. An empty value removes it.
    pub fn set(&mut self, name: impl Into<String>, value: impl Into<String>) -> &mut Self {
        let name = name.into();
        self.remove(&name);
        let value = value.into();
        if !value.is_empty() {
            self.pairs.push((name, value));
        }
        self
    }

    /// Removes a label.
    pub fn remove(&mut self, name: &str) -> &mut Self {
        self.pairs.retain(|(key, _)| key != name);
        self
    }

    /// The value of the label `name`, if it is set.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.pairs.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// The labels, in the order in which they were set.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.pairs.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }

    /// Keeps only the labels for which `keep` holds.
    pub fn retain(&mut self, mut keep: impl FnMut(&str) -> bool) -> &mut Self {
        self.pairs.retain(|(name, _)| keep(name));
        self
    }

    /// The finished set.
    pub fn build(&self) -> Labels {
        let mut pairs: Vec<(&str, &str)> =
            self.pairs.iter().map(|(name, value)| (clip(name), clip(value))).collect();
        pairs.sort_unstable();
        pairs.dedup_by_key(|(name, _)| *name);
        let mut bytes =
            Vec::with_capacity(pairs.iter().map(|(name, value)| name.len() + value.len() + 4).sum());
        for text in pairs.iter().flat_map(|(name, value)| [name, value]) {
            let length = u16::try_from(text.len()).expect("clip cuts at u16::MAX bytes");
            bytes.extend_from_slice(&length.to_le_bytes());
            bytes.extend_from_slice(text.as_bytes());
        }
        Labels(bytes.into())
    }
}

fn clip(text: &str) -> &str {
    &text[..text.floor_char_boundary(MAX_LABEL_BYTES)]
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn labels_are_shown_as_prometheus_shows_them() {
        let cases = [
            (Labels::metric("up", &[("job", "a"), ("instance", "b\"c")]), r#"up{instance="b\"c", job="a"}"#),
            (Labels::metric("up", &[]), "up"),
            (Labels::empty(), "{}"),
            (Labels::from_pairs([("a", "1")]), r#"{a="1"}"#),
        ];
        for (labels, shown) in cases {
            assert_eq!(labels.to_string(), shown);
        }
    }

    #[test]
    fn bytes_from_outside_are_checked() {
        let unsorted = [Labels::from_pairs([("b", "1")]), Labels::from_pairs([("a", "1")])];
        let joined: Vec<u8> =
            unsorted.iter().flat_map(|labels| labels.as_ref().as_bytes().to_vec()).collect();
        assert_eq!(LabelsRef::from_encoded(&joined), Err(LabelsError::NotSorted));
        assert_eq!(LabelsRef::from_encoded(&[9, 0, 1]), Err(LabelsError::Truncated));
        assert_eq!(LabelsRef::from_encoded(&[1, 0, 0xff, 0, 0]), Err(LabelsError::NotUtf8));
    }

    proptest! {
        #[test]
        fn any_set_survives_its_encoding(pairs in proptest::collection::btree_map(".{0,20}", ".{1,20}", 0..8)) {
            let labels = Labels::from_pairs(pairs.clone());
            let lengths = pairs.iter().map(|(name, value)| (name.len(), value.len()));
            prop_assert!(labels.as_ref().lengths().eq(lengths));
            let checked = LabelsRef::from_encoded(labels.as_ref().as_bytes()).expect("canonical");
            let back: std::collections::BTreeMap<String, String> =
                checked.iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
            prop_assert_eq!(back, pairs);
        }

        #[test]
        fn hostile_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..64)) {
            let _ = LabelsRef::from_encoded(&bytes);
            prop_assert!(LabelsRef::from_canonical(&bytes).iter().count() <= bytes.len());
        }
    }
}
