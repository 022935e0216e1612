//! Jobs: those in memory, and by id those in the store, with what belongs to them.

mod links;

use axum::Json;
use axum::extract::State;
use model::Timestamp;
use pipeline::JobSnapshot;
use records::TraceJobs;
use serde::Deserialize;
use utoipa::IntoParams;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::{Routes, searching};
use crate::blocking;
use crate::context::Shared;
use crate::params::{List, Name, Params, Window, named, time};
use crate::problem::{Problem, ProblemBody};
use crate::wire::jobs::{Job, JobDetail, JobInShort};

/// How many jobs that are no longer in memory are read from the store to be shown in short.
const MAX_READ: usize = 16;

pub(super) fn routes() -> Routes {
    OpenApiRouter::new()
        .routes(routes!(list))
        .routes(routes!(get))
        .routes(routes!(links::logs))
        .routes(routes!(links::trace))
        .routes(routes!(links::llm_calls))
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
    /// Its trace, or one of them if it has several.
    trace_id: Option<String>,
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
        trace_id: params.trace_id,
        text: params.q,
        since: params.since,
        until: params.until,
    };
    let listing = app.context.pipeline.jobs().list(&filter, window.live());
    Ok(Json(window.list(listing.items, listing.total as u64)))
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
struct GetParams {
    /// Whether what belongs to it is counted, and all of its traces are looked for; `false` if left out.
    counts: Option<bool>,
}

/// One job, with its attempts and stages, and where what belongs to it is found; read from the store when it is no
/// longer in memory.
#[utoipa::path(get, path = "/api/v1/jobs/{id}", tag = "pipeline", params(("id" = String, Path), GetParams),
    responses((status = 200, body = JobDetail), (status = "4XX", body = ProblemBody)))]
async fn get(
    State(app): State<Shared>,
    Name(id): Name,
    Params(params): Params<GetParams>,
) -> Result<Json<JobDetail>, Problem> {
    let job = find(&app, &id).await?;
    let of_job = links::of_job(&job);
    if !params.counts.unwrap_or(false) {
        return Ok(Json(JobDetail::of(job, &of_job, None)));
    }
    let counted = searching::ask(&app, move |store, cancel| {
        let of_job = of_job.with_all_traces(store, cancel)?;
        let counts = of_job.counts(store, cancel)?;
        Ok((of_job, counts))
    });
    let (of_job, counts) = counted.await?;
    Ok(Json(JobDetail::of(job, &of_job, Some(counts))))
}

/// A job from memory, or else from the store.
async fn find(app: &Shared, id: &str) -> Result<JobSnapshot, Problem> {
    if let Some(job) = app.context.pipeline.jobs().get(id) {
        return Ok(job);
    }
    let found = stored(app, vec![id.to_owned()]).await?;
    found.into_iter().next().ok_or_else(|| Problem::not_found("job", id))
}

/// Those of some jobs that the store knows.
async fn stored(app: &Shared, ids: Vec<String>) -> Result<Vec<JobSnapshot>, Problem> {
    let (store, now) = (app.context.store.clone(), Timestamp::now());
    let since = now.before(app.context.retention);
    let read = blocking::stoppable(app, move |cancel| {
        let jobs = ids.iter().map(|id| pipeline::stored_job(&*store, id, since, now, cancel));
        jobs.filter_map(Result::transpose).collect::<Result<Vec<_>, _>>()
    });
    Ok(read.await??)
}

/// Jobs of a trace with their states: those in memory, and the first of the others as the store has them.
pub(super) async fn in_short(app: &Shared, jobs: &TraceJobs) -> Result<Vec<JobInShort>, Problem> {
    let known = jobs.jobs().iter().map(|job| (job, app.context.pipeline.jobs().get(&job.job_id)));
    let mut shown = Vec::new();
    let mut wanted = Vec::new();
    for (job, known) in known {
        if known.is_none() && wanted.len() < MAX_READ {
            wanted.push(job.job_id.clone());
        }
        let kind = known.as_ref().and_then(|known| known.kind.clone()).or_else(|| job.kind.clone());
        let status = known.map(|known| known.status.as_str());
        shown.push(JobInShort { job_id: job.job_id.clone(), kind, status });
    }
    if wanted.is_empty() {
        return Ok(shown);
    }
    for job in stored(app, wanted).await? {
        if let Some(place) = shown.iter_mut().find(|shown| shown.job_id == job.job_id) {
            place.status = Some(job.status.as_str());
            place.kind = job.kind.or(place.kind.take());
        }
    }
    Ok(shown)
}
