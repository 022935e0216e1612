//! In which form a request is, by its headers, as Loki understands them.
//!
//! JSON is what says that it is. Anything else is protobuf, whose message is a snappy block, whether that is said
//! or not; further compression lies around it.

use std::borrow::Cow;

use axum::http::{HeaderMap, header};
use model::ByteSize;
use protocol::loki::{self, Encoding, LokiError};

use crate::problem::{Kind, Problem};
use crate::routes::otlp::form::{UnpackError, read, zstd_decoder};

/// How a request is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Form {
    pub(super) encoding: Encoding,
    packing: Packing,
}

/// How it is compressed, beside the block of snappy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Packing {
    Plain,
    Snappy,
    Gzip,
    Deflate,
    Zstd,
}

/// A body that cannot be unpacked.
#[derive(Debug, thiserror::Error)]
pub(super) enum FormError {
    #[error(transparent)]
    Packing(#[from] UnpackError),
    #[error(transparent)]
    Block(#[from] LokiError),
}

impl Form {
    /// The form that headers name. One that is not known is a 400, as of Loki.
    pub(super) fn of(headers: &HeaderMap) -> Result<Self, Problem> {
        let packing = packing(headers).ok_or_else(|| {
            let detail =
                "Send the body plain, or with `Content-Encoding: snappy`, `gzip`, `deflate` or `zstd`.";
            Problem::new(Kind::BadBody, detail)
        })?;
        Ok(Self { encoding: encoding(headers), packing })
    }

    /// Whether unpacking is no work.
    pub(super) fn is_plain(self) -> bool {
        self.encoding == Encoding::Json && self.packing == Packing::Plain
    }

    /// The body without its compression.
    pub(super) fn unpack(self, packed: &[u8], limit: ByteSize) -> Result<Cow<'_, [u8]>, FormError> {
        let outer = match self.packing {
            Packing::Plain | Packing::Snappy if packed.len() as u64 > limit.0 => {
                return Err(UnpackError::TooLarge(limit).into());
            }
            Packing::Plain | Packing::Snappy => Cow::Borrowed(packed),
            Packing::Gzip => read(flate2::read::MultiGzDecoder::new(packed), limit)?,
            Packing::Deflate if is_zlib(packed) => read(flate2::read::ZlibDecoder::new(packed), limit)?,
            Packing::Deflate => read(flate2::read::DeflateDecoder::new(packed), limit)?,
            Packing::Zstd => read(zstd_decoder(packed).map_err(UnpackError::Broken)?, limit)?,
        };
        if self.encoding == Encoding::Json && self.packing != Packing::Snappy {
            return Ok(outer);
        }
        let limit = usize::try_from(limit.0).unwrap_or(usize::MAX);
        Ok(Cow::Owned(loki::unpack(&outer, limit)?))
    }
}

/// Whether `deflate` is what HTTP calls so, a frame of zlib, and not the bare stream that Loki reads. No encoder
/// begins a bare stream with these bits.
fn is_zlib(packed: &[u8]) -> bool {
    let [first, second, ..] = packed else { return false };
    first & 0x0f == 8 && u16::from_be_bytes([*first, *second]) % 31 == 0
}

fn encoding(headers: &HeaderMap) -> Encoding {
    let content_type =
        headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let essence = content_type.split(';').next().unwrap_or_default().trim();
    if essence.eq_ignore_ascii_case("application/json") { Encoding::Json } else { Encoding::Protobuf }
}

fn packing(headers: &HeaderMap) -> Option<Packing> {
    let Some(named) = headers.get(header::CONTENT_ENCODING) else { return Some(Packing::Plain) };
    match named.as_bytes().trim_ascii().to_ascii_lowercase().as_slice() {
        b"" | b"identity" => Some(Packing::Plain),
        b"snappy" => Some(Packing::Snappy),
        b"gzip" => Some(Packing::Gzip),
        b"deflate" => Some(Packing::Deflate),
        b"zstd" => Some(Packing::Zstd),
        _ => None,
    }
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
            (Some("application/x-protobuf"), Some("snappy"), Some((Encoding::Protobuf, Packing::Snappy))),
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
