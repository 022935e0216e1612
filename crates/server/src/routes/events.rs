//! Pipeline events: `POST /api/v1/events`.

use axum::Json;
use axum::body::{Body, Bytes};
use axum::extract::State;
use ingest::{Reason, Source};
use model::Timestamp;
use protocol::events::{self, BodyError, Decoded};
use serde::Serialize;
use utoipa::ToSchema;

use crate::context::Shared;
use crate::guard::body;
use crate::problem::{Kind, Problem, ProblemBody};

/// What became of the events of a request.
#[derive(Debug, Default, Serialize, ToSchema)]
pub(super) struct Outcome {
    /// Events that are stored now, and durable.
    accepted: usize,
    /// Events that were stored before.
    duplicates: usize,
    /// Events that were not taken.
    rejected: Vec<Rejection>,
}

/// An event that was not taken.
#[derive(Debug, Serialize, ToSchema)]
struct Rejection {
    /// Its place in the request, from 0; empty lines are not counted.
    index: usize,
    /// Why, in words that say what to change.
    reason: String,
}

/// Takes pipeline events: a JSON array, or one JSON object a line. Each event is accepted or rejected
/// by itself. The answer comes once what was accepted is durable; sending the same events again is safe.
#[utoipa::path(post, path = "/api/v1/events", tag = "ingest",
    request_body(content = String, content_type = "application/json", description = "Events; see /api/v1/events/schema"),
    responses((status = 200, body = Outcome), (status = 400, body = ProblemBody), (status = 413, body = ProblemBody),
        (status = 503, body = ProblemBody, description = "Try again after the time in the header Retry-After")))]
pub(super) async fn take(State(app): State<Shared>, body: Body) -> Result<Json<Outcome>, Problem> {
    let bytes = body::read(body, app.config.max_decompressed_body).await?;
    let decoded = decode(bytes)
        .await?
        .inspect_err(|_| app.context.ingest.refuse_events(Source::EventsApi, Reason::Malformed, 1))?;
    let mut outcome = Outcome::default();
    let mut places = Vec::with_capacity(decoded.events.len());
    let mut good = Vec::with_capacity(decoded.events.len());
    for (index, event) in decoded.events.into_iter().enumerate() {
        match event {
            Ok(event) => {
                places.push(index);
                good.push(event);
            }
            Err(rejected) => outcome.rejected.push(Rejection { index, reason: rejected.reason }),
        }
    }
    app.context.ingest.refuse_events(Source::EventsApi, Reason::Malformed, outcome.rejected.len() as u64);
    if !good.is_empty() {
        let stored = app.context.ingest.append_events(Source::EventsApi, good).await?;
        outcome.accepted = stored.accepted;
        outcome.duplicates = stored.duplicates;
        outcome.rejected.extend(
            stored
                .rejected
                .into_iter()
                .map(|rejection| Rejection { index: places[rejection.index], reason: rejection.reason }),
        );
        outcome.rejected.sort_by_key(|rejection| rejection.index);
    }
    Ok(Json(outcome))
}

/// Bodies below this are decoded where they are; a larger one would hold up other requests.
const DECODE_HERE: usize = 64 << 10;

async fn decode(bytes: Bytes) -> Result<Result<Decoded, Problem>, Problem> {
    let now = Timestamp::now();
    let small = bytes.len() <= DECODE_HERE;
    let work = move || events::decode(&bytes, now).map_err(|error| unreadable(&error));
    if small {
        return Ok(work());
    }
    tokio::task::spawn_blocking(work).await.map_err(|error| Problem::internal(&error))
}

fn unreadable(error: &BodyError) -> Problem {
    let kind = match error {
        BodyError::Empty | BodyError::NotJson(_) => Kind::BadBody,
        BodyError::TooMany { .. } => Kind::TooLarge,
    };
    Problem::new(kind, format!("{}.", crate::problem::chain(error)))
}
