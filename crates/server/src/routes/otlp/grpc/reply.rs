//! Answers of gRPC: a message and then its status, or a status alone.

use std::borrow::Cow;
use std::convert::Infallible;
use std::fmt::Write;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::{Body, Bytes, HttpBody};
use axum::http::{HeaderMap, HeaderName, HeaderValue, header};
use axum::response::Response;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD as BASE64;
use hyper::body::Frame;
use protocol::otlp::Encoding;
use protocol::otlp::answer::{Code, Status, retry_info};

use super::PACKINGS;
use super::frame::HEAD;
use crate::problem::{Detail, Kind};

const CONTENT_TYPE: &str = "application/grpc";
const STATUS: HeaderName = HeaderName::from_static("grpc-status");
const MESSAGE: HeaderName = HeaderName::from_static("grpc-message");
/// The status as a `google.rpc.Status`, where a delay belongs by the specification.
const DETAILS: HeaderName = HeaderName::from_static("grpc-status-details-bin");
/// The delay alone, where the SDK of Python looks.
const RETRY_INFO: HeaderName = HeaderName::from_static("google.rpc.retryinfo-bin");
const ACCEPTED: HeaderName = HeaderName::from_static("grpc-accept-encoding");

/// How much of a text is told, in bytes before they are escaped: clients bound what they read of headers, which is
/// what a status is, and some do so at 8 KiB.
const MAX_MESSAGE: usize = 1024;

/// The answer to a call that went well.
pub(super) fn success(message: &[u8]) -> Response {
    let mut framed = Vec::with_capacity(HEAD + message.len());
    framed.push(0);
    // It has a count and some reasons, each of a known length.
    framed.extend_from_slice(&u32::try_from(message.len()).unwrap_or(u32::MAX).to_be_bytes());
    framed.extend_from_slice(message);
    let well = HeaderMap::from_iter([(STATUS, HeaderValue::from_static("0"))]);
    let frames = [Frame::data(Bytes::from(framed)), Frame::trailers(well)].into_iter();
    with_headers(Body::new(Frames(frames)))
}

/// The answer to a call that did not: what is wrong, and when to come back where that is said.
pub(super) fn failure(detail: &Detail, headers: &HeaderMap) -> Response {
    let retry_after = headers.get(header::RETRY_AFTER).and_then(|after| after.to_str().ok()?.parse().ok());
    // As over HTTP: who was too slow may try again.
    let at_once = (detail.kind == Kind::RequestTimeout).then_some(1);
    let retry_after = retry_after.or(at_once).map(Duration::from_secs);
    let told = &detail.text[..detail.text.floor_char_boundary(MAX_MESSAGE)];
    let status = Status { code: code(detail.kind), message: Cow::Borrowed(told), retry_after };
    let mut response = with_headers(Body::empty());
    let headers = response.headers_mut();
    headers.insert(STATUS, HeaderValue::from(status.code as u16));
    let texts = [
        (MESSAGE, Some(escaped(&status.message))),
        (DETAILS, Some(BASE64.encode(status.encode(Encoding::Protobuf)))),
        (RETRY_INFO, retry_after.map(|after| BASE64.encode(retry_info(after)))),
    ];
    for (name, text) in texts {
        // Each is of letters that a header may have.
        if let Some(value) = text.and_then(|text| HeaderValue::try_from(text).ok()) {
            headers.insert(name, value);
        }
    }
    response
}

fn with_headers(body: Body) -> Response {
    let mut response = Response::new(body);
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(CONTENT_TYPE));
    headers.insert(ACCEPTED, HeaderValue::from_static(PACKINGS));
    response
}

/// The code for a problem. It decides whether exporters send the same again: they do after `RESOURCE_EXHAUSTED` with a
/// delay and after `UNAVAILABLE`. What is too large is `INVALID_ARGUMENT`, because the SDK of Python tries again
/// after any `RESOURCE_EXHAUSTED`, and it would be too large again.
fn code(kind: Kind) -> Code {
    match kind {
        Kind::Overloaded | Kind::TooManyLogins => Code::ResourceExhausted,
        Kind::DiskFull | Kind::TimedOut | Kind::Unavailable | Kind::RequestTimeout => Code::Unavailable,
        Kind::LoginRequired | Kind::WrongLogin => Code::Unauthenticated,
        Kind::Forbidden | Kind::CsrfTokenMissing | Kind::ForeignOrigin | Kind::UnknownHost => {
            Code::PermissionDenied
        }
        // A compression that is not known is to be told so.
        Kind::NotFound | Kind::MethodNotAllowed | Kind::UnsupportedMediaType => Code::Unimplemented,
        Kind::Internal => Code::Internal,
        Kind::BadRequest
        | Kind::BadParameter
        | Kind::BadQuery
        | Kind::BadBody
        | Kind::BadStatement
        | Kind::NotAllStored
        | Kind::Conflict
        | Kind::NotPossible
        | Kind::TooLarge
        | Kind::QueryTooLarge => Code::InvalidArgument,
    }
}

/// A text as `grpc-message` has it: what is not a letter of ASCII that can be seen, or is the sign of escapes, is
/// escaped.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b' '..=b'~' if byte != b'%' => escaped.push(char::from(byte)),
            // Writing to a text cannot fail.
            _ => _ = write!(escaped, "%{byte:02X}"),
        }
    }
    escaped
}

/// A body of frames that are there already.
struct Frames(std::array::IntoIter<Frame<Bytes>, 2>);

impl HttpBody for Frames {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        Poll::Ready(self.0.next().map(Ok))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_escaped_for_the_header() {
        assert_eq!(escaped("100 % of \"it\"\n… ü"), "100 %25 of \"it\"%0A%E2%80%A6 %C3%BC");
    }

    #[test]
    fn a_long_text_is_cut_and_a_delay_is_told_in_both_places() {
        let detail = Detail { kind: Kind::Overloaded, text: "ü".repeat(5000).into() };
        let headers = HeaderMap::from_iter([(header::RETRY_AFTER, HeaderValue::from_static("3"))]);
        let response = failure(&detail, &headers);
        let value = |name: &HeaderName| response.headers()[name].to_str().expect("ASCII").to_owned();
        assert_eq!((value(&STATUS).as_str(), value(&MESSAGE).len()), ("8", MAX_MESSAGE * 3));
        let delay = BASE64.decode(value(&RETRY_INFO)).expect("base64");
        assert_eq!(delay, [10, 2, 8, 3], "a RetryInfo with a Duration of three seconds");
        let details = BASE64.decode(value(&DETAILS)).expect("base64");
        assert!(details.windows(delay.len()).any(|part| part == delay), "{details:?}");
    }
}
