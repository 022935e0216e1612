//! What becomes of what was found: by detector, by signal or table, and by field. The first rule that fits decides.

use super::RedactError;
use super::detect;
use super::settings::{Action, Redaction, RedactionRule};

/// The most rules.
const MAX_RULES: usize = 200;
/// The most entries of one list of a rule.
const MAX_ENTRIES: usize = 200;
/// The longest entry, in bytes.
const MAX_ENTRY_BYTES: usize = 256;

/// The table of labels of series, which lie in none.
pub(crate) const METRICS: &str = "metrics";

/// Where a text stands: what rules go by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Location<'a> {
    /// The name of the table, `metrics` for labels of series, empty for what is in none.
    pub table: &'a str,
    /// The name of the field, the attribute or the label; empty for what is in none.
    pub field: &'a str,
}

impl<'a> Location<'a> {
    /// The message of a record of a log.
    pub const LOG_MESSAGE: Location<'static> = Location { table: "logs", field: "message" };
    /// What is in no table.
    pub(super) const NOWHERE: Location<'static> = Location { table: "", field: "" };

    /// A field of the same table.
    pub(crate) fn field(self, field: &'a str) -> Self {
        Self { field, ..self }
    }

    /// The signal that the table belongs to.
    fn signal(self) -> &'static str {
        match self.table {
            "logs" => "logs",
            "spans" => "spans",
            METRICS | "exemplars" => METRICS,
            _ => "events",
        }
    }
}

/// Ids that are looked at although no rule names them: they stand for somebody, or for a key, and nothing is looked up by
/// them.
const TELLING_IDS: [&str; 2] = [USER_ID, "api_key_id"];
/// A column of users.
const USER_ID: &str = "user_id";

/// What is looked for in them: what has a shape that no other id has by chance, as a row of digits would have.
pub(super) const OF_IDS: &[&str] =
    &[detect::PRIVATE_KEY, detect::URL_PASSWORD, detect::BEARER, detect::JWT, detect::API_KEY, detect::EMAIL];

/// Whether an id is one of them.
pub(super) fn is_telling_id(field: &str) -> bool {
    TELLING_IDS.contains(&field)
}

/// The rules of the configuration, then those that are shipped, then the usual action.
pub(super) struct Rules {
    own: Vec<RedactionRule>,
    shipped: Vec<RedactionRule>,
    usual: Action,
}

impl Rules {
    /// Checks rules. `known` are the names of detectors and patterns, `off` those of them that find nothing.
    pub(super) fn new(settings: &Redaction, known: &[&str], off: &[&str]) -> Result<Self, RedactError> {
        if settings.rules.len() > MAX_RULES {
            return Err(RedactError::setting("rules", format!("at most {MAX_RULES} are taken")));
        }
        for (place, rule) in settings.rules.iter().enumerate() {
            check(rule, known, off)
                .map_err(|(list, reason)| RedactError::setting(&format!("rules[{place}].{list}"), reason))?;
        }
        let mut shipped = vec![names_of_labels()];
        // Who has a key can have users counted and followed; who chose another action than the default gets that.
        if !settings.hash_key.is_empty() && settings.action == Action::Mask {
            shipped.push(addresses_of_users());
        }
        Ok(Self { own: settings.rules.clone(), shipped, usual: settings.action })
    }

    /// What becomes of what `detector` found there.
    pub(super) fn action(&self, at: Location<'_>, detector: &str) -> Action {
        let fits =
            |rule: &&RedactionRule| listed(&rule.detectors, |name| name == detector) && fits_place(rule, at);
        self.own.iter().chain(&self.shipped).find(fits).map_or(self.usual, |rule| rule.action)
    }

    /// Whether a rule of the configuration names this field.
    pub(super) fn name_field(&self, at: Location<'_>) -> bool {
        self.own.iter().any(|rule| !rule.fields.is_empty() && fits_place(rule, at))
    }
}

/// Labels name things: `secret` is the name of a Secret in what Kubernetes shows, `token` a kind of token. Their
/// values go through the other detectors.
fn names_of_labels() -> RedactionRule {
    RedactionRule {
        detectors: vec![detect::NAME.to_owned()],
        signals: vec![METRICS.to_owned()],
        fields: vec!["secret".to_owned(), "token".to_owned()],
        action: Action::Keep,
    }
}

/// Users who are known by their addresses stay apart from each other.
fn addresses_of_users() -> RedactionRule {
    RedactionRule {
        detectors: vec![detect::EMAIL.to_owned()],
        signals: Vec::new(),
        fields: vec![USER_ID.to_owned()],
        action: Action::Hash,
    }
}

fn fits_place(rule: &RedactionRule, at: Location<'_>) -> bool {
    listed(&rule.signals, |signal| signal == at.table || !at.table.is_empty() && signal == at.signal())
        && listed(&rule.fields, |pattern| glob(pattern, at.field))
}

fn listed(list: &[String], is_it: impl Fn(&str) -> bool) -> bool {
    list.is_empty() || list.iter().any(|entry| is_it(entry))
}

/// What is wrong with a rule: in which list, and what.
fn check(rule: &RedactionRule, known: &[&str], off: &[&str]) -> Result<(), (&'static str, String)> {
    let lists = [("detectors", &rule.detectors), ("signals", &rule.signals), ("fields", &rule.fields)];
    for (name, list) in lists {
        if list.len() > MAX_ENTRIES || list.iter().any(|entry| entry.len() > MAX_ENTRY_BYTES) {
            let reason = format!("at most {MAX_ENTRIES} entries of {MAX_ENTRY_BYTES} bytes are taken");
            return Err((name, reason));
        }
    }
    for name in &rule.detectors {
        if !known.contains(&name.as_str()) {
            return Err((
                "detectors",
                format!("there is no detector `{name}`; there are {}", known.join(", ")),
            ));
        }
        if off.contains(&name.as_str()) && rule.action != Action::Keep {
            return Err(("detectors", format!("`{name}` is off, and finds nothing")));
        }
    }
    let signals = ["events", "logs", "spans", METRICS];
    for name in &rule.signals {
        if !signals.contains(&name.as_str()) && store::Table::from_name(name).is_none() {
            let reason = format!("there is no signal or table `{name}`; signals are {}", signals.join(", "));
            return Err(("signals", reason));
        }
    }
    Ok(())
}

/// Whether a text is as the pattern says: `*` is any text, `?` one character.
fn glob(pattern: &str, text: &str) -> bool {
    let (mut pattern_rest, mut text_rest) = (pattern, text);
    // Where the last `*` was, and how far it had come.
    let mut back: Option<(&str, &str)> = None;
    loop {
        let mut letters = pattern_rest.chars();
        let letter = letters.next();
        if letter == Some('*') {
            pattern_rest = letters.as_str();
            back = Some((pattern_rest, text_rest));
            continue;
        }
        let mut given = text_rest.chars();
        match (letter, given.next()) {
            (None, None) => return true,
            (Some(wanted), Some(is)) if wanted == '?' || wanted == is => {
                (pattern_rest, text_rest) = (letters.as_str(), given.as_str());
            }
            _ => {
                let Some((after, from)) = back else { return false };
                let mut skipped = from.chars();
                if skipped.next().is_none() {
                    return false;
                }
                (pattern_rest, text_rest) = (after, skipped.as_str());
                back = Some((after, skipped.as_str()));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_star_is_any_text_and_a_question_mark_one_character() {
        let cases = [
            ("message", "message", true),
            ("message", "messages", false),
            ("*", "", true),
            ("http.*", "http.url", true),
            ("http.*", "https", false),
            ("*.header.*", "http.request.header.cookie", true),
            ("a*b*c", "a-b-b-c", true),
            ("a*b*c", "a-c-b", false),
            ("?", "ü", true),
            ("?", "", false),
            ("", "", true),
            ("", "a", false),
        ];
        for (pattern, text, expected) in cases {
            assert_eq!(glob(pattern, text), expected, "{pattern} {text}");
        }
    }

    fn rule(detectors: &[&str], signals: &[&str], fields: &[&str], action: Action) -> RedactionRule {
        let owned = |list: &[&str]| list.iter().map(|entry| (*entry).to_owned()).collect();
        RedactionRule { detectors: owned(detectors), signals: owned(signals), fields: owned(fields), action }
    }

    fn rules(rules: Vec<RedactionRule>) -> Result<Rules, RedactError> {
        let settings = Redaction { rules, ..Redaction::default() };
        Rules::new(&settings, &["email", "jwt", "name", "ip"], &["ip"])
    }

    #[test]
    fn the_first_rule_that_fits_decides() {
        let rules = rules(vec![
            rule(&["email"], &["requests"], &["user_id"], Action::Hash),
            rule(&["email"], &["logs", "spans"], &[], Action::Drop),
            rule(&[], &["metrics"], &["contact"], Action::Keep),
        ])
        .expect("rules");
        let cases = [
            ("requests", "user_id", "email", Action::Hash),
            ("requests", "path", "email", Action::Mask),
            ("requests", "user_id", "jwt", Action::Mask),
            ("logs", "message", "email", Action::Drop),
            ("job_events", "message", "email", Action::Mask),
            ("metrics", "contact", "jwt", Action::Keep),
            ("exemplars", "contact", "jwt", Action::Keep),
            ("metrics", "secret", "name", Action::Keep),
            ("metrics", "password", "name", Action::Mask),
            ("logs", "secret", "name", Action::Mask),
        ];
        for (table, field, detector, expected) in cases {
            assert_eq!(
                rules.action(Location { table, field }, detector),
                expected,
                "{table} {field} {detector}"
            );
        }
        assert!(rules.name_field(Location { table: "requests", field: "user_id" }));
        assert!(!rules.name_field(Location { table: "logs", field: "trace_id" }));
    }

    #[test]
    fn a_rule_that_cannot_be_meant_is_refused_with_its_place() {
        let cases = [
            (rule(&["emial"], &[], &[], Action::Mask), "rules[0].detectors", "no detector `emial`"),
            (rule(&["ip"], &[], &[], Action::Mask), "rules[0].detectors", "`ip` is off"),
            (rule(&[], &["log"], &[], Action::Mask), "rules[0].signals", "no signal or table `log`"),
        ];
        for (rule, place, reason) in cases {
            let error = rules(vec![rule]).err().expect("refused").to_string();
            assert!(error.contains(place) && error.contains(reason), "{error}");
        }
    }
}
