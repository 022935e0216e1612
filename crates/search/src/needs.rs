//! Which words every record has that a query finds.
//!
//! A store that knows the words of its parts, by filters or by an index, passes over parts that lack them.
//! It has to know them folded: one that tells upper and lower case apart cannot say that a word is not there.

use std::collections::BTreeSet;

use model::words::{folded, is_of_word, words};

use crate::{Filter, Glob, Part, Target, Test, WordTest};

/// What a record must have to be found, as far as it can be told by words.
///
/// Words are [folded](model::words::folded) and stand in the text of the target; for [`Target::Any`] in that
/// of one of the fields in which text is looked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Needs {
    /// Nothing that is known.
    Nothing,
    /// A word.
    Word {
        /// Where it stands.
        target: Target,
        /// The word, folded.
        word: String,
    },
    /// All of these.
    All(Vec<Needs>),
    /// One of these.
    Any(Vec<Needs>),
}

impl Needs {
    /// Whether something can hold a record that is found, by what it says of single words: `has` answers
    /// whether the target may have the word there.
    pub fn may_hold(&self, has: &mut dyn FnMut(&Target, &str) -> bool) -> bool {
        match self {
            Self::Nothing => true,
            Self::Word { target, word } => has(target, word),
            Self::All(parts) => parts.iter().all(|part| part.may_hold(has)),
            Self::Any(parts) => parts.iter().any(|part| part.may_hold(has)),
        }
    }

    /// The words without which nothing is found, wherever they stand.
    pub fn words(&self) -> BTreeSet<&str> {
        match self {
            Self::Nothing => BTreeSet::new(),
            Self::Word { word, .. } => BTreeSet::from([word.as_str()]),
            Self::All(parts) => parts.iter().flat_map(Self::words).collect(),
            Self::Any(parts) => parts
                .iter()
                .map(Self::words)
                .reduce(|all, more| all.intersection(&more).copied().collect())
                .unwrap_or_default(),
        }
    }

    fn all(parts: impl Iterator<Item = Self>) -> Self {
        let mut flat = Vec::new();
        for part in parts {
            match part {
                Self::Nothing => {}
                Self::All(more) => flat.extend(more),
                other => flat.push(other),
            }
        }
        match flat.len() {
            0 => Self::Nothing,
            1 => flat.remove(0),
            _ => Self::All(flat),
        }
    }

    fn any(parts: impl Iterator<Item = Self>) -> Self {
        let parts: Vec<Self> = parts.collect();
        if parts.contains(&Self::Nothing) { Self::Nothing } else { Self::Any(parts) }
    }
}

impl Filter {
    /// The words that every record has that satisfies it.
    pub fn needs(&self) -> Needs {
        match self {
            Self::All | Self::Not(_) => Needs::Nothing,
            Self::And(parts) => Needs::all(parts.iter().map(Self::needs)),
            Self::Or(parts) => Needs::any(parts.iter().map(Self::needs)),
            Self::Term(term) => {
                let word = |word: String| Needs::Word { target: term.target.clone(), word };
                Needs::all(words_of(&term.test).into_iter().map(word))
            }
        }
    }
}

/// The words that every text has that satisfies the test.
fn words_of(test: &Test) -> BTreeSet<String> {
    match test {
        Test::Words(tests) => tests
            .iter()
            .filter_map(|test| match test {
                WordTest::Is(word) => Some(word.clone()),
                WordTest::Like(_) => None,
            })
            .collect(),
        Test::Equals(text) => words(text).map(|word| folded(word).into_owned()).collect(),
        Test::Like(glob) => whole_words(glob),
        Test::Matches(_) | Test::Compare(..) | Test::Between(..) | Test::Exists => BTreeSet::new(),
    }
}

/// The words that stand whole in a text with wildcards: what touches a wildcard may be part of a longer one.
fn whole_words(glob: &Glob) -> BTreeSet<String> {
    let parts = glob.parts();
    let mut found = BTreeSet::new();
    for (place, part) in parts.iter().enumerate() {
        let Part::Text(text) = part else { continue };
        let ends = |byte: u8| !is_of_word(byte);
        let start = if place == 0 { 0 } else { text.bytes().position(ends).unwrap_or(text.len()) };
        let is_last = place + 1 == parts.len();
        let end = if is_last { text.len() } else { text.bytes().rposition(ends).unwrap_or(0) };
        // Both are at bytes of ASCII, or at an end of the text.
        let whole = text.get(start..end).unwrap_or_default();
        found.extend(words(whole).map(|word| folded(word).into_owned()));
    }
    found
}

#[cfg(test)]
mod tests;
