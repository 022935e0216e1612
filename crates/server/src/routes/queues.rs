//! Queues.

use axum::Json;
use axum::extract::State;
use model::Timestamp;
use serde::Deserialize;
use utoipa::IntoParams;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::Routes;
use crate::context::Shared;
use crate::params::{List, Name, Params, Window};
use crate::problem::{Problem, ProblemBody};
use crate::wire::queues::{Queue, QueueDetail};

pub(super) fn routes() -> Routes {
    OpenApiRouter::new().routes(routes!(list)).routes(routes!(get))
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
struct ListParams {
    /// The most items, 100 if left out.
    limit: Option<u32>,
    /// How many items to skip.
    offset: Option<u32>,
}

/// Queues, by name.
#[utoipa::path(get, path = "/api/v1/queues", tag = "pipeline", params(ListParams),
    responses((status = 200, body = List<Queue>), (status = "4XX", body = ProblemBody)))]
async fn list(
    State(app): State<Shared>,
    Params(params): Params<ListParams>,
) -> Result<Json<List<Queue>>, Problem> {
    let window = Window::new(params.limit, params.offset)?;
    let listing = app.context.pipeline.queues().list(window.live());
    Ok(Json(window.list(listing.items, listing.total as u64)))
}

/// One queue, with its first tasks.
#[utoipa::path(get, path = "/api/v1/queues/{name}", tag = "pipeline", params(("name" = String, Path)),
    responses((status = 200, body = QueueDetail), (status = 404, body = ProblemBody)))]
async fn get(State(app): State<Shared>, Name(name): Name) -> Result<Json<QueueDetail>, Problem> {
    let queue = app.context.pipeline.queues().get(&name).ok_or_else(|| Problem::not_found("queue", &name))?;
    Ok(Json(QueueDetail::at(queue, Timestamp::now())))
}
