//! Prometheus remote write 1.0.

use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use ingest::{Reason, Source};
use protocol::remote_write::{self, Decoded, RemoteWriteError};

use crate::context::Shared;
use crate::guard::body;
use crate::problem::{Kind, Problem, ProblemBody};

/// Takes samples by Prometheus remote write 1.0. The answer comes once they are durable. Series with
/// labels that cannot be kept are left out, and said to be with a 400 that senders do not repeat; the
/// others are stored.
#[utoipa::path(post, path = "/prometheus/api/v1/write", tag = "prometheus",
    request_body(content = Vec<u8>, content_type = "application/x-protobuf", description = "A snappy block of a prometheus.WriteRequest"),
    responses((status = 204, description = "Stored"), (status = 400, body = ProblemBody), (status = 413, body = ProblemBody),
        (status = 503, body = ProblemBody, description = "Try again after the time in the header Retry-After")))]
pub(super) async fn take(
    State(app): State<Shared>,
    headers: HeaderMap,
    body: Body,
) -> Result<StatusCode, Problem> {
    check_version(&headers)?;
    let bytes = body::read(body, app.config.max_ingest_body).await?;
    let limit = usize::try_from(app.config.max_decompressed_body.0).unwrap_or(usize::MAX);
    let decoded = tokio::task::spawn_blocking(move || remote_write::decode(&bytes, limit))
        .await
        .map_err(|error| Problem::internal(&error))?
        .map_err(|error| {
            app.context.ingest.refuse(Source::RemoteWrite, Reason::Malformed, 1);
            unreadable(&error)
        })?;
    let Decoded { batch, rejected, rejected_samples, .. } = decoded;
    app.context.ingest.refuse(Source::RemoteWrite, Reason::Malformed, rejected_samples as u64);
    if !batch.is_empty() {
        app.context.ingest.append_metrics(Source::RemoteWrite, batch).await?;
    }
    match rejected.first() {
        None => Ok(StatusCode::NO_CONTENT),
        Some(first) => Err(Problem::new(
            Kind::BadBody,
            format!("{rejected_samples} samples were left out, the others are stored; {first}."),
        )),
    }
}

fn check_version(headers: &HeaderMap) -> Result<(), Problem> {
    let content_type = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or("");
    let second = content_type.contains("io.prometheus.write.v2");
    let snappy = headers.get(header::CONTENT_ENCODING).is_none_or(|value| value.as_bytes() == b"snappy");
    if second || !snappy {
        return Err(Problem::new(
            Kind::UnsupportedMediaType,
            "Send remote write 1.0: `Content-Type: application/x-protobuf` and `Content-Encoding: snappy`.",
        ));
    }
    Ok(())
}

fn unreadable(error: &RemoteWriteError) -> Problem {
    let kind = match error {
        RemoteWriteError::TooLarge { .. } => Kind::TooLarge,
        RemoteWriteError::Snappy(_) | RemoteWriteError::Protobuf(_) => Kind::BadBody,
    };
    Problem::new(kind, format!("{}.", crate::problem::chain(error)))
}
