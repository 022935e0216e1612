//! In which form a request is: its encoding and its compression, by its headers.

use axum::http::{HeaderMap, header};
use protocol::otlp::Encoding;

use crate::guard::packing::Packing;
use crate::problem::{Kind, Problem};

const PROTOBUF: &str = "application/x-protobuf";
const JSON: &str = "application/json";

/// How a request is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Form {
    pub(super) encoding: Encoding,
    pub(super) packing: Packing,
}

impl Form {
    /// The form that headers name; others are refused.
    pub(super) fn of(headers: &HeaderMap) -> Result<Self, Problem> {
        let encoding = encoding(headers).ok_or_else(|| {
            let detail = format!("Send `Content-Type: {PROTOBUF}` or `Content-Type: {JSON}`.");
            Problem::new(Kind::UnsupportedMediaType, detail)
        })?;
        Ok(Self { encoding, packing: Packing::of(headers)? })
    }
}

/// The encoding that the content type names.
pub(super) fn encoding(headers: &HeaderMap) -> Option<Encoding> {
    let content_type = headers.get(header::CONTENT_TYPE)?.to_str().ok()?;
    let essence = content_type.split(';').next().unwrap_or_default().trim();
    let is = |name: &str| essence.eq_ignore_ascii_case(name);
    if is(PROTOBUF) {
        Some(Encoding::Protobuf)
    } else if is(JSON) {
        Some(Encoding::Json)
    } else {
        None
    }
}

/// The content type of an encoding.
pub(super) fn content_type(encoding: Encoding) -> &'static str {
    match encoding {
        Encoding::Protobuf => PROTOBUF,
        Encoding::Json => JSON,
    }
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    #[test]
    fn headers_name_the_form_and_unknown_ones_are_refused() {
        let form = |encoding, packing| Some(Form { encoding, packing });
        let cases = [
            (PROTOBUF, None, form(Encoding::Protobuf, Packing::Plain)),
            ("Application/JSON; charset=utf-8", Some("gzip"), form(Encoding::Json, Packing::Gzip)),
            (JSON, Some("br"), None),
            ("text/plain", None, None),
        ];
        for (content_type, content_encoding, expected) in cases {
            let mut headers = HeaderMap::new();
            headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
            if let Some(encoding) = content_encoding {
                headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static(encoding));
            }
            assert_eq!(Form::of(&headers).ok(), expected, "{content_type} {content_encoding:?}");
        }
        assert!(Form::of(&HeaderMap::new()).is_err());
    }
}
