//! What redaction makes of the texts of a file, one after the other, as it does of records on their way into the store:
//! a text may hold a line of a key that began in one before.

use std::ops::Range;

use ingest::{Action, Found, Location, Redactor};
use model::pem::{KeyRun, key_parts, plain_base64};

/// Looks at texts in their order.
pub(super) struct Look<'a> {
    redactor: &'a Redactor,
    at: Location<'a>,
    /// Keys by what stands in the file.
    keys: KeyRun,
    /// Keys by what tailing reads out of it.
    read_keys: KeyRun,
}

/// A text that would change.
pub(super) struct Changed<'a> {
    /// As it would be stored.
    pub(super) text: String,
    /// What was found in it at first sight.
    pub(super) found: Vec<Found<'a>>,
}

impl<'a> Look<'a> {
    pub(super) fn new(redactor: &'a Redactor, at: Location<'a>) -> Self {
        Self { redactor, at, keys: KeyRun::default(), read_keys: KeyRun::default() }
    }

    /// Looks at the next text, and what tailing takes for its message; nothing when it stays as it is. Calls `hit` for each
    /// thing that was found.
    pub(super) fn next(
        &mut self,
        text: &str,
        message: Option<&str>,
        mut hit: impl FnMut(&str, Action),
    ) -> Option<Changed<'a>> {
        let (redactor, at) = (self.redactor, self.at);
        // Only messages of logs are looked at so.
        let is_message = at == Location::LOG_MESSAGE && redactor.finds_keys();
        let parts = if is_message { self.key_parts(text, message) } else { Vec::new() };
        let without_parts = (!parts.is_empty())
            .then(|| redactor.clean_key_parts(at, text, &parts, &mut hit))
            .flatten()
            .map(|one| one.text);
        let rest = without_parts.as_deref().unwrap_or(text);
        let cleaned = redactor.clean(at, rest, &mut hit).map(|cleaned| cleaned.text);
        let stored = cleaned.or(without_parts)?;
        let mut found = redactor.find(at, text);
        for part in parts {
            found.retain(|one| one.range.end <= part.start || part.end <= one.range.start);
            found.push(redactor.found_key_part(at, text, part));
        }
        found.sort_by_key(|one| one.range.start);
        Some(Changed { text: stored, found })
    }

    /// The parts of a text that are of a key which began before, by how it stands in the file and by what is read of it.
    fn key_parts(&mut self, text: &str, message: Option<&str>) -> Vec<Range<usize>> {
        let mut parts = self.keys.see(text);
        let message = message.unwrap_or(text);
        for part in self.read_keys.see(message) {
            for line in message[part].split_whitespace() {
                if parts.iter().any(|part| text[part.clone()].contains(line)) {
                    continue;
                }
                match place_of(text, line) {
                    Some(place) => parts.push(place),
                    // It is not seen where it stands, and it must not be shown.
                    None => return std::iter::once(0..text.len()).collect(),
                }
            }
        }
        joined(parts)
    }
}

/// Where a line of a key stands in a text, as it is or with escapes; a short one as a word of its own, if it is one.
fn place_of(text: &str, line: &str) -> Option<Range<usize>> {
    let is_base64 = |c: char| c.is_ascii_alphanumeric() || matches!(c, '+' | '/');
    let is_word =
        |at: usize| !text[..at].ends_with(is_base64) && !text[at + line.len()..].starts_with(is_base64);
    let written =
        text.match_indices(line).map(|(at, _)| at).find(|at| is_word(*at)).or_else(|| text.find(line));
    let written = written.map(|start| start..start + line.len());
    written.or_else(|| key_parts(text).into_iter().find(|part| plain_base64(&text[part.clone()]) == line))
}

/// Ranges in their order, of which none overlap.
fn joined(mut ranges: Vec<Range<usize>>) -> Vec<Range<usize>> {
    ranges.sort_by_key(|range| range.start);
    let mut joined: Vec<Range<usize>> = Vec::new();
    for range in ranges {
        match joined.last_mut() {
            Some(last) if range.start < last.end => last.end = last.end.max(range.end),
            _ => joined.push(range),
        }
    }
    joined
}
