//! Records of logs: searched, counted, clustered, followed, and what stands around one.

mod patterns;
mod tail;

use std::num::NonZeroU32;
use std::time::Duration;

use axum::Json;
use axum::extract::State;
use model::Timestamp;
use records::{Context, Cursor, Kind, MAX_BUCKETS, Page, Search};
use serde::Deserialize;
use store::{Cancel, Order, TelemetryStore};
use utoipa::IntoParams;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::Routes;
use super::jobs::in_short;
use super::searching::{ask, facet, facets, limit, order, page_limit, search, wrong};
use crate::context::Shared;
use crate::params::{MAX_LIMIT, Params, named, time};
use crate::problem::{self, Problem, ProblemBody};
use crate::wire::records::{LogContext, LogFacets, LogHistogram, LogPage, hints};

pub(super) fn routes() -> Routes {
    OpenApiRouter::new()
        .routes(routes!(list))
        .routes(routes!(histogram))
        .routes(routes!(facet_counts))
        .routes(routes!(context))
        .routes(routes!(patterns::patterns))
        .routes(routes!(tail::tail))
}

/// What histograms, facets and patterns are of, if nothing is said.
const LAST: Duration = Duration::from_secs(3_600);
/// By which fields facets count, if nothing is said.
const FIELDS: &str = "level,service,host,deployment.environment.name,job_id,stage,tenant,http.route,http.response.status_code,error.type,exception.type";

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
struct ListParams {
    /// A search (docs/search.md), as `level>=warn service:ocr "timed out"`; everything if left out.
    q: Option<String>,
    /// Records of this time (RFC 3339) or later.
    #[param(value_type = Option<String>, format = DateTime)]
    #[serde(default, deserialize_with = "time")]
    from: Option<Timestamp>,
    /// Records of this time (RFC 3339) or earlier.
    #[param(value_type = Option<String>, format = DateTime)]
    #[serde(default, deserialize_with = "time")]
    to: Option<Timestamp>,
    /// The most records, 100 if left out. A page of large ones may have fewer though there are more.
    limit: Option<u32>,
    /// `newest` or `oldest` first; `newest` if left out.
    order: Option<String>,
    /// `next_cursor` of the page before, with everything else as it was.
    cursor: Option<String>,
}

/// Log records that a search finds, page by page.
#[utoipa::path(get, path = "/api/v1/logs", tag = "records", params(ListParams),
    responses((status = 200, body = LogPage), (status = "4XX", body = ProblemBody),
        (status = 503, body = ProblemBody, description = "It took too long, or too many searches run")))]
async fn list(
    State(app): State<Shared>,
    Params(params): Params<ListParams>,
) -> Result<Json<LogPage>, Problem> {
    let search = search(Kind::Logs, params.q.as_deref(), params.from, params.to)?;
    let order = order(params.order.as_deref())?.unwrap_or(Order::NewestFirst);
    let after: Option<Cursor> = named("cursor", params.cursor.as_deref())?;
    let page = Page { limit: page_limit(params.limit)?, order, after };
    Ok(Json(page_of(&app, search, page).await?))
}

/// A page of what a search finds.
pub(super) async fn page_of(app: &Shared, search: Search, page: Page) -> Result<LogPage, Problem> {
    let hints = hints(&search);
    let found = ask(app, move |store, cancel| records::logs(store, &search, &page, cancel)).await?;
    let items = found.items.into_iter().map(Into::into).collect();
    Ok(LogPage { items, next_cursor: found.next.map(|next| next.to_string()), hints })
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
struct HistogramParams {
    /// A search (docs/search.md); everything if left out.
    q: Option<String>,
    /// From this time (RFC 3339) on; an hour before its end if left out.
    #[param(value_type = Option<String>, format = DateTime)]
    #[serde(default, deserialize_with = "time")]
    from: Option<Timestamp>,
    /// Up to this time (RFC 3339); now if left out.
    #[param(value_type = Option<String>, format = DateTime)]
    #[serde(default, deserialize_with = "time")]
    to: Option<Timestamp>,
    /// A field or attribute by whose values records are told apart, as a search names it, also in quotes; `level` if left
    /// out. Values beyond 32 are counted together.
    by: Option<String>,
    /// About how many buckets there are, 60 if left out, at most 1,000.
    buckets: Option<u32>,
}

/// Log records that a search finds, counted over time.
#[utoipa::path(get, path = "/api/v1/logs/histogram", tag = "records", params(HistogramParams),
    responses((status = 200, body = LogHistogram), (status = "4XX", body = ProblemBody),
        (status = 503, body = ProblemBody, description = "It took too long, or too many searches run")))]
async fn histogram(
    State(app): State<Shared>,
    Params(params): Params<HistogramParams>,
) -> Result<Json<LogHistogram>, Problem> {
    let (from, to) = last(params.from, params.to);
    let search = search(Kind::Logs, params.q.as_deref(), Some(from), Some(to))?;
    let by = facet("by", Kind::Logs, params.by.as_deref().unwrap_or("level"))?;
    let buckets = limit("buckets", params.buckets, 60, MAX_BUCKETS)?;
    let buckets = u32::try_from(buckets).ok().and_then(NonZeroU32::new).unwrap_or(NonZeroU32::MIN);
    let (hints, name) = (hints(&search), by.name().to_owned());
    let counts =
        ask(&app, move |store, cancel| records::histogram(store, &search, Some(&by), buckets, cancel))
            .await?;
    Ok(Json(LogHistogram::of(counts, name, hints)))
}

/// A range that has two ends.
fn last(from: Option<Timestamp>, to: Option<Timestamp>) -> (Timestamp, Timestamp) {
    let to = to.unwrap_or_else(Timestamp::now);
    (from.unwrap_or_else(|| to.before(LAST)), to)
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
struct FacetParams {
    /// A search (docs/search.md); everything if left out.
    q: Option<String>,
    /// From this time (RFC 3339) on; an hour before its end if left out.
    #[param(value_type = Option<String>, format = DateTime)]
    #[serde(default, deserialize_with = "time")]
    from: Option<Timestamp>,
    /// Up to this time (RFC 3339); now if left out.
    #[param(value_type = Option<String>, format = DateTime)]
    #[serde(default, deserialize_with = "time")]
    to: Option<Timestamp>,
    /// Fields and attributes as a search names them, also in quotes, with commas between them, at most 16; some usual
    /// ones if left out. One that no record has has no values.
    fields: Option<String>,
    /// The most values of a field, 20 if left out.
    limit: Option<u32>,
}

/// Log records that a search finds, counted by the values of fields.
#[utoipa::path(get, path = "/api/v1/logs/facets", tag = "records", params(FacetParams),
    responses((status = 200, body = LogFacets), (status = "4XX", body = ProblemBody),
        (status = 503, body = ProblemBody, description = "It took too long, or too many searches run")))]
async fn facet_counts(
    State(app): State<Shared>,
    Params(params): Params<FacetParams>,
) -> Result<Json<LogFacets>, Problem> {
    let (from, to) = last(params.from, params.to);
    let search = search(Kind::Logs, params.q.as_deref(), Some(from), Some(to))?;
    let fields = facets(Kind::Logs, params.fields.as_deref().unwrap_or(FIELDS))?;
    let most = limit("limit", params.limit, 20, MAX_LIMIT)?;
    let hints = hints(&search);
    let counts =
        ask(&app, move |store, cancel| records::facets(store, &search, &fields, most, cancel)).await?;
    Ok(Json(LogFacets { fields: counts.into_iter().map(Into::into).collect(), hints }))
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
struct ContextParams {
    /// The time of the record, as its search answered it.
    #[param(value_type = String, format = DateTime)]
    #[serde(default, deserialize_with = "time")]
    time: Option<Timestamp>,
    /// Its id, as its search answered it; without one it is the last of its time.
    id: Option<String>,
    /// How many records before it are shown at most, 20 if left out.
    before: Option<u32>,
    /// How many behind it, 20 if left out.
    after: Option<u32>,
    /// Only those of this application.
    service: Option<String>,
    /// Only those of this instance of it.
    instance: Option<String>,
    /// Only those of this host.
    host: Option<String>,
    /// Only those that this part of the application wrote.
    scope: Option<String>,
    /// Only those of this trace.
    trace_id: Option<String>,
    /// Only those of this job.
    job_id: Option<String>,
}

/// Log records just before and after one, of the same service, host, or what else is said; and its trace and its job.
#[utoipa::path(get, path = "/api/v1/logs/context", tag = "records", params(ContextParams),
    responses((status = 200, body = LogContext), (status = "4XX", body = ProblemBody),
        (status = 503, body = ProblemBody, description = "It took too long, or too many searches run")))]
async fn context(
    State(app): State<Shared>,
    Params(params): Params<ContextParams>,
) -> Result<Json<LogContext>, Problem> {
    let time = params.time.ok_or_else(|| wrong("Give `time`, that of the record.".to_owned()))?;
    let id = params.id.as_deref().map(|id| u64::from_str_radix(id, 16)).transpose();
    let id = id.map_err(|_| wrong("`id` must be that of a record, as its search answered it.".to_owned()))?;
    let sides = (side("before", params.before)?, side("after", params.after)?);
    let context = Context {
        service: params.service,
        instance: params.instance,
        host: params.host,
        scope: params.scope,
        trace_id: params.trace_id,
        job_id: params.job_id,
    };
    let found = ask(&app, move |store, cancel| {
        let Some(around) = records::around(store, &context, (time, id), sides, cancel)? else {
            return Ok(Err(excluding(store, &context, (time, id), cancel)?));
        };
        let it = around.place.and_then(|place| around.items.get(place));
        let jobs = it.map(|log| records::jobs_of_log(store, log, cancel)).transpose()?;
        Ok(Ok((around, jobs.unwrap_or_default())))
    });
    let named = params.id.as_deref().unwrap_or_default();
    let (around, jobs) = found.await?.map_err(|excluding| not_shown(named, &excluding))?;
    let it = around.place.and_then(|place| around.items.get(place));
    Ok(Json(LogContext {
        trace_id: it.and_then(|log| log.trace_id.clone()),
        jobs: in_short(&app, &jobs).await?,
        more_jobs: jobs.has_more(),
        place: around.place,
        items: around.items.into_iter().map(Into::into).collect(),
    }))
}

/// Which parameters keep the record out that is to be in the middle; none where there is no such record.
fn excluding(
    store: &dyn TelemetryStore,
    context: &Context,
    middle: (Timestamp, Option<u64>),
    cancel: &Cancel,
) -> Result<Vec<&'static str>, records::Error> {
    let any = Context::default();
    if *context == any {
        return Ok(Vec::new());
    }
    let found = records::around(store, &any, middle, (0, 0), cancel)?;
    let it = found.and_then(|around| around.items.into_iter().next());
    Ok(it.map(|log| context.excluding(&log)).unwrap_or_default())
}

/// The record in the middle is not there, or not where these parameters look.
fn not_shown(id: &str, excluding: &[&str]) -> Problem {
    if excluding.is_empty() {
        return Problem::not_found("log record of that time", id);
    }
    let id: String = id.chars().take(128).collect();
    let names = excluding.join("`, `");
    Problem::new(
        problem::Kind::NotFound,
        format!("The log record `{id}` of that time has another `{names}`."),
    )
}

/// How many records are shown on one side, which may be none.
fn side(name: &str, wanted: Option<u32>) -> Result<usize, Problem> {
    if wanted == Some(0) { Ok(0) } else { limit(name, wanted, 20, MAX_LIMIT) }
}
