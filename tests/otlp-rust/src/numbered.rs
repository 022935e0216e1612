//! Numbered spans and records of logs until the standard input ends, and which of them the exporters gave up.

use std::collections::BTreeSet;
use std::io::Read;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::{Context, Result};
use opentelemetry::logs::{AnyValue, LogRecord, Logger, LoggerProvider, Severity};
use opentelemetry::trace::{Span, Tracer, TracerProvider};
use opentelemetry::{KeyValue, Value};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::logs::{LogBatch, LogExporter, SdkLogger, SdkLoggerProvider};
use opentelemetry_sdk::trace::{SdkTracer, SdkTracerProvider, SpanData, SpanExporter};
use serde_json::json;

use crate::exporters::{self, Transport};

const PAUSE: Duration = Duration::from_millis(10);
/// How long the last batches may take.
const PATIENCE: Duration = Duration::from_secs(60);

/// The numbers of what was given up.
#[derive(Clone, Debug, Default)]
struct GivenUp(Arc<Mutex<BTreeSet<i64>>>);

impl GivenUp {
    fn add(&self, numbers: Vec<i64>) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).extend(numbers);
    }

    fn all(&self) -> Vec<i64> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).iter().copied().collect()
    }
}

/// Hands spans on, and remembers those that were given up.
#[derive(Debug)]
struct WatchedSpans {
    exporter: opentelemetry_otlp::SpanExporter,
    given_up: GivenUp,
}

impl SpanExporter for WatchedSpans {
    async fn export(&self, batch: Vec<SpanData>) -> OTelSdkResult {
        let numbers = batch.iter().filter_map(|span| {
            let attribute = span.attributes.iter().find(|attribute| attribute.key.as_str() == "number")?;
            match attribute.value {
                Value::I64(number) => Some(number),
                _ => None,
            }
        });
        let numbers: Vec<i64> = numbers.collect();
        let result = self.exporter.export(batch).await;
        if result.is_err() {
            self.given_up.add(numbers);
        }
        result
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        self.exporter.shutdown_with_timeout(timeout)
    }

    fn set_resource(&mut self, resource: &Resource) {
        self.exporter.set_resource(resource);
    }
}

/// The same of records of logs.
#[derive(Debug)]
struct WatchedLogs {
    exporter: opentelemetry_otlp::LogExporter,
    given_up: GivenUp,
}

impl LogExporter for WatchedLogs {
    async fn export(&self, batch: LogBatch<'_>) -> OTelSdkResult {
        let numbers = batch.iter().filter_map(|(record, _)| {
            let attribute = record.attributes_iter().find(|(key, _)| key.as_str() == "number")?;
            match attribute.1 {
                AnyValue::Int(number) => Some(number),
                _ => None,
            }
        });
        let numbers: Vec<i64> = numbers.collect();
        let result = self.exporter.export(batch).await;
        if result.is_err() {
            self.given_up.add(numbers);
        }
        result
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        self.exporter.shutdown_with_timeout(timeout)
    }

    fn set_resource(&mut self, resource: &Resource) {
        self.exporter.set_resource(resource);
    }
}

/// Sends until the standard input ends.
pub fn send(transport: Transport, service: &str) -> Result<serde_json::Value> {
    let resource = Resource::builder_empty().with_service_name(service.to_owned()).build();
    let (spans, logs) = (GivenUp::default(), GivenUp::default());
    let exporter = WatchedSpans { exporter: exporters::spans(transport)?, given_up: spans.clone() };
    let tracers =
        SdkTracerProvider::builder().with_batch_exporter(exporter).with_resource(resource.clone()).build();
    let exporter = WatchedLogs { exporter: exporters::logs(transport)?, given_up: logs.clone() };
    let loggers = SdkLoggerProvider::builder().with_batch_exporter(exporter).with_resource(resource).build();

    let ended = Arc::new(AtomicBool::new(false));
    let end = Arc::clone(&ended);
    std::thread::spawn(move || {
        // An error of the input ends it as well.
        let _ = std::io::stdin().read_to_end(&mut Vec::new());
        end.store(true, Ordering::SeqCst);
    });
    let (tracer, logger) = (tracers.tracer("numbered"), loggers.logger("numbered"));
    let mut sent = 0;
    while !ended.load(Ordering::SeqCst) {
        send_one(&tracer, &logger, service, sent);
        sent += 1;
        std::thread::sleep(PAUSE);
    }
    // These send what is left.
    tracers.shutdown_with_timeout(PATIENCE).context("sending the last spans")?;
    loggers.shutdown_with_timeout(PATIENCE).context("sending the last records of logs")?;
    Ok(json!({ "sent": sent, "given_up": { "spans": spans.all(), "logs": logs.all() } }))
}

fn send_one(tracer: &SdkTracer, logger: &SdkLogger, service: &str, number: i64) {
    let attributes = [KeyValue::new("number", number)];
    tracer.span_builder("numbered").with_attributes(attributes).start(tracer).end();
    let mut record = logger.create_log_record();
    record.set_severity_number(Severity::Info);
    record.set_body("numbered".into());
    record.add_attribute("number", number);
    record.add_attribute("log.record.uid", format!("{service}-{number}"));
    logger.emit(record);
}
