//! RFC 5424, behind its version.

use std::borrow::Cow;

use model::event::Flaw;

use super::Message;
use super::header::Header;
use super::stamp::{self, Clock};

/// What stands for a value that is not there.
const NIL: &str = "-";
/// What a text in UTF-8 may begin with.
const MARK: char = '\u{feff}';

/// Reads a message, if it is one.
pub(super) fn parse(text: &str, clock: Clock) -> Option<Message<'_>> {
    let (time, rest) = text.split_once(' ')?;
    let (host, rest) = rest.split_once(' ')?;
    let (app, rest) = rest.split_once(' ')?;
    let (process, rest) = rest.split_once(' ')?;
    let (kind, rest) = rest.split_once(' ').unwrap_or((rest, NIL));
    let mut header =
        Header { time: None, host: said(host), app: said(app), process: said(process), kind: said(kind) };
    let mut flaw = None;
    if time != NIL {
        header.time = stamp::iso(time, clock);
        if header.time.is_none() {
            flaw = Some(Flaw::Format);
        }
    }
    let (structured, rest) = match structured(rest) {
        Some(parts) => parts,
        None => {
            flaw = Some(Flaw::Format);
            ("", rest)
        }
    };
    let text = rest.strip_prefix(' ').unwrap_or(rest);
    Some(Message { priority: None, header, structured, text: text.strip_prefix(MARK).unwrap_or(text), flaw })
}

/// A value of the header that is there.
fn said(value: &str) -> Option<&str> {
    (value != NIL && !value.is_empty()).then_some(value)
}

/// The elements of a message, and what follows them.
fn structured(text: &str) -> Option<(&str, &str)> {
    if let Some(rest) = text.strip_prefix(NIL) {
        return (rest.is_empty() || rest.starts_with(' ')).then_some(("", rest));
    }
    let rest = each_parameter(text, |_, _, _| {})?;
    (rest.len() < text.len()).then(|| (&text[..text.len() - rest.len()], rest))
}

/// Hands each parameter of each element to `take`, with the id of its element; an element without any has one that
/// is empty. What follows them, or `None` where an element is not written as it should be.
pub(super) fn each_parameter<'a>(
    text: &'a str,
    mut take: impl FnMut(&'a str, &'a str, Cow<'a, str>),
) -> Option<&'a str> {
    let mut rest = text;
    while let Some(element) = rest.strip_prefix('[') {
        let end = element.find([' ', ']', '"', '=', '[']).filter(|end| *end > 0)?;
        let (id, mut inside) = element.split_at(end);
        if inside.starts_with(']') {
            take(id, "", Cow::Borrowed(""));
        }
        rest = loop {
            inside = inside.trim_start_matches(' ');
            if let Some(after) = inside.strip_prefix(']') {
                break after;
            }
            let end = inside.find(['=', ' ', ']', '"']).filter(|end| *end > 0)?;
            let (name, after) = inside.split_at(end);
            let (value, after) = quoted(after.strip_prefix("=\"")?)?;
            take(id, name, value);
            inside = after;
        };
    }
    Some(rest)
}

/// A value behind its first quote, and what follows the last one. Only three signs are escaped; a backslash before
/// any other is one.
fn quoted(text: &str) -> Option<(Cow<'_, str>, &str)> {
    let mut value = Cow::Borrowed("");
    let mut rest = text;
    loop {
        let at = rest.find(['"', '\\'])?;
        let (part, tail) = rest.split_at(at);
        append(&mut value, part);
        if let Some(after) = tail.strip_prefix('"') {
            return Some((value, after));
        }
        let escaped = &tail[1..];
        let is_sign = escaped.starts_with(['"', '\\', ']']);
        // All three are one byte long.
        let (sign, after) = if is_sign { escaped.split_at(1) } else { tail.split_at(1) };
        append(&mut value, sign);
        rest = after;
    }
}

/// Adds to a text that is borrowed for as long as it has one part.
fn append<'a>(value: &mut Cow<'a, str>, part: &'a str) {
    if value.is_empty() {
        *value = Cow::Borrowed(part);
    } else if !part.is_empty() {
        value.to_mut().push_str(part);
    }
}
