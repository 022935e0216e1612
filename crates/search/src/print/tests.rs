use proptest::prelude::*;

use crate::lex::KEYWORDS;
use crate::{Check, Comparison, End, Form, Literal, Name, Node, Part, Shape, Span, parse};

/// Texts with everything in them that means something in a query.
fn text() -> impl Strategy<Value = String> {
    let odd = [
        "_exists_", "and", "*", "?", ":", "::", "//", "..", "1..5", "-", "-5", "+", "!", "!=", ">", "=",
        "&&", "||", "(", ")", "[", "}", "\"", "\\", "/", "a b", "\n", "\u{a0}", "\u{fc}", "a.b", "a-b",
        "now..", "a@b",
    ];
    let words = KEYWORDS.into_iter().chain(odd).map(str::to_owned).collect::<Vec<_>>();
    prop_oneof![
        "[a-z0-9_.-]{1,8}",
        proptest::sample::select(words.clone()),
        proptest::collection::vec(proptest::sample::select(words), 2..4).prop_map(|words| words.concat()),
        proptest::collection::vec(any::<char>(), 1..5).prop_map(String::from_iter),
    ]
}

fn glob() -> impl Strategy<Value = Form> {
    let part = prop_oneof![text().prop_map(Part::Text), Just(Part::Any), Just(Part::One)];
    proptest::collection::vec(part, 1..5).prop_filter_map("a star alone is no pattern", |parts| {
        let mut one_by_one: Vec<Part> = Vec::new();
        for part in parts {
            match (one_by_one.last_mut(), part) {
                (Some(Part::Text(text)), Part::Text(more)) => text.push_str(&more),
                (Some(Part::Any), Part::Any) => {}
                (_, part) => one_by_one.push(part),
            }
        }
        let has_wildcard = one_by_one.iter().any(|part| !matches!(part, Part::Text(_)));
        (has_wildcard && one_by_one != [Part::Any]).then_some(Form::Glob(one_by_one))
    })
}

fn regex() -> impl Strategy<Value = Form> {
    let patterns = ["a", "a/b", "/", "\\d+ x", "\\\\", "[^/]*/", "(a|b)", "\"", "\\.\n"];
    (proptest::sample::select(patterns.to_vec()), any::<bool>())
        .prop_map(|(pattern, ignores_case)| Form::Regex { pattern: pattern.to_owned(), ignores_case })
}

fn literal() -> impl Strategy<Value = Literal> {
    prop_oneof![
        4 => text().prop_map(Form::Word),
        2 => "\\PC{0,6}".prop_map(Form::Quoted),
        1 => text().prop_map(Form::Quoted),
        2 => glob(),
        1 => regex(),
    ]
    .prop_map(|form| Literal { span: Span::default(), form })
}

fn end() -> impl Strategy<Value = End> {
    let form = prop_oneof![text().prop_map(Form::Word), text().prop_map(Form::Quoted)];
    (form, any::<bool>())
        .prop_map(|(form, is_included)| End { literal: Literal { span: Span::default(), form }, is_included })
}

fn check() -> impl Strategy<Value = Check> {
    let comparisons = [
        Comparison::Equal,
        Comparison::NotEqual,
        Comparison::Less,
        Comparison::AtMost,
        Comparison::Greater,
        Comparison::AtLeast,
    ];
    prop_oneof![
        literal().prop_map(Check::Is),
        (proptest::sample::select(comparisons.to_vec()), literal())
            .prop_map(|(comparison, literal)| Check::Compare(comparison, literal)),
        (end(), end()).prop_map(|(low, high)| Check::Range { low: Some(low), high: Some(high) }),
        end().prop_map(|low| Check::Range { low: Some(low), high: None }),
        end().prop_map(|high| Check::Range { low: None, high: Some(high) }),
        Just(Check::Exists),
    ]
}

fn node(shape: Shape) -> Node {
    Node { span: Span::default(), shape }
}

fn tree() -> impl Strategy<Value = Node> {
    let field =
        (text(), check()).prop_map(|(text, check)| Shape::Field(Name { span: Span::default(), text }, check));
    let leaf = prop_oneof![
        4 => literal().prop_map(Shape::Text),
        4 => field,
        1 => Just(Shape::All),
    ]
    .prop_map(node);
    leaf.prop_recursive(5, 40, 4, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 2..4).prop_map(Node::and),
            proptest::collection::vec(inner.clone(), 2..4).prop_map(Node::or),
            inner.prop_map(|part| node(Shape::Not(Box::new(part)))),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4_000, ..Default::default() })]
    #[test]
    fn every_tree_is_read_as_itself_when_it_is_written(tree in tree()) {
        let written = tree.to_string();
        let again = parse(&written).map(|parsed| parsed.tree.without_places());
        prop_assert_eq!((again, &written), (Ok(tree), &written));
    }
}

#[test]
fn what_means_something_is_escaped_only_where_it_does() {
    let word = |text: &str| Literal { span: Span::default(), form: Form::Word(text.to_owned()) };
    let cases = [
        ("a:b", "a\\:b", "a:b"),
        ("-15m", "\\-15m", "-15m"),
        ("/api/v1", "\\/api/v1", "\\/api/v1"),
        ("1..5", "1.\\.5", "1.\\.5"),
        ("AND", "\\AND", "\\AND"),
        ("a b", "a\\ b", "a\\ b"),
        ("50%", "50%", "50%"),
        ("gr\u{f6}\u{df}e", "gr\u{f6}\u{df}e", "gr\u{f6}\u{df}e"),
    ];
    for (text, bare, value) in cases {
        assert_eq!(node(Shape::Text(word(text))).to_string(), bare);
        assert_eq!(word(text).to_string(), value);
    }
}
