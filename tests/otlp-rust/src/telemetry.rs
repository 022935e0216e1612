//! The same spans, records of logs and metrics as `tests/otlp-js/telemetry.mjs` sends.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::{Context as _, Result};
use opentelemetry::logs::{AnyValue, LogRecord, Logger, LoggerProvider, Severity};
use opentelemetry::metrics::MeterProvider;
use opentelemetry::trace::{
    Link, Span, SpanContext, SpanKind, Status, TraceContextExt, TraceState, Tracer, TracerProvider,
};
use opentelemetry::{
    Array, Context, InstrumentationScope, KeyValue, SpanId, StringValue, TraceFlags, TraceId, Value,
};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::logs::SdkLoggerProvider;
use opentelemetry_sdk::metrics::SdkMeterProvider;
use opentelemetry_sdk::trace::SdkTracerProvider;
use serde_json::json;

use crate::exporters::{self, Transport};

/// When everything happened.
struct Times {
    start: SystemTime,
    end: SystemTime,
    noted: SystemTime,
    said: SystemTime,
}

impl Times {
    fn new() -> Result<Self> {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).context("a time before 1970")?;
        let begun = UNIX_EPOCH + Duration::from_millis(u64::try_from(now.as_millis())? - 2_000);
        let after = |millis, nanos| begun + Duration::from_millis(millis) + Duration::from_nanos(nanos);
        Ok(Self { start: after(0, 7), end: after(1_500, 1_008), noted: after(20, 5), said: after(30, 9) })
    }
}

/// A time in nanoseconds, as text: not every reader of JSON has such numbers.
fn nanos(time: SystemTime) -> Result<String> {
    Ok(time.duration_since(UNIX_EPOCH).context("a time before 1970")?.as_nanos().to_string())
}

/// The ids of a span.
fn ids(of: &SpanContext) -> serde_json::Value {
    json!({ "trace_id": of.trace_id().to_string(), "span_id": of.span_id().to_string() })
}

/// Sends everything, and tells what it was.
pub fn send(transport: Transport, service: &str) -> Result<serde_json::Value> {
    let resource = Resource::builder_empty()
        .with_service_name(service.to_owned())
        .with_attributes([
            KeyValue::new("service.namespace", "docs"),
            KeyValue::new("service.version", "1.2"),
            KeyValue::new("service.instance.id", "i-1"),
            KeyValue::new("deployment.environment.name", "test"),
            KeyValue::new("cloud.region", "eu"),
        ])
        .build();
    let times = Times::new()?;
    let earlier = SpanContext::new(
        TraceId::from_hex("0af7651916cd43dd8448eb211c80319c")?,
        SpanId::from_hex("b7ad6b7169203331")?,
        TraceFlags::SAMPLED,
        false,
        TraceState::default(),
    );
    let (job, chat) = send_spans(transport, &resource, &times, &earlier)?;
    send_logs(transport, &resource, &times, &chat)?;
    send_metrics(transport, resource)?;
    Ok(json!({ "job": ids(&job), "chat": ids(&chat), "earlier": ids(&earlier), "start": nanos(times.start)?,
               "duration": 1_500_001_001, "noted": nanos(times.noted)?, "said": nanos(times.said)? }))
}

fn scope() -> InstrumentationScope {
    InstrumentationScope::builder("docpipe").with_version("0.1").build()
}

fn texts(texts: [&'static str; 2]) -> Value {
    Value::Array(Array::String(texts.map(StringValue::from).to_vec()))
}

/// Gives the contexts of the two spans.
fn send_spans(
    transport: Transport,
    resource: &Resource,
    times: &Times,
    earlier: &SpanContext,
) -> Result<(SpanContext, SpanContext)> {
    let tracers = SdkTracerProvider::builder()
        .with_batch_exporter(exporters::spans(transport)?)
        .with_resource(resource.clone())
        .build();
    let tracer = tracers.tracer_with_scope(scope());
    let job = tracer
        .span_builder("job")
        .with_kind(SpanKind::Consumer)
        .with_start_time(times.start)
        .with_attributes([
            KeyValue::new("job_id", "j1"),
            KeyValue::new("messaging.system", "redis"),
            KeyValue::new("messaging.destination.name", "documents"),
        ])
        .with_links(vec![Link::new(earlier.clone(), vec![KeyValue::new("link.reason", "tried again")], 0)])
        .start(&tracer);
    let in_job = Context::new().with_span(job);
    let mut chat = tracer
        .span_builder("chat llama")
        .with_kind(SpanKind::Client)
        .with_start_time(times.start)
        .start_with_context(&tracer, &in_job);
    chat.set_attributes([
        KeyValue::new("gen_ai.request.model", "llama"),
        KeyValue::new("gen_ai.usage.input_tokens", 11_i64),
        KeyValue::new("text", "naïve ☃"),
        KeyValue::new("integer", -42_i64),
        KeyValue::new("double", 0.25),
        KeyValue::new("yes", true),
        KeyValue::new("texts", texts(["a", "b"])),
        KeyValue::new("integers", Value::Array(Array::I64(vec![1, 2]))),
        KeyValue::new("doubles", Value::Array(Array::F64(vec![0.5, 1.5]))),
        KeyValue::new("flags", Value::Array(Array::Bool(vec![true, false]))),
    ]);
    chat.add_event_with_timestamp("page.read", times.noted, vec![KeyValue::new("page", 3_i64)]);
    let exception = vec![
        KeyValue::new("exception.type", "TypeError"),
        KeyValue::new("exception.message", "no answer"),
        KeyValue::new("exception.stacktrace", "at chat"),
    ];
    chat.add_event_with_timestamp("exception", times.noted, exception);
    chat.set_status(Status::error("timed out"));
    chat.end_with_timestamp(times.end);
    let job = in_job.span();
    job.set_status(Status::Ok);
    job.end_with_timestamp(times.end);
    tracers.force_flush().context("sending spans")?;
    tracers.shutdown().context("ending the tracers")?;
    Ok((job.span_context().clone(), chat.span_context().clone()))
}

fn send_logs(transport: Transport, resource: &Resource, times: &Times, chat: &SpanContext) -> Result<()> {
    let loggers = SdkLoggerProvider::builder()
        .with_batch_exporter(exporters::logs(transport)?)
        .with_resource(resource.clone())
        .build();
    let logger = loggers.logger_with_scope(scope());
    let mut slow = logger.create_log_record();
    slow.set_timestamp(times.said);
    slow.set_severity_number(Severity::Warn);
    slow.set_severity_text("WARNING");
    slow.set_body("page 3 took long".into());
    slow.set_event_name("page.slow");
    slow.set_trace_context(chat.trace_id(), chat.span_id(), Some(chat.trace_flags()));
    slow.add_attribute("job_id", "j1");
    slow.add_attribute("page", 3_i64);
    slow.add_attribute("ratio", 0.5);
    slow.add_attribute("late", true);
    slow.add_attribute("words", AnyValue::from_iter([AnyValue::from("a"), AnyValue::from(1_i64)]));
    slow.add_attribute("size", AnyValue::from_iter([("width", 4_i64)]));
    slow.add_attribute("raw", AnyValue::from(&[1_u8, 2][..]));
    logger.emit(slow);
    let mut torn = logger.create_log_record();
    torn.set_timestamp(times.said);
    torn.set_severity_number(Severity::Error2);
    torn.set_body(AnyValue::from_iter([
        ("page", AnyValue::from(4_i64)),
        ("reason", AnyValue::from("torn")),
        ("parts", AnyValue::from_iter([1_i64, 2])),
    ]));
    logger.emit(torn);
    loggers.force_flush().context("sending logs")?;
    loggers.shutdown().context("ending the loggers")
}

/// Twice, with an export between: differences have to be added up, sums not.
fn send_metrics(transport: Transport, resource: Resource) -> Result<()> {
    let meters = SdkMeterProvider::builder()
        .with_periodic_exporter(exporters::metrics(transport)?)
        .with_resource(resource)
        .build();
    let meter = meters.meter("docpipe");
    let done = meter.u64_counter("pages.done").with_unit("{page}").build();
    let waiting = meter.i64_up_down_counter("pages.waiting").build();
    let heat = meter.f64_gauge("gpu.temperature").with_unit("Cel").build();
    let took =
        meter.f64_histogram("page.duration").with_unit("s").with_boundaries(vec![0.1, 1.0, 10.0]).build();
    let labels = [KeyValue::new("queue.name", "ocr")];
    for (pages, change, degrees, seconds) in [(4, 9, 61.5, [0.0625, 0.5]), (3, -2, 64.25, [2.0, 50.0])] {
        done.add(pages, &labels);
        waiting.add(change, &labels);
        heat.record(degrees, &labels);
        for each in seconds {
            took.record(each, &labels);
        }
        meters.force_flush().context("sending metrics")?;
        // Samples have milliseconds, and two of one series may not have the same.
        std::thread::sleep(Duration::from_millis(2));
    }
    meters.shutdown().context("ending the meters")
}
