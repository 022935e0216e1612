//! OpenTelemetry's protocol: over HTTP `POST /v1/logs`, `/v1/traces` and `/v1/metrics`, and over gRPC ([`grpc`]).
//!
//! A request is answered in the encoding that it came in, and so is what is wrong with it (`answer`). Of a request
//! that cannot be decoded nothing is stored; of any other the rest is, and a partial success says what is not. What
//! becomes of a request is the same over either transport (`export`).

mod answer;
mod export;
mod form;
pub(crate) mod grpc;
mod metrics;
mod records;

use axum::body::Body;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use protocol::otlp::Signal;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::Routes;
use crate::context::Shared;
use crate::guard::body;
use crate::problem::Problem;
use form::Form;

pub(crate) use answer::in_its_form;
pub(super) use records::row_limits;

/// The paths of the three signals, as every exporter knows them.
const PATHS: [&str; 3] = ["/v1/logs", "/v1/traces", "/v1/metrics"];

pub(super) fn routes() -> Routes {
    OpenApiRouter::new().routes(routes!(logs)).routes(routes!(traces)).routes(routes!(points))
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
    take(&app, Signal::Logs, &headers, body).await
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
    take(&app, Signal::Traces, &headers, body).await
}

/// Takes points of metrics from OpenTelemetry (OTLP over HTTP): gauges, sums, histograms, exponential histograms,
/// summaries, and their exemplars. Points of delta temporality are added up. The answer comes once all is durable, in
/// the encoding of the request. Points that cannot be kept are counted in its partial success.
#[utoipa::path(post, path = "/v1/metrics", tag = "ingest",
    request_body(content = Vec<u8>, content_type = "application/x-protobuf",
        description = "An ExportMetricsServiceRequest, or its JSON with `application/json`; plain, gzip or zstd"),
    responses((status = 200, description = "An ExportMetricsServiceResponse: stored, but for what its partial success names"),
        (status = 400, description = "A google.rpc.Status: it cannot be decoded, and nothing is stored"),
        (status = 413, description = "A google.rpc.Status: it is too large, before or after decompression"),
        (status = 415, description = "A google.rpc.Status: this content type or encoding is not taken"),
        (status = 503, description = "A google.rpc.Status: try again after the time in the header Retry-After")))]
async fn points(State(app): State<Shared>, headers: HeaderMap, body: Body) -> Result<Response, Problem> {
    take(&app, Signal::Metrics, &headers, body).await
}

async fn take(app: &Shared, signal: Signal, headers: &HeaderMap, body: Body) -> Result<Response, Problem> {
    let form = Form::of(headers)?;
    let bytes = body::read(headers, body, app.config.max_ingest_body).await?;
    let taken = export::take(app, signal, form, bytes).await?;
    Ok(answer::success(signal, form.encoding, &taken))
}
