//! A process that the kernel kills for want of memory is told with its name, its memory and its time.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use testkit::{Watchkeeper, within};
use tokio::io::AsyncWriteExt;
use tokio::process::{Child, Command};

use crate::stage::{alert, all, binary, impatient_rules};

const PATIENCE: Duration = Duration::from_secs(90);

/// A process that waits for a line, and then takes memory without end.
const HUNGRY: &str =
    "import sys\nsys.stdin.readline()\nheld = []\nwhile True:\n    held.append(bytearray(1 << 20))\n";

/// How much the control group may hold: more than a Python needs to start, and little for the host.
const LIMIT: u64 = 64 << 20;

/// A control group with a limit on its memory; removed when dropped.
struct MemoryLimit {
    path: PathBuf,
}

impl MemoryLimit {
    /// Makes one; `Err` says why this host does not let us.
    fn make() -> Result<Self> {
        let first = Path::new("/sys/fs/cgroup/memory");
        let (root, files) = if first.is_dir() {
            (first, ["memory.limit_in_bytes", "memory.memsw.limit_in_bytes"])
        } else {
            (Path::new("/sys/fs/cgroup"), ["memory.max", "memory.swap.max"])
        };
        let path = root.join(format!("watchkeeper-test-{}", std::process::id()));
        std::fs::create_dir(&path).with_context(|| format!("making {}", path.display()))?;
        let limit = Self { path };
        let [memory, swap] = files.map(|file| limit.path.join(file));
        std::fs::write(&memory, LIMIT.to_string())
            .with_context(|| format!("writing {}", memory.display()))?;
        // A host that does not count swap has none of these files.
        let no_swap = if swap.ends_with("memory.swap.max") { 0 } else { LIMIT };
        let _ = std::fs::write(&swap, no_swap.to_string());
        Ok(limit)
    }
}

impl Drop for MemoryLimit {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir(&self.path);
    }
}

/// Starts a process within the limit.
fn hungry(folder: &Path, limit: &MemoryLimit) -> Result<Child> {
    let script = folder.join("hungry_worker.py");
    std::fs::write(&script, HUNGRY)?;
    let join = "echo $$ > \"$1/cgroup.procs\" && exec \"$2\" \"$3\"";
    Command::new("sh")
        .args(["-c", join, "sh"])
        .arg(&limit.path)
        .arg(testkit::python())
        .arg(&script)
        .stdin(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .context("starting a process")
}

fn config(folder: &Path) -> Result<String> {
    let rules = impatient_rules(folder, "1s")?;
    Ok(format!(
        r#"
[host]
interval = "1s"
name = "docs-1"

[processes]
interval = "1s"

[[processes.groups]]
name = "hungry"
pattern = 'hungry_worker'

[kernel_log]
interval = "200ms"

[pipeline]
interval = "1s"

[alerts]
interval = "1s"
rules = ["{}"]
"#,
        rules.display()
    ))
}

/// The rows of a check of an alert's evidence, as one text.
fn evidence(alert: &Value, check: &str) -> Option<String> {
    let checks = alert["evidence"].as_array()?;
    let found = checks.iter().find(|found| found["check"] == check)?;
    found["rows"].as_array().filter(|rows| !rows.is_empty()).map(|rows| json!(rows).to_string())
}

/// The alert, firing, with rows in this check of its evidence.
async fn firing_with(watchkeeper: &Watchkeeper, name: &str, check: &str) -> Result<String> {
    within(PATIENCE, "the alert with its evidence", || async {
        let Some(found) = alert(watchkeeper, name).await?.filter(|alert| alert["state"] == "firing") else {
            return Ok(None);
        };
        let id = found["id"].as_str().context("an alert without an id")?;
        let whole = watchkeeper.get(&format!("/api/v1/alerts/{id}")).await?.body;
        Ok(evidence(&whole, check))
    })
    .await
}

async fn kernel_log_is_read(watchkeeper: &Watchkeeper) -> Result<Option<String>> {
    within(PATIENCE, "the kernel's log to be looked at", || async {
        let collectors = all(watchkeeper, "/api/v1/collectors").await?;
        let found = collectors.into_iter().find(|collector| collector["name"] == "kernel_log");
        let found = found.context("no collector of the kernel's log")?;
        Ok((found["runs"].as_u64() > Some(0)).then(|| match found["up"] == true {
            true => None,
            false => Some(found["last_error"].to_string()),
        }))
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn scenario_a_process_that_the_kernel_kills_is_told_once_with_its_memory_and_fires_an_alert()
-> Result<()> {
    let folder = tempfile::tempdir()?;
    let mut watchkeeper = Watchkeeper::start(binary(), folder.path(), &config(folder.path())?).await?;
    if let Some(why) = kernel_log_is_read(&watchkeeper).await? {
        eprintln!("skipped: the kernel's log cannot be read here: {why}");
        return Ok(());
    }
    // Anybody who may write to the log can write the kernel's words, but not in the kernel's name.
    let fake = "Out of memory: Killed process 424242 (fake_worker) total-vm:9kB, anon-rss:9kB, file-rss:0kB, shmem-rss:0kB";
    if let Err(why) = std::fs::write("/dev/kmsg", fake) {
        eprintln!("not shown: nothing can be written to the kernel's log here: {why}");
    }
    let limit = match MemoryLimit::make() {
        Ok(limit) => limit,
        Err(why) => {
            eprintln!("skipped: no memory control group can be made here: {why:#}");
            return Ok(());
        }
    };
    let mut process = hungry(folder.path(), &limit)?;
    let pid = process.id().context("a process without an id")?;
    within(PATIENCE, "the process to be seen in its group", || async {
        let host = watchkeeper.get("/api/v1/hosts/docs-1").await?.body;
        let seen = host["processes"].as_array().is_some_and(|processes| {
            processes.iter().any(|process| process["pid"] == pid && process["group"] == "hungry")
        });
        Ok(seen.then_some(()))
    })
    .await?;
    process.stdin.as_mut().context("a closed input")?.write_all(b"eat\n").await?;
    let ended = tokio::time::timeout(PATIENCE, process.wait()).await.context("nothing killed it")??;
    ensure!(!ended.success(), "{ended}");

    let exits = within(PATIENCE, "the kill to be told", || async {
        let exits = all(&watchkeeper, "/api/v1/exits?cause=oom_kill&group=hungry").await?;
        Ok((!exits.is_empty()).then_some(exits))
    })
    .await?;
    let exit = &exits[0];
    ensure!(exit["pid"] == pid && exit["name"] == "hungry_worker.py" && exit["host"] == "docs-1", "{exit}");
    let memory = exit["memory_anon_bytes"].as_u64().context("no memory")?;
    ensure!((LIMIT / 4..=LIMIT).contains(&memory), "{exit}");
    ensure!(exit["cgroup"].as_str().is_some_and(|path| path.contains("watchkeeper-test-")), "{exit}");

    let shown = firing_with(&watchkeeper, "KernelKilledProcess", "oom_kills").await?;
    ensure!(shown.contains(&pid.to_string()) && shown.contains("hungry_worker.py"), "{shown}");

    // After a crash of ours the log is still there, and nothing of it is told twice.
    watchkeeper.kill().await?;
    watchkeeper.start_again().await?;
    ensure!(kernel_log_is_read(&watchkeeper).await?.is_none(), "the log is read again");
    let exits = all(&watchkeeper, "/api/v1/exits").await?;
    let told = exits.iter().filter(|exit| exit["pid"] == pid).count();
    ensure!(told == 1, "told {told} times: {exits:?}");
    ensure!(exits.iter().all(|exit| exit["name"] != "fake_worker"), "{exits:?}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn scenario_a_kill_on_another_host_that_is_reported_by_an_event_fires_the_alert() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let watchkeeper = Watchkeeper::start(binary(), folder.path(), &config(folder.path())?).await?;
    let event = json!([{
        "type": "process.exited", "event_id": "x-1", "name": "worker.py", "cause": "oom_kill", "host": "gpu-9",
        "pid": 4711, "group": "llm-workers", "memory_rss_bytes": 4_831_838_208_u64,
        "command": "worker.py redis://user:hunter2secret@127.0.0.1/0",
    }]);
    let answer = watchkeeper.post("/api/v1/events", &event).await?;
    ensure!(answer.status == 200, "{answer:?}");
    let answer = watchkeeper.post("/api/v1/events", &event).await?;
    ensure!(answer.status == 200, "{answer:?}");
    let exits = all(&watchkeeper, "/api/v1/exits?host=gpu-9").await?;
    ensure!(exits.len() == 1 && exits[0]["group"] == "llm-workers", "{exits:?}");
    ensure!(!exits[0].to_string().contains("hunter2secret"), "{exits:?}");
    let shown = firing_with(&watchkeeper, "KernelKilledProcess", "oom_kills").await?;
    ensure!(shown.contains("4711") && shown.contains("4.5GiB"), "{shown}");
    let told = alert(&watchkeeper, "KernelKilledProcess").await?.context("the alert")?;
    let description = told["annotations"]["description"].as_str().context("its description")?;
    ensure!(description.ends_with("no memory left for them: 1."), "words that hold for one: {description}");
    let wrong = watchkeeper.get("/api/v1/exits?cause=hunger").await?;
    ensure!(wrong.status == 400 && wrong.body["detail"].to_string().contains("oom_kill"), "{wrong:?}");
    Ok(())
}
