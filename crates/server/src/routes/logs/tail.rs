//! Log records as they come.

use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use records::Kind;
use serde::Deserialize;
use utoipa::IntoParams;

use super::super::live::{credentials, event_stream};
use super::super::searching::search;
use crate::context::Shared;
use crate::params::Params;
use crate::problem::{Problem, ProblemBody};
use crate::tail as tails;

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(super) struct TailParams {
    /// A search (docs/search.md); everything if left out.
    q: Option<String>,
}

/// Log records that become durable from now on and that a search finds, as server-sent events: `record` carries one, as
/// `/api/v1/logs` shows it; `dropped` says by `count` how many found no room behind those before it, because they were
/// not read fast enough; `hints` comes first, if there are any. Whoever was cut off has missed what lies between, which
/// `/api/v1/logs` finds.
#[utoipa::path(get, path = "/api/v1/logs/tail", tag = "records", params(TailParams),
    responses((status = 200, body = String, content_type = "text/event-stream"),
        (status = 503, body = ProblemBody, description = "Too many tails are open"), (status = "4XX", body = ProblemBody)))]
pub(super) async fn tail(
    State(app): State<Shared>,
    Params(params): Params<TailParams>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let search = search(Kind::Logs, params.q.as_deref(), None, None)?;
    Ok(event_stream(tails::stream(&app, search, credentials(&headers))?))
}
