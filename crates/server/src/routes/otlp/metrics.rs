//! Points of metrics, which become samples.

use std::sync::Arc;

use axum::body::Bytes;
use ingest::Reason;
use protocol::Budget;
use protocol::otlp::names::NameStrategy;
use protocol::otlp::samples::{Converted, Options, RejectedPoint, SampleSink};
use protocol::otlp::{self, Encoding, Reasons, Signal};

use super::export::{Taken, decoded, max_memory, source};
use super::form::Form;
use crate::config::OtlpNames;
use crate::context::Shared;
use crate::problem::Problem;
use crate::routes::decode::{Decoded, in_room};

/// Decodes a request and stores what is in it.
pub(super) async fn take(app: &Shared, form: Form, body: Bytes) -> Result<Taken, Problem> {
    let options = options(app);
    let decode = move |encoding: Encoding, bytes: &[u8], budget: &Budget| {
        let mut sink = SampleSink::new(&options).within(budget.clone());
        otlp::decode_metrics(encoding, bytes, &mut sink).map(|()| sink.finish())
    };
    let Decoded { value: converted, room } = decoded(app, Signal::Metrics, form, body, decode).await?;
    let app = Arc::clone(app);
    in_room(room, async move { store(&app, converted).await }).await?
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

/// Stores samples. Of points that have become several samples, each is counted
/// that is refused on the way in.
async fn store(app: &Shared, converted: Converted) -> Result<Taken, Problem> {
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
    Ok(Taken { rejected: rejected_points as u64 + refused, reasons })
}
