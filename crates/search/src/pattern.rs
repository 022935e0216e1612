//! Wildcards and regular expressions, compiled once, within bounds of length and size.

use std::fmt;

use model::pattern::{self as go, SyntaxError};
use regex::{Regex, RegexBuilder};

use crate::Part;
use crate::limits::{MAX_COMPILED_BYTES, MAX_PATTERN_BYTES};

/// How deep the brackets of a pattern may stand in each other.
const MAX_NESTING: u32 = 64;
/// What a compiled pattern may remember of texts that it has seen, in bytes.
const MAX_REMEMBERED_BYTES: usize = 1 << 20;

/// Why a pattern cannot be used.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum PatternError {
    TooLong,
    TooLarge,
    /// What the library has to say of it, in one line.
    Syntax(String),
    /// What is wrong with one of Go's syntax, in the words of Go's library.
    Go(SyntaxError),
}

impl fmt::Display for PatternError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooLong => write!(f, "the pattern is longer than {MAX_PATTERN_BYTES} bytes"),
            Self::TooLarge => f.write_str("the pattern would become too large: repetitions multiply"),
            Self::Syntax(message) => write!(f, "this is no regular expression: {message}"),
            Self::Go(error) => write!(f, "{error}"),
        }
    }
}

fn compile(pattern: &str, ignores_case: bool) -> Result<Regex, PatternError> {
    RegexBuilder::new(pattern)
        .case_insensitive(ignores_case)
        .size_limit(MAX_COMPILED_BYTES)
        .dfa_size_limit(MAX_REMEMBERED_BYTES)
        .nest_limit(MAX_NESTING)
        .build()
        .map_err(|error| match error {
            regex::Error::Syntax(message) => {
                // Before the last line stands the pattern, which the query shows already.
                let last = message.lines().last().unwrap_or_default();
                PatternError::Syntax(last.trim().trim_start_matches("error: ").to_owned())
            }
            _ => PatternError::TooLarge,
        })
}

/// A regular expression, which may match anywhere in a text unless it says otherwise.
#[derive(Clone, Debug)]
pub struct Pattern {
    source: String,
    ignores_case: bool,
    regex: Regex,
}

impl Pattern {
    pub(crate) fn new(source: &str, ignores_case: bool) -> Result<Self, PatternError> {
        if source.len() > MAX_PATTERN_BYTES {
            return Err(PatternError::TooLong);
        }
        Ok(Self { source: source.to_owned(), ignores_case, regex: compile(source, ignores_case)? })
    }

    /// One of Go's syntax, in which `.` is every character but the end of a line.
    pub(crate) fn of_go(written: &str) -> Result<Self, PatternError> {
        Self::read_by(go::anywhere, written)
    }

    /// One of Go's syntax that must match the whole of a text, and in which `.` is every character.
    pub(crate) fn of_go_as_a_whole(written: &str) -> Result<Self, PatternError> {
        Self::read_by(go::anchored, written)
    }

    fn read_by(read: fn(&str) -> Result<String, SyntaxError>, written: &str) -> Result<Self, PatternError> {
        if written.len() > MAX_PATTERN_BYTES {
            return Err(PatternError::TooLong);
        }
        let source = read(written).map_err(PatternError::Go)?;
        let regex = compile(&source, false).map_err(|error| match error {
            // All else that there is to refuse was refused when it was read.
            PatternError::Syntax(_) => PatternError::Go(go::Fault::TooDeep.at(written)),
            error => error,
        })?;
        Ok(Self { source, ignores_case: false, regex })
    }

    /// What was written; one of Go's syntax as it is in Rust's.
    pub fn source(&self) -> &str {
        &self.source
    }

    /// Whether upper and lower case are the same.
    pub const fn ignores_case(&self) -> bool {
        self.ignores_case
    }

    /// Compiled.
    pub const fn regex(&self) -> &Regex {
        &self.regex
    }

    /// Whether it matches in the text.
    pub fn is_match(&self, text: &str) -> bool {
        self.regex.is_match(text)
    }
}

impl PartialEq for Pattern {
    /// Whether both were written alike; what is compiled follows from that.
    fn eq(&self, other: &Self) -> bool {
        (&self.source, self.ignores_case) == (&other.source, other.ignores_case)
    }
}

/// A text with wildcards, which matches a word or a value as a whole.
#[derive(Clone, Debug)]
pub struct Glob {
    parts: Vec<Part>,
    matcher: Matcher,
}

#[derive(Clone, Debug)]
enum Matcher {
    /// One `*`, at the end.
    Prefix(String),
    Anchored(Regex),
}

impl Glob {
    pub(crate) fn new(parts: Vec<Part>) -> Result<Self, PatternError> {
        let length = |part: &Part| if let Part::Text(text) = part { text.len() } else { 1 };
        if parts.iter().map(length).sum::<usize>() > MAX_PATTERN_BYTES {
            return Err(PatternError::TooLong);
        }
        let matcher = match parts.as_slice() {
            [Part::Any] => Matcher::Prefix(String::new()),
            [Part::Text(text), Part::Any] => Matcher::Prefix(text.clone()),
            parts => Matcher::Anchored(compile(&anchored(parts), false)?),
        };
        Ok(Self { parts, matcher })
    }

    /// Its texts and wildcards, in order.
    pub fn parts(&self) -> &[Part] {
        &self.parts
    }

    /// The text that everything begins with that it matches, and whether all that begins so is matched.
    pub fn prefix(&self) -> (&str, bool) {
        match (&self.matcher, self.parts.first()) {
            (Matcher::Prefix(text), _) => (text.as_str(), true),
            (Matcher::Anchored(_), Some(Part::Text(text))) => (text.as_str(), false),
            (Matcher::Anchored(_), _) => ("", false),
        }
    }

    /// As a regular expression that is anchored at both ends.
    pub fn to_regex(&self) -> String {
        anchored(&self.parts)
    }

    /// Whether it matches the whole text.
    pub fn is_match(&self, text: &str) -> bool {
        match &self.matcher {
            Matcher::Prefix(prefix) => text.starts_with(prefix.as_str()),
            Matcher::Anchored(regex) => regex.is_match(text),
        }
    }
}

impl PartialEq for Glob {
    /// Whether both have the same parts; what is compiled follows from them.
    fn eq(&self, other: &Self) -> bool {
        self.parts == other.parts
    }
}

fn anchored(parts: &[Part]) -> String {
    let mut pattern = "^(?s:".to_owned();
    for part in parts {
        match part {
            Part::Text(text) => pattern.push_str(&regex::escape(text)),
            Part::Any => pattern.push_str(".*"),
            Part::One => pattern.push('.'),
        }
    }
    pattern.push_str(")$");
    pattern
}

#[cfg(test)]
mod tests;
