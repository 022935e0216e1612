//! What is read, and what is refused and how.

use proptest::prelude::*;

use super::*;
use crate::ErrorKind;

#[test]
fn a_query_knows_its_kind() {
    let cases = [
        ("1 + 1", ValueKind::Scalar),
        ("'text'", ValueKind::Text),
        ("up", ValueKind::Vector),
        ("1 + up", ValueKind::Vector),
        ("up[5m]", ValueKind::Matrix),
        ("up[5m:1m]", ValueKind::Matrix),
    ];
    for (text, kind) in cases {
        assert_eq!(Query::parse(text).expect(text).kind(), kind, "{text}");
    }
}

#[test]
fn a_label_that_cannot_be_is_an_error_of_execution_as_in_prometheus() {
    let error = Query::parse(r#"label_replace(x, "", "", "a", "b")"#).expect_err("a label has a name");
    assert_eq!(error.kind(), ErrorKind::Execution, "{error}");
}

#[test]
fn a_selector_of_everything_is_told_how_it_is_written() {
    for text in ["{}", "rate({}[5m])", "{job=\"\"}"] {
        let said = Query::parse(text).expect_err(text).to_string();
        assert!(said.ends_with(r#"for example `{__name__=~".+"}`"#), "{text}: {said}");
    }
    Query::parse(r#"{__name__=~".+"}"#).expect("the example");
}

#[test]
fn an_error_of_a_limit_names_its_setting() {
    let limit = model::DurationText(std::time::Duration::from_secs(30));
    let said = Error::Timeout { limit }.to_string();
    assert!(said.contains("30s (promql.timeout); ask for"), "{said}");
}

#[test]
fn what_is_no_promql_is_bad_data() {
    let cases = [
        "",
        "sum(",
        "x{a=~\"(\"}",
        "{}",
        "nothing_known(x)",
        "1 == 1",
        "rate(x)",
        "x[5m] + 1",
        "x and 1",
        "exp(NaN)",
        "x[1e300]",
        "x[99999999999y]",
        "x offset 1e200",
        "x[10000000000000000ms]",
        "sum by () x",
    ];
    for text in cases {
        let error = Query::parse(text).expect_err(text);
        assert!(matches!(error, Error::BadData(_)), "{text}: {error:?}");
    }
}

#[test]
fn deep_and_long_queries_are_refused_before_they_do_harm() {
    let texts = [
        format!("{}1", "-".repeat(4_000)),
        "x + ".repeat(2_000) + "x",
        "(".repeat(99) + "x" + &")".repeat(99),
    ];
    assert!(matches!(Query::parse(&texts[0]), Err(Error::BadData(_))));
    assert!(matches!(Query::parse(&texts[1]), Err(Error::BadData(_))));
    assert!(Query::parse(&texts[2]).is_ok());
}

/// Pieces of queries, good and bad.
const PIECES: &[&str] = &[
    "a",
    "sum",
    "rate",
    "by",
    "on",
    "group_left",
    "offset",
    "bool",
    "and",
    "topk",
    "1",
    "5m",
    "1e300",
    "nan",
    "(",
    ")",
    "[",
    "]",
    "{",
    "}",
    ",",
    ":",
    "=",
    "=~",
    "\"x\"",
    "'",
    "-",
    "+",
    "*",
    "@",
    "start",
    "é",
    "\\",
    "#",
    "\n",
    " ",
];

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn no_text_takes_the_program_down(pieces in proptest::collection::vec(proptest::sample::select(PIECES), 0..24)) {
        let _ = Query::parse(&pieces.concat());
        let _ = Query::parse(&pieces.join(" "));
    }
}

#[test]
fn patterns_are_those_of_prometheus_and_so_is_what_is_said_of_them() {
    for pattern in [r"\\Qapp\\E", "x{foo", "[[a-z]+", r"\\141\\pN", r"\\x{10FFFF}", "(?<name>a)"] {
        for text in [
            format!("x{{a=~\"{pattern}\"}}"),
            format!("label_replace(x, \"b\", \"$1\", \"a\", \"{pattern}\")"),
        ] {
            assert!(Query::parse(&text).is_ok(), "{text}");
        }
    }
    let cases = [
        ("[a", "missing closing ]: `[a`"),
        ("a**", "invalid nested repetition operator: `**`"),
        (r"\\u0061", r"invalid escape sequence: `\u`"),
    ];
    for (pattern, expected) in cases {
        let selector = Query::parse(&format!("x{{a=~\"{pattern}\"}}")).expect_err(pattern).to_string();
        assert!(selector.ends_with(&format!("parse error: error parsing regexp: {expected}")), "{selector}");
        let call = format!("label_replace(x, \"b\", \"\", \"a\", \"{pattern}\")");
        let call = Query::parse(&call).expect_err(pattern).to_string();
        assert!(call.contains("invalid regular expression in label_replace(): "), "{call}");
        assert!(call.ends_with(expected), "{call}");
    }
}

#[test]
fn names_of_labels_and_patterns_of_functions_are_looked_at_as_by_an_evaluation() {
    let cases = [
        "label_replace(x, \"\", \"\", \"a\", \"b\")",
        "label_replace(x, \"a\", \"\", \"b\", \"(\")",
        "label_join(x, \"\", \"-\", \"a\")",
        "count_values(\"\", x)",
    ];
    for text in cases {
        let error = Query::parse(text).expect_err(text);
        assert_eq!(error.kind(), ErrorKind::Execution, "{text}: {error}");
    }
}
