//! Prometheus remote write, 1.0 and 2.0.
//!
//! Of a request of 1.0 in which anything is wrong nothing is stored. Of one of 2.0 the rest is, and headers say how
//! much: that is what each protocol has its senders expect.

mod media;

use std::sync::Arc;

use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use axum::response::{IntoResponse, Response};
use ingest::{Reason, Source};
use model::ByteSize;
use protocol::Budget;
use protocol::remote_write::{self, Decoded, RemoteWriteError, Version};

use super::decode::{self, Refusal, decoded_within, in_room};
use crate::context::Shared;
use crate::guard::body;
use crate::guard::packing::Packing;
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
    let result = match body::read(&headers, body, app.config.max_ingest_body).await {
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
    let declared = remote_write::unpacked_bytes(&bytes).max(bytes.len()) as u64;
    let expected = ByteSize(declared.min(app.config.max_decompressed_body.0));
    let decode = move |bytes: &[u8], budget: &Budget| {
        remote_write::decode_within(bytes, version, limit, budget).map_err(|error| unreadable(&error))
    };
    let decoded = decoded_within(app, Packing::Plain, bytes, expected, decode).await;
    let decode::Decoded { value: decoded, room } = decoded.map_err(|(reason, problem)| {
        ingest.refuse_samples(Source::RemoteWrite, reason, 1);
        problem
    })?;
    let app = Arc::clone(app);
    let keeping = async move {
        let mut written = Written::default();
        let kept = keep(&app, version, decoded, &mut written).await;
        (written, kept)
    };
    let (kept_of_it, kept) = in_room(room, keeping).await?;
    *written = kept_of_it;
    kept
}

/// Stores what was decoded.
async fn keep(
    app: &Shared,
    version: Version,
    decoded: Decoded,
    written: &mut Written,
) -> Result<(), Problem> {
    let ingest = &app.context.ingest;
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

fn unreadable(error: &RemoteWriteError) -> Refusal {
    let (reason, kind) = match error {
        RemoteWriteError::TooLarge { .. } => (Reason::Malformed, Kind::TooLarge),
        RemoteWriteError::NoRoom => (Reason::Overloaded, Kind::Overloaded),
        RemoteWriteError::Snappy(_) | RemoteWriteError::Protobuf(_) | RemoteWriteError::Symbols(_) => {
            (Reason::Malformed, Kind::BadBody)
        }
    };
    (reason, Problem::new(kind, format!("{}.", crate::problem::chain(error))))
}
