//! What is told of a query that cannot be read, and of one that may not mean what it says.

use std::fmt;

use crate::{Place, Span};

/// Why a query cannot be read: where, what was expected there, and what may have been meant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Error {
    /// The part of the text that is wrong.
    pub span: Span,
    /// Where that part begins.
    pub place: Place,
    /// What is wrong with it.
    pub message: String,
    /// What would be right there.
    pub expected: Option<String>,
    /// What to write instead.
    pub suggestion: Option<String>,
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}, column {}: {}", self.place.line, self.place.column, self.message)?;
        if let Some(expected) = &self.expected {
            write!(f, "; expected {expected}")?;
        }
        if let Some(suggestion) = &self.suggestion {
            write!(f, "; {suggestion}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Error {}

/// What a reader of a query should know: it is right, and may still not be what was meant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hint {
    /// The part of the text that it is about.
    pub span: Span,
    /// Where that part begins.
    pub place: Place,
    /// What to know of it.
    pub message: String,
}

/// An error before its place is looked up in the text.
#[derive(Debug)]
pub(crate) struct Fault {
    span: Span,
    message: String,
    expected: Option<String>,
    suggestion: Option<String>,
}

impl Fault {
    pub(crate) fn new(span: Span, message: impl Into<String>) -> Self {
        Self { span, message: message.into(), expected: None, suggestion: None }
    }

    pub(crate) fn expected(self, expected: impl Into<String>) -> Self {
        Self { expected: Some(expected.into()), ..self }
    }

    pub(crate) fn suggest(self, suggestion: impl Into<String>) -> Self {
        Self { suggestion: Some(suggestion.into()), ..self }
    }

    pub(crate) fn in_text(self, text: &str) -> Error {
        let Self { span, message, expected, suggestion } = self;
        Error { span, place: Place::of(text, span.start), message, expected, suggestion }
    }
}

/// A hint before its place is looked up in the text.
#[derive(Clone, Debug)]
pub(crate) struct Remark {
    pub(crate) span: Span,
    pub(crate) message: String,
}

impl Remark {
    pub(crate) fn in_text(self, text: &str) -> Hint {
        Hint { span: self.span, place: Place::of(text, self.span.start), message: self.message }
    }
}

/// The longest part of a query that a message repeats, in characters.
const MAX_SHOWN: usize = 40;

/// A part of a query as a message shows it.
pub(crate) fn shown(text: &str) -> String {
    match text.char_indices().nth(MAX_SHOWN) {
        Some((end, _)) => format!("`{}…`", &text[..end]),
        None => format!("`{text}`"),
    }
}
