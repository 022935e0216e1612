//! Bounds on bodies as they are sent. What they are after decompression is bounded where they are unpacked
//! ([`super::packing`]).

use std::error::Error;

use axum::body::{Body, Bytes};
use axum::extract::{FromRequest, Request, State};
use axum::http::{HeaderMap, header};
use axum::middleware::Next;
use axum::response::Response;
use futures::StreamExt;
use model::{ByteSize, DurationText};
use serde::de::DeserializeOwned;
use tokio::time::Instant;

use super::memory::{Crowded, no_room};
use crate::context::Shared;
use crate::problem::{Kind, Problem};

/// A body went over its bound while it was read.
#[derive(Debug, thiserror::Error)]
#[error("the body is larger than {0}")]
struct OverLimit(ByteSize);

/// A body did not arrive in time.
#[derive(Debug, thiserror::Error)]
#[error("the body did not arrive within {0}")]
struct TooSlow(DurationText);

/// Bounds the body as it is sent. Refuses at once what announces itself as too large.
fn limit(request: Request, bound: ByteSize) -> Result<Request, Problem> {
    if announced(request.headers()).is_some_and(|length| length > bound.0) {
        return Err(too_large(bound));
    }
    Ok(request.map(|body| bounded(body, bound)))
}

/// How many bytes a request says that its body has.
fn announced(headers: &HeaderMap) -> Option<u64> {
    headers.get(header::CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

fn bounded(body: Body, bound: ByteSize) -> Body {
    let mut left = bound.0;
    Body::from_stream(body.into_data_stream().map(move |chunk| {
        let chunk = chunk?;
        match left.checked_sub(chunk.len() as u64) {
            Some(rest) => {
                left = rest;
                Ok(chunk)
            }
            None => Err(axum::Error::new(OverLimit(bound))),
        }
    }))
}

/// The whole body arrives within `limit`, or breaks off.
fn in_time(body: Body, limit: DurationText) -> Body {
    let deadline = Instant::now() + limit.0;
    let chunks = Box::pin(body.into_data_stream());
    let in_time = futures::stream::unfold(chunks, move |mut chunks| async move {
        let next = tokio::time::timeout_at(deadline, chunks.next()).await;
        let chunk = next.unwrap_or_else(|_| Some(Err(axum::Error::new(TooSlow(limit)))));
        chunk.map(|chunk| (chunk, chunks))
    });
    // Whoever reads it may ask once more after its end.
    Body::from_stream(in_time.fuse())
}

/// The bounds of ordinary requests, which come uncompressed.
pub(crate) async fn limit_ordinary(
    State(app): State<Shared>,
    request: Request,
    next: Next,
) -> Result<Response, Problem> {
    if request.headers().contains_key(header::CONTENT_ENCODING) {
        return Err(unsupported_encoding("Send this body uncompressed."));
    }
    let request = request.map(|body| in_time(body, app.config.body_timeout));
    Ok(next.run(limit(request, app.config.max_body)?).await)
}

/// The same of requests with forms, whose reader has a bound of its own.
pub(crate) async fn limit_form(State(app): State<Shared>, request: Request, next: Next) -> Response {
    next.run(request.map(|body| in_time(body, app.config.body_timeout))).await
}

/// The same of requests that are a snappy block, which are small as well.
pub(crate) async fn limit_snappy(
    State(app): State<Shared>,
    request: Request,
    next: Next,
) -> Result<Response, Problem> {
    let encoding = request.headers().get(header::CONTENT_ENCODING);
    if encoding.is_some_and(|encoding| !encoding.as_bytes().eq_ignore_ascii_case(b"snappy")) {
        return Err(unsupported_encoding("Send a snappy block, with `Content-Encoding: snappy`."));
    }
    let request = request.map(|body| in_time(body, app.config.body_timeout));
    Ok(next.run(limit(request, app.config.max_body)?).await)
}

/// The bound of ingest requests, before anything is decompressed.
pub(crate) async fn limit_ingest(
    State(app): State<Shared>,
    request: Request,
    next: Next,
) -> Result<Response, Problem> {
    Ok(next.run(limit(request, app.config.max_ingest_body)?).await)
}

fn unsupported_encoding(detail: &'static str) -> Problem {
    Problem::new(Kind::UnsupportedMediaType, detail)
}

/// What is told of a body that is larger than `bound`.
pub(crate) fn too_large(bound: ByteSize) -> Problem {
    Problem::new(Kind::TooLarge, format!("The body may have {bound} at the most; send it in parts."))
}

/// Reads the whole body of a request with these headers, as it is sent, up to `bound`.
pub(crate) async fn read(headers: &HeaderMap, body: Body, bound: ByteSize) -> Result<Bytes, Problem> {
    let mut stream = bounded(body, bound).into_data_stream();
    let mut gathered = Gathered::default();
    gathered.announce(announced(headers).unwrap_or(0).min(bound.0));
    while let Some(chunk) = stream.next().await {
        gathered.push(&chunk.map_err(|error| unreadable(&error))?);
    }
    Ok(gathered.into_bytes())
}

/// How much room is made for a body that is announced and has begun: about as much as what reads from a connection may
/// have for itself.
const ROOM_AT_FIRST: usize = 256 << 10;
/// How many times what has come there may be room for, beyond that.
const ROOM_TIMES: usize = 4;

/// What has come of a body. Where it is known how much will come there is room for it, so that it is not moved each time
/// that it grows; but whoever announces much and sends little holds little.
#[derive(Debug, Default)]
pub(crate) struct Gathered {
    bytes: Vec<u8>,
    announced: usize,
}

impl Gathered {
    /// So many bytes will come in all, or so it is said.
    pub(crate) fn announce(&mut self, bytes: u64) {
        self.announced = usize::try_from(bytes).unwrap_or(usize::MAX);
    }

    /// More has come.
    pub(crate) fn push(&mut self, chunk: &[u8]) {
        let came = self.bytes.len().saturating_add(chunk.len());
        let room = self.announced.min(came.saturating_mul(ROOM_TIMES).max(ROOM_AT_FIRST));
        // What was not announced grows as it comes.
        if came > self.bytes.capacity() && came <= room {
            self.bytes.reserve_exact(room - self.bytes.len());
        }
        self.bytes.extend_from_slice(chunk);
    }

    /// All that has come.
    pub(crate) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The body.
    pub(crate) fn into_bytes(self) -> Bytes {
        self.bytes.into()
    }
}

/// Finds out whether a bound was the cause; the layers in between wrap it.
pub(crate) fn unreadable(error: &(dyn Error + 'static)) -> Problem {
    let mut cause = Some(error);
    while let Some(error) = cause {
        if let Some(OverLimit(bound)) = error.downcast_ref() {
            return too_large(*bound);
        }
        if error.is::<Crowded>() {
            return no_room();
        }
        if let Some(slow) = error.downcast_ref::<TooSlow>() {
            return Problem::new(
                Kind::RequestTimeout,
                format!("The body did not arrive within {}; send it faster.", slow.0),
            );
        }
        if let Some(inner) = error.downcast_ref::<std::io::Error>().and_then(std::io::Error::get_ref) {
            let inner: &(dyn Error + 'static) = inner;
            cause = Some(inner);
        } else {
            cause = error.source();
        }
    }
    Problem::new(Kind::BadBody, "The body broke off; send it again.")
}

/// A JSON body; what is wrong with it becomes a problem.
pub(crate) struct JsonBody<T>(pub(crate) T);

impl<T: DeserializeOwned> FromRequest<Shared> for JsonBody<T> {
    type Rejection = Problem;

    async fn from_request(request: Request, app: &Shared) -> Result<Self, Problem> {
        if !is_json(request.headers()) {
            return Err(Problem::new(
                Kind::UnsupportedMediaType,
                "Send JSON, with `Content-Type: application/json`.",
            ));
        }
        let (head, body) = request.into_parts();
        let bytes = read(&head.headers, body, app.config.max_body).await?;
        let bytes: &[u8] = if bytes.is_empty() { b"{}" } else { &bytes };
        // Every body here has fields; a list would be taken for them in their order.
        if !bytes.trim_ascii_start().starts_with(b"{") {
            return Err(Problem::new(
                Kind::BadBody,
                "The body must be a JSON object with its fields: `{ … }`.",
            ));
        }
        serde_json::from_slice(bytes).map(Self).map_err(|error| {
            let misfit = without_our_names(&error.to_string());
            Problem::new(Kind::BadBody, format!("The body does not fit: {misfit}."))
        })
    }
}

/// What does not fit, without the names of our types in it.
fn without_our_names(text: &str) -> String {
    let Some((before, after)) = text.split_once("expected struct ") else { return text.to_owned() };
    let place = after.find(" at line ").map_or("", |place| &after[place..]);
    format!("{before}expected a JSON object{place}")
}

fn is_json(headers: &HeaderMap) -> bool {
    media_type(headers).is_some_and(|essence| essence == "application/json")
}

/// What the body is said to be, in small letters and without parameters.
pub(crate) fn media_type(headers: &HeaderMap) -> Option<String> {
    let text = headers.get(header::CONTENT_TYPE)?.to_str().ok()?;
    Some(text.split(';').next()?.trim().to_ascii_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_body_that_is_announced_has_room_once_and_one_that_does_not_come_little() {
        let body: Vec<u8> = (0..=u8::MAX).cycle().take(1 << 20).collect();
        let mut gathered = Gathered::default();
        gathered.announce(body.len() as u64);
        assert_eq!(gathered.bytes.capacity(), 0, "nothing has come");
        let (mut rooms, mut before) = (0, 0);
        for chunk in body.chunks(1000) {
            gathered.push(chunk);
            let room = gathered.bytes.capacity();
            assert!(
                room <= (gathered.bytes.len() * ROOM_TIMES).max(ROOM_AT_FIRST),
                "{room} for what has come"
            );
            rooms += usize::from(room != before);
            before = room;
        }
        assert_eq!((rooms, before), (2, body.len()));
        assert_eq!(gathered.into_bytes(), body);
    }

    #[tokio::test]
    async fn a_body_is_read_whole_whatever_is_announced_and_not_beyond_its_bound() {
        let body = vec![b'x'; 3000];
        for announced in [None, Some("0"), Some("10"), Some("3000"), Some("18446744073709551615"), Some("x")]
        {
            let mut headers = HeaderMap::new();
            if let Some(length) = announced {
                headers.insert(header::CONTENT_LENGTH, header::HeaderValue::from_static(length));
            }
            let read_within = async |bound| read(&headers, Body::from(body.clone()), ByteSize(bound)).await;
            assert_eq!(read_within(3000).await.expect("it fits"), body, "{announced:?}");
            let refused = read_within(2999).await.expect_err("it is larger");
            assert_eq!(refused.kind(), Kind::TooLarge, "{announced:?}");
        }
    }
}
