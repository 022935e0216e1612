//! What becomes of an export request, whatever it came by: it is unpacked, decoded and stored.

use axum::body::Bytes;
use ingest::{Reason, Source};
use protocol::otlp::{OtlpError, Signal};

use super::form::{Form, UnpackError};
use super::{metrics, records};
use crate::context::Shared;
use crate::errors::capital;
use crate::problem::{Kind, Problem, chain};

/// Bodies below this are decoded where they are; a larger one would hold up other requests.
const DECODE_HERE: usize = 64 << 10;

/// What is told of a request of which all is stored but what is counted here.
#[derive(Debug)]
pub(super) struct Taken {
    /// Records, spans or points that were rejected.
    pub(super) rejected: u64,
    /// Why.
    pub(super) reasons: Vec<String>,
}

/// Takes a request.
pub(super) async fn take(app: &Shared, signal: Signal, form: Form, body: Bytes) -> Result<Taken, Problem> {
    match signal {
        Signal::Logs => records::take(app, signal, form, body, records::decode_logs).await,
        Signal::Traces => records::take(app, signal, form, body, records::decode_traces).await,
        Signal::Metrics => metrics::take(app, form, body).await,
    }
}

/// A request that cannot be taken: how it is counted, and what is told.
pub(super) type Refusal = (Reason, Problem);

/// Counts a request that cannot be taken.
pub(super) fn refused(app: &Shared, signal: Signal, (reason, problem): Refusal) -> Problem {
    let (ingest, source) = (&app.context.ingest, source(signal));
    match signal {
        Signal::Logs | Signal::Traces => ingest.refuse_events(source, reason, 1),
        Signal::Metrics => ingest.refuse_samples(source, reason, 1),
    }
    problem
}

/// As whose telemetry a signal is counted.
pub(super) fn source(signal: Signal) -> Source {
    match signal {
        Signal::Logs => Source::OtlpLogs,
        Signal::Traces => Source::OtlpTraces,
        Signal::Metrics => Source::OtlpMetrics,
    }
}

/// The most memory that what becomes of one request may take.
pub(super) fn max_memory(app: &Shared) -> usize {
    usize::try_from(app.config.otlp.max_request_memory.0).unwrap_or(usize::MAX)
}

/// Unpacks a body and decodes it. A refusal is counted.
pub(super) async fn decoded<T: Send + 'static>(
    app: &Shared,
    signal: Signal,
    form: Form,
    body: Bytes,
    decode: impl FnOnce(&[u8]) -> Result<T, OtlpError> + Send + 'static,
) -> Result<T, Problem> {
    let limit = app.config.max_decompressed_body;
    let is_small = form.is_plain() && body.len() <= DECODE_HERE;
    let work = move || {
        let unpacked = form.unpack(&body, limit).map_err(|error| {
            let (reason, kind) = match error {
                UnpackError::TooLarge(_) => (Reason::TooLarge, Kind::TooLarge),
                UnpackError::Broken(_) => (Reason::Malformed, Kind::BadBody),
            };
            (reason, Problem::new(kind, format!("{}.", capital(&error))))
        })?;
        decode(&unpacked).map_err(|error| {
            let said = format!("Nothing was stored: {}.", chain(&error));
            (Reason::Malformed, Problem::new(Kind::BadBody, said))
        })
    };
    let done = if is_small {
        work()
    } else {
        let done = tokio::task::spawn_blocking(work).await;
        done.unwrap_or_else(|error| Err((Reason::Malformed, Problem::internal(&error))))
    };
    done.map_err(|refusal| refused(app, signal, refusal))
}
