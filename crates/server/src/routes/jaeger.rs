//! Jaeger's query API, as far as Grafana's data source asks it: services, operations, traces and who calls whom.
//!
//! What is asked becomes a search of spans ([`search`]); traces are answered as Jaeger's page has them ([`shapes`]).
//! Unknown parameters are passed over, and what is wrong is told in Jaeger's form.

mod answer;
mod search;
mod shapes;

use std::time::Duration;

use axum::Json;
use axum::extract::State;
use axum::routing::get;
use model::event::SpanKind;
use model::{TimeRange, Timestamp};
use promql::{Query, Value};
use records::{Facet, Kind, MAX_SPANS, MAX_TRACES, MAX_VALUES, spans_of};
use store::{Cancel, TelemetryStore};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::Routes;
use super::given::{Given, wrong};
use super::searching::{self, ask, search as search_of};
use crate::blocking;
use crate::context::Shared;
use crate::params::Name;
use crate::problem::Problem;
use answer::Answer;
use shapes::{Call, Operation, Trace};

pub(crate) use answer::in_its_form;

/// What all paths begin with, but one.
const PREFIX: &str = "/jaeger/";
/// Where some versions of Grafana search, whatever path their data source has.
const BARE: &str = "/api/traces";
/// How far back services and operations are looked for.
const RECENT: Duration = Duration::from_secs(24 * 3_600);
/// How far back is looked for traces, if nothing is said.
const LAST: Duration = Duration::from_secs(2 * 24 * 3_600);
/// How many traces there are, if nothing is said.
const LIMIT: usize = 20;
/// The longest time over which calls are counted.
const MAX_LOOKBACK: Duration = Duration::from_secs(31 * 24 * 3_600);

pub(super) fn routes() -> Routes {
    OpenApiRouter::new()
        .routes(routes!(services))
        .routes(routes!(operations))
        .routes(routes!(operations_by_kind))
        .routes(routes!(traces))
        .routes(routes!(trace))
        .routes(routes!(dependencies))
        .route(BARE, get(traces))
}

/// The services that have reported spans in the last day.
#[utoipa::path(get, path = "/jaeger/api/services", tag = "jaeger",
    responses((status = 200, body = serde_json::Value, description = "As Jaeger answers"),
        (status = 503, body = serde_json::Value, description = "It took too long, or too many searches run")))]
async fn services(State(app): State<Shared>) -> Result<Json<Answer<String>>, Problem> {
    Ok(Json(Answer::of(recent(&app, "service", "").await?)))
}

/// The operations of a service of which there were spans in the last day.
#[utoipa::path(get, path = "/jaeger/api/services/{service}/operations", tag = "jaeger",
    params(("service" = String, Path)),
    responses((status = 200, body = serde_json::Value, description = "As Jaeger answers"),
        (status = "4XX", body = serde_json::Value, description = "As Jaeger answers"),
        (status = 503, body = serde_json::Value, description = "It took too long, or too many searches run")))]
async fn operations(State(app): State<Shared>, Name(service): Name) -> Result<Json<Answer<String>>, Problem> {
    Ok(Json(Answer::of(recent(&app, "name", &search::of_service(&service)).await?)))
}

/// The operations of a service of which there were spans in the last day, with their kinds.
#[utoipa::path(get, path = "/jaeger/api/operations", tag = "jaeger",
    params(("service" = String, Query), ("spanKind" = Option<String>, Query, description = "Only those of this kind: `server`")),
    responses((status = 200, body = serde_json::Value, description = "As Jaeger answers"),
        (status = "4XX", body = serde_json::Value, description = "As Jaeger answers"),
        (status = 503, body = serde_json::Value, description = "It took too long, or too many searches run")))]
async fn operations_by_kind(
    State(app): State<Shared>,
    given: Given,
) -> Result<Json<Answer<Operation>>, Problem> {
    let of_service = search::of_service(given.needed("service")?);
    let expected = format!("one of {}", SpanKind::NAMES.join(", "));
    let one = |text: &str| SpanKind::NAMES.contains(&text).then(|| text.to_owned());
    let kinds = match given.read("spanKind", &expected, one)? {
        Some(kind) => vec![kind],
        None => recent(&app, "kind", &of_service).await?,
    };
    let mut operations = Vec::new();
    for kind in kinds {
        let names = recent(&app, "name", &format!("{of_service} kind={kind}")).await?;
        operations.extend(names.into_iter().map(|name| Operation { name, span_kind: kind.clone() }));
    }
    Ok(Json(Answer::of(operations)))
}

/// The values that a field of recent spans has, of those that most have.
async fn recent(app: &Shared, field: &str, query: &str) -> Result<Vec<String>, Problem> {
    let facet: Facet = searching::facet("field", Kind::Spans, field)?;
    let now = Timestamp::now();
    let search = search_of(Kind::Spans, Some(query), Some(now.before(RECENT)), Some(now))?;
    let counted =
        ask(app, move |store, cancel| records::facets(store, &search, &[facet], MAX_VALUES, cancel)).await?;
    let values = counted.into_iter().flat_map(|facet| facet.values);
    let mut names: Vec<String> = values.filter_map(|counted| counted.value).collect();
    names.sort_unstable();
    Ok(names)
}

/// Traces with a span that satisfies all that is asked, those with the newest first.
#[utoipa::path(get, path = "/jaeger/api/traces", tag = "jaeger",
    params(("service" = Option<String>, Query, description = "Needed where no `traceID` is given"),
        ("traceID" = Option<Vec<String>>, Query, description = "These traces, whatever else is asked"),
        ("operation" = Option<String>, Query, description = "The name of a span"),
        ("tags" = Option<String>, Query, description = "A JSON object of attributes and their values"),
        ("minDuration" = Option<String>, Query, description = "`100ms`"),
        ("maxDuration" = Option<String>, Query, description = "`5s`"),
        ("start" = Option<u64>, Query, description = "Microseconds since the epoch; two days before the end if left out"),
        ("end" = Option<u64>, Query, description = "Microseconds since the epoch; now if left out"),
        ("limit" = Option<u64>, Query, description = "The most traces, 20 if left out, at most 200. All have 10,000 spans together at the most")),
    responses((status = 200, body = serde_json::Value, description = "As Jaeger answers"),
        (status = "4XX", body = serde_json::Value, description = "As Jaeger answers"),
        (status = 503, body = serde_json::Value, description = "It took too long, or too many searches run")))]
async fn traces(State(app): State<Shared>, given: Given) -> Result<Json<Answer<Trace>>, Problem> {
    let ids = search::trace_ids(&given)?;
    if !ids.is_empty() {
        let all = ids.into_iter().map(|id| (id, TimeRange::ALL)).collect();
        return Ok(answered(ask(&app, move |store, cancel| whole(store, all, cancel)).await?));
    }
    let text = search::text(&given)?;
    let end = micros(&given, "end")?.unwrap_or_else(Timestamp::now);
    let start = micros(&given, "start")?.unwrap_or_else(|| end.before(LAST));
    if start > end {
        return Err(wrong("start", "it lies behind `end`"));
    }
    let expected = format!("a number from 1 to {MAX_TRACES}");
    let number = |text: &str| text.parse::<usize>().ok().filter(|limit| (1..=MAX_TRACES).contains(limit));
    let limit = given.read("limit", &expected, number)?.unwrap_or(LIMIT);
    let search = search_of(Kind::Spans, Some(&text), Some(start), Some(end))?;
    let found = ask(&app, move |store, cancel| {
        let found = records::traces(store, &search, limit, cancel)?;
        let range = |start: Timestamp, nanos| TimeRange::new(start, start.after(Duration::from_nanos(nanos)));
        let found = found.into_iter().map(|one| (one.trace_id, range(one.start, one.duration_ns)));
        whole(store, found.collect(), cancel)
    });
    Ok(answered(found.await?))
}

fn answered(Whole { traces, is_cut }: Whole) -> Json<Answer<Trace>> {
    let answer = Answer::of(traces);
    if !is_cut {
        return Json(answer);
    }
    Json(answer.with_note(format!("There are more traces; those found have {MAX_SPANS} spans together.")))
}

/// Traces with their spans.
struct Whole {
    traces: Vec<Trace>,
    /// Whether some were left out, for there would be too many spans.
    is_cut: bool,
}

/// The spans of traces by their ids, one after the other until there are as many as an answer may have. Those of which
/// there is none are left out.
fn whole(
    store: &dyn TelemetryStore,
    found: Vec<(String, TimeRange)>,
    cancel: &Cancel,
) -> Result<Whole, records::Error> {
    let mut traces = Vec::with_capacity(found.len());
    let mut left = MAX_SPANS;
    for (trace_id, range) in found {
        if left == 0 {
            return Ok(Whole { traces, is_cut: true });
        }
        let mut spans = spans_of(store, &trace_id, range, left + 1, cancel)?;
        if spans.is_empty() {
            continue;
        }
        let warning = (spans.len() > left).then(|| "It has more spans than these.".to_owned());
        spans.truncate(left);
        left -= spans.len();
        traces.push(Trace::of(trace_id, spans, warning));
    }
    Ok(Whole { traces, is_cut: false })
}

/// One trace with all of its spans.
#[utoipa::path(get, path = "/jaeger/api/traces/{trace_id}", tag = "jaeger",
    params(("trace_id" = String, Path),
        ("start" = Option<u64>, Query, description = "Microseconds since the epoch: only spans from then on"),
        ("end" = Option<u64>, Query, description = "Microseconds since the epoch: only spans up to then")),
    responses((status = 200, body = serde_json::Value, description = "As Jaeger answers"),
        (status = "4XX", body = serde_json::Value, description = "As Jaeger answers"),
        (status = 503, body = serde_json::Value, description = "It took too long, or too many searches run")))]
async fn trace(
    State(app): State<Shared>,
    Name(trace_id): Name,
    given: Given,
) -> Result<Json<Answer<Trace>>, Problem> {
    let trace_id = search::trace_id(&trace_id)?;
    let start = micros(&given, "start")?.unwrap_or(Timestamp::MIN);
    let end = micros(&given, "end")?.unwrap_or(Timestamp::MAX);
    if start > end {
        return Err(wrong("start", "it lies behind `end`"));
    }
    let (id, range) = (trace_id.clone(), TimeRange::new(start, end));
    let found = ask(&app, move |store, cancel| spans_of(store, &id, range, MAX_SPANS + 1, cancel));
    let mut spans = found.await?;
    if spans.is_empty() {
        return Err(Problem::not_found("trace", &trace_id));
    }
    let warning = (spans.len() > MAX_SPANS).then(|| format!("It has more spans than these {MAX_SPANS}."));
    spans.truncate(MAX_SPANS);
    Ok(Json(Answer::of(vec![Trace::of(trace_id, spans, warning)])))
}

/// Which service called which, and how often, by the metrics that are made of spans.
#[utoipa::path(get, path = "/jaeger/api/dependencies", tag = "jaeger",
    params(("endTs" = Option<u64>, Query, description = "Milliseconds since the epoch; now if left out"),
        ("lookback" = Option<u64>, Query, description = "How many milliseconds before that it begins; a day if left out")),
    responses((status = 200, body = serde_json::Value, description = "As Jaeger answers"),
        (status = "4XX", body = serde_json::Value, description = "As Jaeger answers"),
        (status = 503, body = serde_json::Value, description = "It took too long, or too many queries run")))]
async fn dependencies(State(app): State<Shared>, given: Given) -> Result<Json<Answer<Call>>, Problem> {
    let expected = "a number of milliseconds";
    let millis = |text: &str| text.parse::<u64>().ok();
    let end = given.read("endTs", expected, |text| text.parse::<i64>().ok())?;
    let end = end.map_or_else(Timestamp::now, Timestamp::from_millis);
    let back = given.read("lookback", expected, millis)?.map_or(RECENT, Duration::from_millis);
    let seconds = back.min(MAX_LOOKBACK).as_secs().max(1);
    let text = format!(
        "sum by (client, server) (increase(traces_service_graph_request_total[{seconds}s] @ {:.3}))",
        end.as_millis() as f64 / 1e3
    );
    let query = Query::parse(&text).map_err(|_| wrong("endTs", "there is no such time"))?;
    let engine = app.context.promql.clone();
    let work = move |cancel: &Cancel| engine.instant(&query, Timestamp::now(), cancel);
    let calls = match blocking::stoppable(&app, work).await??.value {
        Value::Vector(samples) => samples.iter().filter_map(Call::of).collect(),
        Value::Scalar(_) | Value::Text { .. } | Value::Matrix(_) => Vec::new(),
    };
    Ok(Json(Answer::of(calls)))
}

/// A time in microseconds, if it is given.
fn micros(given: &Given, name: &str) -> Result<Option<Timestamp>, Problem> {
    let time = |text: &str| {
        let micros = text.parse::<i64>().ok()?;
        Some(Timestamp::from_nanos(micros.saturating_mul(1_000)))
    };
    given.read(name, "microseconds since the epoch", time)
}
