//! Exemplars of the series that a query speaks of.

use std::collections::{BTreeMap, HashSet};

use axum::extract::State;
use axum::response::Response;
use model::event::ExemplarEvent;
use model::labels::METRIC_NAME;
use model::{Labels, TimeRange};
use promql::{Cancel, Error, Query, format_value};
use serde_json::{Value as Json, json};
use store::{
    ColumnFilter, Entries, EventPass, FilterOp, MatchOp, Matcher, QueryError, Row, Scalar, Table,
    TelemetryStore,
};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::answer::{Answer, Failure};
use super::arguments::{Arguments, wrong};
use super::run::{self, Job};
use super::shapes;
use crate::context::Shared;
use crate::routes::Routes;

pub(super) fn routes() -> Routes {
    OpenApiRouter::new().routes(routes!(query_exemplars, query_exemplars_by_form))
}

/// The most exemplars of one answer.
const MAX_EXEMPLARS: usize = 10_000;
/// The columns of an exemplar.
const COLUMNS: &[&str] = &["time", "event_id", "metric", "series", "labels", "trace_id", "value"];

/// Exemplars of the series of every selector in an expression.
#[utoipa::path(get, path = "/prometheus/api/v1/query_exemplars", tag = "prometheus",
    params(("query" = String, Query, description = "The expression"),
        ("start" = Option<String>, Query, description = "RFC 3339 or seconds since the epoch"),
        ("end" = Option<String>, Query, description = "RFC 3339 or seconds since the epoch")),
    responses((status = 200, body = serde_json::Value), Failure))]
async fn query_exemplars(State(app): State<Shared>, arguments: Arguments) -> Result<Response, Failure> {
    answer(&app, &arguments).await
}

/// The same, with the parameters in a form.
#[utoipa::path(post, path = "/prometheus/api/v1/query_exemplars", tag = "prometheus",
    request_body(content = String, content_type = "application/x-www-form-urlencoded"),
    responses((status = 200, body = serde_json::Value), Failure))]
async fn query_exemplars_by_form(
    State(app): State<Shared>,
    arguments: Arguments,
) -> Result<Response, Failure> {
    answer(&app, &arguments).await
}

async fn answer(app: &Shared, arguments: &Arguments) -> Result<Response, Failure> {
    let query = arguments.query()?;
    let range = arguments.range()?.ok_or_else(|| wrong("end", "it lies before `start`"))?;
    let store = app.context.store.clone();
    let job: Job<_> = Box::new(move |_, cancel| find(store.as_ref(), &query, range, cancel));
    let found = run::run(app, arguments.timeout()?, job).await?;
    let data: Json = found.series.into_iter().map(shown).collect();
    Answer::other(&data, found.truncated).respond(app)
}

/// What was found.
#[derive(Default)]
struct Found {
    series: BTreeMap<Labels, Vec<ExemplarEvent>>,
    count: usize,
    /// Whether there was more.
    truncated: bool,
}

fn find(
    store: &dyn TelemetryStore,
    query: &Query,
    range: TimeRange,
    cancel: &Cancel,
) -> Result<Found, Error> {
    let (mut found, mut seen) = (Found::default(), HashSet::new());
    for matchers in query.selectors() {
        let pass = EventPass {
            table: Table::Exemplars,
            range,
            filters: matchers.iter().filter_map(by_metric).map(Into::into).collect(),
            columns: COLUMNS.into(),
            entries: Entries::all(),
            cancel: cancel.clone(),
        };
        let passed = store.each_batch(&pass, &mut |batch| {
            let events = ExemplarEvent::from_batch(batch).map_err(|error| QueryError::Storage {
                doing: "reading exemplars".to_owned(),
                source: Box::new(error),
            })?;
            for event in events {
                let labels = event.series_labels();
                if !matchers.iter().all(|matcher| matcher.matches(labels.as_ref()))
                    || !seen.insert(event.event_id.clone())
                {
                    continue;
                }
                if found.count == MAX_EXEMPLARS {
                    found.truncated = true;
                    return Err(QueryError::Stopped("there are enough"));
                }
                found.count += 1;
                found.series.entry(labels).or_default().push(event);
            }
            Ok(())
        });
        match passed {
            Err(_) if found.truncated => break,
            passed => passed?,
        }
    }
    for exemplars in found.series.values_mut() {
        exemplars.sort_by_key(|event| event.time);
    }
    Ok(found)
}

/// The name of the metric as a condition of the table, where a matcher says it.
fn by_metric(matcher: &Matcher) -> Option<ColumnFilter> {
    let says = matcher.name() == METRIC_NAME && matcher.op() == MatchOp::Equal;
    says.then(|| ColumnFilter {
        column: "metric",
        op: FilterOp::Equal,
        value: Scalar::Text(matcher.value().to_owned()),
    })
}

fn shown((labels, exemplars): (Labels, Vec<ExemplarEvent>)) -> Json {
    let exemplars: Vec<Json> = exemplars
        .into_iter()
        .map(|event| {
            json!({
                "labels": event.labels,
                "value": format_value(event.value),
                "timestamp": event.time.as_millis() as f64 / 1000.0,
            })
        })
        .collect();
    json!({ "seriesLabels": shapes::labels(&labels), "exemplars": exemplars })
}
