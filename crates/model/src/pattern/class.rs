//! Classes of characters: what stands between `[` and `]`. In Rust's patterns a `[` in one begins another, and `&&`,
//! `--` and `~~` calculate with them; in Go's all of these are characters.

use super::{escape, spanned};
use crate::pattern::{Fault, SyntaxError};

/// The names between `[:` and `:]`.
const NAMES: [&str; 14] = [
    "alnum", "alpha", "ascii", "blank", "cntrl", "digit", "graph", "lower", "print", "punct", "space",
    "upper", "word", "xdigit",
];

/// Halves of characters, which no text has.
const SURROGATES: std::ops::RangeInclusive<u32> = 0xD800..=0xDFFF;

/// Reads the class that a text begins with; gives it as Rust's library reads it, and what follows. `last_name` says
/// how many bytes there are from the last `:]` of the pattern to its end, so that none is looked for in vain again and
/// again.
pub(super) fn read(whole: &str, last_name: usize) -> Result<(String, &str), SyntaxError> {
    let inside = &whole[1..];
    let (is_negated, mut rest) = match inside.strip_prefix('^') {
        Some(behind) => (true, behind),
        None => (false, inside),
    };
    let mut items = String::new();
    let mut is_first = true;
    loop {
        // As the first it is a character.
        if let Some(after) = rest.strip_prefix(']').filter(|_| !is_first) {
            return Ok((escape::bracketed(is_negated, &items), after));
        }
        is_first = false;
        rest = item(rest, whole, last_name, &mut items)?;
    }
}

/// Reads one item, and gives what follows it.
fn item<'p>(
    text: &'p str,
    whole: &str,
    last_name: usize,
    items: &mut String,
) -> Result<&'p str, SyntaxError> {
    if let Some((set, after)) = named(text, last_name)? {
        items.push_str(set);
        return Ok(after);
    }
    if let Some((set, after)) = escape::set(text)? {
        items.push_str(&set);
        return Ok(after);
    }
    let (low, after) = end(text, whole)?;
    let behind = after.strip_prefix('-').filter(|behind| !behind.is_empty() && !behind.starts_with(']'));
    let Some(behind) = behind else {
        push_range(items, low, low);
        return Ok(after);
    };
    let (high, after) = end(behind, whole)?;
    if high < low {
        return Err(Fault::Range.at(spanned(text, after)));
    }
    push_range(items, low, high);
    Ok(after)
}

/// A set by its name: `[:alpha:]`, `[:^alpha:]`.
fn named(text: &str, last_name: usize) -> Result<Option<(&str, &str)>, SyntaxError> {
    let Some(inside) = text.strip_prefix("[:").filter(|inside| inside.len() >= last_name) else {
        return Ok(None);
    };
    let Some((name, after)) = inside.split_once(":]") else { return Ok(None) };
    let written = spanned(text, after);
    if NAMES.contains(&name.strip_prefix('^').unwrap_or(name)) {
        Ok(Some((written, after)))
    } else {
        Err(Fault::Range.at(written))
    }
}

/// An end of a range, and what follows it.
fn end<'p>(text: &'p str, whole: &str) -> Result<(u32, &'p str), SyntaxError> {
    match text.chars().next() {
        None => Err(Fault::MissingBracket.at(whole)),
        Some('\\') => escape::character(text),
        Some(c) => Ok((u32::from(c), &text[c.len_utf8()..])),
    }
}

fn push_range(items: &mut String, low: u32, high: u32) {
    let low = if SURROGATES.contains(&low) { SURROGATES.end() + 1 } else { low };
    let high = if SURROGATES.contains(&high) { SURROGATES.start() - 1 } else { high };
    let (Some(low), Some(high)) = (char::from_u32(low), char::from_u32(high)) else { return };
    if low <= high {
        escape::push_character(items, low);
        if low < high {
            items.push('-');
            escape::push_character(items, high);
        }
    }
}
