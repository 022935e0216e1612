//! How bodies of ingest are compressed, and their unpacking within a bound.
//!
//! They are unpacked whole, by whoever decodes them and on the same thread. A layer that unpacks a stream would do so on the
//! threads that requests wait on, and could not say in the form of each protocol what is wrong.

use std::borrow::Cow;
use std::io::{self, Read};

use axum::http::{HeaderMap, header};
use model::ByteSize;

use crate::problem::{Kind, Problem};

/// The largest window of zstd that is taken, as a power of two: what encoders use at their highest levels. A frame can
/// ask for any, and gets that much memory.
const MAX_ZSTD_WINDOW: u32 = 25;

/// How a body is compressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Packing {
    Plain,
    Gzip,
    Zstd,
}

/// A body that cannot be unpacked.
#[derive(Debug, thiserror::Error)]
pub(crate) enum UnpackError {
    /// It is a bomb, or only large.
    #[error("the body may have {0} at the most after decompression; send it in parts")]
    TooLarge(ByteSize),
    /// It is not what it is said to be.
    #[error("the body broke off or is not what `Content-Encoding` says")]
    Broken(#[source] io::Error),
}

impl Packing {
    /// The one that headers name; others are refused.
    pub(crate) fn of(headers: &HeaderMap) -> Result<Self, Problem> {
        let Some(named) = headers.get(header::CONTENT_ENCODING) else { return Ok(Self::Plain) };
        match named.as_bytes().trim_ascii().to_ascii_lowercase().as_slice() {
            b"" | b"identity" => Ok(Self::Plain),
            b"gzip" => Ok(Self::Gzip),
            b"zstd" => Ok(Self::Zstd),
            _ => {
                let detail = "Send the body plain, or with `Content-Encoding: gzip` or `zstd`.";
                Err(Problem::new(Kind::UnsupportedMediaType, detail))
            }
        }
    }

    /// The body without its compression.
    pub(crate) fn unpack(self, packed: &[u8], limit: ByteSize) -> Result<Cow<'_, [u8]>, UnpackError> {
        match self {
            Self::Plain if packed.len() as u64 > limit.0 => Err(UnpackError::TooLarge(limit)),
            Self::Plain => Ok(Cow::Borrowed(packed)),
            Self::Gzip => read(flate2::read::MultiGzDecoder::new(packed), limit),
            Self::Zstd => {
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

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    #[test]
    fn headers_name_the_packing_and_unknown_ones_are_refused() {
        let cases = [
            (None, Some(Packing::Plain)),
            (Some("identity"), Some(Packing::Plain)),
            (Some(" GZIP"), Some(Packing::Gzip)),
            (Some("zstd"), Some(Packing::Zstd)),
            (Some("br"), None),
            (Some("gzip, gzip"), None),
        ];
        for (named, expected) in cases {
            let mut headers = HeaderMap::new();
            if let Some(named) = named {
                headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static(named));
            }
            assert_eq!(Packing::of(&headers).ok(), expected, "{named:?}");
        }
    }

    #[test]
    fn a_bomb_stops_at_the_limit_and_what_is_cut_off_is_broken() {
        let limit = ByteSize(1000);
        let packed = |size: usize| {
            let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
            io::Write::write_all(&mut gzip, &vec![b' '; size]).expect("written to memory");
            let zstd = zstd::bulk::compress(&vec![b' '; size], 1).expect("packed");
            [(Packing::Gzip, gzip.finish().expect("packed")), (Packing::Zstd, zstd)]
        };
        for (packing, bytes) in packed(1000) {
            assert_eq!(packing.unpack(&bytes, limit).expect("fits").len(), 1000, "{packing:?}");
            let cut = packing.unpack(&bytes[..bytes.len() - 3], limit);
            assert!(matches!(cut, Err(UnpackError::Broken(_))), "{packing:?}");
        }
        for (packing, bytes) in packed(10 << 20) {
            assert!(matches!(packing.unpack(&bytes, limit), Err(UnpackError::TooLarge(_))), "{packing:?}");
        }
        assert!(matches!(Packing::Plain.unpack(&[0; 1001], limit), Err(UnpackError::TooLarge(_))));
    }
}
