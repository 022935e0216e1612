//! Jobs: those in memory, and by id those in the store.

use axum::Json;
use axum::extract::State;
use model::Timestamp;
use serde::Deserialize;
use utoipa::IntoParams;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::Routes;
use crate::blocking;
use crate::context::Shared;
use crate::params::{List, Name, Params, Window, named, time};
use crate::problem::{Problem, ProblemBody};
use crate::wire::jobs::Job;

pub(super) fn routes() -> Routes {
    OpenApiRouter::new().routes(routes!(list)).routes(routes!(get))
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
struct ListParams {
    /// `pending`, `running`, `completed` or `failed`.
    status: Option<String>,
    /// Its kind.
    kind: Option<String>,
    /// Its queue.
    queue: Option<String>,
    /// Its worker.
    worker: Option<String>,
    /// Its document.
    document: Option<String>,
    /// For whom it works.
    tenant: Option<String>,
    /// Text in its id, document, kind, stage, message or error.
    q: Option<String>,
    /// Something was said of it at this time (RFC 3339) or later.
    #[param(value_type = Option<String>, format = DateTime)]
    #[serde(default, deserialize_with = "time")]
    since: Option<Timestamp>,
    /// It was first heard of at this time (RFC 3339) or earlier.
    #[param(value_type = Option<String>, format = DateTime)]
    #[serde(default, deserialize_with = "time")]
    until: Option<Timestamp>,
    /// The most items, 100 if left out.
    limit: Option<u32>,
    /// How many items to skip.
    offset: Option<u32>,
}

/// Jobs in memory, newest first.
#[utoipa::path(get, path = "/api/v1/jobs", tag = "pipeline", params(ListParams),
    responses((status = 200, body = List<Job>), (status = "4XX", body = ProblemBody)))]
async fn list(
    State(app): State<Shared>,
    Params(params): Params<ListParams>,
) -> Result<Json<List<Job>>, Problem> {
    let window = Window::new(params.limit, params.offset)?;
    let filter = pipeline::JobFilter {
        status: named("status", params.status.as_deref())?,
        kind: params.kind,
        queue: params.queue,
        worker: params.worker,
        document: params.document,
        tenant: params.tenant,
        text: params.q,
        since: params.since,
        until: params.until,
    };
    let listing = app.context.pipeline.jobs().list(&filter, window.live());
    Ok(Json(window.list(listing.items, listing.total as u64)))
}

/// One job, with its attempts and stages; read from the store when it is no longer in memory.
#[utoipa::path(get, path = "/api/v1/jobs/{id}", tag = "pipeline", params(("id" = String, Path)),
    responses((status = 200, body = Job), (status = 404, body = ProblemBody)))]
async fn get(State(app): State<Shared>, Name(id): Name) -> Result<Json<Job>, Problem> {
    if let Some(job) = app.context.pipeline.jobs().get(&id) {
        return Ok(Json(job.into()));
    }
    let (store, now, wanted) = (app.context.store.clone(), Timestamp::now(), id.clone());
    let since = now.before(app.context.retention);
    let stored =
        blocking::stoppable(&app, move |cancel| pipeline::stored_job(&*store, &wanted, since, now, cancel))
            .await??;
    let job = stored.ok_or_else(|| Problem::not_found("job", &id))?;
    Ok(Json(job.into()))
}
