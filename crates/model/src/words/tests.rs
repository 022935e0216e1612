use super::*;

fn split(text: &str) -> Vec<&str> {
    words(text).collect()
}

#[test]
fn words_are_letters_digits_underscores_and_whatever_is_not_ascii() {
    let cases: [(&str, &[&str]); 8] = [
        ("", &[]),
        (" - ", &[]),
        ("timed out", &["timed", "out"]),
        ("job_7: timed-out (5.5s)", &["job_7", "timed", "out", "5", "5s"]),
        ("a\tb\nc", &["a", "b", "c"]),
        ("Zeitüberschreitung für ü", &["Zeitüberschreitung", "für", "ü"]),
        ("a—b", &["a—b"]),
        ("/api/v1/jobs?id=7", &["api", "v1", "jobs", "id", "7"]),
    ];
    for (text, expected) in cases {
        assert_eq!(split(text), expected, "{text}");
    }
}

#[test]
fn folding_takes_the_difference_of_case_away_and_nothing_else() {
    let cases = [
        ("ocr", "ocr"),
        ("OCR_7", "ocr_7"),
        ("FÜR", "für"),
        ("ΟΔΟΣ", "οδοσ"),
        ("οδος", "οδοσ"),
        ("STRASSE", "strasse"),
        ("straße", "straße"),
    ];
    for (word, expected) in cases {
        assert_eq!(folded(word), expected, "{word}");
        assert_eq!(folded(&folded(word)), expected, "{word}");
    }
    assert!(matches!(folded("plain_1"), Cow::Borrowed(_)));
}

#[test]
fn what_is_folded_stays_one_word() {
    for character in ('\0'..=char::MAX).filter(|character| !character.is_ascii()) {
        let word = character.to_string();
        let folded = folded(&word);
        assert_eq!(split(&folded), [&*folded], "{character:?}");
    }
}
