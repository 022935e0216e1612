//! Who answers, how it is set up, and what it holds, as Prometheus shows it of itself.

use axum::extract::State;
use axum::response::Response;
use model::DurationText;
use serde_json::{Value as Json, json};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::answer::{Answer, Failure};
use super::arguments::{Arguments, wrong};
use super::run::{self, Job};
use crate::blocking::longest;
use crate::context::Shared;
use crate::routes::Routes;

pub(super) fn routes() -> Routes {
    OpenApiRouter::new()
        .routes(routes!(build_info))
        .routes(routes!(runtime_info))
        .routes(routes!(flags))
        .routes(routes!(config))
        .routes(routes!(series_in_memory))
        .routes(routes!(replay))
        .routes(routes!(alertmanagers))
}

/// How long lists are that are not asked to be of another length, and the longest that they may be.
const DEFAULT_LIST: usize = 10;
const MAX_LIST: usize = 10_000;

/// The version of Prometheus whose API this is.
const API_VERSION: &str = "3.5.0";

/// Who answers. Grafana and others ask for the version, to know what they may use; so it is that of the Prometheus that
/// answers the same.
#[utoipa::path(get, path = "/prometheus/api/v1/status/buildinfo", tag = "prometheus",
    responses((status = 200, body = serde_json::Value)))]
async fn build_info(State(app): State<Shared>) -> Result<Response, Failure> {
    let facts = json!({ "version": API_VERSION, "revision": "", "branch": "", "buildUser": "", "buildDate": "",
        "goVersion": "", "application": "Watchkeeper", "applicationVersion": app.context.version });
    Answer::other(&facts, false).respond(&app)
}

/// How it runs.
#[utoipa::path(get, path = "/prometheus/api/v1/status/runtimeinfo", tag = "prometheus",
    responses((status = 200, body = serde_json::Value)))]
async fn runtime_info(State(app): State<Shared>) -> Result<Response, Failure> {
    let stats = app.context.store.stats();
    let started = app.started_at.to_string();
    let hostname = std::fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
    let facts = json!({
        "startTime": started,
        "CWD": std::env::current_dir().unwrap_or_default().to_string_lossy(),
        "hostname": hostname.trim(),
        "serverTime": model::Timestamp::now().to_string(),
        "reloadConfigSuccess": true,
        "lastConfigTime": started,
        "timeSeriesCount": stats.head_series,
        "corruptionCount": stats.quarantined_files,
        // The next five are of the language that Prometheus is written in; clients expect them to be there.
        "goroutineCount": 0,
        "GOMAXPROCS": std::thread::available_parallelism().map_or(1, usize::from),
        "GOMEMLIMIT": 0,
        "GOGC": "",
        "GODEBUG": "",
        "storageRetention": DurationText(app.context.retention).to_string(),
    });
    Answer::other(&facts, false).respond(&app)
}

/// What Prometheus has behind flags, and is always there.
const ALWAYS: &[&str] = &["exemplar-storage", "native-histograms"];
/// The same of what `promql.experimental` allows. Linters of rules ask for it.
const EXPERIMENTAL: &[&str] = &[
    "promql-experimental-functions",
    "promql-duration-expr",
    "promql-extended-range-selectors",
    "promql-binop-fill-modifiers",
];

/// Those settings that Prometheus has a flag for, under its names.
#[utoipa::path(get, path = "/prometheus/api/v1/status/flags", tag = "prometheus",
    responses((status = 200, body = serde_json::Value)))]
async fn flags(State(app): State<Shared>) -> Result<Response, Failure> {
    let limits = app.context.promql.limits();
    let features = [ALWAYS, if limits.experimental { EXPERIMENTAL } else { &[] }].concat();
    let flags = json!({
        "enable-feature": features.join(","),
        "query.lookback-delta": limits.lookback.to_string(),
        "query.max-concurrency": app.config.max_concurrent_queries.to_string(),
        "query.max-samples": limits.max_samples.to_string(),
        "query.timeout": DurationText(limits.timeout.0.min(longest(&app))).to_string(),
        "storage.tsdb.retention.time": DurationText(app.context.retention).to_string(),
        "web.listen-address": app.config.listen.to_string(),
        "web.max-connections": app.config.max_connections.to_string(),
        "web.enable-remote-write-receiver": "true",
    });
    Answer::other(&flags, false).respond(&app)
}

/// The configuration is no YAML, and holds secrets: what there is of Prometheus' own is shown.
#[utoipa::path(get, path = "/prometheus/api/v1/status/config", tag = "prometheus",
    responses((status = 200, body = serde_json::Value)))]
async fn config(State(app): State<Shared>) -> Result<Response, Failure> {
    let yaml = "# Watchkeeper is set up by watchkeeper.toml; `watchkeeper config show` shows it on its machine.\n\
                global: {}\n";
    Answer::other(&json!({ "yaml": yaml }), false).respond(&app)
}

/// The series in memory, and which labels make them so many.
#[utoipa::path(get, path = "/prometheus/api/v1/status/tsdb", tag = "prometheus",
    params(("limit" = Option<u64>, Query, description = "How long each list is; 10 if left out")),
    responses((status = 200, body = serde_json::Value), Failure))]
async fn series_in_memory(State(app): State<Shared>, arguments: Arguments) -> Result<Response, Failure> {
    let limit = arguments.number("limit")?.unwrap_or(DEFAULT_LIST);
    if limit == 0 || limit > MAX_LIST {
        return Err(wrong("limit", &format!("expected a number from 1 to {MAX_LIST}")));
    }
    let store = app.context.store.clone();
    let job: Job<_> = Box::new(move |_, _| Ok(store.cardinality(limit)));
    let found = run::run(&app, None, job).await?;
    let list = |all: Vec<(String, u64)>| -> Json {
        all.into_iter().map(|(name, value)| json!({ "name": name, "value": value })).collect()
    };
    let facts = json!({
        "headStats": {
            "numSeries": found.series,
            "numLabelPairs": found.label_pairs,
            // Samples in memory lie in one run for each series.
            "chunkCount": found.series,
            "minTime": found.first.map_or(i64::MAX, model::Timestamp::as_millis),
            "maxTime": found.last.map_or(i64::MIN, model::Timestamp::as_millis),
        },
        "seriesCountByMetricName": list(found.series_by_metric),
        "labelValueCountByLabelName": list(found.values_by_label),
        "memoryInBytesByLabelName": list(found.bytes_by_label),
        "seriesCountByLabelValuePair": list(found.series_by_pair),
    });
    Answer::other(&facts, false).respond(&app)
}

/// Whoever can ask is answered after the log was read back: there is nothing left to do.
#[utoipa::path(get, path = "/prometheus/api/v1/status/walreplay", tag = "prometheus",
    responses((status = 200, body = serde_json::Value)))]
async fn replay(State(app): State<Shared>) -> Result<Response, Failure> {
    Answer::other(&json!({ "min": 0, "max": 0, "current": 0, "state": "done" }), false).respond(&app)
}

/// Alerts go to people through channels of our own, to no Alertmanager.
#[utoipa::path(get, path = "/prometheus/api/v1/alertmanagers", tag = "prometheus",
    responses((status = 200, body = serde_json::Value)))]
async fn alertmanagers(State(app): State<Shared>) -> Result<Response, Failure> {
    Answer::other(&json!({ "activeAlertmanagers": [], "droppedAlertmanagers": [] }), false).respond(&app)
}
