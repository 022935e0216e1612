use std::time::Duration;

use super::*;

fn lines(text: &str) -> Lines {
    match parse(text) {
        Ok(Expression::Lines(lines)) => lines,
        other => panic!("{text}: {other:?}"),
    }
}

fn counts(text: &str) -> Counts {
    match parse(text) {
        Ok(Expression::Counts(counts)) => counts,
        other => panic!("{text}: {other:?}"),
    }
}

fn text(label: &str, is_negated: bool, value: &str) -> Matcher {
    Matcher { label: label.to_owned(), is_negated, test: TextTest::Text(value.to_owned()) }
}

#[test]
fn streams_are_selected_by_labels_and_lines_by_what_they_have() {
    let read = lines(
        "{service_name=\"ocr\", level!=\"\",} |= `a\\d` != \"\\u00fc\\n\" or \"b\" |~ \"(?i)x\" # said",
    );
    assert_eq!(read.matchers, [text("service_name", false, "ocr"), text("level", true, "")]);
    let [Stage::Line(first), Stage::Line(second), Stage::Line(third)] = &read.stages[..] else {
        panic!("{:?}", read.stages)
    };
    assert_eq!((first.is_negated, &first.any[..]), (false, &[TextTest::Text("a\\d".to_owned())][..]));
    let texts = ["\u{fc}\n", "b"].map(|text| TextTest::Text(text.to_owned()));
    assert_eq!((second.is_negated, &second.any[..]), (true, &texts[..]));
    assert!(matches!(&third.any[..], [TextTest::Pattern(pattern)] if pattern.is_match("a X")));
    assert_eq!(lines("{}"), Lines::default());
}

#[test]
fn patterns_of_labels_match_the_whole_and_those_of_lines_anywhere() {
    let read = lines(r#"{service_name=~"ocr|asr"} |~ "timed?""#);
    let TextTest::Pattern(pattern) = &read.matchers[0].test else { panic!("a pattern") };
    let found = ["ocr", "asr", "ocr2", "xasr"].map(|value| pattern.is_match(value));
    assert_eq!(found, [true, true, false, false]);
}

/// A pattern of Go's syntax, texts in which it matches, and others in which it does not.
type Case = (&'static str, &'static [&'static str], &'static [&'static str]);

const AS_IN_GO: &[Case] = &[
    (r"\Aab\z", &["ab"], &["ab\n"]),
    (r"^\pNx$", &["\u{663}x"], &["ax"]),
    (r"^(?P<x>a)(?<y>b)$", &["ab"], &["a"]),
    (r"^\Qa.b\E$", &["a.b"], &["axb"]),
    (r"^[[:word:]]+$", &["a_1"], &["\u{e9}"]),
    (r"^\w+$", &["a_1"], &["\u{e9}"]),
    (r"^a{,2}$", &["a{,2}"], &["aa", ""]),
    (r"(?U)^a+$", &["aaa"], &["", "b"]),
    (r"^x\_\<y\>$", &["x_<y>"], &["xy", "x_y"]),
    (r"^[a-z&&b]+$", &["xyz&b"], &["-"]),
    (r"^\x{61}\142$", &["ab"], &["a"]),
];

fn pattern_of(stage: &Stage) -> &Pattern {
    match stage {
        Stage::Line(LineFilter { any, .. }) => match &any[..] {
            [TextTest::Pattern(pattern)] => pattern,
            other => panic!("{other:?}"),
        },
        Stage::Label(LabelFilter::Text(Matcher { test: TextTest::Pattern(pattern), .. })) => pattern,
        Stage::Label(other) => panic!("{other:?}"),
    }
}

#[test]
fn patterns_are_those_of_go_wherever_they_stand() {
    for &(pattern, matched, others) in AS_IN_GO {
        let read = lines(&format!("{{a=~`{pattern}`}} |~ `{pattern}` !~ `{pattern}` | b=~`{pattern}`"));
        let TextTest::Pattern(of_stream) = &read.matchers[0].test else { panic!("{pattern}") };
        let behind = read.stages.iter().map(pattern_of);
        let all: Vec<&Pattern> = std::iter::once(of_stream).chain(behind).collect();
        assert_eq!(all.len(), 4, "{pattern}");
        for one in all {
            for text in matched {
                assert!(one.is_match(text), "{pattern} {text:?} {}", one.source());
            }
            for text in others {
                assert!(!one.is_match(text), "{pattern} {text:?} {}", one.source());
            }
        }
    }
    // In a line `.` ends where a line does, and a quotation may go to the end; a label is matched as a whole.
    let read = lines(r"{a=~`a.b|\Qc.\E`} |~ `a.b` |~ `\Qc.`");
    let TextTest::Pattern(of_stream) = &read.matchers[0].test else { panic!("a pattern") };
    let found = ["a\nb", "c.", "xc.", "cd"].map(|value| of_stream.is_match(value));
    assert_eq!(found, [true, true, false, false]);
    let of_lines: Vec<&Pattern> = read.stages.iter().map(pattern_of).collect();
    assert_eq!(["a\nb", "xaxbx"].map(|line| of_lines[0].is_match(line)), [false, true]);
    assert_eq!(["xc.x", "cd"].map(|line| of_lines[1].is_match(line)), [true, false]);
}

#[test]
fn what_go_refuses_is_told_in_its_words_with_the_place_in_the_query() {
    let cases = [
        (r"{} |~ `\C`", 7, r"invalid escape sequence: `\C`"),
        (r#"{a="b"} |= "x" !~ `\8`"#, 19, r"invalid escape sequence: `\8`"),
        (r#"{a=~"a)|(b"}"#, 5, "unexpected ): `a)|(b`"),
        ("{a!~`(?x)a`}", 5, "invalid or unsupported Perl syntax: `(?x`"),
        (r"{a=~`\Qb`}", 5, r"missing closing ): `^(?s:\Qb)$`"),
        ("{} | a=~`[b`", 9, "missing closing ]: `[b`"),
        (r#"{} |~ "a" or "**""#, 14, "missing argument to repetition operator: `*`"),
        (r"rate({a=~`\p{Foo}`} [5m])", 10, r"invalid character class range: `\p{Foo}`"),
    ];
    for (query, column, expected) in cases {
        let error = parse(query).expect_err(query);
        assert_eq!((error.place.line, error.place.column), (1, column), "{query}: {error}");
        assert_eq!(error.message.strip_prefix("error parsing regexp: "), Some(expected), "{query}");
    }
}

#[test]
fn labels_are_filtered_behind_stages_that_change_nothing() {
    let read = lines(r#"{a="b"} | json | logfmt | drop __error__, __error_details__ | level="error""#);
    assert_eq!(read.stages, [Stage::Label(LabelFilter::Text(text("level", false, "error")))]);
    let read = lines(r#"{a="b"} | (x >= 500 or y > 1.5s), z != 10MB and u == 5 | v!="w""#);
    let compare =
        |label: &str, comparison, value| LabelFilter::Compare { label: label.to_owned(), comparison, value };
    let any = LabelFilter::Any(vec![
        compare("x", Comparison::AtLeast, Value::Number(500.0)),
        compare("y", Comparison::Greater, Value::Duration(Duration::from_millis(1_500))),
    ]);
    let all = LabelFilter::All(vec![
        any,
        compare("z", Comparison::NotEqual, Value::Bytes(10_000_000)),
        compare("u", Comparison::Equal, Value::Number(5.0)),
    ]);
    let last = LabelFilter::Text(text("v", true, "w"));
    assert_eq!(read.stages, [Stage::Label(all), Stage::Label(last)]);
}

#[test]
fn lines_are_counted_as_grafana_asks_for_it() {
    let read = counts(
        r#"sum by (level, detected_level) (count_over_time({service_name="ocr"} |= "x" | drop __error__ [1m0s]))"#,
    );
    assert_eq!((read.function, read.window), (Function::Count, Duration::from_secs(60)));
    assert_eq!(read.grouping, Grouping::By(vec!["level".to_owned(), "detected_level".to_owned()]));
    assert_eq!((read.lines.matchers.len(), read.lines.stages.len(), read.top), (1, 1, None));
    let cases = [
        ("rate({a=\"b\"}[5m])", Function::Rate, Grouping::Streams),
        ("sum(bytes_over_time({a=\"b\"}[200ms]))", Function::Bytes, Grouping::By(Vec::new())),
        (
            "sum(bytes_rate({a=\"b\"}[1h])) by (host)",
            Function::BytesRate,
            Grouping::By(vec!["host".to_owned()]),
        ),
        (
            "sum without (host,host) (rate({}[5m]))",
            Function::Rate,
            Grouping::Without(vec!["host".to_owned()]),
        ),
    ];
    for (query, function, grouping) in cases {
        let read = counts(query);
        assert_eq!((read.function, read.grouping), (function, grouping), "{query}");
    }
    let top = counts("topk(5, sum by (host) (rate({a=\"b\"} | json [5m])))").top;
    assert_eq!(top, Some(Top { count: 5, end: TopEnd::Most }));
    assert_eq!(parse("vector(1)+vector(1)"), Ok(Expression::Constant(2.0)));
}

#[test]
fn what_is_not_taken_is_told_with_its_place_and_what_is() {
    let cases = [
        ("", 1, "count_over_time"),
        ("level:error", 1, "count_over_time"),
        ("{a}", 3, "`=`"),
        ("{a=b}", 4, "quotes"),
        ("{a=\"b\"", 7, "`}`"),
        ("{a=\"b", 4, "`\"`"),
        ("{a=\"\\d\"}", 5, ""),
        ("{a=~\"(\"}", 5, ""),
        ("{a=\"b\"} | line_format \"x\"", 11, "drop __error__"),
        ("{a=\"b\"} | regexp `(?P<x>.)`", 11, "not taken"),
        ("{a=\"b\"} | json x=\"y\"", 16, "no parameters"),
        ("{a=\"b\"} | drop level", 16, "__error__"),
        ("{a=\"b\"} | x > y", 15, "a number"),
        ("{a=\"b\"} | x > 5q", 15, "a number"),
        ("{a=\"b\"} and {a=\"c\"}", 9, "end of the query"),
        ("{a=\"b\"}[5m]", 8, "end of the query"),
        ("rate({a=\"b\"})", 13, "`[`"),
        ("rate({a=\"b\"}[0s])", 14, "30s"),
        ("avg(rate({a=\"b\"}[5m]))", 1, "topk"),
        ("quantile_over_time(0.9, {a=\"b\"}[5m])", 1, "rate"),
        ("topk(0, rate({a=\"b\"}[5m]))", 6, "from 1 to"),
        ("vector(1)-vector(1)", 10, ""),
        ("{a=\"b\"} |> \"<_> x\"", 10, ""),
    ];
    for (query, column, expected) in cases {
        let error = parse(query).expect_err(query);
        assert_eq!((error.place.line, error.place.column), (1, column), "{query}: {error}");
        assert!(error.to_string().contains(expected), "{query}: {error}");
    }
}

#[test]
fn queries_have_bounds() {
    let long = format!("{{a=\"{}\"}}", "x".repeat(crate::limits::MAX_TEXT_BYTES));
    let deep = format!("{{}} | {}a=\"b\"", "(".repeat(crate::limits::MAX_DEPTH + 1));
    let many = format!("{{{}}}", "a=\"b\",".repeat(crate::limits::MAX_TERMS + 1));
    let patterns = format!("{{{}}}", "a=~\"b\",".repeat(crate::limits::MAX_PATTERNS + 1));
    for (query, said) in
        [(long, "longer than"), (deep, "brackets"), (many, "conditions"), (patterns, "regular expressions")]
    {
        let error = parse(&query).expect_err(said);
        assert!(error.to_string().contains(said), "{error}");
    }
}
