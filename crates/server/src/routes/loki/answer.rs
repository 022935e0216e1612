//! Refusals as Loki has them, those of everything that stands before its route, too.

use axum::body::Body;
use axum::extract::Request;
use axum::http::{HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::Response;

use super::PREFIX;
use crate::problem::Detail;

/// Tells senders and Grafana what is wrong as plain text, whoever says it: the gate, the bounds, or the handler.
pub(crate) async fn in_its_form(request: Request, next: Next) -> Response {
    if !request.uri().path().starts_with(PREFIX) {
        return next.run(request).await;
    }
    let response = next.run(request).await;
    let Some(Detail { text, .. }) = response.extensions().get::<Detail>().cloned() else { return response };
    let (mut parts, _) = response.into_parts();
    // Shippers give up after 408, and try again after 503.
    if parts.status == StatusCode::REQUEST_TIMEOUT {
        parts.status = StatusCode::SERVICE_UNAVAILABLE;
        parts.headers.insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
    }
    parts.headers.remove(header::CONTENT_LENGTH);
    parts.headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    Response::from_parts(parts, Body::from(format!("{text}\n")))
}
