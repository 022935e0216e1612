use proptest::prelude::*;

use super::{Format, described, fault, read, shown};
use crate::exposition::{ExpositionError, Options, decode};

#[test]
fn the_text_format_is_read_as_prometheus_reads_it() {
    let body = r#"# HELP http_requests_total The total number of "requests", \\ and\nmore.
# TYPE http_requests_total counter
http_requests_total{method="post",code="200"} 1027 1395066363000
http_requests_total{method="post",code="400"}    3 -1395066363000

# Escaping in label values, and a trailing comma:
msdos_file_access_time_seconds{path="C:\\DIR\\FILE.TXT",error="Cannot find file:\n\"FILE.TXT\"",} 1.458255915e9
   metric_without_timestamp_and_labels 12.47
something_weird { problem = "division by zero" , empty="" } +Inf
	tabs	-Inf	1
nothing NaN
# TYPE rpc_duration_seconds summary
rpc_duration_seconds{quantile="0.50"} 4773
rpc_duration_seconds_count 2693
# TYPE took histogram
took_bucket{le="1"} 1
took_bucket{le="0.005"} 0
took_bucket{le="1000000"} 2
took_bucket{le="+Inf"} 2
# TYPE other untyped
other{le="1"} 1e-3"#;
    let exposition = read(Format::Text, body).expect("a body");
    assert_eq!(
        shown(&exposition),
        [
            r#"http_requests_total{code="200", method="post"} 1027 @1395066363000"#,
            r#"http_requests_total{code="400", method="post"} 3 @-1395066363000"#,
            r#"msdos_file_access_time_seconds{error="Cannot find file:\n\"FILE.TXT\"", path="C:\\DIR\\FILE.TXT"} 1458255915"#,
            "metric_without_timestamp_and_labels 12.47",
            r#"something_weird{empty="", problem="division by zero"} inf"#,
            "tabs -inf @1",
            "nothing NaN",
            r#"rpc_duration_seconds{quantile="0.5"} 4773"#,
            "rpc_duration_seconds_count 2693",
            r#"took_bucket{le="1.0"} 1"#,
            r#"took_bucket{le="0.005"} 0"#,
            r#"took_bucket{le="1e+06"} 2"#,
            r#"took_bucket{le="+Inf"} 2"#,
            r#"other{le="1"} 0.001"#,
        ]
    );
    assert_eq!(
        described(&exposition),
        [
            "http_requests_total: counter \"\" \"The total number of \\\"requests\\\", \\\\ and\\nmore.\"",
            "rpc_duration_seconds: summary \"\" \"\"",
            "took: histogram \"\" \"\"",
            "other: unknown \"\" \"\"",
        ]
    );
}

#[test]
fn names_in_utf8_stand_in_quotes() {
    let body = "# TYPE \"http.größe\" gauge\n{\"http.größe\",\"my.label\"=\"é\",b=\"1\"} 1\n{b=\"2\",\"http.größe\"} 2\n";
    let exposition = read(Format::Text, body).expect("a body");
    assert_eq!(shown(&exposition), [r#"http.größe{b="1", my.label="é"} 1"#, r#"http.größe{b="2"} 2"#]);
    assert_eq!(described(&exposition), ["http.größe: gauge \"\" \"\""]);
}

#[test]
fn lines_may_end_as_windows_ends_them() {
    let exposition = read(Format::Text, "# TYPE a gauge\r\na 1\r\n\r\nb{c=\"d\"} 2 3\r\n").expect("a body");
    assert_eq!(shown(&exposition), ["a 1", r#"b{c="d"} 2 @3"#]);
}

#[test]
fn what_is_wrong_is_told_with_its_line_and_what_was_expected() {
    let cases = [
        ("a 1\nb\n", "line 2: expected a number, found \"\""),
        ("a 1\n\n{} 1", "line 3: expected the name of the metric in the braces, found \" 1\""),
        ("9a 1", "line 1: expected the name of a metric, found \"9a 1\""),
        ("a{b=\"c\" 1", "line 1: expected a comma or a closing brace, found \"1\""),
        ("a{b=c} 1", "line 1: expected a text in double quotes, found \"c} 1\""),
        ("a{b} 1", "line 1: expected `=` behind the name of a label, found \"} 1\""),
        ("a{b=\"c} 1", "line 1: expected the closing quote of a text, found \"c} 1\""),
        ("a{b=\"c\"", "line 1: expected a comma or a closing brace, found the end of the line"),
        ("a{b:c=\"d\"} 1", "line 1: expected `=` behind the name of a label, found \":c=\\\"d\\\"} 1\""),
        ("a{b=\"1\",b=\"2\"} 1", "line 1: expected each label once, found `b` twice"),
        ("a{__name__=\"b\"} 1", "line 1: expected each label once, found `__name__` twice"),
        ("a one", "line 1: expected a number, found \"one\""),
        ("a 0x10", "line 1: expected a number, found \"0x10\""),
        ("a 1 1.5", "line 1: expected a time in milliseconds, found \"1.5\""),
        ("a 1 1 1", "line 1: expected the end of the line, found \" 1\""),
        ("a 1 1 # {b=\"c\"} 1", "line 1: expected the end of the line, found \" # {b=\\\"c\\\"} 1\""),
        ("# TYPE a thing", "line 1: expected counter, gauge, histogram, summary or untyped, found \"thing\""),
        ("# TYPE 1 gauge", "line 1: expected the name of a metric, found \"1 gauge\""),
        ("<!DOCTYPE html>\n<html>", "line 1: expected the name of a metric, found \"<!DOCTYPE html>\""),
    ];
    for (body, expected) in cases {
        assert_eq!(fault(Format::Text, body), expected, "{body:?}");
    }
    assert_eq!(fault(Format::Text, b"a 1\nb \xff"), "line 2: expected UTF-8, found the byte 0xff");
    let long = format!("a {}", "x".repeat(100_000));
    assert!(fault(Format::Text, long).len() < 200, "an error quotes only the beginning");
}

#[test]
fn a_body_takes_no_more_memory_than_is_allowed() {
    let body = "a 1\n".repeat(100_000);
    let options = Options {
        max_bytes: 100_000,
        native_histograms: true,
        classic_histograms: false,
        custom_histograms: false,
    };
    let error = decode(Format::Text, body.as_bytes(), &options).expect_err("too large");
    assert_eq!(error, ExpositionError::TooLarge { limit: 100_000 });
    let told: String = (0..10_000).map(|number| format!("# HELP a{number} {}\n", "x".repeat(100))).collect();
    let error = decode(Format::Text, told.as_bytes(), &options).expect_err("too large");
    assert_eq!(error, ExpositionError::TooLarge { limit: 100_000 });
}

/// A text of pieces that bodies are made of.
fn nearly_a_body() -> impl Strategy<Value = String> {
    let pieces = prop_oneof![
        "[a-z{}\",=# \\\\\n0-9.é]{0,6}",
        Just("# TYPE ".to_owned()),
        Just("# HELP ".to_owned()),
        Just("# EOF".to_owned()),
        Just(" # {".to_owned()),
        Just("histogram".to_owned()),
        Just("a{b=\"c\"} 1\n".to_owned()),
        Just("le=\"".to_owned()),
    ];
    proptest::collection::vec(pieces, 0..20).prop_map(|pieces| pieces.concat())
}

proptest! {
    #[test]
    fn hostile_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        crate::fuzzing::exposition(&bytes);
    }

    #[test]
    fn hostile_texts_never_panic(body in nearly_a_body()) {
        crate::fuzzing::exposition(body.as_bytes());
    }

    #[test]
    fn any_labels_and_values_are_read_back(
        labels in proptest::collection::btree_map("[a-z_]{1,5}", "[^\u{0}]{1,10}", 0..5),
        value: f64,
        time in proptest::option::of(-1_000_000i64..1_000_000),
    ) {
        let escape = |text: &str| text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n");
        let pairs: Vec<String> = labels.iter().map(|(name, text)| format!("{name}=\"{}\"", escape(text))).collect();
        let time_text = time.map(|time| format!(" {time}")).unwrap_or_default();
        let body = format!("m{{{}}} {value}{time_text}\n", pairs.join(","));
        let exposition = read(Format::Text, &body).expect("a body");
        let sample = exposition.samples().next().expect("a sample");
        let back: std::collections::BTreeMap<String, String> = sample
            .labels
            .iter()
            .filter(|(name, _)| *name != "__name__")
            .map(|(name, text)| (name.to_owned(), text.to_owned()))
            .collect();
        prop_assert_eq!(back, labels);
        prop_assert!(sample.value == value || (sample.value.is_nan() && value.is_nan()));
        prop_assert_eq!(sample.time_ms, time);
    }
}
