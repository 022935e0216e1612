//! What there is to query: labels, their values, series; and who answers.

use std::time::Duration;

use axum::extract::State;
use axum::response::Response;
use model::{DurationText, Labels, TimeRange, Timestamp};
use promql::{Cancel, Engine, Error, Query, Value};
use serde_json::{Value as Json, json};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::answer::{Answer, Failure};
use super::arguments::Arguments;
use super::run::{self, Job};
use crate::context::Shared;
use crate::params::Name;
use crate::routes::Routes;

pub(super) fn routes() -> Routes {
    OpenApiRouter::new()
        .routes(routes!(labels, labels_by_form))
        .routes(routes!(values))
        .routes(routes!(series, series_by_form))
        .routes(routes!(build_info))
}

/// How far back to look when no `start` is given.
const DEFAULT_WINDOW: Duration = Duration::from_secs(6 * 3600);
/// The most series that are looked at for one answer.
const MAX_SERIES: usize = 100_000;

/// Which series are meant, and of what time.
struct Scope {
    selectors: Vec<String>,
    range: TimeRange,
    limit: Option<usize>,
}

impl Scope {
    fn of(arguments: &Arguments) -> Result<Self, Failure> {
        let end = arguments.time("end")?.unwrap_or_else(Timestamp::now);
        let start = arguments.time("start")?.unwrap_or_else(|| end.before(DEFAULT_WINDOW));
        if end < start {
            return Err(Failure::bad("`end` lies before `start`"));
        }
        let selectors = arguments.all("match[]").map(str::to_owned).collect();
        Ok(Self { selectors, range: TimeRange::new(start, end), limit: arguments.limit()? })
    }

    /// The label sets of the series that match one of the selectors, each once.
    fn series(&self, engine: &Engine, cancel: &Cancel) -> Result<Vec<Labels>, Error> {
        let mut found: Vec<Labels> = Vec::new();
        for selector in &self.selectors {
            let window = DurationText(self.range.end.since(self.range.start).max(Duration::from_millis(1)));
            // By itself it must be an expression: what closes our parenthesis is none.
            Query::parse(selector)?;
            let query = Query::parse(&format!("last_over_time({selector}[{window}])"))?;
            if let Value::Vector(samples) = engine.instant(&query, self.range.end, cancel)?.value {
                found.extend(samples.into_iter().map(|sample| sample.labels));
            }
            found.sort_unstable_by(|a, b| a.as_ref().as_bytes().cmp(b.as_ref().as_bytes()));
            found.dedup();
            if found.len() > MAX_SERIES {
                return Err(Error::LimitReached(format!(
                    "more than {MAX_SERIES} series match; narrow `match[]`"
                )));
            }
        }
        Ok(found)
    }

    /// What was found, within the limit.
    fn cut<T>(&self, mut items: Vec<T>) -> Cut<T> {
        let truncated = self.limit.is_some_and(|limit| items.len() > limit);
        items.truncate(self.limit.unwrap_or(usize::MAX));
        Cut { items, truncated }
    }
}

/// What was found, and whether there was more.
struct Cut<T> {
    items: Vec<T>,
    truncated: bool,
}

impl<T> Cut<T> {
    fn answer(self, json: impl FnMut(T) -> Json) -> Answer {
        Answer::other(&self.items.into_iter().map(json).collect(), self.truncated)
    }
}

/// The names of labels.
#[utoipa::path(get, path = "/prometheus/api/v1/labels", tag = "prometheus",
    params(("match[]" = Option<Vec<String>>, Query, description = "Selectors"),
        ("start" = Option<String>, Query), ("end" = Option<String>, Query), ("limit" = Option<u64>, Query)),
    responses((status = 200, body = serde_json::Value), (status = "4XX", body = serde_json::Value)))]
async fn labels(State(app): State<Shared>, arguments: Arguments) -> Result<Response, Failure> {
    label_names(&app, &arguments).await
}

/// The same, with the parameters in a form.
#[utoipa::path(post, path = "/prometheus/api/v1/labels", tag = "prometheus",
    request_body(content = String, content_type = "application/x-www-form-urlencoded"),
    responses((status = 200, body = serde_json::Value), (status = "4XX", body = serde_json::Value)))]
async fn labels_by_form(State(app): State<Shared>, arguments: Arguments) -> Result<Response, Failure> {
    label_names(&app, &arguments).await
}

async fn label_names(app: &Shared, arguments: &Arguments) -> Result<Response, Failure> {
    let scope = Scope::of(arguments)?;
    let store = app.context.store.clone();
    let job: Job<_> = Box::new(move |engine, cancel| {
        let names = if scope.selectors.is_empty() {
            store.label_names(&[], scope.range, cancel)?
        } else {
            distinct(
                scope.series(engine, cancel)?.iter().flat_map(|labels| labels.iter().map(|(name, _)| name)),
            )
        };
        Ok(scope.cut(names))
    });
    run::run(app, arguments.timeout()?, job).await?.answer(Json::String).respond(app)
}

/// The values of one label.
#[utoipa::path(get, path = "/prometheus/api/v1/label/{name}/values", tag = "prometheus",
    params(("name" = String, Path), ("match[]" = Option<Vec<String>>, Query, description = "Selectors"),
        ("start" = Option<String>, Query), ("end" = Option<String>, Query), ("limit" = Option<u64>, Query)),
    responses((status = 200, body = serde_json::Value), (status = "4XX", body = serde_json::Value)))]
async fn values(
    State(app): State<Shared>,
    Name(name): Name,
    arguments: Arguments,
) -> Result<Response, Failure> {
    let scope = Scope::of(&arguments)?;
    let store = app.context.store.clone();
    let job: Job<_> = Box::new(move |engine, cancel| {
        let values = if scope.selectors.is_empty() {
            store.label_values(&name, &[], scope.range, cancel)?
        } else {
            distinct(scope.series(engine, cancel)?.iter().filter_map(|labels| labels.get(&name)))
        };
        Ok(scope.cut(values))
    });
    run::run(&app, arguments.timeout()?, job).await?.answer(Json::String).respond(&app)
}

fn distinct<'a>(texts: impl Iterator<Item = &'a str>) -> Vec<String> {
    let sorted: std::collections::BTreeSet<&str> = texts.collect();
    sorted.into_iter().map(str::to_owned).collect()
}

/// The series that match.
#[utoipa::path(get, path = "/prometheus/api/v1/series", tag = "prometheus",
    params(("match[]" = Vec<String>, Query, description = "Selectors"),
        ("start" = Option<String>, Query), ("end" = Option<String>, Query), ("limit" = Option<u64>, Query)),
    responses((status = 200, body = serde_json::Value), (status = "4XX", body = serde_json::Value)))]
async fn series(State(app): State<Shared>, arguments: Arguments) -> Result<Response, Failure> {
    matching_series(&app, &arguments).await
}

/// The same, with the parameters in a form.
#[utoipa::path(post, path = "/prometheus/api/v1/series", tag = "prometheus",
    request_body(content = String, content_type = "application/x-www-form-urlencoded"),
    responses((status = 200, body = serde_json::Value), (status = "4XX", body = serde_json::Value)))]
async fn series_by_form(State(app): State<Shared>, arguments: Arguments) -> Result<Response, Failure> {
    matching_series(&app, &arguments).await
}

async fn matching_series(app: &Shared, arguments: &Arguments) -> Result<Response, Failure> {
    let scope = Scope::of(arguments)?;
    if scope.selectors.is_empty() {
        return Err(Failure::bad("the parameter `match[]` is missing: give one selector or more"));
    }
    let job: Job<_> = Box::new(move |engine, cancel| {
        let series = scope.series(engine, cancel)?;
        Ok(scope.cut(series))
    });
    let series = run::run(app, arguments.timeout()?, job).await?;
    series.answer(|labels| json!(labels.iter().collect::<std::collections::BTreeMap<_, _>>())).respond(app)
}

/// Who answers. Grafana asks, to know what it may use.
#[utoipa::path(get, path = "/prometheus/api/v1/status/buildinfo", tag = "prometheus",
    responses((status = 200, body = serde_json::Value)))]
async fn build_info(State(app): State<Shared>) -> Result<Response, Failure> {
    let version = app.context.version;
    let facts = json!({ "version": version, "revision": "", "branch": "", "buildUser": "", "buildDate": "", "goVersion": "",
        "application": "Watchkeeper" });
    Answer::other(&facts, false).respond(&app)
}
