//! Answers and errors in Prometheus' JSON.

use axum::Json;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use model::{Labels, Sample};
use promql::{Error, ErrorKind, QueryOutput, Value, format_value};
use serde::ser::{SerializeMap, SerializeSeq};
use serde::{Serialize, Serializer};

use crate::problem::chain;

/// A good answer.
#[derive(Serialize)]
pub(super) struct Answer {
    status: &'static str,
    data: Data,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    warnings: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    infos: Vec<String>,
}

#[derive(Serialize)]
#[serde(untagged)]
enum Data {
    Value {
        #[serde(rename = "resultType")]
        result_type: &'static str,
        result: ValueOut,
    },
    Other(serde_json::Value),
}

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
            warnings.push("results truncated due to limit".to_owned());
        }
        let result_type = match &value {
            Value::Scalar(_) => "scalar",
            Value::Text { .. } => "string",
            Value::Vector(_) => "vector",
            Value::Matrix(_) => "matrix",
        };
        Self {
            status: "success",
            data: Data::Value { result_type, result: ValueOut(value) },
            warnings,
            infos,
        }
    }

    /// Any other answer, with whether a part was cut off.
    pub(super) fn other(data: serde_json::Value, truncated: bool) -> Self {
        let warnings = if truncated { vec!["results truncated due to limit".to_owned()] } else { Vec::new() };
        Self { status: "success", data: Data::Other(data), warnings, infos: Vec::new() }
    }
}

fn cut<T>(items: &mut Vec<T>, limit: usize) -> bool {
    let over = items.len() > limit;
    items.truncate(limit);
    over
}

impl IntoResponse for Answer {
    fn into_response(self) -> Response {
        Json(self).into_response()
    }
}

struct ValueOut(Value);

impl Serialize for ValueOut {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match &self.0 {
            Value::Scalar(sample) => Point(sample.time_ms, sample.value).serialize(serializer),
            Value::Text { time_ms, text } => (Seconds(*time_ms), text).serialize(serializer),
            Value::Vector(samples) => serializer.collect_seq(samples.iter().map(|sample| VectorItem {
                metric: Metric(&sample.labels),
                value: Point(sample.time_ms, sample.value),
            })),
            Value::Matrix(series) => serializer.collect_seq(series.iter().map(|series| MatrixItem {
                metric: Metric(&series.labels),
                values: Points(&series.samples),
            })),
        }
    }
}

#[derive(Serialize)]
struct VectorItem<'a> {
    metric: Metric<'a>,
    value: Point,
}

#[derive(Serialize)]
struct MatrixItem<'a> {
    metric: Metric<'a>,
    values: Points<'a>,
}

/// Labels as an object.
pub(super) struct Metric<'a>(pub(super) &'a Labels);

impl Serialize for Metric<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        for (name, value) in self.0.iter() {
            map.serialize_entry(name, value)?;
        }
        map.end()
    }
}

/// A time in seconds and a value as text: JSON has no infinity.
struct Point(i64, f64);

impl Serialize for Point {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        (Seconds(self.0), format_value(self.1)).serialize(serializer)
    }
}

struct Points<'a>(&'a [Sample]);

impl Serialize for Points<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut list = serializer.serialize_seq(Some(self.0.len()))?;
        for sample in self.0 {
            list.serialize_element(&Point(sample.time_ms, sample.value))?;
        }
        list.end()
    }
}

/// Milliseconds, shown as seconds; whole ones without a fraction.
struct Seconds(i64);

impl Serialize for Seconds {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if self.0 % 1000 == 0 {
            serializer.serialize_i64(self.0 / 1000)
        } else {
            serializer.serialize_f64(self.0 as f64 / 1000.0)
        }
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
