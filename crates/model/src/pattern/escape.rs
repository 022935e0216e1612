//! What a backslash begins: a character, or a set of them.

use std::borrow::Cow;
use std::fmt::Write as _;

use super::{names, spanned};
use crate::pattern::{Fault, SyntaxError};

/// As an item of a class: all characters.
const EVERYTHING: &str = r"\x{0}-\x{10FFFF}";
/// As an item of a class: no character.
const NOTHING: &str = r"[^\x{0}-\x{10FFFF}]";

/// The set that a text begins with (`\d`, `\pL`, `\p{Greek}`), as an item of a class, and what follows it.
pub(super) fn set(text: &str) -> Result<Option<(Cow<'static, str>, &str)>, SyntaxError> {
    let Some(after) = text.strip_prefix('\\') else { return Ok(None) };
    let set = match after.as_bytes().first() {
        Some(b'd') => "0-9",
        Some(b'D') => "[^0-9]",
        Some(b's') => r"\t\n\f\r ",
        Some(b'S') => r"[^\t\n\f\r ]",
        Some(b'w') => "0-9A-Za-z_",
        Some(b'W') => "[^0-9A-Za-z_]",
        Some(b'p' | b'P') => return unicode(text).map(Some),
        _ => return Ok(None),
    };
    Ok(Some((Cow::Borrowed(set), &after[1..])))
}

/// As [`set`], of a text that begins with `\p` or `\P`.
fn unicode(text: &str) -> Result<(Cow<'static, str>, &str), SyntaxError> {
    let (is_negated, inside) = (text.starts_with(r"\P"), &text[2..]);
    let (name, after) = match inside.strip_prefix('{') {
        Some(braced) => braced.split_once('}').ok_or_else(|| Fault::Range.at(text))?,
        None => inside.split_at(inside.chars().next().map_or(0, char::len_utf8)),
    };
    let (is_negated, name) = match name.strip_prefix('^') {
        Some(name) => (!is_negated, name),
        None => (is_negated, name),
    };
    let letter = if is_negated { 'P' } else { 'p' };
    let set = match name {
        // Halves of characters, of which a text has none.
        "Cs" | "Surrogate" => Cow::Borrowed(if is_negated { EVERYTHING } else { NOTHING }),
        _ if names::is_category(name) => Cow::Owned(format!(r"\{letter}{{gc={name}}}")),
        _ if names::is_script(name) => Cow::Owned(format!(r"\{letter}{{sc={name}}}")),
        _ => return Err(Fault::Range.at(spanned(text, after))),
    };
    Ok((set, after))
}

/// The character that a text begins with, which is a backslash and what belongs to it; and what follows. What is no
/// character but half of one is told apart by [`char::from_u32`].
pub(super) fn character(text: &str) -> Result<(u32, &str), SyntaxError> {
    let mut rest = text[1..].chars();
    let Some(first) = rest.next() else { return Err(Fault::TrailingBackslash.at("")) };
    let code = match first {
        'a' => Some(0x07),
        'f' => Some(0x0C),
        'n' => Some(0x0A),
        'r' => Some(0x0D),
        't' => Some(0x09),
        'v' => Some(0x0B),
        'x' => hexadecimal(&mut rest),
        // A digit that is not 0 and stands alone would be a reference to a group.
        '1'..='7' if !rest.as_str().starts_with(|c| matches!(c, '0'..='7')) => None,
        '0'..='7' => Some(octal(first, &mut rest)),
        _ => (first.is_ascii() && !first.is_ascii_alphanumeric()).then_some(u32::from(first)),
    };
    code.map(|code| (code, rest.as_str())).ok_or_else(|| Fault::Escape.at(spanned(text, rest.as_str())))
}

/// `\1` to `\777`: the first digit and at most two more.
fn octal(first: char, rest: &mut std::str::Chars<'_>) -> u32 {
    let mut code = first.to_digit(8).unwrap_or(0);
    for _ in 0..2 {
        let Some(digit) = rest.clone().next().and_then(|c| c.to_digit(8)) else { break };
        code = code * 8 + digit;
        rest.next();
    }
    code
}

/// Two digits, or any number of them in braces; nothing when they are none, or are beyond the last character.
fn hexadecimal(rest: &mut std::str::Chars<'_>) -> Option<u32> {
    let first = rest.next()?;
    if first != '{' {
        let second = rest.next();
        return Some(first.to_digit(16)? * 16 + second?.to_digit(16)?);
    }
    let mut code = None;
    loop {
        let digit = match rest.next()? {
            '}' => return code,
            c => c.to_digit(16)?,
        };
        let longer = code.unwrap_or(0) * 16 + digit;
        code = (longer <= u32::from(char::MAX)).then_some(longer);
        code?;
    }
}

/// Writes a character so that it stands for itself, in a class and outside.
pub(super) fn push_character(out: &mut String, c: char) {
    if c.is_ascii_alphanumeric() || !c.is_ascii() || c == '_' || c == ' ' {
        out.push(c);
    } else {
        // Writing to a String does not fail.
        _ = write!(out, r"\x{{{:X}}}", u32::from(c));
    }
}

/// Writes a class that matches the items, or one that matches all but them. Without items there are those that nothing
/// matches: halves of characters.
pub(super) fn bracketed(is_negated: bool, items: &str) -> String {
    let items = if items.is_empty() { NOTHING } else { items };
    format!("[{}{items}]", if is_negated { "^" } else { "" })
}
