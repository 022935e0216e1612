//! Patterns of labels, compiled, and kept for the next query: dashboards and rules ask the same ones again and again,
//! and to compile one costs as much as to match thousands of values.

use std::collections::VecDeque;
use std::sync::{Arc, LazyLock};

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

/// A pattern that is anchored at both ends.
pub(crate) fn compiled(pattern: &str) -> Result<Arc<Regex>, regex::Error> {
    if pattern.len() > KEPT_TEXT_BYTES {
        return compile(pattern, MAX_BYTES);
    }
    if let Some(known) = KNOWN.lock().find(pattern) {
        return Ok(known);
    }
    match compile(pattern, KEPT_BYTES) {
        Err(regex::Error::CompiledTooBig(_)) => compile(pattern, MAX_BYTES),
        Err(error) => Err(error),
        Ok(regex) => {
            KNOWN.lock().keep(pattern, &regex);
            Ok(regex)
        }
    }
}

fn compile(pattern: &str, max_bytes: usize) -> Result<Arc<Regex>, regex::Error> {
    let anchored = format!("^(?s:{pattern})$");
    RegexBuilder::new(&anchored).size_limit(max_bytes).dfa_size_limit(CACHE_BYTES).build().map(Arc::new)
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
        let large = r"\w{10}";
        assert!(compiled(large).is_ok());
        assert!(KNOWN.lock().find(large).is_none());
        assert!(matches!(compiled(r"(\w{50}){50}"), Err(regex::Error::CompiledTooBig(_))));
        let long = "x".repeat(KEPT_TEXT_BYTES + 1);
        assert!(compiled(&long).unwrap().is_match(&long));
        assert!(KNOWN.lock().find(&long).is_none());
    }
}
