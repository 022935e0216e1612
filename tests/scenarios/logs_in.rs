//! Logs come in by syslog and as to Loki, are kept over a restart, and a pushed request that is sent again is there once;
//! they are searched and followed from the command line.

use anyhow::{Context, Result, ensure};
use model::Timestamp;
use serde_json::{Value, json};
use testkit::{Watchkeeper, eventually, free_port};
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::Command;

use crate::stage::binary;

/// The messages of all records that are stored, sorted.
async fn stored(watchkeeper: &Watchkeeper, folder: &std::path::Path) -> Result<Vec<String>> {
    let file = folder.join("logs.ndjson");
    let name = file.to_str().context("a path of UTF-8")?;
    let (code, printed) = watchkeeper.run(&["export", "logs", "-o", name, "--force"]).await?;
    ensure!(code == 0, "{code} {printed}");
    let text = std::fs::read_to_string(&file).context("reading the export")?;
    let rows: Vec<Value> = text.lines().map(serde_json::from_str).collect::<Result<_, _>>()?;
    let mut all: Vec<String> =
        rows.iter().filter_map(|row| Some(row["message"].as_str()?.to_owned())).collect();
    all.sort();
    Ok(all)
}

async fn push(watchkeeper: &Watchkeeper, body: &Value) -> Result<()> {
    let (path, headers) = ("/loki/api/v1/push", [("Content-Type", "application/json")]);
    let answer = watchkeeper.post_bytes(path, &headers, body.to_string().into_bytes()).await?;
    ensure!(answer.status == 204, "{answer:?}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn scenario_logs_come_in_by_syslog_and_as_to_loki_and_outlast_a_restart() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let port = free_port()?;
    let config = format!("[syslog]\nudp = \"127.0.0.1:{port}\"\ntcp = \"127.0.0.1:{port}\"\n");
    let mut watchkeeper = Watchkeeper::start(binary(), folder.path(), &config).await?;
    for (transport, text) in [("--udp", "over udp"), ("--tcp", "over tcp")] {
        let sent = Command::new("logger")
            .args(["--server", "127.0.0.1", "--port", &port.to_string(), transport, "--rfc5424", text])
            .status()
            .await
            .context("logger: apt-get install bsdutils")?;
        ensure!(sent.success(), "{transport}");
    }
    let now = Timestamp::now().as_nanos().to_string();
    let body =
        json!({ "streams": [{ "stream": { "app": "ocr" }, "values": [[now, "pushed"], [now, "pushed"]] }] });
    for _ in 0..2 {
        push(&watchkeeper, &body).await?;
    }
    let expected = ["over tcp", "over udp", "pushed", "pushed"];
    eventually("all four lines", || async {
        let found = stored(&watchkeeper, folder.path()).await?;
        Ok((found == expected).then_some(()))
    })
    .await?;
    watchkeeper.terminate().await?;
    watchkeeper.start_again().await?;
    push(&watchkeeper, &body).await?;
    let found = stored(&watchkeeper, folder.path()).await?;
    ensure!(found == expected, "{found:?}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn scenario_logs_are_searched_and_followed_from_the_command_line() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let watchkeeper = Watchkeeper::start(binary(), folder.path(), "").await?;
    let mut tail = Command::new(binary())
        .args(["logs", "tail", "timeout", "--json", "--url", &watchkeeper.url(""), "--data-dir"])
        .arg(watchkeeper.data_dir())
        .env_remove("WATCHKEEPER_KEY")
        .stdout(std::process::Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .context("starting the tail")?;
    eventually("the tail is open", || async {
        let metrics = watchkeeper.text("/metrics").await?;
        Ok(metrics.contains("watchkeeper_log_tails 1\n").then_some(()))
    })
    .await?;
    let now = Timestamp::now().as_nanos();
    let lines = ["first timeout", "fine", "second timeout"];
    let values: Vec<Value> =
        (0..).zip(lines).map(|(number, line)| json!([(now + number).to_string(), line])).collect();
    push(&watchkeeper, &json!({ "streams": [{ "stream": { "app": "ocr" }, "values": values }] })).await?;
    let mut followed = BufReader::new(tail.stdout.take().context("its output")?).lines();
    for expected in ["first timeout", "second timeout"] {
        let line = followed.next_line().await?.context("it goes on")?;
        let record: Value = serde_json::from_str(&line).with_context(|| line.clone())?;
        ensure!(record["message"] == expected, "{record}");
    }
    tail.kill().await?;

    let (code, printed) = watchkeeper.run(&["logs", "search", "service:ocr timeout", "--from", "1h"]).await?;
    let places = ["first timeout", "second timeout"].map(|text| printed.find(text));
    ensure!(code == 0 && places[0].is_some() && places[0] < places[1], "{code} {printed}");
    ensure!(!printed.contains("fine"), "{printed}");
    let (code, printed) = watchkeeper.run(&["logs", "search", "--limit", "2", "--json"]).await?;
    let records: Vec<Value> = printed.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
    ensure!(code == 0 && records.len() == 2 && printed.contains("note: there are older ones"), "{printed}");
    let (code, printed) = watchkeeper.run(&["logs", "search", "level:eror"]).await?;
    ensure!(code == 1 && printed.contains("error:"), "{code} {printed}");
    let (code, printed) = watchkeeper.run(&["logs", "search", "--from", "yesterday"]).await?;
    ensure!(code == 2 && printed.contains("--from"), "{code} {printed}");
    Ok(())
}
