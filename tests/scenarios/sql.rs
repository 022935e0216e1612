//! SQL from the command line: against a server, and against what one has left.

use anyhow::{Context as _, Result, ensure};
use serde_json::{Value, json};
use testkit::Watchkeeper;
use tokio::process::Command;

use crate::export::python;
use crate::stage::binary;

async fn fill(watchkeeper: &Watchkeeper) -> Result<()> {
    let events: Vec<Value> = (0..12)
        .map(|number| {
            json!({ "type": "request.finished", "event_id": format!("e{number}"), "path": format!("/p/{}", number % 3),
                    "method": "GET", "status_code": 200, "duration_seconds": 0.5, "attributes": { "note": "a,\"b\"\n" } })
        })
        .collect();
    let taken = watchkeeper.post("/api/v1/events", &json!(events)).await?;
    ensure!(taken.status == 200, "{taken:?}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn scenario_statements_are_answered_by_the_server_and_by_what_it_has_left() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let mut watchkeeper = Watchkeeper::start(binary(), folder.path(), "").await?;
    fill(&watchkeeper).await?;
    let statement = "SELECT path, count(*) AS n FROM requests GROUP BY path ORDER BY path";

    let (code, printed) = watchkeeper.run(&["sql", statement]).await?;
    ensure!(code == 0 && printed.contains("/p/1") && printed.contains("(3 rows)"), "{code} {printed}");
    let (code, printed) = watchkeeper.run(&["sql", "SELECT path FROM requests", "--limit", "2"]).await?;
    ensure!(code == 0 && printed.contains("(2 rows)") && printed.contains("--limit"), "{code} {printed}");
    let (code, printed) = watchkeeper.run(&["sql", statement, "--json"]).await?;
    let answer: Value = serde_json::from_str(&printed).with_context(|| printed.clone())?;
    ensure!(code == 0 && answer["rows"][0] == json!(["/p/0", 4]), "{answer}");
    let (code, printed) = watchkeeper.run(&["sql", statement, "--format", "csv"]).await?;
    ensure!(code == 0 && printed == "path,n\n/p/0,4\n/p/1,4\n/p/2,4\n", "{printed}");

    let (code, printed) = watchkeeper.run(&["sql", "SELECT pth\nFROM requests"]).await?;
    ensure!(code == 1 && printed.contains("`path`") && printed.contains("SELECT pth\n"), "{code} {printed}");
    ensure!(printed.lines().any(|line| line.trim() == "^"), "the place is marked: {printed}");
    let (code, printed) = watchkeeper.run(&["sql", "DROP TABLE requests"]).await?;
    ensure!(code == 1 && printed.contains("Only statements that read"), "{code} {printed}");

    let (code, printed) = watchkeeper.run(&["sql", "--schema"]).await?;
    ensure!(code == 0 && printed.contains("samples") && printed.contains("spans"), "{code} {printed}");
    let (code, printed) = watchkeeper.run(&["sql", "--schema", "requests"]).await?;
    ensure!(code == 0 && printed.contains("duration_seconds"), "{code} {printed}");
    let (code, _) = watchkeeper.run(&["sql", "--schema", "request"]).await?;
    ensure!(code == 2, "{code}");

    // A file that other programs open, from a statement in a file.
    let (source, parquet) = (folder.path().join("all.sql"), folder.path().join("all.parquet"));
    std::fs::write(&source, "SELECT * FROM requests\nORDER BY event_id\n")?;
    let (source, parquet) = (source.to_str().context("a path")?, parquet.to_str().context("a path")?);
    let (code, printed) = watchkeeper.run(&["sql", "--file", source, "--out", parquet]).await?;
    ensure!(code == 0, "{code} {printed}");
    let opened = python(&[parquet]).await?;
    ensure!(opened["duckdb"].as_array().is_some_and(|rows| rows.len() == 12), "{opened}");
    let (code, printed) = watchkeeper.run(&["sql", "SELECT 1", "--out", parquet]).await?;
    ensure!(code == 2 && printed.contains("--force"), "{code} {printed}");

    // Without a server, from what a crash has left.
    watchkeeper.kill().await?;
    let output = Command::new(binary())
        .args(["sql", statement, "--format", "csv", "--data-dir"])
        .arg(watchkeeper.data_dir())
        .env_remove("WATCHKEEPER_URL")
        .output()
        .await?;
    let printed = String::from_utf8(output.stdout)?;
    ensure!(printed == "path,n\n/p/0,4\n/p/1,4\n/p/2,4\n", "{printed} {:?}", output.stderr);
    Ok(())
}
