//! What redaction makes of the texts of a file, one after the other, as it does of records on their way into the store:
//! a text may hold a line of a key that began in one before.

use ingest::{Action, Found, Location, Redactor};
use model::pem::KeyRun;

/// Looks at texts in their order.
pub(super) struct Look<'a> {
    redactor: &'a Redactor,
    at: Location<'a>,
    keys: KeyRun,
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
        Self { redactor, at, keys: KeyRun::default() }
    }

    /// Looks at the next text; nothing when it stays as it is. Calls `hit` for each thing that was found.
    pub(super) fn next(&mut self, text: &str, mut hit: impl FnMut(&str, Action)) -> Option<Changed<'a>> {
        let (redactor, at) = (self.redactor, self.at);
        // Only messages of logs are looked at so.
        let is_message = at == Location::LOG_MESSAGE && redactor.finds_keys();
        let part = if is_message { self.keys.see(text) } else { None };
        let without_part = part
            .clone()
            .and_then(|part| redactor.clean_key_part(at, text, part, &mut hit))
            .map(|one| one.text);
        let rest = without_part.as_deref().unwrap_or(text);
        let cleaned = redactor.clean(at, rest, &mut hit).map(|cleaned| cleaned.text);
        let stored = cleaned.or(without_part)?;
        let mut found = redactor.find(at, text);
        if let Some(part) = part {
            found.retain(|one| one.range.end <= part.start || part.end <= one.range.start);
            found.push(redactor.found_key_part(at, text, part));
            found.sort_by_key(|one| one.range.start);
        }
        Some(Changed { text: stored, found })
    }
}
