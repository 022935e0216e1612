//! The Prometheus HTTP API, for Grafana and whatever else speaks to Prometheus.
//!
//! Parameters come in the query, or in the body of a form; unknown ones are passed over, and errors
//! have Prometheus' shape and classes, because that is what its clients read. Queries run off the
//! async threads, a bounded number at a time, and stop when their client goes away; small answers that
//! are kept are given at once.

mod answer;
mod arguments;
mod escaping;
mod exemplars;
mod explain;
mod families;
mod federate;
mod language;
mod large;
mod metadata;
mod read;
mod rules;
pub(in crate::routes) mod run;
mod selection;
mod shapes;
mod stats;
mod status;
mod targets;
mod write;

use std::time::Duration;

use axum::extract::State;
use axum::response::Response;
use model::Timestamp;
use promql::QueryOutput;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use answer::{Answer, Failure};
use arguments::{Arguments, wrong};
use run::Job;
use stats::Clock;

use super::Routes;
use crate::context::Shared;

pub(crate) use large::LargeAnswers;

pub(super) fn routes() -> Routes {
    OpenApiRouter::new()
        .routes(routes!(query, query_by_form))
        .routes(routes!(query_range, query_range_by_form))
        .merge(explain::routes())
        .merge(language::routes())
        .merge(metadata::routes())
        .merge(families::routes())
        .merge(exemplars::routes())
        .merge(federate::routes())
        .merge(status::routes())
        .merge(targets::routes())
        .merge(rules::routes())
}

/// Remote read, whose bodies are compressed.
pub(super) fn remote_read() -> Routes {
    read::routes()
}

/// Evaluates a PromQL expression at one time.
#[utoipa::path(get, path = "/prometheus/api/v1/query", tag = "prometheus",
    params(("query" = String, Query, description = "The expression"),
        ("time" = Option<String>, Query, description = "RFC 3339 or seconds since the epoch; now if left out"),
        ("timeout" = Option<String>, Query, description = "How long it may take: `10s`, or seconds"),
        ("limit" = Option<u64>, Query, description = "The most series; 0 is no limit"),
        ("lookback_delta" = Option<String>, Query, description = "How long a sample is the current one; `promql.lookback` if left out"),
        ("stats" = Option<String>, Query, description = "`true` or `all`: what the query took"),
        ("nocache" = Option<String>, Query, description = "`1` evaluates anew what was answered before")),
    responses((status = 200, body = serde_json::Value, description = "As Prometheus answers"), Failure))]
async fn query(State(app): State<Shared>, arguments: Arguments) -> Result<Response, Failure> {
    instant(&app, &arguments).await
}

/// The same, with the parameters in a form.
#[utoipa::path(post, path = "/prometheus/api/v1/query", tag = "prometheus",
    request_body(content = String, content_type = "application/x-www-form-urlencoded"),
    responses((status = 200, body = serde_json::Value), Failure))]
async fn query_by_form(State(app): State<Shared>, arguments: Arguments) -> Result<Response, Failure> {
    instant(&app, &arguments).await
}

async fn instant(app: &Shared, arguments: &Arguments) -> Result<Response, Failure> {
    let query = arguments.query()?;
    let time = arguments.time("time")?.unwrap_or_else(Timestamp::now);
    let (limit, engine_for) = (arguments.limit()?, arguments.engine()?);
    let (timeout, clock) = (arguments.timeout()?, Clock::start(arguments.wanted_stats()));
    let engine = engine_for(&app.context.promql);
    if let Some(output) = at_once(timeout, || engine.kept_instant(&query, time)) {
        return Answer::of(output, limit, clock.begin().end(Some(time))).respond(app);
    }
    let job: Job<_> = Box::new(move |_, cancel| {
        let begun = clock.begin();
        let output = engine.instant(&query, time, cancel)?;
        let measured = begun.end(Some(time));
        Ok(Answer::of(output, limit, measured))
    });
    run::run(app, timeout, job).await?.respond(app)
}

/// Evaluates a PromQL expression at every step of a range.
#[utoipa::path(get, path = "/prometheus/api/v1/query_range", tag = "prometheus",
    params(("query" = String, Query, description = "The expression"),
        ("start" = String, Query, description = "RFC 3339 or seconds since the epoch"),
        ("end" = String, Query, description = "RFC 3339 or seconds since the epoch"),
        ("step" = String, Query, description = "`15s`, or seconds"),
        ("timeout" = Option<String>, Query, description = "How long it may take: `10s`, or seconds"),
        ("limit" = Option<u64>, Query, description = "The most series; 0 is no limit"),
        ("lookback_delta" = Option<String>, Query, description = "How long a sample is the current one; `promql.lookback` if left out"),
        ("stats" = Option<String>, Query, description = "`true` or `all`: what the query took"),
        ("nocache" = Option<String>, Query, description = "`1` evaluates anew what was answered before")),
    responses((status = 200, body = serde_json::Value, description = "As Prometheus answers"), Failure))]
async fn query_range(State(app): State<Shared>, arguments: Arguments) -> Result<Response, Failure> {
    range(&app, &arguments).await
}

/// The same, with the parameters in a form.
#[utoipa::path(post, path = "/prometheus/api/v1/query_range", tag = "prometheus",
    request_body(content = String, content_type = "application/x-www-form-urlencoded"),
    responses((status = 200, body = serde_json::Value), Failure))]
async fn query_range_by_form(State(app): State<Shared>, arguments: Arguments) -> Result<Response, Failure> {
    range(&app, &arguments).await
}

async fn range(app: &Shared, arguments: &Arguments) -> Result<Response, Failure> {
    let query = arguments.query()?;
    let (start, end) = (arguments.needed_time("start")?, arguments.needed_time("end")?);
    let step = arguments.step()?;
    if end < start {
        return Err(wrong("end", "it lies before `start`"));
    }
    let (limit, engine_for) = (arguments.limit()?, arguments.engine()?);
    let (timeout, clock) = (arguments.timeout()?, Clock::start(arguments.wanted_stats()));
    let engine = engine_for(&app.context.promql);
    if let Some(output) = at_once(timeout, || engine.kept_range(&query, start, end, step)) {
        return Answer::of(output, limit, clock.begin().end(None)).respond(app);
    }
    let job: Job<_> = Box::new(move |_, cancel| {
        let begun = clock.begin();
        let output = engine.range(&query, start, end, step, cancel)?;
        let measured = begun.end(None);
        Ok(Answer::of(output, limit, measured))
    });
    run::run_range(app, timeout, job).await?.respond(app)
}

/// An answer that is kept goes out without a thread and a turn among queries, unless there is no time at all for it.
fn at_once(timeout: Option<Duration>, kept: impl FnOnce() -> Option<QueryOutput>) -> Option<QueryOutput> {
    if timeout == Some(Duration::ZERO) { None } else { kept() }
}
