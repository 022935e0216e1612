//! Prometheus remote read: the samples of series, as another Prometheus asks for them.

use axum::body::Bytes;
use axum::extract::State;
use axum::extract::rejection::BytesRejection;
use axum::http::{HeaderName, header};
use axum::response::{IntoResponse, Response};
use model::{Sample, TimeRange, Timestamp};
use promql::{Cancel, Error, Limits};
use protocol::remote_read::{self, LabelMatcher, MatchKind, Query};
use store::{MatchOp, Matcher, SelectRequest, SeriesBuffer, TelemetryStore};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::answer::Failure;
use super::run::{self, Job};
use crate::context::Shared;
use crate::problem::chain;
use crate::routes::Routes;

pub(super) fn routes() -> Routes {
    OpenApiRouter::new().routes(routes!(read))
}

/// The largest answer before it is compressed, in bytes: it is in memory as a whole.
const MAX_ANSWER_BYTES: usize = 64 << 20;
/// The largest request after it is decompressed, in bytes.
const MAX_REQUEST_BYTES: usize = 1 << 20;

const HEADERS: [(HeaderName, &str); 2] =
    [(header::CONTENT_TYPE, "application/x-protobuf"), (header::CONTENT_ENCODING, "snappy")];

/// Answers samples by Prometheus remote read (`remote_read` in a prometheus.yml). Hints are passed over; the answer
/// is one of samples, never a stream of chunks.
#[utoipa::path(post, path = "/prometheus/api/v1/read", tag = "prometheus",
    request_body(content = Vec<u8>, content_type = "application/x-protobuf", description = "A snappy block of a prometheus.ReadRequest"),
    responses((status = 200, body = Vec<u8>, content_type = "application/x-protobuf", description = "A snappy block of a prometheus.ReadResponse"),
        (status = "4XX", body = serde_json::Value)))]
async fn read(State(app): State<Shared>, body: Result<Bytes, BytesRejection>) -> Result<Response, Failure> {
    let body = body.map_err(|error| Failure::bad(error.body_text()))?;
    let request =
        remote_read::decode(&body, MAX_REQUEST_BYTES).map_err(|error| Failure::bad(chain(&error)))?;
    if !request.takes_samples {
        return Err(Failure::bad("a stream of chunks is not answered: accept the response type SAMPLES too"));
    }
    let store = app.context.store.clone();
    let job: Job<_> =
        Box::new(move |engine, cancel| answer(store.as_ref(), engine.limits(), request.queries, cancel));
    let answer = run::run_range(&app, None, job).await?;
    Ok((HEADERS, answer).into_response())
}

fn answer(
    store: &dyn TelemetryStore,
    limits: &Limits,
    queries: Vec<Query>,
    cancel: &Cancel,
) -> Result<Vec<u8>, Error> {
    let mut response = remote_read::Response::default();
    let mut buffer = SeriesBuffer::default();
    let mut left = limits.max_samples;
    for query in queries {
        response.next_query();
        let (start, end) = (Timestamp::from_millis(query.start_ms), Timestamp::from_millis(query.end_ms));
        if end < start {
            return Err(Error::BadData("a query ends before it starts".to_owned()));
        }
        let matchers = query.matchers.into_iter().map(matcher).collect::<Result<_, _>>()?;
        let request = SelectRequest {
            matchers,
            range: TimeRange::new(start, end),
            values: None,
            max_samples: left,
            cancel: cancel.clone(),
        };
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
            response.push(buffer.labels.as_ref(), samples, &buffer.histograms);
            if series > limits.max_series || response.size_bytes() > MAX_ANSWER_BYTES {
                return Err(Error::LimitReached(format!(
                    "the answer has more than {} series (promql.max_series) or {MAX_ANSWER_BYTES} bytes; add matchers \
                     or ask for a shorter range",
                    limits.max_series
                )));
            }
        }
    }
    response
        .encode()
        .ok_or_else(|| Error::LimitReached("the answer is too large to be compressed".to_owned()))
}

fn matcher(asked: LabelMatcher) -> Result<Matcher, Error> {
    let op = match asked.kind {
        MatchKind::Equal => MatchOp::Equal,
        MatchKind::NotEqual => MatchOp::NotEqual,
        MatchKind::Regex => MatchOp::Regex,
        MatchKind::NotRegex => MatchOp::NotRegex,
    };
    Matcher::new(asked.name, op, asked.value).map_err(|error| Error::BadData(chain(&error)))
}
