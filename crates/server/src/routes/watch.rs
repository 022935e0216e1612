//! How the watching goes: rules, collectors, channels, notifications.

use axum::Json;
use axum::extract::State;
use serde::Deserialize;
use utoipa::IntoParams;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::Routes;
use crate::context::Shared;
use crate::params::{List, Params, Window, each_named};
use crate::problem::{Problem, ProblemBody};
use crate::wire::alerts::{Channel, Delivery, Rule, RulesReload};
use crate::wire::watch::Collector;

pub(super) fn routes() -> Routes {
    OpenApiRouter::new()
        .routes(routes!(rules))
        .routes(routes!(reload))
        .routes(routes!(collectors))
        .routes(routes!(channels))
        .routes(routes!(deliveries))
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
struct PageParams {
    /// The most items, 100 if left out.
    limit: Option<u32>,
    /// How many items to skip.
    offset: Option<u32>,
}

/// Rules in the order of their files, and how they do.
#[utoipa::path(get, path = "/api/v1/rules", tag = "alerts", params(PageParams),
    responses((status = 200, body = List<Rule>), (status = "4XX", body = ProblemBody)))]
async fn rules(
    State(app): State<Shared>,
    Params(params): Params<PageParams>,
) -> Result<Json<List<Rule>>, Problem> {
    let window = Window::new(params.limit, params.offset)?;
    Ok(Json(window.cut(app.context.alerts.rules())))
}

/// How reading the rule files again went.
#[utoipa::path(get, path = "/api/v1/rules/reload", tag = "alerts", responses((status = 200, body = RulesReload)))]
async fn reload(State(app): State<Shared>) -> Json<RulesReload> {
    Json(app.context.alerts.reload_status().into())
}

/// Collectors, and how they do.
#[utoipa::path(get, path = "/api/v1/collectors", tag = "watching", params(PageParams),
    responses((status = 200, body = List<Collector>), (status = "4XX", body = ProblemBody)))]
async fn collectors(
    State(app): State<Shared>,
    Params(params): Params<PageParams>,
) -> Result<Json<List<Collector>>, Problem> {
    let window = Window::new(params.limit, params.offset)?;
    Ok(Json(window.cut(app.context.collectors.status())))
}

/// Channels for notifications, and how they do.
#[utoipa::path(get, path = "/api/v1/channels", tag = "alerts", params(PageParams),
    responses((status = 200, body = List<Channel>), (status = "4XX", body = ProblemBody)))]
async fn channels(
    State(app): State<Shared>,
    Params(params): Params<PageParams>,
) -> Result<Json<List<Channel>>, Problem> {
    let window = Window::new(params.limit, params.offset)?;
    Ok(Json(window.cut(app.context.alerts.channels().await?)))
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
struct DeliveryParams {
    /// States, separated by commas: `pending`, `failed`, `delivered`, `dead`.
    state: Option<String>,
    /// The channel's name.
    channel: Option<String>,
    /// The most items, 100 if left out.
    limit: Option<u32>,
    /// How many items to skip.
    offset: Option<u32>,
}

/// Notifications with their outcome, newest first.
#[utoipa::path(get, path = "/api/v1/deliveries", tag = "alerts", params(DeliveryParams),
    responses((status = 200, body = List<Delivery>), (status = "4XX", body = ProblemBody)))]
async fn deliveries(
    State(app): State<Shared>,
    Params(params): Params<DeliveryParams>,
) -> Result<Json<List<Delivery>>, Problem> {
    let window = Window::new(params.limit, params.offset)?;
    let states = each_named("state", params.state.as_deref(), "pending, failed, delivered, dead")?;
    let filter = state::DeliveryFilter { states, channel: params.channel };
    let (deliveries, total) = app.context.alerts.deliveries(&filter, window.stored()).await?;
    Ok(Json(window.list(deliveries, total)))
}
