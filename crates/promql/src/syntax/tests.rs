//! What is read, and what is refused and how.

use super::*;
use crate::plan::{Arithmetic, Extension};
use crate::span::Span;

/// A tree in a short form that shows what binds what.
fn shape(tree: &Tree) -> String {
    match &tree.node {
        Node::Number(value) | Node::Duration(value) => value.to_string(),
        Node::Text(text) => format!("{text:?}"),
        Node::NotUtf8(literal) => literal.clone(),
        Node::Selector(selector) => {
            let shift = if selector.shift == Shift::default() { "" } else { "'" };
            let range = if selector.range.is_some() { "[]" } else { "" };
            format!("{}{range}{shift}", selector.name.as_deref().unwrap_or("{}"))
        }
        Node::Subquery(subquery) => format!("sub({})", shape(&subquery.input)),
        Node::Paren(inner) => shape(inner),
        Node::Sign { negative, input } => format!("({}{})", if *negative { "-" } else { "+" }, shape(input)),
        Node::Binary(binary) => {
            format!("({} {} {})", shape(&binary.left), binary.operator.text(), shape(&binary.right))
        }
        Node::Aggregate(aggregate) => {
            format!("{:?}({})", aggregate.aggregator, shapes(&aggregate.arguments))
        }
        Node::Call(call) => format!("{}({})", call.name, shapes(&call.arguments)),
    }
}

fn shapes(trees: &[Tree]) -> String {
    trees.iter().map(shape).collect::<Vec<_>>().join(", ")
}

#[test]
fn operators_bind_as_in_prometheus() {
    let cases = [
        ("a + b * c - d", "((a + (b * c)) - d)"),
        ("-a ^ b", "(-(a ^ b))"),
        ("-a * b", "((-a) * b)"),
        ("2 ^ 3 ^ 2", "(2 ^ (3 ^ 2))"),
        ("2 ^ -1 * 3", "((2 ^ -1) * 3)"),
        ("-1", "-1"),
        ("- - 1", "1"),
        ("a or b and c unless d", "(a or ((b and c) unless d))"),
        ("a > b + 1 == c", "((a > (b + 1)) == c)"),
        ("a </ 5 + 1", "(a </ (5 + 1))"),
        ("a atan2 b / c", "((a atan2 b) / c)"),
        ("a offset 5m + b", "(a' + b)"),
        ("a ^ b offset 5m", "(a ^ b')"),
        ("a offset 2 ^ 2", "(a' ^ 2)"),
        ("a offset -step()*2", "(a' * 2)"),
        ("-a[5m:1m]", "(-sub(a))"),
        ("rate(a[5m] @ 3 offset -1m)", "rate(a[]')"),
        ("sum(a) by (b) + 1", "(Sum(a) + 1)"),
        ("TOPK without (x) (3, a)", "Top(3, a)"),
        ("sum + avg{a=\"b\"} + by + offset", "(((sum + avg) + by) + offset)"),
        ("start() + end()", "(start() + end())"),
        ("1h30m", "5400"),
        ("a + fill(0) fill", "(a + fill)"),
        ("fill + fill_left", "(fill + fill_left)"),
        ("Inf - nan", "(inf - NaN)"),
        ("a # a comment )\n + b", "(a + b)"),
    ];
    for (text, expected) in cases {
        let tree = parse(text).unwrap_or_else(|error| panic!("{text}: {error}"));
        assert_eq!(shape(&tree), expected, "{text}");
    }
}

fn selector(text: &str) -> Selector {
    match parse(text).unwrap_or_else(|error| panic!("{text}: {error}")).node {
        Node::Selector(selector) => *selector,
        other => panic!("{text}: {other:?}"),
    }
}

#[test]
fn selectors_have_names_in_quotes_matchers_and_modifiers() {
    let read = selector(r#"{"a.b", "c d"=~'e"', f!="g",}[5m] @ 1.5 offset -(1m + 2)"#);
    assert_eq!(read.name, None);
    let matchers: Vec<_> = read.matchers.iter().map(|m| (&*m.name, m.op, &*m.value)).collect();
    let expected = [
        ("__name__", store::MatchOp::Equal, "a.b"),
        ("c d", store::MatchOp::Regex, "e\""),
        ("f", store::MatchOp::NotEqual, "g"),
    ];
    assert_eq!(matchers, expected);
    assert_eq!(read.range, Some(Span::Seconds(300.0)));
    assert_eq!(read.shift.at, Some(At::Time(1.5)));
    let offset = read.shift.offset.map(|offset| offset.milliseconds(None));
    assert_eq!(offset, Some(Ok(-62_000)));
    assert_eq!(selector("a[1m] smoothed").extension, Some(Extension::Smoothed));
    assert_eq!(selector("a anchored").extension, Some(Extension::Anchored));
    let later = selector("a offset 0s offset 5m").shift.offset.map(|offset| offset.milliseconds(None));
    assert_eq!(later, Some(Ok(300_000)), "an offset of nothing is none");
    assert_eq!(selector("a @ end()").shift.at, Some(At::End));
    assert_eq!(selector("a @ 1h").shift.at, Some(At::Time(3600.0)));
    assert_eq!(selector("sum{by=\"x\"}").name.as_deref(), Some("sum"));
}

#[test]
fn durations_are_calculated() {
    let query = Some(crate::span::QuerySpans { step: 10.0, range: 60.0 });
    let cases = [
        ("a[1h/2]", 1_800_000),
        ("a[24m+((1.5*2m)+2m)]", 1_740_000),
        ("a[-5m+35m]", 1_800_000),
        ("a[30m1s-30m1s % 1m]", 1_800_000),
        ("a[1+(STep()-5)*2]", 11_000),
        ("a[max(step(), 5s)]", 10_000),
        ("a[min_of(step(), 5s)]", 5_000),
        ("a[1s1ms]", 1_001),
        ("a[min(2 * step() + 5s, range())]", 25_000),
        ("a[2^3^0 * 1m]", 120_000),
    ];
    for (text, millis) in cases {
        let range = selector(text).range.expect("a range");
        assert_eq!(range.milliseconds(query), Ok(millis), "{text}");
    }
    let open = Span::Operation(Arithmetic::Add, Box::new(Span::Step), Box::new(Span::Number(1.0)));
    assert_eq!(selector("a[step() + 1]").range, Some(open));
}

#[test]
fn what_stands_behind_an_operator_is_read() {
    let text = "a == bool on (b, \"c d\",) group_left (e) fill_right(-1) fill_left(NaN) f";
    let Node::Binary(binary) = parse(text).expect(text).node else { panic!("{text}") };
    assert!(binary.matching.returns_bool);
    assert_eq!(binary.matching.labels, Some(MatchLabels::On(vec!["b".to_owned(), "c d".to_owned()])));
    assert_eq!(binary.matching.group, Some(Group { is_left: true, include: vec!["e".to_owned()] }));
    assert_eq!(binary.matching.fill.right, Some(-1.0));
    assert!(binary.matching.fill.left.is_some_and(f64::is_nan));
}

#[test]
fn errors_say_where_and_what_was_expected() {
    let cases = [
        ("", "unknown position: parse error: no expression found in input"),
        ("# only this", "1:1: parse error: no expression found in input"),
        ("a +", "1:4: parse error: unexpected end of input"),
        ("a b", "1:3: parse error: unexpected identifier \"b\""),
        ("(a", "1:3: parse error: unclosed left parenthesis"),
        ("a)", "1:3: parse error: unexpected right parenthesis ')'"),
        ("a]", "1:2: parse error: unexpected right bracket ']'"),
        ("a =~ b", "1:3: parse error: unexpected character after '=': '~'"),
        ("a !b", "1:3: parse error: unexpected character after '!': 'b'"),
        (
            "a{sum b}",
            "1:7: parse error: unexpected identifier \"b\" in label matching, expected label matching operator",
        ),
        ("a{b=sum}", "1:5: parse error: unexpected identifier \"sum\" in label matching, expected string"),
        ("a{5}", "1:3: parse error: unexpected character inside braces: '5'"),
        ("a{b!c}", "1:4: parse error: unexpected character after '!' inside braces: 'c'"),
        ("a{b", "1:4: parse error: unexpected end of input inside braces"),
        ("a[x]", "1:3: parse error: unexpected character in duration expression: 'x'"),
        ("a[5m x]", "1:6: parse error: unexpected character: 'x', expected ':'"),
        ("a[", "1:3: parse error: unexpected end of input in duration expression"),
        ("a[5m:)]", "1:7: parse error: unexpected right parenthesis ')'"),
        (
            "a[5m:*]",
            "1:6: parse error: unexpected <op:*> in subquery selector, expected number, duration, step(), range(), or \"]\"",
        ),
        (
            "a[5m + ]",
            "1:8: parse error: unexpected \"]\" in subquery or range selector, expected number, duration, step(), or range()",
        ),
        (
            "sum by (Inf) (a)",
            "1:9: parse error: unexpected number \"Inf\" in grouping opts, expected label",
        ),
        ("sum by a (b)", "1:8: parse error: unexpected identifier \"a\" in grouping opts, expected \"(\""),
        (
            "sum by (a b) (c)",
            "1:11: parse error: unexpected identifier \"b\" in grouping opts, expected \",\" or \")\"",
        ),
        ("a{b}", "1:4: parse error: unexpected \"}\" in label matching, expected label matching operator"),
        ("a{b=c}", "1:5: parse error: unexpected identifier \"c\" in label matching, expected string"),
        ("a{,}", "1:3: parse error: unexpected \",\" in label matching, expected identifier or \"}\""),
        ("a{__name__=\"b\"}", "1:1: parse error: metric name must not be set twice: \"a\" or \"b\""),
        (
            "a offset",
            "1:9: parse error: unexpected end of input in offset, expected number, duration, step(), or range()",
        ),
        (
            "1 offset 5m",
            "1:1: parse error: offset modifier must be preceded by an instant vector selector or range vector selector or a subquery",
        ),
        ("a offset 1m offset 2m", "1:1: parse error: offset may not be set multiple times"),
        ("a @ b", "1:5: parse error: unexpected identifier \"b\" in @, expected timestamp"),
        (
            "a[]",
            "1:3: parse error: unexpected \"]\" in subquery or range selector, expected number, duration, step(), or range()",
        ),
        ("a[0s]", "1:3: parse error: duration must be greater than 0"),
        ("a[5m:0s]", "1:6: parse error: duration must be greater than 0"),
        ("a[1m/0]", "1:5: parse error: division by zero"),
        ("a[1m % 0s]", "1:6: parse error: modulo by zero"),
        ("a[1m1h]", "1:3: parse error: not a valid duration string: \"1m1h\""),
        ("a offset 5m [1m]", "1:13: parse error: no offset modifiers allowed before range"),
        ("(a)[1m]", "1:4: parse error: ranges only allowed for vector selectors"),
        ("a anchored smoothed", "1:1: parse error: anchored and smoothed modifiers cannot be used together"),
        (
            "-a[5m] anchored smoothed",
            "1:2: parse error: anchored and smoothed modifiers cannot be used together",
        ),
        ("a[5m:] smoothed", "1:1: parse error: smoothed modifier is not supported for subqueries"),
        ("(a) smoothed", "1:1: parse error: smoothed modifier not implemented"),
        ("f(a,)", "1:4: parse error: trailing commas not allowed in function call args"),
        ("\n  \"abc", "2:3: parse error: unterminated quoted string"),
        ("é", "1:1: parse error: unexpected character: 'é'"),
        ("1foo", "1:1: parse error: bad number or duration syntax: \"1foo\""),
        ("on(a)", "1:1: parse error: unexpected <on>"),
    ];
    for (text, expected) in cases {
        let error = parse(text).expect_err(text).to_string();
        assert_eq!(error, expected, "{text}");
    }
}

#[test]
fn what_is_too_long_or_too_deep_is_refused() {
    let texts = [
        "a".repeat((64 << 10) + 1),
        "a,".repeat(4_000),
        format!("{}a{}", "(".repeat(200), ")".repeat(200)),
        format!("{}1", "-".repeat(200)),
        format!("a[{}1{}]", "(".repeat(200), ")".repeat(200)),
        format!("1{}", "^1".repeat(200)),
    ];
    for text in texts {
        assert!(matches!(parse(&text), Err(Error::BadData(_))), "{text:.20}");
    }
    let chain = |operators| format!("a{}", " + a".repeat(operators));
    assert!(parse(&chain(190)).is_ok());
    assert!(matches!(parse(&chain(1_900)), Err(Error::BadData(_))), "a tree as high as that is too high");
}
