//! The detectors against lines with labels: what they must find, and what they must leave alone.

mod measure;

use std::collections::HashSet;

use measure::{measure, parse, redactor, total};

const CORPUS: &str = include_str!("corpus.txt");
/// Lines by somebody who had not seen the detectors; these were mended by them.
const FRESH: &str = include_str!("fresh.txt");
/// Lines that nothing is mended by, so nothing is asked of their figures: `make bench` prints them.
const HELD_OUT: &str = include_str!("held_out.txt");

/// What must not be missed by more, of each detector and of all together.
const MIN_PRECISION: f64 = 0.97;
const MIN_RECALL: f64 = 0.95;
/// The same of all detectors together in the lines of somebody else, some of which cannot be told without more than the
/// line.
const MIN_FRESH_PRECISION: f64 = 0.95;
const MIN_FRESH_RECALL: f64 = 0.92;

#[test]
fn precision_and_recall_stay_above_their_floors() {
    let lines = parse(CORPUS).expect("lines with labels");
    let (scores, faults) = measure(&redactor(), &lines);
    let all = scores.iter().map(|(name, score)| (name.as_str(), *score)).chain([("all", total(&scores))]);
    for (name, score) in all {
        let told = faults.join("\n");
        assert!(
            score.precision() >= MIN_PRECISION,
            "precision of {name} is {:.3}\n{told}",
            score.precision()
        );
        assert!(score.recall() >= MIN_RECALL, "recall of {name} is {:.3}\n{told}", score.recall());
    }
}

#[test]
fn precision_and_recall_stay_above_their_floors_in_lines_of_somebody_else() {
    let (scores, faults) = measure(&redactor(), &parse(FRESH).expect("lines with labels"));
    let (all, told) = (total(&scores), faults.join("\n"));
    assert!(all.precision() >= MIN_FRESH_PRECISION, "precision is {:.3}\n{told}", all.precision());
    assert!(all.recall() >= MIN_FRESH_RECALL, "recall is {:.3}\n{told}", all.recall());
}

#[test]
fn lines_that_are_held_out_are_a_third_and_in_no_other_file() {
    let (fresh, held_out) =
        (parse(FRESH).expect("lines with labels"), parse(HELD_OUT).expect("lines with labels"));
    let lines = fresh.len() + held_out.len();
    assert!((lines / 3..=lines / 3 + 1).contains(&held_out.len()), "{} of {lines}", held_out.len());
    let of_corpus = parse(CORPUS).expect("lines with labels");
    let known: HashSet<&str> = fresh.iter().chain(&of_corpus).map(|line| line.text.as_str()).collect();
    for line in &held_out {
        assert!(!known.contains(line.text.as_str()), "held out and known: {}", line.text);
    }
}

#[test]
fn the_corpus_has_enough_of_each_detector_and_of_what_is_none() {
    let lines = parse(CORPUS).expect("lines with labels");
    let with = lines.iter().filter(|line| !line.secrets.is_empty()).count();
    assert!(with >= 150 && lines.len() - with >= 150, "{with} of {}", lines.len());
    let (scores, _) = measure(&redactor(), &lines);
    for (name, score) in scores {
        assert!(score.found + score.missed >= 5, "{name} has few lines");
    }
}

#[test]
fn a_line_of_the_corpus_stays_as_it_is_when_it_is_redacted_again() {
    let redactor = redactor();
    let lines =
        [CORPUS, FRESH, HELD_OUT].into_iter().flat_map(|corpus| parse(corpus).expect("lines with labels"));
    for line in lines {
        let once = redactor.redact(&line.text, |_| ());
        assert_eq!(redactor.redact(&once, |_| ()), once, "{}", line.text);
    }
}

#[test]
fn a_wrong_label_is_told_with_its_line() {
    for (corpus, expected) in
        [("# head\n\na ⟦email:b", "line 3: `⟦` without `⟧`"), ("⟦b⟧", "line 1: a label without `:`")]
    {
        assert_eq!(parse(corpus).err().as_deref(), Some(expected));
    }
    let lines = parse("a ⟦email:b¦c⟧ d⏎e").expect("a line");
    assert_eq!(
        (lines[0].text.as_str(), &lines[0].secrets[..]),
        ("a bc d\ne", &[("email".to_owned(), 2..4)][..])
    );
}
