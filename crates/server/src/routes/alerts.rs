//! Alerts: what fires, what else there was then, and what people do about it.

mod context;

use axum::extract::State;
use axum::{Extension, Json};
use serde::Deserialize;
use serde_json::json;
use utoipa::IntoParams;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::Routes;
use crate::access::Caller;
use crate::access::record::{Action, whole};
use crate::context::Shared;
use crate::guard::body::JsonBody;
use crate::params::{List, Name, Params, Window, each_named};
use crate::problem::{Kind, Problem, ProblemBody};
use crate::wire::alerts::{Alert, AlertDetail, Note};

pub(super) fn reading() -> Routes {
    OpenApiRouter::new().routes(routes!(list)).routes(routes!(get)).routes(routes!(context::context))
}

pub(super) fn operating() -> Routes {
    OpenApiRouter::new().routes(routes!(acknowledge)).routes(routes!(resolve))
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
struct ListParams {
    /// States, separated by commas: `pending`, `firing`, `acknowledged`, `resolved`.
    state: Option<String>,
    /// Severities, separated by commas: `info`, `warning`, `error`, `critical`.
    severity: Option<String>,
    /// The rule's name.
    rule: Option<String>,
    /// The most items, 100 if left out.
    limit: Option<u32>,
    /// How many items to skip.
    offset: Option<u32>,
}

/// Alerts, the last changed first.
#[utoipa::path(get, path = "/api/v1/alerts", tag = "alerts", params(ListParams),
    responses((status = 200, body = List<Alert>), (status = "4XX", body = ProblemBody)))]
async fn list(
    State(app): State<Shared>,
    Params(params): Params<ListParams>,
) -> Result<Json<List<Alert>>, Problem> {
    let window = Window::new(params.limit, params.offset)?;
    let states = each_named("state", params.state.as_deref(), "pending, firing, acknowledged, resolved")?;
    let severities: Vec<alert::Severity> =
        each_named("severity", params.severity.as_deref(), "info, warning, error, critical")?;
    let severities = severities.into_iter().map(|severity| severity.as_str().to_owned()).collect();
    let filter = state::AlertFilter { states, severities, rule: params.rule };
    let (alerts, total) = app.context.alerts.list(&filter, window.stored()).await?;
    Ok(Json(window.list(alerts, total)))
}

/// One alert, with its evidence and its history.
#[utoipa::path(get, path = "/api/v1/alerts/{id}", tag = "alerts", params(("id" = String, Path)),
    responses((status = 200, body = AlertDetail), (status = 404, body = ProblemBody)))]
async fn get(State(app): State<Shared>, Name(id): Name) -> Result<Json<AlertDetail>, Problem> {
    let detail = app.context.alerts.get(&id).await?.ok_or_else(|| Problem::not_found("alert", &id))?;
    Ok(Json(detail.into()))
}

/// The longest note, in characters.
const MAX_NOTE: usize = 2_000;

fn checked(note: Note) -> Result<Option<String>, Problem> {
    match note.note {
        Some(text) if text.chars().count() > MAX_NOTE => Err(Problem::new(
            Kind::BadParameter,
            format!("`note` may have {MAX_NOTE} characters at the most."),
        )),
        note => Ok(note.filter(|text| !text.trim().is_empty())),
    }
}

/// Takes a firing alert on: it fires on, and is not told again.
#[utoipa::path(post, path = "/api/v1/alerts/{id}/acknowledge", tag = "alerts", params(("id" = String, Path)),
    request_body = Note, responses((status = 200, body = Alert), (status = "4XX", body = ProblemBody)))]
async fn acknowledge(
    State(app): State<Shared>,
    Extension(caller): Extension<Caller>,
    Name(id): Name,
    JsonBody(note): JsonBody<Note>,
) -> Result<Json<Alert>, Problem> {
    let note = checked(note)?;
    let alert = whole(&app, |app| async move {
        let done = app.context.alerts.acknowledge(&id, &caller.actor(), note.as_deref()).await;
        let action = Action::on("alert.acknowledge", &id).with(json!({ "note": note }));
        app.recorded(&caller, action, done).await
    });
    Ok(Json(alert.await?.into()))
}

/// Resolves an alert by hand: it stays resolved until its condition has cleared and come back.
#[utoipa::path(post, path = "/api/v1/alerts/{id}/resolve", tag = "alerts", params(("id" = String, Path)),
    request_body = Note, responses((status = 200, body = Alert), (status = "4XX", body = ProblemBody)))]
async fn resolve(
    State(app): State<Shared>,
    Extension(caller): Extension<Caller>,
    Name(id): Name,
    JsonBody(note): JsonBody<Note>,
) -> Result<Json<Alert>, Problem> {
    let note = checked(note)?;
    let alert = whole(&app, |app| async move {
        let done = app.context.alerts.resolve(&id, &caller.actor(), note.as_deref()).await;
        let action = Action::on("alert.resolve", &id).with(json!({ "note": note }));
        app.recorded(&caller, action, done).await
    });
    Ok(Json(alert.await?.into()))
}
