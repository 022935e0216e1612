//! What else there was when an alert began: log records, traces, jobs and calls of models of what its labels name.

mod searches;
mod statements;
mod subject;

use std::time::Duration;

use axum::Json;
use axum::extract::State;
use model::{TimeRange, Timestamp};
use pipeline::WorkerFilter;
use records::{BEGUN_BEFORE, OfJob, OfWhat, Page, WorkersOf};
use serde::Deserialize;
use state::AlertRecord;
use store::Order;
use utoipa::IntoParams;

use self::searches::Searches;
use super::super::searching::{ask, limit};
use crate::context::Shared;
use crate::params::{Name, Params};
use crate::problem::{Problem, ProblemBody};
use crate::wire::alert_context::{AlertContext, AlertSubject, CallsThen, FailedJobs, LogsThen, TracesThen};

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(super) struct ContextParams {
    /// How many minutes before and after its beginning are looked at, 15 if left out, at most 1,440.
    minutes: Option<u32>,
    /// The most items of each kind, 20 if left out, at most 100.
    limit: Option<u32>,
}

/// The most workers of a host that are taken from memory.
const MAX_WORKERS: usize = 200;

/// What there was around the beginning of an alert: warnings and errors in logs, traces with errors, jobs that failed,
/// calls of models, of what its labels name, as far as each can tell. Each comes with the query that finds the rest.
#[utoipa::path(get, path = "/api/v1/alerts/{id}/context", tag = "alerts", params(("id" = String, Path), ContextParams),
    responses((status = 200, body = AlertContext), (status = "4XX", body = ProblemBody),
        (status = 503, body = ProblemBody, description = "It took too long, or too many searches run")))]
pub(super) async fn context(
    State(app): State<Shared>,
    Name(id): Name,
    Params(params): Params<ContextParams>,
) -> Result<Json<AlertContext>, Problem> {
    let minutes = limit("minutes", params.minutes, 15, 1_440)?;
    let most = limit("limit", params.limit, 20, 100)?;
    let detail = app.context.alerts.get(&id).await?.ok_or_else(|| Problem::not_found("alert", &id))?;
    let around = Duration::from_secs(minutes as u64 * 60);
    let subject = subject::of(&detail.alert.labels);
    let range = around_start(&detail.alert, around);
    let of = of_what(&app, &subject, range).await?;
    let process = subject.worker.as_deref().and_then(|worker| process(&app, worker));
    let searches = Searches::of(&subject, of.job.as_ref(), process.as_ref(), range)?;
    let found = ask(&app, move |store, cancel| {
        let page = Page { limit: most, order: Order::NewestFirst, after: None };
        let logs = records::logs(store, &searches.logs, &page, cancel)?;
        let mut traces = records::traces(store, &searches.traces, most + 1, cancel)?;
        let mut jobs = records::failed_jobs(store, range, &of, most + 1, cancel)?;
        let mut calls = records::llm_calls(store, range, &of, most + 1, cancel)?;
        let more = (traces.len() > most, jobs.len() > most, calls.len() > most);
        traces.truncate(most);
        jobs.truncate(most);
        calls.truncate(most);
        Ok(AlertContext {
            from: range.start,
            to: range.end,
            logs: LogsThen {
                q: searches.logs_text,
                items: logs.items.into_iter().map(Into::into).collect(),
                more: logs.next.is_some(),
            },
            traces: TracesThen {
                q: searches.traces_text,
                items: traces.into_iter().map(Into::into).collect(),
                more: more.0,
            },
            jobs: FailedJobs {
                sql: statements::failed_jobs(&of, range),
                items: jobs.into_iter().map(Into::into).collect(),
                more: more.1,
            },
            llm_calls: CallsThen {
                sql: statements::llm_calls(&of, range),
                items: calls.into_iter().map(Into::into).collect(),
                more: more.2,
            },
            subject,
        })
    });
    Ok(Json(found.await?))
}

/// The time around the beginning of an alert. What has not come yet is not looked for.
fn around_start(alert: &AlertRecord, around: Duration) -> TimeRange {
    let end = alert.active_at.after(around).min(Timestamp::now()).max(alert.active_at);
    TimeRange::new(alert.active_at.before(around), end)
}

/// What jobs and calls are asked for, with what is known of the host's workers and of the job's traces.
async fn of_what(app: &Shared, subject: &AlertSubject, range: TimeRange) -> Result<OfWhat, Problem> {
    let live = &app.context.pipeline;
    let workers = match (&subject.worker, &subject.host) {
        (Some(worker), _) => Some(WorkersOf::one(worker.as_str())),
        (None, Some(host)) => {
            let filter = WorkerFilter { host: Some(host.clone()), ..WorkerFilter::default() };
            let page = pipeline::Page { offset: 0, limit: MAX_WORKERS };
            let known = live.workers().list(&filter, page).items.into_iter().map(|worker| worker.worker_id);
            Some(WorkersOf::on(host.as_str(), known))
        }
        (None, None) => None,
    };
    let job = subject.job_id.as_deref().map(|id| {
        let trace = live.jobs().get(id).and_then(|job| job.trace_id);
        let range = TimeRange::new(range.start.before(BEGUN_BEFORE), range.end);
        OfJob::new(id, trace.as_deref(), range)
    });
    let of = OfWhat {
        service: subject.service.clone(),
        queue: subject.queue.clone(),
        kind: subject.kind.clone(),
        stage: subject.stage.clone(),
        model: subject.model.clone(),
        backend: subject.backend.clone(),
        workers,
        job,
    };
    if of.workers.is_none() && of.job.is_none() {
        return Ok(of);
    }
    let completed = ask(app, move |store, cancel| {
        let workers = of.workers.map(|workers| workers.with_stored(store, range, cancel)).transpose()?;
        let job = of.job.map(|job| job.with_all_traces(store, cancel)).transpose()?;
        Ok(OfWhat { workers, job, ..of })
    });
    completed.await
}

/// The host and the process of a worker: as it has told, or as its id says.
fn process(app: &Shared, worker: &str) -> Option<(String, u64)> {
    let known = app.context.pipeline.workers().get(worker);
    known.and_then(|known| Some((known.host?, known.pid?))).or_else(|| subject::process_of(worker))
}
