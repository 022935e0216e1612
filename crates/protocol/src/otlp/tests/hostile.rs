use model::Timestamp;
use opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::common::v1::{AnyValue, ArrayValue, KeyValue, KeyValueList};
use opentelemetry_proto::tonic::logs::v1::{LogRecord, ResourceLogs, ScopeLogs};
use proptest::prelude::*;
use prost::Message;

use super::{Signal, generated, heard, wrong};
use crate::fuzzing;
use crate::otlp::names::NameStrategy;
use crate::otlp::rows::{LogRows, RowLimits};
use crate::otlp::samples::{Options, SampleSink};
use crate::otlp::{
    Beyond, Encoding, LogRecord as Heard, LogSink, MAX_DEPTH, MAX_VALUES, Resource, Scope, Sink, decode_logs,
    decode_metrics,
};

const SIGNALS: [Signal; 3] = [Signal::Logs, Signal::Traces, Signal::Metrics];

/// A field with bytes of less than 128.
fn field(number: u8, bytes: &[u8]) -> Vec<u8> {
    assert!(bytes.len() < 128, "its length takes one byte");
    [&[number << 3 | 2, bytes.len() as u8][..], bytes].concat()
}

/// A record in the first scope of the second resource.
fn in_request(record: &[u8]) -> Vec<u8> {
    let scope = field(2, &field(2, record));
    [field(1, b""), field(1, &scope)].concat()
}

/// A record with a body, and an empty one beside it.
fn request(body: AnyValue) -> ExportLogsServiceRequest {
    let log_records = vec![LogRecord { body: Some(body), ..LogRecord::default() }, LogRecord::default()];
    let scope_logs = vec![ScopeLogs { log_records, ..ScopeLogs::default() }];
    ExportLogsServiceRequest { resource_logs: vec![ResourceLogs { scope_logs, ..ResourceLogs::default() }] }
}

/// Both encodings of a request.
fn encoded(request: &ExportLogsServiceRequest) -> [(Encoding, Vec<u8>); 2] {
    let json = serde_json::to_vec(request).expect("any message can be written as JSON");
    [(Encoding::Protobuf, request.encode_to_vec()), (Encoding::Json, json)]
}

#[test]
fn errors_in_protobuf_say_where_they_are() {
    let cases: [(Vec<u8>, &str); 8] = [
        (
            in_request(&field(3, b"\xff")),
            "resource_logs[1].scope_logs[0].log_records[0].severity_text: expected UTF-8",
        ),
        (
            in_request(&[0x0a, 0]),
            "log_records[0]: expected a message in protobuf: field 1 has the wrong type",
        ),
        (in_request(&[0x09, 1, 2]), "log_records[0]: expected a message in protobuf: a field ends early"),
        (
            in_request(&[field(6, b""), field(6, &field(1, b"\xff"))].concat()),
            "log_records[0].attributes[1].key: ",
        ),
        (in_request(&field(5, &field(5, &field(1, &[0x08])))), "log_records[0].body.array_value.values[0]: "),
        (
            field(1, &field(1, &field(1, &field(2, b"\x0a\x01\xff")))),
            "resource_logs[0].resource.attributes[0].value.string_value: ",
        ),
        (vec![0x0a, 0x05, 0x00], "expected a message in protobuf: a field ends early"),
        (vec![0x0a, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f], "a number is too long"),
    ];
    for (body, expected) in cases {
        let error = wrong(Signal::Logs, Encoding::Protobuf, &body);
        assert!(error.contains(expected), "{error} is not {expected}");
    }
    let half = wrong(
        Signal::Metrics,
        Encoding::Protobuf,
        &field(1, &field(2, &field(2, &field(9, &field(1, &field(6, b"\0\0\0")))))),
    );
    let place = "resource_metrics[0].scope_metrics[0].metrics[0].histogram.data_points[0]: ";
    assert!(half.starts_with(place), "{half}");
}

#[test]
fn fields_that_are_not_known_are_passed_over() {
    let unknown = [
        field(15, b"new"),
        vec![0x7d, 1, 2, 3, 4],
        vec![0x78, 0x80, 0x01],
        vec![0x79, 1, 2, 3, 4, 5, 6, 7, 8],
    ];
    let body = in_request(&[&unknown.concat()[..], &field(12, b"e")].concat());
    let heard = heard(Signal::Logs, Encoding::Protobuf, &body).expect("it is right");
    assert!(heard.0.last().is_some_and(|record| record.contains(r#"event_name: "e""#)), "{heard:?}");
}

/// What is heard of the records of a request: whether something of the first was passed over, and of the last.
fn beyond(encoding: Encoding, body: &[u8]) -> (Beyond, Beyond) {
    let mut sink = Noted::default();
    decode_logs(encoding, body, &mut sink).expect("the request is read");
    assert_eq!(sink.0.len(), 2, "{encoding:?}");
    (sink.0[0].0, sink.0[1].0)
}

/// What was passed over of each record, and its body as text.
#[derive(Default)]
struct Noted(Vec<(Beyond, String)>);

impl Sink for Noted {
    fn resource(&mut self, _: &Resource<'_>) {}
    fn scope(&mut self, _: &Scope<'_>) {}
}

impl LogSink for Noted {
    fn record(&mut self, record: &Heard<'_>) {
        self.0.push((record.beyond, record.body.to_string()));
    }
}

const DEEP: Beyond = Beyond { depth: true, values: false };
const MANY: Beyond = Beyond { depth: false, values: true };
const NOTHING: Beyond = Beyond { depth: false, values: false };

#[test]
fn values_that_are_nested_too_deep_are_passed_over_alone() {
    let nested = |depth: usize, wrap: fn(AnyValue) -> Value| {
        (0..depth).fold(AnyValue::default(), |inner, _| AnyValue { value: Some(wrap(inner)) })
    };
    let array = |inner| Value::ArrayValue(ArrayValue { values: vec![inner] });
    let map = |inner| {
        let pair = KeyValue { value: Some(inner), ..KeyValue::default() };
        Value::KvlistValue(KeyValueList { values: vec![pair] })
    };
    for wrap in [array as fn(AnyValue) -> Value, map] {
        for (encoding, body) in encoded(&request(nested(MAX_DEPTH, wrap))) {
            assert_eq!(beyond(encoding, &body), (NOTHING, NOTHING), "{encoding:?}");
        }
        for depth in [MAX_DEPTH + 1, MAX_DEPTH + 3] {
            for (encoding, body) in encoded(&request(nested(depth, wrap))) {
                assert_eq!(beyond(encoding, &body), (DEEP, NOTHING), "{encoding:?} {depth}");
            }
        }
    }
    for (encoding, body) in encoded(&request(nested(MAX_DEPTH + 1, array))) {
        let mut sink = Noted::default();
        decode_logs(encoding, &body, &mut sink).expect("the request is read");
        let expected = format!("{}\"…\"{}", "[".repeat(MAX_DEPTH), "]".repeat(MAX_DEPTH));
        assert_eq!(sink.0[0].1, expected, "{encoding:?}");
    }
}

#[test]
fn nesting_without_end_overflows_no_stack() {
    // Protobuf: each array holds the next, from the innermost out.
    let mut value = Vec::new();
    for _ in 0..5_000 {
        let array = long_field(1, &value);
        value = long_field(5, &array);
    }
    let body = in_long_request(&long_field(5, &value));
    assert_eq!(beyond(Encoding::Protobuf, &body), (DEEP, NOTHING));
    // JSON: the same, and text that is only brackets.
    let (open, close) = (r#"{"arrayValue":{"values":["#.repeat(20_000), "]}}".repeat(20_000));
    let body =
        format!(r#"{{"resourceLogs":[{{"scopeLogs":[{{"logRecords":[{{"body":{open}{close}}},{{}}]}}]}}]}}"#);
    assert_eq!(beyond(Encoding::Json, body.as_bytes()), (DEEP, NOTHING));
    let brackets = "[".repeat(1 << 20);
    let body = format!(r#"{{"resourceLogs":{brackets}"#);
    assert!(wrong(Signal::Logs, Encoding::Json, body.as_bytes()).contains("EOF"));
    let unknown = format!(r#"{{"x":{brackets}{}}}"#, "]".repeat(1 << 20));
    assert!(heard(Signal::Logs, Encoding::Json, unknown.as_bytes()).is_ok());
}

/// A field with bytes of any number.
fn long_field(number: u8, bytes: &[u8]) -> Vec<u8> {
    let mut field = vec![number << 3 | 2];
    let mut length = bytes.len();
    while length >= 0x80 {
        field.push((length & 0x7f) as u8 | 0x80);
        length >>= 7;
    }
    field.push(length as u8);
    field.extend_from_slice(bytes);
    field
}

/// A record and an empty one in one scope.
fn in_long_request(record: &[u8]) -> Vec<u8> {
    let records = [long_field(2, record), long_field(2, b"")].concat();
    long_field(1, &long_field(2, &records))
}

#[test]
fn values_beyond_as_many_as_are_read_are_passed_over_alone() {
    let array = |count| Value::ArrayValue(ArrayValue { values: vec![AnyValue::default(); count] });
    for (count, expected) in [(MAX_VALUES, NOTHING), (MAX_VALUES + 1, MANY), (MAX_VALUES + 9_000, MANY)] {
        for (encoding, body) in encoded(&request(AnyValue { value: Some(array(count)) })) {
            assert_eq!(beyond(encoding, &body), (expected, NOTHING), "{encoding:?} {count}");
        }
    }
    // An attribute counts before what it holds, so that it is there with what fits.
    let attribute = |count| KeyValue {
        key: "k".to_owned(),
        value: Some(AnyValue { value: Some(array(count)) }),
        ..KeyValue::default()
    };
    for (count, expected) in [(MAX_VALUES - 1, NOTHING), (MAX_VALUES, MANY)] {
        let mut request = request(AnyValue::default());
        request.resource_logs[0].scope_logs[0].log_records[0].attributes = vec![attribute(count)];
        for (encoding, body) in encoded(&request) {
            assert_eq!(beyond(encoding, &body), (expected, NOTHING), "{encoding:?} {count}");
            let all = heard(Signal::Logs, encoding, &body).expect("it is read");
            assert_eq!(all.0[2].matches("Empty").count(), MAX_VALUES, "{encoding:?}: the body and the items");
        }
    }
}

#[test]
fn points_and_resources_of_which_a_part_was_passed_over_are_refused_alone() {
    let deep = format!(
        r#"{{"key":"k","value":{}{}}}"#,
        r#"{"arrayValue":{"values":["#.repeat(MAX_DEPTH + 1),
        "]}}".repeat(MAX_DEPTH + 1)
    );
    let point = |attribute: &str| {
        format!(r#"{{"asInt":"1","timeUnixNano":"1754083800000000000","attributes":[{attribute}]}}"#)
    };
    let metrics = |resource: &str, points: &str| {
        format!(
            r#"{{"resource":{{"attributes":[{resource}]}},
                "scopeMetrics":[{{"metrics":[{{"name":"m","gauge":{{"dataPoints":[{points}]}}}}]}}]}}"#
        )
    };
    let points = format!("{},{}", point(""), point(&deep));
    let body = format!(r#"{{"resourceMetrics":[{},{}]}}"#, metrics("", &points), metrics(&deep, &point("")));
    let options = Options {
        names: NameStrategy::Underscores,
        promoted: Vec::new(),
        scope_labels: false,
        target_info: false,
        max_bytes: 1 << 20,
    };
    let mut sink = SampleSink::new(&options);
    decode_metrics(Encoding::Json, body.as_bytes(), &mut sink).expect("it is read");
    let converted = sink.finish();
    let reasons: Vec<&str> = converted.rejected.iter().map(|point| point.reason.as_str()).collect();
    assert_eq!(
        reasons,
        ["its values are nested more than 24 deep", "its resource: its values are nested more than 24 deep"]
    );
    assert_eq!(converted.rejected_points, 2);
}

#[test]
fn a_time_in_json_that_is_none_is_that_of_its_record_alone() {
    for sent in
        ["-5", "1180591620717411303424", "1.5", "1e30", "\"-5\"", "\"1180591620717411303424\"", "\"soon\""]
    {
        let body = format!(
            r#"{{"resourceLogs":[{{"scopeLogs":[{{"logRecords":[{{"timeUnixNano":{sent}}},{{"timeUnixNano":"7"}}]}}]}}]}}"#
        );
        let limits = RowLimits::default();
        let mut rows = LogRows::new(&limits, Timestamp::from_millis(5));
        decode_logs(Encoding::Json, body.as_bytes(), &mut rows).expect("it is read");
        let rows = rows.finish();
        assert_eq!((rows.events.len(), rows.rejected), (1, 1), "{sent}");
        assert!(rows.reasons.to_string().contains("between 1970 and the year 2262"), "{sent}");
    }
    for wrong_kind in ["true", "{}"] {
        let body = format!(
            r#"{{"resourceLogs":[{{"scopeLogs":[{{"logRecords":[{{"timeUnixNano":{wrong_kind}}}]}}]}}]}}"#
        );
        let error = wrong(Signal::Logs, Encoding::Json, body.as_bytes());
        assert!(error.contains("timeUnixNano: invalid"), "{error}");
    }
}

/// Decodes as everything; whether that is right does not matter.
fn try_all(body: &[u8]) {
    for signal in SIGNALS {
        for encoding in [Encoding::Protobuf, Encoding::Json] {
            if let Err(error) = heard(signal, encoding, body) {
                assert!(!error.to_string().is_empty());
            }
        }
    }
}

proptest! {
    #[test]
    fn what_fuzzing_checks_holds_for_all_that_another_implementation_writes(request in generated::metrics()) {
        fuzzing::otlp(&request.encode_to_vec());
        fuzzing::otlp(&serde_json::to_vec(&request).expect("any message can be written as JSON"));
    }

    #[test]
    fn hostile_bytes_never_panic(body in proptest::collection::vec(any::<u8>(), 0..200)) {
        try_all(&body);
    }

    #[test]
    fn requests_that_are_cut_off_or_changed_never_panic(
        request in generated::metrics(),
        cut in any::<prop::sample::Index>(),
        place in any::<prop::sample::Index>(),
        byte in any::<u8>(),
    ) {
        let json = serde_json::to_vec(&request).expect("any message can be written as JSON");
        for mut body in [request.encode_to_vec(), json] {
            if body.is_empty() {
                continue;
            }
            try_all(&body[..cut.index(body.len())]);
            let place = place.index(body.len());
            body[place] = byte;
            try_all(&body);
        }
    }
}
