//! OpenTelemetry's protocol over HTTP: `POST /v1/logs`, `/v1/traces` and `/v1/metrics`.
//!
//! A request is answered in the encoding that it came in, and so is what is wrong with it (`answer`). Of a request
//! that cannot be decoded nothing is stored; of any other the rest is, and a partial success says what is not.

mod answer;
mod form;
mod metrics;

use axum::body::Body;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use ingest::{Limits, Reason, Source};
use model::Timestamp;
use protocol::otlp::rows::{LogRows, RowLimits, Rows, SpanRows};
use protocol::otlp::{self, Encoding, OtlpError, Signal};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::Routes;
use super::decode::decoded;
use crate::context::Shared;
use crate::guard::body;
use crate::problem::{Kind, Problem, chain};
use form::Form;

pub(crate) use answer::in_its_form;

/// The paths of the three signals, as every exporter knows them.
const PATHS: [&str; 3] = ["/v1/logs", "/v1/traces", "/v1/metrics"];

pub(super) fn routes() -> Routes {
    OpenApiRouter::new().routes(routes!(logs)).routes(routes!(traces)).routes(routes!(metrics::take))
}

/// Takes records of logs from OpenTelemetry (OTLP over HTTP). The answer comes once they are durable, in the encoding
/// of the request. Records that cannot be kept are counted in its partial success; those that were cut say so.
#[utoipa::path(post, path = "/v1/logs", tag = "ingest",
    request_body(content = Vec<u8>, content_type = "application/x-protobuf",
        description = "An ExportLogsServiceRequest, or its JSON with `application/json`; plain, gzip or zstd"),
    responses((status = 200, description = "An ExportLogsServiceResponse: stored, but for what its partial success names"),
        (status = 400, description = "A google.rpc.Status: it cannot be decoded, and nothing is stored"),
        (status = 413, description = "A google.rpc.Status: it is too large, before or after decompression"),
        (status = 415, description = "A google.rpc.Status: this content type or encoding is not taken"),
        (status = 503, description = "A google.rpc.Status: try again after the time in the header Retry-After")))]
async fn logs(State(app): State<Shared>, headers: HeaderMap, body: Body) -> Result<Response, Problem> {
    take_records(&app, Signal::Logs, &headers, body, |encoding, bytes, limits| {
        let mut rows = LogRows::new(limits, Timestamp::now());
        otlp::decode_logs(encoding, bytes, &mut rows)?;
        Ok(rows.finish())
    })
    .await
}

/// Takes spans from OpenTelemetry (OTLP over HTTP). A span is stored once, however often it is sent. The answer comes
/// once they are durable, in the encoding of the request. Spans that cannot be kept are counted in its partial success.
#[utoipa::path(post, path = "/v1/traces", tag = "ingest",
    request_body(content = Vec<u8>, content_type = "application/x-protobuf",
        description = "An ExportTraceServiceRequest, or its JSON with `application/json`; plain, gzip or zstd"),
    responses((status = 200, description = "An ExportTraceServiceResponse: stored, but for what its partial success names"),
        (status = 400, description = "A google.rpc.Status: it cannot be decoded, and nothing is stored"),
        (status = 413, description = "A google.rpc.Status: it is too large, before or after decompression"),
        (status = 415, description = "A google.rpc.Status: this content type or encoding is not taken"),
        (status = 503, description = "A google.rpc.Status: try again after the time in the header Retry-After")))]
async fn traces(State(app): State<Shared>, headers: HeaderMap, body: Body) -> Result<Response, Problem> {
    take_records(&app, Signal::Traces, &headers, body, |encoding, bytes, limits| {
        let mut rows = SpanRows::new(limits, Timestamp::now());
        otlp::decode_traces(encoding, bytes, &mut rows)?;
        Ok(rows.finish())
    })
    .await
}

/// Decodes a request into rows.
type DecodeRows = fn(Encoding, &[u8], &RowLimits) -> Result<Rows, OtlpError>;

async fn take_records(
    app: &Shared,
    signal: Signal,
    headers: &HeaderMap,
    body: Body,
    decode: DecodeRows,
) -> Result<Response, Problem> {
    let limits = row_limits(app.context.ingest.limits(), app);
    let decode = move |encoding: Encoding, bytes: &[u8]| decode(encoding, bytes, &limits);
    let (encoding, rows) = received(app, signal, headers, body, decode).await?;
    let Rows { events, rejected, rejected_over_memory, mut reasons, .. } = rows;
    refuse(app, signal, Reason::Malformed, rejected - rejected_over_memory);
    refuse(app, signal, Reason::TooLarge, rejected_over_memory);
    let refused = if events.is_empty() {
        Vec::new()
    } else {
        app.context.ingest.append_events(source(signal), events).await?.rejected
    };
    let rejected = rejected + refused.len() as u64;
    reasons.extend(refused.into_iter().map(|rejection| rejection.reason));
    Ok(answer::success(signal, encoding, rejected, &reasons))
}

/// Reads a request and decodes it; one that is not taken is counted.
async fn received<T: Send + 'static>(
    app: &Shared,
    signal: Signal,
    headers: &HeaderMap,
    body: Body,
    decode: impl FnOnce(Encoding, &[u8]) -> Result<T, OtlpError> + Send + 'static,
) -> Result<(Encoding, T), Problem> {
    let Form { encoding, packing } = Form::of(headers)?;
    let bytes = body::read(body, app.config.max_ingest_body).await?;
    let decode = move |bytes: &[u8]| {
        decode(encoding, bytes).map_err(|error| {
            let said = format!("Nothing was stored: {}.", chain(&error));
            (Reason::Malformed, Problem::new(Kind::BadBody, said))
        })
    };
    match decoded(app, packing, bytes, decode).await {
        Ok(taken) => Ok((encoding, taken)),
        Err((reason, problem)) => {
            refuse(app, signal, reason, 1);
            Err(problem)
        }
    }
}

/// Counts what never came as far as an event or a sample.
fn refuse(app: &Shared, signal: Signal, reason: Reason, count: u64) {
    let (ingest, source) = (&app.context.ingest, source(signal));
    match signal {
        Signal::Logs | Signal::Traces => ingest.refuse_events(source, reason, count),
        Signal::Metrics => ingest.refuse_samples(source, reason, count),
    }
}

/// As whose telemetry a signal is counted.
fn source(signal: Signal) -> Source {
    match signal {
        Signal::Logs => Source::OtlpLogs,
        Signal::Traces => Source::OtlpTraces,
        Signal::Metrics => Source::OtlpMetrics,
    }
}

/// The bounds of the path in: what is cut while a request is read need not be held until it gets there.
fn row_limits(limits: &Limits, app: &Shared) -> RowLimits {
    RowLimits {
        max_text_bytes: limits.max_text_bytes,
        max_name_bytes: limits.max_name_bytes,
        max_attributes: limits.max_attributes,
        max_span_events: limits.max_span_events,
        max_bytes: max_memory(app),
        ..RowLimits::default()
    }
}

fn max_memory(app: &Shared) -> usize {
    usize::try_from(app.config.otlp.max_request_memory.0).unwrap_or(usize::MAX)
}
