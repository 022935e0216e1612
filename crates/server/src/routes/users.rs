//! Managing users.

use axum::extract::State;
use axum::http::StatusCode;
use axum::{Extension, Json};
use serde::Deserialize;
use serde_json::json;
use state::{Role, User as Account};
use utoipa::IntoParams;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::Routes;
use crate::access::Caller;
use crate::access::record::{Action, whole};
use crate::context::{App, Shared};
use crate::guard::body::JsonBody;
use crate::params::{List, Name, Params, Window};
use crate::problem::{Kind, Problem, ProblemBody};
use crate::wire::access::{NewPassword, NewUser, User};

pub(super) fn routes() -> Routes {
    OpenApiRouter::new().routes(routes!(list, create)).routes(routes!(remove)).routes(routes!(set_password))
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

/// Users, by name.
#[utoipa::path(get, path = "/api/v1/users", tag = "access", params(ListParams),
    responses((status = 200, body = List<User>), (status = "4XX", body = ProblemBody)))]
async fn list(
    State(app): State<Shared>,
    Params(params): Params<ListParams>,
) -> Result<Json<List<User>>, Problem> {
    let window = Window::new(params.limit, params.offset)?;
    Ok(Json(window.cut(app.context.state.users().list().await?)))
}

/// Makes a user.
#[utoipa::path(post, path = "/api/v1/users", tag = "access", request_body = NewUser,
    responses((status = 201, body = User), (status = "4XX", body = ProblemBody)))]
async fn create(
    State(app): State<Shared>,
    Extension(caller): Extension<Caller>,
    JsonBody(new): JsonBody<NewUser>,
) -> Result<(StatusCode, Json<User>), Problem> {
    let role: Role = new
        .role
        .parse()
        .map_err(|_| Problem::new(Kind::BadParameter, "`role` is one of viewer, operator, admin."))?;
    let user = whole(&app, |app| async move {
        let made = app.context.state.users().create(&new.name, &new.password, role).await;
        let action = Action::on("user.create", &new.name).with(json!({ "role": role.as_str() }));
        app.recorded(&caller, action, made).await
    })
    .await?;
    Ok((StatusCode::CREATED, Json(user.into())))
}

/// Removes a user. The last administrator stays.
#[utoipa::path(delete, path = "/api/v1/users/{name}", tag = "access", params(("name" = String, Path)),
    responses((status = 204, description = "Removed"), (status = "4XX", body = ProblemBody)))]
async fn remove(
    State(app): State<Shared>,
    Extension(caller): Extension<Caller>,
    Name(name): Name,
) -> Result<StatusCode, Problem> {
    whole(&app, |app| async move {
        let done = async {
            let user = named(&app, &name).await?;
            Ok::<_, Problem>(app.context.state.users().delete(&user.id).await?)
        };
        let done = done.await;
        app.recorded(&caller, Action::on("user.remove", &name), done).await
    })
    .await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Gives a user another password, and ends the user's sessions.
#[utoipa::path(post, path = "/api/v1/users/{name}/password", tag = "access", params(("name" = String, Path)),
    request_body = NewPassword, responses((status = 204, description = "Changed"), (status = "4XX", body = ProblemBody)))]
async fn set_password(
    State(app): State<Shared>,
    Extension(caller): Extension<Caller>,
    Name(name): Name,
    JsonBody(new): JsonBody<NewPassword>,
) -> Result<StatusCode, Problem> {
    whole(&app, |app| async move {
        let done = async {
            let user = named(&app, &name).await?;
            Ok::<_, Problem>(app.context.state.users().set_password(&user.id, &new.password).await?)
        };
        let done = done.await;
        app.recorded(&caller, Action::on("user.password", &name), done).await
    })
    .await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn named(app: &App, name: &str) -> Result<Account, Problem> {
    app.context.state.users().by_name(name).await?.ok_or_else(|| Problem::not_found("user", name))
}
