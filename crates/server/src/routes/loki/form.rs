//! In which form a request is, by its headers, as Loki understands them.
//!
//! JSON is what says that it is. Anything else is protobuf, whose message is a snappy block, whether that is said
//! or not; further compression lies around it.

use std::borrow::Cow;

use axum::http::{HeaderMap, header};
use model::ByteSize;
use protocol::loki::{self, Encoding, LokiError};

use crate::guard::packing::Packing;
use crate::problem::{Kind, Problem};

/// How a request is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Form {
    pub(super) encoding: Encoding,
    pub(super) packing: Packing,
    /// Whether there is a block of snappy below that.
    is_block: bool,
}

impl Form {
    /// The form that headers name. One that is not known is a 400, as of Loki.
    pub(super) fn of(headers: &HeaderMap) -> Result<Self, Problem> {
        let (packing, is_block) = packing(headers).ok_or_else(|| {
            let detail =
                "Send the body plain, or with `Content-Encoding: snappy`, `gzip`, `deflate` or `zstd`.";
            Problem::new(Kind::BadBody, detail)
        })?;
        let encoding = encoding(headers);
        Ok(Self { encoding, packing, is_block: is_block || encoding == Encoding::Protobuf })
    }

    /// How large a message is likely to be; `limit` at the most.
    pub(super) fn expected(self, body: &[u8], limit: ByteSize) -> ByteSize {
        match (self.packing, self.is_block) {
            (packing, false) => packing.expected(body, limit),
            (Packing::Plain, true) => {
                let declared = loki::unpacked_bytes(body).max(body.len());
                ByteSize((declared as u64).min(limit.0))
            }
            // What lies within says its size once it is unpacked.
            (_, true) => limit,
        }
    }

    /// The message of an unpacked body.
    pub(super) fn message(self, body: &[u8], limit: ByteSize) -> Result<Cow<'_, [u8]>, LokiError> {
        if !self.is_block {
            return Ok(Cow::Borrowed(body));
        }
        let limit = usize::try_from(limit.0).unwrap_or(usize::MAX);
        Ok(Cow::Owned(loki::unpack(body, limit)?))
    }
}

fn encoding(headers: &HeaderMap) -> Encoding {
    let content_type =
        headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let essence = content_type.split(';').next().unwrap_or_default().trim();
    if essence.eq_ignore_ascii_case("application/json") { Encoding::Json } else { Encoding::Protobuf }
}

/// How the body is packed, and whether that is a block of snappy.
fn packing(headers: &HeaderMap) -> Option<(Packing, bool)> {
    let named = headers.get(header::CONTENT_ENCODING);
    let is =
        |name: &str| named.is_some_and(|it| it.as_bytes().trim_ascii().eq_ignore_ascii_case(name.as_bytes()));
    if is("snappy") {
        return Some((Packing::Plain, true));
    }
    let packing = if is("deflate") { Some(Packing::Deflate) } else { Packing::named(named) };
    packing.map(|packing| (packing, false))
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    #[test]
    fn headers_name_the_form_as_loki_understands_them() {
        let cases = [
            (Some("application/json; charset=utf-8"), None, Some((Encoding::Json, Packing::Plain))),
            (Some("application/json"), Some("GZIP"), Some((Encoding::Json, Packing::Gzip))),
            (Some("application/x-protobuf"), Some("snappy"), Some((Encoding::Protobuf, Packing::Plain))),
            (None, None, Some((Encoding::Protobuf, Packing::Plain))),
            (Some("text/plain"), Some("deflate"), Some((Encoding::Protobuf, Packing::Deflate))),
            (Some("application/json"), Some("br"), None),
        ];
        for (content_type, content_encoding, expected) in cases {
            let mut headers = HeaderMap::new();
            if let Some(content_type) = content_type {
                headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
            }
            if let Some(encoding) = content_encoding {
                headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static(encoding));
            }
            let found = Form::of(&headers).ok().map(|form| (form.encoding, form.packing));
            assert_eq!(found, expected, "{content_type:?} {content_encoding:?}");
        }
    }
}
