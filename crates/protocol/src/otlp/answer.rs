//! What is answered to an export request, in the encoding of the request.

use std::borrow::Cow;
use std::time::Duration;

use prost::Message;
use serde_json::json;

use super::{Encoding, Signal};

/// A request of which a part was not taken. Senders must not send that part again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PartialSuccess<'a> {
    /// Log records, spans or metric points that were rejected; 0 where all were taken and the message is a warning.
    pub rejected: u64,
    /// Why, and what to change, for people.
    pub message: Cow<'a, str>,
}

/// The body of a success: `ExportLogsServiceResponse` and its like. Without anything to say it is an empty message.
pub fn success(signal: Signal, encoding: Encoding, partial: Option<&PartialSuccess<'_>>) -> Vec<u8> {
    // A partial success that says nothing would be taken for none.
    let partial = partial.filter(|partial| partial.rejected > 0 || !partial.message.is_empty());
    match encoding {
        Encoding::Protobuf => {
            let partial_success = partial.map(|partial| WirePartialSuccess {
                rejected: i64::try_from(partial.rejected).unwrap_or(i64::MAX),
                error_message: partial.message.clone().into_owned(),
            });
            WireResponse { partial_success }.encode_to_vec()
        }
        Encoding::Json => {
            let Some(partial) = partial else { return b"{}".to_vec() };
            let rejected = match signal {
                Signal::Logs => "rejectedLogRecords",
                Signal::Traces => "rejectedSpans",
                Signal::Metrics => "rejectedDataPoints",
            };
            // Whole numbers of 64 bits are texts in the JSON of protobuf.
            let said = json!({ rejected: partial.rejected.to_string(), "errorMessage": partial.message });
            json!({ "partialSuccess": said }).to_string().into_bytes()
        }
    }
}

/// Why a request failed, by the codes of gRPC (`google.rpc.Code`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Code {
    /// The request is wrong, and would be so again.
    InvalidArgument = 3,
    /// The sender may not do this.
    PermissionDenied = 7,
    /// There is more than is taken. May be tried again only where a delay is told.
    ResourceExhausted = 8,
    /// There is no such service.
    Unimplemented = 12,
    /// Something is wrong here.
    Internal = 13,
    /// Not now; worth trying again.
    Unavailable = 14,
    /// Nobody knows who the sender is.
    Unauthenticated = 16,
}

/// A failure (`google.rpc.Status`).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Status<'a> {
    /// Why.
    pub code: Code,
    /// The same for people.
    pub message: Cow<'a, str>,
    /// After how long it is worth trying again (`google.rpc.RetryInfo`).
    pub retry_after: Option<Duration>,
}

/// The name under which a delay goes as a detail of a status.
const RETRY_INFO: &str = "type.googleapis.com/google.rpc.RetryInfo";

impl Status<'_> {
    /// The body of a failure; over gRPC the value of `grpc-status-details-bin`, in protobuf.
    pub fn encode(&self, encoding: Encoding) -> Vec<u8> {
        match encoding {
            Encoding::Protobuf => self.to_protobuf(),
            Encoding::Json => self.to_json(),
        }
    }

    fn to_protobuf(&self) -> Vec<u8> {
        let detail = |after| WireAny { type_url: RETRY_INFO.to_owned(), value: retry_info(after) };
        let details = self.retry_after.map(detail).into_iter().collect();
        WireStatus { code: self.code as i32, message: self.message.clone().into_owned(), details }
            .encode_to_vec()
    }

    fn to_json(&self) -> Vec<u8> {
        let mut status = json!({ "code": self.code as i32, "message": self.message });
        if let Some(after) = self.retry_after {
            status["details"] = json!([{ "@type": RETRY_INFO, "retryDelay": duration(after) }]);
        }
        status.to_string().into_bytes()
    }
}

/// A delay as a `google.rpc.RetryInfo`; over gRPC some senders look for it in `google.rpc.retryinfo-bin`.
pub fn retry_info(after: Duration) -> Vec<u8> {
    let retry_delay = Some(WireDuration {
        seconds: i64::try_from(after.as_secs()).unwrap_or(i64::MAX),
        // Nanoseconds of a second fit.
        nanos: after.subsec_nanos().cast_signed(),
    });
    WireRetryInfo { retry_delay }.encode_to_vec()
}

/// A duration as the JSON of protobuf has it: seconds with as many digits behind the point as are needed.
fn duration(duration: Duration) -> String {
    let nanos = format!("{:09}", duration.subsec_nanos());
    match nanos.trim_end_matches('0') {
        "" => format!("{}s", duration.as_secs()),
        digits => format!("{}.{digits}s", duration.as_secs()),
    }
}

/// `ExportLogsServiceResponse`, `ExportTraceServiceResponse`, `ExportMetricsServiceResponse`: the same on the wire.
#[derive(Clone, PartialEq, Message)]
struct WireResponse {
    #[prost(message, optional, tag = "1")]
    partial_success: Option<WirePartialSuccess>,
}

/// `ExportLogsPartialSuccess` and its like.
#[derive(Clone, PartialEq, Message)]
struct WirePartialSuccess {
    #[prost(int64, tag = "1")]
    rejected: i64,
    #[prost(string, tag = "2")]
    error_message: String,
}

/// `google.rpc.Status`
#[derive(Clone, PartialEq, Message)]
struct WireStatus {
    #[prost(int32, tag = "1")]
    code: i32,
    #[prost(string, tag = "2")]
    message: String,
    #[prost(message, repeated, tag = "3")]
    details: Vec<WireAny>,
}

/// `google.protobuf.Any`
#[derive(Clone, PartialEq, Message)]
struct WireAny {
    #[prost(string, tag = "1")]
    type_url: String,
    #[prost(bytes = "vec", tag = "2")]
    value: Vec<u8>,
}

/// `google.rpc.RetryInfo`
#[derive(Clone, Copy, PartialEq, Message)]
struct WireRetryInfo {
    #[prost(message, optional, tag = "1")]
    retry_delay: Option<WireDuration>,
}

/// `google.protobuf.Duration`
#[derive(Clone, Copy, PartialEq, Message)]
struct WireDuration {
    #[prost(int64, tag = "1")]
    seconds: i64,
    #[prost(int32, tag = "2")]
    nanos: i32,
}
