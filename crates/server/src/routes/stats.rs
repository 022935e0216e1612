//! The whole at a glance, the schema of events, and our own metrics.

use axum::Json;
use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use model::Timestamp;
use pipeline::{Page, WorkerFilter, WorkerStatus};
use state::AlertState;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::Routes;
use crate::context::Shared;
use crate::params::NoParams;
use crate::problem::{Problem, ProblemBody};
use crate::wire::watch::Stats;

pub(super) fn routes() -> Routes {
    OpenApiRouter::new().routes(routes!(stats)).routes(routes!(events_schema)).routes(routes!(metrics))
}

/// The whole at a glance.
#[utoipa::path(get, path = "/api/v1/stats", tag = "watching",
    responses((status = 200, body = Stats), (status = "4XX", body = ProblemBody)))]
async fn stats(State(app): State<Shared>, _: NoParams) -> Result<Json<Stats>, Problem> {
    let now = Timestamp::now();
    let counted = Page { offset: 0, limit: 0 };
    let live = &app.context.pipeline;
    let online = WorkerFilter { status: Some(WorkerStatus::Online), ..WorkerFilter::default() };
    let alerts = app.context.state.alerts().counts().await?;
    let count = |state| alerts.get(&state).copied().unwrap_or(0);
    let statuses = app.context.collectors.status();
    Ok(Json(Stats {
        version: app.context.version,
        started_at: app.started_at,
        uptime_seconds: now.since(app.started_at).as_secs_f64(),
        jobs: live.jobs().counts().into(),
        queues: live.queues().list(counted).total,
        workers: live.workers().list(&WorkerFilter::default(), counted).total,
        workers_online: live.workers().list(&online, counted).total,
        alerts_firing: count(AlertState::Firing),
        alerts_acknowledged: count(AlertState::Acknowledged),
        collectors_down: statuses
            .iter()
            .filter(|status| !status.up && !status.absent && status.runs > 0)
            .count(),
        otlp_receivers: app.receivers.iter().cloned().map(Into::into).collect(),
        store: app.context.store.stats().into(),
    }))
}

/// The JSON schema of pipeline events.
#[utoipa::path(get, path = "/api/v1/events/schema", tag = "ingest",
    responses((status = 200, body = serde_json::Value), (status = "4XX", body = ProblemBody)))]
async fn events_schema() -> Response {
    ([(header::CONTENT_TYPE, "application/schema+json")], protocol::events::schema().to_string())
        .into_response()
}

/// Watchkeeper's own metrics, in Prometheus' text format.
#[utoipa::path(get, path = "/metrics", tag = "watching",
    responses((status = 200, body = String, content_type = "text/plain"), (status = "4XX", body = ProblemBody)))]
async fn metrics(State(app): State<Shared>) -> Response {
    let text = collect::encode_text(&app.context.registry);
    ([(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], text).into_response()
}
