//! Records of logs and spans, which become events.

use axum::body::Bytes;
use ingest::{Limits, Reason, Source};
use model::Timestamp;
use model::event::Event;
use protocol::otlp::rows::{LogRows, RowLimits, Rows, SpanRows};
use protocol::otlp::{self, Encoding, OtlpError, Signal};

use super::export::{Taken, decoded, max_memory, source};
use super::form::Form;
use crate::context::Shared;
use crate::problem::Problem;

/// Decodes a request into rows.
type DecodeRows = fn(Encoding, &[u8], &RowLimits) -> Result<Rows, OtlpError>;

pub(super) fn decode_logs(encoding: Encoding, bytes: &[u8], limits: &RowLimits) -> Result<Rows, OtlpError> {
    let mut rows = LogRows::new(limits, Timestamp::now());
    otlp::decode_logs(encoding, bytes, &mut rows)?;
    Ok(rows.finish())
}

pub(super) fn decode_traces(encoding: Encoding, bytes: &[u8], limits: &RowLimits) -> Result<Rows, OtlpError> {
    let mut rows = SpanRows::new(limits, Timestamp::now());
    otlp::decode_traces(encoding, bytes, &mut rows)?;
    Ok(rows.finish())
}

/// Decodes a request and stores what is in it.
pub(super) async fn take(
    app: &Shared,
    signal: Signal,
    form: Form,
    body: Bytes,
    decode: DecodeRows,
) -> Result<Taken, Problem> {
    let (ingest, source) = (&app.context.ingest, source(signal));
    let limits = row_limits(ingest.limits(), app);
    let rows = decoded(app, signal, form, body, move |bytes| decode(form.encoding, bytes, &limits)).await?;
    ingest.refuse_events(source, Reason::Malformed, rows.rejected);
    let (rejected, reasons) = store(app, source, rows.events).await?;
    let reasons = rows.reasons.into_iter().chain(reasons).collect();
    Ok(Taken { rejected: rows.rejected + rejected, reasons })
}

/// Stores records; how many were rejected, and why.
async fn store(app: &Shared, source: Source, events: Vec<Event>) -> Result<(u64, Vec<String>), Problem> {
    if events.is_empty() {
        return Ok((0, Vec::new()));
    }
    let outcome = app.context.ingest.append_records(source, events).await?;
    let rejected = outcome.rejected.len() as u64;
    Ok((rejected, outcome.rejected.into_iter().map(|rejection| rejection.reason).collect()))
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
