//! Answers and errors in Prometheus' JSON.

use std::collections::BTreeMap;
use std::time::Duration;

use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use promql::{Error, ErrorKind, QueryOutput, Value};
use store::QueryError;
use utoipa::openapi::{self, Content, RefOr, ResponseBuilder, ResponsesBuilder};
use utoipa::{IntoResponses, PartialSchema as _};

use super::large::{self, LargeAnswer};
use super::stats::Measured;
use super::write;
use crate::context::Shared;
use crate::problem::chain;

const JSON: [(HeaderName, &str); 1] = [(header::CONTENT_TYPE, "application/json")];

/// A good answer. It is written where blocking is allowed.
pub(super) enum Answer {
    /// All of it.
    Whole(String),
    /// One that is written while it is sent.
    Large(Box<LargeAnswer>),
}

impl Answer {
    /// The answer to a query, `limit` series at the most, with what it took where that is wanted.
    pub(super) fn of(output: QueryOutput, limit: Option<usize>, measured: Option<Measured>) -> Self {
        let QueryOutput { mut value, mut warnings, infos, stats, held, .. } = output;
        let over = limit.is_some_and(|limit| match &mut value {
            Value::Vector(samples) => cut(samples, limit),
            Value::Matrix(series) => cut(series, limit),
            Value::Scalar(_) | Value::Text { .. } => false,
        });
        if over {
            warnings.push(TRUNCATED.to_owned());
        }
        let stats =
            measured.map(|measured| format!(",\"stats\":{}", measured.json(stats))).unwrap_or_default();
        let (bytes, end) = (write::size(&value), format!("{stats}}}{}", end(&warnings, &infos)));
        if bytes > large::LEAST_BYTES {
            return Self::Large(Box::new(LargeAnswer { value, bytes, end, held }));
        }
        let mut text = String::with_capacity(BEGIN.len() + bytes + end.len());
        text.push_str(BEGIN);
        // A text takes whatever is written.
        _ = write::value(value, &mut text, &mut write::Whole);
        text.push_str(&end);
        Self::Whole(text)
    }

    /// Any other answer, with whether a part was cut off.
    pub(super) fn other(data: &serde_json::Value, truncated: bool) -> Self {
        let warnings = if truncated { vec![TRUNCATED.to_owned()] } else { Vec::new() };
        Self::Whole(format!("{BEGIN}{data}{}", end(&warnings, &[])))
    }

    /// The answer as it is sent.
    pub(super) fn respond(self, app: &Shared) -> Result<Response, Failure> {
        let body = match self {
            Self::Whole(text) => text.into(),
            Self::Large(answer) => large::send(*answer, app)?,
        };
        Ok((JSON, body).into_response())
    }
}

/// What stands before the data of an answer.
pub(super) const BEGIN: &str = r#"{"status":"success","data":"#;

/// What stands behind it.
fn end(warnings: &[String], infos: &[String]) -> String {
    let mut text = String::new();
    for (name, notes) in [("warnings", warnings), ("infos", infos)] {
        if !notes.is_empty() {
            text.push_str(&format!(",\"{name}\":{}", serde_json::json!(notes)));
        }
    }
    text.push('}');
    text
}

const TRUNCATED: &str = "results truncated due to limit";

fn cut<T>(items: &mut Vec<T>, limit: usize) -> bool {
    let over = items.len() > limit;
    items.truncate(limit);
    over
}

/// Prometheus' classes of errors.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Class {
    /// As the engine says.
    Query(ErrorKind),
    /// Not now.
    Unavailable,
}

impl Class {
    /// The name (`errorType`), and the status that goes with it.
    fn parts(self) -> (&'static str, StatusCode) {
        match self {
            Self::Query(kind) => (
                kind.name(),
                match kind {
                    ErrorKind::BadData => StatusCode::BAD_REQUEST,
                    ErrorKind::Execution => StatusCode::UNPROCESSABLE_ENTITY,
                    ErrorKind::Timeout => StatusCode::SERVICE_UNAVAILABLE,
                    // As nginx has it: the client has gone away.
                    ErrorKind::Canceled => {
                        StatusCode::from_u16(499).unwrap_or(StatusCode::SERVICE_UNAVAILABLE)
                    }
                    ErrorKind::Internal => StatusCode::INTERNAL_SERVER_ERROR,
                },
            ),
            Self::Unavailable => ("unavailable", StatusCode::SERVICE_UNAVAILABLE),
        }
    }
}

/// When to come back after there were too many queries.
const RETRY_SOON: Duration = Duration::from_secs(2);

/// An error in Prometheus' shape.
#[derive(Debug)]
pub(super) struct Failure {
    class: Class,
    text: String,
    retry_after: Option<Duration>,
}

impl Failure {
    fn query(kind: ErrorKind, text: impl Into<String>) -> Self {
        Self { class: Class::Query(kind), text: text.into(), retry_after: None }
    }

    pub(super) fn bad(text: impl Into<String>) -> Self {
        Self::query(ErrorKind::BadData, text)
    }

    /// What went wrong, in words.
    pub(super) fn text(&self) -> &str {
        &self.text
    }

    pub(super) fn timed_out(text: impl Into<String>) -> Self {
        Self::query(ErrorKind::Timeout, text)
    }

    /// Not now.
    pub(super) fn busy(text: impl Into<String>, retry_after: Duration) -> Self {
        Self { class: Class::Unavailable, text: text.into(), retry_after: Some(retry_after) }
    }

    pub(super) fn internal(error: &(dyn std::error::Error + 'static)) -> Self {
        tracing::error!(error = %chain(error), "a metric query failed");
        let text = "the server could not answer; its log says why, under the id in the header X-Request-Id";
        Self::query(ErrorKind::Internal, text)
    }
}

impl From<&Error> for Failure {
    fn from(error: &Error) -> Self {
        match (error, error.kind()) {
            (Error::Store(busy @ QueryError::Busy { .. }), _) => Self::busy(busy.to_string(), RETRY_SOON),
            (_, ErrorKind::Internal) => Self::internal(error),
            (_, kind) => Self::query(kind, error.to_string()),
        }
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        let (name, status) = self.class.parts();
        let body = serde_json::json!({ "status": "error", "errorType": name, "error": self.text });
        let mut response = (status, JSON, body.to_string()).into_response();
        if let Some(after) = self.retry_after {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(after.as_secs()));
        }
        response
    }
}

/// The description of what is answered where a query has to be run.
impl IntoResponses for Failure {
    fn responses() -> BTreeMap<String, RefOr<openapi::Response>> {
        let response = |description: &str| {
            let content = Content::new(Some(serde_json::Value::schema()));
            ResponseBuilder::new().description(description).content("application/json", content).build()
        };
        ResponsesBuilder::new()
            .response("4XX", response("As Prometheus answers"))
            .response(
                "503",
                response("`timeout`: it took too long; `unavailable`: come back after `Retry-After`"),
            )
            .build()
            .into()
    }
}
