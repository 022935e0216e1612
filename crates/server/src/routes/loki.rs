//! Loki's push API: `POST /loki/api/v1/push`, as promtail, Alloy, Fluent Bit and Vector send to it. What Grafana asks of
//! Loki is in [`query`].
//!
//! What is wrong is told as Loki tells it: a status by which shippers know whether to send again, and plain text. A
//! request that cannot be decoded is refused as a whole; of any other the rest is stored, and a 400 names what is
//! not, for that is what keeps a shipper from sending all of it again.

mod answer;
mod form;
mod query;

use std::sync::Arc;

use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use ingest::{Reason, Source};
use model::Timestamp;
use protocol::Budget;
use protocol::loki::{self, LokiError};
use protocol::otlp::rows::{RowLimits, Rows};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::Routes;
use super::decode::{Decoded, Refusal, decoded_within, in_room};
use super::otlp::row_limits;
use crate::context::Shared;
use crate::guard::body;
use crate::problem::{Kind, Problem, chain};
use form::Form;

pub(crate) use answer::in_its_form;

/// What all of Loki's paths begin with.
const PREFIX: &str = "/loki/";
/// The header that says for whom lines are.
const TENANT: &str = "x-scope-orgid";
/// The longest name of a tenant; Loki takes no longer one either.
const MAX_TENANT_BYTES: usize = 150;

pub(super) fn routes() -> Routes {
    OpenApiRouter::new().routes(routes!(push))
}

/// What Grafana asks.
pub(super) fn reading() -> Routes {
    query::routes()
}

/// Takes lines of logs as Loki does. The answer comes once they are durable. A line is stored once, however often the
/// same request is sent.
#[utoipa::path(post, path = "/loki/api/v1/push", tag = "ingest",
    request_body(content = Vec<u8>, content_type = "application/x-protobuf",
        description = "A snappy block of a logproto.PushRequest, or its JSON with `application/json`; plain, gzip, deflate or zstd"),
    responses((status = 204, description = "Stored"),
        (status = 400, body = String, content_type = "text/plain",
            description = "It cannot be decoded, and nothing is stored; or some of its lines are not, which are named"),
        (status = 413, body = String, content_type = "text/plain", description = "It is too large, before or after decompression"),
        (status = 503, body = String, content_type = "text/plain", description = "Try again after the time in the header Retry-After")))]
async fn push(State(app): State<Shared>, headers: HeaderMap, body: Body) -> Result<StatusCode, Problem> {
    let form = Form::of(&headers)?;
    let tenant = tenant(&headers);
    let bytes = body::read(&headers, body, app.config.max_ingest_body).await?;
    let ingest = &app.context.ingest;
    let (limit, limits) = (app.config.max_decompressed_body, row_limits(ingest.limits(), &app));
    let decode = move |body: &[u8], budget: &Budget| {
        let message = form.message(body, limit).map_err(|error| not_decoded(&error))?;
        let limits = RowLimits { budget: budget.clone(), ..limits.clone() };
        let context = loki::Context { limits: &limits, now: Timestamp::now(), tenant: tenant.as_deref() };
        loki::decode(form.encoding, &message, &context).map_err(|error| not_decoded(&error))
    };
    let expected = form.expected(&bytes, limit);
    let decoded = decoded_within(&app, form.packing, bytes, expected, decode).await;
    let Decoded { value: rows, room } = decoded.map_err(|(reason, problem)| {
        ingest.refuse_events(Source::Loki, reason, 1);
        problem
    })?;
    let Rows { events, mut rejected, rejected_over_memory, mut reasons, .. } = rows;
    ingest.refuse_events(Source::Loki, Reason::Malformed, rejected - rejected_over_memory);
    ingest.refuse_events(Source::Loki, Reason::TooLarge, rejected_over_memory);
    let sent = events.len() as u64 + rejected;
    if !events.is_empty() {
        let ingest = Arc::clone(ingest);
        let outcome =
            in_room(room, async move { ingest.append_events(Source::Loki, events).await }).await??;
        rejected += outcome.rejected.len() as u64;
        reasons.extend(outcome.rejected.into_iter().map(|rejection| rejection.reason));
    }
    if rejected == 0 {
        return Ok(StatusCode::NO_CONTENT);
    }
    let said = format!("{rejected} of {sent} lines were not stored: {reasons}. The rest is stored.");
    Err(Problem::new(Kind::NotAllStored, said))
}

/// For whom the lines are; a name that none can have says nothing.
fn tenant(headers: &HeaderMap) -> Option<String> {
    let name = headers.get(TENANT)?.to_str().ok()?.trim();
    (1..=MAX_TENANT_BYTES).contains(&name.len()).then(|| name.to_owned())
}

fn not_decoded(error: &LokiError) -> Refusal {
    let said = format!("Nothing was stored: {}.", chain(error));
    match error {
        LokiError::TooLarge { .. } => (Reason::TooLarge, Problem::new(Kind::TooLarge, said)),
        LokiError::Snappy(_) | LokiError::Protobuf(_) | LokiError::Json(_) => {
            (Reason::Malformed, Problem::new(Kind::BadBody, said))
        }
    }
}
