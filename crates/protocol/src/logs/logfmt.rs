//! A line of `key=value` pairs, with values in quotes where they have spaces.

use std::borrow::Cow;

use super::clock::Clock;
use super::draft::{Draft, Finished};
use crate::otlp::AnyValue;
use crate::otlp::rows::RowLimits;

/// Reads a line; nothing when it is none of pairs, or when none of them says that it is a record of a log.
pub(super) fn read(line: &str, limits: &RowLimits, clock: &mut Clock) -> Option<Finished> {
    let mut draft = Draft::new(limits);
    let mut rest = line.trim_end();
    let mut pairs = 0usize;
    while !rest.is_empty() {
        let (key, value, after) = pair(rest)?;
        draft.put(key, &AnyValue::Text(value), clock);
        pairs += 1;
        rest = after;
    }
    (pairs > 1 && draft.is_record()).then(|| draft.finish(clock.now()))
}

/// Whether it may be one: something without a space stands before the first `=`.
pub(super) fn looks_so(line: &str) -> bool {
    let end = line.bytes().position(|byte| matches!(byte, b'=' | b' ' | b'"' | b'[' | b'('));
    end.is_some_and(|end| end > 0 && line.as_bytes()[end] == b'=')
}

/// The first pair, and what follows it.
fn pair(text: &str) -> Option<(&str, Cow<'_, str>, &str)> {
    let end = text.bytes().position(|byte| matches!(byte, b'=' | b' ' | b'"'))?;
    let (key, rest) = text.split_at(end);
    let value = rest.strip_prefix('=').filter(|_| !key.is_empty())?;
    if let Some(quoted) = value.strip_prefix('"') {
        let (value, after) = unquoted(quoted)?;
        let is_end = after.is_empty() || after.starts_with(' ');
        return is_end.then(|| (key, value, after.trim_start()));
    }
    let (value, after) = value.split_at(value.find(' ').unwrap_or(value.len()));
    Some((key, Cow::Borrowed(value), after.trim_start()))
}

/// A text up to its closing quote, and what follows that.
fn unquoted(text: &str) -> Option<(Cow<'_, str>, &str)> {
    let plain = text.find(['"', '\\'])?;
    if text.as_bytes()[plain] == b'"' {
        return Some((Cow::Borrowed(&text[..plain]), &text[plain + 1..]));
    }
    let mut value = text[..plain].to_owned();
    let mut characters = text[plain..].char_indices();
    while let Some((at, character)) = characters.next() {
        match character {
            '"' => return Some((Cow::Owned(value), &text[plain + at + 1..])),
            '\\' => match characters.next()?.1 {
                'n' => value.push('\n'),
                't' => value.push('\t'),
                'r' => value.push('\r'),
                other => value.push(other),
            },
            other => value.push(other),
        }
    }
    None
}
