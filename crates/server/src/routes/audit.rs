//! The audit log.

use axum::Json;
use axum::extract::State;
use model::{TimeRange, Timestamp};
use serde::Deserialize;
use utoipa::IntoParams;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::Routes;
use crate::context::Shared;
use crate::params::{List, Params, Window, time};
use crate::problem::{Problem, ProblemBody};
use crate::wire::access::AuditItem;

pub(super) fn routes() -> Routes {
    OpenApiRouter::new().routes(routes!(list))
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
struct ListParams {
    /// Who did it.
    actor: Option<String>,
    /// What was done; `user` finds `user.create` too.
    action: Option<String>,
    /// To what.
    target: Option<String>,
    /// At this time (RFC 3339) or later.
    #[param(value_type = Option<String>, format = DateTime)]
    #[serde(default, deserialize_with = "time")]
    since: Option<Timestamp>,
    /// At this time (RFC 3339) or earlier.
    #[param(value_type = Option<String>, format = DateTime)]
    #[serde(default, deserialize_with = "time")]
    until: Option<Timestamp>,
    /// The most items, 100 if left out.
    limit: Option<u32>,
    /// How many items to skip.
    offset: Option<u32>,
}

/// Who did what, newest first.
#[utoipa::path(get, path = "/api/v1/audit", tag = "access", params(ListParams),
    responses((status = 200, body = List<AuditItem>), (status = "4XX", body = ProblemBody)))]
async fn list(
    State(app): State<Shared>,
    Params(params): Params<ListParams>,
) -> Result<Json<List<AuditItem>>, Problem> {
    let window = Window::new(params.limit, params.offset)?;
    let range = (params.since.is_some() || params.until.is_some()).then(|| {
        TimeRange::new(params.since.unwrap_or(Timestamp::MIN), params.until.unwrap_or(Timestamp::MAX))
    });
    let filter =
        state::AuditFilter { actor: params.actor, action: params.action, target: params.target, range };
    let (records, total) = app.context.state.audit().list(&filter, window.stored()).await?;
    Ok(Json(window.list(records, total)))
}
