//! Requests as web servers write them: nginx's and Apache's common and combined formats, gunicorn's, and uvicorn's.

use std::borrow::Cow;

use super::clock::Clock;
use super::draft::{Draft, Finished};
use super::time;
use crate::otlp::AnyValue;
use crate::otlp::rows::RowLimits;

/// The longest name of a host or of a user.
const MAX_NAME_BYTES: usize = 256;

/// Reads a line; nothing when it is none of a request.
pub(super) fn read(line: &str, limits: &RowLimits, clock: &mut Clock) -> Option<Finished> {
    combined(line, limits, clock).or_else(|| uvicorn(line, limits, clock))
}

/// Whether it may be one; asked of every line.
pub(super) fn looks_so(line: &str) -> bool {
    match line.as_bytes().first() {
        Some(b'0'..=b'9' | b'a'..=b'f' | b':') => has_user(line),
        Some(b'I') => line.starts_with("INFO:") && line.contains(" - \""),
        _ => false,
    }
}

/// `ADDRESS - USER [TIME] "…`, where the second field is an identity, which nobody has.
fn has_user(line: &str) -> bool {
    let before_time = memchr::memchr_iter(b' ', line.as_bytes()).nth(2);
    before_time.is_some_and(|space| line.as_bytes().get(space + 1) == Some(&b'[')) && line.contains("] \"")
}

/// `ADDRESS - USER [TIME] "METHOD TARGET VERSION" STATUS BYTES "REFERRER" "AGENT"…`
fn combined(line: &str, limits: &RowLimits, clock: &mut Clock) -> Option<Finished> {
    let (before, rest) = line.split_once(" [")?;
    let (when, rest) = rest.split_once("] \"")?;
    let mut fields = before.split(' ');
    let address = fields.next().filter(|address| !address.is_empty() && address.len() <= MAX_NAME_BYTES)?;
    let user = fields.nth(1)?;
    let (time, length) = time::leading(when.as_bytes(), clock)?;
    if length != when.len() || fields.next().is_some() {
        return None;
    }
    let mut draft = Draft::new(limits);
    draft.put_time(time);
    let rest = request(&mut draft, rest, clock)?;
    draft.put("message", &text(line), clock);
    draft.put("client.address", &text(address), clock);
    if user != "-" {
        draft.put("user.name", &text(user), clock);
    }
    let mut rest = rest.trim_start();
    let (bytes, after) = rest.split_at(rest.find(' ').unwrap_or(rest.len()));
    if bytes.bytes().all(|byte| byte.is_ascii_digit()) && !bytes.is_empty() {
        draft.put("http.response.body.size", &text(bytes), clock);
    }
    rest = after.trim_start();
    for name in ["http.request.header.referer", "user_agent.original"] {
        let Some((value, after)) = rest.strip_prefix('"').and_then(|rest| rest.split_once('"')) else {
            break;
        };
        if value != "-" && !value.is_empty() {
            draft.put(name, &text(value), clock);
        }
        rest = after.trim_start();
    }
    Some(draft.finish(clock.now()))
}

/// `INFO:     ADDRESS:PORT - "METHOD TARGET VERSION" STATUS REASON`
fn uvicorn(line: &str, limits: &RowLimits, clock: &mut Clock) -> Option<Finished> {
    let rest = line.strip_prefix("INFO:")?.trim_start();
    let (address, rest) = rest.split_once(" - \"")?;
    if address.contains(' ') || address.len() > MAX_NAME_BYTES {
        return None;
    }
    let mut draft = Draft::new(limits);
    request(&mut draft, rest, clock)?;
    draft.put("level", &text("INFO"), clock);
    draft.put("message", &text(line.strip_prefix("INFO:")?.trim_start()), clock);
    let host = address.rsplit_once(':').map_or(address, |(host, _)| host);
    draft.put("client.address", &text(host.trim_matches(['[', ']'])), clock);
    Some(draft.finish(clock.now()))
}

/// Reads `METHOD TARGET VERSION" STATUS`, and gives what follows.
fn request<'t>(draft: &mut Draft<'_>, rest: &'t str, clock: &mut Clock) -> Option<&'t str> {
    let (request, rest) = rest.split_once("\" ")?;
    let (status, rest) = rest.split_at(rest.find(' ').unwrap_or(rest.len()));
    if status.len() != 3 || !status.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    // What a scanner sends need be no request; the status is there all the same.
    let mut parts = request.split(' ');
    if let (Some(method), Some(target)) = (parts.next(), parts.next())
        && method.bytes().all(|byte| byte.is_ascii_uppercase())
        && !method.is_empty()
    {
        draft.put("http.request.method", &text(method), clock);
        draft.put("http.target", &text(target), clock);
    }
    draft.put("http.response.status_code", &text(status), clock);
    Some(rest)
}

fn text(text: &str) -> AnyValue<'_> {
    AnyValue::Text(Cow::Borrowed(text))
}
