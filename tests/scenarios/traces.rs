//! An application that knows nothing of Watchkeeper or OpenTelemetry: the example pipeline by Celery, in a pool of
//! forked processes, as `opentelemetry-instrument` tells of it.

use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use serde_json::Value;
use testkit::{Launched, Redis, Watchkeeper, percent_encoded, within};
use tokio::process::Command;

use crate::stage::{all, binary, root};

const PATIENCE: Duration = Duration::from_secs(150);
/// One that goes well, and one that the seed below lets fail once.
const DOCUMENTS: [&str; 2] = ["gettysburg-address.txt", "moby-dick.html"];
const STAGES: [&str; 4] = ["extract", "chunk", "embed", "store"];
const ENVIRONMENT: [(&str, &str); 13] = [
    ("DOCPIPE_SEED", "334"),
    ("DOCPIPE_FAIL_RATE", "0.3"),
    ("DOCPIPE_LLM_DELAY", "0.02"),
    ("OPENBLAS_NUM_THREADS", "1"),
    ("OTEL_EXPORTER_OTLP_PROTOCOL", "http/protobuf"),
    ("OTEL_TRACES_EXPORTER", "otlp"),
    ("OTEL_LOGS_EXPORTER", "otlp"),
    ("OTEL_PYTHON_LOGGING_AUTO_INSTRUMENTATION_ENABLED", "true"),
    // A machine that is busy answers late; what an exporter gives up on it does not send again.
    ("OTEL_EXPORTER_OTLP_TIMEOUT", "60"),
    ("OTEL_BSP_SCHEDULE_DELAY", "200"),
    ("OTEL_BLRP_SCHEDULE_DELAY", "200"),
    ("OTEL_METRIC_EXPORT_INTERVAL", "500"),
    ("PYTHONDONTWRITEBYTECODE", "1"),
];

/// Python in the folder of the example, run by `opentelemetry-instrument`, with Redis as the broker.
fn instrumented(service: &str, arguments: &[&str], redis: &Redis, watchkeeper: &Watchkeeper) -> Command {
    let python = testkit::python();
    let mut command = Command::new(python.with_file_name("opentelemetry-instrument"));
    command
        .current_dir(root().join("examples/opentelemetry"))
        .arg(python)
        .args(arguments)
        .envs(ENVIRONMENT)
        .env("PYTHONPATH", root().join("examples/docpipe"))
        .env("REDIS_URL", redis.url())
        .env("OTEL_SERVICE_NAME", service)
        .env("OTEL_EXPORTER_OTLP_ENDPOINT", watchkeeper.url(""));
    command
}

/// Submits the documents and one that is no text; the ids of their tasks.
async fn submit(folder: &Path, redis: &Redis, watchkeeper: &Watchkeeper) -> Result<Vec<String>> {
    let unreadable = folder.join("unreadable.txt");
    std::fs::write(&unreadable, b"\xff\xfeA\0").context("writing a document")?;
    let documents = root().join("examples/docpipe/documents");
    let mut command = instrumented("gateway", &["submit.py"], redis, watchkeeper);
    command.args(DOCUMENTS.map(|name| documents.join(name))).arg(unreadable);
    let mut submitting = Launched::start(&mut command, &folder.join("submit.log"))?;
    let status = submitting.wait().await?;
    ensure!(status.success(), "{status}: {}", submitting.output());
    Ok(submitting.output().lines().map(str::to_owned).collect())
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

/// The document that went well, in each stage once, and the work that its job handed on.
async fn went_well(watchkeeper: &Watchkeeper, id: &str) -> Result<()> {
    let done = job(watchkeeper, id).await?;
    ensure!(done["status"] == "completed", "{done}");
    ensure!(done["kind"] == "tasks.extraction" && done["queue"] == "extraction", "{done}");
    ensure!(done["service"] == "docpipe" && done["worker_id"].is_string(), "{done}");
    ensure!(done["queue_wait_seconds"].as_f64().is_some_and(|seconds| seconds > 0.0), "{done}");
    ensure!(texts(&done["stages"], "stage") == STAGES, "{done}");
    ensure!(texts(&done["stages"], "status") == ["completed"; 4], "{done}");
    let lasted = done["duration_seconds"].as_f64().unwrap_or_default();
    let stages = done["stages"].as_array().into_iter().flatten();
    let in_stages: f64 = stages.filter_map(|stage| stage["duration_seconds"].as_f64()).sum();
    ensure!(in_stages > 0.0 && in_stages <= lasted, "{done}");

    let jobs = all(watchkeeper, "/api/v1/jobs").await?;
    ensure!(jobs.len() == 7, "three documents, and four questions to the model: {jobs:?}");
    let mut handed_on: Vec<&str> = jobs
        .iter()
        .filter(|job| job["parent_id"] == id && job["queue"] == "llm" && job["status"] == "completed")
        .filter_map(|job| job["kind"].as_str())
        .collect();
    handed_on.sort_unstable();
    ensure!(handed_on == ["tasks.insight", "tasks.summary"], "{jobs:?}");
    Ok(())
}

/// The document whose embedding failed once.
async fn was_tried_again(watchkeeper: &Watchkeeper, id: &str) -> Result<()> {
    let tried = job(watchkeeper, id).await?;
    ensure!(tried["status"] == "completed" && tried["retry_count"] == 1, "{tried}");
    ensure!(texts(&tried["attempts"], "outcome") == ["retried", "completed"], "{tried}");
    let reason = tried["attempts"][0]["error"]["message"].as_str().unwrap_or_default();
    ensure!(reason.contains("embedder: connection reset by peer"), "{tried}");
    let twice = [&STAGES[..3], &STAGES[..]].concat();
    ensure!(texts(&tried["stages"], "stage") == twice, "{tried}");
    ensure!(
        tried["stages"][2]["status"] == "failed" && tried["stages"][5]["status"] == "completed",
        "{tried}"
    );
    Ok(())
}

/// The document that nobody can read.
async fn failed(watchkeeper: &Watchkeeper, id: &str) -> Result<()> {
    let failed = job(watchkeeper, id).await?;
    ensure!(failed["status"] == "failed", "{failed}");
    ensure!(texts(&failed["stages"], "stage") == ["extract"], "{failed}");
    for of in [&failed["attempts"][0], &failed["stages"][0]] {
        ensure!(of["error"]["error_type"] == "docpipe.text.UnreadableDocument", "{failed}");
        ensure!(of["error"]["message"] == "not UTF-8 at byte 0", "{failed}");
    }
    ensure!(failed["stages"][0]["status"] == "failed", "{failed}");
    Ok(())
}

/// What a worker logged while it worked on a job leads to it by the trace.
async fn is_in_logs(watchkeeper: &Watchkeeper, id: &str, level: &str, wanted: &str) -> Result<()> {
    let job = job(watchkeeper, id).await?;
    let logs = all_logs(watchkeeper, id).await?;
    let said = logs.iter().any(|log| {
        log["trace_id"] == job["trace_id"]
            && log["span_id"].is_string()
            && log["level"] == level
            && log["origin"]["service"] == "docpipe"
            && log["message"].as_str().is_some_and(|message| message.contains(wanted))
    });
    ensure!(said, "nothing of {wanted:?} in {logs:?}");
    Ok(())
}

async fn all_logs(watchkeeper: &Watchkeeper, id: &str) -> Result<Vec<Value>> {
    let answer = watchkeeper.get(&format!("/api/v1/jobs/{id}/logs?limit=1000")).await?;
    answer.body["items"].as_array().cloned().with_context(|| format!("{} {}", answer.status, answer.body))
}

/// Metrics of jobs and of spans, and those that the instrumentation of Celery sends.
async fn is_in_metrics(watchkeeper: &Watchkeeper) -> Result<()> {
    for (query, expected) in [
        ("sum(jobs_total{queue=\"extraction\",status=\"completed\"})", 2.0),
        ("sum(jobs_total{queue=\"llm\",status=\"completed\"})", 4.0),
        ("sum(traces_span_metrics_calls_total{span_name=\"run/tasks.extraction\"})", 4.0),
        ("sum(traces_service_graph_request_total{client=\"gateway\",server=\"docpipe\"})", 3.0),
        ("sum(flower_task_runtime_seconds_count{task=\"tasks.extraction\"})", 4.0),
    ] {
        let found = number(watchkeeper, query).await?;
        ensure!((found - expected).abs() < f64::EPSILON, "{query}: {found}, not {expected}");
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn scenario_tasks_of_celery_are_jobs_with_stages_by_opentelemetry_instrument_alone() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let redis = Redis::start().await?;
    let watchkeeper = Watchkeeper::start(binary(), folder.path(), "[pipeline]\ninterval = \"1s\"\n").await?;
    let ids = submit(folder.path(), &redis, &watchkeeper).await?;
    let [good, flaky, unreadable] = &ids[..] else { bail!("{ids:?}") };
    for id in &ids {
        let waiting = job(&watchkeeper, id).await?;
        ensure!(waiting["status"] == "pending" && waiting["queue"] == "extraction", "{waiting}");
    }

    let worker = "-m celery -A tasks worker -Q extraction,llm --pool prefork --concurrency 2 --loglevel info";
    let worker: Vec<&str> = worker.split(' ').collect();
    let mut command = instrumented("docpipe", &worker, &redis, &watchkeeper);
    let mut worker = Launched::start(&mut command, &folder.path().join("worker.log"))?;
    within(PATIENCE, "all that is to be seen of the documents", || async {
        went_well(&watchkeeper, good).await?;
        was_tried_again(&watchkeeper, flaky).await?;
        failed(&watchkeeper, unreadable).await?;
        is_in_logs(&watchkeeper, good, "info", "document gettysburg-address.txt is extracted").await?;
        is_in_logs(&watchkeeper, unreadable, "error", "UnreadableDocument('not UTF-8 at byte 0')").await?;
        is_in_metrics(&watchkeeper).await?;
        Ok(Some(()))
    })
    .await
    .with_context(|| worker.output())?;
    ensure!(worker.output().contains("ForkPoolWorker"), "{}", worker.output());
    worker.terminate().await?;
    Ok(())
}
