//! `watchkeeper snapshot`: the metrics file of seed 000, while the server comes and goes.

use std::path::Path;

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use testkit::{Launched, Watchkeeper, eventually};
use tokio::process::Command;

use crate::stage::binary;

fn lines(path: &Path) -> Result<Vec<Value>> {
    let text = std::fs::read_to_string(path).with_context(|| format!("reading {}", path.display()))?;
    ensure!(text.is_empty() || text.ends_with('\n'), "a torn line: {text:?}");
    text.lines().map(|line| serde_json::from_str(line).with_context(|| line.to_owned())).collect()
}

fn keys(value: &Value) -> Vec<&str> {
    let mut keys: Vec<&str> = value.as_object().into_iter().flatten().map(|(key, _)| key.as_str()).collect();
    keys.sort_unstable();
    keys
}

/// Jobs of a queue that only events tell of: one waits, one runs, one was completed, one failed.
async fn some_jobs(watchkeeper: &Watchkeeper) -> Result<()> {
    let mut events = Vec::new();
    for (job, steps) in [
        ("waits", &["job.submitted"][..]),
        ("runs", &["job.submitted", "job.started"]),
        ("well", &["job.submitted", "job.started", "job.completed"]),
        ("ill", &["job.submitted", "job.started", "job.failed"]),
    ] {
        for step in steps {
            events.push(json!({ "type": step, "event_id": format!("{job} {step}"), "job_id": job, "queue": "llm_tasks", "worker_id": "w" }));
        }
    }
    let answer = watchkeeper.post("/api/v1/events", &Value::Array(events)).await?;
    ensure!(answer.status == 200, "{answer:?}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn scenario_snapshots_go_on_while_the_server_comes_and_goes() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let config = "[host]\ninterval = \"1s\"\n[processes]\ninterval = \"1s\"\n[[processes.groups]]\nname = \"none\"\npattern = 'no such process'\n";
    let mut watchkeeper = Watchkeeper::start(binary(), folder.path(), config).await?;
    some_jobs(&watchkeeper).await?;

    // One line, with the fields of the seed and what really is.
    let line = eventually("the host's numbers", || async {
        let (code, printed) = watchkeeper.run(&["snapshot"]).await?;
        ensure!(code == 0 && printed.lines().count() == 1, "{code} {printed}");
        let line: Value = serde_json::from_str(&printed)?;
        Ok(Some(line).filter(|line| {
            line["resources"]["cpu_percent"].is_number() && line["queues"]["llm_tasks"]["pending"] == 1
        }))
    })
    .await?;
    ensure!(keys(&line) == ["queues", "resources", "timestamp"], "{line}");
    ensure!(keys(&line["resources"]) == ["active_jobs", "cpu_percent", "memory_mb"], "{line}");
    ensure!(line["resources"]["active_jobs"] == 1, "{line}");
    ensure!(
        line["resources"]["memory_mb"].as_f64().is_some_and(|used| used > 1.0),
        "no group runs: the host's {line}"
    );
    let queue =
        json!({ "pending": 1, "processing": 1, "delayed": 0, "dead": 0, "completed": 1, "failed": 1 });
    ensure!(line["queues"]["llm_tasks"] == queue, "{line}");
    let (_, own) = watchkeeper.run(&["snapshot", "--group", "watchkeeper"]).await?;
    let own: Value = serde_json::from_str(&own)?;
    ensure!(own["resources"]["memory_mb"].as_f64() < line["resources"]["memory_mb"].as_f64(), "{own} {line}");
    let (_, none) = watchkeeper.run(&["snapshot", "--group", "mistyped"]).await?;
    ensure!(none.contains("\"memory_mb\":null"), "{none}");

    // At an interval, into a file that bears a crash of the server.
    let (out, log) = (folder.path().join("metrics.jsonl"), folder.path().join("snapshot.log"));
    let mut command = Command::new(binary());
    command.args(["snapshot", "--every", "1s", "--url", &watchkeeper.url(""), "--data-dir"]);
    command.arg(watchkeeper.data_dir()).arg("--out").arg(&out).env_remove("WATCHKEEPER_KEY");
    let mut snapshots = Launched::start(&mut command, &log)?;
    eventually("two lines", || async { Ok((lines(&out)?.len() >= 2).then_some(())) }).await?;
    watchkeeper.kill().await?;
    eventually("a miss", || async {
        Ok(snapshots.output().contains("no snapshot (1 missed so far)").then_some(()))
    })
    .await?;
    let before = lines(&out)?.len();
    watchkeeper.start_again().await?;
    eventually("more lines", || async { Ok((lines(&out)?.len() > before).then_some(())) }).await?;
    // It is said after the line is written.
    eventually("what was missed", || async { Ok(snapshots.output().contains("back after").then_some(())) })
        .await?;
    let status = snapshots.terminate().await?;
    ensure!(
        status.code() == Some(0) && snapshots.output().contains("snapshots missed"),
        "{status} {}",
        snapshots.output()
    );
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn scenario_a_snapshot_that_cannot_be_had_says_why() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let nobody = format!("http://127.0.0.1:{}", testkit::free_port()?);
    let missing = folder.path().join("no/such/metrics.jsonl").display().to_string();
    let cases: [(&[&str], i32, &str); 5] = [
        (&[], 3, "cannot reach"),
        (&["--every", "0s"], 2, "at least 1s"),
        (&["--every", "1s", "--url", "nonsense"], 2, "nonsense"),
        (&["--every", "1s", "--out", &missing], 1, &missing),
        (&["--max-size", "1", "--out", "/dev/null"], 2, "--max-size"),
    ];
    for (arguments, code, expected) in cases {
        let mut command = Command::new(binary());
        command.args(["snapshot", "--key", "k"]).args(arguments).env("WATCHKEEPER_URL", &nobody);
        let output = command.output().await?;
        let said = String::from_utf8_lossy(&output.stderr);
        ensure!(output.status.code() == Some(code) && said.contains(expected), "{arguments:?} {output:?}");
    }
    Ok(())
}
