//! Services, as spans tell of them.

use std::time::Duration;

use axum::Json;
use axum::extract::State;
use model::{TimeRange, Timestamp};
use serde::Deserialize;
use utoipa::IntoParams;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::Routes;
use crate::blocking;
use crate::context::Shared;
use crate::params::{Params, time};
use crate::problem::{Kind, Problem, ProblemBody};
use crate::wire::services::ServiceMap;

pub(super) fn routes() -> Routes {
    OpenApiRouter::new().routes(routes!(map))
}

/// Of what a map is, if nothing is said.
const LAST: Duration = Duration::from_secs(3_600);

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
struct MapParams {
    /// From this time (RFC 3339) on; an hour before its end if left out.
    #[param(value_type = Option<String>, format = DateTime)]
    #[serde(default, deserialize_with = "time")]
    from: Option<Timestamp>,
    /// Up to this time (RFC 3339); now if left out.
    #[param(value_type = Option<String>, format = DateTime)]
    #[serde(default, deserialize_with = "time")]
    to: Option<Timestamp>,
}

/// Which services there are, how often each is asked, how much of that fails and how long it takes; and which asks which.
/// From the metrics that follow from spans, which are of all spans, whether they are kept or not.
#[utoipa::path(get, path = "/api/v1/services/map", tag = "watching", params(MapParams),
    responses((status = 200, body = ServiceMap), (status = "4XX", body = ProblemBody),
        (status = 503, body = ProblemBody, description = "It took too long, or too many queries run")))]
async fn map(
    State(app): State<Shared>,
    Params(params): Params<MapParams>,
) -> Result<Json<ServiceMap>, Problem> {
    let to = params.to.unwrap_or_else(Timestamp::now);
    let from = params.from.unwrap_or_else(|| to.before(LAST));
    if from >= to {
        return Err(Problem::new(Kind::BadParameter, "`from` must be earlier than `to`."));
    }
    let range = TimeRange::new(from, to);
    let found =
        blocking::report(&app, move |context, cancel| report::service_map(&context.promql, range, cancel));
    let found = found.await?;
    Ok(Json(ServiceMap {
        from,
        to,
        nodes: found.nodes.into_iter().map(Into::into).collect(),
        edges: found.edges.into_iter().map(Into::into).collect(),
        more_nodes: found.more_nodes,
        more_edges: found.more_edges,
    }))
}
