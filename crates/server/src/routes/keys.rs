//! Managing API keys.

use axum::extract::State;
use axum::http::StatusCode;
use axum::{Extension, Json};
use model::Timestamp;
use serde::Deserialize;
use serde_json::json;
use state::{Page, Scope, Scopes};
use utoipa::IntoParams;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::Routes;
use crate::access::Caller;
use crate::access::record::{Action, whole};
use crate::context::Shared;
use crate::guard::body::JsonBody;
use crate::params::{List, Name, Params, Window};
use crate::problem::{Kind, Problem, ProblemBody};
use crate::wire::access::{ApiKey, KeyRequest, NewApiKey};

pub(super) fn routes() -> Routes {
    OpenApiRouter::new().routes(routes!(list, create)).routes(routes!(revoke))
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
struct ListParams {
    /// The most items, 100 if left out.
    limit: Option<u32>,
    /// How many items to skip.
    offset: Option<u32>,
}

/// API keys without their secrets, newest first, revoked ones too.
#[utoipa::path(get, path = "/api/v1/keys", tag = "access", params(ListParams),
    responses((status = 200, body = List<ApiKey>), (status = "4XX", body = ProblemBody)))]
async fn list(
    State(app): State<Shared>,
    Params(params): Params<ListParams>,
) -> Result<Json<List<ApiKey>>, Problem> {
    let window = Window::new(params.limit, params.offset)?;
    let mut keys = Vec::new();
    // There are few, and the store is bounded; the total is known once all were read.
    loop {
        let page = Page { offset: keys.len() as u64, limit: Page::MAX_LIMIT };
        let more = app.context.state.keys().list(page).await?;
        let last = (more.len() as u64) < page.limit;
        keys.extend(more);
        if last {
            return Ok(Json(window.cut(keys)));
        }
    }
}

/// Makes an API key. The answer is the only time that the key itself is shown.
#[utoipa::path(post, path = "/api/v1/keys", tag = "access", request_body = KeyRequest,
    responses((status = 201, body = NewApiKey), (status = "4XX", body = ProblemBody)))]
async fn create(
    State(app): State<Shared>,
    Extension(caller): Extension<Caller>,
    JsonBody(request): JsonBody<KeyRequest>,
) -> Result<(StatusCode, Json<NewApiKey>), Problem> {
    let now = Timestamp::now();
    let scopes = scopes(&request.scopes)?;
    if request.expires_at.is_some_and(|end| end <= now) {
        return Err(Problem::new(
            Kind::BadParameter,
            "`expires_at` lies in the past; give a later time, or leave it out.",
        ));
    }
    let new = whole(&app, |app| async move {
        let keys = app.context.state.keys();
        let made = keys.create(&request.name, scopes, &caller.actor(), request.expires_at, now).await;
        let id = made.as_ref().ok().map(|new| new.key.id.clone());
        let detail = json!({ "scopes": scopes.to_string(), "id": id });
        app.recorded(&caller, Action::on("key.create", &request.name).with(detail), made).await
    })
    .await?;
    let body = NewApiKey { secret: new.secret.reveal().to_owned(), key: new.key.into() };
    Ok((StatusCode::CREATED, Json(body)))
}

fn scopes(names: &[String]) -> Result<Scopes, Problem> {
    let wrong =
        || Problem::new(Kind::BadParameter, "`scopes` takes one or more of ingest, read, operate, admin.");
    let scopes: Scopes =
        names.iter().map(|name| name.parse::<Scope>()).collect::<Result<_, _>>().map_err(|_| wrong())?;
    if scopes.is_empty() { Err(wrong()) } else { Ok(scopes) }
}

/// Revokes a key, for good.
#[utoipa::path(delete, path = "/api/v1/keys/{id}", tag = "access", params(("id" = String, Path)),
    responses((status = 204, description = "Revoked"), (status = "4XX", body = ProblemBody)))]
async fn revoke(
    State(app): State<Shared>,
    Extension(caller): Extension<Caller>,
    Name(id): Name,
) -> Result<StatusCode, Problem> {
    whole(&app, |app| async move {
        let done = app.context.state.keys().revoke(&id, Timestamp::now()).await;
        app.recorded(&caller, Action::on("key.revoke", &id), done).await
    })
    .await?;
    Ok(StatusCode::NO_CONTENT)
}
