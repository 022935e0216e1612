//! What a text must be: words, whatever their case, and patterns.

use model::words::{folded, words};
use regex::Regex;

/// Words that stand in a text one at once behind the other, whatever their case; see [`model::words`].
#[derive(Clone, Debug, PartialEq)]
pub struct Phrase(Vec<WordTest>);

/// What one word of a text must be.
#[derive(Clone, Debug, PartialEq)]
pub enum WordTest {
    /// This word, which is folded.
    Is(String),
    /// A word that matches this once it is folded.
    Like(TextPattern),
}

impl Phrase {
    /// Words as they are written; one that is not folded is. Of no words, a phrase that every text has.
    pub fn new(tests: impl IntoIterator<Item = WordTest>) -> Self {
        let tests = tests.into_iter().map(|test| match test {
            WordTest::Is(word) => WordTest::Is(folded(&word).into_owned()),
            like @ WordTest::Like(_) => like,
        });
        Self(tests.collect())
    }

    /// The words of a text, as a phrase.
    pub fn of(text: &str) -> Self {
        Self::new(words(text).map(|word| WordTest::Is(word.to_owned())))
    }

    /// Words that every text has that satisfies it, folded.
    pub fn certain(&self) -> impl Iterator<Item = &str> {
        self.0.iter().filter_map(|test| match test {
            WordTest::Is(word) => Some(word.as_str()),
            WordTest::Like(_) => None,
        })
    }

    /// Whether the text has it.
    pub fn is_in(&self, text: &str) -> bool {
        match self.0.as_slice() {
            [] => true,
            [test] => words(text).any(|word| test.holds(word)),
            tests => {
                let words: Vec<&str> = words(text).collect();
                words
                    .windows(tests.len())
                    .any(|run| run.iter().zip(tests).all(|(word, test)| test.holds(word)))
            }
        }
    }
}

impl WordTest {
    fn holds(&self, word: &str) -> bool {
        match self {
            Self::Is(expected) if word.is_ascii() => word.eq_ignore_ascii_case(expected),
            Self::Is(expected) => folded(word) == expected.as_str(),
            Self::Like(pattern) => pattern.is_match(&folded(word)),
        }
    }
}

/// A pattern that may match anywhere in a text, unless it is anchored.
#[derive(Clone, Debug)]
pub struct TextPattern {
    regex: Regex,
    certain: Vec<String>,
}

impl TextPattern {
    /// What is compiled already, so that whoever does bounds its size. `certain` are words, folded, that every text has
    /// in which it matches, as far as they are known.
    pub fn new(regex: Regex, certain: impl IntoIterator<Item = String>) -> Self {
        Self { regex, certain: certain.into_iter().collect() }
    }

    /// Words that every text has in which it matches, folded.
    pub fn certain(&self) -> impl Iterator<Item = &str> {
        self.certain.iter().map(String::as_str)
    }

    /// Whether it matches in the text.
    pub fn is_match(&self, text: &str) -> bool {
        self.regex.is_match(text)
    }
}

impl PartialEq for TextPattern {
    /// Whether both are written alike.
    fn eq(&self, other: &Self) -> bool {
        (self.regex.as_str(), &self.certain) == (other.regex.as_str(), &other.certain)
    }
}

/// A part of texts, whatever its case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FoldedText(String);

impl FoldedText {
    /// Of a text as it is written.
    pub fn new(text: &str) -> Self {
        Self(folded(text).into_owned())
    }

    /// The text, folded.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether a text contains it.
    pub fn is_in(&self, text: &str) -> bool {
        folded(text).contains(self.0.as_str())
    }
}
