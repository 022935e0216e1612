//! What a text must be: words, whatever their case, and patterns.

use std::ops::Range;
use std::sync::Arc;

use model::words::{folded, words};
use regex::Regex;

/// What every text has that passes a test, as far as texts of ASCII go: many of them are gone over at once, and only those
/// in which it stands are looked at.
#[derive(Clone, Debug)]
pub struct Hint(Arc<regex::bytes::Regex>);

/// Shorter ones stand in nearly every text.
const MIN_HINT_BYTES: usize = 2;

impl Hint {
    /// The longest of some parts, whatever their case.
    fn longest<'p>(parts: impl Iterator<Item = &'p str>) -> Option<Self> {
        let usable = parts.filter(|part| part.is_ascii() && part.len() >= MIN_HINT_BYTES);
        let pattern = regex::escape(usable.max_by_key(|part| part.len())?);
        let regex = regex::bytes::RegexBuilder::new(&pattern).case_insensitive(true).unicode(false).build();
        regex.ok().map(|regex| Self(Arc::new(regex)))
    }

    /// The first place where it stands, from `from` on.
    pub fn find_at(&self, texts: &[u8], from: usize) -> Option<Range<usize>> {
        self.0.find_at(texts, from).map(|found| found.range())
    }
}

/// Words that stand in a text one at once behind the other, whatever their case; see [`model::words`].
#[derive(Clone, Debug)]
pub struct Phrase {
    tests: Vec<WordTest>,
    hint: Option<Hint>,
}

impl PartialEq for Phrase {
    fn eq(&self, other: &Self) -> bool {
        self.tests == other.tests
    }
}

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
        let tests: Vec<WordTest> = tests.collect();
        let mut of_patterns = tests.iter().filter_map(|test| match test {
            WordTest::Is(_) => None,
            WordTest::Like(pattern) => pattern.hint().cloned(),
        });
        let hint = Hint::longest(certain(&tests)).or_else(|| of_patterns.next());
        Self { tests, hint }
    }

    /// The words of a text, as a phrase.
    pub fn of(text: &str) -> Self {
        Self::new(words(text).map(|word| WordTest::Is(word.to_owned())))
    }

    /// Words that every text has that satisfies it, folded.
    pub fn certain(&self) -> impl Iterator<Item = &str> {
        certain(&self.tests)
    }

    /// What every text of ASCII has that has it, if anything.
    pub fn hint(&self) -> Option<&Hint> {
        self.hint.as_ref()
    }

    /// Whether the text has it.
    pub fn is_in(&self, text: &str) -> bool {
        match self.tests.as_slice() {
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

fn certain(tests: &[WordTest]) -> impl Iterator<Item = &str> {
    tests.iter().filter_map(|test| match test {
        WordTest::Is(word) => Some(word.as_str()),
        WordTest::Like(_) => None,
    })
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
    hint: Option<Hint>,
}

impl TextPattern {
    /// What is compiled already, so that whoever does bounds its size. `certain` are words, folded, that every text has
    /// in which it matches, as far as they are known.
    pub fn new(regex: Regex, certain: impl IntoIterator<Item = String>) -> Self {
        let certain: Vec<String> = certain.into_iter().collect();
        let hint = Hint::longest(certain.iter().map(String::as_str));
        Self { regex, certain, hint }
    }

    /// The same, where every text in which it matches has these parts, too, whatever their case.
    #[must_use]
    pub fn with_parts<'p>(mut self, parts: impl Iterator<Item = &'p str>) -> Self {
        let parts: Vec<String> = parts.map(str::to_owned).collect();
        let all = self.certain.iter().chain(&parts);
        self.hint = Hint::longest(all.map(String::as_str));
        self
    }

    /// What every text of ASCII has in which it matches, if anything.
    pub fn hint(&self) -> Option<&Hint> {
        self.hint.as_ref()
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
#[derive(Clone, Debug)]
pub struct FoldedText {
    text: String,
    hint: Option<Hint>,
}

impl PartialEq for FoldedText {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl FoldedText {
    /// Of a text as it is written.
    pub fn new(text: &str) -> Self {
        let text = folded(text).into_owned();
        let hint = Hint::longest(std::iter::once(text.as_str()));
        Self { text, hint }
    }

    /// The text, folded.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// What every text of ASCII has that contains it, if anything.
    pub fn hint(&self) -> Option<&Hint> {
        self.hint.as_ref()
    }

    /// Whether a text contains it.
    pub fn is_in(&self, text: &str) -> bool {
        folded(text).contains(self.text.as_str())
    }
}
