//! From a text to what is found in it.
//!
//! Most texts hold nothing, so what costs is to say that: `trigger` does it. Only where a trigger is pulled is its
//! detector asked. Whether what it sees is a secret is the detector's to say.
//!
//! What two detectors claim belongs to the first of them. What was redacted before stays as it is.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::ops::Range;

use aho_corasick::{AhoCorasick, MatchKind};
use regex::{Regex, RegexSet, RegexSetBuilder};

use super::detect::{self, Detector};
use super::digest::HEX_DIGITS;
use super::settings::{Redaction, TextPattern};
use super::trigger::Triggers;
use super::{RedactError, WHOLE};

/// What a placeholder begins with.
const PLACEHOLDER: &str = "[redacted:";
/// Shorter texts hold nothing that a shipped detector finds.
const MIN_BYTES: usize = 6;
/// Up to this length a text of letters alone holds nothing.
const PLAIN_BYTES: usize = 19;
/// What all patterns of the configuration together may take when compiled, in bytes.
const MAX_COMPILED_BYTES: usize = 16 << 20;

/// What was found, and by whom.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Finding<'a> {
    pub(super) range: Range<usize>,
    pub(super) detector: &'a str,
}

/// Finds what is to be redacted.
pub(super) struct Scanner {
    detectors: Vec<Detector>,
    triggers: Triggers,
    own: Vec<(String, TextPattern)>,
    own_triggers: RegexSet,
    literals: Option<(String, AhoCorasick)>,
    /// What a placeholder can be of, beside detectors and patterns.
    placeholder: Regex,
}

impl Scanner {
    /// A scanner of the detectors that are on, and of the patterns of the configuration.
    pub(super) fn new(settings: &Redaction) -> Result<Self, RedactError> {
        let detectors = detect::all(settings)?;
        let triggers = Triggers::new(detectors.iter().map(|detector| detector.triggers.as_slice()));
        let own: Vec<(String, TextPattern)> =
            settings.patterns.iter().map(|(name, pattern)| (name.clone(), pattern.clone())).collect();
        let own_triggers = RegexSetBuilder::new(own.iter().map(|(_, pattern)| pattern.as_str()))
            .size_limit(MAX_COMPILED_BYTES)
            .build()
            .map_err(|_| RedactError::setting("patterns", "all of them together are too large".to_owned()))?;
        Ok(Self {
            detectors,
            triggers,
            own,
            own_triggers,
            literals: None,
            placeholder: Regex::new(r"\[redacted:([^\[\]]{1,100})\]")
                .map_err(|source| RedactError::Detector { name: WHOLE, source })?,
        })
    }

    /// Finds these texts too, and calls them so.
    pub(super) fn know(&mut self, name: &str, literals: &[String]) -> Result<(), RedactError> {
        let literals: Vec<&String> = literals.iter().filter(|literal| !literal.is_empty()).collect();
        if !literals.is_empty() {
            let automaton = AhoCorasick::builder().match_kind(MatchKind::LeftmostLongest).build(literals);
            self.literals = Some((name.to_owned(), automaton.map_err(RedactError::Literals)?));
        }
        Ok(())
    }

    /// Whether a detector is on.
    pub(super) fn has(&self, name: &str) -> bool {
        self.detectors.iter().any(|detector| detector.name == name)
    }

    /// What is found in a text, in the order in which it stands there; no two overlap.
    pub(super) fn find(&self, text: &str) -> Vec<Finding<'_>> {
        let pulled = if is_plain(text) { 0 } else { self.triggers.pulled(text) };
        let own = !self.own.is_empty() && self.own_triggers.is_match(text);
        if pulled == 0 && !own && self.literals.is_none() {
            return Vec::new();
        }
        let mut claims = Claims { redacted: self.redacted(text), claimed: BTreeMap::new() };
        let asked = self.detectors.iter().enumerate().filter(|(place, _)| (pulled >> place) & 1 == 1);
        let (first, rest): (Vec<&Detector>, Vec<&Detector>) =
            asked.map(|(_, detector)| detector).partition(|detector| detector.is_whole());
        let mut ranges = Vec::new();
        let mut ask = |detectors: &[&Detector], claims: &mut Claims<'_>| {
            for detector in detectors {
                ranges.clear();
                detector.find(text, &mut ranges);
                ranges.iter().for_each(|range| claims.add(range, detector.name));
            }
        };
        // What is a block goes first: nothing of it must be left beside a pattern's match.
        ask(&first, &mut claims);
        if let Some((name, literals)) = &self.literals {
            literals.find_iter(text).for_each(|found| claims.add(&found.range(), name));
        }
        if own {
            for (name, pattern) in self.own_triggers.matches(text).into_iter().map(|place| &self.own[place]) {
                pattern.regex().find_iter(text).for_each(|found| claims.add(&found.range(), name));
            }
        }
        ask(&rest, &mut claims);
        claims
            .claimed
            .into_iter()
            .map(|(start, (end, detector))| Finding { range: start..end, detector })
            .collect()
    }

    /// Whether a text is one placeholder and nothing else.
    pub(super) fn is_placeholder(&self, text: &str) -> bool {
        text.starts_with(PLACEHOLDER)
            && self.redacted(text).first().is_some_and(|range| range.len() == text.len())
    }

    /// Where placeholders stand.
    fn redacted(&self, text: &str) -> Vec<Range<usize>> {
        if !text.contains(PLACEHOLDER) {
            return Vec::new();
        }
        let is_hash =
            |text: &str| text.len() == HEX_DIGITS && text.bytes().all(|byte| byte.is_ascii_hexdigit());
        let is_known = |said: &str| {
            let name = said.rsplit_once(':').filter(|(_, hash)| is_hash(hash)).map_or(said, |(name, _)| name);
            self.names().any(|known| known == name)
        };
        let placeholders = self.placeholder.captures_iter(text).filter_map(|found| {
            let (whole, name) = (found.get(0)?, found.get(1)?);
            is_known(name.as_str()).then(|| whole.range())
        });
        placeholders.collect()
    }

    /// Everything that a placeholder can be of.
    fn names(&self) -> impl Iterator<Item = &str> {
        let own = self.own.iter().map(|(name, _)| name.as_str());
        let literals = self.literals.iter().map(|(name, _)| name.as_str());
        detect::NAMES.iter().copied().chain([WHOLE]).chain(own).chain(literals)
    }
}

/// Whether a text is short and of letters: most names are.
fn is_plain(text: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphabetic() || matches!(byte, b'_' | b'-' | b'.' | b'/');
    text.len() < MIN_BYTES || text.len() <= PLAIN_BYTES && text.bytes().all(plain)
}

/// What is put in the place of what was found.
pub(super) fn placeholder(detector: &str, hash: Option<&str>) -> String {
    let hash: Cow<'_, str> = hash.map_or(Cow::Borrowed(""), |hash| Cow::Owned(format!(":{hash}")));
    format!("{PLACEHOLDER}{detector}{hash}]")
}

/// Who has which part of a text.
struct Claims<'a> {
    /// Placeholders, in their order.
    redacted: Vec<Range<usize>>,
    /// Starts, ends and names.
    claimed: BTreeMap<usize, (usize, &'a str)>,
}

impl<'a> Claims<'a> {
    /// Claims a part for a detector, unless some of it is somebody's already.
    fn add(&mut self, range: &Range<usize>, detector: &'a str) {
        let before = self.claimed.range(..range.end).next_back();
        let is_free = before.is_none_or(|(_, (end, _))| *end <= range.start);
        if !range.is_empty() && is_free && self.leaves_placeholders(range) {
            self.claimed.insert(range.start, (range.end, detector));
        }
    }

    /// Whether what was redacted before stays as it is, or goes as a whole with what is around it.
    fn leaves_placeholders(&self, range: &Range<usize>) -> bool {
        let first = self.redacted.partition_point(|one| one.end <= range.start);
        self.redacted[first..]
            .iter()
            .take_while(|one| one.start < range.end)
            .all(|one| range.start <= one.start && one.end <= range.end && one != range)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::LazyLock;

    use proptest::prelude::*;

    use super::*;
    use crate::redact::tests::texts;

    /// Every detector, those that are off by default too.
    fn scanner() -> Scanner {
        Scanner::new(&Redaction { ips: true, ..Redaction::default() }).expect("shipped detectors")
    }

    fn found(text: &str) -> Vec<(String, String)> {
        let scanner = scanner();
        let findings = scanner.find(text);
        findings.into_iter().map(|one| (one.detector.to_owned(), text[one.range].to_owned())).collect()
    }

    #[test]
    fn what_two_detectors_claim_belongs_to_the_first() {
        let expected = |detector: &str, secret: &str| vec![(detector.to_owned(), secret.to_owned())];
        assert_eq!(found("redis://me:hunter22@cache.example.org/0"), expected("url_password", "hunter22"));
        assert_eq!(found("password=jane@example.org"), expected("assigned_secret", "jane@example.org"));
    }

    #[test]
    fn what_was_redacted_before_is_not_found_again() {
        for text in
            ["[redacted:email]", "password=[redacted:assigned_secret]", "[redacted:email:0123456789abcdef]"]
        {
            assert_eq!(found(text), []);
        }
        let scanner = scanner();
        for text in ["[redacted:name]", "[redacted:name:0123456789abcdef]"] {
            assert!(scanner.is_placeholder(text), "{text}");
        }
        for text in ["[redacted:nobody]", "[redacted:name] x", "x[redacted:name]", ""] {
            assert!(!scanner.is_placeholder(text), "{text}");
        }
    }

    /// A detector that finds something in a text has a trigger in it, and the table hides no trigger.
    fn every_finding_has_a_trigger(scanner: &Scanner, text: &str) {
        assert_eq!(scanner.triggers.pulled(text), scanner.triggers.pulled_slowly(text), "{text:?}");
        let pulled = if is_plain(text) { 0 } else { scanner.triggers.pulled(text) };
        for (place, detector) in scanner.detectors.iter().enumerate() {
            let mut ranges = Vec::new();
            detector.find(text, &mut ranges);
            let is_pulled = (pulled >> place) & 1 == 1;
            assert!(is_pulled || ranges.is_empty(), "{} finds {ranges:?} in {text:?}", detector.name);
        }
    }

    #[test]
    fn no_trigger_hides_a_secret_of_the_corpus() {
        let scanner = scanner();
        let corpora = [
            include_str!("../../tests/redaction/corpus.txt"),
            include_str!("../../tests/redaction/fresh.txt"),
            include_str!("../../tests/redaction/held_out.txt"),
        ];
        let labels = Regex::new("⟦[a-z_]+:|⟧").expect("a pattern");
        let lines = corpora.iter().flat_map(|corpus| corpus.lines());
        for line in lines.filter(|line| !line.starts_with('#')) {
            let text = line.replace('¦', "").replace('⏎', "\n");
            every_finding_has_a_trigger(&scanner, &text);
            every_finding_has_a_trigger(&scanner, &labels.replace_all(&text, ""));
        }
    }

    #[test]
    fn lines_of_a_pipeline_ask_no_detector() {
        let scanner = Scanner::new(&Redaction::default()).expect("shipped detectors");
        for number in 0..4096_u32 {
            // Low ones too: they have the zeros with which telephone numbers begin.
            let id = number.wrapping_mul(0x9e37_79b9) >> (number % 24);
            let (ms, small) = (number * 7, number % 100);
            for text in [
                format!(
                    "stage extract of document doc-{id:08x} completed in {ms} ms with confidence 0.{small}"
                ),
                format!(
                    "received document doc-{id:08x} from tenant tenant-{small}, {ms} bytes, application/pdf"
                ),
                format!(
                    "calling model llama3.1:70b for page {small} of document doc-{id:08x}, {ms} tokens in the prompt"
                ),
                format!("wrote {small} chunks of document doc-{id:08x} to the vector store in {ms} ms"),
                format!("model answered after {ms} ms: {small} tokens, finish reason stop"),
                format!("job-{number:06}"),
            ] {
                assert_eq!(scanner.triggers.pulled(&text), 0, "{text}");
            }
        }
    }

    static SCANNER: LazyLock<Scanner> = LazyLock::new(scanner);

    proptest! {
        #[test]
        fn no_trigger_hides_a_secret(text in texts()) {
            every_finding_has_a_trigger(&SCANNER, &text);
        }
    }
}
