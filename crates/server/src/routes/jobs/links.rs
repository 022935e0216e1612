//! From a job to what belongs to it: its log records, its trace, its calls of models.

use std::time::Duration;

use axum::Json;
use axum::extract::State;
use model::{TimeRange, Timestamp};
use pipeline::{JobSnapshot, JobStatus};
use records::{Cursor, Kind, MAX_LISTED, OfJob, Page, Search};
use serde::Deserialize;
use store::{Order, Table};
use utoipa::IntoParams;

use super::super::logs::page_of;
use super::super::searching::{ask, order, page_limit, search, wrong};
use super::{find, in_short};
use crate::context::Shared;
use crate::params::{List, Name, NoParams, Params, Window, named};
use crate::problem::{Problem, ProblemBody};
use crate::wire::jobs::LlmCall;
use crate::wire::records::LogPage;
use crate::wire::traces::Trace;

/// How far around the time of a job what belongs to it is looked for: clocks differ, and words come late.
const AROUND: Duration = Duration::from_secs(60);

/// A job as what belongs to it is looked for, with the one trace that is known of it at once.
pub(super) fn of_job(job: &JobSnapshot) -> OfJob {
    let first = [job.submitted_at, job.started_at].into_iter().flatten().fold(job.first_event_at, Ord::min);
    let last = match job.status {
        JobStatus::Pending | JobStatus::Running => job.last_event_at.max(Timestamp::now()),
        JobStatus::Completed | JobStatus::Failed => {
            job.ended_at.map_or(job.last_event_at, |ended| ended.max(job.last_event_at))
        }
    };
    let range = TimeRange::new(first.before(AROUND), last.after(AROUND));
    OfJob::new(job.job_id.as_str(), job.trace_id.as_deref(), range)
}

/// The same with all of its traces.
async fn with_all_traces(app: &Shared, id: &str) -> Result<OfJob, Problem> {
    let of_job = of_job(&find(app, id).await?);
    ask(app, move |store, cancel| of_job.with_all_traces(store, cancel)).await
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(super) struct LogParams {
    /// A search (docs/search.md) within them; all of them if left out.
    q: Option<String>,
    /// The most records, 100 if left out. A page of large ones may have fewer though there are more.
    limit: Option<u32>,
    /// `newest` or `oldest` first; `oldest` if left out.
    order: Option<String>,
    /// `next_cursor` of the page before, with everything else as it was.
    cursor: Option<String>,
}

/// The log records of a job, page by page: those that name it, and those of its traces, from a minute before it until a
/// minute after it.
#[utoipa::path(get, path = "/api/v1/jobs/{id}/logs", tag = "pipeline", params(("id" = String, Path), LogParams),
    responses((status = 200, body = LogPage), (status = "4XX", body = ProblemBody),
        (status = 503, body = ProblemBody, description = "It took too long, or too many searches run")))]
pub(super) async fn logs(
    State(app): State<Shared>,
    Name(id): Name,
    Params(params): Params<LogParams>,
) -> Result<Json<LogPage>, Problem> {
    let within = search(Kind::Logs, params.q.as_deref(), None, None)?;
    let order = order(params.order.as_deref())?.unwrap_or(Order::OldestFirst);
    let after: Option<Cursor> = named("cursor", params.cursor.as_deref())?;
    let page = Page { limit: page_limit(params.limit)?, order, after };
    let of_job = with_all_traces(&app, &id).await?;
    let all = Search::new(Kind::Logs, &of_job.query(), of_job.range(), Timestamp::now())?;
    Ok(Json(page_of(&app, within.and(&all), page).await?))
}

/// The trace of a job as a whole, as `/api/v1/traces/{trace_id}` shows it. Of several it is the one that events of the
/// job name, if anything is stored of it.
#[utoipa::path(get, path = "/api/v1/jobs/{id}/trace", tag = "pipeline", params(("id" = String, Path)),
    responses((status = 200, body = Trace), (status = "4XX", body = ProblemBody),
        (status = 503, body = ProblemBody, description = "It took too long, or too many searches run")))]
pub(super) async fn trace(
    State(app): State<Shared>,
    Name(id): Name,
    _: NoParams,
) -> Result<Json<Trace>, Problem> {
    let of_job = with_all_traces(&app, &id).await?;
    let found = ask(&app, move |store, cancel| {
        for trace_id in of_job.traces() {
            let trace_id = trace_id.to_ascii_lowercase();
            let trace = records::trace(store, &trace_id, cancel)?;
            if !trace.spans.is_empty() || !trace.logs.is_empty() {
                return Ok(Some((trace_id, trace)));
            }
        }
        Ok(None)
    });
    let (trace_id, trace) = found.await?.ok_or_else(|| Problem::not_found("trace of the job", &id))?;
    let jobs = in_short(&app, &trace.jobs).await?;
    Ok(Json(Trace::of(trace_id, trace, jobs)))
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(super) struct CallParams {
    /// The most items, 100 if left out.
    limit: Option<u32>,
    /// How many items to skip. A list ends at the 10,000th.
    offset: Option<u32>,
}

/// The calls of models that a job made, oldest first: those that name it, and those of its traces.
#[utoipa::path(get, path = "/api/v1/jobs/{id}/llm-calls", tag = "pipeline", params(("id" = String, Path), CallParams),
    responses((status = 200, body = List<LlmCall>), (status = "4XX", body = ProblemBody),
        (status = 503, body = ProblemBody, description = "It took too long, or too many searches run")))]
pub(super) async fn llm_calls(
    State(app): State<Shared>,
    Name(id): Name,
    Params(params): Params<CallParams>,
) -> Result<Json<List<LlmCall>>, Problem> {
    let window = Window::new(params.limit, params.offset)?;
    let pipeline::Page { offset, limit } = window.live();
    if offset.saturating_add(limit) > MAX_LISTED {
        return Err(wrong(format!(
            "`offset` and `limit` may be {MAX_LISTED} together; POST /api/v1/sql reads on."
        )));
    }
    let of_job = with_all_traces(&app, &id).await?;
    let found = ask(&app, move |store, cancel| {
        let total = of_job.count(Table::LlmCalls, store, cancel)?;
        Ok((of_job.llm_calls(store, (offset, limit), cancel)?, total))
    });
    let (calls, total) = found.await?;
    Ok(Json(window.list(calls, total)))
}
