//! The pipeline at a glance: once, or as a stream of what changes.

use axum::Json;
use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderName, HeaderValue, header};
use axum::response::{IntoResponse, Response};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::Routes;
use crate::context::Shared;
use crate::live;
use crate::params::NoParams;
use crate::problem::{Problem, ProblemBody};
use crate::wire::overview::Overview;

pub(super) fn routes() -> Routes {
    OpenApiRouter::new().routes(routes!(overview)).routes(routes!(stream))
}

/// The pipeline at a glance: queues, workers, stages, hosts, and alerts counted.
#[utoipa::path(get, path = "/api/v1/overview", tag = "watching",
    responses((status = 200, body = Overview), (status = "4XX", body = ProblemBody)))]
async fn overview(State(app): State<Shared>, _: NoParams) -> Result<Json<Overview>, Problem> {
    Ok(Json(live::overview(&app).await?))
}

/// What changes in the overview, as server-sent events, at most about once a second. Each event is
/// named after a field of the overview (`jobs`, `queues`, `workers`, `stages`, `bottleneck`, `hosts`,
/// `alerts`, `collectors_down`) and carries its new value as JSON. The first come within a second and
/// are complete, so whoever was cut off connects again and has missed nothing that still holds.
#[utoipa::path(get, path = "/api/v1/live", tag = "watching",
    responses((status = 200, body = String, content_type = "text/event-stream"),
        (status = 503, body = ProblemBody, description = "Too many streams are open"), (status = "4XX", body = ProblemBody)))]
async fn stream(State(app): State<Shared>, headers: HeaderMap) -> Result<Response, Problem> {
    Ok(event_stream(live::stream(&app, credentials(&headers))?))
}

/// What of a request shows who asks, for streams, which look at it again.
pub(super) fn credentials(headers: &HeaderMap) -> HeaderMap {
    let mut credentials = HeaderMap::new();
    for name in [header::AUTHORIZATION, header::COOKIE, HeaderName::from_static("x-api-key")] {
        for value in headers.get_all(&name) {
            credentials.append(name.clone(), value.clone());
        }
    }
    credentials
}

/// An answer of server-sent events.
pub(super) fn event_stream(body: Body) -> Response {
    let head = [
        (header::CONTENT_TYPE, HeaderValue::from_static("text/event-stream")),
        (header::CACHE_CONTROL, HeaderValue::from_static("no-store")),
        // A proxy that gathers answers before it hands them on would hold events back.
        (HeaderName::from_static("x-accel-buffering"), HeaderValue::from_static("no")),
    ];
    (head, body).into_response()
}
