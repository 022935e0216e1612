//! How bodies of ingest are compressed, and their unpacking within a bound.
//!
//! They are unpacked whole, by whoever decodes them and on the same thread. A layer that unpacks a stream would do so on the
//! threads that requests wait on, and could not say in the form of each protocol what is wrong.

use std::borrow::Cow;
use std::io::{self, Read};

use axum::http::{HeaderMap, HeaderValue, header};
use model::ByteSize;

use crate::problem::{Kind, Problem};

/// The largest window of zstd that is taken, as a power of two: what encoders use at their highest levels. A frame can
/// ask for any, and gets that much memory.
const MAX_ZSTD_WINDOW: u32 = 25;

/// How many times its size a body has that does not say it; what is larger is unpacked a second time.
const USUAL_RATIO: u64 = 16;

/// How a body is compressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Packing {
    Plain,
    Gzip,
    Deflate,
    Zstd,
}

/// A body that cannot be unpacked.
#[derive(Debug, thiserror::Error)]
pub(crate) enum UnpackError {
    /// It is a bomb, or only large.
    #[error("the body may have {0} at the most after decompression; send it in parts")]
    TooLarge(ByteSize),
    /// It is not what it is said to be.
    #[error("the body broke off or is not packed as its header says")]
    Broken(#[source] io::Error),
}

impl Packing {
    /// The one that headers name; others are refused.
    pub(crate) fn of(headers: &HeaderMap) -> Result<Self, Problem> {
        Self::named(headers.get(header::CONTENT_ENCODING)).ok_or_else(|| {
            let detail = "Send the body plain, or with `Content-Encoding: gzip` or `zstd`.";
            Problem::new(Kind::UnsupportedMediaType, detail)
        })
    }

    /// The one that a header names, if it is there and the name is known.
    pub(crate) fn named(header: Option<&HeaderValue>) -> Option<Self> {
        let Some(named) = header else { return Some(Self::Plain) };
        match named.as_bytes().trim_ascii().to_ascii_lowercase().as_slice() {
            b"" | b"identity" => Some(Self::Plain),
            b"gzip" => Some(Self::Gzip),
            b"zstd" => Some(Self::Zstd),
            _ => None,
        }
    }

    /// How large a body says that it is without its compression, or is likely to be; `limit` at the most. What is larger
    /// than it says is found out when it is unpacked.
    pub(crate) fn expected(self, packed: &[u8], limit: ByteSize) -> ByteSize {
        let bytes = packed.len() as u64;
        let said = match self {
            Self::Plain => Some(bytes),
            // What stands at its end is the size of its last member, and most have one.
            Self::Gzip => packed.last_chunk().map(|size| u64::from(u32::from_le_bytes(*size))),
            Self::Zstd => zstd::zstd_safe::get_frame_content_size(packed).ok().flatten(),
            Self::Deflate => None,
        };
        let expected = said.unwrap_or_else(|| bytes.saturating_mul(USUAL_RATIO));
        ByteSize(expected.max(bytes).min(limit.0))
    }

    /// The body without its compression.
    pub(crate) fn unpack(self, packed: &[u8], limit: ByteSize) -> Result<Cow<'_, [u8]>, UnpackError> {
        match self {
            Self::Plain if packed.len() as u64 > limit.0 => Err(UnpackError::TooLarge(limit)),
            Self::Plain => Ok(Cow::Borrowed(packed)),
            Self::Gzip => read(flate2::read::MultiGzDecoder::new(packed), limit),
            Self::Deflate if is_zlib(packed) => read(flate2::read::ZlibDecoder::new(packed), limit),
            Self::Deflate => read(flate2::read::DeflateDecoder::new(packed), limit),
            Self::Zstd => {
                let mut decoder =
                    zstd::stream::read::Decoder::with_buffer(packed).map_err(UnpackError::Broken)?;
                decoder.window_log_max(MAX_ZSTD_WINDOW).map_err(UnpackError::Broken)?;
                read(decoder, limit)
            }
        }
    }
}

/// Whether `deflate` is what HTTP calls so, a frame of zlib, and not the bare stream that some read. No encoder begins a
/// bare stream with these bits.
fn is_zlib(packed: &[u8]) -> bool {
    let [first, second, ..] = packed else { return false };
    first & 0x0f == 8 && u16::from_be_bytes([*first, *second]) % 31 == 0
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
    fn a_body_says_how_large_it_is_where_its_format_has_that() {
        let plain = vec![b' '; 100_000];
        let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
        io::Write::write_all(&mut gzip, &plain).expect("written to memory");
        let gzip = gzip.finish().expect("packed");
        let zstd = zstd::bulk::compress(&plain, 1).expect("packed");
        let expected = |packing: Packing, packed: &[u8], limit| packing.expected(packed, ByteSize(limit)).0;
        for (packing, packed) in [(Packing::Plain, &plain), (Packing::Gzip, &gzip), (Packing::Zstd, &zstd)] {
            assert_eq!(expected(packing, packed, 1 << 20), 100_000, "{packing:?}");
            assert_eq!(expected(packing, packed, 5000), 5000, "{packing:?}");
        }
        assert_eq!(expected(Packing::Gzip, b"abc", 1 << 20), 3 * USUAL_RATIO);
        assert_eq!(expected(Packing::Zstd, b"no frame", 1 << 20), 8 * USUAL_RATIO);
        assert_eq!(expected(Packing::Gzip, &[0; 20], 1 << 20), 20, "never less than it has");
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
