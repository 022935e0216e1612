//! Which records a query finds: the definition, one record at a time.
//!
//! A store evaluates filters on columns and in its own order. What it finds is what is found here.

use std::borrow::Cow;
use std::ops::Bound;

use model::words::{folded, words};

use crate::{Datum, Filter, Record, Target, Term, Test, Value, WordTest};

impl Filter {
    /// Whether a record satisfies it; text without a field is looked for in the fields `searched`.
    pub fn matches(&self, record: &dyn Record, searched: &[String]) -> bool {
        match self {
            Self::All => true,
            Self::And(parts) => parts.iter().all(|part| part.matches(record, searched)),
            Self::Or(parts) => parts.iter().any(|part| part.matches(record, searched)),
            Self::Not(part) => !part.matches(record, searched),
            Self::Term(term) => term.matches(record, searched),
        }
    }
}

impl Term {
    fn matches(&self, record: &dyn Record, searched: &[String]) -> bool {
        let holds = |datum: Option<Datum<'_>>| datum.is_some_and(|datum| self.test.holds(&datum));
        match &self.target {
            Target::Any => searched.iter().any(|name| holds(record.field(name))),
            Target::Field { name, .. } => holds(record.field(name)),
            Target::Attribute { scope, name } => holds(record.attribute(*scope, name)),
        }
    }
}

impl Test {
    /// Whether a value satisfies it.
    pub fn holds(&self, datum: &Datum<'_>) -> bool {
        match self {
            Self::Words(tests) => has_words(&datum.text(), tests),
            Self::Equals(text) => datum.text() == text.as_str(),
            Self::Like(glob) => glob.is_match(&datum.text()),
            Self::Matches(pattern) => pattern.is_match(&datum.text()),
            Self::Compare(op, value) => datum.order(value).is_some_and(|ordering| op.holds(ordering)),
            Self::Between(low, high) => is_above(datum, low) && is_below(datum, high),
            Self::Exists => true,
        }
    }
}

impl WordTest {
    /// Whether a folded word satisfies it.
    pub fn holds(&self, word: &str) -> bool {
        match self {
            Self::Is(expected) => expected == word,
            Self::Like(glob) => glob.is_match(word),
        }
    }
}

/// Whether words that satisfy the tests stand in the text, one at once behind the other.
fn has_words(text: &str, tests: &[WordTest]) -> bool {
    if let [test] = tests {
        return words(text).any(|word| test.holds(&folded(word)));
    }
    let words: Vec<Cow<'_, str>> = words(text).map(folded).collect();
    words.windows(tests.len().max(1)).any(|run| run.iter().zip(tests).all(|(word, test)| test.holds(word)))
}

fn is_above(datum: &Datum<'_>, low: &Bound<Value>) -> bool {
    match low {
        Bound::Unbounded => true,
        Bound::Included(value) => datum.order(value).is_some_and(std::cmp::Ordering::is_ge),
        Bound::Excluded(value) => datum.order(value).is_some_and(std::cmp::Ordering::is_gt),
    }
}

fn is_below(datum: &Datum<'_>, high: &Bound<Value>) -> bool {
    match high {
        Bound::Unbounded => true,
        Bound::Included(value) => datum.order(value).is_some_and(std::cmp::Ordering::is_le),
        Bound::Excluded(value) => datum.order(value).is_some_and(std::cmp::Ordering::is_lt),
    }
}

#[cfg(test)]
mod tests;
