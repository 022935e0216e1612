//! OpenTelemetry's own SDKs report to the ports that they know, over gRPC and over HTTP, and what is stored is what they
//! sent, field by field. Python's is here, the others are in modules of their own.

mod everything;
mod javascript;
mod restarts;
mod rust;

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context, Result, ensure};
use model::Timestamp;
use serde_json::{Value, json};
use testkit::{Watchkeeper, percent_encoded};
use tokio::process::Command;

use crate::stage::{binary, root};

/// The address of a receiver.
async fn receiver(watchkeeper: &Watchkeeper, transport: &str) -> Result<String> {
    let stats = watchkeeper.get("/api/v1/stats").await?.body;
    let receivers = stats["otlp_receivers"].as_array().context("no receivers")?;
    let found =
        receivers.iter().find(|receiver| receiver["transport"] == transport).context("not this one")?;
    ensure!(found["fault"].is_null(), "{found}");
    Ok(found["address"].as_str().context("no address")?.to_owned())
}

/// A server that takes nothing without a key, and a key for it.
async fn closed(folder: &Path) -> Result<(Watchkeeper, String)> {
    let config = "[server]\nopen_loopback_ingest = false\n";
    let watchkeeper = Watchkeeper::start(binary(), folder, config).await?;
    let (code, printed) = watchkeeper.run(&["key", "create", "sdk", "--scope", "ingest"]).await?;
    ensure!(code == 0, "{printed}");
    let key = printed.lines().last().context("no key")?.to_owned();
    Ok((watchkeeper, key))
}

/// Lets a program send by an SDK, and gives what it says that it sent.
async fn report(
    program: &mut Command,
    endpoint: &str,
    compression: Option<&str>,
    key: &str,
) -> Result<Value> {
    let name = program.as_std().get_program().to_string_lossy().into_owned();
    program
        .env("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint)
        .env("OTEL_EXPORTER_OTLP_HEADERS", format!("authorization=Bearer%20{key}"));
    if let Some(compression) = compression {
        program.env("OTEL_EXPORTER_OTLP_COMPRESSION", compression);
    }
    let output = program.output().await.with_context(|| format!("running {name}: is it installed?"))?;
    let said = String::from_utf8_lossy(&output.stderr);
    // What cannot be sent is only logged by the SDKs.
    ensure!(output.status.success() && said.is_empty(), "{program:?}: {said}");
    serde_json::from_slice(&output.stdout).with_context(|| format!("{name} has printed something else"))
}

/// The rows of a table that came from a service.
async fn rows(watchkeeper: &Watchkeeper, table: &str, service: &str) -> Result<Vec<Value>> {
    let text = watchkeeper.text(&format!("/api/v1/export?table={table}&format=ndjson")).await?;
    let rows = text.lines().map(serde_json::from_str).collect::<Result<Vec<Value>, _>>().context(text)?;
    Ok(rows.into_iter().filter(|row| row["service"] == service).collect())
}

/// The newest values of all series of a service that are about its queue, by their names, with the bounds of buckets.
async fn series(watchkeeper: &Watchkeeper, service: &str) -> Result<BTreeMap<String, String>> {
    let query = percent_encoded(&format!("{{job=\"docs/{service}\",queue_name=\"ocr\",instance=\"i-1\"}}"));
    let found = watchkeeper.get(&format!("/prometheus/api/v1/query?query={query}")).await?.body;
    let series = found["data"]["result"].as_array().with_context(|| found.to_string())?;
    let named = |one: &Value| {
        let name = one["metric"]["__name__"].as_str()?.to_owned();
        let bound = one["metric"]["le"].as_str().map(|bound| format!(" {bound}")).unwrap_or_default();
        Some((name + &bound, one["value"][1].as_str()?.to_owned()))
    };
    series.iter().map(named).collect::<Option<_>>().with_context(|| found.to_string())
}

/// Compares the columns that are named.
fn compare(row: &Value, expected: &Value) -> Result<()> {
    for (name, value) in expected.as_object().context("columns")? {
        ensure!(&row[name] == value, "{name} is {} and not {value}: {row}", row[name]);
    }
    Ok(())
}

fn nanos(row: &Value) -> Result<i64> {
    let time = row["time"].as_str().with_context(|| row.to_string())?;
    Ok(Timestamp::parse_rfc3339(time).with_context(|| time.to_owned())?.as_nanos())
}

#[tokio::test(flavor = "multi_thread")]
async fn scenario_the_python_sdk_reports_over_grpc_and_http_to_the_ports_that_it_knows() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let (watchkeeper, key) = closed(folder.path()).await?;
    // Over gRPC this SDK knows no name for none.
    for (transport, compression) in
        [("grpc", Some("gzip")), ("http", Some("gzip")), ("grpc", None), ("http", Some("none"))]
    {
        let endpoint = format!("http://{}", receiver(&watchkeeper, transport).await?);
        let mut program = Command::new(testkit::python());
        program.arg(root().join("tests/scenarios/otlp/telemetry.py")).arg(transport);
        let sent = report(&mut program, &endpoint, compression, &key).await?;
        let service = format!("ocr-{transport}");
        check_spans(&rows(&watchkeeper, "spans", &service).await?, &sent)?;
        check_log(&rows(&watchkeeper, "logs", &service).await?, &sent)?;
        check_call(&rows(&watchkeeper, "llm_calls", &service).await?, &sent)?;
        let query = format!("pages_done_total%7Bjob=%22docs/{service}%22%7D");
        let found = watchkeeper.get(&format!("/prometheus/api/v1/query?query={query}")).await?.body;
        let series = &found["data"]["result"][0];
        ensure!(series["value"][1] == "4" && series["metric"]["queue_name"] == "ocr", "{transport}: {found}");
        ensure!(series["metric"]["instance"] == "i-1", "{transport}: {found}");
    }
    Ok(())
}

/// What every row says of its sender.
fn origin() -> Value {
    json!({ "service_namespace": "docs", "service_version": "1.2", "service_instance_id": "i-1",
            "environment": "test", "scope_name": "docpipe", "scope_version": "0.1" })
}

fn check_spans(rows: &[Value], sent: &Value) -> Result<()> {
    let of = |name: &str| {
        let id = &sent[name]["span_id"];
        rows.iter().find(|row| row["span_id"] == *id).with_context(|| format!("no span {name}: {rows:?}"))
    };
    for name in ["job", "chat"] {
        let (row, sent) = (of(name)?, &sent[name]);
        compare(row, &origin())?;
        compare(row, &json!({ "trace_id": sent["trace_id"], "duration_ns": sent["duration"] }))?;
        ensure!(Some(nanos(row)?) == sent["start"].as_i64(), "{name} began at {}: {row}", sent["start"]);
        ensure!(row["flaws"].is_null(), "{row}");
    }
    compare(of("job")?, &json!({ "name": "job", "kind": "consumer", "status": "unset", "job_id": "j1" }))?;
    ensure!(of("job")?["parent_span_id"].is_null(), "it has no parent");
    compare(
        of("chat")?,
        &json!({ "name": "chat llama", "kind": "client", "status": "error", "status_message": "timed out",
                 "parent_span_id": sent["job"]["span_id"], "gen_ai_request_model": "llama",
                 "gen_ai_input_tokens": 11, "exception_type": "TimeoutError", "exception_message": "no answer",
                 "attributes": { "pages": "[1,2]" } }),
    )
}

fn check_log(rows: &[Value], sent: &Value) -> Result<()> {
    let of_span = rows.iter().find(|row| row["span_id"] == sent["chat"]["span_id"]);
    let row = of_span.with_context(|| format!("no record of the span: {rows:?}"))?;
    compare(row, &origin())?;
    compare(
        row,
        &json!({ "trace_id": sent["chat"]["trace_id"], "level": "warn", "severity_number": 13,
                 "severity_text": "WARNING", "message": "page 3 took long", "event_name": "page.slow",
                 "job_id": "j1", "attributes": { "page": "3" } }),
    )?;
    let start = sent["chat"]["start"].as_i64().context("a start")?;
    ensure!(nanos(row)? == start + 1_000 && row["flaws"].is_null(), "{start} {row}");
    Ok(())
}

/// The call of a model that follows from the span of it.
fn check_call(rows: &[Value], sent: &Value) -> Result<()> {
    let of_trace = rows.iter().find(|row| row["trace_id"] == sent["chat"]["trace_id"]);
    let row = of_trace.with_context(|| format!("no call of the trace: {rows:?}"))?;
    compare(row, &json!({ "model": "llama", "input_tokens": 11, "error_message": "timed out" }))
}

#[tokio::test(flavor = "multi_thread")]
async fn scenario_a_port_of_a_receiver_that_is_set_and_taken_is_an_error_at_start() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let taken = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    let address = taken.local_addr()?.to_string();
    let toml = format!("[server.otlp]\ngrpc_listen = '{address}'\nhttp_listen = 'off'\n");
    let file = folder.path().join("watchkeeper.toml");
    std::fs::write(&file, toml)?;
    let output = Command::new(binary())
        .args(["serve", "--listen", "127.0.0.1:0", "--config"])
        .arg(&file)
        .arg("--data-dir")
        .arg(folder.path().join("data"))
        .output()
        .await?;
    let said = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.code() == Some(1), "{output:?}");
    ensure!(said.contains(&address) && said.contains("`server.otlp.grpc_listen`"), "{said}");
    Ok(())
}
