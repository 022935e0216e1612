//! Logging in and out, and who asks.

use axum::extract::{RawQuery, Request, State};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};
use axum::{Extension, Json};
use serde::Deserialize;
use state::{Outcome, User};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::{Routes, page};
use crate::access::client::{ClientAddress, Peer, is_https};
use crate::access::record::{Action, whole};
use crate::access::{Caller, Identity, cookie};
use crate::context::Shared;
use crate::guard::body::JsonBody;
use crate::params::Params;
use crate::problem::{Problem, ProblemBody};
use crate::wire::Show;
use crate::wire::access::{Credentials, Session};

/// What answers without a login, because it is the login.
pub(super) fn public() -> Routes {
    OpenApiRouter::new().routes(routes!(log_in)).route("/login", axum::routing::get(log_in_page))
}

/// What answers everybody who is known.
pub(super) fn own() -> Routes {
    OpenApiRouter::new().routes(routes!(who)).routes(routes!(log_out))
}

/// Begins a session, kept in a cookie. Scripts had better use an API key.
#[utoipa::path(post, path = "/api/v1/login", tag = "access", request_body = Credentials, security(()),
    responses((status = 200, body = Session), (status = 401, body = ProblemBody),
        (status = 429, body = ProblemBody, description = "Try again after the time in the header Retry-After")))]
async fn log_in(
    State(app): State<Shared>,
    Extension(ClientAddress(address)): Extension<ClientAddress>,
    peer: Option<Extension<Peer>>,
    headers: HeaderMap,
    JsonBody(credentials): JsonBody<Credentials>,
) -> Result<Response, Problem> {
    let (user, session) = whole(&app, |app| async move {
        let user = app.log_in(&credentials.username, &credentials.password, address).await?;
        let session = app.begin_session(&user, address).await?;
        Ok((user, session))
    })
    .await?;
    let https = is_https(&headers, peer.as_deref(), &app.config.trusted_proxies);
    let cookie = cookie::begin(session.token.reveal(), session.max_age, https);
    let body = Session {
        csrf_token: Some(session.csrf_token.reveal().to_owned()),
        expires_at: Some(session.expires_at),
        ..of_user(&user)
    };
    Ok(([(header::SET_COOKIE, cookie)], Json(body)).into_response())
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Link {
    token: String,
}

/// The login form; or with a token in the address, begins a session by a link that works once. People
/// whose link is used up get the form, which says so; programs get the problem.
async fn log_in_page(
    State(app): State<Shared>,
    RawQuery(query): RawQuery,
    link: Result<Params<Link>, Problem>,
    request: Request,
) -> Result<Response, Problem> {
    let by_link = query.is_some_and(|query| query.split('&').any(|pair| pair.starts_with("token=")));
    if !by_link {
        return Ok(page::app(request.headers()));
    }
    let Params(link) = link?;
    let headers = request.headers().clone();
    let answered = log_in_by_link(app, link, request).await.into_response();
    if answered.status() == StatusCode::UNAUTHORIZED && page::wants_a_page(&headers) {
        return Ok((StatusCode::UNAUTHORIZED, page::app(&headers)).into_response());
    }
    Ok(answered)
}

async fn log_in_by_link(app: Shared, link: Link, request: Request) -> Result<Response, Problem> {
    let peer = request.extensions().get::<Peer>();
    let address = crate::access::client::address(&request, &app.config.trusted_proxies);
    let https = is_https(request.headers(), peer, &app.config.trusted_proxies);
    // What only looks whether the link is there (a preview in a chat) must not use it up.
    if request.method() == Method::HEAD {
        return Ok(StatusCode::NO_CONTENT.into_response());
    }
    let session = whole(&app, |app| async move {
        let user = app.log_in_by_link(&link.token, address).await?;
        app.begin_session(&user, address).await
    })
    .await?;
    let cookie = cookie::begin(session.token.reveal(), session.max_age, https);
    Ok(([(header::SET_COOKIE, cookie)], Redirect::to("/")).into_response())
}

/// Ends the session of the cookie.
#[utoipa::path(post, path = "/api/v1/logout", tag = "access",
    responses((status = 204, description = "Logged out"), (status = 401, body = ProblemBody)))]
async fn log_out(
    State(app): State<Shared>,
    Extension(caller): Extension<Caller>,
    headers: HeaderMap,
) -> Result<(StatusCode, [(header::HeaderName, HeaderValue); 1]), Problem> {
    if let (Identity::Session { .. }, Some(token)) = (&caller.identity, cookie::session_token(&headers)) {
        let token = token.to_owned();
        whole(&app, |app| async move {
            app.context.state.sessions().end(&token).await?;
            app.record(&caller, Action::on("logout", "session"), Outcome::Ok).await
        })
        .await?;
    }
    Ok((StatusCode::NO_CONTENT, [(header::SET_COOKIE, cookie::end())]))
}

/// Who asks, what they may do, and for a session its CSRF token.
#[utoipa::path(get, path = "/api/v1/session", tag = "access",
    responses((status = 200, body = Session), (status = 401, body = ProblemBody)))]
async fn who(Extension(caller): Extension<Caller>) -> Json<Session> {
    let (name, scopes) = (caller.actor(), caller.scopes.show());
    let other =
        |kind| Session { name: name.clone(), kind, role: None, scopes, csrf_token: None, expires_at: None };
    Json(match caller.identity {
        Identity::Session { user, csrf_token, expires_at } => {
            Session { csrf_token: Some(csrf_token), expires_at: Some(expires_at), ..of_user(&user) }
        }
        Identity::Key { .. } => other("key"),
        Identity::Local => other("local"),
        Identity::OpenIngest => other("loopback"),
    })
}

fn of_user(user: &User) -> Session {
    Session {
        name: user.name.clone(),
        kind: "session",
        role: Some(user.role.as_str()),
        scopes: user.role.scopes().show(),
        csrf_token: None,
        expires_at: None,
    }
}
