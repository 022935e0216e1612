//! How well secrets are found in lines with labels: precision and recall, by detector.

use std::collections::BTreeMap;
use std::ops::Range;

use ingest::{Location, Redaction, Redactor};

/// A text, and the secrets in it.
pub(crate) struct Line {
    pub(crate) text: String,
    pub(crate) secrets: Vec<(String, Range<usize>)>,
}

/// How much more than a secret may be taken with it, in bytes.
const MARGIN: usize = 4;

/// Reads lines as the head of corpus.txt describes them.
pub(crate) fn parse(corpus: &str) -> Result<Vec<Line>, String> {
    let lines = corpus.lines().enumerate().filter(|(_, line)| !line.is_empty() && !line.starts_with('#'));
    lines
        .map(|(place, line)| parse_line(line).map_err(|fault| format!("line {}: {fault}", place + 1)))
        .collect()
}

fn parse_line(line: &str) -> Result<Line, String> {
    let line = line.replace('¦', "").replace('⏎', "\n");
    let (mut text, mut secrets) = (String::new(), Vec::new());
    let mut rest = line.as_str();
    while let Some((before, after)) = rest.split_once('⟦') {
        let (labelled, after) = after.split_once('⟧').ok_or("`⟦` without `⟧`")?;
        let (detector, secret) = labelled.split_once(':').ok_or("a label without `:`")?;
        text.push_str(before);
        secrets.push((detector.to_owned(), text.len()..text.len() + secret.len()));
        text.push_str(secret);
        rest = after;
    }
    text.push_str(rest);
    Ok(Line { text, secrets })
}

/// How often a detector was right and wrong.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Score {
    /// Secrets that it found.
    pub(crate) found: usize,
    /// Secrets that it did not find.
    pub(crate) missed: usize,
    /// What it found and is none.
    pub(crate) false_alarms: usize,
}

impl Score {
    /// The share of what was found that is a secret.
    pub(crate) fn precision(self) -> f64 {
        share(self.found, self.false_alarms)
    }

    /// The share of secrets that were found.
    pub(crate) fn recall(self) -> f64 {
        share(self.found, self.missed)
    }
}

fn share(part: usize, rest: usize) -> f64 {
    if part + rest == 0 { 1.0 } else { part as f64 / (part + rest) as f64 }
}

/// The shipped detectors, those that are off by default too.
pub(crate) fn redactor() -> Redactor {
    let settings = Redaction { ips: true, ..Redaction::default() };
    Redactor::new(&settings).expect("the shipped detectors")
}

/// The score of each detector, and what went wrong, a line for each.
pub(crate) fn measure(redactor: &Redactor, lines: &[Line]) -> (BTreeMap<String, Score>, Vec<String>) {
    let mut scores: BTreeMap<String, Score> = BTreeMap::new();
    let mut faults = Vec::new();
    for line in lines {
        let found = redactor.find(Location::LOG_MESSAGE, &line.text);
        let is_found = |detector: &str, secret: &Range<usize>| {
            found.iter().any(|one| one.detector == detector && covers(&one.range, secret))
        };
        for (detector, secret) in &line.secrets {
            let score = scores.entry(detector.clone()).or_default();
            if is_found(detector, secret) {
                score.found += 1;
            } else {
                score.missed += 1;
                faults.push(format!("{detector} missed `{}` in `{}`", &line.text[secret.clone()], line.text));
            }
        }
        for one in &found {
            let is_one = line
                .secrets
                .iter()
                .any(|(detector, secret)| detector == one.detector && covers(&one.range, secret));
            if !is_one {
                scores.entry(one.detector.to_owned()).or_default().false_alarms += 1;
                let shown = &line.text[one.range.clone()];
                faults.push(format!("{} found `{shown}` in `{}`", one.detector, line.text));
            }
        }
    }
    (scores, faults)
}

/// Whether all of a secret was found, and little else.
fn covers(found: &Range<usize>, secret: &Range<usize>) -> bool {
    found.start <= secret.start && secret.end <= found.end && found.len() <= secret.len() + MARGIN
}

/// All scores together.
pub(crate) fn total(scores: &BTreeMap<String, Score>) -> Score {
    scores.values().fold(Score::default(), |sum, score| Score {
        found: sum.found + score.found,
        missed: sum.missed + score.missed,
        false_alarms: sum.false_alarms + score.false_alarms,
    })
}
