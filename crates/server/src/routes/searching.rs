//! What searches of logs and of spans have in common: parameters that become a search, and where it runs.

use std::borrow::Cow;

use model::{TimeRange, Timestamp};
use records::{Facet, Kind, MAX_FACETS, Search};
use store::{Cancel, Order, TelemetryStore};

use crate::blocking;
use crate::context::Shared;
use crate::params::MAX_LIMIT;
use crate::problem::{self, Problem};

/// A search, and the range in which it looks.
pub(super) fn search(
    kind: Kind,
    query: Option<&str>,
    from: Option<Timestamp>,
    to: Option<Timestamp>,
) -> Result<Search, Problem> {
    let range = between(from, to)?;
    Ok(Search::new(kind, query.unwrap_or_default(), range, Timestamp::now())?)
}

fn between(from: Option<Timestamp>, to: Option<Timestamp>) -> Result<TimeRange, Problem> {
    let (from, to) = (from.unwrap_or(Timestamp::MIN), to.unwrap_or(Timestamp::MAX));
    if from > to {
        return Err(wrong("`from` is later than `to`: nothing lies between.".to_owned()));
    }
    Ok(TimeRange::new(from, to))
}

pub(super) fn wrong(detail: String) -> Problem {
    Problem::new(problem::Kind::BadParameter, detail)
}

/// How many items are wanted.
pub(super) fn limit(name: &str, wanted: Option<u32>, usual: u32, most: u32) -> Result<usize, Problem> {
    let wanted = wanted.unwrap_or(usual);
    if !(1..=most).contains(&wanted) {
        return Err(wrong(format!("`{name}` must lie between 1 and {most}.")));
    }
    Ok(wanted as usize)
}

/// How many records of a page are wanted.
pub(super) fn page_limit(wanted: Option<u32>) -> Result<usize, Problem> {
    limit("limit", wanted, 100, MAX_LIMIT)
}

/// Which records come first.
pub(super) fn order(text: Option<&str>) -> Result<Option<Order>, Problem> {
    match text {
        None => Ok(None),
        Some("newest") => Ok(Some(Order::NewestFirst)),
        Some("oldest") => Ok(Some(Order::OldestFirst)),
        Some(_) => Err(wrong("`order`: the first records are the `newest` or the `oldest`.".to_owned())),
    }
}

/// A field by whose values records are counted, which may be named in quotes.
pub(super) fn facet(parameter: &str, kind: Kind, name: &str) -> Result<Facet, Problem> {
    if !name.starts_with('"') {
        return facet_named(parameter, kind, name);
    }
    match search::quotation(name) {
        Some((name, "")) => facet_named(parameter, kind, &name),
        _ => Err(not_one_name(parameter)),
    }
}

fn facet_named(parameter: &str, kind: Kind, name: &str) -> Result<Facet, Problem> {
    Facet::named(kind, name).ok_or_else(|| {
        let name: String = name.chars().take(128).collect();
        wrong(format!(
            "`{parameter}`: records are not counted by `{name}`: they are by any field or attribute but times and \
             durations, such as level, service, host, category, http.route and resource.k8s.pod.name."
        ))
    })
}

fn not_one_name(parameter: &str) -> Problem {
    wrong(format!(
        "`{parameter}`: a name that begins with a quote ends with one, and a quote within is written `\\\"`."
    ))
}

/// Several of them, with commas between them.
pub(super) fn facets(kind: Kind, names: &str) -> Result<Vec<Facet>, Problem> {
    let mut facets = Vec::new();
    let mut rest = names.trim();
    while !rest.is_empty() && facets.len() <= MAX_FACETS {
        let (name, behind) = first_name("fields", rest)?;
        if let Some(name) = name {
            facets.push(facet_named("fields", kind, &name)?);
        }
        rest = behind.trim_start();
    }
    if facets.is_empty() || facets.len() > MAX_FACETS {
        return Err(wrong(format!("`fields` names 1 to {MAX_FACETS} fields, with commas between them.")));
    }
    Ok(facets)
}

/// The first name of a list, if one stands before its comma, and what stands behind that.
fn first_name<'t>(parameter: &str, list: &'t str) -> Result<(Option<Cow<'t, str>>, &'t str), Problem> {
    if !list.starts_with('"') {
        let (name, behind) = list.split_once(',').unwrap_or((list, ""));
        let name = name.trim_end();
        return Ok(((!name.is_empty()).then_some(Cow::Borrowed(name)), behind));
    }
    let (name, behind) = search::quotation(list).ok_or_else(|| not_one_name(parameter))?;
    let behind = match behind.trim_start() {
        "" => "",
        behind => behind.strip_prefix(',').ok_or_else(|| not_one_name(parameter))?,
    };
    Ok((Some(Cow::Owned(name)), behind))
}

/// Asks the store, and stops when nobody waits for the answer.
pub(super) async fn ask<T: Send + 'static>(
    app: &Shared,
    work: impl FnOnce(&dyn TelemetryStore, &Cancel) -> Result<T, records::Error> + Send + 'static,
) -> Result<T, Problem> {
    let store = app.context.store.clone();
    Ok(blocking::stoppable(app, move |cancel| work(&*store, cancel)).await??)
}
