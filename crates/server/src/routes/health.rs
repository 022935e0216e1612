//! `/healthz` and `/readyz`, and where probes of a Prometheus look for the same: open to everybody.

use axum::Router;
use axum::extract::State;
use axum::routing::get;

use crate::context::Shared;
use crate::problem::{Kind, Problem};

/// Where the API of Prometheus is.
const PROMETHEUS: &str = "/prometheus";

pub(super) fn routes() -> Router<Shared> {
    let aliases = [PROMETHEUS, ""].into_iter().fold(Router::new(), |router, prefix| {
        router
            .route(&format!("{prefix}/-/healthy"), get(alive))
            .route(&format!("{prefix}/-/ready"), get(ready))
    });
    aliases.route("/healthz", get(alive)).route("/readyz", get(ready))
}

/// The process answers.
async fn alive() -> &'static str {
    "ok\n"
}

/// The process answers, its state database too, and it is not about to stop. It only listens once
/// everything stored has been read back.
async fn ready(State(app): State<Shared>) -> Result<&'static str, Problem> {
    if app.is_stopping() {
        return Err(Problem::new(Kind::Unavailable, "The server is stopping; ask another, or wait."));
    }
    app.context.state.users().count().await.map_err(|error| {
        tracing::warn!(error = %crate::problem::chain(&error), "the state database does not answer");
        Problem::new(Kind::Unavailable, "The state database does not answer; the server's log says why.")
    })?;
    Ok("ready\n")
}
