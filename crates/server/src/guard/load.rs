//! How many requests at once, and for how long.

use std::time::Duration;

use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::Response;

use crate::context::Shared;
use crate::problem::{Kind, Problem};

/// Answers "later" when too many requests are in flight, and stops those that take too long.
pub(crate) async fn bound(
    State(app): State<Shared>,
    request: Request,
    next: Next,
) -> Result<Response, Problem> {
    let Ok(_slot) = app.requests.try_acquire() else {
        app.turned_away.inc();
        return Err(Problem::new(Kind::Overloaded, "Too many requests are in flight; send this one again.")
            .retry_after(Duration::from_secs(1)));
    };
    let limit = app.config.request_timeout.0;
    tokio::time::timeout(limit, next.run(request)).await.map_err(|_| {
        Problem::new(
            Kind::RequestTimeout,
            format!(
                "The request was not answered within {}; ask for less, or send it faster.",
                app.config.request_timeout
            ),
        )
    })
}
