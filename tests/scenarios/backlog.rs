//! The main job: a backlog builds up, people hear of it with the evidence, and it drains.

use std::sync::Mutex;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use testkit::{Redis, Smtp, Watchkeeper, within};
use tokio::process::Command;

use crate::stage::{all, binary, docpipe, docpipe_config, impatient_rules};

const DOCUMENTS: usize = 150;
const PATIENCE: Duration = Duration::from_secs(150);

/// What Redis itself says: the result of a Lua expression, all of it at one moment.
async fn ask_redis(redis: &Redis, expression: &str) -> Result<u64> {
    let script = format!("local ask = redis.call return {expression}");
    let port = redis.port().to_string();
    let output = Command::new("redis-cli").args(["-p", &port, "eval", &script, "0"]).output().await;
    let printed = String::from_utf8_lossy(&output.context("asking redis")?.stdout).trim().to_owned();
    printed.parse().with_context(|| format!("redis gives a number for {expression}, not {printed}"))
}

const DOCUMENTS_KNOWN: &str = "#ask('keys', 'docpipe:document:*')";
const EXTRACTIONS: &str = "ask('llen', 'document-hub:ocr:easyocr:extraction') \
    + ask('llen', 'document-hub:ocr:easyocr:extraction:processing') + ask('zcard', 'document-hub:ocr:easyocr:delayed')";
const LLM_PENDING: &str = "ask('zcard', 'llm_tasks')";
const LLM_PROCESSING: &str = "ask('scard', 'llm_tasks:processing')";

/// The alert about the LLM queue. The extraction queue may have one of its own for a while.
async fn backlog_alert(watchkeeper: &Watchkeeper) -> Result<Option<Value>> {
    let mut alerts = all(watchkeeper, "/api/v1/alerts").await?.into_iter();
    Ok(alerts.find(|alert| {
        alert["labels"]["alertname"] == "QueueBacklog" && alert["labels"]["queue"] == "llm_tasks"
    }))
}

#[tokio::test(flavor = "multi_thread")]
async fn scenario_a_backlog_is_announced_with_evidence_acknowledged_and_resolved() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let redis = Redis::start().await?;
    let smtp = Smtp::start().await?;
    let rules = impatient_rules(folder.path(), "3s")?;
    let config = format!(
        r#"{}
[alerts]
interval = "1s"
rules = ["{}"]

[[channels.email]]
name = "operators"
host = "127.0.0.1"
port = {}
tls = "none"
from = "watchkeeper@example.org"
to = ["oncall@example.org"]
"#,
        docpipe_config(&redis.url())?,
        rules.display(),
        smtp.port()
    );
    let watchkeeper = Watchkeeper::start(binary(), folder.path(), &config).await?;

    // No LLM worker: its queue grows.
    let count = DOCUMENTS.to_string();
    let growing = [
        "--llm-workers",
        "0",
        "--extraction-workers",
        "2",
        "--rate",
        "40",
        "--count",
        &count,
        "--fail-rate",
        "0.02",
    ];
    let mut pipeline = docpipe(folder.path(), &redis.url(), &watchkeeper, &growing)?;
    within(PATIENCE, "the backlog alert to be pending", || async {
        let found = backlog_alert(&watchkeeper).await?;
        Ok(found.filter(|alert| alert["state"] == "pending"))
    })
    .await
    .with_context(|| pipeline.output())?;
    let firing = within(PATIENCE, "the backlog alert to fire", || async {
        let found = backlog_alert(&watchkeeper).await?;
        Ok(found.filter(|alert| alert["state"] == "firing"))
    })
    .await?;
    ensure!(firing["labels"]["queue"] == "llm_tasks", "{firing}");
    ensure!(firing["evidence"].as_array().is_some_and(|checks| !checks.is_empty()), "{firing}");

    within(PATIENCE, "all documents to be extracted, and the depth to be what Redis says", || async {
        let pending = ask_redis(&redis, LLM_PENDING).await?;
        let processing = ask_redis(&redis, LLM_PROCESSING).await?;
        let known = ask_redis(&redis, DOCUMENTS_KNOWN).await?;
        let extracting = ask_redis(&redis, EXTRACTIONS).await?;
        let queue = watchkeeper.get("/api/v1/queues/llm_tasks").await?.body;
        let (shown_pending, shown_processing) = (queue["depth"]["pending"].as_u64(), queue["depth"]["processing"].as_u64());
        let same = shown_pending == Some(pending) && shown_processing == Some(processing);
        ensure!(same, "redis says {pending} pending, {processing} processing; shown are {shown_pending:?}, {shown_processing:?}");
        Ok((known == DOCUMENTS as u64 && extracting == 0 && pending > 0).then_some(()))
    })
    .await?;

    let mail = within(PATIENCE, "a mail about the backlog", || async {
        let mails = smtp.messages().await?;
        Ok(mails.into_iter().find(|mail| {
            mail.header("Subject")
                .is_some_and(|subject| subject.contains("QueueBacklog") && subject.contains("llm_tasks"))
        }))
    })
    .await?;
    let subject = mail.header("Subject").unwrap_or_default();
    ensure!(subject.contains("FIRING") && subject.contains("llm_tasks"), "{subject}");
    let oldest = watchkeeper.get("/api/v1/queues/llm_tasks").await?.body["tasks"].clone();
    let ids: Vec<&str> =
        oldest.as_array().into_iter().flatten().filter_map(|task| task["id"].as_str()).collect();
    ensure!(
        ids.iter().any(|id| mail.body().contains(id)),
        "no task of the queue is in the mail:\n{}",
        mail.body()
    );

    for shown in ["Tasks that are taken next", "score", "Workers", "Tasks that are stuck"] {
        ensure!(mail.body().contains(shown), "{shown:?} is not in the mail:\n{}", mail.body());
    }

    let id = firing["id"].as_str().context("an alert has an id")?;
    let (code, printed) = watchkeeper.run(&["diagnose", id]).await?;
    ensure!(code == 1 || code == 2, "a backlog without workers is not fine: {printed}");
    ensure!(printed.contains("queue_heads") && printed.contains("llm_tasks"), "{printed}");
    let acknowledged = watchkeeper
        .post(&format!("/api/v1/alerts/{id}/acknowledge"), &json!({"note": "adding workers"}))
        .await?;
    ensure!(acknowledged.status == 200, "{} {}", acknowledged.status, acknowledged.body);
    let shown = watchkeeper.get(&format!("/api/v1/alerts/{id}")).await?.body;
    ensure!(shown["state"] == "acknowledged" && shown["acknowledged"]["note"] == "adding workers", "{shown}");

    // The workers that were missing.
    pipeline.terminate().await?;
    let draining = [
        "--llm-workers",
        "3",
        "--extraction-workers",
        "1",
        "--llm-delay",
        "0",
        "--fail-rate",
        "0.02",
        "--no-load",
    ];
    let mut pipeline = docpipe(folder.path(), &redis.url(), &watchkeeper, &draining)?;
    within(PATIENCE, "the queue to drain", || async {
        let waiting = ask_redis(&redis, &format!("{LLM_PENDING} + {LLM_PROCESSING}")).await?;
        Ok((waiting == 0).then_some(()))
    })
    .await
    .with_context(|| pipeline.output())?;
    within(PATIENCE, "the alert to be resolved, and a mail to say so", || async {
        let state = backlog_alert(&watchkeeper).await?.map(|alert| alert["state"].clone());
        let told = smtp.messages().await?.into_iter().any(|mail| {
            mail.header("Subject").is_some_and(|s| {
                s.contains("RESOLVED") && s.contains("QueueBacklog") && s.contains("llm_tasks")
            })
        });
        Ok((told && state.is_none_or(|state| state == "resolved")).then_some(()))
    })
    .await?;

    let open = Mutex::new(String::new());
    within(PATIENCE, "every job to have ended", || async {
        let running = watchkeeper.get("/api/v1/jobs?status=running&limit=1").await?.body;
        let pending = watchkeeper.get("/api/v1/jobs?status=pending&limit=1").await?.body;
        *open.lock().expect("a lock") = format!("{running}\n{pending}");
        Ok((running["total"] == 0 && pending["total"] == 0).then_some(()))
    })
    .await
    .with_context(|| format!("{}\n{}", open.lock().expect("a lock"), pipeline.output()))?;
    let completed = all(&watchkeeper, "/api/v1/jobs?status=completed").await?;
    ensure!(completed.len() >= DOCUMENTS, "{} jobs completed", completed.len());
    for job in &completed {
        let id = job["job_id"].as_str().context("a job has an id")?;
        let job = watchkeeper.get(&format!("/api/v1/jobs/{id}")).await?.body;
        let stages = job["stages"].as_array().context("a job has stages")?;
        ensure!(!stages.is_empty(), "a finished job without stages: {job}");
        for stage in stages {
            ensure!(stage["memory_rss_end_bytes"].as_u64() > Some(0), "a stage without memory: {job}");
            ensure!(stage["duration_seconds"].as_f64().is_some(), "a stage without duration: {job}");
        }
    }
    let (code, printed) = watchkeeper.run(&["check"]).await?;
    ensure!(code != 3, "check did not reach the server: {printed}");
    pipeline.terminate().await?;
    Ok(())
}
