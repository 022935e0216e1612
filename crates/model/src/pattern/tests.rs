//! What is expected was asked of a real Prometheus (`promtool check config`, a relabelling rule with each pattern), whose
//! frame around patterns is left out of what it says. Two things it answers otherwise: `(?<name>…)` is younger than
//! Debian's, and two groups of one name are taken by it.

use regex::Regex;

use super::{SyntaxError, anchored, anywhere};

/// As the library compiles what was read of a pattern that must match a whole text.
fn whole(pattern: &str) -> Result<Regex, SyntaxError> {
    anchored(pattern).map(|read| Regex::new(&read).expect("what is read is known to the library"))
}

/// As [`whole`], of one that matches anywhere.
fn any(pattern: &str) -> Result<Regex, SyntaxError> {
    anywhere(pattern).map(|read| Regex::new(&read).expect("what is read is known to the library"))
}

#[test]
fn patterns_match_what_they_match_in_go() {
    let cases: &[(&str, &[&str], &[&str])] = &[
        // ASCII, and not Unicode.
        (r"\w+", &["abc_1"], &["é", "日", ""]),
        (r"\W", &["é", "-"], &["a"]),
        (r"\d", &["7"], &["٣"]),
        (r"\D", &["٣"], &["7"]),
        (r"\s", &[" ", "\t", "\n", "\x0C", "\r"], &["\u{a0}", "\x0B"]),
        (r"\S", &["\u{a0}", "\x0B"], &[" "]),
        (r"[^\W]", &["a"], &["é"]),
        (r"[\d\S]", &["é"], &[" "]),
        (r"é\bx", &["éx"], &[]),
        (r"é\Bé", &["éé"], &[]),
        (r"a\b-", &["a-"], &[]),
        // Letters that are others in small, as Go folds them.
        (r"(?i)\w+", &["a\u{17F}\u{212A}"], &["é"]),
        (r"(?i)\W", &["é"], &["\u{17F}"]),
        ("(?i)été", &["ÉTÉ"], &[]),
        // No calculations with classes, and no classes in classes.
        ("[a-z&&b]+", &["xyz&b"], &["-"]),
        ("[a-p--b]", &["a", "-", "A"], &["q", ","]),
        ("[a~~b]+", &["a~b"], &["c"]),
        ("[[a-z]+", &["[az"], &["A"]),
        ("[a[b]]", &["b]", "[]"], &["b", "]"]),
        ("[]a]+", &["]a"], &["b"]),
        ("[^]a]", &["b"], &["]"]),
        ("[a-]", &["a", "-"], &["b"]),
        ("[-a]", &["a", "-"], &["b"]),
        ("[a-c-e]+", &["abc-e"], &["d"]),
        ("[a^]+", &["a^"], &["b"]),
        (r"[\d-z]+", &["1-z"], &["a"]),
        ("[[=a=]]", &["a]", "[]", "=]"], &["a"]),
        ("[[:alpha]+", &["[:alph"], &["z"]),
        ("[[:word:]]+", &["a_1"], &["é"]),
        ("[[:^alpha:]x]+", &["1x-"], &["a"]),
        ("[[:space:]]", &["\x0B"], &["a"]),
        (r"[^\x00-\x{10FFFF}]", &[], &["a", ""]),
        (r"[\x{D700}-\x{E001}]", &["\u{D7FF}", "\u{E000}"], &["a"]),
        (r"\x{D800}|[\x{D800}]|\p{Cs}", &[], &["a", ""]),
        (r"[^\x{DFFF}]|[\P{Cs}]", &["a"], &[""]),
        // Quotations.
        (r"\Qa.b\E", &["a.b"], &["axb"]),
        (r"\Q127.0.0.1\E:(\d+)", &["127.0.0.1:80"], &["127x0.0.1:80"]),
        (r"\Qab\E+", &["abb"], &["abab"]),
        (r"a\Q\E*", &["aa"], &["b"]),
        (r"\Q[a\\E", &[r"[a\"], &[]),
        // Escapes.
        (r"\141\0\07\0123", &["a\0\x07\n3"], &[]),
        (r"\x61\x{62}\x{00000063}\x{1F40E}", &["abc🐎"], &[]),
        (r"\a\f\v\_\-\<\>\ \!", &["\x07\x0C\x0B_-<> !"], &[]),
        (r"\Aa\z", &["a"], &["a\n"]),
        (r"a\b{start}", &["a{start}"], &["a"]),
        (r"\pN\p{Greek}\PL[\p{^Greek}]", &["5α-a"], &["5a-a", "5α-β"]),
        (r"\p{Any}\p{Lu}", &["aA"], &["aa"]),
        // Braces that repeat nothing.
        ("x{foo", &["x{foo"], &["x"]),
        ("a{b}{,2}", &["a{b}{,2}"], &[]),
        ("a{}", &["a{}"], &[]),
        ("{{1,2}}", &["{}", "{{}"], &[]),
        ("x{01}", &["x{01}"], &["x"]),
        ("a{1}b{2,}c{3,4}", &["abbbcccc"], &["abccc"]),
        // Groups and flags.
        ("(?P<n>a)(?<m>b)", &["ab"], &[]),
        ("(?ii)a(?-i)b", &["Ab"], &["AB"]),
        ("x(?i)*y", &["xxY"], &["XY"]),
        ("(?i:a)b|(?-s).", &["Ab", "c"], &["AB", "\n"]),
        ("((?i)a)b", &["Ab"], &["AB"]),
        ("a(?i)b|c", &["aB", "C"], &["AB"]),
        ("a.b", &["a\nb"], &[]),
        ("^*a$*|()|(|b)*", &["a", "", "bb"], &[]),
        ("a b#c", &["a b#c"], &[]),
    ];
    for &(pattern, matched, others) in cases {
        let regex = whole(pattern).unwrap_or_else(|error| panic!("{pattern}: {error}"));
        for text in matched {
            assert!(regex.is_match(text), "{pattern} {text:?} {regex}");
        }
        for text in others {
            assert!(!regex.is_match(text), "{pattern} {text:?} {regex}");
        }
    }
}

#[test]
fn groups_capture_what_they_capture_in_go() {
    let cases = [
        ("(a+)(a*)", "aaa", ["aaa", ""]),
        ("(a+?)(a*)", "aaa", ["a", "aa"]),
        ("(?U)(a+)(a*)", "aaa", ["a", "aa"]),
        ("(?U)(a+?)(?-U)(a*)", "aaa", ["aaa", ""]),
        // A flag stands before the repetition of what stands before the flag.
        ("(a(?U)*)(a*)", "aaa", ["", "aaa"]),
        // A repetition of a repetition, and not one that takes little.
        (r"(a*\Q\E?)(a*)", "aaa", ["aaa", ""]),
        (r"(?P<first>\w+):(.*)", "a:b:c", ["a", "b:c"]),
    ];
    for (pattern, text, expected) in cases {
        let captures = whole(pattern).expect("valid").captures(text).expect("it matches");
        assert_eq!([&captures[1], &captures[2]], expected, "{pattern}");
    }
}

#[test]
fn what_matches_anywhere_has_lines() {
    let regex = any("a.b").expect("valid");
    assert!(regex.is_match("xaxbx") && !regex.is_match("a\nb"));
    assert!(any("(?s)a.b").expect("valid").is_match("a\nb"));
    assert!(any("(?m)^b$").expect("valid").is_match("a\nb"));
    assert!(any(r"\Qa.b").expect("nothing stands behind it").is_match("a.b"));
}

#[test]
fn what_go_refuses_is_refused_in_its_words() {
    let cases = [
        ("[a", "missing closing ]: `[a`"),
        ("[]", "missing closing ]: `[]`"),
        ("[^]", "missing closing ]: `[^]`"),
        (r"[a\]", r"missing closing ]: `[a\]`"),
        ("x[[:alpha:", "missing closing ]: `[[:alpha:`"),
        ("(a", "missing closing ): `(a`"),
        (r"\Qa", r"missing closing ): `^(?s:\Qa)$`"),
        ("a)", "unexpected ): `a)`"),
        ("a)|(b", "unexpected ): `a)|(b`"),
        (r"a\", "trailing backslash at end of expression: ``"),
        ("app**", "invalid nested repetition operator: `**`"),
        ("a+?*", "invalid nested repetition operator: `+?*`"),
        ("a*+?b", "invalid nested repetition operator: `*+?`"),
        ("a{2}{3}", "invalid nested repetition operator: `{2}{3}`"),
        ("a{1}*", "invalid nested repetition operator: `{1}*`"),
        ("a{1,1001}", "invalid repeat count: `{1,1001}`"),
        ("x{2,1}", "invalid repeat count: `{2,1}`"),
        ("a{99999999999,1}", "invalid repeat count: `{99999999999,1}`"),
        ("a*{1,2000}", "invalid repeat count: `{1,2000}`"),
        ("(x{1000}){2}?", "invalid repeat count: `{2}?`"),
        ("((x{10}){10}|y){11}", "invalid repeat count: `{11}`"),
        ("*", "missing argument to repetition operator: `*`"),
        ("**", "missing argument to repetition operator: `*`"),
        ("(+?)", "missing argument to repetition operator: `+?`"),
        ("a|{2}", "missing argument to repetition operator: `{2}`"),
        ("(?i)*", "missing argument to repetition operator: `*`"),
        ("(?x)a", "invalid or unsupported Perl syntax: `(?x`"),
        ("(?u)a", "invalid or unsupported Perl syntax: `(?u`"),
        ("(?i-)a", "invalid or unsupported Perl syntax: `(?i-)`"),
        ("(?--i)a", "invalid or unsupported Perl syntax: `(?--`"),
        ("(?=a)", "invalid or unsupported Perl syntax: `(?=`"),
        ("(?P=n)", "invalid or unsupported Perl syntax: `(?P`"),
        ("(?P<n a>a)", "invalid named capture: `(?P<n a>`"),
        ("(?P<>a)", "invalid named capture: `(?P<>`"),
        ("(?P<n", "invalid named capture: `(?P<n`"),
        ("(?<n>a)|(?P<n>b)", "duplicate capture group name: `(?P<n>`"),
        (r"\u0061", r"invalid escape sequence: `\u`"),
        (r"\Z", r"invalid escape sequence: `\Z`"),
        (r"\C", r"invalid escape sequence: `\C`"),
        (r"\8", r"invalid escape sequence: `\8`"),
        (r"\1", r"invalid escape sequence: `\1`"),
        (r"\é", r"invalid escape sequence: `\é`"),
        (r"\E", r"invalid escape sequence: `\E`"),
        (r"[\b]", r"invalid escape sequence: `\b`"),
        (r"[a-\d]", r"invalid escape sequence: `\d`"),
        (r"\x{110000}", r"invalid escape sequence: `\x{110000`"),
        (r"\x{}", r"invalid escape sequence: `\x{}`"),
        (r"\x4)", r"invalid escape sequence: `\x4)`"),
        ("[z-a]", "invalid character class range: `z-a`"),
        ("[a-[:alpha:]]", "invalid character class range: `a-[`"),
        ("[[:foo:]]", "invalid character class range: `[:foo:]`"),
        (r"\p{Foo}", r"invalid character class range: `\p{Foo}`"),
        (r"\p{Alphabetic}", r"invalid character class range: `\p{Alphabetic}`"),
        (r"\pQ", r"invalid character class range: `\pQ`"),
        (r"\p{L", r"invalid character class range: `\p{L`"),
    ];
    for (pattern, expected) in cases {
        let error = anchored(pattern).expect_err(pattern).to_string();
        assert_eq!(error.strip_prefix("error parsing regexp: "), Some(expected), "{pattern}");
    }
}

#[test]
fn counts_in_each_other_come_to_a_thousand() {
    for pattern in ["((x{10}){10}){10}", "(x{1000}){1}", "(x{1000}){0}{", "(x{1000}){0,}", "(x{1000})*"] {
        assert!(anchored(pattern).is_ok(), "{pattern}");
    }
}

#[test]
fn whatever_is_read_is_known_to_the_library() {
    let pieces = [
        "a", "é", "(", ")", "[", "]", "^", "-", ":", "*", "?", "{2}", "|", "&&", "~~", r"\", "Q", r"\E", "b",
        "d", "P{L}", "(?i)", "(?U", "x", "1", ".", "$", "(?<n>", "<", "[:", ":]",
    ];
    // A generator of one's own, so that every run makes the same patterns.
    let mut state: u64 = 44;
    let mut known = 0;
    for _ in 0..3_000 {
        let mut pattern = String::new();
        for _ in 0..6 {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let index = usize::try_from(state >> 33).expect("31 bits") % pieces.len();
            pattern.push_str(pieces[index]);
        }
        for read in [anchored(&pattern), anywhere(&pattern)].into_iter().flatten() {
            known += 1;
            assert!(Regex::new(&read).is_ok(), "{pattern} {read}");
        }
    }
    assert!(known > 100, "{known}");
}

#[test]
fn long_patterns_take_time_by_their_length() {
    for piece in ["[[:", "[[:a]", "(?i)", "a(?i)b(?-i)", r"a*\Q\E", "{1", r"\pL"] {
        _ = anchored(&piece.repeat(20_000));
    }
    let again = r"a*\Q\E*".to_owned() + &r"\Q\E*".repeat(20_000);
    let error = anchored(&again).expect_err("too deep").to_string();
    assert!(error.starts_with("error parsing regexp: expression nests too deeply"));
}
