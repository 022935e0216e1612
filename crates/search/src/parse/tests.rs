use crate::limits::*;
use crate::{Check, Error, Shape, Span, parse};

fn written(text: &str) -> String {
    match parse(text) {
        Ok(parsed) => parsed.tree.to_string(),
        Err(error) => panic!("{text}: {error}"),
    }
}

fn refused(text: &str) -> Error {
    match parse(text) {
        Ok(parsed) => panic!("{text} is read as {}", parsed.tree),
        Err(error) => error,
    }
}

/// Each text beside the one spelling of what it says.
fn all_say(cases: &[(&str, &str)]) {
    for (text, expected) in cases {
        assert_eq!(written(text), *expected, "{text}");
        assert_eq!(written(expected), *expected, "{expected}");
    }
}

#[test]
fn not_binds_more_than_and_which_binds_more_than_or() {
    all_say(&[
        ("a b", "a b"),
        ("a AND b", "a b"),
        ("a && b", "a b"),
        ("a&&b", "a b"),
        ("a OR b c", "a OR b c"),
        ("a || b AND c", "a OR b c"),
        ("a OR (b c)", "a OR b c"),
        ("(a OR b) c", "(a OR b) c"),
        ("a (b OR c) d", "a (b OR c) d"),
        ("((a))", "a"),
        ("(a b) c", "a b c"),
        ("a OR (b OR c)", "a OR b OR c"),
        ("NOT a b", "-a b"),
        ("-a b", "-a b"),
        ("!a || b", "-a OR b"),
        ("a AND NOT b", "a -b"),
        ("NOT (a OR b)", "-(a OR b)"),
        ("-(a b)", "-(a b)"),
        ("NOT NOT a", "--a"),
        ("+a -b", "a -b"),
        ("a\n  b\tc", "a b c"),
        ("  a  ", "a"),
        ("(a)(b)", "a b"),
        ("a\"b\"", "a \"b\""),
    ]);
}

#[test]
fn operators_are_capitals_that_stand_alone() {
    all_say(&[
        ("and or not", "and or not"),
        ("ANDREW ORB NOTE", "ANDREW ORB NOTE"),
        ("\\AND", "\\AND"),
        ("\"AND\"", "\"AND\""),
        ("AND:x", "AND:x"),
        ("a TO b", "a \\TO b"),
        ("NOT(a)", "-a"),
        ("a AND(b)OR c", "a b OR c"),
    ]);
}

#[test]
fn everything_is_a_star_or_nothing() {
    all_say(&[("", "*"), (" \n", "*"), ("*", "*"), ("*:*", "*"), ("* -a", "* -a"), ("-*", "-*")]);
}

#[test]
fn fields_have_values_comparisons_ranges_and_lists() {
    all_say(&[
        ("service:ocr", "service:ocr"),
        ("service:\"ocr 2\"", "service:\"ocr 2\""),
        ("service:ocr*", "service:ocr*"),
        ("service:/^ocr/i", "service:/^ocr/i"),
        ("http.response.status_code:>=500", "http.response.status_code>=500"),
        ("duration > 5s", "duration>5s"),
        ("duration>5s", "duration>5s"),
        ("duration:<=1m30s", "duration<=1m30s"),
        ("level==warn", "level=warn"),
        ("level != warn", "level!=warn"),
        ("level:!=warn", "level!=warn"),
        ("time>-15m", "time>-15m"),
        ("time>=2025-08-01T21:30:00Z", "time>=2025-08-01T21:30:00Z"),
        ("a:[1 TO 5]", "a:[1 TO 5]"),
        ("a:{1 TO 5}", "a:{1 TO 5}"),
        ("a:[ 1  TO  5 }", "a:[1 TO 5}"),
        ("a:{* TO 5]", "a:[* TO 5]"),
        ("a:[\"x y\" TO *]", "a:[\"x y\" TO *]"),
        ("a:1..5", "a:[1 TO 5]"),
        ("a:1..", "a:[1 TO *]"),
        ("a:..5", "a:[* TO 5]"),
        ("a:1.\\.5", "a:1.\\.5"),
        ("a:*", "a:*"),
        ("a=*", "a:*"),
        ("a!=*", "-a:*"),
        ("a:[* TO *]", "a:*"),
        ("a:*..*", "a:*"),
        ("_exists_:a", "a:*"),
        ("_exists_:\"a b\"", "\"a b\":*"),
        ("\"_exists_\":a", "\"_exists_\":a"),
        ("service:(a OR b)", "service:a OR service:b"),
        ("service:(a OR b) c", "(service:a OR service:b) c"),
        ("service:(a b)", "service:a service:b"),
        ("service:(a -b)", "service:a -service:b"),
        ("-service:(a OR \"b c\")", "-(service:a OR service:\"b c\")"),
        ("service:((a OR b) /c/)", "(service:a OR service:b) service:/c/"),
        ("duration:(>5s <10s)", "duration>5s duration<10s"),
        ("duration:([1s TO 5s] OR 1m..)", "duration:[1s TO 5s] OR duration:[1m TO *]"),
    ]);
}

#[test]
fn names_may_be_quoted_and_colons_may_belong_to_words() {
    all_say(&[
        ("\"k8s.io/name\":a", "\"k8s.io/name\":a"),
        ("\"plain\":a", "plain:a"),
        ("\"a \\\"b\\\"\">5", "\"a \\\"b\\\"\">5"),
        ("@timestamp:a", "@timestamp:a"),
        ("gr\u{f6}\u{df}e:a", "gr\u{f6}\u{df}e:a"),
        ("std::fmt", "std\\:\\:fmt"),
        ("12:30:45", "12\\:30\\:45"),
        ("http://db7/x", "http\\://db7/x"),
        ("url:http://db7:80/x", "url:http://db7:80/x"),
        ("url:\"/api/v1\"", "url:\"/api/v1\""),
        ("user@example.com", "user@example.com"),
        ("a\\ b", "a\\ b"),
    ]);
}

#[test]
fn parts_know_where_they_stand() {
    let text = "a (b service:(x OR y)) -c>5";
    let tree = parse(text).expect("read").tree;
    assert_eq!(tree.span, Span::new(0, text.len()));
    let Shape::And(parts) = &tree.shape else { panic!("{tree:?}") };
    let texts: Vec<&str> = parts.iter().map(|part| &text[part.span.start..part.span.end]).collect();
    assert_eq!(texts, ["a", "b", "service:(x OR y)", "-c>5"]);
    let Shape::Or(values) = &parts[2].shape else { panic!("{tree:?}") };
    let Shape::Field(name, Check::Is(value)) = &values[1].shape else { panic!("{tree:?}") };
    assert_eq!(&text[name.span.start..name.span.end], "service");
    assert_eq!(&text[value.span.start..value.span.end], "y");
}

/// The text, the part of it that is wrong, and what is said of it.
#[test]
fn what_cannot_be_read_is_refused_at_its_place() {
    let cases = [
        ("a AND", "AND", "`AND` has nothing behind it"),
        ("a OR ", "OR", "`OR` has nothing behind it"),
        ("a ||", "||", "`||` has nothing behind it"),
        ("a AND OR b", "AND", "`AND` has nothing behind it"),
        ("(a OR)", "OR", "`OR` has nothing behind it"),
        ("a NOT", "NOT", "`NOT` has nothing behind it"),
        ("AND a", "AND", "nothing stands before this operator"),
        ("(|| a)", "||", "nothing stands before this operator"),
        ("a - b", "-", "`-` stands alone"),
        ("a !", "!", "`!` stands alone"),
        ("a (b", "(", "the bracket that opens here is not closed"),
        ("a b)", ")", "`)` closes nothing"),
        ("a ()", "()", "there is nothing between these brackets"),
        ("service:()", "()", "there is nothing between these brackets"),
        ("a \"b c", "\"b c", "the quotation that begins here is not closed"),
        ("/api", "/api", "the regular expression that begins here is not closed"),
        ("url:/api/v1 x", "v1", "`v1` stands behind a regular expression"),
        ("a //", "//", "the regular expression is empty"),
        ("a \\", "\\", "`\\` has nothing behind it"),
        ("error: refused", "error:", "the field `error` has no value"),
        ("service:", "service:", "the field `service` has no value"),
        ("duration>", "duration>", "the field `duration` has no value"),
        ("service:&&", "service:", "the field `service` has no value"),
        ("service:!ocr", "!", "`!` is no value"),
        ("service=(a OR b)", "(", "`=` compares with one value"),
        ("duration>[1 TO 5]", "[", "`>` compares with one value"),
        ("a > b > c", ">", "no field stands before this comparison"),
        (">5", ">", "no field stands before this comparison"),
        ("!=5", "!", "no field stands before this comparison"),
        ("5>3", "5", "`5` is no name of a field"),
        ("[ERROR] x", "[", "`[` opens a range, and no field stands before it"),
        ("a ]", "]", "`]` closes nothing"),
        ("a:[1 5]", "5", "the range is not complete"),
        ("a:[1 to 5]", "t", "the range is not complete"),
        ("a:[TO 5]", "[TO", "the lower end of the range is missing"),
        ("a:[1 TO ]", "[1 TO ", "the upper end of the range is missing"),
        ("a:[1 TO 5", "[", "the range that begins here is not closed"),
        ("a:[1* TO 5]", "1*", "`1*` has wildcards and is no end of a range"),
    ];
    for (text, part, message) in cases {
        let error = refused(text);
        assert_eq!(error.message, message, "{text}");
        assert_eq!(&text[error.span.start..error.span.end], part, "{text}");
    }
}

#[test]
fn errors_say_what_was_expected_and_what_to_write_instead() {
    let cases = [
        (
            "a \"b",
            "line 1, column 3: the quotation that begins here is not closed; expected `\"` at its end; \
             a quote within a quotation is written `\\\"`",
        ),
        (
            "a\n error: refused",
            "line 2, column 2: the field `error` has no value; expected a value at once behind `:`, or `*` for \
             any; leave out the space, as in `error:refused`, or put it in quotes if it is text",
        ),
        (
            "/api/v1",
            "line 1, column 6: `v1` stands behind a regular expression; expected nothing, or the flag `i`, which \
             ignores case; a path is written in quotes, as \"/api/v1\"",
        ),
        (
            "\u{fc} AND",
            "line 1, column 3: `AND` has nothing behind it; expected a term; leave it out, or write what belongs \
             there",
        ),
        (
            "service=(a OR b)",
            "line 1, column 9: `=` compares with one value; expected one value; lists and ranges stand behind a \
             colon, as in `service:(a OR b)`",
        ),
    ];
    for (text, expected) in cases {
        assert_eq!(refused(text).to_string(), expected);
    }
}

#[test]
fn lower_case_operators_between_terms_are_words_with_a_hint() {
    let hints = |text: &str| -> Vec<String> {
        parse(text).expect("read").hints.into_iter().map(|hint| hint.message).collect()
    };
    let said = "`and` is searched as a word; the operator is written `AND`";
    assert_eq!(hints("a and b"), [said]);
    assert_eq!(hints("a AND (b and c)"), [said]);
    assert_eq!(hints("service:(a or b)"), ["`or` is searched as a word; the operator is written `OR`"]);
    for text in ["and a", "a and", "a not b", "not found", "service:and b", "\"a and b\"", "a \"and\" b"] {
        assert_eq!(hints(text), Vec::<String>::new(), "{text}");
    }
}

#[test]
fn what_is_too_large_is_refused() {
    let long = "a".repeat(MAX_TEXT_BYTES + 1);
    assert!(refused(&long).message.contains("longer than 65536"));
    assert!(parse(&long[1..]).is_ok());

    let nested = |depth: usize| "(".repeat(depth) + "a" + &")".repeat(depth);
    assert!(parse(&nested(MAX_DEPTH)).is_ok());
    assert!(refused(&nested(MAX_DEPTH + 1)).message.contains("64 brackets and negations"));
    assert!(refused(&("-".repeat(MAX_DEPTH + 1) + "a")).message.contains("64 brackets and negations"));
    assert!(refused(&("NOT ".repeat(MAX_DEPTH + 1) + "a")).message.contains("64 brackets and negations"));
    assert!(refused(&("a:".to_owned() + &nested(MAX_TEXT_BYTES / 4))).message.contains("64 brackets"));

    assert!(parse(&"a ".repeat(MAX_TERMS)).is_ok());
    assert!(refused(&"a ".repeat(MAX_TERMS + 1)).message.contains("1000 terms"));
    let list = |values: usize| format!("f:({})", "a OR ".repeat(values - 1) + "a");
    assert!(parse(&list(MAX_TERMS)).is_ok());
    assert!(refused(&list(MAX_TERMS + 1)).message.contains("1000 terms"));

    let name = "n".repeat(MAX_NAME_BYTES);
    assert!(parse(&format!("{name}:a")).is_ok());
    assert!(refused(&format!("{name}n:a")).message.contains("longer than 256"));
}
