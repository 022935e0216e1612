//! What instrumented applications and shippers of logs send, which the example pipeline does not.

use std::path::Path;

use anyhow::{Context, Result, ensure};
use model::Timestamp;
use serde_json::{Value, json};
use testkit::Watchkeeper;
use tokio::net::UdpSocket;

const MILLISECOND: i64 = 1_000_000;
const YEAR: i64 = 365 * 24 * 3_600 * 1_000 * MILLISECOND;

/// A log file with a line that begins as JSON and is none.
pub(super) fn write_broken_log(folder: &Path) -> Result<()> {
    std::fs::create_dir_all(folder).context("a folder for logs")?;
    std::fs::write(folder.join("broken.log"), "{\"message\": \"the rest is miss\n").context("a log file")
}

/// Where syslog comes in, and a service of whose traces none is kept.
pub(super) fn config(syslog: u16) -> String {
    format!(
        r#"
[syslog]
udp = "127.0.0.1:{syslog}"

[ingest.sampling]
wait = "100ms"

[[ingest.sampling.services]]
service = "noisy"
probability = 0.0
"#
    )
}

/// Sends all of it once more: the time makes others of it.
pub(super) async fn send(watchkeeper: &Watchkeeper, syslog: u16) -> Result<()> {
    let now = Timestamp::now().as_nanos();
    post(watchkeeper, "/v1/traces", &spans(now), 200).await?;
    post(watchkeeper, "/v1/logs", &records(now), 200).await?;
    post(watchkeeper, "/loki/api/v1/push", &line(now, "worker crash: exception in stage embed"), 204).await?;
    post(watchkeeper, "/loki/api/v1/push", &line(now + YEAR, "its clock is wrong"), 400).await?;
    let socket = UdpSocket::bind("127.0.0.1:0").await.context("a socket")?;
    for message in ["<11>1 - mill nightly - - - no room left", "no syslog at all"] {
        socket.send_to(message.as_bytes(), ("127.0.0.1", syslog)).await.context("sending by syslog")?;
    }
    Ok(())
}

async fn post(watchkeeper: &Watchkeeper, path: &str, body: &Value, status: u16) -> Result<()> {
    let headers = [("Content-Type", "application/json")];
    let answer = watchkeeper.post_bytes(path, &headers, body.to_string().into_bytes()).await?;
    ensure!(answer.status == status, "{path}: {} {}", answer.status, answer.body);
    Ok(())
}

fn attribute(key: &str, value: &str) -> Value {
    json!({ "key": key, "value": { "stringValue": value } })
}

fn resource(service: &str) -> Value {
    json!({ "attributes": [attribute("service.name", service)] })
}

/// A request from service to service that fails, and one that sampling leaves out.
fn spans(now: i64) -> Value {
    let (trace, asks, answers) = (format!("{now:032x}"), format!("{now:016x}"), format!("{:016x}", now + 1));
    let at = |millis: i64| (now - 1_000 * MILLISECOND + millis * MILLISECOND).to_string();
    let asked = json!({
        "traceId": trace, "spanId": asks, "name": "GET", "kind": 3,
        "startTimeUnixNano": at(0), "endTimeUnixNano": at(900),
    });
    let answered = json!({
        "traceId": trace, "spanId": answers, "parentSpanId": asks, "name": "GET /pages", "kind": 2,
        "startTimeUnixNano": at(100), "endTimeUnixNano": at(800),
        "attributes": [
            attribute("http.request.method", "GET"),
            json!({ "key": "http.response.status_code", "value": { "intValue": "503" } }),
        ],
        "status": { "code": 2, "message": "timed out" },
    });
    let left_out = json!({
        "traceId": format!("{:032x}", now + 2), "spanId": format!("{:016x}", now + 2), "name": "GET /health",
        "kind": 2, "startTimeUnixNano": at(0), "endTimeUnixNano": at(1),
    });
    let of = |service: &str, span: Value| json!({ "resource": resource(service), "scopeSpans": [{ "spans": [span] }] });
    json!({ "resourceSpans": [of("gateway", asked), of("ocr", answered), of("noisy", left_out)] })
}

/// A record with a personal address, and with a severity that there is not.
fn records(now: i64) -> Value {
    let record = json!({
        "timeUnixNano": now.to_string(), "severityNumber": 99,
        "body": { "stringValue": "the page of jane@example.org took long" },
        "traceId": format!("{now:032x}"),
    });
    json!({ "resourceLogs": [{ "resource": resource("ocr"), "scopeLogs": [{ "logRecords": [record] }] }] })
}

/// A line of a shipper.
fn line(time: i64, text: &str) -> Value {
    let stream = json!({ "service_name": "ocr", "level": "error" });
    json!({ "streams": [{ "stream": stream, "values": [[time.to_string(), text]] }] })
}
