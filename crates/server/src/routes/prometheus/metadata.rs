//! What there is to query: labels, their values, series.

use axum::extract::State;
use axum::response::Response;
use model::TimeRange;
use promql::Error;
use serde_json::{Value as Json, json};
use store::{Matcher, QueryError};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::answer::{Answer, Failure};
use super::arguments::Arguments;
use super::run::{self, Job};
use super::{escaping, selection};
use crate::context::Shared;
use crate::params::Name;
use crate::routes::Routes;

pub(super) fn routes() -> Routes {
    OpenApiRouter::new()
        .routes(routes!(labels, labels_by_form))
        .routes(routes!(values))
        .routes(routes!(series, series_by_form))
}

/// The most series that are looked at for one answer.
pub(super) const MAX_SERIES: usize = 100_000;

/// Which series are meant, and of what time.
struct Scope {
    selections: Vec<Vec<Matcher>>,
    range: TimeRange,
    limit: Option<usize>,
}

impl Scope {
    fn of(arguments: &Arguments) -> Result<Self, Failure> {
        let selections = selection::all(arguments)?;
        Ok(Self { selections, range: arguments.range()?, limit: arguments.limit()? })
    }

    /// What the store finds by each selection, each once and sorted; by none, without selections.
    fn union<T: Ord>(
        &self,
        find: impl Fn(&[Matcher]) -> Result<Vec<T>, QueryError>,
    ) -> Result<Cut<T>, Error> {
        let mut found = match self.selections.as_slice() {
            [] => find(&[])?,
            selections => {
                let mut all = Vec::new();
                for matchers in selections {
                    all.extend(find(matchers)?);
                }
                all
            }
        };
        found.sort_unstable();
        found.dedup();
        Ok(self.cut(found))
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

pub(super) fn too_many_series() -> Error {
    Error::LimitReached(format!("more than {MAX_SERIES} series match; narrow `match[]`"))
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
    let job: Job<_> =
        Box::new(move |_, cancel| scope.union(|matchers| store.label_names(matchers, scope.range, cancel)));
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
    let name = escaping::unescaped(&name);
    if name.is_empty() {
        return Err(Failure::bad("the path has no name of a label"));
    }
    let job: Job<_> = Box::new(move |_, cancel| {
        scope.union(|matchers| store.label_values(&name, matchers, scope.range, cancel))
    });
    run::run(&app, arguments.timeout()?, job).await?.answer(Json::String).respond(&app)
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
    selection::needed(arguments)?;
    let scope = Scope::of(arguments)?;
    let store = app.context.store.clone();
    let job: Job<_> = Box::new(move |_, cancel| {
        let series = scope.union(|matchers| store.series(matchers, scope.range, MAX_SERIES + 1, cancel))?;
        if series.items.len() > MAX_SERIES {
            return Err(too_many_series());
        }
        Ok(series)
    });
    let series = run::run(app, arguments.timeout()?, job).await?;
    series.answer(|labels| json!(labels.iter().collect::<std::collections::BTreeMap<_, _>>())).respond(app)
}
