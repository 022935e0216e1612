//! Which labels streams have, and what is known of lines beside them: what Grafana's Logs Drilldown offers for filters.
//!
//! What is known of lines is that of a sample of them, the newest. All names are such as filters take.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::hash::{BuildHasher, BuildHasherDefault, DefaultHasher};

use axum::Json;
use axum::extract::State;
use axum::response::{IntoResponse, Response};
use model::event::{Level, LogEvent};
use records::{Labels, MAX_LINES, facts_of};
use search::logql;
use serde::Serialize;
use serde_json::json;
use store::Order;

use super::{streams, streams_of, times};
use crate::context::Shared;
use crate::params::Name;
use crate::problem::Problem;
use crate::routes::given::Given;
use crate::routes::searching::ask;

/// How many lines are looked at, if nothing is said.
const LINES: usize = 1_000;
/// The most fields, and the most values, of an answer.
const MOST: usize = 1_000;

/// The labels of streams, and how many values each has.
#[utoipa::path(method(get, post), path = "/loki/api/v1/detected_labels", tag = "loki",
    params(("query" = Option<String>, Query, description = "Only of these streams: a selector"),
        ("start" = Option<String>, Query), ("end" = Option<String>, Query), ("since" = Option<String>, Query)),
    responses((status = 200, body = serde_json::Value, description = "As Loki answers"),
        (status = "4XX", body = String, content_type = "text/plain", description = "What is wrong"),
        (status = 503, body = String, content_type = "text/plain", description = "It took too long, or too many searches run")))]
pub(super) async fn detected_labels(State(app): State<Shared>, given: Given) -> Result<Response, Problem> {
    let found = streams_of(&app, streams(&given, given.get("query"))?).await?;
    let mut values: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for (label, value) in found.into_iter().flat_map(|set| set.labels) {
        values.entry(label).or_default().insert(value);
    }
    let labels =
        values.into_iter().map(|(label, values)| json!({ "label": label, "cardinality": values.len() }));
    Ok(Json(json!({ "detectedLabels": labels.collect::<Vec<_>>() })).into_response())
}

/// What is known of lines beside the labels of their streams: names, and what their values look like.
#[utoipa::path(method(get, post), path = "/loki/api/v1/detected_fields", tag = "loki",
    params(("query" = Option<String>, Query, description = "Only of these lines: a selector, with filters behind it if need be"),
        ("line_limit" = Option<u64>, Query, description = "How many lines are looked at, the newest, 1,000 if left out, at most 5,000"),
        ("limit" = Option<u64>, Query, description = "The most fields, 1,000 if left out, at most 1,000"),
        ("start" = Option<String>, Query), ("end" = Option<String>, Query), ("since" = Option<String>, Query)),
    responses((status = 200, body = serde_json::Value, description = "As Loki answers"),
        (status = "4XX", body = String, content_type = "text/plain", description = "What is wrong"),
        (status = 503, body = String, content_type = "text/plain", description = "It took too long, or too many searches run")))]
pub(super) async fn detected_fields(State(app): State<Shared>, given: Given) -> Result<Response, Problem> {
    let most = times::number(&given, "limit", MOST, MOST)?;
    let fields = sampled(&app, &given, move |lines| fields_of(lines, most)).await?;
    Ok(Json(json!({ "fields": fields, "limit": most })).into_response())
}

/// The values that one of these has.
#[utoipa::path(method(get, post), path = "/loki/api/v1/detected_field/{name}/values", tag = "loki",
    params(("name" = String, Path),
        ("query" = Option<String>, Query, description = "Only of these lines: a selector, with filters behind it if need be"),
        ("line_limit" = Option<u64>, Query, description = "How many lines are looked at, the newest, 1,000 if left out, at most 5,000"),
        ("limit" = Option<u64>, Query, description = "The most values, 1,000 if left out, at most 1,000"),
        ("start" = Option<String>, Query), ("end" = Option<String>, Query), ("since" = Option<String>, Query)),
    responses((status = 200, body = serde_json::Value, description = "As Loki answers"),
        (status = "4XX", body = String, content_type = "text/plain", description = "What is wrong"),
        (status = 503, body = String, content_type = "text/plain", description = "It took too long, or too many searches run")))]
pub(super) async fn detected_values(
    State(app): State<Shared>,
    Name(name): Name,
    given: Given,
) -> Result<Response, Problem> {
    let most = times::number(&given, "limit", MOST, MOST)?;
    let values = sampled(&app, &given, move |lines| {
        let values = lines.iter().filter_map(|log| facts(log).remove(&name));
        values.collect::<BTreeSet<String>>().into_iter().take(most).collect::<Vec<_>>()
    });
    Ok(Json(json!({ "values": values.await?, "limit": most })).into_response())
}

/// What `make` makes of the newest lines.
async fn sampled<T: Send + 'static>(
    app: &Shared,
    given: &Given,
    make: impl FnOnce(&[LogEvent]) -> T + Send + 'static,
) -> Result<T, Problem> {
    let count = times::number(given, "line_limit", LINES, MAX_LINES)?;
    let selection = streams(given, given.get("query"))?;
    let found = ask(app, move |store, cancel| {
        records::lines(store, &selection, Order::NewestFirst, count, cancel).map(|lines| make(&lines))
    });
    found.await
}

/// A line's level is asked for among these, too.
fn facts(log: &LogEvent) -> Labels {
    let mut facts = facts_of(log);
    facts.extend(log.level.map(|level: Level| ("detected_level".to_owned(), level.as_str().to_owned())));
    facts
}

/// What is known of lines under one name.
#[derive(Serialize)]
struct Field {
    label: String,
    r#type: &'static str,
    cardinality: usize,
    /// What must be done with a line to have it: nothing.
    parsers: Option<Vec<&'static str>>,
}

/// Values of one name: what they look like, and hashes of those that there are.
struct Values {
    kind: &'static str,
    hashes: HashSet<u64>,
}

fn fields_of(lines: &[LogEvent], most: usize) -> Vec<Field> {
    let hasher = BuildHasherDefault::<DefaultHasher>::default();
    let mut found: BTreeMap<String, Values> = BTreeMap::new();
    for (label, value) in lines.iter().flat_map(facts) {
        let kind = kind(&value);
        if found.len() >= most && !found.contains_key(&label) {
            continue;
        }
        let values = found.entry(label).or_insert_with(|| Values { kind, hashes: HashSet::new() });
        values.kind = common(values.kind, kind);
        values.hashes.insert(hasher.hash_one(&value));
    }
    let field = |(label, Values { kind, hashes })| Field {
        label,
        r#type: kind,
        cardinality: hashes.len(),
        parsers: None,
    };
    found.into_iter().map(field).collect()
}

/// What a value looks like.
fn kind(value: &str) -> &'static str {
    if value.parse::<i64>().is_ok() {
        "int"
    } else if value.parse::<f64>().is_ok_and(f64::is_finite) {
        "float"
    } else if matches!(value, "true" | "false") {
        "boolean"
    } else if logql::duration(value).is_some() {
        "duration"
    } else {
        "string"
    }
}

/// What values look like of which some look like this and some like that.
fn common(one: &'static str, other: &'static str) -> &'static str {
    match (one, other) {
        _ if one == other => one,
        ("int", "float") | ("float", "int") => "float",
        _ => "string",
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use model::Timestamp;

    use super::*;

    #[test]
    fn fields_are_what_all_of_their_values_look_like() {
        let cases: [(&[&str], &str); 7] = [
            (&["1", "-2", "1"], "int"),
            (&["1", "2.5"], "float"),
            (&["true", "false"], "boolean"),
            (&["250ms", "1m0s"], "duration"),
            (&["1", "one"], "string"),
            (&["NaN"], "string"),
            (&[""], "string"),
        ];
        for (values, expected) in cases {
            let line = |value: &&str| {
                let mut log = LogEvent::new(Timestamp::from_millis(5), Arc::default());
                log.attributes.insert("field".to_owned(), (*value).to_owned());
                log
            };
            let lines: Vec<LogEvent> = values.iter().map(line).collect();
            let [field] = &fields_of(&lines, 10)[..] else { panic!("one field: {values:?}") };
            let distinct: HashSet<_> = values.iter().collect();
            assert_eq!((field.r#type, field.cardinality), (expected, distinct.len()), "{values:?}");
            assert!(fields_of(&lines, 0).is_empty());
        }
    }
}
