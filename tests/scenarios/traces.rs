//! An application that knows nothing of Watchkeeper: Celery, as OpenTelemetry's own instrumentation tells of it.

use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use serde_json::Value;
use testkit::{Launched, Redis, Watchkeeper, percent_encoded, within};
use tokio::process::Command;

use crate::stage::{all, binary, root};

const PATIENCE: Duration = Duration::from_secs(150);
/// One that goes well, one that is tried again, one that fails.
const DOCUMENTS: [&str; 3] = ["report", "flaky", "blank"];

/// Python in the folder of the example, with Redis as the broker, sending spans to this Watchkeeper.
fn python(arguments: &[&str], redis: &Redis, watchkeeper: &Watchkeeper) -> Command {
    let mut command = Command::new(testkit::python());
    command
        .current_dir(root().join("examples/celery"))
        .args(arguments)
        .env("BROKER_URL", redis.url())
        .env("OTEL_EXPORTER_OTLP_ENDPOINT", watchkeeper.url(""))
        .env("OTEL_BSP_SCHEDULE_DELAY", "200")
        .env("PYTHONDONTWRITEBYTECODE", "1");
    command
}

async fn submit(folder: &Path, redis: &Redis, watchkeeper: &Watchkeeper) -> Result<Vec<String>> {
    let arguments = [["submit.py"].as_slice(), &DOCUMENTS].concat();
    let mut command = python(&arguments, redis, watchkeeper);
    let mut submitting = Launched::start(&mut command, &folder.join("submit.log"))?;
    let status = submitting.wait().await?;
    ensure!(status.success(), "{status}: {}", submitting.output());
    let ids: Vec<String> = submitting.output().lines().map(str::to_owned).collect();
    Ok(ids)
}

async fn job(watchkeeper: &Watchkeeper, id: &str) -> Result<Value> {
    let jobs = all(watchkeeper, "/api/v1/jobs").await?;
    jobs.into_iter().find(|job| job["job_id"] == id).with_context(|| format!("no job {id}"))
}

/// The value of a query that has one.
async fn number(watchkeeper: &Watchkeeper, query: &str) -> Result<f64> {
    let answer =
        watchkeeper.get(&format!("/prometheus/api/v1/query?query={}", percent_encoded(query))).await?;
    let value = answer.body["data"]["result"][0]["value"][1].as_str();
    value.and_then(|text| text.parse().ok()).with_context(|| format!("{query}: {}", answer.body))
}

fn texts<'v>(items: &'v Value, field: &str) -> Vec<&'v str> {
    items.as_array().into_iter().flatten().filter_map(|item| item[field].as_str()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn scenario_tasks_of_celery_are_jobs_with_stages_by_the_spans_of_opentelemetry_alone() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let redis = Redis::start().await?;
    let watchkeeper = Watchkeeper::start(binary(), folder.path(), "[pipeline]\ninterval = \"1s\"\n").await?;
    let ids = submit(folder.path(), &redis, &watchkeeper).await?;
    let [report, flaky, blank] = &ids[..] else { bail!("{ids:?}") };
    for id in &ids {
        let waiting = job(&watchkeeper, id).await?;
        ensure!(waiting["status"] == "pending" && waiting["queue"] == "documents", "{waiting}");
    }

    let worker = ["-m", "celery", "-A", "tasks", "worker", "--concurrency", "1", "--loglevel", "info"];
    let mut worker =
        Launched::start(&mut python(&worker, &redis, &watchkeeper), &folder.path().join("worker.log"))?;
    within(PATIENCE, "all jobs to have ended", || async {
        for (id, status) in [(report, "completed"), (flaky, "completed"), (blank, "failed")] {
            let job = job(&watchkeeper, id).await?;
            ensure!(job["status"] == status, "{job}");
        }
        Ok(Some(()))
    })
    .await
    .with_context(|| worker.output())?;

    let done = job(&watchkeeper, report).await?;
    ensure!(done["kind"] == "tasks.extract" && done["service"] == "worker", "{done}");
    ensure!(done["worker_id"].is_string() && done["trace_id"].is_string(), "{done}");
    ensure!(texts(&done["stages"], "stage") == ["render", "summarize"], "{done}");
    let tried = job(&watchkeeper, flaky).await?;
    ensure!(texts(&tried["attempts"], "outcome") == ["retried", "completed"], "{tried}");
    let reason = tried["attempts"][0]["error"]["message"].as_str().unwrap_or_default();
    ensure!(reason.contains("the model does not answer"), "{tried}");
    let failed = job(&watchkeeper, blank).await?;
    ensure!(failed["attempts"][0]["error"]["message"] == "the page is blank", "{failed}");
    ensure!(texts(&failed["stages"], "status") == ["failed"], "{failed}");

    within(PATIENCE, "the metrics of all of it", || async {
        let is = async |query: &str, expected: f64| {
            let found = number(&watchkeeper, query).await?;
            ensure!((found - expected).abs() < f64::EPSILON, "{query}: {found}, not {expected}");
            Ok::<(), anyhow::Error>(())
        };
        is("llm_calls_total{model=\"small\"}", 2.0).await?;
        is("sum(jobs_total{queue=\"documents\",status=\"completed\"})", 2.0).await?;
        is("sum(traces_span_metrics_calls_total{span_name=\"run/tasks.extract\"})", 4.0).await?;
        is("sum(traces_service_graph_request_total{client=\"gateway\",server=\"worker\"})", 3.0).await?;
        Ok(Some(()))
    })
    .await
    .with_context(|| worker.output())?;
    worker.terminate().await?;
    Ok(())
}
