//! What becomes of an export request, whatever it came by: it is unpacked, decoded and stored.

use axum::body::Bytes;
use ingest::{Reason, Source};
use protocol::Budget;
use protocol::otlp::{Encoding, OtlpError, Reasons, Signal};

use super::form::Form;
use super::{metrics, records};
use crate::context::Shared;
use crate::problem::{Kind, Problem, chain};
use crate::routes::decode::{self, Decoded, Refusal};

/// What is told of a request of which all is stored but what is counted here.
#[derive(Debug)]
pub(super) struct Taken {
    /// Records, spans or points that were rejected.
    pub(super) rejected: u64,
    /// Why.
    pub(super) reasons: Reasons,
}

/// Takes a request.
pub(super) async fn take(app: &Shared, signal: Signal, form: Form, body: Bytes) -> Result<Taken, Problem> {
    match signal {
        Signal::Logs => records::take(app, signal, form, body, records::decode_logs).await,
        Signal::Traces => records::take(app, signal, form, body, records::decode_traces).await,
        Signal::Metrics => metrics::take(app, form, body).await,
    }
}

/// Unpacks a request and decodes it; one that is not taken is counted.
pub(super) async fn decoded<T: Send + 'static>(
    app: &Shared,
    signal: Signal,
    form: Form,
    body: Bytes,
    decode: impl Fn(Encoding, &[u8], &Budget) -> Result<T, OtlpError> + Send + 'static,
) -> Result<Decoded<T>, Problem> {
    let Form { encoding, packing } = form;
    let decode = move |bytes: &[u8], budget: &Budget| {
        decode(encoding, bytes, budget).map_err(|error| {
            let said = format!("Nothing was stored: {}.", chain(&error));
            (Reason::Malformed, Problem::new(Kind::BadBody, said))
        })
    };
    let decoded = decode::decoded(app, packing, body, decode).await;
    decoded.map_err(|refusal| refused(app, signal, refusal))
}

/// Counts a request that is not taken, and says what is told.
pub(super) fn refused(app: &Shared, signal: Signal, (reason, problem): Refusal) -> Problem {
    refuse(app, signal, reason, 1);
    problem
}

/// Counts what never came as far as an event or a sample.
pub(super) fn refuse(app: &Shared, signal: Signal, reason: Reason, count: u64) {
    let (ingest, source) = (&app.context.ingest, source(signal));
    match signal {
        Signal::Logs | Signal::Traces => ingest.refuse_events(source, reason, count),
        Signal::Metrics => ingest.refuse_samples(source, reason, count),
    }
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
