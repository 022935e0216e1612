use super::*;

fn like(pattern: &str) -> WordTest {
    WordTest::Like(TextPattern::new(regex::Regex::new(pattern).expect("a pattern"), []))
}

fn is(word: &str) -> WordTest {
    WordTest::Is(word.to_owned())
}

#[test]
fn phrases_are_words_at_once_behind_each_other_whatever_their_case() {
    let text = "Job-7 timed out after 5.5s (FÜR alle)";
    let cases = [
        (Phrase::of("Timed OUT"), true),
        (Phrase::of("für"), true),
        (Phrase::of("FÜR"), true),
        (Phrase::of("out timed"), false),
        (Phrase::of("time"), false),
        (Phrase::of("alle x"), false),
        (Phrase::of(" - "), true),
        (Phrase::new([is("JOB"), like("^7$"), like("^tim")]), true),
        (Phrase::new([is("job"), like("^8$")]), false),
    ];
    for (phrase, expected) in cases {
        assert_eq!(phrase.is_in(text), expected, "{phrase:?}");
    }
    let phrase = Phrase::new([is("Timed"), like("o.*")]);
    assert_eq!(phrase.certain().collect::<Vec<_>>(), ["timed"]);
}

#[test]
fn parts_of_texts_are_found_whatever_their_case() {
    for (part, expected) in [("IMED o", true), ("ü", true), ("", true), ("x", false), ("timedout", false)] {
        assert_eq!(FoldedText::new(part).is_in("Timed OUT Ü"), expected, "{part}");
    }
}

#[test]
fn the_columns_of_a_predicate_are_those_of_all_its_parts() {
    #[derive(Debug)]
    struct Never;
    impl RowTest for Never {
        fn columns(&self) -> Vec<&str> {
            vec!["name", "kind"]
        }
        fn mask(&self, rows: &RecordBatch) -> Result<BooleanArray, ArrowError> {
            Ok(vec![false; rows.num_rows()].into())
        }
    }
    let own = Predicate::Own(OwnTest(Arc::new(Never)));
    assert_eq!(own, own.clone());
    assert_ne!(own, Predicate::Own(OwnTest(Arc::new(Never))));
    let predicate = Predicate::All(vec![
        Predicate::column("name", Test::equal("a")).opposite(),
        Predicate::Any(vec![Predicate::attribute("attributes", "tenant", Test::Exists), own]),
    ]);
    assert_eq!(predicate.columns().into_iter().collect::<Vec<_>>(), ["attributes", "kind", "name"]);
}
