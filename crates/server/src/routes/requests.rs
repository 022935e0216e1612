//! The request log of the watched applications, and what it sums up to.

use axum::Json;
use axum::extract::State;
use model::Timestamp;
use report::{GroupBy, MAX_ROWS, Period, RequestFilter};
use serde::Deserialize;
use utoipa::IntoParams;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::Routes;
use crate::blocking;
use crate::context::Shared;
use crate::params::{List, Params, Window, between, named, seconds, time};
use crate::problem::{Kind, Problem, ProblemBody};
use crate::wire::requests::{Request, RequestStats};

pub(super) fn routes() -> Routes {
    OpenApiRouter::new().routes(routes!(list)).routes(routes!(stats))
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
struct ListParams {
    /// The route that matched: `/documents/{id}`.
    route: Option<String>,
    /// The path as called.
    path: Option<String>,
    /// Text in the path; upper and lower case are told apart.
    q: Option<String>,
    /// The method.
    method: Option<String>,
    /// A status as 404, or a class of them as 4xx.
    status: Option<String>,
    /// Who asked.
    user: Option<String>,
    /// The id of the API key that was used.
    api_key: Option<String>,
    /// The address that asked.
    client: Option<String>,
    /// The application that answered.
    service: Option<String>,
    /// The request's id.
    request_id: Option<String>,
    /// It took at least this long, in seconds.
    min_duration: Option<f64>,
    /// It was answered at this time (RFC 3339) or later.
    #[param(value_type = Option<String>, format = DateTime)]
    #[serde(default, deserialize_with = "time")]
    since: Option<Timestamp>,
    /// It was answered at this time (RFC 3339) or earlier.
    #[param(value_type = Option<String>, format = DateTime)]
    #[serde(default, deserialize_with = "time")]
    until: Option<Timestamp>,
    /// The most items, 100 if left out.
    limit: Option<u32>,
    /// How many items to skip. A page ends among the first 10,000; use `until` to read on.
    offset: Option<u32>,
}

impl ListParams {
    fn filter(self) -> Result<RequestFilter, Problem> {
        Ok(RequestFilter {
            status: named("status", self.status.as_deref())?,
            route: self.route,
            path: self.path,
            text: self.q,
            method: self.method.map(|method| method.to_ascii_uppercase()),
            user: self.user,
            api_key: self.api_key,
            client: self.client,
            service: self.service,
            request_id: self.request_id,
            min_seconds: seconds("min_duration", self.min_duration)?,
        })
    }
}

/// Requests that the watched applications have answered, newest first.
#[utoipa::path(get, path = "/api/v1/requests", tag = "requests", params(ListParams),
    responses((status = 200, body = List<Request>), (status = "4XX", body = ProblemBody)))]
async fn list(
    State(app): State<Shared>,
    Params(params): Params<ListParams>,
) -> Result<Json<List<Request>>, Problem> {
    let window = Window::new(params.limit, params.offset)?;
    let page = window.live();
    if page.offset.saturating_add(page.limit) > MAX_ROWS {
        return Err(Problem::new(
            Kind::BadParameter,
            format!(
                "`offset` and `limit` may be {MAX_ROWS} together; read on with `until`, the time of the last item."
            ),
        ));
    }
    let range = between(params.since, params.until)?;
    let filter = params.filter()?;
    let listing = blocking::report(&app, move |context, cancel| {
        report::requests(&*context.store, &filter, range, page, cancel)
    })
    .await?;
    Ok(Json(window.list(listing.items, listing.total as u64)))
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
struct StatsParams {
    /// `route` (or else the path), `user`, `api_key`, `client` or `service`; `route` if left out.
    by: Option<String>,
    /// The last `hour`, `day`, `week` or `month`; `day` if left out. Instead of it, `since` and `until`.
    period: Option<String>,
    /// Requests answered at this time (RFC 3339) or later.
    #[param(value_type = Option<String>, format = DateTime)]
    #[serde(default, deserialize_with = "time")]
    since: Option<Timestamp>,
    /// Requests answered at this time (RFC 3339) or earlier.
    #[param(value_type = Option<String>, format = DateTime)]
    #[serde(default, deserialize_with = "time")]
    until: Option<Timestamp>,
    /// The most groups, 100 if left out.
    limit: Option<u32>,
    /// How many groups to skip.
    offset: Option<u32>,
}

/// Requests by route, user, API key, client or service: how many, how many errors, how long they took.
#[utoipa::path(get, path = "/api/v1/requests/stats", tag = "requests", params(StatsParams),
    responses((status = 200, body = RequestStats), (status = "4XX", body = ProblemBody)))]
async fn stats(
    State(app): State<Shared>,
    Params(params): Params<StatsParams>,
) -> Result<Json<RequestStats>, Problem> {
    let window = Window::new(params.limit, params.offset)?;
    let by = named("by", params.by.as_deref())?.unwrap_or(GroupBy::Route);
    let period: Option<Period> = named("period", params.period.as_deref())?;
    let bounded = params.since.is_some() || params.until.is_some();
    let range = match period {
        Some(_) if bounded => {
            return Err(Problem::new(
                Kind::BadParameter,
                "Give `period`, or `since` and `until`, and not both.",
            ));
        }
        None if bounded => between(params.since, params.until)?,
        period => period.unwrap_or(Period::Day).until(Timestamp::now()),
    };
    let stats = blocking::report(&app, move |context, cancel| {
        report::request_stats(&*context.store, by, &RequestFilter::default(), range, cancel)
    })
    .await?;
    Ok(Json(RequestStats {
        by: by.as_str(),
        since: Some(range.start).filter(|start| *start > Timestamp::MIN),
        until: Some(range.end).filter(|end| *end < Timestamp::MAX),
        all: stats.all.into(),
        beyond: stats.beyond.into(),
        groups: window.cut(stats.groups),
    }))
}
