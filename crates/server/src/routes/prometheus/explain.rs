//! How a query is evaluated: its parts, and what each of them costs. Prometheus has nothing of the kind; it stands
//! beside the queries because it takes what they take.

use axum::extract::State;
use axum::response::Response;
use model::Timestamp;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::answer::{Answer, Failure};
use super::arguments::Arguments;
use super::run::{self, Job};
use crate::context::Shared;
use crate::routes::Routes;

pub(super) fn routes() -> Routes {
    OpenApiRouter::new().routes(routes!(explain_query, explain_query_by_form))
}

/// Evaluates a PromQL expression, at one time or over a range, and tells what each part of it cost.
#[utoipa::path(get, path = "/prometheus/api/v1/explain_query", tag = "prometheus",
    params(("query" = String, Query, description = "The expression"),
        ("time" = Option<String>, Query, description = "RFC 3339 or seconds since the epoch; now if left out"),
        ("start" = Option<String>, Query, description = "Makes it a range: RFC 3339 or seconds since the epoch"),
        ("end" = Option<String>, Query, description = "The end of the range"),
        ("step" = Option<String>, Query, description = "The step of the range: `15s`, or seconds"),
        ("timeout" = Option<String>, Query, description = "How long it may take: `10s`, or seconds")),
    responses((status = 200, body = serde_json::Value,
            description = "In Prometheus' envelope: steps, series, samples, samples_read, time_seconds, and the plan \
                as a tree of parts with text, series, samples, samples_read, time_seconds, once, shared, children"),
        Failure))]
async fn explain_query(State(app): State<Shared>, arguments: Arguments) -> Result<Response, Failure> {
    explained(&app, &arguments).await
}

/// The same, with the parameters in a form.
#[utoipa::path(post, path = "/prometheus/api/v1/explain_query", tag = "prometheus",
    request_body(content = String, content_type = "application/x-www-form-urlencoded"),
    responses((status = 200, body = serde_json::Value), Failure))]
async fn explain_query_by_form(State(app): State<Shared>, arguments: Arguments) -> Result<Response, Failure> {
    explained(&app, &arguments).await
}

async fn explained(app: &Shared, arguments: &Arguments) -> Result<Response, Failure> {
    let query = arguments.query()?;
    let (timeout, engine_for) = (arguments.timeout()?, arguments.engine()?);
    let explanation = match arguments.time("start")? {
        None => {
            let time = arguments.time("time")?.unwrap_or_else(Timestamp::now);
            let job: Job<_> =
                Box::new(move |engine, cancel| engine_for(engine).explain_instant(&query, time, cancel));
            run::run(app, timeout, job).await?
        }
        Some(start) => {
            let (end, step) = (arguments.needed_time("end")?, arguments.step()?);
            let job: Job<_> = Box::new(move |engine, cancel| {
                engine_for(engine).explain_range(&query, start, end, step, cancel)
            });
            run::run_range(app, timeout, job).await?
        }
    };
    let explanation = serde_json::to_value(explanation).map_err(|error| Failure::internal(&error))?;
    Answer::other(&explanation, false).respond(app)
}
