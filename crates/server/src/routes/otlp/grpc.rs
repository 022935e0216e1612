//! OpenTelemetry's protocol over gRPC: the method `Export` of its three services.
//!
//! A call of that kind is a POST of HTTP/2 with one message in a frame (`frame`), and an answer of the same form with
//! its status behind it (`reply`). Both are taken apart here and not by a library, because the message has to be
//! bounded, unpacked and refused exactly as a body over HTTP is (docs/adr/0036-frames-of-grpc.md).

mod frame;
mod reply;

use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, Version, header};
use axum::middleware::Next;
use axum::response::Response;
use axum::routing::post;
use protocol::otlp::{Encoding, Signal};
use utoipa_axum::router::OpenApiRouter;

use super::form::Form;
use super::{answer, export};
use crate::context::Shared;
use crate::guard::packing::Packing;
use crate::problem::{Detail, Kind, Problem};
use crate::routes::Routes;

/// The methods, as paths.
const METHODS: [(&str, Signal); 3] = [
    ("/opentelemetry.proto.collector.logs.v1.LogsService/Export", Signal::Logs),
    ("/opentelemetry.proto.collector.trace.v1.TraceService/Export", Signal::Traces),
    ("/opentelemetry.proto.collector.metrics.v1.MetricsService/Export", Signal::Metrics),
];

/// Which compressions are understood, for the header `grpc-accept-encoding`.
const PACKINGS: &str = "identity,gzip,zstd";

pub(crate) fn routes() -> Routes {
    METHODS.into_iter().fold(OpenApiRouter::new(), |routes, (path, signal)| {
        let handler = move |State(app): State<Shared>, version: Version, headers: HeaderMap, body: Body| async move {
            call(&app, signal, version, &headers, body).await
        };
        routes.route(path, post(handler))
    })
}

async fn call(
    app: &Shared,
    signal: Signal,
    version: Version,
    headers: &HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    if !speaks_grpc(version, headers) {
        let detail = "Call this method over HTTP/2 with `content-type: application/grpc`.";
        return Err(Problem::new(Kind::UnsupportedMediaType, detail));
    }
    let packing = Packing::named(headers.get("grpc-encoding")).ok_or_else(|| {
        let detail = "Send the message plain, or with `grpc-encoding: gzip` or `zstd`.";
        Problem::new(Kind::UnsupportedMediaType, detail)
    })?;
    let refused = |refusal| export::refused(app, signal, refusal);
    let framed = frame::read(body, app.config.max_ingest_body).await.map_err(refused)?;
    let packing = framed.packing(packing).map_err(refused)?;
    let form = Form { encoding: Encoding::Protobuf, packing };
    let taken = export::take(app, signal, form, framed.message).await?;
    Ok(reply::success(&answer::message(signal, Encoding::Protobuf, &taken)))
}

/// Whether a request is a call of gRPC with messages in protobuf.
fn speaks_grpc(version: Version, headers: &HeaderMap) -> bool {
    let content_type = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok());
    let essence = content_type.and_then(|text| text.split(';').next()).unwrap_or_default().trim();
    let is = |name: &str| essence.eq_ignore_ascii_case(name);
    version == Version::HTTP_2 && (is("application/grpc") || is("application/grpc+proto"))
}

/// Tells callers what is wrong in the form of gRPC, whoever says it: the gate, the bounds, or the handler.
pub(crate) async fn in_its_form(request: Request, next: Next) -> Response {
    let is_call = speaks_grpc(request.version(), request.headers());
    let response = next.run(request).await;
    match response.extensions().get::<Detail>() {
        Some(detail) if is_call => reply::failure(detail, response.headers()),
        _ => response,
    }
}
