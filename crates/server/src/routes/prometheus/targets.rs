//! What is scraped, and how that goes, as Prometheus says it.

use std::collections::BTreeMap;

use axum::extract::State;
use axum::response::Response;
use collect::{DroppedTarget, TargetStatus};
use model::{DurationText, Labels};
use promql::Query;
use serde_json::{Value as Json, json};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::answer::{Answer, Failure};
use super::arguments::{Arguments, wrong};
use super::run::{self, Job};
use super::shapes;
use crate::context::Shared;
use crate::routes::Routes;

pub(super) fn routes() -> Routes {
    OpenApiRouter::new()
        .routes(routes!(targets))
        .routes(routes!(targets_metadata))
        .routes(routes!(scrape_pools))
}

/// Targets that are scraped, and those that relabelling dropped.
#[utoipa::path(get, path = "/prometheus/api/v1/targets", tag = "prometheus",
    params(("state" = Option<String>, Query, description = "`active`, `dropped`, or `any`, which is usual"),
        ("scrapePool" = Option<String>, Query, description = "Only targets of this job")),
    responses((status = 200, body = serde_json::Value), (status = "4XX", body = serde_json::Value)))]
async fn targets(State(app): State<Shared>, arguments: Arguments) -> Result<Response, Failure> {
    let state = arguments.all("state").next().unwrap_or_default().to_ascii_lowercase();
    let (active, dropped) = match state.as_str() {
        "" | "any" => (true, true),
        "active" => (true, false),
        "dropped" => (false, true),
        // No target is in a state that does not exist.
        _ => (false, false),
    };
    let pool = arguments.all("scrapePool").next().filter(|pool| !pool.is_empty());
    let wanted = |name: &str| pool.is_none_or(|pool| pool == name);
    let Some(scrapes) = app.context.collectors.scrapes() else {
        return Answer::other(&none(), false).respond(&app);
    };
    let mut data = none();
    if active {
        let targets = scrapes.targets().into_iter().filter(|target| wanted(&target.pool));
        data["activeTargets"] = targets.map(|target| active_target(&target)).collect();
    }
    if dropped {
        let targets = scrapes.dropped().into_iter().filter(|target| wanted(&target.pool));
        data["droppedTargets"] = targets.map(|target| dropped_target(&target)).collect();
        let counts: BTreeMap<String, usize> =
            scrapes.jobs().into_iter().map(|job| (job.name, job.dropped)).collect();
        data["droppedTargetCounts"] = json!(counts);
    }
    Answer::other(&data, false).respond(&app)
}

fn none() -> Json {
    json!({ "activeTargets": [], "droppedTargets": [], "droppedTargetCounts": {} })
}

fn active_target(target: &TargetStatus) -> Json {
    json!({
        "discoveredLabels": shapes::labels(&target.discovered),
        "labels": shapes::labels(&target.labels),
        "scrapePool": target.pool,
        "scrapeUrl": target.url,
        "globalUrl": target.url,
        "lastError": target.last_error.as_deref().unwrap_or_default(),
        "lastScrape": shapes::time(target.last_scrape),
        "lastScrapeDuration": target.last_duration.as_secs_f64(),
        "health": target.health.name(),
        "scrapeInterval": DurationText(target.interval).to_string(),
        "scrapeTimeout": DurationText(target.timeout).to_string(),
    })
}

fn dropped_target(target: &DroppedTarget) -> Json {
    json!({ "discoveredLabels": shapes::labels(&target.discovered), "scrapePool": target.pool })
}

/// What targets say of their metrics.
#[utoipa::path(get, path = "/prometheus/api/v1/targets/metadata", tag = "prometheus",
    params(("match_target" = Option<String>, Query, description = "A selector of targets"),
        ("metric" = Option<String>, Query, description = "Only this metric"),
        ("limit" = Option<i64>, Query, description = "No further target is told of after so many metrics; below 0 is no limit")),
    responses((status = 200, body = serde_json::Value), Failure))]
async fn targets_metadata(State(app): State<Shared>, arguments: Arguments) -> Result<Response, Failure> {
    let metric = arguments.all("metric").next().unwrap_or_default().to_owned();
    let limit = arguments.most("limit")?.unwrap_or(usize::MAX);
    let text = arguments.all("match_target").next().unwrap_or_default();
    let matchers = match text {
        "" => Vec::new(),
        text => Query::parse(text)
            .map_err(|error| wrong("match_target", &error.to_string()))?
            .matchers()
            .ok_or_else(|| wrong("match_target", "expected a selector alone, as {job=\"api\"}"))?
            .to_vec(),
    };
    let collectors = std::sync::Arc::clone(&app.context.collectors);
    // Waits for scrapes that are being read.
    let job: Job<Json> = Box::new(move |_, _| {
        let targets = collectors.scrapes().map(|scrapes| scrapes.metadata()).unwrap_or_default();
        let is_wanted = |labels: &Labels| matchers.iter().all(|matcher| matcher.matches(labels.as_ref()));
        let mut said: Vec<Json> = Vec::new();
        for one in targets.into_iter().filter(|one| is_wanted(&one.target)) {
            if said.len() >= limit {
                break;
            }
            let target = shapes::labels(&one.target);
            let chosen = one.metadata.iter().filter(|said| metric.is_empty() || said.family == metric);
            said.extend(chosen.map(|said| {
                let mut shown = json!({
                    "target": target, "type": said.kind.name(), "help": said.help, "unit": said.unit,
                });
                if metric.is_empty() {
                    shown["metric"] = json!(said.family);
                }
                shown
            }));
        }
        Ok(said.into())
    });
    let gathered = run::run(&app, arguments.timeout()?, job).await?;
    Answer::other(&gathered, false).respond(&app)
}

/// The names of the jobs that are scraped.
#[utoipa::path(get, path = "/prometheus/api/v1/scrape_pools", tag = "prometheus",
    responses((status = 200, body = serde_json::Value)))]
async fn scrape_pools(State(app): State<Shared>) -> Result<Response, Failure> {
    let jobs = app.context.collectors.scrapes().map(|scrapes| scrapes.jobs()).unwrap_or_default();
    let names: Vec<String> = jobs.into_iter().map(|job| job.name).collect();
    Answer::other(&json!({ "scrapePools": names }), false).respond(&app)
}
