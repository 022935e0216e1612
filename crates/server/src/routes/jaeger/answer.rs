//! Answers and refusals as Jaeger has them, those of everything that stands before its routes, too.

use axum::Json;
use axum::extract::Request;
use axum::http::header;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use serde::Serialize;

use super::{BARE, PREFIX};
use crate::problem::Detail;

/// What all answers have.
#[derive(Serialize)]
pub(super) struct Answer<T> {
    data: Option<Vec<T>>,
    total: usize,
    limit: usize,
    offset: usize,
    errors: Option<Vec<Fault>>,
}

/// What is wrong.
#[derive(Serialize)]
struct Fault {
    code: u16,
    msg: String,
}

impl<T> Answer<T> {
    pub(super) fn of(data: Vec<T>) -> Self {
        Self { total: data.len(), data: Some(data), limit: 0, offset: 0, errors: None }
    }

    /// Says that something is missing.
    pub(super) fn with_note(self, note: String) -> Self {
        Self { errors: Some(vec![Fault { code: 422, msg: note }]), ..self }
    }
}

/// Tells what is wrong in Jaeger's form, whoever says it: the gate, the bounds, or the handler.
pub(crate) async fn in_its_form(request: Request, next: Next) -> Response {
    let path = request.uri().path();
    if !path.starts_with(PREFIX) && path != BARE {
        return next.run(request).await;
    }
    let response = next.run(request).await;
    let Some(Detail { text, .. }) = response.extensions().get::<Detail>().cloned() else { return response };
    let (mut parts, _) = response.into_parts();
    let errors = vec![Fault { code: parts.status.as_u16(), msg: text.into_owned() }];
    let answer: Answer<()> = Answer { data: None, total: 0, limit: 0, offset: 0, errors: Some(errors) };
    for name in [header::CONTENT_LENGTH, header::CONTENT_TYPE] {
        parts.headers.remove(name);
    }
    let (said, body) = Json(answer).into_response().into_parts();
    parts.headers.extend(said.headers);
    Response::from_parts(parts, body)
}
