//! Patterns of labels: regular expressions as Prometheus has them, whose syntax is Go's ([`model::pattern`]). Those of
//! selectors are kept for the next query: dashboards and rules ask the same ones again and again, and to compile one
//! costs as much as to match thousands of values.

use std::collections::VecDeque;
use std::sync::{Arc, LazyLock};

use model::pattern::{self as go, Fault, SyntaxError};
use parking_lot::Mutex;
use regex::{Regex, RegexBuilder};

/// The largest compiled pattern, in bytes: patterns come from outside.
const MAX_BYTES: usize = 1 << 20;
/// The largest that is kept.
const KEPT_BYTES: usize = 64 << 10;
/// The longest text of one that is kept.
const KEPT_TEXT_BYTES: usize = 1 << 10;
/// What matching may keep beside a compiled pattern, for each thread that matches.
const CACHE_BYTES: usize = 256 << 10;
/// How many are kept.
const KEPT: usize = 128;

/// A pattern that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PatternError {
    /// It is not read.
    #[error(transparent)]
    Syntax(#[from] SyntaxError),
    /// It would take too much memory.
    #[error("the regular expression `{pattern}` takes more than {limit} bytes when compiled")]
    TooLarge {
        /// The pattern.
        pattern: String,
        /// How much it may take.
        limit: usize,
    },
}

/// Those that were asked for last, the newest first.
static KNOWN: LazyLock<Mutex<Known>> = LazyLock::new(Mutex::default);

#[derive(Default)]
struct Known(VecDeque<(Box<str>, Arc<Regex>)>);

impl Known {
    fn find(&mut self, pattern: &str) -> Option<Arc<Regex>> {
        let place = self.0.iter().position(|(known, _)| **known == *pattern)?;
        let found = self.0.remove(place)?;
        let regex = Arc::clone(&found.1);
        self.0.push_front(found);
        Some(regex)
    }

    fn keep(&mut self, pattern: &str, regex: &Arc<Regex>) {
        self.0.truncate(KEPT - 1);
        self.0.push_front((pattern.into(), Arc::clone(regex)));
    }
}

/// A pattern that must match the whole of a text, as in a selector; one that is known is not compiled again.
pub(crate) fn compiled(pattern: &str) -> Result<Arc<Regex>, PatternError> {
    if pattern.len() > KEPT_TEXT_BYTES {
        return anchored(pattern).map(Arc::new);
    }
    if let Some(known) = KNOWN.lock().find(pattern) {
        return Ok(known);
    }
    let read = go::anchored(pattern)?;
    match build(pattern, &read, KEPT_BYTES) {
        Err(PatternError::TooLarge { .. }) => build(pattern, &read, MAX_BYTES).map(Arc::new),
        Err(error) => Err(error),
        Ok(regex) => {
            let regex = Arc::new(regex);
            KNOWN.lock().keep(pattern, &regex);
            Ok(regex)
        }
    }
}

/// A pattern that must match the whole of a text, in which `.` is every character: what Prometheus makes of patterns
/// in `label_replace` and in relabelling.
pub fn anchored(pattern: &str) -> Result<Regex, PatternError> {
    build(pattern, &go::anchored(pattern)?, MAX_BYTES)
}

/// A pattern that matches anywhere in a text, as in templates of rules.
pub fn anywhere(pattern: &str) -> Result<Regex, PatternError> {
    build(pattern, &go::anywhere(pattern)?, MAX_BYTES)
}

/// Compiles what was read of a pattern.
fn build(pattern: &str, read: &str, max_bytes: usize) -> Result<Regex, PatternError> {
    let built = RegexBuilder::new(read).size_limit(max_bytes).dfa_size_limit(CACHE_BYTES).build();
    built.map_err(|error| match error {
        regex::Error::CompiledTooBig(limit) => PatternError::TooLarge { pattern: pattern.to_owned(), limit },
        // All else that there is to refuse is refused when a pattern is read.
        _ => Fault::TooDeep.at(pattern).into(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_that_is_asked_for_again_is_the_same_one_until_many_others_have_come() {
        let first = compiled("kept-[0-9]+").unwrap();
        assert!(Arc::ptr_eq(&first, &compiled("kept-[0-9]+").unwrap()));
        for number in 0..KEPT {
            compiled(&format!("other-{number}.*")).unwrap();
        }
        assert!(!Arc::ptr_eq(&first, &compiled("kept-[0-9]+").unwrap()));
        assert!(KNOWN.lock().0.len() <= KEPT);
    }

    #[test]
    fn a_large_pattern_is_compiled_and_not_kept_and_a_larger_one_is_refused() {
        let large = r"\pL{20}";
        assert!(compiled(large).is_ok());
        assert!(KNOWN.lock().find(large).is_none());
        let larger = compiled(r"(\pL{30}){30}").map(|_| ());
        let expected = PatternError::TooLarge { pattern: r"(\pL{30}){30}".to_owned(), limit: MAX_BYTES };
        assert_eq!(larger, Err(expected));
        let long = "x".repeat(KEPT_TEXT_BYTES + 1);
        assert!(compiled(&long).unwrap().is_match(&long));
        assert!(KNOWN.lock().find(&long).is_none());
    }

    #[test]
    fn groups_in_each_other_without_end_are_refused() {
        let deep = format!("{}a{}", "(".repeat(5000), ")".repeat(5000));
        let error = compiled(&deep).expect_err("refused");
        let is_too_deep = matches!(&error, PatternError::Syntax(syntax) if syntax.fault == Fault::TooDeep);
        assert!(is_too_deep, "{error}");
    }
}
