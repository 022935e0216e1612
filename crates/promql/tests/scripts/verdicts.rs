//! What the runner of scripts says of scripts that are wrong: a runner that passes everything would show nothing.

use std::sync::Arc;

use store::TelemetryStore;

use crate::memory::MemoryStore;
use crate::report;
use crate::runner::{self, Tally};

/// What every evaluation here finds; it begins on the line behind.
const DATA: &str = r#"load 1m
  a{n="1"} 1 2 3
  a{n="2"} 4 5 6
  h {{count:1 sum:2 buckets:[1]}}x2

"#;
const LINE: &str = "6: ";

fn new_store() -> Arc<dyn TelemetryStore> {
    Arc::new(MemoryStore::default())
}

fn tally(script: &str) -> Tally {
    runner::run(script, &new_store)
}

/// Asserts that an evaluation passes, and that it fails after each change: what is replaced, by what, and what is said
/// then.
#[track_caller]
fn check(right: &str, changes: &[(&str, &str, &str)]) {
    let passed = tally(&format!("{DATA}{right}"));
    assert!(passed.passed == 1 && passed.failures.is_empty(), "{right}: {passed:?}");
    for (from, to, said) in changes {
        assert!(right.contains(from), "{right} has no {from}");
        let wrong = right.replacen(from, to, 1);
        let failed = tally(&format!("{DATA}{wrong}"));
        assert_eq!((failed.passed, failed.failures.len()), (0, 1), "{wrong}: {failed:?}");
        let told = failed.failures[0].to_string();
        assert!(told.starts_with(LINE) && told.contains(said), "{wrong}: {told}");
    }
}

#[test]
fn a_number_that_is_wrong_by_more_than_rounding_fails() {
    let changes = [
        ("2.000001", "2.00001", r#"expected a{n="1"} Value(2.00001)"#),
        ("2.000001", "0", r#"expected a{n="1"} Value(0.0)"#),
        ("2.000001", "NaN", r#"expected a{n="1"} Value(NaN)"#),
        ("2.000001", "{{count:2}}", r#"expected a{n="1"} Histogram("#),
    ];
    check("eval instant at 1m a{n=\"1\"}\n  a{n=\"1\"} 2.000001\n", &changes);
}

#[test]
fn a_histogram_that_is_wrong_in_any_part_fails() {
    let right = "eval instant at 1m h\n  h {{count:1 sum:2 buckets:[1]}}\n";
    let changes = [
        ("count:1", "count:2"),
        ("sum:2", "sum:3"),
        ("buckets:[1]", "buckets:[2]"),
        ("buckets:[1]", "offset:1 buckets:[1]"),
        ("buckets:[1]", "n_buckets:[1]"),
        ("buckets:[1]", "z_bucket:1"),
        ("count:1", "schema:1 count:1"),
        ("count:1", "z_bucket_w:0.5 count:1"),
        ("count:1", "counter_reset_hint:gauge count:1"),
    ];
    for (from, to) in changes {
        check(right, &[(from, to, "expected h Histogram(")]);
    }
    check(right, &[("{{count:1 sum:2 buckets:[1]}}", "1", "expected h Value(1.0)")]);
}

#[test]
fn a_series_that_is_missing_and_one_that_is_not_expected_fail() {
    let changes = [
        (
            "  a{n=\"2\"} 5\n",
            "  a{n=\"2\"} 5\n  a{n=\"3\"} 8\n",
            r#"expected a{n="3"} Value(8.0), found None"#,
        ),
        ("  a{n=\"2\"} 5\n", "  a{n=\"two\"} 5\n", r#"expected a{n="two"}"#),
        ("  a{n=\"2\"} 5\n", "  {n=\"2\"} 5\n", r#"expected {n="2"}"#),
        ("  a{n=\"2\"} 5\n", "", "more than expected"),
        // As many as there are, and yet one of them is not among them.
        ("  a{n=\"2\"} 5\n", "  a{n=\"1\"} 2\n", "more than expected"),
        ("  a{n=\"1\"} 2\n  a{n=\"2\"} 5\n", "", "more than expected"),
    ];
    check("eval instant at 1m a\n  a{n=\"1\"} 2\n  a{n=\"2\"} 5\n", &changes);
    let changes = [
        ("  a{n=\"2\"} 4 5\n", "  a{n=\"2\"} 4 5\n  a{n=\"3\"} 7 8\n", r#"expected a{n="3"}"#),
        ("  a{n=\"2\"} 4 5\n", "", "more than expected"),
        ("  a{n=\"2\"} 4 5\n", "  a{n=\"1\"} 1 2\n", "more than expected"),
    ];
    check("eval range from 0 to 1m step 1m a\n  a{n=\"1\"} 1 2\n  a{n=\"2\"} 4 5\n", &changes);
}

#[test]
fn a_point_of_a_range_that_is_wrong_missing_or_too_much_fails() {
    let points = ["1 2 4", "1 2 3 4", "1 2", "_ 2 3", "1 2 _ 3", "1 {{count:2}} 3"];
    for wrong in points {
        let said = [("1 2 3", wrong, "expected a{n=\"1\"} [(")];
        check("eval range from 0 to 2m step 1m a{n=\"1\"}\n  a{n=\"1\"} 1 2 3\n", &said);
    }
    let changes = [
        ("2 3", "2 4", "expected a{n=\"1\"} [("),
        ("from 1m", "from 0", "expected a{n=\"1\"} [("),
        ("step 1m", "step 30s", "expected a{n=\"1\"} [("),
    ];
    let right =
        "eval instant at 2m a{n=\"1\"}[2m]\n  expect range vector from 1m to 2m step 1m\n  a{n=\"1\"} 2 3\n";
    check(right, &changes);
}

#[test]
fn another_order_fails_where_one_is_expected_and_only_there() {
    const RIGHT: &str = "  a{n=\"2\"} 5\n  a{n=\"1\"} 2\n";
    const TURNED: &str = "  a{n=\"1\"} 2\n  a{n=\"2\"} 5\n";
    let query = "instant at 1m sort_desc(a)";
    let change = [(RIGHT, TURNED, r#"expected a{n="1"} Value(2.0), found Some("#)];
    check(&format!("eval {query}\n  expect ordered\n{RIGHT}"), &change);
    check(&format!("eval_ordered {query}\n{RIGHT}"), &change);
    check(&format!("eval {query}\n{TURNED}"), &[]);
}

#[test]
fn an_answer_of_another_kind_fails() {
    let changes = [("\n  2", "\n  3", "the answer is Scalar"), ("\n  2", "\n  {} 2", "the answer is Scalar")];
    check("eval instant at 0 1 + 1\n  2\n", &changes);
    check("eval instant at 0 vector(2)\n  {} 2\n", &[("  {} 2", "  2", "the answer is Vector")]);
    let changes = [
        ("string \"b\"", "string \"c\"", "the answer is Text"),
        ("expect string \"b\"", "1", "the answer is Text"),
    ];
    check("eval instant at 0 \"b\"\n  expect string \"b\"\n", &changes);
}

#[test]
fn a_note_that_is_missing_and_one_that_is_not_expected_fail() {
    let changes = [
        ("expect warn", "expect no_warn", "warnings that are not expected"),
        ("expect warn", "expect warn msg: another", "expected warning Exactly(\"another\")"),
        ("expect warn", "expect warn regex: ^another", "expected warning Pattern("),
        ("1.5", "0.5", "expected warning Any, there are []"),
    ];
    check("eval instant at 1m quantile(1.5, a)\n  expect warn\n  {} Inf\n", &changes);
    check("eval_warn instant at 1m quantile(1.5, a)\n  {} Inf\n", &[("1.5", "0.5", "expected warning Any")]);
    let two = "eval instant at 1m quantile(1.5, a) + quantile(-1, a)\n  expect warn regex: 1\\.5\n  expect warn regex: -1\n  {} NaN\n";
    check(
        two,
        &[("  expect warn regex: -1\n", "", "warning that is not expected: PromQL warning: quantile")],
    );
    let changes = [
        ("expect info", "expect no_info", "infos that are not expected"),
        ("expect info", "expect info msg: another", "expected info Exactly(\"another\")"),
        ("h + 1", "h * 1", "expected info Any, there are []"),
    ];
    check("eval instant at 1m h + 1\n  expect info\n", &changes);
    check("eval_info instant at 1m h + 1\n", &[("h + 1", "h * 1", "expected info Any")]);
}

#[test]
fn a_query_that_does_not_fail_as_is_expected_fails() {
    let fails = "label_replace(a, \"n\", \"1\", \"\", \"\")";
    let said = "vector cannot contain metrics with the same labelset";
    let not_failed = ("(a,", "(a{n=\"2\"},", "the query did not fail: Vector(");
    let changes = [
        not_failed,
        ("expect fail", "expect fail msg: another", "the query failed: vector cannot"),
        ("expect fail", "expect fail regex: ^another", "the query failed: "),
        ("  expect fail\n", "", "the query failed: "),
    ];
    check(&format!("eval instant at 0 {fails}\n  expect fail\n"), &changes);
    let deprecated = format!("eval_fail instant at 0 {fails}\n");
    check(&deprecated, &[not_failed]);
    let message = format!("{deprecated}  expected_fail_message {said}\n");
    check(&message, &[("same labelset\n", "same\n", "the query failed: ")]);
    let pattern = format!("{deprecated}  expected_fail_regexp the same label(set|s)$\n");
    check(&pattern, &[("(set|s)", "(ling|s)", "the query failed: ")]);
    let unreadable = "eval instant at 0 sum(\n  expect fail regex: parse error\n";
    check(unreadable, &[("regex:", "msg:", "sum( -- the query failed: 1:5: parse error: ")]);
}

#[test]
fn of_a_script_that_cannot_be_read_the_line_is_told_and_nothing_is_run() {
    let cases = [
        ("loadx 1m\n  a 1\n", 1, "`loadx` is an unknown command"),
        ("load\n  a 1\n", 1, "a load needs a step"),
        ("load soon\n  a 1\n", 1, "`soon`"),
        ("load 1m\n  a 1\n  b much\n", 3, "`much` is no point of a series"),
        ("load 1m\n  a 1\n  b@st 0\n", 3, "starts (`@st`) have no samples"),
        ("# What is said.\n\nclearly\n", 3, "`clearly` is an unknown command"),
        ("eval_loud instant at 0 1\n", 1, "`eval_loud` is an unknown command"),
        ("eval instance at 0 1\n", 1, "`instance` is neither instant nor range"),
        ("eval range from 0 until 1m step 1m a\n", 1, "`until` stands where `to` is expected"),
        ("eval instant at 0 1\n  1\n  expect nothing\n", 3, "`nothing` is nothing to expect"),
        ("eval instant at 0 a\n  expect fail regex: (\n", 2, "unclosed group"),
        ("eval instant at 0 a\n  expect warn mgs: typed in haste\n", 2, "begins neither with `msg:`"),
        ("eval instant at 0 a\n  expected_fail_messages b\n", 2, "`b` is no point of a series"),
    ];
    for (text, line, said) in cases {
        let tally = tally(&format!("eval instant at 0 1\n  1\n\n{text}"));
        assert_eq!((tally.passed, tally.failures.len()), (0, 1), "{text}: {tally:?}");
        let told = tally.failures[0].to_string();
        let begin = format!("{}: the script cannot be read: ", line + 3);
        assert!(told.starts_with(&begin) && told.contains(said), "{text}: {told}");
    }
}

#[test]
fn each_failure_is_told_with_its_file_and_line_and_the_last_line_counts() {
    let folder = tempfile::tempdir().expect("a folder");
    let file = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).expect("a file can be written");
        path.display().to_string()
    };
    let right = file("right.test", "eval instant at 0 1\n  1\n\neval instant at 0 2\n  2\n");
    let wrong = file("wrong.test", "eval instant at 0 1\n  1\n\neval instant at 0 2 ^ 2\n  5\n");
    let unreadable = file("unreadable.test", "clear\n\neval instant at 0 1\n  expect nothing\n");
    let missing = folder.path().join("missing.test").display().to_string();
    let run = |files: &[&String]| {
        let files: Vec<String> = files.iter().map(|file| (*file).clone()).collect();
        let mut told = Vec::<u8>::new();
        let code = report::run(&files, &new_store, &mut told).expect("memory takes all that is written");
        (code, String::from_utf8(told).expect("a text"))
    };
    assert_eq!(run(&[&right]), (0, "2 passed, 0 failed\n".to_owned()));
    let (code, told) = run(&[&wrong, &unreadable, &missing, &right]);
    let lines: Vec<&str> = told.lines().collect();
    let [first, second, third, last] = &lines[..] else { panic!("{told}") };
    assert!(first.starts_with(&format!("{wrong}:4: 2 ^ 2 -- the answer is Scalar(")), "{first}");
    let unreadable = format!("{unreadable}:4: the script cannot be read: `nothing` is nothing to expect");
    assert_eq!((code, *second, *last), (1, &*unreadable, "3 passed, 3 failed"));
    assert!(third.starts_with(&format!("{missing}: ")), "{third}");
}
