//! The detectors against lines with labels: what they must find, and what they must leave alone.

mod measure;

use measure::{measure, parse, redactor, total};

const CORPUS: &str = include_str!("corpus.txt");

/// What must not be missed by more, of each detector and of all together.
const MIN_PRECISION: f64 = 0.97;
const MIN_RECALL: f64 = 0.95;

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
    for line in parse(CORPUS).expect("lines with labels") {
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
