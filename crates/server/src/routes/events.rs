//! Pipeline events: `POST /api/v1/events`.

use std::sync::Arc;

use axum::Json;
use axum::body::Body;
use axum::extract::State;
use axum::http::HeaderMap;
use ingest::{Reason, Source};
use model::Timestamp;
use protocol::Budget;
use protocol::events::{self, BodyError};
use serde::Serialize;
use utoipa::ToSchema;

use super::decode::{Decoded, Refusal, decoded, in_room};
use crate::context::Shared;
use crate::guard::body;
use crate::guard::packing::Packing;
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
pub(super) async fn take(
    State(app): State<Shared>,
    headers: HeaderMap,
    body: Body,
) -> Result<Json<Outcome>, Problem> {
    let packing = Packing::of(&headers)?;
    let bytes = body::read(&headers, body, app.config.max_ingest_body).await?;
    let now = Timestamp::now();
    let decode = move |bytes: &[u8], budget: &Budget| {
        events::decode_within(bytes, now, budget).map_err(|error| unreadable(&error))
    };
    let decoded = decoded(&app, packing, bytes, decode).await.map_err(|(reason, problem)| {
        app.context.ingest.refuse_events(Source::EventsApi, reason, 1);
        problem
    })?;
    let Decoded { value: decoded, room } = decoded;
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
        let ingest = Arc::clone(&app.context.ingest);
        let storing = async move { ingest.append_events(Source::EventsApi, good).await };
        let stored = in_room(room, storing).await??;
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

fn unreadable(error: &BodyError) -> Refusal {
    let (reason, kind) = match error {
        BodyError::Empty | BodyError::NotJson(_) => (Reason::Malformed, Kind::BadBody),
        BodyError::TooMany { .. } | BodyError::TooLarge { .. } => (Reason::TooLarge, Kind::TooLarge),
        BodyError::NoRoom => (Reason::Overloaded, Kind::Overloaded),
    };
    (reason, Problem::new(kind, format!("{}.", crate::problem::chain(error))))
}
