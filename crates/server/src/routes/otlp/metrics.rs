//! Points of metrics, which become samples.

use axum::body::Body;
use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;
use ingest::Reason;
use protocol::otlp::names::NameStrategy;
use protocol::otlp::samples::{Converted, Options, RejectedPoint, SampleSink};
use protocol::otlp::{self, Encoding, Reasons, Signal};

use super::{answer, max_memory, received, source};
use crate::config::OtlpNames;
use crate::context::Shared;
use crate::problem::Problem;

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
pub(super) async fn take(
    State(app): State<Shared>,
    headers: HeaderMap,
    body: Body,
) -> Result<Response, Problem> {
    let options = options(&app);
    let decode = move |encoding: Encoding, bytes: &[u8]| {
        let mut sink = SampleSink::new(&options);
        otlp::decode_metrics(encoding, bytes, &mut sink).map(|()| sink.finish())
    };
    let (encoding, converted) = received(&app, Signal::Metrics, &headers, body, decode).await?;
    let (rejected, reasons) = store(&app, converted).await?;
    Ok(answer::success(Signal::Metrics, encoding, rejected, &reasons))
}

fn options(app: &Shared) -> Options {
    let config = &app.config.otlp;
    Options {
        names: match config.names {
            OtlpNames::Underscores => NameStrategy::Underscores,
            OtlpNames::Utf8 => NameStrategy::Utf8,
        },
        promoted: config.promote_resource_attributes.clone(),
        scope_labels: config.scope_labels,
        target_info: config.target_info,
        max_bytes: max_memory(app),
    }
}

/// Stores samples; how many points were rejected, and why. Of points that have become several samples, each is counted
/// that is refused on the way in.
async fn store(app: &Shared, converted: Converted) -> Result<(u64, Reasons), Problem> {
    let (ingest, source) = (&app.context.ingest, source(Signal::Metrics));
    let Converted {
        cumulative,
        delta,
        exemplars,
        exemplars_wrong,
        exemplars_over_limit,
        metadata,
        rejected,
        rejected_points,
        rejected_over_memory,
        ..
    } = converted;
    let wrong = rejected_points - rejected_over_memory + exemplars_wrong;
    ingest.refuse_samples(source, Reason::Malformed, wrong as u64);
    ingest.refuse_samples(source, Reason::TooLarge, (rejected_over_memory + exemplars_over_limit) as u64);
    ingest.note_metadata(source, metadata);
    // Each is durable by itself; together they wait for the disk once.
    let (numbers, histograms, delta_numbers, delta_histograms, exemplars) = tokio::join!(
        ingest.append_metrics(source, cumulative.numbers),
        ingest.append_metrics(source, cumulative.histograms),
        ingest.append_deltas(source, delta.numbers),
        ingest.append_deltas(source, delta.histograms),
        ingest.append_exemplars(source, exemplars),
    );
    // After an error all is sent again; what is there is there once.
    let outcomes = [numbers?, histograms?, delta_numbers?, delta_histograms?];
    exemplars?;
    let refused: u64 = outcomes.iter().map(ingest::SamplesOutcome::refused).sum();
    let mut reasons: Reasons = rejected.iter().map(RejectedPoint::to_string).collect();
    reasons.extend(outcomes.iter().filter_map(ingest::SamplesOutcome::refusals));
    Ok((rejected_points as u64 + refused, reasons))
}
