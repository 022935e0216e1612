use super::{Signal, heard, wrong};
use crate::otlp::Encoding;

/// A request of one log record.
fn record(fields: &str) -> String {
    format!(r#"{{"resourceLogs":[{{"scopeLogs":[{{"logRecords":[{{{fields}}}]}}]}}]}}"#)
}

/// What is heard of a record, in the words of its fields that are not as they are by default.
fn assert_same(a: &str, b: &str) {
    let [a, b] = [a, b].map(|fields| heard(Signal::Logs, Encoding::Json, record(fields).as_bytes()));
    let a = a.expect("it is right");
    assert_eq!(a.0.len(), 3, "a resource, a scope and a record");
    assert_eq!(Ok(a), b);
}

#[test]
fn whole_numbers_are_texts_or_numbers() {
    assert_same(r#""timeUnixNano":"18446744073709551615""#, r#""timeUnixNano":18446744073709551615"#);
    assert_same(r#""severityNumber":9,"flags":"1""#, r#""severityNumber":"9","flags":1.0"#);
    assert_same(
        r#""body":{"intValue":"-9223372036854775808"}"#,
        r#""body":{"intValue":-9223372036854775808}"#,
    );
}

#[test]
fn severities_may_be_sent_by_their_names_and_what_is_none_is_one_that_there_is_not() {
    for (sent, number) in [
        (r#""SEVERITY_NUMBER_UNSPECIFIED""#, "0"),
        (r#""SEVERITY_NUMBER_TRACE""#, "1"),
        (r#""SEVERITY_NUMBER_INFO""#, "9"),
        (r#""SEVERITY_NUMBER_WARN2""#, "14"),
        (r#""SEVERITY_NUMBER_FATAL4""#, "24"),
        ("25", "25"),
        ("1099511627776", "-1"),
        ("9.5", "-1"),
        (r#""SEVERITY_NUMBER_INFO5""#, "-1"),
        (r#""SEVERITY_NUMBER_""#, "-1"),
        (r#""INFO""#, "-1"),
    ] {
        assert_same(
            &format!(r#""flags":1,"severityNumber":{sent}"#),
            &format!(r#""flags":1,"severityNumber":{number}"#),
        );
    }
}

#[test]
fn texts_that_are_no_times_lie_beyond_all_times() {
    let beyond = u64::MAX;
    for sent in [r#""abc""#, r#""1e18""#, r#""""#, r#""-1""#, "-1", "1180591620717411303424"] {
        assert_same(
            &format!(r#""timeUnixNano":{sent},"observedTimeUnixNano":"5""#),
            &format!(r#""timeUnixNano":"{beyond}","observedTimeUnixNano":"5""#),
        );
    }
}

#[test]
fn ids_are_hexadecimal_in_any_case_and_bytes_are_base64_of_any_kind() {
    assert_same(
        r#""traceId":"5B8EFFF798038103D269B633813FC60C","spanId":"eee19b7ec3c1b174""#,
        r#""traceId":"5b8efff798038103d269b633813fc60c","spanId":"EEE19B7EC3C1B174""#,
    );
    assert_same(r#""body":{"bytesValue":"-_8="}"#, r#""body":{"bytesValue":"+/8"}"#);
}

#[test]
fn numbers_without_a_form_in_json_are_texts() {
    for (text, shown) in [("NaN", "NaN"), ("Infinity", "inf"), ("-Infinity", "-inf"), ("1.5", "1.5")] {
        let body = record(&format!(r#""body":{{"doubleValue":"{text}"}}"#));
        let heard = heard(Signal::Logs, Encoding::Json, body.as_bytes()).expect("it is right");
        assert!(heard.0[2].contains(&format!("Double({shown})")), "{heard:?}");
    }
}

#[test]
fn what_is_not_known_is_passed_over_and_null_is_as_if_it_were_not_there() {
    assert_same(
        r#""body":{"stringValue":"a"}"#,
        r#""time_unix_nano":"5","new":{"deep":[1,{"x":null}]},"body":{"stringValue":"a","other":1,"intValue":null},
           "timeUnixNano":null,"attributes":null,"traceId":null,"flags":null,"severityText":null"#,
    );
    let empty = heard(Signal::Logs, Encoding::Json, br#"{"resourceLogs":null,"x":1}"#);
    assert_eq!(empty.expect("it is right").0, [""; 0]);
    let empty = heard(Signal::Traces, Encoding::Json, b"{}").expect("it is right");
    assert_eq!(empty.0, [""; 0]);
}

#[test]
fn what_holds_for_all_records_may_stand_behind_them() {
    let body =
        br#"{"resourceLogs":[{"scopeLogs":[{"logRecords":[{}],"scope":{"name":"late"},"schemaUrl":"s"}],
        "schemaUrl":"r","resource":{"attributes":[{"key":"k"}]}}]}"#;
    let heard = heard(Signal::Logs, Encoding::Json, body).expect("it is right");
    assert!(heard.0[0].starts_with("Resource") && heard.0[0].contains(r#"schema_url: "r""#), "{heard:?}");
    assert!(heard.0[1].contains("late") && heard.0[1].contains(r#"schema_url: "s""#), "{heard:?}");
    assert!(heard.0[2].starts_with("LogRecord"), "{heard:?}");
}

#[test]
fn errors_say_where_in_the_request_they_are() {
    let cases = [
        (
            record(r#""timeUnixNano":true"#),
            "resourceLogs[0].scopeLogs[0].logRecords[0].timeUnixNano: invalid type",
        ),
        (record(r#""flags":4294967296"#), "logRecords[0].flags: 4294967296 is out of the range of u32"),
        (record(r#""severityNumber":true"#), "logRecords[0].severityNumber: invalid type"),
        (
            record(
                r#""attributes":[{"key":"a"},{"key":"b","value":{"arrayValue":{"values":[{"boolValue":1}]}}}]"#,
            ),
            "logRecords[0].attributes[1].value.arrayValue.values[0].boolValue: invalid type",
        ),
        (record(r#""body":{"bytesValue":"*"}"#), "logRecords[0].body.bytesValue: expected bytes in base64"),
        (record(r#""body":{"doubleValue":"1e999"}"#), "logRecords[0].body.doubleValue: expected a number"),
        (record(r#""body":"text""#), "logRecords[0].body: invalid type: string \"text\", expected a value"),
        (
            r#"{"resourceLogs":[{},{"scopeLogs":{}}]}"#.to_owned(),
            "resourceLogs[1].scopeLogs: invalid type: map",
        ),
        (r#"{"resourceLogs":[7]}"#.to_owned(), "resourceLogs[0]: invalid type: integer `7`"),
        ("[]".to_owned(), "invalid type: sequence, expected an export request at line 1"),
        ("null".to_owned(), "invalid type: null, expected an export request at line 1"),
        ("{\"resourceLogs\":[\n}".to_owned(), "at line 2 column 1"),
        ("{} {}".to_owned(), "trailing characters at line 1 column 4"),
    ];
    for (body, expected) in cases {
        let error = wrong(Signal::Logs, Encoding::Json, body.as_bytes());
        assert!(error.contains(expected), "{body}: {error}");
        assert_eq!(error.matches("at line").count(), expected.matches("at line").count(), "{error}");
    }
    let long = record(&format!(r#""body":"{}""#, "é".repeat(10_000)));
    assert!(wrong(Signal::Logs, Encoding::Json, long.as_bytes()).chars().count() < 400, "it is cut short");
    let not_utf_8 = wrong(Signal::Logs, Encoding::Json, b"{\"\xff\":1}");
    assert_eq!(not_utf_8, "expected UTF-8");
}

#[test]
fn of_the_kinds_of_a_metric_the_last_one_holds_and_errors_name_it() {
    let body = |data: &str| {
        format!(r#"{{"resourceMetrics":[{{"scopeMetrics":[{{"metrics":[{{"name":"m",{data}}}]}}]}}]}}"#)
    };
    let two = body(r#""gauge":{"dataPoints":[{}]},"sum":{"dataPoints":[{"asInt":"7"}],"isMonotonic":true}"#);
    let heard = heard(Signal::Metrics, Encoding::Json, two.as_bytes()).expect("it is right");
    assert!(heard.0[2].contains("Sum"), "{heard:?}");
    assert!(heard.0[3].contains("Int(7)") && heard.0.len() == 4, "{heard:?}");
    let bad = body(r#""exponentialHistogram":{"dataPoints":[{},{"positive":{"bucketCounts":["x"]}}]}"#);
    let error = wrong(Signal::Metrics, Encoding::Json, bad.as_bytes());
    let place = "metrics[0].exponentialHistogram.dataPoints[1].positive.bucketCounts[0]: ";
    assert!(error.contains(place), "{error}");
}
