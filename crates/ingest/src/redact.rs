//! Secrets and personal data are replaced before anything is stored.
//!
//! [`Redactor`] is what others use, made of the settings ([`Redaction`]). In a text the detectors (`detect`) look for
//! what has a shape of its own; a value can also be a secret by its name (`names`). What becomes of what was found is
//! up to rules (`rules`): it is masked, hashed (`digest`), dropped or kept. `scan` sees to it that a text with nothing
//! in it costs little.
//!
//! To redact twice changes nothing more: what stands in the place of a secret is known and left alone, and a text is
//! looked at again after it was changed, for what was hidden by a neighbour.
//!
//! Knows no event and no label; what is a text in them is in `texts` and `service::clean`. docs/redaction.md says what
//! each detector takes.

mod detect;
mod digest;
mod names;
mod plain_names;
mod rules;
mod scan;
mod settings;
mod trigger;

use std::borrow::Cow;
use std::ops::Range;

pub(crate) use plain_names::PlainNames;
pub use rules::Location;
pub(crate) use rules::METRICS;
pub use settings::{Action, Redaction, RedactionRule, TextPattern};

use digest::Digest;
use names::SecretNames;
use rules::Rules;
use scan::{Finding, Scanner, placeholder};

/// How often a text that changes is looked at again. Texts at rest after two looks are the rule.
const MAX_PASSES: usize = 16;
/// What a text is called that is not at rest even then: it goes as a whole.
const WHOLE: &str = "text";
/// The most patterns, names and detectors that are off.
const MAX_ENTRIES: usize = 200;
/// The longest name of a pattern or of a secret, in bytes.
const MAX_NAME_BYTES: usize = 64;

/// Settings that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum RedactError {
    /// A value that nothing can be done with.
    #[error("`ingest.redaction.{key}`: {reason}")]
    Setting {
        /// The key.
        key: String,
        /// Why, in words that say what to change.
        reason: String,
    },
    /// A shipped pattern cannot be compiled. A fault of ours.
    #[error("the detector `{name}` could not be compiled")]
    Detector {
        /// Which one.
        name: &'static str,
        /// Why.
        #[source]
        source: regex::Error,
    },
    /// Secrets that are known by heart cannot be searched for together.
    #[error("the secrets that are known could not be compiled")]
    Literals(#[source] aho_corasick::BuildError),
}

impl RedactError {
    fn setting(key: &str, reason: String) -> Self {
        Self::Setting { key: key.to_owned(), reason }
    }
}

/// A text in which something was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cleaned {
    /// The text as it may be stored; what was dropped is cut out.
    pub text: String,
    /// Whether something was dropped: an attribute or label goes as a whole then.
    pub dropped: bool,
}

/// Something that was found in a text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found<'a> {
    /// Where it stands, in bytes.
    pub range: Range<usize>,
    /// Who found it.
    pub detector: &'a str,
    /// What becomes of it.
    pub action: Action,
    /// What stands in its place then.
    pub replacement: String,
}

/// Replaces secrets in texts.
pub struct Redactor {
    scanner: Scanner,
    names: Option<SecretNames>,
    rules: Rules,
    digest: Option<Digest>,
}

impl Redactor {
    /// Compiles what the settings say; says which of them cannot be used, and why.
    pub fn new(settings: &Redaction) -> Result<Self, RedactError> {
        check(settings)?;
        let own = settings.patterns.keys().map(String::as_str);
        let known: Vec<&str> = detect::NAMES.iter().copied().chain(own).collect();
        let off: Vec<&str> =
            detect::NAMES.iter().copied().filter(|name| !detect::is_on(settings, name)).collect();
        let rules = Rules::new(settings, &known, &off)?;
        let digest = digest(settings)?;
        let names_are_on = settings.enabled && detect::is_on(settings, detect::NAME);
        let names = names_are_on.then(|| SecretNames::new(&settings.names));
        let scanner = if settings.enabled {
            Scanner::new(settings)?
        } else {
            Scanner::new(&Redaction { enabled: false, ..Redaction::default() })?
        };
        Ok(Self { scanner, names, rules, digest })
    }

    /// Finds these texts too, wherever they stand, and calls them `name`.
    pub fn knowing(mut self, name: &str, secrets: &[String]) -> Result<Self, RedactError> {
        self.scanner.know(name, secrets)?;
        Ok(self)
    }

    /// Whether the value of this name is a secret, whatever it looks like.
    pub fn is_secret_name(&self, name: &str) -> bool {
        self.names.as_ref().is_some_and(|names| names.contain(name))
    }

    /// Whether a name is nothing, wherever it stands: its value is no secret for it, and nothing is found in it.
    pub(crate) fn is_plain_name(&self, name: &str) -> bool {
        !self.is_secret_name(name) && self.scanner.find(name).is_empty()
    }

    /// `text` with every secret replaced; calls `hit` with the detector for each that was. A text without secrets
    /// costs one pass and no allocation. For texts that are in no table.
    pub fn redact<'a>(&self, text: &'a str, mut hit: impl FnMut(&str)) -> Cow<'a, str> {
        let cleaned = self.clean(Location::NOWHERE, text, |detector, action| {
            if action != Action::Keep {
                hit(detector);
            }
        });
        cleaned.map_or(Cow::Borrowed(text), |cleaned| Cow::Owned(cleaned.text))
    }

    /// The text that stands `at` a place as the rules want it there; `None` when it stays as it is. Calls `hit` with
    /// the detector and the action for each thing that was found.
    pub fn clean(&self, at: Location<'_>, text: &str, hit: impl FnMut(&str, Action)) -> Option<Cleaned> {
        self.clean_of(at, text, &[], hit)
    }

    /// The same for some detectors; for all where none is named.
    fn clean_of(
        &self,
        at: Location<'_>,
        text: &str,
        of: &[&str],
        mut hit: impl FnMut(&str, Action),
    ) -> Option<Cleaned> {
        let mut cleaned: Option<Cleaned> = None;
        for pass in 0..MAX_PASSES {
            let now = cleaned.as_ref().map_or(text, |cleaned| cleaned.text.as_str());
            let count = |detector: &str, action: Action| {
                // What is kept is found by each pass.
                if pass == 0 || action != Action::Keep {
                    hit(detector, action);
                }
            };
            let Some(next) = self.pass(at, now, of, count) else { return cleaned };
            let dropped = next.dropped || cleaned.is_some_and(|cleaned| cleaned.dropped);
            cleaned = Some(Cleaned { dropped, ..next });
        }
        hit(WHOLE, Action::Mask);
        let dropped = cleaned.is_some_and(|cleaned| cleaned.dropped);
        Some(Cleaned { text: placeholder(WHOLE, None), dropped })
    }

    /// The value of an attribute or label, `at` whose name it stands; else as [`Redactor::clean`].
    pub fn clean_value(
        &self,
        at: Location<'_>,
        value: &str,
        mut hit: impl FnMut(&str, Action),
    ) -> Option<Cleaned> {
        if !value.is_empty() && self.is_secret_name(at.field) && !self.scanner.is_placeholder(value) {
            let action = self.rules.action(at, detect::NAME);
            hit(detect::NAME, action);
            if action != Action::Keep {
                let text = self.replacement(detect::NAME, action, value);
                return Some(Cleaned { text, dropped: action == Action::Drop });
            }
        }
        self.clean(at, value, hit)
    }

    /// Whether private keys are looked for.
    pub fn finds_keys(&self) -> bool {
        self.scanner.has(detect::PRIVATE_KEY)
    }

    /// The text that stands `at` a place and of which `parts` belong to a private key whose marks are in other texts
    /// ([`model::pem::KeyRun`] says which, in their order); else as [`Redactor::clean`], which is still to be asked for the
    /// rest.
    pub fn clean_key_parts(
        &self,
        at: Location<'_>,
        text: &str,
        parts: &[Range<usize>],
        mut hit: impl FnMut(&str, Action),
    ) -> Option<Cleaned> {
        let mut cleaned = Cleaned { text: String::with_capacity(text.len()), dropped: false };
        let (mut copied, mut is_changed) = (0, false);
        for part in parts {
            let Found { range, detector, action, replacement } = self.found_key_part(at, text, part.clone());
            hit(detector, action);
            if action != Action::Keep {
                cleaned.text.push_str(&text[copied..range.start]);
                cleaned.text.push_str(&replacement);
                cleaned.dropped |= action == Action::Drop;
                (copied, is_changed) = (range.end, true);
            }
        }
        cleaned.text.push_str(&text[copied..]);
        is_changed.then_some(cleaned)
    }

    /// Such a part, with what becomes of it.
    pub fn found_key_part(&self, at: Location<'_>, text: &str, part: Range<usize>) -> Found<'static> {
        let detector = detect::PRIVATE_KEY;
        let action = self.rules.action(at, detector);
        let replacement = self.replacement(detector, action, &text[part.clone()]);
        Found { range: part, detector, action, replacement }
    }

    /// An id that no rule names: of most nothing is looked for, for two that became one would make two things one. What
    /// stands for a person is often an address, and what stands for a key may be the key.
    pub(crate) fn clean_id(
        &self,
        at: Location<'_>,
        id: &str,
        hit: impl FnMut(&str, Action),
    ) -> Option<Cleaned> {
        if !rules::is_telling_id(at.field) {
            return None;
        }
        self.clean_of(at, id, rules::OF_IDS, hit)
    }

    /// Whether a rule of the configuration names the field, so that it is looked at although it is an id.
    pub(crate) fn is_named(&self, at: Location<'_>) -> bool {
        self.rules.name_field(at)
    }

    /// What is found in a text at first sight, in its order, with what becomes of it: for whoever wants to see.
    pub fn find(&self, at: Location<'_>, text: &str) -> Vec<Found<'_>> {
        let findings = self.scanner.find(text).into_iter();
        findings
            .map(|Finding { range, detector }| {
                let action = self.rules.action(at, detector);
                let replacement = self.replacement(detector, action, &text[range.clone()]);
                Found { range, detector, action, replacement }
            })
            .collect()
    }

    /// Replaces what is found in a text; `None` when that changes nothing.
    fn pass(
        &self,
        at: Location<'_>,
        text: &str,
        of: &[&str],
        mut hit: impl FnMut(&str, Action),
    ) -> Option<Cleaned> {
        let mut cleaned = Cleaned { text: String::new(), dropped: false };
        let mut copied = 0;
        let findings = self.scanner.find(text).into_iter();
        for Finding { range, detector } in findings.filter(|one| of.is_empty() || of.contains(&one.detector))
        {
            let action = self.rules.action(at, detector);
            hit(detector, action);
            if action != Action::Keep {
                cleaned.text.push_str(&text[copied..range.start]);
                cleaned.text.push_str(&self.replacement(detector, action, &text[range.clone()]));
                cleaned.dropped |= action == Action::Drop;
                copied = range.end;
            }
        }
        // A finding is never empty: what was replaced ends after the beginning.
        if copied == 0 {
            return None;
        }
        cleaned.text.push_str(&text[copied..]);
        Some(cleaned)
    }

    fn replacement(&self, detector: &str, action: Action, secret: &str) -> String {
        match (action, &self.digest) {
            (Action::Keep, _) => secret.to_owned(),
            (Action::Drop, _) => String::new(),
            (Action::Hash, Some(digest)) => placeholder(detector, Some(&digest.of(detector, secret))),
            (Action::Hash, None) | (Action::Mask, _) => placeholder(detector, None),
        }
    }
}

/// The hashes, where there is a key; without one nothing may ask for them.
fn digest(settings: &Redaction) -> Result<Option<Digest>, RedactError> {
    if !settings.hash_key.is_empty() {
        return Digest::new(&settings.hash_key)
            .map(Some)
            .map_err(|reason| RedactError::setting("hash_key", reason));
    }
    let wanted = settings.rules.iter().position(|rule| rule.action == Action::Hash);
    let key = match wanted {
        Some(place) => format!("rules[{place}].action"),
        None if settings.action == Action::Hash => "action".to_owned(),
        None => return Ok(None),
    };
    let reason = "`hash` needs `ingest.redaction.hash_key` or `hash_key_file`: make one with `openssl rand -hex 32`, \
                  and keep it, for with another one equal values are no longer equal";
    Err(RedactError::setting(&key, reason.to_owned()))
}

/// Refuses settings that have the right type and that nothing could work with.
fn check(settings: &Redaction) -> Result<(), RedactError> {
    let counts = [
        ("patterns", settings.patterns.len()),
        ("names", settings.names.len()),
        ("disabled", settings.disabled.len()),
    ];
    if let Some((key, count)) = counts.iter().find(|(_, count)| *count > MAX_ENTRIES) {
        return Err(RedactError::setting(key, format!("at most {MAX_ENTRIES} are taken, these are {count}")));
    }
    let unknown = settings.disabled.iter().position(|name| !detect::NAMES.contains(&name.as_str()));
    if let Some(place) = unknown {
        let reason = format!(
            "there is no detector `{}`; there are {}",
            settings.disabled[place],
            detect::NAMES.join(", ")
        );
        return Err(RedactError::setting(&format!("disabled[{place}]"), reason));
    }
    let is_name = |name: &String| {
        (2..=MAX_NAME_BYTES).contains(&name.len())
            && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.'))
            && name.bytes().any(|byte| byte.is_ascii_alphanumeric())
    };
    if let Some(place) = settings.names.iter().position(|name| !is_name(name)) {
        let reason = format!(
            "`{}` is no name: write 2 to {MAX_NAME_BYTES} letters and digits, with `-`, `_` or `.` between them",
            settings.names[place]
        );
        return Err(RedactError::setting(&format!("names[{place}]"), reason));
    }
    let is_pattern_name = |name: &&String| {
        (1..=MAX_NAME_BYTES).contains(&name.len())
            && !name.contains(|letter: char| letter.is_control() || matches!(letter, '[' | ']'))
    };
    match settings.patterns.keys().find(|name| !is_pattern_name(name)) {
        Some(name) => {
            let reason =
                format!("a name has 1 to {MAX_NAME_BYTES} bytes, without `[`, `]` and control characters");
            Err(RedactError::setting(&format!("patterns.{name}"), reason))
        }
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests;
