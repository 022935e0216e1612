//! RFC 3164 as it is met: what senders wrote before there was a rule, and still do.
//!
//! Of time, host, tag and process id each may be missing. Routers put a number before all of it and a colon behind
//! the time; relays write times as ISO 8601 has them. Where there is neither a time nor a tag, all is text.

use super::Message;
use super::header::{Header, word};
use super::stamp::{self, Clock};

/// No name of a host or an application is longer; what is longer is none.
const MAX_NAME_BYTES: usize = 255;

/// Reads a message behind its priority.
pub(super) fn parse(text: &str, clock: Clock) -> Message<'_> {
    let unnumbered = without_number(text);
    let stamped = stamp::read(unnumbered, clock).map(|found| (None, found)).or_else(|| {
        // Routers can be told to name themselves before the time.
        let (host, after) = unnumbered.trim_start_matches(' ').split_once(": ")?;
        is_host(host).then_some(())?;
        Some((Some(host), stamp::read(after, clock)?))
    });
    let Some((host, (time, has_colon, rest))) = stamped else {
        return with_tag(text, Header::default());
    };
    let header = Header { time: Some(time), host, ..Header::default() };
    let rest = rest.trim_start_matches(' ');
    if host.is_some() || has_colon || tag(rest).is_some() {
        return with_tag(rest.strip_prefix(": ").unwrap_or(rest), header);
    }
    match word(rest).filter(|(host, after)| is_host(host) && !after.is_empty()) {
        Some((host, after)) => {
            let after = after.strip_prefix(' ').unwrap_or(after);
            let after = after.strip_prefix(": ").unwrap_or(after);
            with_tag(after, Header { host: Some(host), ..header })
        }
        None => with_tag(rest, header),
    }
}

/// Leaves out the number that routers count their messages by: `29: `, or nothing but the colon.
fn without_number(text: &str) -> &str {
    let rest = text.trim_start_matches(|letter: char| letter.is_ascii_digit());
    rest.strip_prefix(": ").unwrap_or(text)
}

/// The rest of a message: a tag, if there is one, and a text.
fn with_tag<'a>(text: &'a str, mut header: Header<'a>) -> Message<'a> {
    let Some(tag) = tag(text) else {
        return Message { header, text, ..Message::default() };
    };
    match tag.app.strip_prefix('%') {
        // What routers have there names the message: `%SYS-5-CONFIG_I`.
        Some(kind) if !kind.is_empty() => header.kind = Some(kind),
        _ => header.app = Some(tag.app),
    }
    header.process = tag.process;
    Message { header, text: tag.text, ..Message::default() }
}

/// `cron[42]: text`.
struct Tag<'a> {
    app: &'a str,
    process: Option<&'a str>,
    text: &'a str,
}

fn tag(text: &str) -> Option<Tag<'_>> {
    let end =
        text.find([' ', ':', '[', '\t', '"', '=', '{']).filter(|end| (1..=MAX_NAME_BYTES).contains(end))?;
    let (app, rest) = text.split_at(end);
    let (process, rest) = match rest.strip_prefix('[') {
        Some(inside) => {
            let (process, rest) = inside.split_once(']')?;
            if process.is_empty() || process.len() > MAX_NAME_BYTES || process.contains([' ', '[']) {
                return None;
            }
            (Some(process), rest)
        }
        None => (None, rest),
    };
    let after = match rest.strip_prefix(':') {
        Some(after) => after,
        // Behind a process id the colon may be left out.
        None if process.is_some() && (rest.is_empty() || rest.starts_with(' ')) => rest,
        None => return None,
    };
    // Without a space it is an address or a path, unless a process id stands before.
    if process.is_none() && !(after.is_empty() || after.starts_with([' ', '\t'])) {
        return None;
    }
    Some(Tag { app, process, text: after.strip_prefix(' ').unwrap_or(after) })
}

/// Whether a word can be the name or the address of a host.
fn is_host(word: &str) -> bool {
    let is_part = |byte: u8| byte.is_ascii_alphanumeric() || b".-_:/%[]".contains(&byte);
    (1..=MAX_NAME_BYTES).contains(&word.len()) && word.bytes().all(is_part) && !word.ends_with(':')
}
