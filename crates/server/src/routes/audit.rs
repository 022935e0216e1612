//! The audit log.

use std::sync::Arc;

use axum::extract::State;
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use model::{TimeRange, Timestamp};
use serde::Deserialize;
use serde_json::json;
use state::{AuditFormat, AuditHash, Outcome};
use tokio::sync::watch;
use tracing::Instrument as _;
use utoipa::IntoParams;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::Routes;
use crate::access::Caller;
use crate::access::record::{Action, whole};
use crate::audit;
use crate::context::Shared;
use crate::export::Place;
use crate::params::{List, Params, Window, between, named, time};
use crate::problem::{Problem, ProblemBody};
use crate::wire::audit::{AuditItem, AuditVerdict};

pub(super) fn routes() -> Routes {
    OpenApiRouter::new().routes(routes!(list)).routes(routes!(verify)).routes(routes!(export))
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
struct ListParams {
    /// Who did it.
    actor: Option<String>,
    /// What was done; `user` finds `user.create` too.
    action: Option<String>,
    /// To what.
    target: Option<String>,
    /// At this time (RFC 3339) or later.
    #[param(value_type = Option<String>, format = DateTime)]
    #[serde(default, deserialize_with = "time")]
    since: Option<Timestamp>,
    /// At this time (RFC 3339) or earlier.
    #[param(value_type = Option<String>, format = DateTime)]
    #[serde(default, deserialize_with = "time")]
    until: Option<Timestamp>,
    /// The most items, 100 if left out.
    limit: Option<u32>,
    /// How many items to skip.
    offset: Option<u32>,
}

/// Who did what, newest first.
#[utoipa::path(get, path = "/api/v1/audit", tag = "access", params(ListParams),
    responses((status = 200, body = List<AuditItem>), (status = "4XX", body = ProblemBody)))]
async fn list(
    State(app): State<Shared>,
    Params(params): Params<ListParams>,
) -> Result<Json<List<AuditItem>>, Problem> {
    let window = Window::new(params.limit, params.offset)?;
    let range = (params.since.is_some() || params.until.is_some()).then(|| {
        TimeRange::new(params.since.unwrap_or(Timestamp::MIN), params.until.unwrap_or(Timestamp::MAX))
    });
    let filter =
        state::AuditFilter { actor: params.actor, action: params.action, target: params.target, range };
    let (records, total) = app.context.state.audit().list(&filter, window.stored()).await?;
    Ok(Json(window.list(records, total)))
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
struct VerifyParams {
    /// The hash of an entry, as it was noted elsewhere when that was the last one: an entry must have it.
    expect_head: Option<String>,
    /// Whether it is told how far it is: then the answer is NDJSON, whose last line is the verdict, and may take as
    /// long as it takes.
    progress: Option<bool>,
}

/// Whether the audit log is as it was written: each entry is hashed anew and must follow the one before it. The
/// verification is an entry of the log itself.
#[utoipa::path(get, path = "/api/v1/audit/verify", tag = "access", params(VerifyParams),
    responses((status = 200, body = AuditVerdict),
        (status = 503, body = ProblemBody, description = "Too many exports and verifications run"),
        (status = "4XX", body = ProblemBody)))]
async fn verify(
    State(app): State<Shared>,
    Extension(caller): Extension<Caller>,
    Params(params): Params<VerifyParams>,
) -> Result<Response, Problem> {
    let expected = named::<AuditHash>("expect_head", params.expect_head.as_deref())?;
    let place = Place::take(&app)?;
    let (progress, watched) = watch::channel(audit::Progress::default());
    if params.progress == Some(true) {
        let verification = audit::verify(Arc::clone(&app), caller, expected, place, progress);
        let verification = app.actions.spawn(verification.in_current_span());
        let kind = [(header::CONTENT_TYPE, "application/x-ndjson")];
        return Ok((kind, audit::told(watched, verification)).into_response());
    }
    let verdict = whole(&app, move |app| audit::verify(app, caller, expected, place, progress)).await?;
    Ok(Json(AuditVerdict::from(verdict)).into_response())
}

#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
struct ExportParams {
    /// From the first entry at this time (RFC 3339) or later.
    #[param(value_type = Option<String>, format = DateTime)]
    #[serde(default, deserialize_with = "time")]
    since: Option<Timestamp>,
    /// Up to the last entry at this time (RFC 3339) or earlier.
    #[param(value_type = Option<String>, format = DateTime)]
    #[serde(default, deserialize_with = "time")]
    until: Option<Timestamp>,
    /// `ndjson` or `csv`; `ndjson` if left out.
    format: Option<String>,
}

/// The audit log as a file, with the hashes by which it can be verified without the log. It is sent while it is made;
/// a file that ends early is not whole: the connection breaks off then. The export is an entry of the log itself.
#[utoipa::path(get, path = "/api/v1/audit/export", tag = "access", params(ExportParams),
    responses((status = 200, body = String, content_type = "application/x-ndjson"),
        (status = 503, body = ProblemBody, description = "Too many exports and verifications run"),
        (status = "4XX", body = ProblemBody)))]
async fn export(
    State(app): State<Shared>,
    Extension(caller): Extension<Caller>,
    Params(params): Params<ExportParams>,
) -> Result<Response, Problem> {
    let format = named("format", params.format.as_deref())?.unwrap_or(AuditFormat::Ndjson);
    let range = between(params.since, params.until)?;
    let place = Place::take(&app)?;
    let detail = json!({ "format": format.as_str(), "since": params.since, "until": params.until });
    // It is in the log before anything of the log is given out.
    let export = whole(&app, move |app| async move {
        let action = Action { name: "audit.export", target: None, detail };
        app.record(&caller, action, Outcome::Ok).await?;
        Ok(app.context.state.audit().export(range, format).await?)
    })
    .await?;
    let mut response = audit::body(&app, place, export).into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(format.media_type()));
    let disposition = format!("attachment; filename=\"audit.{format}\"");
    if let Ok(value) = HeaderValue::from_str(&disposition) {
        headers.insert(header::CONTENT_DISPOSITION, value);
    }
    Ok(response)
}
