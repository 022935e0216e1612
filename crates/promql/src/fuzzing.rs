//! What is tried with hostile queries: it takes any bytes, and panics where what must hold does not.
//!
//! `fuzz/` makes up the bytes; those that have shown a fault once lie in `fuzz/cases/promql/` and are tried again by
//! every test run.

use crate::{AstNode, Query, format, parts};

/// As a query: one that is read can be written, and what is written is the same query.
pub fn query(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let is_read = Query::parse(text).is_ok();
    let Ok(written) = format(text) else {
        assert!(!is_read, "a query that is read is written");
        return;
    };
    let parsed = parts(text).expect("what can be written has parts");
    match parts(&written) {
        // NaN is not even itself.
        Ok(again) => assert_eq!(shown(parsed), shown(again), "{written}"),
        // Indentation and units make a text longer, up to what is read at all.
        Err(error) => assert!(error.to_string().contains("longer than"), "{written}: {error}"),
    }
    if let Ok(same) = format(&written) {
        assert_eq!(same, written);
    }
}

/// All that a query says, its matchers sorted as they are written.
fn shown(mut node: AstNode) -> String {
    sort_matchers(&mut node);
    format!("{node:?}")
}

fn sort_matchers(node: &mut AstNode) {
    match node {
        AstNode::Aggregation { expr, param, .. } => {
            sort_matchers(expr);
            param.iter_mut().for_each(|param| sort_matchers(param));
        }
        AstNode::BinaryExpr { lhs, rhs, .. } => {
            sort_matchers(lhs);
            sort_matchers(rhs);
        }
        AstNode::Call { args, .. } => args.iter_mut().for_each(sort_matchers),
        AstNode::Subquery { expr, .. } | AstNode::ParenExpr { expr } | AstNode::UnaryExpr { expr, .. } => {
            sort_matchers(expr);
        }
        AstNode::MatrixSelector { matchers, .. } | AstNode::VectorSelector { matchers, .. } => {
            matchers.sort_by_key(|matcher| format!("{matcher:?}"));
        }
        AstNode::NumberLiteral { .. } | AstNode::StringLiteral { .. } => {}
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    #[test]
    fn what_fuzzing_queries_has_found_stays_mended() {
        let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/cases/promql");
        let mut cases = 0;
        for entry in std::fs::read_dir(dir).expect("the cases of the target") {
            let path = entry.expect("an entry").path();
            let bytes = std::fs::read(&path).expect("a case");
            if std::panic::catch_unwind(|| super::query(&bytes)).is_err() {
                panic!("{}", path.display());
            }
            cases += 1;
        }
        assert!(cases > 0, "there are no cases");
    }

    #[test]
    fn the_queries_of_our_scripts_stay_what_they_are_when_they_are_written() {
        let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/promql");
        let mut queries = 0;
        for entry in std::fs::read_dir(dir).expect("the scripts") {
            let text = std::fs::read_to_string(entry.expect("an entry").path()).expect("a script");
            for line in text.lines().filter(|line| line.starts_with("eval")) {
                // What stands before it are the kind and the times.
                let words = if line.contains(" range ") { 8 } else { 4 };
                if let Some(query) = line.splitn(words + 1, ' ').nth(words) {
                    super::query(query.as_bytes());
                    queries += 1;
                }
            }
        }
        assert!(queries > 300, "only {queries} queries");
    }

    /// What queries are made of.
    const PIECES: [&str; 48] = [
        "a",
        "b:c",
        "sum",
        "topk",
        "rate",
        "info",
        "time",
        "(",
        ")",
        "(",
        ")",
        "[",
        "]",
        "{",
        "}",
        ",",
        ":",
        "+",
        "-",
        "*",
        "/",
        "^",
        "==",
        "and",
        "or",
        "bool",
        "on",
        "by",
        "offset",
        "@",
        "start",
        "step",
        "1",
        "5m",
        ".5",
        "Inf",
        "\"x\"",
        "'y'",
        "b=",
        "b=~",
        "[5m]",
        "[1h:5m]",
        "smoothed",
        "anchored",
        "fill",
        "group_left",
        "#",
        "\n",
    ];

    proptest::proptest! {
        #![proptest_config(proptest::prelude::ProptestConfig { cases: 4_000, ..Default::default() })]
        #[test]
        fn any_text_is_read_or_refused_and_what_is_read_can_be_written(pieces in proptest::collection::vec(0..PIECES.len(), 1..14)) {
            let text: Vec<&str> = pieces.iter().map(|piece| PIECES[*piece]).collect();
            super::query(text.join(" ").as_bytes());
        }
    }
}
