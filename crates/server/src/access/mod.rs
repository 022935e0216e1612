//! Who asks, and what they may do.
//!
//! [`authenticate`] finds out who asks, once for each request; [`require`] is the gate in front of
//! every route, and says what the route demands. A route without a gate is public, and there are few:
//! `/healthz`, `/readyz`, the login, and the page that shows it.

pub(crate) mod client;
pub(crate) mod cookie;
pub(crate) mod login;
pub(crate) mod random;
pub(crate) mod record;

use std::borrow::Cow;
use std::net::IpAddr;

use axum::extract::{Request, State};
use axum::http::header;
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue, Method};
use axum::middleware::Next;
use axum::response::Response;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use model::Timestamp;
use state::{Scope, Scopes};
use subtle::ConstantTimeEq;

use crate::context::Shared;
use crate::problem::{Kind, Problem};

/// The header in which a page repeats its session's CSRF token.
pub(crate) const CSRF_HEADER: &str = "x-csrf-token";

/// How somebody has shown who they are.
#[derive(Clone, Debug)]
pub(crate) enum Identity {
    /// A browser with a session.
    Session { user: state::User, csrf_token: String, expires_at: Timestamp },
    /// A program with an API key.
    Key { name: String },
    /// The command line on this machine, with the token that only the owner of the data can read.
    Local,
    /// Somebody on this machine, where ingest is open to it.
    OpenIngest,
}

/// Somebody who asks.
#[derive(Clone, Debug)]
pub(crate) struct Caller {
    pub(crate) identity: Identity,
    pub(crate) scopes: Scopes,
    pub(crate) address: IpAddr,
}

impl Caller {
    /// The name under which actions go into the audit log.
    pub(crate) fn actor(&self) -> String {
        match &self.identity {
            Identity::Session { user, .. } => user.name.clone(),
            Identity::Key { name } => format!("key:{name}"),
            Identity::Local => "local".to_owned(),
            Identity::OpenIngest => "loopback".to_owned(),
        }
    }
}

/// Finds out who asks, and lets everybody pass; gates behind this decide.
pub(crate) async fn authenticate(
    State(app): State<Shared>,
    mut request: Request,
    next: Next,
) -> Result<Response, Problem> {
    let address = client::address(&request, &app.config.trusted_proxies);
    if let Some((identity, scopes)) = identify(&app, request.headers()).await? {
        let caller = Caller { identity, scopes, address };
        tracing::Span::current().record("user_id", caller.actor());
        request.extensions_mut().insert(caller);
    }
    request.extensions_mut().insert(client::ClientAddress(address));
    Ok(next.run(request).await)
}

/// Credentials in a header beat a cookie: who sends both means the header.
async fn identify(app: &Shared, headers: &HeaderMap) -> Result<Option<(Identity, Scopes)>, Problem> {
    let now = Timestamp::now();
    if let Some(token) = presented_token(headers) {
        if app.local_token_is(&token) {
            return Ok(Some((Identity::Local, Scope::ALL.into_iter().collect())));
        }
        let key = app.context.state.keys().verify(&token, now).await?;
        return Ok(key.map(|key| (Identity::Key { name: key.name }, key.scopes)));
    }
    if let Some(token) = cookie::session_token(headers) {
        let session = app.context.state.sessions().find(token, now).await?;
        return Ok(session.map(|session| {
            let scopes = session.user.role.scopes();
            let state::Session { user, csrf_token, expires_at, .. } = session;
            (Identity::Session { user, csrf_token, expires_at }, scopes)
        }));
    }
    Ok(None)
}

/// A key as any client can send one: those of Prometheus' world know basic authentication best, where the key is the
/// password, whatever the name is.
fn presented_token(headers: &HeaderMap) -> Option<Cow<'_, str>> {
    if let Some(key) = headers.get("x-api-key") {
        return key.to_str().ok().map(Cow::Borrowed);
    }
    let (scheme, token) = headers.get(header::AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    if scheme.eq_ignore_ascii_case("bearer") {
        return Some(Cow::Borrowed(token.trim()));
    }
    let credentials = scheme.eq_ignore_ascii_case("basic").then(|| BASE64.decode(token.trim()).ok())??;
    let (_, password) = std::str::from_utf8(&credentials).ok()?.split_once(':')?;
    Some(Cow::Owned(password.to_owned()))
}

/// The gate: lets a request pass when its caller is known, and may do what `scope` allows.
pub(crate) async fn require(
    scope: Option<Scope>,
    app: Shared,
    mut request: Request,
    next: Next,
) -> Result<Response, Problem> {
    let caller = match request.extensions().get::<Caller>() {
        Some(caller) => caller.clone(),
        None if scope == Some(Scope::Ingest)
            && app.config.open_loopback_ingest
            && client::is_local(&request) =>
        {
            let address = client::address(&request, &[]);
            Caller { identity: Identity::OpenIngest, scopes: [Scope::Ingest].into_iter().collect(), address }
        }
        None => return Err(login_required(request.headers())),
    };
    if let Some(scope) = scope.filter(|scope| !caller.scopes.allows(*scope)) {
        return Err(Problem::new(
            Kind::Forbidden,
            format!("This needs the scope `{scope}`; use a key or a user that has it."),
        ));
    }
    let (mut parts, body) = request.into_parts();
    check_csrf(&caller, &parts)?;
    parts.extensions.insert(caller);
    request = Request::from_parts(parts, body);
    Ok(next.run(request).await)
}

/// Whether whoever shows these headers is let in now, and may do what `scope` allows. For answers that
/// go on for long.
pub(crate) async fn may(app: &Shared, headers: &HeaderMap, scope: Scope) -> bool {
    match identify(app, headers).await {
        Ok(found) => found.is_some_and(|(_, scopes)| scopes.allows(scope)),
        Err(problem) => {
            tracing::warn!(?problem, "could not tell whether a reader is still let in");
            false
        }
    }
}

fn login_required(headers: &HeaderMap) -> Problem {
    let detail = if presented_token(headers).is_some() {
        "The key is unknown, revoked or expired; make another with `watchkeeper key create NAME --scope SCOPE`."
    } else {
        "Log in, or send an API key as `Authorization: Bearer KEY` or as the password of basic authentication; \
         `watchkeeper key create` makes one."
    };
    Problem::new(Kind::LoginRequired, detail)
        .with_header(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer realm=\"watchkeeper\""))
}

/// A cookie is sent by the browser whatever page asks; so a change by cookie must also carry the
/// token that only our own page can know.
fn check_csrf(caller: &Caller, parts: &Parts) -> Result<(), Problem> {
    let Identity::Session { csrf_token, .. } = &caller.identity else { return Ok(()) };
    if matches!(parts.method, Method::GET | Method::HEAD | Method::OPTIONS) {
        return Ok(());
    }
    let sent = parts.headers.get(CSRF_HEADER).map_or(&b""[..], HeaderValue::as_bytes);
    if bool::from(sent.ct_eq(csrf_token.as_bytes())) {
        return Ok(());
    }
    Err(Problem::new(
        Kind::CsrfTokenMissing,
        "Send the header X-CSRF-Token with the `csrf_token` that GET /api/v1/session answers.",
    ))
}
