//! `private_key`: private keys in PEM, from `-----BEGIN … PRIVATE KEY-----` to `-----END … PRIVATE KEY-----`, with line
//! breaks as such or written `\n`; of PKCS #1 and #8, SEC 1, OpenSSH and PGP, encrypted or not. Of one whose end is not in
//! the text all goes that follows its beginning, of one whose beginning is not there the lines of base64 before its end.
//! Lines of a key that come as texts of their own are for `key_lines`.
//!
//! Not taken: public keys and certificates, the words `BEGIN PRIVATE KEY` in a sentence, keys without their frame.

use std::ops::Range;

use model::pem::{KeyMark, key_marks, key_part};
use regex::Regex;

use super::{Detector, PRIVATE_KEY, RedactError, Trigger, compiled};

/// How much of what follows a beginning is looked at to see whether it is a key, in bytes and in lines.
const LOOKED_AT_BYTES: usize = 4 << 10;
const LOOKED_AT_LINES: usize = 8;
/// A line of base64 that is as long as those of keys.
const FULL_BYTES: usize = 40;
/// How many lines at the end of a key may be shorter: its last one, and its sum.
const SHORT_LINES: usize = 2;

pub(super) fn detector() -> Result<Detector, RedactError> {
    // What follows the mark where a key does: headers, then base64.
    let body = compiled(
        PRIVATE_KEY,
        r"\A(?:(?:\s|\\+[nr])*[A-Za-z-]+: [^\n\\]+)*(?:\s|\\+[nr])*[A-Za-z0-9+/=]{16,}",
    )?;
    let triggers = vec![Trigger::exact("PRIVATE KEY")];
    Ok(Detector::new(PRIVATE_KEY, triggers, move |text, into| find(text, &body, into)))
}

fn find(text: &str, body: &Regex, into: &mut Vec<Range<usize>>) {
    // Beginnings that have no end yet, and where what is taken ends.
    let mut open: Vec<Range<usize>> = Vec::new();
    let mut taken = 0;
    for (mark, at) in key_marks(text) {
        match (mark, open.first()) {
            (KeyMark::Begin, _) => open.push(at),
            (KeyMark::End, Some(first)) => {
                into.push(first.start..at.end);
                taken = at.end;
                open.clear();
            }
            (KeyMark::End, None) => {
                if let Some(start) = base64_at_end(&text[taken..at.start]) {
                    into.push(taken + start..at.end);
                }
                taken = at.end;
            }
        }
    }
    let mut begun = open.iter().zip(1..);
    let cut = begun.find(|(at, next)| {
        let end = open.get(*next).map_or(text.len(), |next| next.start);
        is_key(&text[at.end..end], body)
    });
    if let Some((first, _)) = cut {
        into.push(first.start..text.len());
    }
}

/// Whether what follows a beginning is a key, and no sentence.
fn is_key(rest: &str, body: &Regex) -> bool {
    let rest = &rest[..rest.floor_char_boundary(LOOKED_AT_BYTES)];
    let mut after = rest.lines().skip(1).take(LOOKED_AT_LINES);
    body.is_match(rest) || after.any(|line| key_part(line).is_some_and(|part| part.is_full))
}

/// Where the lines of base64 begin that a text ends in; nothing where they are too short for a key.
fn base64_at_end(text: &str) -> Option<usize> {
    let mut start = None;
    let (mut lines, mut has_full) = (0, false);
    let mut rest = text;
    loop {
        let line = without_breaks(rest);
        let width = line.bytes().rev().take_while(|byte| is_base64(*byte)).count();
        let mut at = line.len() - width;
        // The letter of an escape is none of the base64 after it.
        if line[..at].ends_with('\\') && line[at..].starts_with(['n', 'r']) {
            at += 1;
        }
        let length = line.len() - at;
        let before = line[..at].trim_end_matches([' ', '\t']);
        let ends_line = before.is_empty() || without_breaks(before).len() < before.len();
        let is_full = length >= FULL_BYTES;
        if length == 0 || !is_full && (lines >= SHORT_LINES || !ends_line) {
            break;
        }
        lines += 1;
        has_full |= is_full;
        start = Some(at);
        // What stands before it in its line, as a logger puts it there, is no base64, and the line before may be some.
        let above = if ends_line { before } else { &before[..before.rfind('\n').unwrap_or(0)] };
        if above.is_empty() {
            break;
        }
        rest = above;
    }
    start.filter(|_| has_full)
}

/// A text without line breaks at its end, as such or written `\n`.
fn without_breaks(text: &str) -> &str {
    let mut rest = text;
    loop {
        let trimmed = rest.trim_end();
        let without = trimmed.strip_suffix("\\n").or_else(|| trimmed.strip_suffix("\\r"));
        let next = without.map_or(trimmed, |rest| rest.trim_end_matches('\\'));
        if next.len() == rest.len() {
            return rest;
        }
        rest = next;
    }
}

fn is_base64(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'=')
}
