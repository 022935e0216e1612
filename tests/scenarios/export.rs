//! Exported files, opened by the programs that people open them with.

use std::collections::BTreeSet;
use std::path::Path;

use anyhow::{Context, Result, ensure};
use model::Timestamp;
use serde_json::{Value, json};
use testkit::Watchkeeper;
use tokio::process::Command;

use crate::stage::{binary, root};

/// Label values and texts that break what is not written with care.
const HOSTILE: [&str; 6] = [
    "a,b;c\td",
    "two\nlines\r\nthree",
    "\"quoted\" 'it' \\ back",
    "=SUM(A1:A9)",
    "žluťoučký 🐎 \u{202e}x",
    "NULL",
];

/// What a program of Python sees in a file.
async fn opened(path: &Path) -> Result<Value> {
    python(&[path.to_str().context("a path of UTF-8")?]).await
}

pub(crate) async fn python(arguments: &[&str]) -> Result<Value> {
    let output = Command::new(testkit::python())
        .arg(root().join("tests/scenarios/opens.py"))
        .args(arguments)
        .output()
        .await
        .context("running Python")?;
    ensure!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    Ok(serde_json::from_slice(&output.stdout)?)
}

fn texts(rows: &Value, column: &str) -> BTreeSet<String> {
    let rows = rows.as_array().map(Vec::as_slice).unwrap_or_default();
    let texts = rows.iter().filter_map(|row| row[column].as_str());
    // What pandas has for nothing.
    texts.filter(|text| *text != "nan").map(str::to_owned).collect()
}

/// Exports to a file, and gives what both programs see in it.
async fn export(watchkeeper: &Watchkeeper, what: &str, path: &Path, more: &[&str]) -> Result<(Value, Value)> {
    let file = path.to_str().context("a path of UTF-8")?;
    let mut arguments = vec!["export", what, "-o", file, "--json"];
    arguments.extend(more);
    let (code, printed) = watchkeeper.run(&arguments).await?;
    ensure!(code == 0, "{code} {printed}");
    Ok((serde_json::from_str(&printed).with_context(|| printed.clone())?, opened(path).await?))
}

async fn fill(watchkeeper: &Watchkeeper) -> Result<()> {
    let events: Vec<Value> = HOSTILE
        .iter()
        .enumerate()
        .map(|(number, text)| {
            json!({ "type": "request.finished", "event_id": format!("e{number}"), "path": text, "method": "GET",
                    "status_code": 200 + number, "duration_seconds": 0.25, "attributes": { "note": text } })
        })
        .collect();
    let taken = watchkeeper.post("/api/v1/events", &json!(events)).await?;
    ensure!(taken.status == 200, "{taken:?}");
    let now = Timestamp::now().as_millis();
    for (number, text) in HOSTILE.iter().enumerate() {
        let labels = [("__name__", "http_busy"), ("job", "api"), ("name", text)];
        let samples = [(now - 1_000, number as f64), (now - 500, f64::INFINITY), (now, f64::NAN)];
        let body = testkit::remote_write(&[(&labels, &samples)]);
        let headers = [
            ("content-encoding", "snappy"),
            ("content-type", "application/x-protobuf"),
            ("x-prometheus-remote-write-version", "0.1.0"),
        ];
        let sent = watchkeeper.post_bytes("/prometheus/api/v1/write", &headers, body).await?;
        ensure!(sent.status < 300, "{sent:?}");
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn scenario_exported_files_open_in_duckdb_and_pandas_with_everything_in_them() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let mut watchkeeper = Watchkeeper::start(binary(), folder.path(), "").await?;
    fill(&watchkeeper).await?;
    let out = folder.path().join("out");
    std::fs::create_dir(&out)?;
    let hostile: BTreeSet<String> = HOSTILE.iter().map(|text| (*text).to_owned()).collect();
    for extension in ["parquet", "csv", "ndjson"] {
        let (summary, both) =
            export(&watchkeeper, "requests", &out.join(format!("requests.{extension}")), &["--from", "1h"])
                .await?;
        ensure!(summary["rows"] == 6 && summary["format"] == extension, "{summary}");
        let selector = "{__name__=~\"http_.*\",job=\"api\"}";
        let (summary, points) =
            export(&watchkeeper, selector, &out.join(format!("points.{extension}")), &[]).await?;
        ensure!(summary["rows"] == 18, "{summary}");
        for program in ["duckdb", "pandas"] {
            let rows = &both[program];
            // pandas takes the text NULL of a CSV for nothing, unless it is told otherwise.
            let known = |texts: BTreeSet<String>| match (program, extension) {
                ("pandas", "csv") => texts.len() == 5 && texts.is_subset(&hostile),
                _ => texts == hostile,
            };
            ensure!(known(texts(rows, "path")), "{program} {extension}: {rows}");
            ensure!(rows.as_array().is_some_and(|rows| rows.len() == 6), "{program} {extension}: {rows}");
            let points = &points[program];
            ensure!(known(texts(points, "label_name")), "{program} {extension}: {points}");
            ensure!(texts(points, "name").len() == 1 && texts(points, "job").len() == 1, "{points}");
            let first = &points[0];
            ensure!(
                first["time"].as_str().is_some_and(|time| time.ends_with("+00:00")),
                "{program} {extension}: {first}"
            );
        }
    }
    let (code, printed) = watchkeeper.run(&["export", "requests", "--format", "ndjson"]).await?;
    ensure!(code == 0 && printed.lines().count() == 6, "{printed}");

    // A file that is there stays, unless it is said otherwise; nothing else is left behind.
    let path = out.join("requests.csv");
    let file = path.to_str().context("a path")?;
    let before = std::fs::read(&path)?;
    let (code, printed) = watchkeeper.run(&["export", "deploys", "-o", file]).await?;
    ensure!(code == 2 && printed.contains("--force") && std::fs::read(&path)? == before, "{code} {printed}");
    let (code, printed) = watchkeeper.run(&["export", "deploys", "-o", file, "--force"]).await?;
    ensure!(
        code == 0 && printed.contains("nothing is stored") && std::fs::read(&path)? != before,
        "{code} {printed}"
    );
    for wrong in [
        &["export", "sum(up)"][..],
        &["export", "requests", "-o", "/tmp/x.xlsx"],
        &["export", "requests", "--from", "now", "--to", "1h"],
        &["export", "requests", "--from", "someday"],
    ] {
        let (code, printed) = watchkeeper.run(wrong).await?;
        ensure!(code == 2, "{wrong:?}: {code} {printed}");
    }
    let missing = out.join("missing/x.csv");
    let (code, _) =
        watchkeeper.run(&["export", "requests", "-o", missing.to_str().context("a path")?]).await?;
    ensure!(code == 1, "a folder that is not there: {code}");
    ensure!(std::fs::read_dir(&out)?.count() == 6, "something was left in the folder");

    // Without a server, from what a crash has left.
    watchkeeper.kill().await?;
    let local = out.join("local.parquet");
    let output = Command::new(binary())
        .args(["export", "requests", "--json", "-o"])
        .arg(&local)
        .arg("--data-dir")
        .arg(watchkeeper.data_dir())
        .env_remove("WATCHKEEPER_URL")
        .output()
        .await?;
    let summary: Value = serde_json::from_slice(&output.stdout)
        .with_context(|| String::from_utf8_lossy(&output.stderr).into_owned())?;
    ensure!(
        summary["rows"] == 6 && summary["source"].as_str().is_some_and(|from| from.ends_with("data")),
        "{summary}"
    );
    ensure!(texts(&opened(&local).await?["duckdb"], "path") == hostile);
    let nobody = format!("http://127.0.0.1:{}", testkit::free_port()?);
    let output = Command::new(binary())
        .args(["export", "requests", "--url", &nobody, "--data-dir"])
        .arg(watchkeeper.data_dir())
        .output()
        .await?;
    ensure!(output.status.code() == Some(3), "a server that was named and is not there: {output:?}");
    Ok(())
}

/// As `watchkeeper export requests | head` leaves it.
#[tokio::test(flavor = "multi_thread")]
async fn scenario_an_export_to_a_pipe_that_nobody_reads_ends_quietly_in_each_format() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let watchkeeper = Watchkeeper::start(binary(), folder.path(), "").await?;
    // More than waits in buffers: then the format meets the error, not the end of the file.
    let event = |number: u64| {
        let path = format!("/{:x}/{}", number.wrapping_mul(0x9e37_79b9_7f4a_7c15), "x".repeat(100));
        json!({ "type": "request.finished", "event_id": format!("e{number}"), "path": path, "method": "GET",
                "status_code": 200, "duration_seconds": 0.25 })
    };
    let events: Vec<Value> = (0..2_000).map(event).collect();
    for events in events.chunks(500) {
        let taken = watchkeeper.post("/api/v1/events", &json!(events)).await?;
        ensure!(taken.status == 200, "{taken:?}");
    }
    for format in ["csv", "ndjson", "parquet"] {
        let (reader, writer) = std::io::pipe()?;
        drop(reader);
        let output = Command::new(binary())
            .args(["export", "requests", "--format", format, "--url", &watchkeeper.url(""), "--data-dir"])
            .arg(watchkeeper.data_dir())
            .stdout(writer)
            .stderr(std::process::Stdio::piped())
            .spawn()?
            .wait_with_output()
            .await?;
        let said = String::from_utf8_lossy(&output.stderr);
        ensure!(output.status.code() == Some(0) && said.is_empty(), "{format}: {:?} {said}", output.status);
    }
    Ok(())
}
