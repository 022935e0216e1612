//! The endpoints of the seeds: their fields and types, and their numbers against what the example
//! pipeline itself wrote down about what it did.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use serde_json::Value;
use testkit::{Models, Redis, Watchkeeper, within};

use crate::stage::{binary, docpipe, docpipe_config};

const PATIENCE: Duration = Duration::from_secs(150);
const DOCUMENTS: u64 = 20;
/// The tenth and the twentieth document are no text.
const UNREADABLE: u64 = 2;
/// Each document that can be read is extracted, summed up and looked through for insights.
const COMPLETED: u64 = (DOCUMENTS - UNREADABLE) * 3;

/// The stages of an extraction, each of which begins and ends, and its model, which is loaded and given back.
const ROWS_OF_EXTRACTION: usize = 4 * 2 + 2;

const RULES: &str = r#"
groups:
  - name: present
    rules:
      - alert: WorkerIsThere
        expr: worker_up == 1
        labels: {severity: info}
        annotations: {summary: "Worker {{ $labels.worker }} is there", description: "It says so."}
"#;

/// What the pipeline wrote into its logs.
#[derive(Default)]
struct Account {
    /// Status and seconds of each request.
    requests: Vec<(u64, f64)>,
    uploads: u64,
    looks: u64,
    completed: u64,
    given_up: u64,
    retried: u64,
    /// Memory at the end of each stage as it is written, by job and stage.
    stages: BTreeMap<(String, String), String>,
}

impl Account {
    fn read(folder: &Path) -> Result<Self> {
        let mut account = Self::default();
        for entry in std::fs::read_dir(folder).with_context(|| format!("reading {}", folder.display()))? {
            let text = std::fs::read_to_string(entry?.path()).context("reading a log")?;
            // The last line may be half written.
            let whole = text.rfind('\n').map_or("", |end| &text[..end]);
            for line in whole.lines() {
                account.note(&serde_json::from_str(line).with_context(|| line.to_owned())?);
            }
        }
        Ok(account)
    }

    fn note(&mut self, line: &Value) {
        let (message, details) = (line["message"].as_str().unwrap_or_default(), &line["details"]);
        if let (Some(status), Some(seconds)) = (details["status_code"].as_u64(), details["seconds"].as_f64())
        {
            self.requests.push((status, seconds));
            self.uploads += u64::from(details["method"] == "POST");
            let path = details["path"].as_str().unwrap_or_default();
            self.looks += u64::from(details["method"] == "GET" && path.starts_with("/documents/"));
        } else if message.starts_with("Job ") {
            self.completed += u64::from(message.contains(" completed in "));
            self.given_up += u64::from(message.contains(" is given up"));
            self.retried += u64::from(message.contains(" will be tried again"));
        } else if let Some((stage, memory)) =
            message.strip_prefix("Stage ").and_then(|message| message.split_once(" end: "))
        {
            let job = line["job_id"].as_str().unwrap_or_default().to_owned();
            let memory = memory.split("MB").next().unwrap_or_default().to_owned();
            self.stages.insert((job, stage.to_owned()), memory);
        }
    }
}

async fn ask(watchkeeper: &Watchkeeper, model: &str, path: &str) -> Result<Value> {
    let answer = watchkeeper.get(path).await?;
    ensure!(answer.status == 200, "{path}: {} {}", answer.status, answer.body);
    let models = Models::parse(include_str!("../fixtures/seed_models.json"))?;
    let faults = models.faults(model, &answer.body);
    ensure!(faults.is_empty(), "{path}: {faults:?}");
    Ok(answer.body)
}

#[tokio::test(flavor = "multi_thread")]
async fn scenario_the_seeds_endpoints_say_what_the_pipeline_really_did() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let redis = Redis::start().await?;
    let rules = folder.path().join("present.yml");
    std::fs::write(&rules, RULES)?;
    let config = format!(
        "{}\n[pipeline]\ninterval = \"1s\"\n\n[alerts]\ninterval = \"1s\"\nrules = [\"{}\"]\n",
        docpipe_config(&redis.url())?,
        rules.display()
    );
    let watchkeeper = Watchkeeper::start(binary(), folder.path(), &config).await?;
    let count = DOCUMENTS.to_string();
    let options = [
        "--rate",
        "10",
        "--count",
        &count,
        "--poison-every",
        "10",
        "--slow-every",
        "0",
        "--fail-rate",
        "0.1",
        "--llm-delay",
        "0",
        "--retry-delay",
        "0.1",
        "--heartbeat",
        "1",
    ];
    let mut pipeline = docpipe(folder.path(), &redis.url(), &watchkeeper, &options)?;

    let logs = folder.path().join("logs");
    let account = within(PATIENCE, "the pipeline to have done its work", || async {
        let account = Account::read(&logs)?;
        let ended = account.completed + account.given_up == COMPLETED + UNREADABLE;
        Ok((ended && account.looks == DOCUMENTS).then_some(account))
    })
    .await
    .with_context(|| pipeline.output())?;
    let dashboard = within(PATIENCE, "the dashboard to have heard of all of it", || async {
        let dashboard = ask(&watchkeeper, "DashboardData", "/api/admin/dashboard").await?;
        let requests = ask(&watchkeeper, "RequestStats", "/api/admin/stats/requests?period=hour").await?;
        let system = &dashboard["system_metrics"];
        let ended = (system["completed_tasks"].as_u64(), system["failed_tasks"].as_u64());
        let heard = requests["request_count"].as_u64() == Some(account.requests.len() as u64);
        let reported = sum(&dashboard["worker_metrics"], "completed_tasks") == account.completed;
        ensure!(heard && reported && alerts_of(&dashboard) == 2, "{system} {requests}");
        Ok((ended == (Some(account.completed), Some(account.given_up))).then_some(dashboard))
    })
    .await?;

    check_dashboard(&dashboard, &account)?;
    check_requests(&watchkeeper, &account).await?;
    check_memory(&watchkeeper, &account, &pipeline.output()).await?;
    let stats = within(PATIENCE, "the queues to be seen empty", || async {
        let stats = ask(&watchkeeper, "SystemStats", "/api/admin/stats/system?period=hour").await?;
        Ok((stats["current_queue_length"] == 0).then_some(stats))
    })
    .await?;
    let points = stats["metrics"].as_array().context("points")?;
    ensure!(!points.is_empty(), "{stats}");
    for field in ["avg_memory_usage", "current_memory_usage", "avg_cpu_usage"] {
        ensure!(
            stats[field].as_f64().is_some_and(|percent| percent > 0.0 && percent <= 100.0),
            "{field}: {stats}"
        );
    }
    pipeline.terminate().await?;
    Ok(())
}

fn sum(items: &Value, field: &str) -> u64 {
    items.as_array().into_iter().flatten().filter_map(|item| item[field].as_u64()).sum()
}

fn alerts_of(dashboard: &Value) -> usize {
    dashboard["active_alerts"].as_array().map_or(0, Vec::len)
}

fn check_dashboard(dashboard: &Value, account: &Account) -> Result<()> {
    let system = &dashboard["system_metrics"];
    ensure!(account.given_up == UNREADABLE, "{} jobs were given up", account.given_up);
    for list in ["hourly_stats", "daily_stats"] {
        ensure!(sum(&dashboard[list], "completed_tasks") == account.completed, "{list}: {dashboard}");
        ensure!(sum(&dashboard[list], "failed_tasks") == account.given_up, "{list}: {dashboard}");
    }
    let attempts = account.completed + account.given_up + account.retried;
    let near = |field: &str, expected: f64| {
        system[field].as_f64().is_some_and(|value| (value - expected).abs() < 1e-9)
    };
    ensure!(near("retry_rate", account.retried as f64 / attempts as f64), "{system}");
    let ended = account.completed + account.given_up;
    ensure!(near("error_rate", account.given_up as f64 / ended as f64), "{system}");
    ensure!(system["total_tasks"] == ended && system["pending_tasks"] == 0, "{system}");
    ensure!(system["online_workers"] == 2 && system["cpu_workers"] == 2, "{system}");
    ensure!(system["average_task_duration"].as_f64() > Some(0.0), "{system}");
    ensure!(dashboard["recent_tasks"].as_array().map(Vec::len) == Some(50), "{dashboard}");
    for alert in dashboard["active_alerts"].as_array().context("alerts")? {
        ensure!(alert["component"] == "worker" && alert["metric_name"] == "worker_up", "{alert}");
        ensure!(alert["threshold"] == 1.0 && alert["metric_value"] == 1.0, "{alert}");
        let title = format!("Worker {} is there", alert["component_id"].as_str().unwrap_or_default());
        ensure!(alert["title"] == title, "{alert}");
    }
    Ok(())
}

async fn check_requests(watchkeeper: &Watchkeeper, account: &Account) -> Result<()> {
    let stats = ask(watchkeeper, "RequestStats", "/api/admin/stats/requests?period=hour").await?;
    let errors = account.requests.iter().filter(|(status, _)| *status >= 400).count();
    ensure!(stats["error_count"] == errors, "{errors} errors: {stats}");
    let seconds: f64 = account.requests.iter().map(|(_, seconds)| seconds).sum();
    let average = seconds / account.requests.len() as f64;
    // The log rounds to four digits.
    ensure!(
        stats["avg_process_time"].as_f64().is_some_and(|found| (found - average).abs() < 1e-3),
        "{stats}"
    );
    let calls = |path: &str| {
        let mut endpoints = stats["top_endpoints"].as_array().into_iter().flatten();
        endpoints.find(|endpoint| endpoint["path"] == path).and_then(|endpoint| endpoint["count"].as_u64())
    };
    ensure!(calls("/documents") == Some(account.uploads) && account.uploads == DOCUMENTS, "{stats}");
    ensure!(calls("/documents/{document_id}") == Some(account.looks), "{stats}");
    let log = watchkeeper.get("/api/v1/requests?route=/documents&method=POST&limit=5").await?.body;
    ensure!(log["total"] == DOCUMENTS && log["items"].as_array().map(Vec::len) == Some(5), "{log}");
    let by_user = watchkeeper.get("/api/v1/requests/stats?by=user&period=hour").await?.body;
    let all = by_user["all"]["requests"].as_u64();
    ensure!(all == Some(account.requests.len() as u64), "{by_user}");
    ensure!(sum(&by_user["items"], "requests") == account.requests.len() as u64, "{by_user}");
    Ok(())
}

async fn check_memory(watchkeeper: &Watchkeeper, account: &Account, printed: &str) -> Result<()> {
    let mut jobs = 0;
    for (job, _) in account.stages.keys().filter(|(_, stage)| stage == "store") {
        let path = format!("/api/admin/memory-history?job_id={job}");
        let history = ask(watchkeeper, "MemoryHistory", &path).await?;
        let rows = history["metrics"].as_array().context("rows")?;
        ensure!(history["count"] == rows.len() && rows.len() >= ROWS_OF_EXTRACTION, "{history}");
        let shown = |stage: &str, memory: &str| {
            rows.iter()
                .filter(|row| row["stage"] == stage)
                .any(|row| row["memory_rss_mb"].as_f64().is_some_and(|mb| format!("{mb:.1}") == memory))
        };
        for ((_, stage), memory) in account.stages.iter().filter(|((of, _), _)| of == job) {
            ensure!(shown(stage, memory), "stage {stage} ended with {memory} MB: {history}");
        }
        jobs += 1;
    }
    ensure!(jobs == DOCUMENTS - UNREADABLE, "{jobs} jobs were extracted");

    let stats = ask(watchkeeper, "MemoryStats", "/api/admin/memory-stats").await?;
    let total = std::fs::read_to_string("/proc/meminfo").context("memory of this host")?;
    let total = kilobytes(&total, "MemTotal:").context("the host has memory")?;
    ensure!(stats["memory"]["total_mb"].as_f64() == Some(total / 1024.0), "{total} kB: {stats}");
    let pids = printed.lines().filter_map(|line| line.split_once(": pid ")).map(|(_, pid)| pid.trim());
    let resident: f64 = pids
        .filter_map(|pid| std::fs::read_to_string(format!("/proc/{pid}/status")).ok())
        .filter_map(|status| kilobytes(&status, "VmRSS:"))
        .sum();
    // Other pipelines of other tests may be seen too.
    let shown = stats["memory"]["rss_mb"].as_f64().unwrap_or_default();
    ensure!(resident > 0.0 && shown > 0.8 * resident / 1024.0, "{resident} kB are resident: {stats}");
    Ok(())
}

fn kilobytes(text: &str, field: &str) -> Option<f64> {
    let rest = text.lines().find_map(|line| line.strip_prefix(field))?;
    rest.split_whitespace().next()?.parse().ok()
}
