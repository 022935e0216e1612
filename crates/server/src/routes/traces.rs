//! Traces: searched by their spans, and one as a whole.

use axum::Json;
use axum::extract::State;
use model::Timestamp;
use records::{Kind, MAX_TRACES};
use serde::Deserialize;
use utoipa::IntoParams;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::Routes;
use super::jobs::in_short;
use super::searching::{ask, limit, search, wrong};
use crate::context::Shared;
use crate::params::{Name, NoParams, Params, time};
use crate::problem::{Problem, ProblemBody};
use crate::wire::records::hints;
use crate::wire::traces::{Trace, TraceList};

pub(super) fn routes() -> Routes {
    OpenApiRouter::new().routes(routes!(list)).routes(routes!(get))
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
struct ListParams {
    /// A search of spans (docs/search.md), as `service:gateway duration>2s status:error`; everything if left out.
    q: Option<String>,
    /// Spans that began at this time (RFC 3339) or later.
    #[param(value_type = Option<String>, format = DateTime)]
    #[serde(default, deserialize_with = "time")]
    from: Option<Timestamp>,
    /// Spans that began at this time (RFC 3339) or earlier.
    #[param(value_type = Option<String>, format = DateTime)]
    #[serde(default, deserialize_with = "time")]
    to: Option<Timestamp>,
    /// The most traces, 20 if left out, at most 200. The newest 5,000 spans that match are looked at for them.
    limit: Option<u32>,
}

/// Traces with spans that a search finds, those with the newest first.
#[utoipa::path(get, path = "/api/v1/traces", tag = "records", params(ListParams),
    responses((status = 200, body = TraceList), (status = "4XX", body = ProblemBody),
        (status = 503, body = ProblemBody, description = "It took too long, or too many searches run")))]
async fn list(
    State(app): State<Shared>,
    Params(params): Params<ListParams>,
) -> Result<Json<TraceList>, Problem> {
    let search = search(Kind::Spans, params.q.as_deref(), params.from, params.to)?;
    let limit = limit("limit", params.limit, 20, u32::try_from(MAX_TRACES).unwrap_or(u32::MAX))?;
    let hints = hints(&search);
    let found = ask(&app, move |store, cancel| records::traces(store, &search, limit, cancel)).await?;
    Ok(Json(TraceList { items: found.into_iter().map(Into::into).collect(), hints }))
}

/// A trace as a whole: its spans with their places in its tree, what of it took the time, its log records, and its jobs.
#[utoipa::path(get, path = "/api/v1/traces/{trace_id}", tag = "records", params(("trace_id" = String, Path)),
    responses((status = 200, body = Trace), (status = "4XX", body = ProblemBody),
        (status = 503, body = ProblemBody, description = "It took too long, or too many searches run")))]
async fn get(State(app): State<Shared>, Name(trace_id): Name, _: NoParams) -> Result<Json<Trace>, Problem> {
    let is_hex =
        !trace_id.is_empty() && trace_id.len() <= 32 && trace_id.bytes().all(|byte| byte.is_ascii_hexdigit());
    if !is_hex {
        return Err(wrong("The id of a trace is 32 hexadecimal digits.".to_owned()));
    }
    let trace_id = trace_id.to_ascii_lowercase();
    let wanted = trace_id.clone();
    let found = ask(&app, move |store, cancel| records::trace(store, &wanted, cancel)).await?;
    if found.spans.is_empty() && found.logs.is_empty() {
        return Err(Problem::not_found("trace", &trace_id));
    }
    let jobs = in_short(&app, &found.jobs).await?;
    Ok(Json(Trace::of(trace_id, found, jobs)))
}
