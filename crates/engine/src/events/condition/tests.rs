use std::sync::Arc;

use store::{FoldedText, Phrase, TextPattern};

use super::*;

#[test]
fn runs_of_rows_may_satisfy_a_condition_unless_their_bounds_say_no() {
    let texts = |texts: [Option<&str>; 3]| -> ArrayRef { Arc::new(StringArray::from(texts.to_vec())) };
    let (least, greatest) = (texts([Some("b"), Some("d"), None]), texts([Some("c"), Some("e"), None]));
    let cases = [
        (FilterOp::Equal, "a", [false, false, true]),
        (FilterOp::Equal, "c", [true, false, true]),
        (FilterOp::Equal, "d", [false, true, true]),
        (FilterOp::Equal, "f", [false, false, true]),
        (FilterOp::AtLeast, "c", [true, true, true]),
        (FilterOp::AtLeast, "ca", [false, true, true]),
        (FilterOp::Less, "d", [true, false, true]),
        (FilterOp::Less, "b", [false, false, true]),
        (FilterOp::NotEqual, "b", [true, true, true]),
        (FilterOp::Contains, "z", [true, true, true]),
    ];
    for (op, value, expected) in cases {
        let may = may_hold(&Test::Compare(op, value.into()), &least, &greatest).expect("kernels");
        assert_eq!(may.values().iter().collect::<Vec<_>>(), expected, "{op:?} {value}");
    }
    let numbers = |number: f64| -> ArrayRef { Arc::new(Float64Array::from(vec![number])) };
    let may = |op| {
        let test = Test::Compare(op, Value::Number(1.5));
        may_hold(&test, &numbers(1.0), &numbers(1.5)).expect("kernels").value(0)
    };
    let ops = [FilterOp::Equal, FilterOp::AtLeast, FilterOp::Greater, FilterOp::AtMost, FilterOp::Less];
    assert_eq!(ops.map(may), [true, true, false, true, true]);
    assert_eq!(may_hold(&Test::Exists, &least, &greatest).expect("no kernel").true_count(), 3);
}

#[test]
fn words_are_found_where_they_are_no_parts_of_longer_ones() {
    let cases = [
        ("connection to db7 refused", "db7", true),
        ("connection to db77 refused", "db7", false),
        ("connection to my_db7", "db7", false),
        ("db7: refused", "db7", true),
        ("db77 or db7", "db7", true),
        ("db7", "db7", true),
        ("err: no answer", "no answer", true),
        ("err: no answers", "no answer", false),
        ("err(7)", "(7)", true),
        ("err(7)", "err(", true),
        ("terr(7)", "err(", false),
        ("a.b a.b.", "b.", true),
        ("xb a b a b", "b a b", true),
        ("für", "f", false),
        ("anything", "", true),
        ("", "x", false),
    ];
    for (text, value, expected) in cases {
        assert_eq!(has_words(text.as_bytes(), &Finder::new(value)), expected, "{value} in {text}");
    }
}

#[test]
fn numbers_are_compared_with_integers_and_floats_alike() {
    let columns: [ArrayRef; 3] = [
        Arc::new(Int64Array::from(vec![Some(-1), None, Some(3)])),
        Arc::new(UInt64Array::from(vec![Some(1), None, Some(3)])),
        Arc::new(Float64Array::from(vec![Some(2.4), None, Some(2.5)])),
    ];
    for column in &columns {
        let mask = compare_number(column, 2.5, FilterOp::AtLeast).expect("kernel");
        assert_eq!(
            mask.iter().collect::<Vec<_>>(),
            [Some(false), None, Some(true)],
            "{:?}",
            column.data_type()
        );
    }
    for column in &columns[..2] {
        let mask = compare_number(column, 3.0, FilterOp::Equal).expect("kernel");
        assert!(mask.value(2) && !mask.value(0));
    }
    let all = compare_number(&columns[1], -1.0, FilterOp::AtLeast).expect("kernel");
    assert!(all.value(0) && all.value(2));
}

#[test]
fn texts_that_are_gone_over_at_once_are_told_as_one_by_one() {
    let ascii = [
        Some("stage OCR completed"),
        None,
        Some(""),
        Some("completed"),
        Some("incompleted"),
        Some("comp"),
        Some("leted completed_"),
        Some("COMPLETED, ocr Completed"),
        Some(""),
        Some("at the end: ocr"),
    ];
    let beyond = ascii.iter().copied().chain([Some("für ocr"), Some("\u{212a}elvin completed"), None]);
    let all: [ArrayRef; 2] =
        [Arc::new(StringArray::from(ascii.to_vec())), Arc::new(StringArray::from_iter(beyond))];
    let pattern = |text: &str, certain: &str| {
        TextPattern::new(regex::Regex::new(text).expect("a pattern"), [certain.to_owned()])
    };
    let words = ["completed", "ocr completed", "COMPLETED", "kelvin", "leted", "x", "comp"];
    let mut tests: Vec<Test> = words.iter().map(|word| Test::Words(Phrase::of(word))).collect();
    tests.extend(words.iter().map(|part| Test::Contains(FoldedText::new(part))));
    tests.push(Test::Matches(pattern("(?i)ocr.*completed$", "completed")));
    tests.push(Test::Matches(pattern("^completed$", "completed")));
    for column in all.iter().flat_map(|all| [all.clone(), all.slice(2, 6), all.slice(0, 0)]) {
        for test in &tests {
            let one_by_one = each_text(&column, |text| match test {
                Test::Words(phrase) => phrase.is_in(text),
                Test::Contains(part) => part.is_in(text),
                Test::Matches(pattern) => pattern.is_match(text),
                Test::Exists | Test::Compare(..) => unreachable!("there is none"),
            });
            assert_eq!(
                evaluate(&column, test).expect("texts"),
                one_by_one.expect("texts"),
                "{test:?} {column:?}"
            );
        }
    }
}
