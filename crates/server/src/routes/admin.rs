//! The endpoints of the documents that Watchkeeper was asked for with, in their shapes; see
//! `wire::seeds`. What they show is in `/api/v1` too, and more of it.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::extract::State;
use model::Timestamp;
use pipeline::{JobFilter, Page, WorkerFilter};
use report::{Bucket, Gauges, GroupBy, Period, RequestFilter};
use serde::Deserialize;
use state::AlertState;
use utoipa::IntoParams;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::Routes;
use crate::blocking;
use crate::context::Shared;
use crate::params::{MAX_LIMIT, NoParams, Params, named};
use crate::problem::{Kind, Problem, ProblemBody};
use crate::wire::seeds::dashboard::{Alert, DashboardData, Present, SystemMetrics, WorkerMetrics};
use crate::wire::seeds::memory::{MemoryHistory, MemoryStats};
use crate::wire::seeds::stats::{RequestStats, SystemStats};

pub(super) fn routes() -> Routes {
    OpenApiRouter::new()
        .routes(routes!(request_stats))
        .routes(routes!(system_stats))
        .routes(routes!(memory_stats))
        .routes(routes!(memory_history))
        .routes(routes!(dashboard))
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
struct PeriodParams {
    /// The last `hour`, `day`, `week` or `month`.
    period: Option<String>,
}

impl PeriodParams {
    fn or(&self, otherwise: Period) -> Result<Period, Problem> {
        Ok(named("period", self.period.as_deref())?.unwrap_or(otherwise))
    }
}

/// Requests to the watched applications over a period, a day if none is named.
#[utoipa::path(get, path = "/api/admin/stats/requests", tag = "admin", params(PeriodParams),
    responses((status = 200, body = RequestStats), (status = "4XX", body = ProblemBody)))]
async fn request_stats(
    State(app): State<Shared>,
    Params(params): Params<PeriodParams>,
) -> Result<Json<RequestStats>, Problem> {
    let period = params.or(Period::Day)?;
    let range = period.until(Timestamp::now());
    let stats = blocking::report(&app, move |context, cancel| {
        report::request_stats(&*context.store, GroupBy::Route, &RequestFilter::default(), range, cancel)
    })
    .await?;
    Ok(Json(RequestStats::new(period, stats)))
}

/// CPU, memory and queues over a period, an hour if none is named.
#[utoipa::path(get, path = "/api/admin/stats/system", tag = "admin", params(PeriodParams),
    responses((status = 200, body = SystemStats), (status = "4XX", body = ProblemBody)))]
async fn system_stats(
    State(app): State<Shared>,
    Params(params): Params<PeriodParams>,
) -> Result<Json<SystemStats>, Problem> {
    let period = params.or(Period::Hour)?;
    let stats = blocking::report(&app, move |context, cancel| {
        report::system_stats(&context.promql, period, Timestamp::now(), cancel)
    })
    .await?;
    Ok(Json(SystemStats::new(period, &stats)))
}

/// Memory of the watched processes and of their host, now.
#[utoipa::path(get, path = "/api/admin/memory-stats", tag = "admin",
    responses((status = 200, body = MemoryStats), (status = "4XX", body = ProblemBody)))]
async fn memory_stats(State(app): State<Shared>, _: NoParams) -> Result<Json<MemoryStats>, Problem> {
    let now = Timestamp::now();
    let memory =
        blocking::report(&app, move |context, cancel| report::memory_now(&context.promql, now, cancel))
            .await?;
    Ok(Json(MemoryStats::new(now, &memory)))
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
struct HistoryParams {
    /// The job.
    #[param(required = true)]
    job_id: Option<String>,
}

/// The memory of a job, stage by stage and component by component. Of a job that is not known there is
/// none.
#[utoipa::path(get, path = "/api/admin/memory-history", tag = "admin", params(HistoryParams),
    responses((status = 200, body = MemoryHistory), (status = "4XX", body = ProblemBody)))]
async fn memory_history(
    State(app): State<Shared>,
    Params(params): Params<HistoryParams>,
) -> Result<Json<MemoryHistory>, Problem> {
    let job_id = params.job_id.filter(|job_id| !job_id.is_empty()).ok_or_else(|| {
        Problem::new(Kind::BadParameter, "`job_id` is missing: name the job whose memory is asked for.")
    })?;
    let (now, wanted) = (Timestamp::now(), job_id.clone());
    let rows = blocking::report(&app, move |context, cancel| {
        report::memory_history(&*context.store, &wanted, now.before(context.retention), now, cancel)
    })
    .await?;
    Ok(Json(MemoryHistory::new(job_id, rows)))
}

/// How many of the newest tasks are shown.
const RECENT_TASKS: usize = 50;
/// How many hours are shown one by one, the present one included.
const HOURS: u32 = 24;

/// Everything at once: the pipeline as a whole, its workers, the newest tasks, alerts, and how the
/// pipeline was hour by hour and day by day.
#[utoipa::path(get, path = "/api/admin/dashboard", tag = "admin",
    responses((status = 200, body = DashboardData), (status = "4XX", body = ProblemBody)))]
async fn dashboard(State(app): State<Shared>, _: NoParams) -> Result<Json<DashboardData>, Problem> {
    let now = Timestamp::now();
    let (hours, gauges) = history(&app, now).await?;
    let since = now.before(Duration::from_secs(3600) * HOURS);
    let of_last_day: Vec<Bucket> = hours.iter().filter(|hour| hour.start > since).copied().collect();
    let live = &app.context.pipeline;
    // All of them are counted, and so many shown.
    let all = Page { offset: 0, limit: usize::MAX };
    let workers = live.workers().list(&WorkerFilter::default(), all).items;
    let queues = live.queues().list(all).items;
    let jobs = live.jobs();
    let newest = jobs.list(&JobFilter::default(), Page { offset: 0, limit: RECENT_TASKS }).items;
    let present = Present {
        now,
        workers: &workers,
        queues: &queues,
        jobs: jobs.counts(),
        hours: &of_last_day,
        gauges: &gauges,
    };
    Ok(Json(DashboardData {
        timestamp: now,
        system_metrics: present.metrics(),
        worker_metrics: workers
            .into_iter()
            .take(MAX_LIMIT as usize)
            .map(|worker| WorkerMetrics::new(worker, now))
            .collect(),
        recent_tasks: newest.into_iter().map(Into::into).collect(),
        active_alerts: active_alerts(&app).await?,
        hourly_stats: of_last_day.iter().map(SystemMetrics::of).collect(),
        daily_stats: report::days(&hours).iter().map(SystemMetrics::of).collect(),
    }))
}

async fn history(app: &Shared, now: Timestamp) -> Result<(Vec<Bucket>, Gauges), Problem> {
    // Who waits for the history must not hold a slot that others could use.
    let waited = Arc::clone(&app.history).lock_owned();
    let mut history = tokio::time::timeout(blocking::longest(app), waited)
        .await
        .map_err(|_| Problem::new(Kind::TimedOut, "The history is being read; ask again in a while."))?;
    blocking::report(app, move |context, cancel| {
        let hours = history.hours(&*context.store, &context.promql, now, cancel)?;
        Ok((hours, report::gauges_now(&context.promql, now, cancel)?))
    })
    .await
}

async fn active_alerts(app: &Shared) -> Result<Vec<Alert>, Problem> {
    let filter = state::AlertFilter {
        states: vec![AlertState::Firing, AlertState::Acknowledged],
        ..state::AlertFilter::default()
    };
    let page = state::Page { offset: 0, limit: MAX_LIMIT.into() };
    let (records, _) = app.context.alerts.list(&filter, page).await?;
    let expressions: BTreeMap<String, String> =
        app.context.alerts.rules().into_iter().map(|rule| (rule.id, rule.query)).collect();
    let alert = |record: state::AlertRecord| {
        let expression = expressions.get(&record.rule_id).map(String::as_str);
        Alert::new(record, expression)
    };
    Ok(records.into_iter().map(alert).collect())
}
