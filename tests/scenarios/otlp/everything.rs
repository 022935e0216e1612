//! What the programs `tests/otlp-js/telemetry.mjs` and `tests/otlp-rust` send, alike: spans with events and links, records
//! of logs, one with a body of parts, and metrics of every kind. What is stored of it is compared with what they say.

use std::collections::BTreeMap;

use anyhow::{Context, Result, ensure};
use model::Timestamp;
use serde_json::{Value, json};
use testkit::Watchkeeper;

use super::{compare, nanos, origin, rows, series};

/// Compares all that is stored of a service with what was sent.
pub(super) async fn check(watchkeeper: &Watchkeeper, service: &str, sent: &Value) -> Result<()> {
    check_spans(&rows(watchkeeper, "spans", service).await?, sent)?;
    check_logs(&rows(watchkeeper, "logs", service).await?, sent)?;
    let found = series(watchkeeper, service).await?;
    let expected: BTreeMap<String, String> = [
        ("gpu_temperature_celsius", "64.25"),
        ("page_duration_seconds_bucket +Inf", "4"),
        ("page_duration_seconds_bucket 0.1", "1"),
        ("page_duration_seconds_bucket 1", "2"),
        ("page_duration_seconds_bucket 10", "3"),
        ("page_duration_seconds_count", "4"),
        ("page_duration_seconds_sum", "52.5625"),
        ("pages_done_total", "7"),
        ("pages_waiting", "7"),
    ]
    .map(|(name, value)| (name.to_owned(), value.to_owned()))
    .into();
    ensure!(found == expected, "{found:?}");
    Ok(())
}

/// A time in nanoseconds, which they write as text: no number of JavaScript holds it.
fn time(sent: &Value) -> Result<i64> {
    sent.as_str().and_then(|text| text.parse().ok()).with_context(|| format!("no time: {sent}"))
}

/// A column that is JSON in a text.
fn parts(row: &Value, column: &str) -> Result<Value> {
    let text = row[column].as_str().with_context(|| format!("no {column}: {row}"))?;
    serde_json::from_str(text).with_context(|| text.to_owned())
}

fn check_spans(rows: &[Value], sent: &Value) -> Result<()> {
    ensure!(rows.len() == 2, "two spans: {rows:?}");
    let of = |name: &str| {
        let id = &sent[name]["span_id"];
        rows.iter().find(|row| row["span_id"] == *id).with_context(|| format!("no span {name}: {rows:?}"))
    };
    let (job, chat) = (of("job")?, of("chat")?);
    for row in [job, chat] {
        compare(row, &origin())?;
        // The flags say too that the SDK knows whether the parent came from elsewhere.
        compare(
            row,
            &json!({ "trace_id": sent["job"]["trace_id"], "duration_ns": sent["duration"], "trace_flags": 0x101,
                     "resource_attributes": { "cloud.region": "eu" }, "flaws": null }),
        )?;
        ensure!(nanos(row)? == time(&sent["start"])?, "{row}");
    }
    compare(
        job,
        &json!({ "name": "job", "kind": "consumer", "status": "ok", "job_id": "j1", "parent_span_id": null,
                 "messaging_system": "redis", "messaging_destination": "documents", "attributes": {} }),
    )?;
    let links = parts(job, "links")?;
    let link = json!([{ "trace_id": sent["earlier"]["trace_id"], "span_id": sent["earlier"]["span_id"],
                        "trace_flags": 0x101, "attributes": { "link.reason": "tried again" } }]);
    ensure!(links == link, "{links}");
    compare(
        chat,
        &json!({ "name": "chat llama", "kind": "client", "status": "error", "status_message": "timed out",
                 "parent_span_id": sent["job"]["span_id"], "gen_ai_request_model": "llama",
                 "gen_ai_input_tokens": 11, "exception_type": "TypeError", "exception_message": "no answer",
                 "exception_stacktrace": "at chat",
                 "attributes": { "text": "naïve ☃", "integer": "-42", "double": "0.25", "yes": "true",
                                 "texts": "[\"a\",\"b\"]", "integers": "[1,2]", "doubles": "[0.5,1.5]",
                                 "flags": "[true,false]" } }),
    )?;
    let noted = Timestamp::from_nanos(time(&sent["noted"])?).to_string();
    let events = parts(chat, "events")?;
    let expected = json!([
        { "time": noted, "name": "page.read", "attributes": { "page": "3" } },
        { "time": noted, "name": "exception",
          "attributes": { "exception.type": "TypeError", "exception.message": "no answer",
                          "exception.stacktrace": "at chat" } },
    ]);
    ensure!(events == expected, "{events}, not {expected}");
    Ok(())
}

fn check_logs(rows: &[Value], sent: &Value) -> Result<()> {
    let [slow, torn] = ["warn", "error"].map(|level| rows.iter().find(|row| row["level"] == level));
    let (slow, torn) = slow.zip(torn).with_context(|| format!("two records: {rows:?}"))?;
    ensure!(rows.len() == 2, "two records: {rows:?}");
    for row in [slow, torn] {
        compare(row, &origin())?;
        ensure!(nanos(row)? == time(&sent["said"])? && row["flaws"].is_null(), "{row}");
        ensure!(row["observed_time"].is_string(), "{row}");
    }
    compare(
        slow,
        &json!({ "severity_number": 13, "severity_text": "WARNING", "message": "page 3 took long",
                 "event_name": "page.slow", "trace_id": sent["chat"]["trace_id"],
                 "span_id": sent["chat"]["span_id"], "trace_flags": 1, "job_id": "j1",
                 "attributes": { "page": "3", "ratio": "0.5", "late": "true", "words": "[\"a\",1]",
                                 "size": "{\"width\":4}", "raw": "AQI=" } }),
    )?;
    compare(
        torn,
        &json!({ "severity_number": 18, "severity_text": null, "event_name": null, "trace_id": null,
                 "span_id": null, "attributes": {} }),
    )?;
    let body = parts(torn, "message")?;
    ensure!(body == json!({ "page": 4, "reason": "torn", "parts": [1, 2] }), "{body}");
    Ok(())
}
