//! What is redacted, as it is written in the section `[ingest.redaction]`.

use std::collections::BTreeMap;

use regex::{Regex, RegexBuilder};

/// What a compiled pattern may take, in bytes.
const MAX_COMPILED_BYTES: usize = 1 << 20;
/// The longest pattern, in bytes.
const MAX_PATTERN_BYTES: usize = 4096;

/// What is redacted: the section `[ingest.redaction]`.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Redaction {
    /// Whether anything is redacted at all.
    pub enabled: bool,
    /// Whether e-mail addresses are.
    pub emails: bool,
    /// Whether IP addresses are. Many a question about requests cannot be answered without them.
    pub ips: bool,
    /// Detectors that are off: `private_key`, `url_password`, `bearer`, `jwt`, `api_key`, `assigned_secret`, `iban`,
    /// `card_number`, `email`, `phone`, `ip`, `name`.
    pub disabled: Vec<String>,
    /// Further names of attributes, and of keys in texts, whose values are secrets. Capitals and `-`, `_`, `.` make no
    /// difference; `db.pin` is one when `pin` is.
    pub names: Vec<String>,
    /// What becomes of what is found where no rule says otherwise: `mask` puts `[redacted:DETECTOR]` in its place,
    /// `hash` the same with a hash, by which equal values stay equal, `drop` nothing at all, `keep` leaves it.
    pub action: Action,
    /// The secret of `hash`: 16 bytes at least. Without it `hash` is refused.
    pub hash_key: String,
    /// Further patterns, by name: regular expressions; all that one matches is found.
    #[schemars(with = "BTreeMap<String, String>")]
    pub patterns: BTreeMap<String, TextPattern>,
    /// What becomes of what is found, by detector and by place. The first rule that fits decides.
    pub rules: Vec<RedactionRule>,
}

impl Default for Redaction {
    fn default() -> Self {
        Self {
            enabled: true,
            emails: true,
            ips: false,
            disabled: Vec::new(),
            names: Vec::new(),
            action: Action::Mask,
            hash_key: String::new(),
            patterns: BTreeMap::new(),
            rules: Vec::new(),
        }
    }
}

/// A rule of `[[ingest.redaction.rules]]`.
#[derive(Clone, Debug, Default, PartialEq, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct RedactionRule {
    /// What was found: names of detectors and of patterns. None means all.
    pub detectors: Vec<String>,
    /// Where it was found: `events` (of pipelines), `logs`, `spans`, `metrics` (labels and exemplars), or the name of
    /// a table. None means everywhere.
    pub signals: Vec<String>,
    /// The fields, attributes or labels in which it was found; `*` stands for any text, `?` for one character. None
    /// means all. Ids of jobs, traces and the like are redacted only where a rule names them here.
    pub fields: Vec<String>,
    /// What becomes of it.
    pub action: Action,
}

/// What becomes of what was found.
#[derive(
    Clone,
    Copy,
    Debug,
    Default,
    PartialEq,
    Eq,
    Hash,
    serde::Serialize,
    serde::Deserialize,
    schemars::JsonSchema,
)]
#[serde(rename_all = "lowercase")]
pub enum Action {
    /// `[redacted:DETECTOR]` stands in its place.
    #[default]
    Mask,
    /// `[redacted:DETECTOR:HASH]` does.
    Hash,
    /// Nothing does; an attribute or label goes as a whole.
    Drop,
    /// It stays, and is counted.
    Keep,
}

impl Action {
    /// The value of the label `action`, as it is written in the configuration.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Mask => "mask",
            Self::Hash => "hash",
            Self::Drop => "drop",
            Self::Keep => "keep",
        }
    }
}

/// A pattern of the configuration, compiled once. Two are equal when they are written alike.
#[derive(Clone, Debug)]
pub struct TextPattern {
    text: String,
    regex: Regex,
}

impl TextPattern {
    /// Compiles a pattern; says what is wrong with it, and where.
    pub fn new(text: &str) -> Result<Self, String> {
        if text.len() > MAX_PATTERN_BYTES {
            return Err(format!(
                "a pattern has at most {MAX_PATTERN_BYTES} bytes, this one has {}",
                text.len()
            ));
        }
        match RegexBuilder::new(text).size_limit(MAX_COMPILED_BYTES).build() {
            Ok(regex) => Ok(Self { text: text.to_owned(), regex }),
            Err(regex::Error::CompiledTooBig(limit)) => {
                Err(format!("the regular expression `{text}` takes more than {limit} bytes when compiled"))
            }
            Err(error) => Err(format!("`{text}` is no regular expression: {}", fault(&error.to_string()))),
        }
    }

    /// As it was written.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    pub(super) fn regex(&self) -> &Regex {
        &self.regex
    }
}

/// The last line of what the parser says, with the column that it points at.
fn fault(said: &str) -> String {
    let reason = said.lines().last().unwrap_or_default().trim_start_matches("error: ");
    // The pattern is shown indented by four, and the line after it points at a place with `^`.
    let pointed = said.lines().find(|line| line.contains('^') && line.trim_matches([' ', '^']).is_empty());
    match pointed.and_then(|line| line.find('^')).and_then(|at| at.checked_sub(3)) {
        Some(column) => format!("{reason}, at column {column}"),
        None => reason.to_owned(),
    }
}

impl PartialEq for TextPattern {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl serde::Serialize for TextPattern {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.text)
    }
}

impl<'de> serde::Deserialize<'de> for TextPattern {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::new(&text).map_err(serde::de::Error::custom)
    }
}
