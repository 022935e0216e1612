//! Answers as OpenTelemetry's protocol has them, those of everything that stands before its routes, too.

use std::borrow::Cow;
use std::time::Duration;

use axum::body::Body;
use axum::extract::Request;
use axum::http::{HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use protocol::otlp::answer::{self, Code, PartialSuccess, Status};
use protocol::otlp::{Encoding, Reasons, Signal};

use super::{PATHS, form};
use crate::problem::Detail;

/// A success, which may be a partial one.
pub(super) fn success(signal: Signal, encoding: Encoding, rejected: u64, reasons: &Reasons) -> Response {
    let partial = PartialSuccess { rejected, message: Cow::Owned(reasons.to_string()) };
    let body = answer::success(signal, encoding, Some(&partial));
    ([(header::CONTENT_TYPE, form::content_type(encoding))], body).into_response()
}

/// Tells senders what is wrong as a `google.rpc.Status` in the encoding of their request, whoever says it: the gate,
/// the bounds, or the handler.
pub(crate) async fn in_its_form(request: Request, next: Next) -> Response {
    if !PATHS.contains(&request.uri().path()) {
        return next.run(request).await;
    }
    // Who sends something else can read JSON best.
    let encoding = form::encoding(request.headers()).unwrap_or(Encoding::Json);
    let response = next.run(request).await;
    match response.extensions().get::<Detail>().cloned() {
        Some(Detail(detail)) => failure(response, encoding, detail),
        None => response,
    }
}

fn failure(response: Response, encoding: Encoding, detail: Cow<'static, str>) -> Response {
    let (mut parts, _) = response.into_parts();
    // Exporters give up after 408, and try again after 503.
    if parts.status == StatusCode::REQUEST_TIMEOUT {
        parts.status = StatusCode::SERVICE_UNAVAILABLE;
        parts.headers.insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
    }
    let retry_after =
        parts.headers.get(header::RETRY_AFTER).and_then(|after| after.to_str().ok()?.parse().ok());
    let status = Status {
        code: code(parts.status),
        message: detail,
        retry_after: retry_after.map(Duration::from_secs),
    };
    let body = status.encode(encoding);
    parts.headers.remove(header::CONTENT_LENGTH);
    parts.headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(form::content_type(encoding)));
    Response::from_parts(parts, Body::from(body))
}

/// The code of gRPC for a status of HTTP.
fn code(status: StatusCode) -> Code {
    match status {
        StatusCode::UNAUTHORIZED => Code::Unauthenticated,
        StatusCode::FORBIDDEN | StatusCode::MISDIRECTED_REQUEST => Code::PermissionDenied,
        StatusCode::METHOD_NOT_ALLOWED => Code::Unimplemented,
        StatusCode::PAYLOAD_TOO_LARGE => Code::ResourceExhausted,
        StatusCode::SERVICE_UNAVAILABLE => Code::Unavailable,
        status if status.is_client_error() => Code::InvalidArgument,
        _ => Code::Internal,
    }
}
