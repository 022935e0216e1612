//! The detectors, a file for each: what it takes, and what it does not.
//!
//! A detector has triggers, which are cheap and may be wrong, and a way to look, which is asked only where one of them
//! is and has to be right. It gives the places of secrets alone, without what leads to them: the password of a URL, not
//! the URL. Knows nothing of rules and actions.

mod api_key;
mod assigned;
mod bearer;
mod card;
mod email;
mod encoded;
mod iban;
mod ip;
mod jwt;
mod ordered;
mod phone;
mod private_key;
mod surroundings;
mod url_password;
mod value;

use std::ops::Range;

use regex::Regex;

use super::RedactError;
use super::settings::Redaction;
use super::trigger::Trigger;

pub(super) const PRIVATE_KEY: &str = "private_key";
pub(super) const URL_PASSWORD: &str = "url_password";
pub(super) const BEARER: &str = "bearer";
pub(super) const JWT: &str = "jwt";
pub(super) const API_KEY: &str = "api_key";
pub(super) const ASSIGNED_SECRET: &str = "assigned_secret";
pub(super) const IBAN: &str = "iban";
pub(super) const CARD_NUMBER: &str = "card_number";
pub(super) const EMAIL: &str = "email";
pub(super) const PHONE: &str = "phone";
pub(super) const IP: &str = "ip";
/// What finds secrets by the name of their attribute; it looks at no text.
pub(super) const NAME: &str = "name";

/// Every detector, in the order in which they claim what they find.
pub(super) const NAMES: [&str; 12] = [
    PRIVATE_KEY,
    URL_PASSWORD,
    BEARER,
    JWT,
    API_KEY,
    ASSIGNED_SECRET,
    IBAN,
    CARD_NUMBER,
    EMAIL,
    PHONE,
    IP,
    NAME,
];

/// Whether the settings have a detector on.
pub(super) fn is_on(settings: &Redaction, name: &str) -> bool {
    let by_switch = match name {
        EMAIL => settings.emails,
        IP => settings.ips,
        _ => true,
    };
    by_switch && !settings.disabled.iter().any(|disabled| disabled == name)
}

/// The detectors that look at texts and are on; none when nothing is redacted.
pub(super) fn all(settings: &Redaction) -> Result<Vec<Detector>, RedactError> {
    if !settings.enabled {
        return Ok(Vec::new());
    }
    let all = [
        private_key::detector()?,
        url_password::detector()?,
        bearer::detector()?,
        jwt::detector()?,
        api_key::detector()?,
        assigned::detector(&settings.names)?,
        iban::detector()?,
        card::detector(),
        email::detector()?,
        phone::detector()?,
        ip::detector()?,
    ];
    Ok(all.into_iter().filter(|detector| is_on(settings, detector.name)).collect())
}

/// Puts the places of what it finds into a list.
type Find = Box<dyn Fn(&str, &mut Vec<Range<usize>>) + Send + Sync>;

/// Finds one kind of secret.
pub(super) struct Detector {
    pub(super) name: &'static str,
    /// What it waits for: it finds nothing where there is none of them.
    pub(super) triggers: Vec<Trigger>,
    find: Find,
}

impl Detector {
    fn new(
        name: &'static str,
        triggers: Vec<Trigger>,
        find: impl Fn(&str, &mut Vec<Range<usize>>) + Send + Sync + 'static,
    ) -> Self {
        Self { name, triggers, find: Box::new(find) }
    }

    /// Finds what a pattern matches, or its group `secret` where it has one; `is_one` has the last word.
    fn of_pattern(
        name: &'static str,
        triggers: Vec<Trigger>,
        pattern: &str,
        is_one: fn(&str, &Range<usize>) -> bool,
    ) -> Result<Self, RedactError> {
        let regex = compiled(name, pattern)?;
        let group = regex.capture_names().position(|group| group == Some("secret"));
        Ok(Self::new(name, triggers, move |text, into| match group {
            None => {
                into.extend(regex.find_iter(text).map(|found| found.range()).filter(|at| is_one(text, at)));
            }
            Some(group) => {
                let secrets = regex.captures_iter(text).filter_map(|found| Some(found.get(group)?.range()));
                into.extend(secrets.filter(|at| is_one(text, at)));
            }
        }))
    }

    /// Puts the places of what it finds into `into`.
    pub(super) fn find(&self, text: &str, into: &mut Vec<Range<usize>>) {
        (self.find)(text, into);
    }

    /// Whether what it finds is a block that goes as a whole, whatever else is found in it.
    pub(super) fn is_whole(&self) -> bool {
        self.name == PRIVATE_KEY
    }
}

/// A shipped pattern, compiled.
fn compiled(name: &'static str, pattern: &str) -> Result<Regex, RedactError> {
    Regex::new(pattern).map_err(|source| RedactError::Detector { name, source })
}

#[cfg(test)]
mod tests;
