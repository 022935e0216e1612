//! Prometheus remote read: the samples of series, as another Prometheus asks for them.

mod passes;
mod samples;
mod stream;

use std::collections::BTreeMap;

use axum::body::Bytes;
use axum::extract::State;
use axum::extract::rejection::BytesRejection;
use axum::response::Response;
use model::{Labels, TimeRange, Timestamp};
use promql::Error;
use protocol::remote_read::{self, AnswerType, LabelMatcher, MatchKind};
use store::{MatchOp, Matcher};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::answer::Failure;
use crate::context::Shared;
use crate::problem::chain;
use crate::routes::Routes;

pub(super) fn routes() -> Routes {
    OpenApiRouter::new().routes(routes!(read))
}

/// The largest request after it is decompressed, in bytes.
const MAX_REQUEST_BYTES: usize = 1 << 20;

/// Answers samples by Prometheus remote read (`remote_read` in a prometheus.yml): in one message, or as a stream of
/// chunks, whichever the request names first. Hints are passed over.
#[utoipa::path(post, path = "/prometheus/api/v1/read", tag = "prometheus",
    request_body(content = Vec<u8>, content_type = "application/x-protobuf", description = "A snappy block of a prometheus.ReadRequest"),
    responses((status = 200, description = "A snappy block of a prometheus.ReadResponse; or frames of prometheus.ChunkedReadResponse, each behind its length as a varint and its CRC-32C",
            content((Vec<u8> = "application/x-protobuf"), (Vec<u8> = "application/x-streamed-protobuf; proto=prometheus.ChunkedReadResponse"))),
        Failure))]
async fn read(State(app): State<Shared>, body: Result<Bytes, BytesRejection>) -> Result<Response, Failure> {
    let body = body.map_err(|error| Failure::bad(error.body_text()))?;
    let request =
        remote_read::decode(&body, MAX_REQUEST_BYTES).map_err(|error| Failure::bad(chain(&error)))?;
    let external = External::of(&app);
    let selection = |query| Selection::of(query, &external);
    let selections: Result<Vec<_>, _> = request.queries.into_iter().map(selection).collect();
    let selections = selections.map_err(|error| Failure::from(&error))?;
    match request.answer {
        Some(AnswerType::Samples) => samples::answer(&app, selections, external).await,
        Some(AnswerType::Chunks) => stream::answer(&app, selections, external).await,
        None => Err(Failure::bad(
            "none of the accepted types of answers is known: accept SAMPLES (0) or STREAMED_XOR_CHUNKS (1)",
        )),
    }
}

/// Which series a query asks for, and of what time.
struct Selection {
    matchers: Vec<Matcher>,
    range: TimeRange,
}

impl Selection {
    fn of(query: remote_read::Query, external: &External) -> Result<Self, Error> {
        let (start, end) = (Timestamp::from_millis(query.start_ms), Timestamp::from_millis(query.end_ms));
        if end < start {
            return Err(Error::BadData("a query ends before it starts".to_owned()));
        }
        let matchers = query.matchers.into_iter().map(|asked| external.matcher(asked));
        Ok(Self { matchers: matchers.collect::<Result<_, _>>()?, range: TimeRange::new(start, end) })
    }
}

/// The labels that series have outside of this store: those of the files that are scraped by. Who asks knows series
/// with them.
#[derive(Clone, Debug, Default)]
struct External(BTreeMap<String, String>);

impl External {
    fn of(app: &Shared) -> Self {
        Self(app.context.collectors.scrapes().map(|scrapes| scrapes.external_labels()).unwrap_or_default())
    }

    /// What is asked for, where a series has the external labels that it does not have in the store.
    fn matcher(&self, asked: LabelMatcher) -> Result<Matcher, Error> {
        let LabelMatcher { name, kind, mut value } = asked;
        let op = match kind {
            MatchKind::Equal => MatchOp::Equal,
            MatchKind::NotEqual => MatchOp::NotEqual,
            MatchKind::Regex => MatchOp::Regex,
            MatchKind::NotRegex => MatchOp::NotRegex,
        };
        if op == MatchOp::Equal && self.0.get(&name) == Some(&value) {
            value.clear();
        }
        Matcher::new(name, op, value).map_err(|error| Error::BadData(chain(&error)))
    }

    /// The labels of a series, and those of these that it has not itself.
    fn added_to(&self, labels: &Labels) -> Labels {
        if self.0.is_empty() {
            return labels.clone();
        }
        let mut all = labels.to_builder();
        for (name, value) in self.0.iter().filter(|(name, _)| labels.get(name).is_none()) {
            all.set(name, value);
        }
        all.build()
    }
}
