//! Workers.

use axum::Json;
use axum::extract::State;
use serde::Deserialize;
use utoipa::IntoParams;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::Routes;
use crate::context::Shared;
use crate::params::{List, Name, Params, Window, named};
use crate::problem::{Problem, ProblemBody};
use crate::wire::workers::Worker;

pub(super) fn routes() -> Routes {
    OpenApiRouter::new().routes(routes!(list)).routes(routes!(get))
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
struct ListParams {
    /// `online`, `stale`, `offline` or `stopped`.
    status: Option<String>,
    /// `cpu`, `gpu` or `hybrid`.
    capability: Option<String>,
    /// The host that it runs on.
    host: Option<String>,
    /// A queue that it takes jobs from.
    queue: Option<String>,
    /// Text in its id, host or service.
    q: Option<String>,
    /// The most items, 100 if left out.
    limit: Option<u32>,
    /// How many items to skip.
    offset: Option<u32>,
}

/// Workers, by id.
#[utoipa::path(get, path = "/api/v1/workers", tag = "pipeline", params(ListParams),
    responses((status = 200, body = List<Worker>), (status = "4XX", body = ProblemBody)))]
async fn list(
    State(app): State<Shared>,
    Params(params): Params<ListParams>,
) -> Result<Json<List<Worker>>, Problem> {
    let window = Window::new(params.limit, params.offset)?;
    let filter = pipeline::WorkerFilter {
        status: named("status", params.status.as_deref())?,
        capability: named("capability", params.capability.as_deref())?,
        host: params.host,
        queue: params.queue,
        text: params.q,
    };
    let listing = app.context.pipeline.workers().list(&filter, window.live());
    Ok(Json(window.list(listing.items, listing.total as u64)))
}

/// One worker.
#[utoipa::path(get, path = "/api/v1/workers/{id}", tag = "pipeline", params(("id" = String, Path)),
    responses((status = 200, body = Worker), (status = 404, body = ProblemBody)))]
async fn get(State(app): State<Shared>, Name(id): Name) -> Result<Json<Worker>, Problem> {
    let worker = app.context.pipeline.workers().get(&id).ok_or_else(|| Problem::not_found("worker", &id))?;
    Ok(Json(worker.into()))
}
