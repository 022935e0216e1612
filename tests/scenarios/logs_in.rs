//! Logs come in by syslog and as to Loki, are kept over a restart, and a pushed request that is sent again is there once.

use anyhow::{Context, Result, ensure};
use model::Timestamp;
use serde_json::{Value, json};
use testkit::{Watchkeeper, eventually, free_port};
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
