use model::Timestamp;

use super::*;
use crate::{Query, Schema};

fn needs(text: &str) -> Needs {
    Query::parse(text, &Schema::logs(), Timestamp::from_millis(0)).expect("read").needs()
}

/// What is needed, with the field's name where there is one.
fn shown(needs: &Needs) -> String {
    let joined = |parts: &[Needs], between: &str| {
        format!("({})", parts.iter().map(shown).collect::<Vec<_>>().join(between))
    };
    match needs {
        Needs::Nothing => "nothing".to_owned(),
        Needs::Word { target: Target::Any, word } => word.clone(),
        Needs::Word { target: Target::Field { name, .. } | Target::Attribute { name, .. }, word } => {
            format!("{name}:{word}")
        }
        Needs::All(parts) => joined(parts, " & "),
        Needs::Any(parts) => joined(parts, " | "),
    }
}

#[test]
fn what_is_needed_follows_from_words_and_how_they_are_joined() {
    let cases = [
        ("Timeout", "timeout"),
        ("\"timed out\" db7", "(out & timed & db7)"),
        ("a OR b", "(a | b)"),
        ("a (b OR \"c d\")", "(a & (b | (c & d)))"),
        ("a OR b*", "nothing"),
        ("a -b", "a"),
        ("-a", "nothing"),
        ("*", "nothing"),
        ("a level:error duration>5s", "a"),
        ("a /b c/", "a"),
        ("db-*", "db"),
        ("message:Retry", "message:retry"),
        ("message=\"It failed.\"", "(message:failed & message:it)"),
        ("service:OCR", "service:ocr"),
        ("service:(a OR b)", "(service:a | service:b)"),
        ("service!=a", "nothing"),
        ("service:prod-*-eu", "(service:eu & service:prod)"),
        ("service:prod*-ocr-?eu", "service:ocr"),
        ("service:*ocr", "nothing"),
        ("service:*-ocr", "service:ocr"),
        ("tenant:acme", "tenant:acme"),
        ("tenant:*", "nothing"),
        ("job_id:[a TO b]", "nothing"),
    ];
    for (text, expected) in cases {
        assert_eq!(shown(&needs(text)), expected, "{text}");
    }
}

#[test]
fn words_that_every_match_has_are_those_of_all_its_ways() {
    let cases: [(&str, &[&str]); 6] = [
        ("\"timed out\" db7", &["db7", "out", "timed"]),
        ("(a b) OR (a c)", &["a"]),
        ("(a b) OR c*", &[]),
        ("a OR message:a", &["a"]),
        ("a (b OR c)", &["a"]),
        ("-a", &[]),
    ];
    for (text, expected) in cases {
        assert_eq!(needs(text).words().into_iter().collect::<Vec<_>>(), expected, "{text}");
    }
}

#[test]
fn what_lacks_a_word_is_passed_over_and_what_may_have_it_is_not() {
    let cases = [
        ("timed out", true),
        ("timed OR x", true),
        ("timed x", false),
        ("x", false),
        ("x*", true),
        ("-timed", true),
    ];
    for (text, expected) in cases {
        let held = needs(text).may_hold(&mut |_, word| ["timed", "out"].contains(&word));
        assert_eq!(held, expected, "{text}");
    }
}
