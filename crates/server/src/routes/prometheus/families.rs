//! What is known of metrics: kind, meaning and unit of each family.

use axum::extract::State;
use axum::response::Response;
use model::MetricMetadata;
use serde_json::{Map, Value as Json, json};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::answer::{Answer, Failure};
use super::arguments::Arguments;
use crate::context::Shared;
use crate::routes::Routes;

pub(super) fn routes() -> Routes {
    OpenApiRouter::new().routes(routes!(metadata))
}

/// What is known of metrics by what senders and targets said of them, in memory.
#[utoipa::path(get, path = "/prometheus/api/v1/metadata", tag = "prometheus",
    params(("metric" = Option<String>, Query, description = "One family alone"),
        ("limit" = Option<i64>, Query, description = "The most families; below 0 is no limit"),
        ("limit_per_metric" = Option<i64>, Query, description = "The most that is said of each; 0 is no limit")),
    responses((status = 200, body = serde_json::Value), (status = "4XX", body = serde_json::Value)))]
async fn metadata(State(app): State<Shared>, arguments: Arguments) -> Result<Response, Failure> {
    let per_family = arguments.most("limit_per_metric")?.filter(|limit| *limit > 0).unwrap_or(usize::MAX);
    let limit = arguments.most("limit")?.unwrap_or(usize::MAX);
    let found = app.context.ingest.metadata(arguments.text("metric"), limit, per_family);
    let data: Map<String, Json> = found
        .into_iter()
        .map(|(family, said)| (family.to_string(), said.iter().map(shown).collect()))
        .collect();
    Answer::other(&Json::Object(data), false).respond(&app)
}

fn shown(metadata: &MetricMetadata) -> Json {
    json!({ "type": metadata.kind.name(), "help": metadata.help, "unit": metadata.unit })
}
