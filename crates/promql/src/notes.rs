//! What the engine has to say about an answer: warnings and infos, each once, in a bounded number.

use std::collections::{BTreeMap, BTreeSet};

/// The most warnings, and the most infos, that one answer carries.
const MAX_NOTES: usize = 10;

/// How what tells of others ends, which stands behind them.
const LEFT_OUT: &str = " were left out";

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
    /// Whether one of them was found at some of the steps alone.
    is_of_steps: bool,
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
        let more = (self.left_out > 0).then(|| format!("{} more {kind}{LEFT_OUT}", self.left_out));
        self.texts.into_iter().chain(more).collect()
    }
}

impl Notes {
    /// Warns of something that was found at some of the steps.
    pub(crate) fn warn(&mut self, text: &str, place: Place) {
        self.is_of_steps = true;
        self.warn_of_query(text, place);
    }

    /// Warns of something that does not depend on steps: of the query, of metrics, of where an answer comes from.
    pub(crate) fn warn_of_query(&mut self, text: &str, place: Place) {
        self.warnings.add(format!("PromQL warning: {text} {place}"));
    }

    /// Says something that was found at some of the steps.
    pub(crate) fn info(&mut self, text: &str, place: Place) {
        self.is_of_steps = true;
        self.info_of_query(text, place);
    }

    /// Says something that does not depend on steps: of the query, of metrics, of where an answer comes from.
    pub(crate) fn info_of_query(&mut self, text: &str, place: Place) {
        self.infos.add(format!("PromQL info: {text} {place}"));
    }

    /// Whether some were found at some of the steps alone, or were left out.
    pub(crate) fn are_of_steps(&self) -> bool {
        self.is_of_steps || self.warnings.left_out + self.infos.left_out > 0
    }

    /// Warnings and infos, sorted.
    pub(crate) fn into_texts(self) -> (Vec<String>, Vec<String>) {
        (self.warnings.into_texts("warnings"), self.infos.into_texts("infos"))
    }
}

/// What is said of an answer that is kept and goes on, each with the last step of the evaluation that has found it: of
/// steps after that nobody knows whether it is so.
#[derive(Clone, Debug, Default)]
pub(crate) struct NotedUntil {
    warnings: BTreeMap<String, i64>,
    infos: BTreeMap<String, i64>,
}

impl NotedUntil {
    /// With what an evaluation has found whose last step this is.
    pub(crate) fn and(mut self, warnings: &[String], infos: &[String], last_ms: i64) -> Self {
        self.warnings.extend(warnings.iter().map(|text| (text.clone(), last_ms)));
        self.infos.extend(infos.iter().map(|text| (text.clone(), last_ms)));
        self
    }

    /// What may be so of steps from this one on.
    pub(crate) fn since(&self, first_ms: i64) -> Self {
        let of = |notes: &BTreeMap<String, i64>| {
            notes
                .iter()
                .filter(|(_, last_ms)| **last_ms >= first_ms)
                .map(|(text, last_ms)| (text.clone(), *last_ms))
                .collect()
        };
        Self { warnings: of(&self.warnings), infos: of(&self.infos) }
    }

    /// Whether they are no more than one evaluation says.
    pub(crate) fn are_few(&self) -> bool {
        self.warnings.len().max(self.infos.len()) <= MAX_NOTES
    }

    /// Warnings and infos, in the order of [`Notes::into_texts`].
    pub(crate) fn texts(&self) -> (Vec<String>, Vec<String>) {
        let of = |notes: &BTreeMap<String, i64>| {
            let (more, mut texts): (Vec<String>, Vec<String>) =
                notes.keys().cloned().partition(|text| text.ends_with(LEFT_OUT));
            texts.extend(more);
            texts
        };
        (of(&self.warnings), of(&self.infos))
    }

    /// Memory that the texts take.
    pub(crate) fn size_bytes(&self) -> usize {
        self.warnings.keys().chain(self.infos.keys()).map(String::len).sum()
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
