//! Answers and errors in Prometheus' JSON.

use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use promql::{Error, ErrorKind, QueryOutput, Value};

use super::write;
use crate::problem::chain;

/// A good answer, as bytes: it may be large, and is written where blocking is allowed.
pub(super) struct Answer(String);

impl Answer {
    /// The answer to a query, `limit` series at the most.
    pub(super) fn of(output: QueryOutput, limit: Option<usize>) -> Self {
        let QueryOutput { mut value, mut warnings, infos } = output;
        let over = limit.is_some_and(|limit| match &mut value {
            Value::Vector(samples) => cut(samples, limit),
            Value::Matrix(series) => cut(series, limit),
            Value::Scalar(_) | Value::Text { .. } => false,
        });
        if over {
            warnings.push(TRUNCATED.to_owned());
        }
        Self::new(|text| write::value(&value, text), &warnings, &infos)
    }

    /// Any other answer, with whether a part was cut off.
    pub(super) fn other(data: &serde_json::Value, truncated: bool) -> Self {
        let warnings = if truncated { vec![TRUNCATED.to_owned()] } else { Vec::new() };
        Self::new(|text| text.push_str(&data.to_string()), &warnings, &[])
    }

    fn new(data: impl FnOnce(&mut String), warnings: &[String], infos: &[String]) -> Self {
        let mut text = r#"{"status":"success","data":"#.to_owned();
        data(&mut text);
        for (name, notes) in [("warnings", warnings), ("infos", infos)] {
            if !notes.is_empty() {
                text.push_str(&format!(",\"{name}\":{}", serde_json::json!(notes)));
            }
        }
        text.push('}');
        Self(text)
    }
}

const TRUNCATED: &str = "results truncated due to limit";

fn cut<T>(items: &mut Vec<T>, limit: usize) -> bool {
    let over = items.len() > limit;
    items.truncate(limit);
    over
}

impl IntoResponse for Answer {
    fn into_response(self) -> Response {
        ([(header::CONTENT_TYPE, "application/json")], self.0).into_response()
    }
}

/// An error in Prometheus' shape.
#[derive(Debug)]
pub(super) struct Failure {
    kind: ErrorKind,
    text: String,
}

impl Failure {
    pub(super) fn bad(text: impl Into<String>) -> Self {
        Self { kind: ErrorKind::BadData, text: text.into() }
    }

    pub(super) fn timed_out(text: impl Into<String>) -> Self {
        Self { kind: ErrorKind::Timeout, text: text.into() }
    }

    pub(super) fn internal(error: &(dyn std::error::Error + 'static)) -> Self {
        tracing::error!(error = %chain(error), "a metric query failed");
        let text = "the server could not answer; its log says why, under the id in the header X-Request-Id";
        Self { kind: ErrorKind::Internal, text: text.to_owned() }
    }
}

impl From<&Error> for Failure {
    fn from(error: &Error) -> Self {
        match error.kind() {
            ErrorKind::Internal => Self::internal(error),
            kind => Self { kind, text: error.to_string() },
        }
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        let status = match self.kind {
            ErrorKind::BadData => StatusCode::BAD_REQUEST,
            ErrorKind::Execution => StatusCode::UNPROCESSABLE_ENTITY,
            ErrorKind::Timeout | ErrorKind::Canceled => StatusCode::SERVICE_UNAVAILABLE,
            ErrorKind::Internal => StatusCode::INTERNAL_SERVER_ERROR,
        };
        let body =
            serde_json::json!({ "status": "error", "errorType": self.kind.name(), "error": self.text });
        (status, [(header::CONTENT_TYPE, "application/json")], body.to_string()).into_response()
    }
}
