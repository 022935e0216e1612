//! One line of a text: names, labels in braces, numbers, and what is wrong where.

use std::borrow::Cow;

use model::labels::METRIC_NAME;

use super::labelset::{LabelSet, Text};
use super::{ExpositionError, Refused};

/// The most characters of a body that an error quotes.
const MAX_QUOTED: usize = 60;

/// A line, and how far it has been read.
pub(super) struct Line<'a> {
    rest: &'a str,
    number: usize,
}

/// A wrong line, or labels of it that cannot be taken.
pub(super) type Result<T> = std::result::Result<T, ExpositionError>;

/// The lines of a body with their numbers, from 1; fails where the body is no UTF-8.
pub(super) fn lines(body: &[u8]) -> Result<impl Iterator<Item = Line<'_>>> {
    let text = std::str::from_utf8(body).map_err(|error| {
        let line = body[..error.valid_up_to()].iter().filter(|byte| **byte == b'\n').count() + 1;
        let found = format!("the byte 0x{:02x}", body.get(error.valid_up_to()).copied().unwrap_or(0));
        ExpositionError::Line { line, expected: "UTF-8".to_owned(), found }
    })?;
    Ok(text.split('\n').enumerate().map(|(index, rest)| Line { rest, number: index + 1 }))
}

/// A text, cut to what an error may quote.
pub(super) fn short(text: &str) -> Cow<'_, str> {
    match text.char_indices().nth(MAX_QUOTED) {
        Some((end, _)) => Cow::Owned(format!("{}…", &text[..end])),
        None => Cow::Borrowed(text),
    }
}

fn is_blank(byte: u8) -> bool {
    byte == b' ' || byte == b'\t'
}

impl<'a> Line<'a> {
    pub(super) fn rest(&self) -> &'a str {
        self.rest
    }

    /// What was expected here, and what is here instead.
    pub(super) fn expected(&self, expected: impl Into<String>) -> ExpositionError {
        let found = match short(self.rest) {
            empty if empty.is_empty() => "the end of the line".to_owned(),
            text => format!("{text:?}"),
        };
        ExpositionError::Line { line: self.number, expected: expected.into(), found }
    }

    /// What was expected of a text that has been read.
    pub(super) fn unfit(&self, expected: impl Into<String>, found: &str) -> ExpositionError {
        let found = format!("{:?}", short(found));
        ExpositionError::Line { line: self.number, expected: expected.into(), found }
    }

    /// A sample that was not added, as an error of this line.
    pub(super) fn refused(&self, refused: Refused, limit: usize) -> ExpositionError {
        match refused {
            Refused::Labels { expected, found } => {
                ExpositionError::Line { line: self.number, expected: expected.to_owned(), found }
            }
            Refused::TooLarge => ExpositionError::TooLarge { limit },
        }
    }

    /// Passes over blanks; says whether there were any.
    pub(super) fn skip_blanks(&mut self) -> bool {
        let before = self.rest.len();
        self.rest = self.rest.trim_start_matches([' ', '\t']);
        self.rest.len() < before
    }

    /// Passes over `text`, if the line goes on with it.
    #[inline]
    pub(super) fn skip(&mut self, text: &str) -> bool {
        match self.rest.strip_prefix(text) {
            Some(rest) => {
                self.rest = rest;
                true
            }
            None => false,
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    pub(super) fn next_byte(&self) -> Option<u8> {
        self.rest.as_bytes().first().copied()
    }

    /// Everything up to the next blank.
    pub(super) fn token(&mut self) -> &'a str {
        let end = self.rest.bytes().position(is_blank).unwrap_or(self.rest.len());
        self.split(end)
    }

    #[inline]
    fn split(&mut self, end: usize) -> &'a str {
        let (taken, rest) = self.rest.split_at(end);
        self.rest = rest;
        taken
    }

    /// A name that needs no quotes; empty when there is none. Names of metrics may have colons, those of labels not.
    #[inline]
    fn bare_name(&mut self, colons: bool) -> &'a str {
        let is_part = |(index, byte): (usize, &u8)| {
            byte.is_ascii_alphabetic()
                || *byte == b'_'
                || (colons && *byte == b':')
                || (index > 0 && byte.is_ascii_digit())
        };
        let bytes = self.rest.as_bytes();
        let end = bytes.iter().enumerate().position(|place| !is_part(place)).unwrap_or(bytes.len());
        self.split(end)
    }

    /// The name of a metric as it stands behind `# TYPE`, bare or in quotes.
    pub(super) fn family(&mut self) -> Result<Text<'a>> {
        let name = if self.next_byte() == Some(b'"') { self.quoted()? } else { self.bare_name(true).into() };
        if name.is_empty() { Err(self.expected("the name of a metric")) } else { Ok(name) }
    }

    /// A text in quotes; `\\`, `\"` and `\n` are what they stand for.
    fn quoted(&mut self) -> Result<Text<'a>> {
        if !self.skip("\"") {
            return Err(self.expected("a text in double quotes"));
        }
        let bytes = self.rest.as_bytes();
        let (mut end, mut escaped) = (0, false);
        loop {
            match bytes.get(end) {
                Some(b'"') => break,
                Some(b'\\') => {
                    escaped = true;
                    end += 2;
                }
                Some(_) => end += 1,
                None => return Err(self.expected("the closing quote of a text")),
            }
        }
        let text = self.split(end);
        self.split(1);
        Ok(if escaped { unescaped(text).into() } else { text.into() })
    }

    /// The name of a metric, and its labels in braces, if there are any.
    pub(super) fn series(&mut self, labels: &mut LabelSet<'a>) -> Result<()> {
        labels.clear();
        let name = self.bare_name(true);
        if !name.is_empty() {
            labels.add(METRIC_NAME, name);
        }
        if self.rest.trim_start_matches([' ', '\t']).starts_with('{') {
            self.skip_blanks();
            self.skip("{");
            self.labels(labels, name.is_empty())?;
        } else if name.is_empty() {
            return Err(self.expected("the name of a metric"));
        }
        if labels.is_named() { Ok(()) } else { Err(self.expected("the name of the metric in the braces")) }
    }

    /// Labels up to the closing brace. Where no name stood before the brace, a text in quotes alone is the name.
    pub(super) fn labels(&mut self, labels: &mut LabelSet<'a>, mut takes_name: bool) -> Result<()> {
        loop {
            self.skip_blanks();
            if self.skip("}") {
                return Ok(());
            }
            let is_quoted = self.next_byte() == Some(b'"');
            let name = if is_quoted { self.quoted()? } else { self.bare_name(false).into() };
            if name.is_empty() {
                return Err(self.expected("the name of a label, or a closing brace"));
            }
            self.skip_blanks();
            if is_quoted && takes_name && matches!(self.next_byte(), Some(b',' | b'}')) {
                labels.add(METRIC_NAME, name);
                takes_name = false;
            } else {
                if !self.skip("=") {
                    return Err(self.expected("`=` behind the name of a label"));
                }
                self.skip_blanks();
                let value = self.quoted()?;
                labels.add(name, value);
                self.skip_blanks();
            }
            if !self.skip(",") && self.next_byte() != Some(b'}') {
                return Err(self.expected("a comma or a closing brace"));
            }
        }
    }
}

/// A text with its escapes replaced; one that is not known stays as it is.
pub(super) fn unescaped(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('\\') {
        plain.push_str(&rest[..at]);
        rest = &rest[at + 1..];
        let replaced = match rest.as_bytes().first() {
            Some(b'n') => '\n',
            Some(b'"') => '"',
            Some(b'\\') => '\\',
            _ => {
                plain.push('\\');
                continue;
            }
        };
        plain.push(replaced);
        rest = &rest[1..];
    }
    plain.push_str(rest);
    plain
}
