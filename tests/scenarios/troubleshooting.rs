//! The entries of the troubleshooting guide, provoked: a process that grows, a worker that is killed,
//! a task that is stuck. Each is told with its evidence, and looked at and put right from the command
//! line. A backlog without workers is in `backlog`.

use std::path::Path;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use testkit::{Launched, Mail, Redis, Smtp, Watchkeeper, within};
use tokio::process::Command;

use crate::stage::{all, binary, docpipe, docpipe_config};

const PATIENCE: Duration = Duration::from_secs(150);

/// Thresholds small enough for a test; the checks of `WorkerCrashes` are those of the shipped rule.
const RULES: &str = r#"groups:
  - name: troubleshooting
    rules:
      - alert: HighMemoryUsage
        expr: process_resident_memory_bytes{group="growing"} / 1024 / 1024 > 100
        labels: { severity: warning }
        annotations: { summary: "A process grows", runbook_url: /docs/runbooks/high-memory.md }
        runbook: [top_processes_by_memory, active_jobs, workers, recent_changes]
      - alert: WorkerCrashes
        expr: floor(sum(increase(worker_crashes_total[10m]))) > 0
        labels: { severity: error }
        annotations: { summary: "A worker crashed", runbook_url: /docs/runbooks/worker-crashes.md }
        SHIPPED
"#;

/// The checks of a shipped rule, as a line of another one.
fn shipped_runbook(rule: &str) -> Result<String> {
    let rules = include_str!("../../rules/pipeline.yml");
    let (_, from) = rules.split_once(&format!("- alert: {rule}\n")).context("no such shipped rule")?;
    let checks = from.lines().find_map(|line| line.trim().strip_prefix("watchkeeper_checks: "));
    Ok(format!("runbook: [{}]", checks.context("a rule without checks")?))
}

/// Holds 40 MiB, then 160 MiB more, and keeps them.
const GROWING: &str = "
import sys, time
small = bytearray(b'x') * (40 << 20)
print('small', flush=True)
sys.stdin.readline()
large = bytearray(b'x') * (160 << 20)
print('large', flush=True)
time.sleep(600)  # grows no further
";

fn config(folder: &Path, base: &str, smtp: &Smtp) -> Result<String> {
    let rules = folder.join("troubleshooting.yml");
    let text = RULES.replace("SHIPPED", &shipped_runbook("WorkersCrash")?);
    std::fs::write(&rules, text).context("writing rules")?;
    Ok(format!(
        r#"{base}
[alerts]
interval = "1s"
rules = ["{}"]

[alerts.diagnosis]
growth_bytes = "32MiB"

[[channels.email]]
name = "operators"
host = "127.0.0.1"
port = {}
tls = "none"
from = "watchkeeper@example.org"
to = ["oncall@example.org"]
"#,
        rules.display(),
        smtp.port()
    ))
}

async fn mail_about(smtp: &Smtp, rule: &str) -> Result<Mail> {
    within(PATIENCE, &format!("a mail about {rule}"), || async {
        let mails = smtp.messages().await?;
        Ok(mails
            .into_iter()
            .find(|mail| mail.header("Subject").is_some_and(|subject| subject.contains(rule))))
    })
    .await
}

fn ensure_in(mail: &Mail, expected: &[&str]) -> Result<()> {
    let body = mail.body().replace("\r\n", "\n");
    for text in expected {
        ensure!(body.contains(text), "{text:?} is not in the mail:\n{body}");
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn scenario_a_process_that_grows_is_named_in_the_mail_with_its_growth() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let smtp = Smtp::start().await?;
    let base = "[processes]\ninterval = \"1s\"\n[[processes.groups]]\nname = \"growing\"\npattern = 'sys\\.stdin\\.readline'\n";
    let watchkeeper =
        Watchkeeper::start(binary(), folder.path(), &config(folder.path(), base, &smtp)?).await?;
    let mut growing = Command::new(testkit::python())
        .args(["-c", GROWING])
        .stdin(std::process::Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .context("starting a process that grows")?;
    let pid = growing.id().context("it runs")?.to_string();
    within(PATIENCE, "the process to be seen while it is small", || async {
        let query = "/prometheus/api/v1/query?query=process_resident_memory_bytes%7Bgroup%3D%22growing%22%7D%20%3E%2030000000";
        let answer = watchkeeper.get(query).await?.body;
        Ok(answer["data"]["result"].as_array().filter(|result| !result.is_empty()).map(drop))
    })
    .await?;
    drop(growing.stdin.take());

    let mail = mail_about(&smtp, "HighMemoryUsage").await?;
    ensure_in(&mail, &["Processes with the most memory", "10 min", "runbooks/high-memory.md"])?;
    let body = mail.body();
    let row = body.lines().find(|line| line.split_whitespace().nth(1) == Some(&pid)).unwrap_or_default();
    let gained: Vec<&str> =
        row.split_whitespace().filter(|cell| cell.starts_with('+') && cell.ends_with("MiB")).collect();
    ensure!(gained.len() == 2, "the process {pid} is not in a table with its growth: {row:?}\n{body}");
    ensure!(body.contains(&format!("({pid}) has gained +")), "{pid} is not said to grow:\n{body}");
    // Where it stands now, by hand: it is still worth a look.
    let found = within(PATIENCE, "its growth to be known", || async {
        let (code, printed) = watchkeeper.run(&["diagnose", "HighMemoryUsage", "--json"]).await?;
        let found: Value = serde_json::from_str(&printed).with_context(|| printed.clone())?;
        let row = found["checks"][0]["rows"][0].clone();
        let gained = row[4].as_str().unwrap_or_default();
        let grown = gained.starts_with('+') && gained.ends_with("MiB");
        Ok((code > 0 && row[1] == pid.as_str() && grown).then_some(found))
    })
    .await?;
    ensure!(found["checks"][0]["verdict"] != "fine", "{found}");
    growing.kill().await.context("ending it")?;
    Ok(())
}

/// The process id that the pipeline printed last for one of its parts.
fn pid_of(pipeline: &Launched, part: &str) -> Option<String> {
    let output = pipeline.output();
    let line = output.lines().rev().find(|line| line.starts_with(&format!("{part}: pid ")))?;
    Some(line.rsplit(' ').next()?.to_owned())
}

#[tokio::test(flavor = "multi_thread")]
async fn scenario_a_killed_worker_is_named_in_the_mail_and_a_stuck_task_is_cleared() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let redis = Redis::start().await?;
    let smtp = Smtp::start().await?;
    // Who killed it is what the kernel's log would say, which a host may keep from us.
    let base = docpipe_config(&redis.url())? + "\n[kernel_log]\npath = \"/nowhere/kmsg\"\n";
    let watchkeeper =
        Watchkeeper::start(binary(), folder.path(), &config(folder.path(), &base, &smtp)?).await?;
    let options = ["--llm-workers", "1", "--extraction-workers", "1", "--no-load", "--heartbeat", "1"];
    let mut pipeline = docpipe(folder.path(), &redis.url(), &watchkeeper, &options)?;
    let worker = within(PATIENCE, "a worker to report itself", || async {
        let workers = all(&watchkeeper, "/api/v1/workers").await?;
        let llm =
            workers.iter().filter_map(|worker| worker["worker_id"].as_str()).find(|id| id.contains("llm"));
        Ok(llm.map(str::to_owned))
    })
    .await
    .with_context(|| pipeline.output())?;
    let deploy = json!([{ "type": "deploy.finished", "event_id": "d1", "service": "llm-worker", "version": "2.0.1-broken" }]);
    ensure!(watchkeeper.post("/api/v1/events", &deploy).await?.status == 200, "the deployment is not taken");

    let pid =
        pid_of(&pipeline, &worker).with_context(|| format!("no pid of {worker}: {}", pipeline.output()))?;
    let exit = json!([{
        "type": "process.exited", "event_id": "x1", "name": "llm-worker", "cause": "signal", "signal": "SIGKILL",
        "host": "docs-1", "pid": pid.parse::<u64>()?, "worker_id": worker,
    }]);
    ensure!(watchkeeper.post("/api/v1/events", &exit).await?.status == 200, "the exit is not taken");
    let killed = Command::new("kill").args(["-9", &pid]).status().await.context("killing the worker")?;
    ensure!(killed.success(), "the worker {pid} could not be killed");
    let mail = mail_about(&smtp, "WorkerCrashes").await.with_context(|| pipeline.output())?;
    ensure_in(
        &mail,
        &["Workers", &worker, "worker crashed", "deployment", "2.0.1-broken", "runbooks/worker-crashes.md"],
    )?;
    // That none is known to be killed for want of memory says nothing where nobody could have known.
    ensure_in(
        &mail,
        &[
            "Processes killed for want of memory within 24 hours\n  look: the kernel's log is not read",
            "Processes that ended badly within 24 hours\n  look: 1 bad end within 24 hours",
            "SIGKILL",
        ],
    )?;

    clear_a_stuck_task(&watchkeeper, &redis).await?;
    pipeline.terminate().await?;
    Ok(())
}

/// A task that a worker took and never gave back, as Document Hub loses them.
async fn clear_a_stuck_task(watchkeeper: &Watchkeeper, redis: &Redis) -> Result<()> {
    let cli = |arguments: &'static [&'static str]| async move {
        let (code, printed) = watchkeeper.run(arguments).await?;
        ensure!(code == 0, "{arguments:?} ended with {code}: {printed}");
        Ok(printed)
    };
    let ask = |arguments: [&'static str; 3]| async move {
        let port = redis.port().to_string();
        let output = Command::new("redis-cli").args(["-p", &port]).args(arguments).output().await?;
        anyhow::Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
    };
    ask(["sadd", "llm_tasks:processing", "ghost"]).await?;
    within(PATIENCE, "the task to be seen", || async {
        let tasks = cli(&["queue", "tasks", "llm_tasks", "--state", "processing"]).await?;
        Ok(tasks.contains("ghost").then_some(()))
    })
    .await?;
    let refused = watchkeeper.run(&["queue", "requeue", "llm_tasks", "--id", "ghost", "--yes"]).await?;
    ensure!(refused.0 == 1 && refused.1.contains("bare ids"), "{refused:?}");
    let preview = cli(&["queue", "clear", "llm_tasks", "--id", "ghost"]).await?;
    ensure!(preview.contains("ghost") && preview.contains("nothing was done"), "{preview}");
    ensure!(ask(["sismember", "llm_tasks:processing", "ghost"]).await? == "1", "a preview changed something");
    let done = cli(&["queue", "clear", "llm_tasks", "--id", "ghost", "--yes"]).await?;
    ensure!(done.contains("1 task removed"), "{done}");
    ensure!(ask(["sismember", "llm_tasks:processing", "ghost"]).await? == "0", "the task is still there");
    let audit = watchkeeper.get("/api/v1/audit?action=queue.remove").await?.body;
    let entry = &audit["items"][0];
    ensure!(entry["target"] == "llm_tasks" && entry["detail"]["done"]["ids"] == json!(["ghost"]), "{audit}");
    Ok(())
}
