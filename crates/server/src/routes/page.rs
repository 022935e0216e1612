//! `/`: one page, in one file, that asks the API for what it shows.
//!
//! It holds no data itself, so it needs no login; without one it shows the login form.

use std::sync::LazyLock;

use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest, Sha256};
use utoipa_axum::router::OpenApiRouter;

use super::Routes;

const PAGE: &str = include_str!("page/index.html");

pub(super) fn routes() -> Routes {
    OpenApiRouter::new().route("/", get(page))
}

async fn page() -> Response {
    ([(header::CONTENT_TYPE, "text/html; charset=utf-8")], PAGE).into_response()
}

/// Allows the page's own style and script, by their hashes, and nothing else from anywhere.
pub(crate) fn content_security_policy() -> HeaderValue {
    static POLICY: LazyLock<HeaderValue> = LazyLock::new(|| {
        let (style, script) = (hash_of("<style>", "</style>"), hash_of("<script>", "</script>"));
        let text = format!(
            "default-src 'none'; style-src '{style}'; script-src '{script}'; connect-src 'self'; img-src 'self' data:; \
             form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
        );
        HeaderValue::try_from(text).expect("ASCII without control characters")
    });
    POLICY.clone()
}

fn hash_of(open: &str, close: &str) -> String {
    let (_, rest) = PAGE.split_once(open).expect("the page has one style and one script");
    let (inner, _) = rest.split_once(close).expect("each of them ends");
    format!("sha256-{}", STANDARD.encode(Sha256::digest(inner.as_bytes())))
}
