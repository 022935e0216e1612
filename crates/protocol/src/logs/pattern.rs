//! A line as a pattern of one's own takes it apart.

use std::borrow::Cow;

use super::clock::Clock;
use super::draft::{Draft, Finished};
use super::options::{PatternError, compile};
use crate::otlp::AnyValue;
use crate::otlp::rows::RowLimits;

/// A regular expression whose named groups say what is what: `time`, `level`, `message` and `logger` as in JSON, anything
/// else becomes an attribute.
#[derive(Clone, Debug)]
pub struct LinePattern {
    regex: regex::Regex,
    /// The groups that have names, by number.
    groups: Vec<(usize, String)>,
}

impl LinePattern {
    /// Compiles it.
    pub fn new(pattern: &str) -> Result<Self, PatternError> {
        let regex = compile(pattern)?;
        let names = regex.capture_names().enumerate();
        let groups: Vec<_> = names.filter_map(|(place, name)| Some((place, name?.to_owned()))).collect();
        if groups.is_empty() {
            return Err(PatternError::NoGroups(pattern.to_owned()));
        }
        Ok(Self { regex, groups })
    }

    /// Reads a line; nothing when it does not match.
    pub(super) fn read(&self, line: &str, limits: &RowLimits, clock: &mut Clock) -> Option<Finished> {
        let found = self.regex.captures(line)?;
        let mut draft = Draft::new(limits);
        for (place, name) in &self.groups {
            if let Some(group) = found.get(*place) {
                draft.put(name, &AnyValue::Text(Cow::Borrowed(group.as_str())), clock);
            }
        }
        Some(draft.finish(clock.now()))
    }

    pub(super) fn is_match(&self, line: &str) -> bool {
        self.regex.is_match(line)
    }
}
