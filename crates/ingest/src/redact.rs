//! Secrets and personal data are replaced before anything is stored.
//!
//! Each rule is a pattern; what it matches becomes `[redacted:RULE]`. The shipped rules know the
//! usual shapes of credentials, e-mail addresses and card numbers. Whole attributes whose name says
//! `password`, `secret`, `token` and the like are replaced whatever they hold.

use std::borrow::Cow;

use regex::{Regex, RegexSet};

/// What is redacted: the section `[ingest.redaction]`.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Redaction {
    /// Whether anything is redacted at all.
    pub enabled: bool,
    /// Whether e-mail addresses are.
    pub emails: bool,
    /// Further patterns, by name.
    pub patterns: std::collections::BTreeMap<String, String>,
}

impl Default for Redaction {
    fn default() -> Self {
        Self { enabled: true, emails: true, patterns: std::collections::BTreeMap::new() }
    }
}

/// A pattern that cannot be used.
#[derive(Debug, thiserror::Error)]
#[error("the redaction pattern `{name}` is not a regular expression")]
pub struct RedactError {
    name: String,
    #[source]
    source: regex::Error,
}

/// The shipped rules: name and pattern. Order matters: the first rule that matches a place has it.
const RULES: &[(&str, &str)] = &[
    ("private_key", r"-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]*?(?:-----END [A-Z ]*PRIVATE KEY-----|\z)"),
    ("url_password", r"(?P<keep>[a-zA-Z][a-zA-Z0-9+.-]*://[^/\s:@]*:)[^@/\s]+@"),
    ("bearer", r"(?P<keep>(?i:bearer|basic)\s+)[A-Za-z0-9._~+/=-]{8,}"),
    ("jwt", r"eyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]*"),
    ("api_key", r"\b(?:sk|pk|rk|ghp|gho|ghs|xox[abp]|wkl?)[-_][A-Za-z0-9_-]{16,}|\bAKIA[0-9A-Z]{16}\b"),
    (
        "assigned_secret",
        r#"(?P<keep>(?i:password|passwd|secret|token|api[_-]?key|access[_-]?key)["']?\s*[=:]\s*["']?)[^\s"'&,;]{4,}"#,
    ),
    ("card_number", r"\b(?:\d[ -]?){13,16}\b"),
];
const EMAIL: (&str, &str) = ("email", r"[A-Za-z0-9._%+-]+@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)*\.[A-Za-z]{2,}");

/// Names of attributes that are never kept.
const SECRET_NAMES: &str =
    r"(?i)^(.*[._-])?(password|passwd|secret|token|api[_-]?key|access[_-]?key|authorization|cookie)$";

/// Replaces secrets in texts.
pub struct Redactor {
    set: RegexSet,
    rules: Vec<(String, Regex)>,
    secret_names: Option<Regex>,
}

impl Redactor {
    /// Compiles the rules.
    pub fn new(settings: &Redaction) -> Result<Self, RedactError> {
        let shipped = RULES.iter().copied().chain(settings.emails.then_some(EMAIL));
        let own = settings.patterns.iter().map(|(name, pattern)| (name.as_str(), pattern.as_str()));
        let all: Vec<(&str, &str)> = if settings.enabled { shipped.chain(own).collect() } else { Vec::new() };
        let compile = |(name, pattern): &(&str, &str)| {
            Regex::new(pattern)
                .map(|regex| ((*name).to_owned(), regex))
                .map_err(|source| RedactError { name: (*name).to_owned(), source })
        };
        let rules = all.iter().map(compile).collect::<Result<Vec<_>, _>>()?;
        let set = RegexSet::new(all.iter().map(|(_, pattern)| pattern))
            .map_err(|source| RedactError { name: "all patterns together".to_owned(), source })?;
        let secret_names = if settings.enabled {
            Some(
                Regex::new(SECRET_NAMES)
                    .map_err(|source| RedactError { name: "names".to_owned(), source })?,
            )
        } else {
            None
        };
        Ok(Self { set, rules, secret_names })
    }

    /// Whether an attribute of this name is never kept.
    pub fn is_secret_name(&self, name: &str) -> bool {
        self.secret_names.as_ref().is_some_and(|names| names.is_match(name))
    }

    /// `text` with every secret replaced; calls `hit` with the rule for each rule that matched. A text
    /// without secrets costs one pass and no allocation.
    pub fn redact<'a>(&self, text: &'a str, mut hit: impl FnMut(&str)) -> Cow<'a, str> {
        let mut text = Cow::Borrowed(text);
        for index in &self.set.matches(&text) {
            let (name, regex) = &self.rules[index];
            let replaced = regex.replace_all(&text, |captures: &regex::Captures<'_>| {
                let whole = &captures[0];
                if name == "card_number" && !is_card_number(whole) {
                    return whole.to_owned();
                }
                let kept = captures.name("keep").map_or("", |kept| kept.as_str());
                let at = if name == "url_password" { "@" } else { "" };
                format!("{kept}[redacted:{name}]{at}")
            });
            if replaced != text {
                hit(name);
                text = Cow::Owned(replaced.into_owned());
            }
        }
        text
    }
}

/// Whether the digits satisfy the Luhn check of payment cards; ids and times seldom do.
fn is_card_number(text: &str) -> bool {
    let digits: Vec<u32> = text.chars().filter_map(|c| c.to_digit(10)).collect();
    let sum: u32 = digits
        .iter()
        .rev()
        .enumerate()
        .map(|(place, digit)| match (place % 2, digit * 2) {
            (0, _) => *digit,
            (_, doubled) if doubled > 9 => doubled - 9,
            (_, doubled) => doubled,
        })
        .sum();
    (13..=16).contains(&digits.len()) && sum.is_multiple_of(10)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn redact(text: &str) -> String {
        Redactor::new(&Redaction::default()).expect("shipped rules").redact(text, |_| ()).into_owned()
    }

    #[test]
    fn secrets_are_replaced_and_what_is_around_them_stays() {
        let cases = [
            ("redis://user:hunter22@db:6379/0", "redis://user:[redacted:url_password]@db:6379/0"),
            ("Authorization: Bearer abcdef123456", "Authorization: Bearer [redacted:bearer]"),
            ("call with sk-abcdefghijklmnop1234 failed", "call with [redacted:api_key] failed"),
            ("password=hunter22 host=a", "password=[redacted:assigned_secret] host=a"),
            ("mail jane.doe@example.org now", "mail [redacted:email] now"),
            ("card 4111 1111 1111 1111.", "card [redacted:card_number]."),
            ("job 4111111111111112 failed", "job 4111111111111112 failed"),
            ("nothing to hide at 2025-08-01T21:30:00", "nothing to hide at 2025-08-01T21:30:00"),
        ];
        for (text, expected) in cases {
            assert_eq!(redact(text), expected);
        }
    }

    #[test]
    fn attributes_are_judged_by_name() {
        let redactor = Redactor::new(&Redaction::default()).expect("shipped rules");
        for name in ["password", "db.password", "API_KEY", "x-api-key", "Authorization"] {
            assert!(redactor.is_secret_name(name), "{name}");
        }
        for name in ["tokens", "output_tokens", "keyword", "secretary"] {
            assert!(!redactor.is_secret_name(name), "{name}");
        }
    }

    #[test]
    fn own_patterns_are_used_and_bad_ones_named() {
        let mut settings = Redaction::default();
        settings.patterns.insert("case".into(), r"CASE-\d+".into());
        let redactor = Redactor::new(&settings).expect("valid");
        let mut hits = Vec::new();
        assert_eq!(redactor.redact("see CASE-12", |rule| hits.push(rule.to_owned())), "see [redacted:case]");
        assert_eq!(hits, ["case"]);
        settings.patterns.insert("broken".into(), "(".into());
        let error = Redactor::new(&settings).err().expect("refused");
        assert!(error.to_string().contains("`broken`"));
    }

    #[test]
    fn redaction_can_be_switched_off() {
        let redactor = Redactor::new(&Redaction { enabled: false, ..Redaction::default() }).expect("valid");
        assert_eq!(redactor.redact("password=hunter22", |_| ()), "password=hunter22");
        assert!(!redactor.is_secret_name("password"));
    }
}
