//! What the engine has to say about an answer: warnings and infos, each once, in a bounded number.

use std::collections::BTreeSet;

/// The most warnings, and the most infos, that one answer carries.
const MAX_NOTES: usize = 10;

/// A place in the query's text, as Prometheus writes it: line and column in bytes, from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub(crate) struct Place {
    pub(crate) line: usize,
    pub(crate) column: usize,
}

impl Place {
    /// Of a byte of a text.
    pub(crate) fn of(text: &str, start: usize) -> Self {
        let before = &text.as_bytes()[..start.min(text.len())];
        let line = before.iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1);
        let lines = before[..line].iter().filter(|byte| **byte == b'\n').count();
        Self { line: lines + 1, column: before.len() - line + 1 }
    }
}

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "({}:{})", self.line, self.column)
    }
}

/// Warnings and infos.
#[derive(Debug, Default)]
pub(crate) struct Notes {
    warnings: Bounded,
    infos: Bounded,
}

#[derive(Debug, Default)]
struct Bounded {
    texts: BTreeSet<String>,
    left_out: u64,
}

impl Bounded {
    fn add(&mut self, text: String) {
        if self.texts.len() < MAX_NOTES || self.texts.contains(&text) {
            self.texts.insert(text);
        } else {
            self.left_out += 1;
        }
    }

    fn into_texts(self, kind: &str) -> Vec<String> {
        let more = (self.left_out > 0).then(|| format!("{} more {kind} were left out", self.left_out));
        self.texts.into_iter().chain(more).collect()
    }
}

impl Notes {
    pub(crate) fn warn(&mut self, text: &str, place: Place) {
        self.warnings.add(format!("PromQL warning: {text} {place}"));
    }

    pub(crate) fn info(&mut self, text: &str, place: Place) {
        self.infos.add(format!("PromQL info: {text} {place}"));
    }

    /// Warnings and infos, sorted.
    pub(crate) fn into_texts(self) -> (Vec<String>, Vec<String>) {
        (self.warnings.into_texts("warnings"), self.infos.into_texts("infos"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn notes_come_once_and_never_without_end() {
        let mut notes = Notes::default();
        for number in 0..100 {
            notes.warn(&format!("w{}", number % 50), Place { line: 1, column: 2 });
        }
        let (warnings, infos) = notes.into_texts();
        assert_eq!(warnings.len(), MAX_NOTES + 1);
        assert_eq!(warnings[0], "PromQL warning: w0 (1:2)");
        assert!(infos.is_empty());
    }
}
