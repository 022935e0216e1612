//! Prometheus remote write, 1.0 and 2.0.
//!
//! Of a request of 1.0 in which anything is wrong nothing is stored. Of one of 2.0 the rest is, and headers say how
//! much: that is what each protocol has its senders expect.

mod media;

use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use ingest::{Reason, Source};
use protocol::remote_write::{self, Decoded, RemoteWriteError, Version};

use super::decode;
use crate::context::Shared;
use crate::guard::body;
use crate::problem::{Kind, Problem, ProblemBody};

/// Takes samples, native histograms, exemplars and metadata by Prometheus remote write 1.0 or 2.0, as the header
/// `Content-Type` says. The answer comes once all is durable. What is wrong, out of order or too old is said with a
/// 400, which senders do not repeat.
#[utoipa::path(post, path = "/prometheus/api/v1/write", tag = "prometheus",
    request_body(content = Vec<u8>, content_type = "application/x-protobuf",
        description = "A snappy block of a prometheus.WriteRequest, or with `;proto=io.prometheus.write.v2.Request` of that"),
    responses((status = 204, description = "Stored"), (status = 400, body = ProblemBody), (status = 413, body = ProblemBody),
        (status = 415, body = ProblemBody),
        (status = 503, body = ProblemBody, description = "Try again after the time in the header Retry-After")))]
pub(super) async fn take(State(app): State<Shared>, headers: HeaderMap, body: Body) -> Response {
    let version = match media::version(&headers) {
        Ok(version) => version,
        Err(problem) => return problem.into_response(),
    };
    let mut written = Written::default();
    let result = match body::read(body, app.config.max_ingest_body).await {
        Ok(bytes) => store(&app, version, bytes, &mut written).await,
        Err(problem) => Err(problem),
    };
    let mut response =
        result.map_or_else(IntoResponse::into_response, |()| StatusCode::NO_CONTENT.into_response());
    if version == Version::Second {
        response.headers_mut().extend(written.headers());
    }
    response
}

/// How much of a request is stored.
#[derive(Default)]
struct Written {
    samples: u64,
    histograms: u64,
    exemplars: u64,
}

impl Written {
    fn headers(&self) -> [(HeaderName, HeaderValue); 3] {
        let name = HeaderName::from_static;
        [
            (name("x-prometheus-remote-write-samples-written"), self.samples.into()),
            (name("x-prometheus-remote-write-histograms-written"), self.histograms.into()),
            (name("x-prometheus-remote-write-exemplars-written"), self.exemplars.into()),
        ]
    }
}

async fn store(app: &Shared, version: Version, bytes: Bytes, written: &mut Written) -> Result<(), Problem> {
    let ingest = &app.context.ingest;
    let limit = usize::try_from(app.config.max_decompressed_body.0).unwrap_or(usize::MAX);
    let unpacked = remote_write::unpacked_bytes(&bytes).min(limit) as u64;
    let room = decode::room(app, unpacked).await.map_err(|(reason, problem)| {
        ingest.refuse_samples(Source::RemoteWrite, reason, 1);
        problem
    })?;
    // The room goes with it, also when nobody waits for it any more.
    let decode = move || (remote_write::decode(&bytes, version, limit), room);
    let (decoded, _room) =
        tokio::task::spawn_blocking(decode).await.map_err(|error| Problem::internal(&error))?;
    let decoded = decoded.map_err(|error| {
        ingest.refuse_samples(Source::RemoteWrite, Reason::Malformed, 1);
        unreadable(&error)
    })?;
    let Decoded {
        batch,
        histograms,
        exemplars,
        exemplars_left_out,
        metadata,
        rejected,
        rejected_samples,
        ..
    } = decoded;
    ingest.refuse_samples(
        Source::RemoteWrite,
        Reason::Malformed,
        (rejected_samples + exemplars_left_out) as u64,
    );
    let wrong = rejected.first().map(|first| format!("{rejected_samples} samples are wrong: {first}"));
    if version == Version::First
        && let Some(wrong) = &wrong
    {
        let all = batch.sample_count() + histograms.sample_count() + exemplars.len();
        ingest.refuse_samples(Source::RemoteWrite, Reason::Malformed, all as u64);
        return Err(Problem::new(Kind::BadBody, format!("Nothing was stored. {wrong}.")));
    }
    ingest.note_metadata(Source::RemoteWrite, metadata);
    // Each is durable by itself; together they wait for the disk once.
    let (samples, histograms, exemplars) = tokio::join!(
        ingest.append_metrics(Source::RemoteWrite, batch),
        ingest.append_metrics(Source::RemoteWrite, histograms),
        ingest.append_exemplars(Source::RemoteWrite, exemplars),
    );
    // After an error all is sent again, so nothing counts as written; what is there is there once.
    let (samples, histograms, exemplars) = (samples?, histograms?, exemplars?);
    *written = Written { samples: samples.held(), histograms: histograms.held(), exemplars };
    let refusals = [samples, histograms].into_iter().filter_map(|outcome| outcome.refusals());
    let reasons: Vec<String> = wrong.into_iter().chain(refusals).collect();
    if reasons.is_empty() {
        return Ok(());
    }
    Err(Problem::new(Kind::NotAllStored, format!("{}. The rest is stored.", reasons.join("; "))))
}

fn unreadable(error: &RemoteWriteError) -> Problem {
    let kind = match error {
        RemoteWriteError::TooLarge { .. } => Kind::TooLarge,
        RemoteWriteError::Snappy(_) | RemoteWriteError::Protobuf(_) | RemoteWriteError::Symbols(_) => {
            Kind::BadBody
        }
    };
    Problem::new(kind, format!("{}.", crate::problem::chain(error)))
}
