//! Processes that ended.

use axum::Json;
use axum::extract::State;
use model::Timestamp;
use serde::Deserialize;
use utoipa::IntoParams;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::Routes;
use crate::context::Shared;
use crate::params::{List, Params, Window, named, time};
use crate::problem::{Problem, ProblemBody};
use crate::wire::exits::Exit;

pub(super) fn routes() -> Routes {
    OpenApiRouter::new().routes(routes!(list))
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
struct ListParams {
    /// `oom_kill`, `signal`, `exit` or `unknown`.
    cause: Option<String>,
    /// The host that it ran on.
    host: Option<String>,
    /// The group of processes that it belonged to.
    group: Option<String>,
    /// The unit of the service manager that it ran in.
    unit: Option<String>,
    /// Text in its name, command or message.
    q: Option<String>,
    /// Not before this time: RFC 3339, or seconds since the epoch.
    #[serde(default, deserialize_with = "time")]
    #[param(value_type = Option<String>)]
    since: Option<Timestamp>,
    /// The most items, 100 if left out.
    limit: Option<u32>,
    /// How many items to skip.
    offset: Option<u32>,
}

/// Processes that ended in a way that somebody should know of, newest first: killed for want of
/// memory, ended by a signal, started again by their service manager.
#[utoipa::path(get, path = "/api/v1/exits", tag = "hosts", params(ListParams),
    responses((status = 200, body = List<Exit>), (status = "4XX", body = ProblemBody)))]
async fn list(
    State(app): State<Shared>,
    Params(params): Params<ListParams>,
) -> Result<Json<List<Exit>>, Problem> {
    let window = Window::new(params.limit, params.offset)?;
    let filter = pipeline::ExitFilter {
        cause: named("cause", params.cause.as_deref())?,
        host: params.host,
        group: params.group,
        unit: params.unit,
        text: params.q,
        since: params.since,
    };
    let listing = app.context.pipeline.exits().list(&filter, window.live());
    Ok(Json(window.list(listing.items, listing.total as u64)))
}
