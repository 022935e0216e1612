use std::time::Duration;

use opentelemetry_proto::tonic::collector::logs::v1::ExportLogsServiceResponse;
use opentelemetry_proto::tonic::collector::metrics::v1::ExportMetricsServiceResponse;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceResponse;
use prost::Message;

use crate::otlp::answer::{Code, PartialSuccess, Status, success};
use crate::otlp::{Encoding, Signal};

const SIGNALS: [Signal; 3] = [Signal::Logs, Signal::Traces, Signal::Metrics];

fn json(body: &[u8]) -> serde_json::Value {
    serde_json::from_slice(body).expect("it is JSON")
}

#[test]
fn a_success_says_nothing() {
    let nothing = PartialSuccess { rejected: 0, message: "".into() };
    for signal in SIGNALS {
        for partial in [None, Some(&nothing)] {
            assert_eq!(success(signal, Encoding::Protobuf, partial), b"");
            assert_eq!(success(signal, Encoding::Json, partial), b"{}");
        }
    }
}

#[test]
fn a_partial_success_is_read_by_another_implementation() {
    let partial = PartialSuccess { rejected: 3, message: "no \"time\"".into() };
    let [logs, traces, metrics] = SIGNALS.map(|signal| success(signal, Encoding::Protobuf, Some(&partial)));
    let logs = ExportLogsServiceResponse::decode(logs.as_slice()).expect("a response");
    let logs = logs.partial_success.expect("it is partial");
    let traces = ExportTraceServiceResponse::decode(traces.as_slice()).expect("a response");
    let traces = traces.partial_success.expect("it is partial");
    let metrics = ExportMetricsServiceResponse::decode(metrics.as_slice()).expect("a response");
    let metrics = metrics.partial_success.expect("it is partial");
    let said = [
        (logs.rejected_log_records, logs.error_message),
        (traces.rejected_spans, traces.error_message),
        (metrics.rejected_data_points, metrics.error_message),
    ];
    assert_eq!(said, [const { 3 }; 3].map(|rejected| (rejected, partial.message.to_string())));
    let names = ["rejectedLogRecords", "rejectedSpans", "rejectedDataPoints"];
    for (signal, name) in SIGNALS.into_iter().zip(names) {
        let body = json(&success(signal, Encoding::Json, Some(&partial)));
        assert_eq!(
            body,
            serde_json::json!({ "partialSuccess": { name: "3", "errorMessage": "no \"time\"" } })
        );
    }
}

#[test]
fn a_warning_is_a_partial_success_that_rejects_nothing() {
    let warning = PartialSuccess { rejected: 0, message: "old".into() };
    let body = success(Signal::Traces, Encoding::Protobuf, Some(&warning));
    let read = ExportTraceServiceResponse::decode(body.as_slice()).expect("a response").partial_success;
    assert_eq!(
        read.map(|partial| (partial.rejected_spans, partial.error_message)),
        Some((0, "old".to_owned()))
    );
}

/// The bytes are those that `google.rpc.Status` has by its definition.
#[test]
fn a_failure_is_a_status_with_the_delay_as_a_detail() {
    let failure = Status {
        code: Code::Unavailable,
        message: "later".into(),
        retry_after: Some(Duration::from_millis(1500)),
    };
    let delay = b"\x0a\x08\x08\x01\x10\x80\xca\xb5\xee\x01";
    let name = b"type.googleapis.com/google.rpc.RetryInfo";
    let detail = [&[0x0a, name.len() as u8][..], name, &[0x12, delay.len() as u8], delay].concat();
    let expected = [&b"\x08\x0e\x12\x05later\x1a"[..], &[detail.len() as u8], &detail].concat();
    assert_eq!(failure.encode(Encoding::Protobuf), expected);
    assert_eq!(
        json(&failure.encode(Encoding::Json)),
        serde_json::json!({
            "code": 14,
            "message": "later",
            "details": [{ "@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "1.5s" }],
        })
    );
}

#[test]
fn a_failure_without_a_delay_has_no_details() {
    let failure = Status { code: Code::InvalidArgument, message: "bad".into(), retry_after: None };
    assert_eq!(failure.encode(Encoding::Protobuf), b"\x08\x03\x12\x03bad");
    assert_eq!(json(&failure.encode(Encoding::Json)), serde_json::json!({ "code": 3, "message": "bad" }));
    let whole = Status { retry_after: Some(Duration::from_secs(2)), ..failure };
    assert_eq!(json(&whole.encode(Encoding::Json))["details"][0]["retryDelay"], "2s");
}
