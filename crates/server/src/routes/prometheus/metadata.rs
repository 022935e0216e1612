//! What there is to query: labels, their values, series.

use std::collections::HashSet;
use std::hash::Hash;

use axum::extract::State;
use axum::response::Response;
use model::{ByteSize, Labels, TimeRange};
use promql::Error;
use serde_json::Value as Json;
use store::{Matcher, QueryError};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::answer::{Answer, Failure};
use super::arguments::Arguments;
use super::escaping;
use super::run::{self, Job};
use super::selection::Selectors;
use super::shapes;
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

/// The most bytes of names or values that are gathered by several selectors.
const MAX_TEXT_BYTES: usize = 256 << 20;
/// What a text takes beside its bytes.
const TEXT_BYTES: usize = 64;

/// How much may be gathered for one answer.
struct Room<T> {
    most: usize,
    /// How much of it one takes.
    takes: fn(&T) -> usize,
    /// What is said when it is full.
    full: fn() -> Error,
}

const OF_SERIES: Room<Labels> = Room { most: MAX_SERIES, takes: |_| 1, full: too_many_series };
const OF_TEXTS: Room<String> =
    Room { most: MAX_TEXT_BYTES, takes: |text| text.len() + TEXT_BYTES, full: too_much_text };

/// Which series are meant, and of what time.
struct Scope {
    selectors: Selectors,
    /// Nothing is found without it.
    range: Option<TimeRange>,
    limit: Option<usize>,
}

impl Scope {
    fn of(arguments: &Arguments, selectors: Selectors) -> Result<Self, Failure> {
        Ok(Self { selectors, range: arguments.range()?, limit: arguments.limit()? })
    }

    /// What the store finds by each selection, each once and sorted; by none, without selections.
    fn union<T: Ord + Hash>(
        &self,
        room: &Room<T>,
        find: impl Fn(&[Matcher], TimeRange) -> Result<Vec<T>, QueryError>,
    ) -> Result<Cut<T>, Error> {
        let selections = self.selectors.matchers()?;
        let Some(range) = self.range else { return Ok(self.cut(Vec::new())) };
        let find = |matchers: &[Matcher]| find(matchers, range);
        let found = match selections.as_slice() {
            [] => find(&[])?,
            selections => gather(selections, room, find)?,
        };
        Ok(self.cut(found))
    }

    /// What was found, within the limit.
    fn cut<T>(&self, mut items: Vec<T>) -> Cut<T> {
        let truncated = self.limit.is_some_and(|limit| items.len() > limit);
        items.truncate(self.limit.unwrap_or(usize::MAX));
        Cut { items, truncated }
    }
}

/// What is found by each selection, each once and sorted. What several selections find takes room once, and no more
/// is kept at any time than there is room for and the last selection has found.
fn gather<T: Ord + Hash>(
    selections: &[Vec<Matcher>],
    room: &Room<T>,
    find: impl Fn(&[Matcher]) -> Result<Vec<T>, QueryError>,
) -> Result<Vec<T>, Error> {
    let (mut found, mut taken) = (HashSet::new(), 0);
    for matchers in selections {
        for item in find(matchers)? {
            let takes = (room.takes)(&item);
            if !found.insert(item) {
                continue;
            }
            taken += takes;
            if taken > room.most {
                return Err((room.full)());
            }
        }
    }
    let mut found: Vec<T> = found.into_iter().collect();
    found.sort_unstable();
    Ok(found)
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

fn too_much_text() -> Error {
    Error::LimitReached(format!(
        "what was found takes more than {}; narrow `match[]`",
        ByteSize(MAX_TEXT_BYTES as u64)
    ))
}

/// The names of labels.
#[utoipa::path(get, path = "/prometheus/api/v1/labels", tag = "prometheus",
    params(("match[]" = Option<Vec<String>>, Query, description = "Selectors"),
        ("start" = Option<String>, Query), ("end" = Option<String>, Query), ("limit" = Option<u64>, Query)),
    responses((status = 200, body = serde_json::Value), Failure))]
async fn labels(State(app): State<Shared>, arguments: Arguments) -> Result<Response, Failure> {
    label_names(&app, &arguments).await
}

/// The same, with the parameters in a form.
#[utoipa::path(post, path = "/prometheus/api/v1/labels", tag = "prometheus",
    request_body(content = String, content_type = "application/x-www-form-urlencoded"),
    responses((status = 200, body = serde_json::Value), Failure))]
async fn labels_by_form(State(app): State<Shared>, arguments: Arguments) -> Result<Response, Failure> {
    label_names(&app, &arguments).await
}

async fn label_names(app: &Shared, arguments: &Arguments) -> Result<Response, Failure> {
    let scope = Scope::of(arguments, Selectors::of(arguments)?)?;
    let store = app.context.store.clone();
    let job: Job<_> = Box::new(move |_, cancel| {
        scope.union(&OF_TEXTS, |matchers, range| store.label_names(matchers, range, cancel))
    });
    run::run(app, arguments.timeout()?, job).await?.answer(Json::String).respond(app)
}

/// The values of one label.
#[utoipa::path(get, path = "/prometheus/api/v1/label/{name}/values", tag = "prometheus",
    params(("name" = String, Path), ("match[]" = Option<Vec<String>>, Query, description = "Selectors"),
        ("start" = Option<String>, Query), ("end" = Option<String>, Query), ("limit" = Option<u64>, Query)),
    responses((status = 200, body = serde_json::Value), Failure))]
async fn values(
    State(app): State<Shared>,
    Name(name): Name,
    arguments: Arguments,
) -> Result<Response, Failure> {
    let scope = Scope::of(&arguments, Selectors::of(&arguments)?)?;
    let store = app.context.store.clone();
    let name = escaping::unescaped(&name);
    if name.is_empty() {
        return Err(Failure::bad("the path has no name of a label"));
    }
    let job: Job<_> = Box::new(move |_, cancel| {
        scope.union(&OF_TEXTS, |matchers, range| store.label_values(&name, matchers, range, cancel))
    });
    run::run(&app, arguments.timeout()?, job).await?.answer(Json::String).respond(&app)
}

/// The series that match.
#[utoipa::path(get, path = "/prometheus/api/v1/series", tag = "prometheus",
    params(("match[]" = Vec<String>, Query, description = "Selectors"),
        ("start" = Option<String>, Query), ("end" = Option<String>, Query), ("limit" = Option<u64>, Query)),
    responses((status = 200, body = serde_json::Value), Failure))]
async fn series(State(app): State<Shared>, arguments: Arguments) -> Result<Response, Failure> {
    matching_series(&app, &arguments).await
}

/// The same, with the parameters in a form.
#[utoipa::path(post, path = "/prometheus/api/v1/series", tag = "prometheus",
    request_body(content = String, content_type = "application/x-www-form-urlencoded"),
    responses((status = 200, body = serde_json::Value), Failure))]
async fn series_by_form(State(app): State<Shared>, arguments: Arguments) -> Result<Response, Failure> {
    matching_series(&app, &arguments).await
}

async fn matching_series(app: &Shared, arguments: &Arguments) -> Result<Response, Failure> {
    let scope = Scope::of(arguments, Selectors::needed(arguments)?)?;
    let store = app.context.store.clone();
    let job: Job<_> = Box::new(move |_, cancel| {
        scope.union(&OF_SERIES, |matchers, range| store.series(matchers, range, MAX_SERIES + 1, cancel))
    });
    let series = run::run(app, arguments.timeout()?, job).await?;
    series.answer(|labels| shapes::labels(&labels)).respond(app)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_several_selections_find_takes_room_once() {
        let room = |most| Room { most, takes: |_: &u32| 1, full: too_many_series };
        let selections = ["a", "b", "c"].map(|name| vec![Matcher::equal("__name__", name)]);
        let find =
            |matchers: &[Matcher]| Ok(if matchers[0].value() == "c" { vec![2] } else { vec![9, 4, 2] });
        assert_eq!(gather(&selections, &room(3), find).ok(), Some(vec![2, 4, 9]));
        assert!(matches!(gather(&selections, &room(2), find), Err(Error::LimitReached(_))));
    }

    #[test]
    fn no_selection_is_asked_for_after_the_room_is_full() {
        let asked = std::cell::Cell::new(0);
        let find = |_: &[Matcher]| {
            asked.set(asked.get() + 1);
            Ok((0..4).map(|n| format!("{n}{}", asked.get())).collect())
        };
        let room = Room { most: 10, takes: String::len, full: too_much_text };
        let selections = [const { Vec::new() }; 256];
        let refused = gather(&selections, &room, find).expect_err("there is no room").to_string();
        assert!(refused.contains("256MiB"), "{refused}");
        assert_eq!(asked.get(), 2);
    }
}
