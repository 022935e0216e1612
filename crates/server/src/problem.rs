//! Errors on the wire: `application/problem+json` (RFC 9457).
//!
//! A problem says what to do, and never what went wrong inside. How the crates' errors become
//! problems stands in [`crate::errors`].

use std::borrow::Cow;
use std::time::Duration;

use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;

/// What kind of problem it is: the `type`, its title and its status belong together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    BadRequest,
    BadParameter,
    BadQuery,
    BadBody,
    BadStatement,
    NotAllStored,
    LoginRequired,
    WrongLogin,
    Forbidden,
    CsrfTokenMissing,
    ForeignOrigin,
    UnknownHost,
    NotFound,
    MethodNotAllowed,
    RequestTimeout,
    Conflict,
    NotPossible,
    TooLarge,
    UnsupportedMediaType,
    TooManyLogins,
    Overloaded,
    DiskFull,
    QueryTooLarge,
    TimedOut,
    Unavailable,
    Internal,
}

impl Kind {
    const fn parts(self) -> (&'static str, &'static str, StatusCode) {
        match self {
            Self::BadRequest => ("bad-request", "The request cannot be understood", StatusCode::BAD_REQUEST),
            Self::BadParameter => ("bad-parameter", "A parameter is wrong", StatusCode::BAD_REQUEST),
            Self::BadQuery => ("bad-query", "The query cannot be read", StatusCode::BAD_REQUEST),
            Self::BadBody => ("bad-body", "The body cannot be read", StatusCode::BAD_REQUEST),
            Self::BadStatement => {
                ("bad-statement", "The statement cannot be answered", StatusCode::BAD_REQUEST)
            }
            Self::NotAllStored => ("not-all-stored", "Not all was stored", StatusCode::BAD_REQUEST),
            Self::LoginRequired => ("login-required", "Login required", StatusCode::UNAUTHORIZED),
            Self::WrongLogin => ("wrong-login", "Wrong name or password", StatusCode::UNAUTHORIZED),
            Self::Forbidden => ("forbidden", "Not allowed", StatusCode::FORBIDDEN),
            Self::CsrfTokenMissing => {
                ("csrf-token-missing", "The CSRF token is missing or wrong", StatusCode::FORBIDDEN)
            }
            Self::ForeignOrigin => {
                ("foreign-origin", "The request comes from another site", StatusCode::FORBIDDEN)
            }
            Self::UnknownHost => {
                ("unknown-host", "This name is not served here", StatusCode::MISDIRECTED_REQUEST)
            }
            Self::NotFound => ("not-found", "Not found", StatusCode::NOT_FOUND),
            Self::MethodNotAllowed => {
                ("method-not-allowed", "Method not allowed", StatusCode::METHOD_NOT_ALLOWED)
            }
            Self::RequestTimeout => {
                ("request-timeout", "The request took too long", StatusCode::REQUEST_TIMEOUT)
            }
            Self::Conflict => ("conflict", "It exists already", StatusCode::CONFLICT),
            Self::NotPossible => ("not-possible", "Not possible now", StatusCode::CONFLICT),
            Self::TooLarge => ("too-large", "The body is too large", StatusCode::PAYLOAD_TOO_LARGE),
            Self::UnsupportedMediaType => {
                ("unsupported-media-type", "Unsupported media type", StatusCode::UNSUPPORTED_MEDIA_TYPE)
            }
            Self::TooManyLogins => {
                ("too-many-logins", "Too many failed logins", StatusCode::TOO_MANY_REQUESTS)
            }
            Self::Overloaded => ("overloaded", "Too busy right now", StatusCode::SERVICE_UNAVAILABLE),
            Self::DiskFull => ("disk-full", "The disk is nearly full", StatusCode::SERVICE_UNAVAILABLE),
            Self::QueryTooLarge => {
                ("query-too-large", "The query asks for too much", StatusCode::UNPROCESSABLE_ENTITY)
            }
            Self::TimedOut => ("timed-out", "The query took too long", StatusCode::SERVICE_UNAVAILABLE),
            Self::Unavailable => ("unavailable", "Not available right now", StatusCode::SERVICE_UNAVAILABLE),
            Self::Internal => ("internal", "Something went wrong here", StatusCode::INTERNAL_SERVER_ERROR),
        }
    }
}

/// An error as it is answered.
#[derive(Debug)]
pub(crate) struct Problem {
    kind: Kind,
    detail: Cow<'static, str>,
    headers: Vec<(HeaderName, HeaderValue)>,
    fault: Option<Box<Fault>>,
}

/// What is wrong with a query, for whoever shows its place.
#[derive(Clone, Debug, Serialize, utoipa::ToSchema)]
pub(crate) struct Fault {
    /// The first byte of what is wrong, from 0.
    pub start: usize,
    /// The byte behind its last one.
    pub end: usize,
    /// The line in which it begins, from 1.
    pub line: usize,
    /// The column at which it begins, in characters from 1.
    pub column: usize,
    /// What is wrong with it.
    pub message: String,
    /// What would be right there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expected: Option<String>,
    /// What to write instead.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub suggestion: Option<String>,
}

/// What a problem is, beside its answer: for those who tell it in another form.
#[derive(Clone, Debug)]
pub(crate) struct Detail {
    pub(crate) kind: Kind,
    pub(crate) text: Cow<'static, str>,
}

/// The body of an error, RFC 9457.
#[derive(Serialize, utoipa::ToSchema)]
pub(crate) struct ProblemBody {
    /// What kind of problem it is; stable, for programs.
    #[schema(example = "urn:watchkeeper:problem:bad-parameter")]
    pub r#type: String,
    /// The kind in words.
    pub title: String,
    /// The HTTP status.
    pub status: u16,
    /// What happened and what to do about it.
    pub detail: String,
    /// What is wrong with a query, and where; of other problems it is not there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fault: Option<Fault>,
}

impl Problem {
    pub(crate) fn new(kind: Kind, detail: impl Into<Cow<'static, str>>) -> Self {
        Self { kind, detail: detail.into(), headers: Vec::new(), fault: None }
    }

    /// What went wrong here is logged with its causes, and not told.
    pub(crate) fn internal(error: &(dyn std::error::Error + 'static)) -> Self {
        tracing::error!(error = %chain(error), "a request failed");
        Self::new(
            Kind::Internal,
            "The server could not answer; its log says why, under the id in the header X-Request-Id.",
        )
    }

    pub(crate) fn not_found(what: &str, name: &str) -> Self {
        let name: String = name.chars().take(128).collect();
        Self::new(Kind::NotFound, format!("There is no {what} `{name}`."))
    }

    /// Says what is wrong with a query, and where.
    #[must_use]
    pub(crate) fn with_fault(self, fault: Fault) -> Self {
        Self { fault: Some(Box::new(fault)), ..self }
    }

    /// Says when to come back.
    #[must_use]
    pub(crate) fn retry_after(self, after: Duration) -> Self {
        let seconds = after.as_secs().max(1);
        self.with_header(header::RETRY_AFTER, HeaderValue::from(seconds))
    }

    #[must_use]
    pub(crate) fn with_header(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.push((name, value));
        self
    }

    /// What kind of problem it is.
    pub(crate) fn kind(&self) -> Kind {
        self.kind
    }

    /// What happened and what to do about it.
    pub(crate) fn detail(&self) -> &str {
        &self.detail
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let (name, title, status) = self.kind.parts();
        let body = ProblemBody {
            r#type: format!("urn:watchkeeper:problem:{name}"),
            title: title.to_owned(),
            status: status.as_u16(),
            detail: self.detail.clone().into_owned(),
            fault: self.fault.map(|fault| *fault),
        };
        let text = serde_json::to_string(&body).expect("texts and numbers are always JSON");
        let mut response =
            (status, [(header::CONTENT_TYPE, "application/problem+json")], text).into_response();
        for (name, value) in self.headers {
            response.headers_mut().insert(name, value);
        }
        response.extensions_mut().insert(Detail { kind: self.kind, text: self.detail });
        response
    }
}

/// An error and its causes in one line, for the log.
pub(crate) fn chain(error: &(dyn std::error::Error + 'static)) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let more = error.to_string();
        // Some errors of others say their cause's words as well as have it.
        if !text.ends_with(&more) {
            text.push_str(": ");
            text.push_str(&more);
        }
        cause = error.source();
    }
    text
}
