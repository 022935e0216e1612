//! A regular expression that must match a whole text.

use std::sync::OnceLock;

use regex::{Captures, Regex};
use store::pattern::{PatternError, anchored};

/// An anchored pattern. Two are equal when they are written alike.
#[derive(Clone, Debug)]
pub struct Pattern {
    text: String,
    regex: Regex,
}

impl Pattern {
    /// Compiles a pattern, whose syntax is that of Prometheus.
    pub fn new(text: &str) -> Result<Self, PatternError> {
        let regex = anchored(text)?;
        Ok(Self { text: text.to_owned(), regex })
    }

    /// What matches everything, compiled once.
    pub(super) fn any() -> Self {
        static ANY: OnceLock<Pattern> = OnceLock::new();
        ANY.get_or_init(|| Self::new(super::ANY).expect("a constant that tests compile")).clone()
    }

    pub(super) fn matches(&self, text: &str) -> bool {
        self.text == super::ANY || self.regex.is_match(text)
    }

    pub(super) fn captures<'a>(&self, text: &'a str) -> Option<Captures<'a>> {
        self.regex.captures(text)
    }
}

impl PartialEq for Pattern {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl serde::Serialize for Pattern {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.text)
    }
}

impl<'de> serde::Deserialize<'de> for Pattern {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        // A key without a value is an empty pattern.
        let text = Option::<String>::deserialize(deserializer)?.unwrap_or_default();
        Self::new(&text).map_err(serde::de::Error::custom)
    }
}
