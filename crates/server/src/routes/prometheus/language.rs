//! Queries as texts: written in one spelling, and taken apart. Nothing is evaluated.

use axum::extract::State;
use axum::response::Response;
use serde_json::json;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::answer::{Answer, Failure};
use super::arguments::{Arguments, wrong};
use crate::context::Shared;
use crate::routes::Routes;

pub(super) fn routes() -> Routes {
    OpenApiRouter::new()
        .routes(routes!(format_query, format_query_by_form))
        .routes(routes!(parse_query, parse_query_by_form))
}

/// Writes a PromQL expression as people like to read it.
#[utoipa::path(get, path = "/prometheus/api/v1/format_query", tag = "prometheus",
    params(("query" = String, Query, description = "The expression")),
    responses((status = 200, body = serde_json::Value, description = "As Prometheus answers"),
        (status = "4XX", body = serde_json::Value, description = "As Prometheus answers")))]
async fn format_query(State(app): State<Shared>, arguments: Arguments) -> Result<Response, Failure> {
    formatted(&arguments)?.respond(&app)
}

/// The same, with the parameters in a form.
#[utoipa::path(post, path = "/prometheus/api/v1/format_query", tag = "prometheus",
    request_body(content = String, content_type = "application/x-www-form-urlencoded"),
    responses((status = 200, body = serde_json::Value), (status = "4XX", body = serde_json::Value)))]
async fn format_query_by_form(State(app): State<Shared>, arguments: Arguments) -> Result<Response, Failure> {
    formatted(&arguments)?.respond(&app)
}

fn formatted(arguments: &Arguments) -> Result<Answer, Failure> {
    let text =
        promql::format(arguments.needed("query")?).map_err(|error| wrong("query", &error.to_string()))?;
    Ok(Answer::other(&json!(text), false))
}

/// Takes a PromQL expression apart.
#[utoipa::path(get, path = "/prometheus/api/v1/parse_query", tag = "prometheus",
    params(("query" = String, Query, description = "The expression")),
    responses((status = 200, body = serde_json::Value, description = "As Prometheus answers"),
        (status = "4XX", body = serde_json::Value, description = "As Prometheus answers")))]
async fn parse_query(State(app): State<Shared>, arguments: Arguments) -> Result<Response, Failure> {
    parsed(&arguments)?.respond(&app)
}

/// The same, with the parameters in a form.
#[utoipa::path(post, path = "/prometheus/api/v1/parse_query", tag = "prometheus",
    request_body(content = String, content_type = "application/x-www-form-urlencoded"),
    responses((status = 200, body = serde_json::Value), (status = "4XX", body = serde_json::Value)))]
async fn parse_query_by_form(State(app): State<Shared>, arguments: Arguments) -> Result<Response, Failure> {
    parsed(&arguments)?.respond(&app)
}

fn parsed(arguments: &Arguments) -> Result<Answer, Failure> {
    let parts =
        promql::parts(arguments.needed("query")?).map_err(|error| wrong("query", &error.to_string()))?;
    let parts = serde_json::to_value(parts).map_err(|error| Failure::internal(&error))?;
    Ok(Answer::other(&parts, false))
}
