//! Remote read answered in one message, which is in memory as a whole.

use axum::http::{HeaderName, header};
use axum::response::{IntoResponse, Response};
use model::Sample;
use promql::{Cancel, Error, Limits};
use protocol::remote_read;
use store::{SelectRequest, SeriesBuffer, TelemetryStore};

use super::super::answer::Failure;
use super::super::run::{self, Job};
use super::{External, Selection};
use crate::context::Shared;

/// The largest answer before it is compressed, in bytes.
const MAX_ANSWER_BYTES: usize = 64 << 20;

const HEADERS: [(HeaderName, &str); 2] =
    [(header::CONTENT_TYPE, "application/x-protobuf"), (header::CONTENT_ENCODING, "snappy")];

pub(super) async fn answer(
    app: &Shared,
    selections: Vec<Selection>,
    external: External,
) -> Result<Response, Failure> {
    let store = app.context.store.clone();
    let job: Job<_> = Box::new(move |engine, cancel| {
        gather(store.as_ref(), engine.limits(), selections, &external, cancel)
    });
    let answer = run::run_range(app, None, job).await?;
    Ok((HEADERS, answer).into_response())
}

fn gather(
    store: &dyn TelemetryStore,
    limits: &Limits,
    selections: Vec<Selection>,
    external: &External,
    cancel: &Cancel,
) -> Result<Vec<u8>, Error> {
    let mut response = remote_read::Response::default();
    let mut buffer = SeriesBuffer::default();
    let mut left = limits.max_samples;
    for Selection { matchers, range } in selections {
        response.next_query();
        let request =
            SelectRequest { matchers, range, values: None, max_samples: left, cancel: cancel.clone() };
        let mut cursor = store.select(&request)?;
        let mut series = 0;
        while cursor.next_series(&mut buffer)? {
            if cancel.is_cancelled() {
                return Err(Error::Canceled);
            }
            series += 1;
            left = left.saturating_sub(buffer.times_ms.len() as u64);
            let times = buffer.times_ms.iter().zip(&buffer.values);
            let samples = times.map(|(time_ms, value)| Sample { time_ms: *time_ms, value: *value });
            let labels = external.added_to(&buffer.labels);
            response.push(labels.as_ref(), samples, &buffer.histograms);
            if series > limits.max_series || response.size_bytes() > MAX_ANSWER_BYTES {
                return Err(Error::LimitReached(format!(
                    "the answer has more than {} series (promql.max_series) or {MAX_ANSWER_BYTES} bytes; add matchers, \
                     ask for a shorter range, or accept STREAMED_XOR_CHUNKS",
                    limits.max_series
                )));
            }
        }
    }
    response
        .encode()
        .ok_or_else(|| Error::LimitReached("the answer is too large to be compressed".to_owned()))
}
