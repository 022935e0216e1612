//! Hosts.

use axum::Json;
use axum::extract::State;
use serde::Deserialize;
use utoipa::IntoParams;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::Routes;
use crate::context::Shared;
use crate::params::{List, Name, Params, Window};
use crate::problem::{Problem, ProblemBody};
use crate::wire::hosts::Host;

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

/// Hosts, by name, with their largest processes.
#[utoipa::path(get, path = "/api/v1/hosts", tag = "hosts", params(ListParams),
    responses((status = 200, body = List<Host>), (status = "4XX", body = ProblemBody)))]
async fn list(
    State(app): State<Shared>,
    Params(params): Params<ListParams>,
) -> Result<Json<List<Host>>, Problem> {
    let window = Window::new(params.limit, params.offset)?;
    let listing = app.context.pipeline.hosts().list(window.live());
    Ok(Json(window.list(listing.items, listing.total as u64)))
}

/// One host.
#[utoipa::path(get, path = "/api/v1/hosts/{name}", tag = "hosts", params(("name" = String, Path)),
    responses((status = 200, body = Host), (status = 404, body = ProblemBody)))]
async fn get(State(app): State<Shared>, Name(name): Name) -> Result<Json<Host>, Problem> {
    let host = app.context.pipeline.hosts().get(&name).ok_or_else(|| Problem::not_found("host", &name))?;
    Ok(Json(host.into()))
}
