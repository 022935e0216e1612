//! Loki's query API, as far as Grafana's data source and `logcli` ask it: lines, counts of lines, labels and streams.
//!
//! Parameters stand in the address or, where they are long, in a form. The language is [`search::logql`]; what it finds, [`records::selected`]. Unknown parameters are passed over, as Loki
//! does it, and what is wrong is told in plain text.

mod detected;
mod shapes;
mod times;
mod volume;

use axum::Json;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::{IntoResponse, Response};
use model::Timestamp;
use records::{Labels, STREAM_LABELS, Selection, Set, Steps, Windowed, selected};
use search::logql::{Counts, Expression, Lines, parse, selector};
use serde_json::json;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::context::Shared;
use crate::params::Name;
use crate::problem::{Kind, Problem};
use crate::routes::Routes;
use crate::routes::given::{Given, wrong};
use crate::routes::searching::ask;
use shapes::Success;

pub(super) fn routes() -> Routes {
    OpenApiRouter::new()
        .routes(routes!(query_range))
        .routes(routes!(query))
        .routes(routes!(labels))
        .routes(routes!(label_values))
        .routes(routes!(series))
        .routes(routes!(index_stats))
        .routes(routes!(volume::volume))
        .routes(routes!(volume::volume_range))
        .routes(routes!(detected::detected_labels))
        .routes(routes!(detected::detected_fields))
        .routes(routes!(detected::detected_values))
        .routes(routes!(build_info))
}

/// The header by which Grafana asks for facts of lines apart from labels of streams.
const ENCODING_FLAGS: &str = "x-loki-response-encoding-flags";
/// The most values of a label, and the most streams, of an answer.
const MAX_SETS: usize = 10_000;
/// The most selectors of a request for streams.
const MAX_SELECTORS: usize = 16;
/// The version of Loki whose answers these are.
const API_VERSION: &str = "3.0.0";

/// Lines, or counts of lines at every step, of a range of time.
#[utoipa::path(method(get, post), path = "/loki/api/v1/query_range", tag = "loki",
    params(("query" = String, Query, description = "LogQL, as far as docs/loki.md takes it"),
        ("start" = Option<String>, Query, description = "Nanoseconds or seconds since the epoch, or RFC 3339; an hour before the end if left out"),
        ("end" = Option<String>, Query, description = "The same; now if left out. Lines of this time itself are not found"),
        ("since" = Option<String>, Query, description = "How long before the end it begins, if `start` is left out"),
        ("step" = Option<String>, Query, description = "`15s`, or seconds; about 250 steps if left out"),
        ("limit" = Option<u64>, Query, description = "The most lines, 100 if left out, at most 5,000"),
        ("direction" = Option<String>, Query, description = "`backward`, newest first, or `forward`")),
    responses((status = 200, body = serde_json::Value, description = "As Loki answers"),
        (status = "4XX", body = String, content_type = "text/plain", description = "What is wrong, and what is taken"),
        (status = 503, body = String, content_type = "text/plain", description = "It took too long, or too many searches run")))]
async fn query_range(
    State(app): State<Shared>,
    headers: HeaderMap,
    given: Given,
) -> Result<Response, Problem> {
    let range = times::range(&given)?;
    match parse(given.needed("query")?)? {
        Expression::Lines(lines) => {
            let (limit, order) = (times::limit(&given)?, times::direction(&given)?);
            let selection = selected(&lines, times::of_lines(range));
            let is_categorized = wants_categories(&headers);
            let found = ask(&app, move |store, cancel| {
                let lines = records::lines(store, &selection, order, limit, cancel)?;
                Ok(shapes::streams(lines, is_categorized))
            });
            Ok(Json(Success::of(found.await?)).into_response())
        }
        Expression::Counts(counts) => {
            let steps = times::steps(&given, range)?;
            let found = counted(&app, counts, steps).await?;
            Ok(Json(Success::of(shapes::matrix(found, &steps))).into_response())
        }
        Expression::Constant(value) => {
            let steps = times::steps(&given, range)?;
            Ok(Json(Success::of(shapes::matrix(constant(value, &steps), &steps))).into_response())
        }
    }
}

/// Counts of lines at one time. Lines themselves are asked for by `query_range`.
#[utoipa::path(method(get, post), path = "/loki/api/v1/query", tag = "loki",
    params(("query" = String, Query, description = "LogQL, as far as docs/loki.md takes it: a count of lines"),
        ("time" = Option<String>, Query, description = "Nanoseconds or seconds since the epoch, or RFC 3339; now if left out")),
    responses((status = 200, body = serde_json::Value, description = "As Loki answers"),
        (status = "4XX", body = String, content_type = "text/plain", description = "What is wrong, and what is taken"),
        (status = 503, body = String, content_type = "text/plain", description = "It took too long, or too many searches run")))]
async fn query(State(app): State<Shared>, given: Given) -> Result<Response, Problem> {
    let at = times::at(&given, "time")?.unwrap_or_else(Timestamp::now);
    let found = match parse(given.needed("query")?)? {
        Expression::Lines(_) => {
            let detail = "Lines are not found at one instant; ask `/loki/api/v1/query_range` for them.";
            return Err(Problem::new(Kind::BadQuery, detail));
        }
        Expression::Counts(counts) => counted(&app, counts, Steps::one(at)).await?,
        Expression::Constant(value) => constant(value, &Steps::one(at)),
    };
    Ok(Json(Success::of(shapes::vector(found, at))).into_response())
}

/// The labels of streams. They are always the same.
#[utoipa::path(method(get, post), path = "/loki/api/v1/labels", tag = "loki",
    responses((status = 200, body = serde_json::Value, description = "As Loki answers")))]
async fn labels() -> Response {
    Json(Success::of(STREAM_LABELS)).into_response()
}

/// The values that a label of streams has.
#[utoipa::path(method(get, post), path = "/loki/api/v1/label/{name}/values", tag = "loki",
    params(("name" = String, Path),
        ("query" = Option<String>, Query, description = "Only of these streams: a selector"),
        ("start" = Option<String>, Query), ("end" = Option<String>, Query), ("since" = Option<String>, Query)),
    responses((status = 200, body = serde_json::Value, description = "As Loki answers"),
        (status = "4XX", body = String, content_type = "text/plain", description = "What is wrong"),
        (status = 503, body = String, content_type = "text/plain", description = "It took too long, or too many searches run")))]
async fn label_values(
    State(app): State<Shared>,
    Name(name): Name,
    given: Given,
) -> Result<Response, Problem> {
    let selection = streams(&given, given.get("query"))?;
    let is_of_streams = name == "detected_level" || STREAM_LABELS.contains(&name.as_str());
    if !is_of_streams {
        return Ok(Json(Success::of(Vec::<String>::new())).into_response());
    }
    let found =
        ask(&app, move |store, cancel| records::sets(store, &selection, &[name.as_str()], MAX_SETS, cancel));
    let mut values: Vec<String> = found.await?.into_iter().flat_map(|set| set.labels.into_values()).collect();
    values.sort_unstable();
    Ok(Json(Success::of(values)).into_response())
}

/// The streams that selectors find, by their labels.
#[utoipa::path(method(get, post), path = "/loki/api/v1/series", tag = "loki",
    params(("match[]" = Option<Vec<String>>, Query, description = "Selectors; all streams if left out"),
        ("start" = Option<String>, Query), ("end" = Option<String>, Query), ("since" = Option<String>, Query)),
    responses((status = 200, body = serde_json::Value, description = "As Loki answers"),
        (status = "4XX", body = String, content_type = "text/plain", description = "What is wrong"),
        (status = 503, body = String, content_type = "text/plain", description = "It took too long, or too many searches run")))]
async fn series(State(app): State<Shared>, given: Given) -> Result<Response, Problem> {
    let texts: Vec<&str> = given.all("match[]").chain(given.all("match")).take(MAX_SELECTORS + 1).collect();
    if texts.len() > MAX_SELECTORS {
        return Err(wrong("match[]", &format!("there are more than {MAX_SELECTORS} selectors")));
    }
    let selections = match texts.as_slice() {
        [] => vec![streams(&given, None)?],
        texts => texts.iter().map(|text| streams(&given, Some(text))).collect::<Result<_, _>>()?,
    };
    let mut found: Vec<Labels> = Vec::new();
    for selection in selections {
        found.extend(streams_of(&app, selection).await?.into_iter().map(|set| set.labels));
    }
    found.sort_unstable();
    found.dedup();
    Ok(Json(Success::of(found)).into_response())
}

/// How many streams and lines a selector finds. How many bytes they have is not known before they are read: `bytes` and
/// `chunks` are 0.
#[utoipa::path(method(get, post), path = "/loki/api/v1/index/stats", tag = "loki",
    params(("query" = Option<String>, Query, description = "A selector"),
        ("start" = Option<String>, Query), ("end" = Option<String>, Query), ("since" = Option<String>, Query)),
    responses((status = 200, body = serde_json::Value, description = "As Loki answers"),
        (status = "4XX", body = String, content_type = "text/plain", description = "What is wrong"),
        (status = 503, body = String, content_type = "text/plain", description = "It took too long, or too many searches run")))]
async fn index_stats(State(app): State<Shared>, given: Given) -> Result<Response, Problem> {
    let selection = streams(&given, given.get("query"))?;
    let found = streams_of(&app, selection).await?;
    let entries: u64 = found.iter().map(|set| set.count).sum();
    let stats = json!({ "streams": found.len(), "chunks": 0, "bytes": 0, "entries": entries });
    Ok(Json(stats).into_response())
}

/// Who answers. The version is that of the Loki that answers the same.
#[utoipa::path(get, path = "/loki/api/v1/status/buildinfo", tag = "loki",
    responses((status = 200, body = serde_json::Value, description = "As Loki answers")))]
async fn build_info(State(app): State<Shared>) -> Response {
    let facts = json!({ "version": API_VERSION, "revision": "", "branch": "", "buildUser": "", "buildDate": "",
        "goVersion": "", "application": "Watchkeeper", "applicationVersion": app.context.version });
    Json(facts).into_response()
}

fn wants_categories(headers: &HeaderMap) -> bool {
    let texts = headers.get_all(ENCODING_FLAGS).into_iter().filter_map(|flags| flags.to_str().ok());
    texts.flat_map(|flags| flags.split(',')).any(|flag| flag.trim() == shapes::CATEGORIZED)
}

async fn counted(app: &Shared, counts: Counts, steps: Steps) -> Result<Vec<Windowed>, Problem> {
    ask(app, move |store, cancel| records::windows(store, &counts, steps, cancel)).await
}

/// The same at every step.
fn constant(value: f64, steps: &Steps) -> Vec<Windowed> {
    vec![Windowed { labels: Labels::new(), values: vec![Some(value); steps.count] }]
}

/// The streams of a selector in the range that is asked for.
fn streams(given: &Given, text: Option<&str>) -> Result<Selection, Problem> {
    let lines = text.map_or_else(|| Ok(Lines::default()), selector)?;
    Ok(selected(&lines, times::of_lines(times::range(given)?)))
}

async fn streams_of(app: &Shared, selection: Selection) -> Result<Vec<Set>, Problem> {
    ask(app, move |store, cancel| records::sets(store, &selection, &STREAM_LABELS, MAX_SETS, cancel)).await
}
