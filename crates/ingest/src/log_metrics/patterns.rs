//! The patterns of all rules together, and what says quickly that none of them matches.
//!
//! Most texts say nothing that counts. What a match of a pattern begins with is known of nearly all patterns (`com` in
//! whatever case, for `(?i)completed in`): few bytes, which are looked for at sixteen places of a text at once. Only where
//! one of them stands are the patterns tried, from there on.

use aho_corasick::packed::Searcher;
use regex::{RegexSet, RegexSetBuilder, SetMatches};
use regex_syntax::hir::literal::{Extractor, Literal};

/// The largest program that the patterns of all rules may become.
const MAX_SET_BYTES: usize = 10 << 20;
/// Stands for the pattern of a rule that has none, so that each rule has its place: it matches nothing.
const NOTHING: &str = "[a&&b]";
/// How many bytes of what a match begins with are looked for: as many as there is room for.
const BYTES: [usize; 5] = [6, 5, 4, 3, 2];
/// How many beginnings are looked for at once.
const MAX_BEGINNINGS: usize = 64;

/// The patterns of rules, by the places of the rules.
pub(super) struct Patterns {
    set: RegexSet,
    /// What begins each match; nothing where that is not known, or is too much.
    beginnings: Option<Searcher>,
}

impl Patterns {
    /// Compiles the patterns of rules that have one.
    pub(super) fn new<'p>(patterns: impl Iterator<Item = Option<&'p str>>) -> Result<Self, regex::Error> {
        let patterns: Vec<Option<&str>> = patterns.collect();
        let all = patterns.iter().map(|pattern| pattern.unwrap_or(NOTHING));
        let set = RegexSetBuilder::new(all).size_limit(MAX_SET_BYTES).build()?;
        let beginnings = beginnings(patterns.into_iter().flatten());
        Ok(Self { set, beginnings: beginnings.and_then(|all| Searcher::new(cut(&all)?)) })
    }

    /// Which patterns match a text; `None` where none does.
    pub(super) fn matches(&self, text: &str) -> Option<SetMatches> {
        // No match begins before the first of the beginnings. What stands there is still seen by `\b` and its like.
        let from = match &self.beginnings {
            Some(all) => all.find(text)?.start(),
            None => 0,
        };
        // To see that there is a match takes much less than to see which one it is.
        self.set.is_match_at(text, from).then(|| self.set.matches_at(text, from))
    }
}

/// What the matches of patterns begin with: each match with one of these. `None` where one could begin with anything.
fn beginnings<'p>(patterns: impl Iterator<Item = &'p str>) -> Option<Vec<Vec<u8>>> {
    let mut all = Vec::new();
    for pattern in patterns {
        let parsed = regex_syntax::parse(pattern).ok()?;
        let found = Extractor::new().extract(&parsed);
        all.extend(found.literals()?.iter().map(Literal::as_bytes).map(<[u8]>::to_vec));
    }
    Some(all)
}

/// Beginnings, or as much of each of them as there is room for.
fn cut(beginnings: &[Vec<u8>]) -> Option<Vec<&[u8]>> {
    BYTES.iter().find_map(|bytes| {
        let mut cut: Vec<&[u8]> = beginnings.iter().map(|all| &all[..all.len().min(*bytes)]).collect();
        cut.sort_unstable();
        cut.dedup();
        // What is shorter stands in every text.
        let are_told = cut.iter().all(|one| one.len() >= 2);
        (are_told && cut.len() <= MAX_BEGINNINGS).then_some(cut)
    })
}

#[cfg(test)]
mod tests {
    use std::sync::LazyLock;

    use proptest::prelude::*;

    use super::super::LogMetricsSettings;
    use super::super::rule::Rule;
    use super::*;

    const OWN: &[&str] = &[r"retry (?<queue>\w+)", r"(?i)job-\d+ \w*", r"(?-i:out of )(?i)memory|oom\b"];

    fn patterns(own: &[&str]) -> Patterns {
        let shipped = LogMetricsSettings::default().compile().expect("rules");
        let all = shipped.iter().map(Rule::pattern).chain(own.iter().map(|one| Some(*one)));
        Patterns::new(all).expect("patterns")
    }

    static PATTERNS: LazyLock<[Patterns; 2]> = LazyLock::new(|| [patterns(&[]), patterns(OWN)]);

    #[test]
    fn what_shipped_rules_look_for_is_known_by_its_beginning() {
        let shipped = LogMetricsSettings::default().compile().expect("rules");
        let all = beginnings(shipped.iter().filter_map(Rule::pattern)).expect("they begin with letters");
        let cut = cut(&all).expect("they are few");
        let is_in =
            |text: &str| cut.iter().any(|one| text.as_bytes().windows(one.len()).any(|bytes| bytes == *one));
        for text in ["received document doc-0000abcd from tenant tenant-12", "model answered after 3 ms", ""]
        {
            assert!(!is_in(text), "{text}");
        }
        assert!(is_in("Completed in 3 s") && is_in("ERROR"));
    }

    #[test]
    fn patterns_that_begin_with_anything_are_always_tried() {
        for own in [r".*late", r"\d+ pages", "x?", "a", "(?i)é|"] {
            let all = patterns(&[own]);
            assert!(all.beginnings.is_none(), "{own}");
            let place = all.set.len() - 1;
            let said = all.matches("at 12 pages it came xa late, é");
            assert!(said.is_some_and(|matches| matches.matched(place)), "{own}");
        }
    }

    #[test]
    fn a_rule_without_a_pattern_has_a_place_and_no_match() {
        let all = Patterns::new([None, Some("crash"), None].into_iter()).expect("patterns");
        let matched: Option<Vec<usize>> = all.matches("a crash").map(|matches| matches.iter().collect());
        assert_eq!(matched, Some(vec![1]));
        assert!(all.matches("a b").is_none());
    }

    fn texts() -> impl Strategy<Value = String> {
        let piece = prop_oneof![
            prop::sample::select(vec![
                "completed in ",
                "Completed In: ",
                "COM",
                "error",
                "ERR",
                "xerror",
                " ",
                "-",
                "cra\u{17f}h",
                "CrAsH",
                "crass",
                "Exception",
                "exce",
                "TRACEBACK (most recent",
                "tracebac\u{212a} (mo\u{17f}t recent",
                "retry llm",
                "retry",
                "JOB-12 ",
                "out of Memory",
                "oom",
                "room",
                "é",
                "\n",
            ])
            .prop_map(str::to_owned),
            "[0-9]{1,3}(ms|s)?",
            ".{0,3}",
        ];
        prop::collection::vec(piece, 0..8).prop_map(|pieces| pieces.concat())
    }

    proptest! {
        #[test]
        fn no_match_is_hidden(text in texts()) {
            for all in &*PATTERNS {
                let matched: Vec<usize> = all.matches(&text).map(|one| one.iter().collect()).unwrap_or_default();
                let expected: Vec<usize> = all.set.matches(&text).into_iter().collect();
                prop_assert_eq!(matched, expected, "{}", text);
            }
        }
    }
}
