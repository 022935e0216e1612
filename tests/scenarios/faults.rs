//! What goes wrong around Watchkeeper is said, harms nothing else, and mends by itself.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};
use testkit::{Redis, Smtp, Watchkeeper, remote_write, within};

use crate::stage::{alert, all, binary, impatient_rules};

const PATIENCE: Duration = Duration::from_secs(60);

/// The status of the collector that watches Redis.
async fn redis_collector(watchkeeper: &Watchkeeper) -> Result<Value> {
    let collectors = all(watchkeeper, "/api/v1/collectors").await?;
    let found = collectors.iter().find(|collector| collector["name"] == "redis").cloned();
    found.with_context(|| format!("no collector for redis: {collectors:?}"))
}

#[tokio::test(flavor = "multi_thread")]
async fn scenario_a_redis_that_goes_away_is_announced_once_mail_works_and_comes_back_by_itself() -> Result<()>
{
    let folder = tempfile::tempdir()?;
    let redis = Redis::start().await?;
    let smtp_port = testkit::free_port()?;
    let rules = impatient_rules(folder.path(), "1s")?;
    let config = format!(
        r#"
[[redis]]
name = "broker"
url = "{}"
interval = "1s"

[[redis.queues]]
name = "work"
pending = {{ key = "work", type = "list" }}

[alerts]
interval = "1s"
rules = ["{}"]

[[channels.email]]
name = "operators"
host = "127.0.0.1"
port = {smtp_port}
tls = "none"
from = "watchkeeper@example.org"
to = ["oncall@example.org"]
"#,
        redis.url(),
        rules.display()
    );
    let watchkeeper = Watchkeeper::start(binary(), folder.path(), &config).await?;
    within(PATIENCE, "the collector to be up", || async {
        Ok((redis_collector(&watchkeeper).await?["up"] == true).then_some(()))
    })
    .await?;

    let port = redis.stop().await?;
    let down = within(PATIENCE, "the collector to say that redis is down", || async {
        Ok(Some(redis_collector(&watchkeeper).await?).filter(|collector| collector["up"] == false))
    })
    .await?;
    let said = down["last_error"].to_string();
    ensure!(said.contains(&port.to_string()), "the error does not say where: {said}");
    within(
        PATIENCE,
        "an alert about the collector, and the channel to say that its server is down",
        || async {
            let fired = alert(&watchkeeper, "RedisDown").await?.filter(|alert| alert["state"] == "firing");
            let channels = all(&watchkeeper, "/api/v1/channels").await?;
            let failing =
                channels.iter().any(|channel| channel["up"] == false && channel["last_error"].is_string());
            Ok((fired.is_some() && failing).then_some(()))
        },
    )
    .await?;
    let host = within(PATIENCE, "the other collectors to go on", || async {
        let collectors = all(&watchkeeper, "/api/v1/collectors").await?;
        Ok(collectors.into_iter().find(|collector| collector["name"] == "host" && collector["up"] == true))
    })
    .await?;
    ensure!(host["last_error"].is_null(), "{host}");

    let smtp = Smtp::start_on(smtp_port).await?;
    within(Duration::from_secs(120), "the mail that had to wait", || async {
        let mails = smtp.messages().await?;
        Ok(mails.into_iter().find(|mail| mail.header("Subject").is_some_and(|s| s.contains("RedisDown"))))
    })
    .await?;
    let _redis = Redis::start_on(port).await?;
    within(PATIENCE, "the collector to be up again, and the alert resolved", || async {
        let up = redis_collector(&watchkeeper).await?["up"] == true;
        let state = alert(&watchkeeper, "RedisDown").await?.map(|alert| alert["state"].clone());
        Ok((up && state.is_none_or(|state| state == "resolved")).then_some(()))
    })
    .await?;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn scenario_a_corrupt_file_is_set_aside_and_queries_go_on_without_it() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let rules = impatient_rules(folder.path(), "1s")?;
    let config = format!(
        "[store]\nhead_max_age = \"1s\"\n[alerts]\ninterval = \"1s\"\nrules = [\"{}\"]\n",
        rules.display()
    );
    let mut watchkeeper = Watchkeeper::start(binary(), folder.path(), &config).await?;
    let job = |id: &str| json!([{"type": "job.completed", "event_id": id, "job_id": id}]);
    ensure!(watchkeeper.post("/api/v1/events", &job("first")).await?.status == 200);
    let data = watchkeeper.data_dir();
    let file = within(PATIENCE, "a file with the events", || {
        let data = data.clone();
        async move { Ok(find_file(&data, "job_events")) }
    })
    .await?;
    watchkeeper.terminate().await?;
    let length = std::fs::metadata(&file)?.len();
    std::fs::write(&file, vec![0xa5; usize::try_from(length)?])?;

    watchkeeper.start_again().await?;
    ensure!(watchkeeper.post("/api/v1/events", &job("second")).await?.status == 200);
    let second = watchkeeper.get("/api/v1/jobs/second").await?;
    ensure!(second.status == 200, "{} {}", second.status, second.body);
    let first = watchkeeper.get("/api/v1/jobs/first").await?;
    ensure!(first.status == 404, "what was in the file is gone: {} {}", first.status, first.body);
    within(PATIENCE, "an alert about the file", || async {
        Ok(alert(&watchkeeper, "FileQuarantined").await?.filter(|alert| alert["state"] == "firing"))
    })
    .await?;
    Ok(())
}

/// A Parquet file below `folder` whose path holds `part`.
fn find_file(folder: &std::path::Path, part: &str) -> Option<std::path::PathBuf> {
    let entries = std::fs::read_dir(folder).ok()?;
    entries.filter_map(|entry| Some(entry.ok()?.path())).find_map(|path| {
        if path.is_dir() {
            find_file(&path, part)
        } else {
            let shown = path.to_string_lossy();
            (shown.contains(part) && shown.ends_with(".parquet")).then_some(path)
        }
    })
}

#[tokio::test(flavor = "multi_thread")]
async fn scenario_a_disk_that_is_nearly_full_refuses_what_comes_and_answers_what_is_asked() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let mut watchkeeper = Watchkeeper::start(binary(), folder.path(), "").await?;
    let job = |id: &str| json!([{"type": "job.completed", "event_id": id, "job_id": id}]);
    ensure!(watchkeeper.post("/api/v1/events", &job("before")).await?.status == 200);
    watchkeeper.terminate().await?;

    // No disk has as much as this in reserve.
    let full = "[store]\ndisk_reserve_bytes = \"4000TiB\"\n";
    let watchkeeper = Watchkeeper::start(binary(), folder.path(), full).await?;
    let refused = watchkeeper.post("/api/v1/events", &job("after")).await?;
    ensure!(refused.status == 503, "{} {}", refused.status, refused.body);
    ensure!(
        refused.body["detail"].as_str().is_some_and(|detail| detail.contains("disk")),
        "{}",
        refused.body
    );
    ensure!(watchkeeper.get("/api/v1/jobs/before").await?.status == 200, "reading goes on");
    ensure!(watchkeeper.get("/prometheus/api/v1/query?query=1").await?.status == 200, "queries go on");
    let samples = remote_write(&[(&[("__name__", "a")], &[(model::Timestamp::now().as_millis(), 1.0)])]);
    let headers = [("Content-Encoding", "snappy"), ("Content-Type", "application/x-protobuf")];
    let refused = watchkeeper.post_bytes("/prometheus/api/v1/write", &headers, samples).await?;
    ensure!(refused.status == 503, "{} {}", refused.status, refused.body);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn scenario_bad_input_gets_an_answer_that_says_what_to_do() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let watchkeeper = Watchkeeper::start(binary(), folder.path(), "").await?;
    let now = model::Timestamp::now();
    let events = json!([
        {"type": "job.completed", "job_id": "fine"},
        {"type": "job.exploded", "job_id": "unknown type"},
        {"type": "job.started"},
        {"type": "job.started", "job_id": "later", "time": now.after(Duration::from_secs(1200)).to_string()},
        {"type": "job.started", "job_id": "earlier", "time": "2001-01-01T00:00:00Z"},
    ]);
    let answer = watchkeeper.post("/api/v1/events", &events).await?;
    ensure!(answer.status == 200 && answer.body["accepted"] == 1, "{} {}", answer.status, answer.body);
    let rejected: Vec<_> =
        answer.body["rejected"].as_array().context("rejected")?.iter().map(|r| r["index"].clone()).collect();
    ensure!(rejected == [1, 2, 3, 4], "{}", answer.body);

    let huge = watchkeeper.post_bytes("/api/v1/events", &[], vec![b' '; 64 << 20]).await;
    ensure!(huge.as_ref().is_ok_and(|answer| answer.status == 413), "{huge:?}");
    let stranger = watchkeeper
        .post_bytes(
            "/api/v1/login",
            &[("Content-Type", "application/json")],
            br#"{"username":"admin","password":"a wrong password"}"#.to_vec(),
        )
        .await?;
    ensure!(stranger.status == 401, "{} {}", stranger.status, stranger.body);
    let audited = all(&watchkeeper, "/api/v1/audit").await?;
    ensure!(
        audited.iter().any(|entry| entry["action"] == "login" && entry["outcome"] == "denied"),
        "{audited:?}"
    );

    let wrong = tempfile::tempdir()?;
    std::fs::write(wrong.path().join("wrong.toml"), "[server]\nlistne = \"127.0.0.1:1\"\n")?;
    let output = tokio::process::Command::new(binary())
        .args(["serve", "--config"])
        .arg(wrong.path().join("wrong.toml"))
        .output()
        .await?;
    let said = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.code() == Some(2), "{:?} {said}", output.status);
    ensure!(said.contains("wrong.toml:2") && said.contains("listne") && said.contains("listen"), "{said}");
    Ok(())
}
