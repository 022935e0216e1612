//! How many bytes lines have, by labels: what Grafana's Logs Drilldown shows first.

use std::time::Duration;

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use records::{MAX_SERIES, Steps, Windowed};
use search::logql::{Counts, Function, Grouping, Top, TopEnd, selector};

use super::{counted, shapes, times};
use crate::context::Shared;
use crate::problem::Problem;
use crate::routes::given::{Given, wrong};
use shapes::Success;

/// How many series there are, if nothing is said.
const LIMIT: usize = 100;
/// The most labels by which they are told apart.
const MAX_LABELS: usize = 16;

/// How many bytes lines have, by labels: those with the most first.
#[utoipa::path(method(get, post), path = "/loki/api/v1/index/volume", tag = "loki",
    params(("query" = String, Query, description = "A selector, with filters behind it if need be"),
        ("targetLabels" = Option<String>, Query, description = "By which labels, with commas between them; those of the selector if left out"),
        ("aggregateBy" = Option<String>, Query, description = "`series`"),
        ("limit" = Option<u64>, Query, description = "The most series, 100 if left out, at most 500"),
        ("start" = Option<String>, Query), ("end" = Option<String>, Query), ("since" = Option<String>, Query)),
    responses((status = 200, body = serde_json::Value, description = "As Loki answers"),
        (status = "4XX", body = String, content_type = "text/plain", description = "What is wrong, and what is taken"),
        (status = 503, body = String, content_type = "text/plain", description = "It took too long, or too many searches run")))]
pub(super) async fn volume(State(app): State<Shared>, given: Given) -> Result<Response, Problem> {
    let (start, end) = times::range(&given)?;
    let moment = Duration::from_nanos(1);
    let counts = bytes(&given, end.since(start).max(moment))?;
    // Lines of the end itself do not count.
    let mut found = counted(&app, counts, Steps::one(end.before(moment))).await?;
    let sum = |one: &Windowed| one.values.first().copied().flatten().unwrap_or_default();
    found.sort_by(|a, b| sum(b).total_cmp(&sum(a)));
    Ok(Json(Success::of(shapes::vector(found, end))).into_response())
}

/// The same in each step of a range.
#[utoipa::path(method(get, post), path = "/loki/api/v1/index/volume_range", tag = "loki",
    params(("query" = String, Query, description = "A selector, with filters behind it if need be"),
        ("targetLabels" = Option<String>, Query, description = "By which labels, with commas between them; those of the selector if left out"),
        ("aggregateBy" = Option<String>, Query, description = "`series`"),
        ("limit" = Option<u64>, Query, description = "The most series in a step, 100 if left out, at most 500"),
        ("step" = Option<String>, Query, description = "`15s`, or seconds; about 250 steps if left out"),
        ("start" = Option<String>, Query), ("end" = Option<String>, Query), ("since" = Option<String>, Query)),
    responses((status = 200, body = serde_json::Value, description = "As Loki answers"),
        (status = "4XX", body = String, content_type = "text/plain", description = "What is wrong, and what is taken"),
        (status = 503, body = String, content_type = "text/plain", description = "It took too long, or too many searches run")))]
pub(super) async fn volume_range(State(app): State<Shared>, given: Given) -> Result<Response, Problem> {
    let steps = times::steps(&given, times::range(&given)?)?;
    let found = counted(&app, bytes(&given, steps.step)?, steps).await?;
    Ok(Json(Success::of(shapes::matrix(found, &steps))).into_response())
}

/// Bytes of the lines that are asked for.
fn bytes(given: &Given, window: Duration) -> Result<Counts, Problem> {
    if given.get("aggregateBy").is_some_and(|by| by != "series") {
        return Err(wrong("aggregateBy", "expected `series`"));
    }
    let lines = selector(given.needed("query")?)?;
    let mut labels: Vec<String> = match given.get("targetLabels") {
        Some(names) => {
            let names = names.split(',').map(str::trim).filter(|name| !name.is_empty());
            names.take(MAX_LABELS + 1).map(str::to_owned).collect()
        }
        None => lines.matchers.iter().map(|matcher| matcher.label.clone()).collect(),
    };
    labels.sort_unstable();
    labels.dedup();
    if labels.len() > MAX_LABELS {
        return Err(wrong("targetLabels", &format!("there are more than {MAX_LABELS} labels")));
    }
    let grouping = if labels.is_empty() { Grouping::Streams } else { Grouping::By(labels) };
    let count = times::number(given, "limit", LIMIT, MAX_SERIES)?;
    let top = Some(Top { count, end: TopEnd::Most });
    Ok(Counts { lines, function: Function::Bytes, window, grouping, top })
}
