//! `/api/docs`: the description of the API, to be read by people.
//!
//! A page that asks `/api/openapi.json` and shows it. It loads nothing from anywhere else.

use axum::http::header;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use utoipa_axum::router::OpenApiRouter;

use super::Routes;

const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; \
                      img-src data:; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

pub(super) fn routes() -> Routes {
    OpenApiRouter::new()
        .route("/api/docs", get(|| file("text/html; charset=utf-8", include_str!("docs/page.html"))))
        .route("/api/docs/page.css", get(|| file("text/css; charset=utf-8", include_str!("docs/page.css"))))
        .route(
            "/api/docs/page.js",
            get(|| file("text/javascript; charset=utf-8", include_str!("docs/page.js"))),
        )
}

async fn file(content_type: &'static str, text: &'static str) -> Response {
    ([(header::CONTENT_TYPE, content_type), (header::CONTENT_SECURITY_POLICY, POLICY)], text).into_response()
}
