//! Functions of texts.

use std::fmt::Write as _;
use std::net::IpAddr;

use regex::Regex;
use store::pattern::anywhere;

use super::given::Given;
use crate::template::value::Value;

/// What a text is made into.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::template) enum OfText {
    Title,
    ToUpper,
    ToLower,
    StripPort,
    StripDomain,
    GraphLink,
    TableLink,
    UrlQueryEscape,
    SafeHtml,
}

impl OfText {
    pub(super) fn of(self, text: &str) -> String {
        match self {
            Self::Title => title(text),
            Self::ToUpper => text.to_uppercase(),
            Self::ToLower => text.to_lowercase(),
            Self::StripPort => strip_port(text).to_owned(),
            Self::StripDomain => strip_domain(text),
            Self::GraphLink => link(text, 0),
            Self::TableLink => link(text, 1),
            Self::UrlQueryEscape => query_escape(text),
            Self::SafeHtml => text.to_owned(),
        }
    }
}

/// A function of a pattern and a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::template) enum OfPattern {
    Match,
    ReplaceAll,
}

impl OfPattern {
    pub(super) fn of(self, given: &Given<'_>) -> Result<Value, String> {
        let done = match self {
            Self::Match => is_match(given.text(0, 2)?, given.text(1, 2)?).map(Value::Bool),
            Self::ReplaceAll => {
                replace_all(given.text(0, 3)?, given.text(1, 3)?, given.text(2, 3)?).map(Value::text)
            }
        };
        done.map_err(|reason| given.failed(&reason))
    }
}

fn pattern(text: &str) -> Result<Regex, String> {
    anywhere(text).map_err(|error| error.to_string())
}

fn is_match(expression: &str, text: &str) -> Result<bool, String> {
    Ok(pattern(expression)?.is_match(text))
}

fn replace_all(expression: &str, replacement: &str, text: &str) -> Result<String, String> {
    Ok(pattern(expression)?.replace_all(text, replacement).into_owned())
}

/// Each word with a capital; a word begins after what is neither letter, digit nor `_`.
fn title(text: &str) -> String {
    let mut begins = true;
    let mut titled = String::with_capacity(text.len());
    for c in text.chars() {
        if begins {
            titled.extend(c.to_uppercase());
        } else {
            titled.push(c);
        }
        begins = if c.is_ascii() { !(c.is_ascii_alphanumeric() || c == '_') } else { c.is_whitespace() };
    }
    titled
}

pub(super) fn html(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\0' => escaped.push('\u{fffd}'),
            '"' => escaped.push_str("&#34;"),
            '\'' => escaped.push_str("&#39;"),
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            _ => escaped.push(c),
        }
    }
    escaped
}

pub(super) fn js(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\\' | '\'' | '"' => escaped.extend(['\\', c]),
            '<' | '>' | '&' | '=' => _ = write!(escaped, "\\u{:04X}", u32::from(c)),
            _ if c.is_control() => _ = write!(escaped, "\\u{:04X}", u32::from(c)),
            _ => escaped.push(c),
        }
    }
    escaped
}

/// A text as it stands in the query of an address.
pub(super) fn query_escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b' ' => escaped.push('+'),
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => {
                escaped.push(char::from(byte));
            }
            _ => _ = write!(escaped, "%{byte:02X}"),
        }
    }
    escaped
}

/// Where an expression is shown: as a graph (tab 0) or a table (tab 1).
fn link(expression: &str, tab: u8) -> String {
    format!("/graph?g0.expr={}&g0.tab={tab}", query_escape(expression))
}

/// The path of an address: what stands between the host and the query.
pub(super) fn path_of(url: &str) -> String {
    let after = url.split_once("://").map_or(url, |(_, after)| after);
    let path = after.find('/').map_or("", |at| &after[at..]);
    path.split(['?', '#']).next().unwrap_or_default().to_owned()
}

/// Host and port, when a text is both.
fn split_port(text: &str) -> Option<(&str, &str)> {
    if let Some(inner) = text.strip_prefix('[') {
        let (host, rest) = inner.split_once(']')?;
        return Some((host, rest.strip_prefix(':')?));
    }
    text.split_once(':').filter(|(_, port)| !port.contains(':'))
}

fn strip_port(text: &str) -> &str {
    split_port(text).map_or(text, |(host, _)| host)
}

fn strip_domain(text: &str) -> String {
    let (host, port) = split_port(text).unwrap_or((text, ""));
    if host.parse::<IpAddr>().is_ok() {
        return text.to_owned();
    }
    let host = host.split('.').next().unwrap_or_default();
    if port.is_empty() { host.to_owned() } else { format!("{host}:{port}") }
}
