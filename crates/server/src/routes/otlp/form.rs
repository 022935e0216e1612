//! In which form a request is: its encoding and its compression, by its headers.

use std::borrow::Cow;
use std::io::{self, Read};

use axum::http::{HeaderMap, HeaderValue, header};
use model::ByteSize;
use protocol::otlp::Encoding;

use crate::problem::{Kind, Problem};

const PROTOBUF: &str = "application/x-protobuf";
const JSON: &str = "application/json";

/// The largest window of zstd that is taken, as a power of two: what encoders use at their highest levels. A frame can
/// ask for any, and gets that much memory.
const MAX_ZSTD_WINDOW: u32 = 25;

/// How a request is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Form {
    pub(super) encoding: Encoding,
    pub(super) packing: Packing,
}

/// How it is compressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Packing {
    Plain,
    Gzip,
    Zstd,
}

impl Packing {
    /// The packing that a header names, where there is one; others are not known.
    pub(super) fn named(header: Option<&HeaderValue>) -> Option<Self> {
        let Some(named) = header else { return Some(Self::Plain) };
        match named.as_bytes().trim_ascii().to_ascii_lowercase().as_slice() {
            b"" | b"identity" => Some(Self::Plain),
            b"gzip" => Some(Self::Gzip),
            b"zstd" => Some(Self::Zstd),
            _ => None,
        }
    }
}

/// A body that cannot be unpacked.
#[derive(Debug, thiserror::Error)]
pub(super) enum UnpackError {
    /// It is a bomb, or only large.
    #[error("the body may have {0} at the most after decompression; send it in parts")]
    TooLarge(ByteSize),
    /// It is not what it is said to be.
    #[error("the body broke off or is not packed as its header says")]
    Broken(#[source] io::Error),
}

impl Form {
    /// The form that headers name; others are refused.
    pub(super) fn of(headers: &HeaderMap) -> Result<Self, Problem> {
        let encoding = encoding(headers).ok_or_else(|| {
            let detail = format!("Send `Content-Type: {PROTOBUF}` or `Content-Type: {JSON}`.");
            Problem::new(Kind::UnsupportedMediaType, detail)
        })?;
        let packing = Packing::named(headers.get(header::CONTENT_ENCODING)).ok_or_else(|| {
            let detail = "Send the body plain, or with `Content-Encoding: gzip` or `zstd`.";
            Problem::new(Kind::UnsupportedMediaType, detail)
        })?;
        Ok(Self { encoding, packing })
    }

    pub(super) fn is_plain(self) -> bool {
        self.packing == Packing::Plain
    }

    /// The body without its compression.
    pub(super) fn unpack(self, packed: &[u8], limit: ByteSize) -> Result<Cow<'_, [u8]>, UnpackError> {
        match self.packing {
            Packing::Plain if packed.len() as u64 > limit.0 => Err(UnpackError::TooLarge(limit)),
            Packing::Plain => Ok(Cow::Borrowed(packed)),
            Packing::Gzip => read(flate2::read::MultiGzDecoder::new(packed), limit),
            Packing::Zstd => {
                let mut decoder =
                    zstd::stream::read::Decoder::with_buffer(packed).map_err(UnpackError::Broken)?;
                decoder.window_log_max(MAX_ZSTD_WINDOW).map_err(UnpackError::Broken)?;
                read(decoder, limit)
            }
        }
    }
}

/// Reads to the end, or a byte further than is taken.
fn read<'b>(from: impl Read, limit: ByteSize) -> Result<Cow<'b, [u8]>, UnpackError> {
    let mut unpacked = Vec::new();
    from.take(limit.0.saturating_add(1)).read_to_end(&mut unpacked).map_err(UnpackError::Broken)?;
    if unpacked.len() as u64 > limit.0 {
        return Err(UnpackError::TooLarge(limit));
    }
    Ok(Cow::Owned(unpacked))
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
    use super::*;

    fn headers(content_type: &'static str, content_encoding: Option<&'static str>) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
        if let Some(encoding) = content_encoding {
            headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static(encoding));
        }
        headers
    }

    #[test]
    fn headers_name_the_form_and_unknown_ones_are_refused() {
        let form = |encoding, packing| Some(Form { encoding, packing });
        let cases = [
            (PROTOBUF, None, form(Encoding::Protobuf, Packing::Plain)),
            ("Application/JSON; charset=utf-8", Some("GZIP"), form(Encoding::Json, Packing::Gzip)),
            (PROTOBUF, Some("zstd"), form(Encoding::Protobuf, Packing::Zstd)),
            (JSON, Some("identity"), form(Encoding::Json, Packing::Plain)),
            (JSON, Some("br"), None),
            (JSON, Some("gzip, gzip"), None),
            ("text/plain", None, None),
        ];
        for (content_type, content_encoding, expected) in cases {
            let found = Form::of(&headers(content_type, content_encoding)).ok();
            assert_eq!(found, expected, "{content_type} {content_encoding:?}");
        }
        assert!(Form::of(&HeaderMap::new()).is_err());
    }

    #[test]
    fn a_bomb_stops_at_the_limit_and_what_is_cut_off_is_broken() {
        let (form, limit) = (|packing| Form { encoding: Encoding::Json, packing }, ByteSize(1000));
        let packed = |size: usize| {
            let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
            io::Write::write_all(&mut gzip, &vec![b' '; size]).expect("written to memory");
            let zstd = zstd::bulk::compress(&vec![b' '; size], 1).expect("packed");
            [(Packing::Gzip, gzip.finish().expect("packed")), (Packing::Zstd, zstd)]
        };
        for (packing, bytes) in packed(1000) {
            assert_eq!(form(packing).unpack(&bytes, limit).expect("fits").len(), 1000, "{packing:?}");
            let cut = form(packing).unpack(&bytes[..bytes.len() - 3], limit);
            assert!(matches!(cut, Err(UnpackError::Broken(_))), "{packing:?}");
        }
        for (packing, bytes) in packed(10 << 20) {
            assert!(
                matches!(form(packing).unpack(&bytes, limit), Err(UnpackError::TooLarge(_))),
                "{packing:?}"
            );
        }
        assert!(matches!(form(Packing::Plain).unpack(&[0; 1001], limit), Err(UnpackError::TooLarge(_))));
    }
}
