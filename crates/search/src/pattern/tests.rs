use super::*;

fn text(text: &str) -> Part {
    Part::Text(text.to_owned())
}

#[test]
fn wildcards_match_whole_texts() {
    let cases = [
        (vec![text("time"), Part::Any], "timeout", true),
        (vec![text("time"), Part::Any], "time", true),
        (vec![text("time"), Part::Any], "overtime", false),
        (vec![Part::Any], "", true),
        (vec![Part::Any, text("out")], "timeout", true),
        (vec![Part::Any, text("out")], "outer", false),
        (vec![text("db"), Part::One], "db7", true),
        (vec![text("db"), Part::One], "db", false),
        (vec![text("db"), Part::One], "db77", false),
        (vec![text("d"), Part::One, text("b")], "d\u{fc}b", true),
        (vec![text("a"), Part::Any, text("b")], "a\nb", true),
        (vec![text("a.b"), Part::Any, text("(")], "a.b(", true),
        (vec![text("a.b"), Part::Any, text("(")], "axb(", false),
        (vec![text("a"), Part::Any, text("b")], "ab\n", false),
    ];
    for (parts, value, expected) in cases {
        let glob = Glob::new(parts).expect("valid");
        assert_eq!(glob.is_match(value), expected, "{:?} {value:?}", glob.parts());
        assert_eq!(Regex::new(&glob.to_regex()).expect("valid").is_match(value), expected);
    }
}

#[test]
fn a_glob_tells_what_its_matches_begin_with() {
    let cases = [
        (vec![text("time"), Part::Any], "time", true),
        (vec![Part::Any], "", true),
        (vec![text("time"), Part::One], "time", false),
        (vec![Part::One, text("time")], "", false),
    ];
    for (parts, prefix, is_all) in cases {
        assert_eq!(Glob::new(parts).expect("valid").prefix(), (prefix, is_all));
    }
}

#[test]
fn patterns_match_anywhere_and_know_no_case_when_told() {
    let cases = [
        ("time.?out", false, "it timed out, timeout", true),
        ("^timeout", false, "a timeout", false),
        ("TIMEOUT", false, "timeout", false),
        ("TIMEOUT", true, "timeout", true),
    ];
    for (source, ignores_case, value, expected) in cases {
        let pattern = Pattern::new(source, ignores_case).expect("valid");
        assert_eq!(pattern.is_match(value), expected, "{source} {value}");
    }
}

#[test]
fn patterns_of_go_have_the_same_bounds() {
    let too_large = Pattern::of_go(r"(\pL{30}){30}").map(|_| ());
    assert_eq!(too_large, Err(PatternError::TooLarge));
    let too_long = "a".repeat(MAX_PATTERN_BYTES + 1);
    assert_eq!(Pattern::of_go_as_a_whole(&too_long).map(|_| ()), Err(PatternError::TooLong));
    let nested = "(".repeat(100) + &")".repeat(100);
    for read in [Pattern::of_go(&nested), Pattern::of_go_as_a_whole(&nested)] {
        let said = read.expect_err("too deep").to_string();
        assert!(said.starts_with("error parsing regexp: expression nests too deeply"), "{said}");
    }
    // What was written is short; what is made of it need not be.
    let dots = r"\.".repeat(MAX_PATTERN_BYTES / 2);
    assert!(Pattern::of_go(&dots).expect("short enough").is_match(&".".repeat(MAX_PATTERN_BYTES / 2)));
}

#[test]
fn patterns_that_are_wrong_or_too_large_are_refused_in_one_line() {
    assert_eq!(Pattern::new("(", false).map(|_| ()), Err(PatternError::Syntax("unclosed group".to_owned())));
    let too_large = ["a{1000}{1000}{1000}", "(?:\\w{50}){50}"];
    for source in too_large {
        assert_eq!(Pattern::new(source, false).map(|_| ()), Err(PatternError::TooLarge), "{source}");
    }
    let too_long = "a".repeat(MAX_PATTERN_BYTES + 1);
    assert_eq!(Pattern::new(&too_long, false).map(|_| ()), Err(PatternError::TooLong));
    let nested = "(".repeat(100) + &")".repeat(100);
    assert!(matches!(Pattern::new(&nested, false), Err(PatternError::Syntax(_))));
    let glob = Glob::new(vec![Part::One; MAX_PATTERN_BYTES + 1]);
    assert_eq!(glob.map(|_| ()), Err(PatternError::TooLong));
}
