//! What is tried with hostile queries: it takes any bytes, and panics where what must hold does not.
//!
//! `fuzz/` makes up the bytes; those that have shown a fault once lie in `fuzz/cases/search/` and are tried again by
//! every test run.

use std::time::Duration;

use model::Timestamp;
use model::words::{folded, words};

use crate::{Datum, Error, Level, Parsed, Query, Record, Schema, Scope, Target, parse};

/// When it is, and when all records happened.
const NOW: Timestamp = Timestamp::from_millis(1_754_083_800_000);

/// As a query: one that is read is written and read again as the same, and what it finds has the words and
/// the time that everything has that it finds.
pub fn search(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    match parse(text) {
        Ok(parsed) => is_written_and_read_again(&parsed),
        Err(error) => has_a_place(text, &error),
    }
    for schema in [Schema::logs(), Schema::spans()] {
        match Query::parse(text, &schema, NOW) {
            Ok(query) => {
                for message in [text, "it timed out", ""] {
                    finds_what_it_needs(&query, &schema, &Line { message });
                }
            }
            Err(error) => has_a_place(text, &error),
        }
    }
}

/// As a query of LogQL, and as a selector of streams.
pub fn logql(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    for read in [crate::logql::parse(text).map(drop), crate::logql::selector(text).map(drop)] {
        if let Err(error) = read {
            has_a_place(text, &error);
        }
    }
}

fn is_written_and_read_again(parsed: &Parsed) {
    let written = parsed.tree.to_string();
    match parse(&written) {
        Ok(again) => {
            assert_eq!(parsed.tree.without_places(), again.tree.without_places(), "{written}");
            assert_eq!(again.tree.to_string(), written);
        }
        // Escapes, and lists that are written out, make a text longer, up to what is read at all.
        Err(error) => assert!(error.message.contains("longer than"), "{written}: {error}"),
    }
    for hint in &parsed.hints {
        assert!(hint.place.line > 0 && hint.place.column > 0);
    }
}

fn has_a_place(text: &str, error: &Error) {
    assert!(text.get(error.span.start..error.span.end).is_some(), "{:?}: {error}", error.span);
    assert!(!error.message.is_empty());
}

/// What is searched.
struct Line<'a> {
    message: &'a str,
}

impl Record for Line<'_> {
    fn field(&self, name: &str) -> Option<Datum<'_>> {
        match name {
            "message" | "name" => Some(self.message.into()),
            "service" => Some("ocr".into()),
            "trace_id" => Some("4bf92f3577b34da6a3ce929d0e0e4736".into()),
            "level" => Some(Datum::Level(Level::Error)),
            "duration" => Some(Datum::Duration(Duration::from_secs(7))),
            "http.response.status_code" => Some(Datum::Number(503.0)),
            "http.request.body.size" => Some(Datum::Bytes(4096)),
            "time" => Some(Datum::Time(NOW)),
            _ => None,
        }
    }

    fn attribute(&self, _: Scope, name: &str) -> Option<Datum<'_>> {
        match name {
            "tenant" => Some("a-7".into()),
            "cached" => Some(Datum::Bool(true)),
            _ => None,
        }
    }
}

fn finds_what_it_needs(query: &Query, schema: &Schema, line: &Line<'_>) {
    if !query.matches(line) {
        return;
    }
    assert!(query.time_range().contains(NOW), "{:?}", query.filter());
    let mut has = |target: &Target, word: &str| {
        let holds = |datum: Option<Datum<'_>>| {
            datum.is_some_and(|datum| words(&datum.text()).any(|own| folded(own) == word))
        };
        match target {
            Target::Any => schema.searched().iter().any(|name| holds(line.field(name))),
            Target::Field { name, .. } => holds(line.field(name)),
            Target::Attribute { scope, name } => holds(line.attribute(*scope, name)),
        }
    };
    assert!(query.needs().may_hold(&mut has), "{:?}", query.filter());
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    fn tried(target: &str, run: fn(&[u8])) {
        let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/cases").join(target);
        let mut cases = 0;
        for entry in std::fs::read_dir(dir).expect("the cases of the target") {
            let path = entry.expect("an entry").path();
            let bytes = std::fs::read(&path).expect("a case");
            if std::panic::catch_unwind(|| run(&bytes)).is_err() {
                panic!("{}", path.display());
            }
            cases += 1;
        }
        assert!(cases > 0, "there are no cases");
    }

    #[test]
    fn what_fuzzing_has_found_stays_mended() {
        tried("search", super::search);
        tried("logql", super::logql);
    }

    /// What queries are made of.
    const PIECES: [&str; 64] = [
        "a",
        "timed",
        "out",
        "service",
        "level",
        "duration",
        "time",
        "trace_id",
        "tenant",
        "message",
        "http.response.status_code",
        "_exists_",
        "attributes.a",
        "ocr",
        "error",
        "warn",
        "5",
        "5s",
        "2025-08-01",
        "-15m",
        "now",
        "4bf9",
        "10MiB",
        "true",
        ":",
        ":",
        ":",
        "=",
        ">",
        ">=",
        "<",
        "<=",
        "!=",
        "(",
        ")",
        "(",
        ")",
        "[",
        "]",
        "{",
        "}",
        " TO ",
        " TO ",
        "..",
        "*",
        "?",
        "\"",
        "\"",
        "/",
        "/i",
        "\\",
        "-",
        "!",
        "+",
        " ",
        " ",
        " ",
        " AND ",
        " OR ",
        " NOT ",
        "&&",
        "||",
        "\n",
        "\u{fc}",
    ];

    proptest::proptest! {
        #![proptest_config(proptest::prelude::ProptestConfig { cases: 4_000, ..Default::default() })]
        #[test]
        fn any_text_is_read_or_refused_and_what_is_read_can_be_written(pieces in proptest::collection::vec(0..PIECES.len(), 1..16)) {
            let text: String = pieces.iter().map(|piece| PIECES[*piece]).collect();
            super::search(text.as_bytes());
        }
    }
}
