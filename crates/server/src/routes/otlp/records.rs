//! Records of logs and spans, which become events.

use std::sync::Arc;

use axum::body::Bytes;
use ingest::{Limits, Reason};
use model::Timestamp;
use protocol::Budget;
use protocol::otlp::rows::{LogRows, RowLimits, Rows, SpanRows};
use protocol::otlp::{self, Encoding, OtlpError, Signal};

use super::export::{Taken, decoded, max_memory, refuse, source};
use super::form::Form;
use crate::context::Shared;
use crate::problem::Problem;
use crate::routes::decode::{Decoded, in_room};

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
    let limits = row_limits(app.context.ingest.limits(), app);
    let decode = move |encoding: Encoding, bytes: &[u8], budget: &Budget| {
        decode(encoding, bytes, &RowLimits { budget: budget.clone(), ..limits.clone() })
    };
    let Decoded { value: rows, room } = decoded(app, signal, form, body, decode).await?;
    let Rows { events, rejected, rejected_over_memory, mut reasons, .. } = rows;
    refuse(app, signal, Reason::Malformed, rejected - rejected_over_memory);
    refuse(app, signal, Reason::TooLarge, rejected_over_memory);
    let refused = if events.is_empty() {
        Vec::new()
    } else {
        let ingest = Arc::clone(&app.context.ingest);
        let storing = async move { ingest.append_events(source(signal), events).await };
        in_room(room, storing).await??.rejected
    };
    let rejected = rejected + refused.len() as u64;
    reasons.extend(refused.into_iter().map(|rejection| rejection.reason));
    Ok(Taken { rejected, reasons })
}

/// The bounds of the path in: what is cut while a request is read need not be held until it gets there.
pub(in crate::routes) fn row_limits(limits: &Limits, app: &Shared) -> RowLimits {
    RowLimits {
        max_text_bytes: limits.max_text_bytes,
        max_name_bytes: limits.max_name_bytes,
        max_attributes: limits.max_attributes,
        max_span_events: limits.max_span_events,
        max_bytes: max_memory(app),
        ..RowLimits::default()
    }
}
