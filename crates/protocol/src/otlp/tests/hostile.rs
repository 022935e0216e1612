use opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::common::v1::{AnyValue, ArrayValue, KeyValue, KeyValueList};
use opentelemetry_proto::tonic::logs::v1::{LogRecord, ResourceLogs, ScopeLogs};
use proptest::prelude::*;
use prost::Message;

use super::{Signal, generated, heard, wrong};
use crate::fuzzing;
use crate::otlp::{Encoding, MAX_DEPTH, MAX_VALUES};

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

fn request(body: AnyValue) -> ExportLogsServiceRequest {
    let log_records = vec![LogRecord { body: Some(body), ..LogRecord::default() }];
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

#[test]
fn values_are_nested_as_deep_as_is_allowed_and_no_deeper() {
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
            assert!(heard(Signal::Logs, encoding, &body).is_ok(), "{encoding:?}");
        }
        for (encoding, body) in encoded(&request(nested(MAX_DEPTH + 1, wrap))) {
            let error = wrong(Signal::Logs, encoding, &body);
            assert!(error.contains("nested more than 24 deep"), "{encoding:?}: {error}");
        }
    }
    // Text that is only brackets overflows no stack.
    let brackets = "[".repeat(1 << 20);
    let body = format!(r#"{{"resourceLogs":{brackets}"#);
    assert!(wrong(Signal::Logs, Encoding::Json, body.as_bytes()).contains("EOF"));
    let unknown = format!(r#"{{"x":{brackets}{}}}"#, "]".repeat(1 << 20));
    assert!(heard(Signal::Logs, Encoding::Json, unknown.as_bytes()).is_ok());
}

#[test]
fn a_record_has_as_many_values_as_is_allowed_and_no_more() {
    let many = |count| {
        let values = vec![AnyValue::default(); count];
        request(AnyValue { value: Some(Value::ArrayValue(ArrayValue { values })) })
    };
    for (encoding, body) in encoded(&many(MAX_VALUES)) {
        assert!(heard(Signal::Logs, encoding, &body).is_ok(), "{encoding:?}");
    }
    for (encoding, body) in encoded(&many(MAX_VALUES + 1)) {
        let error = wrong(Signal::Logs, encoding, &body);
        assert!(error.contains("more than 131072 values"), "{encoding:?}: {error}");
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
