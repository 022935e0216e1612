use super::*;

fn word(text: &str, position: Position) -> (Form, usize) {
    let mut lexer = Lexer::new(text);
    let literal = lexer.word(position).expect("a word");
    assert_eq!(literal.span, Span::new(0, lexer.at()));
    (literal.form, lexer.at())
}

fn plain(text: &str) -> Form {
    Form::Word(text.to_owned())
}

fn part(text: &str) -> Part {
    Part::Text(text.to_owned())
}

#[test]
fn where_a_word_stands_says_where_it_ends() {
    let cases = [
        ("abc def", Position::Bare, "abc", 3),
        ("abc)", Position::Bare, "abc", 3),
        ("abc\"d\"", Position::Bare, "abc", 3),
        ("don't", Position::Bare, "don't", 5),
        ("a-b_c.d/e", Position::Bare, "a-b_c.d/e", 9),
        ("service:ocr", Position::Bare, "service", 7),
        ("service:", Position::Bare, "service", 7),
        ("12:30:45", Position::Bare, "12:30:45", 8),
        ("std::fmt::Write", Position::Bare, "std::fmt::Write", 15),
        ("http://db7:80", Position::Bare, "http://db7:80", 13),
        ("a>5", Position::Bare, "a", 1),
        ("a!=5", Position::Bare, "a", 1),
        ("a!b", Position::Bare, "a!b", 3),
        ("a[0]", Position::Bare, "a", 1),
        ("a&b", Position::Bare, "a&b", 3),
        ("a&&b", Position::Bare, "a", 1),
        ("a||b", Position::Value, "a", 1),
        ("http://db7:80/x=", Position::End, "http://db7:80/x=", 16),
        ("a:b=c>d[0]{e}", Position::Value, "a:b=c>d[0]{e}", 13),
        ("5]", Position::End, "5", 1),
        ("5}", Position::End, "5", 1),
        ("\u{fc}\u{fc}\u{a0}x", Position::Bare, "\u{fc}\u{fc}", 4),
        ("a\\ b\\:c\\\\", Position::Bare, "a b:c\\", 9),
        ("\\*\\?", Position::Bare, "*?", 4),
        ("", Position::Bare, "", 0),
        ("(a", Position::Value, "", 0),
    ];
    for (text, position, expected, end) in cases {
        assert_eq!(word(text, position), (plain(expected), end), "{text}");
    }
}

#[test]
fn stars_and_question_marks_are_wildcards_unless_escaped() {
    let cases = [
        ("time*", Form::Glob(vec![part("time"), Part::Any])),
        ("**a***", Form::Glob(vec![Part::Any, part("a"), Part::Any])),
        ("d?b", Form::Glob(vec![part("d"), Part::One, part("b")])),
        ("??", Form::Glob(vec![Part::One, Part::One])),
        ("*", Form::Glob(vec![Part::Any])),
        ("a\\*b", plain("a*b")),
        ("a\\**", Form::Glob(vec![part("a*"), Part::Any])),
    ];
    for (text, expected) in cases {
        assert_eq!(word(text, Position::Bare), (expected, text.len()), "{text}");
    }
}

#[test]
fn a_name_in_quotes_is_told_from_what_stands_behind_it() {
    for (text, expected) in [
        (r#""k8s.io/name""#, Some(("k8s.io/name", ""))),
        (r#""a,b" , c"#, Some(("a,b", " , c"))),
        (r#""a\"\\b"x"#, Some(("a\"\\b", "x"))),
        (r#""""#, Some(("", ""))),
        (r#""a"#, None),
        (r#""a\"#, None),
        (r#"a"b""#, None),
        ("", None),
    ] {
        let found = quotation(text);
        assert_eq!(found.as_ref().map(|(name, behind)| (name.as_str(), *behind)), expected, "{text}");
    }
}

#[test]
fn quotations_end_at_a_quote_that_is_not_escaped() {
    let cases = [
        ("\"timed out\" b", "timed out", 11),
        ("\"a \\\"b\\\" \\\\\"", "a \"b\" \\", 12),
        ("\"a\\nb\\tc\\x\"", "a\nb\tcx", 11),
        ("\"\"", "", 2),
        ("\"a*\n\"", "a*\n", 5),
    ];
    for (text, expected, end) in cases {
        let mut lexer = Lexer::new(text);
        let literal = lexer.quoted().expect("a quotation");
        assert_eq!(literal.form, Form::Quoted(expected.to_owned()), "{text}");
        assert_eq!((literal.span, lexer.at()), (Span::new(0, end), end), "{text}");
    }
    for text in ["\"", "\"abc", "\"abc\\", "\"abc\\\""] {
        assert!(Lexer::new(text).quoted().is_err(), "{text}");
    }
}

#[test]
fn patterns_end_at_a_slash_that_is_not_escaped() {
    let cases = [
        ("/a b/ c", "a b", false, 5),
        ("/a\\/b/i", "a/b", true, 7),
        ("/\\d+\\\\/)", "\\d+\\\\", false, 7),
        ("/a/||b", "a", false, 3),
    ];
    for (text, expected, ignores_case, end) in cases {
        let mut lexer = Lexer::new(text);
        let literal = lexer.regex().expect("a pattern");
        assert_eq!(literal.form, Form::Regex { pattern: expected.to_owned(), ignores_case }, "{text}");
        assert_eq!((literal.span, lexer.at()), (Span::new(0, end), end), "{text}");
    }
    for text in ["/", "//", "/a", "/a\\/", "/a\\", "/api/v1", "/a/x", "/a/ii"] {
        assert!(Lexer::new(text).regex().is_err(), "{text}");
    }
}

#[test]
fn two_dots_between_numbers_and_times_are_a_range() {
    let cases = [
        ("1..5", Some([Some("1"), Some("5")])),
        ("1.5..2.5 x", Some([Some("1.5"), Some("2.5")])),
        ("-5..-1", Some([Some("-5"), Some("-1")])),
        ("1s..1m30s)", Some([Some("1s"), Some("1m30s")])),
        ("now-1h..now", Some([Some("now-1h"), Some("now")])),
        ("2025-08-01..2025-08-02", Some([Some("2025-08-01"), Some("2025-08-02")])),
        ("1..", Some([Some("1"), None])),
        ("..5", Some([None, Some("5")])),
        ("*..5", Some([None, Some("5")])),
        ("..", None),
        ("../x", None),
        ("a..f", None),
        ("1...5", None),
        ("1\\..5", None),
        ("1.\\.5", None),
        ("1.5", None),
    ];
    for (text, expected) in cases {
        let mut lexer = Lexer::new(text);
        let found = lexer.dotted_range().expect("no fault");
        let expected = expected.map(|ends| ends.map(|end| end.map(plain)));
        assert_eq!(found.map(|ends| ends.map(|end| end.map(|literal| literal.form))), expected, "{text}");
    }
}
