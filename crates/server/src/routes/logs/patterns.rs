//! What log records say, by template.

use axum::Json;
use axum::extract::State;
use model::Timestamp;
use records::{Kind, MAX_PATTERNS};
use serde::Deserialize;
use utoipa::IntoParams;

use super::super::searching::{ask, limit, search};
use super::last;
use crate::context::Shared;
use crate::params::{Params, time};
use crate::problem::{Problem, ProblemBody};
use crate::wire::patterns::LogPatterns;
use crate::wire::records::hints;

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(super) struct PatternParams {
    /// A search (docs/search.md); everything if left out.
    q: Option<String>,
    /// From this time (RFC 3339) on; an hour before its end if left out.
    #[param(value_type = Option<String>, format = DateTime)]
    #[serde(default, deserialize_with = "time")]
    from: Option<Timestamp>,
    /// Up to this time (RFC 3339); now if left out.
    #[param(value_type = Option<String>, format = DateTime)]
    #[serde(default, deserialize_with = "time")]
    to: Option<Timestamp>,
    /// The most patterns, 100 if left out, at most 1,000.
    limit: Option<u32>,
}

/// The messages of log records that a search finds, clustered by template: those that most records have first.
#[utoipa::path(get, path = "/api/v1/logs/patterns", tag = "records", params(PatternParams),
    responses((status = 200, body = LogPatterns), (status = "4XX", body = ProblemBody),
        (status = 503, body = ProblemBody, description = "It took too long, or too many searches run")))]
pub(super) async fn patterns(
    State(app): State<Shared>,
    Params(params): Params<PatternParams>,
) -> Result<Json<LogPatterns>, Problem> {
    let (from, to) = last(params.from, params.to);
    let search = search(Kind::Logs, params.q.as_deref(), Some(from), Some(to))?;
    let most = limit("limit", params.limit, 100, u32::try_from(MAX_PATTERNS).unwrap_or(u32::MAX))?;
    let hints = hints(&search);
    let found = ask(&app, move |store, cancel| records::patterns(store, &search, most, cancel)).await?;
    Ok(Json(LogPatterns::of(found, hints)))
}
