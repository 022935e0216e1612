//! `watchkeeper top` in a real terminal, beside a pipeline that works.

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use testkit::{Redis, Tmux, Watchkeeper, eventually};
use tokio::process::Command;

use crate::stage::{alert, binary, docpipe, docpipe_config, impatient_rules};

const RULE: &str = "groups:\n- name: g\n  rules:\n  - alert: Always\n    expr: vector(1)\n    labels: {severity: warning}\n    annotations: {summary: it is so}\n";

/// A server whose one rule always fires.
async fn watchkeeper(folder: &std::path::Path) -> Result<Watchkeeper> {
    let rules = folder.join("rules.yml");
    std::fs::write(&rules, RULE)?;
    let config = format!("[alerts]\ninterval = \"1s\"\nrules = [{:?}]\n", rules.display().to_string());
    Watchkeeper::start(binary(), folder, &config).await
}

/// Types the command; at the end the shell prints what its terminal is like.
async fn start_top(terminal: &Tmux, watchkeeper: &Watchkeeper, options: &str) -> Result<()> {
    let command = format!(
        "env -u WATCHKEEPER_KEY {} top --interval 300ms --url {} --data-dir {} {options}; echo ended $?; stty -a | tr ' ' '\\n' | grep -x -e icanon -e echo",
        binary().display(),
        watchkeeper.url(""),
        watchkeeper.data_dir().display()
    );
    terminal.until("a prompt", |screen| screen.contains("ready>")).await?;
    terminal.type_text(&command).await?;
    terminal.press(&["Enter"]).await?;
    terminal.until("the dashboard", |screen| screen.contains("● live") || screen.contains("# live")).await?;
    Ok(())
}

/// The shell is back, and its terminal is as a shell wants it.
async fn ended(terminal: &Tmux, code: u8) -> Result<()> {
    let wanted = format!("ended {code}\nicanon\necho");
    terminal
        .until("a terminal as it was", |screen| screen.contains(&wanted) && !screen.contains("Recent errors"))
        .await?;
    Ok(())
}

async fn post(watchkeeper: &Watchkeeper, events: &Value) -> Result<()> {
    let answer = watchkeeper.post("/api/v1/events", events).await?;
    ensure!(answer.status == 200, "{answer:?}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn scenario_a_person_at_a_terminal_sees_the_pipeline_and_takes_an_alert_on() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let redis = Redis::start().await?;
    let rules = impatient_rules(folder.path(), "1s")?;
    let config = format!(
        "{}\n[alerts]\ninterval = \"1s\"\nrules = [{:?}]\n",
        docpipe_config(&redis.url())?,
        rules.display().to_string()
    );
    let watchkeeper = Watchkeeper::start(binary(), folder.path(), &config).await?;
    let terminal = Tmux::start(80, 24).await?;
    start_top(&terminal, &watchkeeper, "").await?;
    // No worker for the LLM: its queue grows.
    let options = [
        "--llm-workers",
        "0",
        "--extraction-workers",
        "1",
        "--rate",
        "40",
        "--count",
        "30",
        "--fail-rate",
        "0",
    ];
    let _pipeline = docpipe(folder.path(), &redis.url(), &watchkeeper, &options)?;

    let screen = terminal
        .until("queues, workers, groups of processes and an alert", |screen| {
            ["llm_tasks", "extraction-1", "online", "· extraction", "QueueLong"]
                .iter()
                .all(|text| screen.contains(text))
        })
        .await?;
    ensure!(screen.lines().all(|line| line.chars().count() <= 80), "{screen}");
    ensure!(terminal.coloured_screen().await?.contains("\u{1b}["), "there are colours");

    // Find the alert, look at its evidence, take it on.
    terminal.type_text("/QueueLong").await?;
    terminal.press(&["Enter"]).await?;
    terminal.type_text("44").await?;
    terminal
        .until("the panel alone", |screen| screen.contains("SUMMARY") && !screen.contains("Workers"))
        .await?;
    terminal.press(&["Enter"]).await?;
    terminal.until("the evidence", |screen| screen.contains("Tasks that are taken next")).await?;
    terminal.type_text("a").await?;
    terminal.type_text("looking at it").await?;
    terminal.press(&["Enter"]).await?;
    let taken = eventually("the alert to be taken on", || async {
        let known = alert(&watchkeeper, "QueueLong").await?;
        Ok(known.filter(|alert| alert["acknowledged"]["note"] == "looking at it"))
    })
    .await?;
    ensure!(taken["state"] == "acknowledged", "{taken}");
    terminal.until("to see who has it", |screen| screen.contains("acknowledged")).await?;

    terminal.press(&["q"]).await?;
    ended(&terminal, 0).await
}

#[tokio::test(flavor = "multi_thread")]
async fn scenario_a_terminal_of_any_size_is_borne_and_given_back() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let watchkeeper = watchkeeper(folder.path()).await?;
    let terminal = Tmux::start(80, 24).await?;
    start_top(&terminal, &watchkeeper, "").await?;
    terminal.until("an alert", |screen| screen.contains("Always")).await?;

    for (columns, rows) in [(20, 5), (1, 1), (2, 3), (300, 60), (50, 10)] {
        terminal.resize(columns, rows).await?;
    }
    terminal
        .until("one panel", |screen| screen.contains("1 Queues") && !screen.contains("2 Workers"))
        .await?;
    terminal.resize(120, 40).await?;
    terminal
        .until("six panels", |screen| screen.contains("1 Queues") && screen.contains("6 Recent errors"))
        .await?;
    terminal.resize(100, 24).await?;

    // The shell stops it and lets it go on.
    terminal.press(&["C-z"]).await?;
    terminal.until("the shell", |screen| screen.contains("Stopped") && !screen.contains("Always")).await?;
    terminal.type_text("fg").await?;
    terminal.press(&["Enter"]).await?;
    terminal
        .until("the dashboard again", |screen| screen.contains("● live") && screen.contains("Always"))
        .await?;
    terminal.press(&["C-c"]).await?;
    terminal
        .until("the shell again", |screen| screen.contains("ready>") && !screen.contains("Always"))
        .await?;
    terminal.press(&["C-l"]).await?;

    // And a signal ends it as well as a key.
    start_top(&terminal, &watchkeeper, "").await?;
    let found = Command::new("pgrep")
        .arg("-f")
        .arg(format!("top --interval 300ms --url {}", watchkeeper.url("")))
        .output()
        .await?;
    let pids = String::from_utf8(found.stdout)?;
    let status = Command::new("kill").args(pids.split_whitespace()).status().await?;
    ensure!(status.success(), "no such process: {pids}");
    ended(&terminal, 0).await
}

#[tokio::test(flavor = "multi_thread")]
async fn scenario_a_dashboard_outlives_the_server_and_obeys_no_job() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let mut watchkeeper = watchkeeper(folder.path()).await?;
    let hostile = "\u{1b}[2J\u{1b}[1;1HPWNED\u{1b}]0;title\u{7}";
    let events = json!([
        { "type": "job.submitted", "event_id": "t1", "job_id": "hostile", "queue": "llm" },
        { "type": "job.failed", "event_id": "t2", "job_id": "hostile", "queue": "llm", "error_type": "Odd", "error": hostile },
    ]);
    post(&watchkeeper, &events).await?;
    let terminal = Tmux::start(110, 30).await?;
    start_top(&terminal, &watchkeeper, "--ascii --no-color").await?;
    let screen = terminal.until("the error", |screen| screen.contains("Odd: ?[2J?[1;1HPWNED")).await?;
    ensure!(screen.starts_with(" Watchkeeper") && screen.is_ascii(), "{screen}");
    // 39 and 49 are the terminal's own colours.
    let coloured = terminal.coloured_screen().await?.replace("\u{1b}[39m", "");
    ensure!(!["\u{1b}[3", "\u{1b}[9"].iter().any(|colour| coloured.contains(colour)), "{coloured:?}");

    watchkeeper.kill().await?;
    let away = terminal.until("that nothing answers", |screen| screen.contains("no answer since")).await?;
    ensure!(away.contains("PWNED"), "the last picture stays: {away}");
    // A new start has another token; the dashboard finds it.
    watchkeeper.start_again().await?;
    terminal.until("it to be back", |screen| screen.contains("# live") && screen.contains("hostile")).await?;
    terminal.press(&["q"]).await?;
    ended(&terminal, 0).await
}

#[tokio::test(flavor = "multi_thread")]
async fn scenario_one_picture_is_printed_where_there_is_no_terminal() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let watchkeeper = watchkeeper(folder.path()).await?;
    let (code, printed) = watchkeeper.run(&["top"]).await?;
    ensure!(
        code == 2 && printed.contains("not a terminal") && printed.contains("--once"),
        "{code} {printed}"
    );
    let once = |columns: &str| {
        let mut command = Command::new(binary());
        command
            .args(["top", "--once", "--url", &watchkeeper.url(""), "--data-dir"])
            .arg(watchkeeper.data_dir());
        command.env("COLUMNS", columns).env("LC_ALL", "C.UTF-8").env_remove("WATCHKEEPER_KEY");
        async move {
            let output = command.output().await.context("running top")?;
            ensure!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
            Ok(String::from_utf8(output.stdout)?)
        }
    };
    let printed = eventually("the alert", || async {
        Ok(Some(once("").await?).filter(|printed| printed.contains("Always")))
    })
    .await?;
    for expected in ["Watchkeeper", "1 Queues", "4 Alerts", "6 Recent errors", "firing"] {
        ensure!(printed.contains(expected), "{expected} in {printed}");
    }
    ensure!(!printed.contains('\u{1b}'), "{printed:?}");
    let width = |text: &str| text.lines().map(|line| line.chars().count()).max().unwrap_or(0);
    ensure!(width(&printed) == 80 && width(&once("132").await?) == 132, "{printed}");
    ensure!(width(&once("1").await?) == 1 && width(&once("many").await?) == 80);
    let nobody = format!("http://127.0.0.1:{}", testkit::free_port()?);
    ensure!(watchkeeper.run(&["top", "--once", "--key", "wk_unknown"]).await?.0 == 3);
    let output =
        Command::new(binary()).args(["top", "--once", "--key", "k", "--url", &nobody]).output().await?;
    ensure!(output.status.code() == Some(3), "{output:?}");
    for wrong in [["--interval", "0s"], ["--url", "nonsense"]] {
        let output =
            Command::new(binary()).args(["top", "--once", "--key", "k"]).args(wrong).output().await?;
        ensure!(output.status.code() == Some(2), "{wrong:?} {output:?}");
    }
    Ok(())
}
