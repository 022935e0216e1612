//! Ids of traces and spans.

use std::fmt;

/// An id as it was sent. One that is wrong is told from one that is not there: the record is worth keeping, and the
/// sender's fault worth counting.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Id<const N: usize> {
    /// None was sent.
    #[default]
    Absent,
    /// An id.
    Known([u8; N]),
    /// What was sent has another length, is nothing but zeros, or is not hexadecimal in JSON: the specification calls
    /// that invalid.
    Invalid,
}

const DIGITS: &[u8; 16] = b"0123456789abcdef";

/// Names a trace.
pub type TraceId = Id<16>;
/// Names a span in a trace.
pub type SpanId = Id<8>;

impl<const N: usize> Id<N> {
    /// The id, if it is one.
    pub fn known(self) -> Option<[u8; N]> {
        match self {
            Self::Known(bytes) => Some(bytes),
            Self::Absent | Self::Invalid => None,
        }
    }

    /// The id as text, if it is one.
    pub(crate) fn text(self) -> Option<String> {
        let id = self.known()?;
        // Each record has two: neither by the machinery of formats, nor digit by digit into a text that could grow.
        let mut digits = vec![0; 2 * N];
        for (pair, byte) in digits.as_chunks_mut::<2>().0.iter_mut().zip(id) {
            *pair = [DIGITS[usize::from(byte >> 4)], DIGITS[usize::from(byte & 0xf)]];
        }
        String::from_utf8(digits).ok()
    }

    /// From bytes of any number.
    pub(crate) fn from_bytes(bytes: &[u8]) -> Self {
        match <[u8; N]>::try_from(bytes) {
            Ok(id) if id.iter().any(|byte| *byte != 0) => Self::Known(id),
            _ if bytes.is_empty() => Self::Absent,
            _ => Self::Invalid,
        }
    }

    /// From hexadecimal digits of either case.
    pub(crate) fn from_hex(text: &str) -> Self {
        let (pairs, rest) = text.as_bytes().as_chunks::<2>();
        if pairs.len() != N || !rest.is_empty() {
            return if text.is_empty() { Self::Absent } else { Self::Invalid };
        }
        let digit = |byte: u8| char::from(byte).to_digit(16);
        let mut id = [0u8; N];
        for (byte, [high, low]) in id.iter_mut().zip(pairs) {
            let Some((high, low)) = digit(*high).zip(digit(*low)) else { return Self::Invalid };
            // Two digits are less than 256.
            *byte = (high << 4 | low) as u8;
        }
        Self::from_bytes(&id)
    }
}

impl<const N: usize> fmt::Display for Id<N> {
    /// Hexadecimal in lower case; nothing where there is no id.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.text().as_deref().unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_has_its_length_and_is_not_all_zeros() {
        let known = SpanId::Known([0, 1, 2, 3, 4, 5, 0xab, 0xcd]);
        assert_eq!(SpanId::from_bytes(&[0, 1, 2, 3, 4, 5, 0xab, 0xcd]), known);
        assert_eq!(SpanId::from_hex("000102030405aBCd"), known);
        assert_eq!(known.to_string(), "000102030405abcd");
        assert_eq!((SpanId::from_bytes(&[]), SpanId::from_hex("")), (SpanId::Absent, SpanId::Absent));
        for wrong in [&[0u8; 8][..], &[1; 7], &[1; 9]] {
            assert_eq!(SpanId::from_bytes(wrong), SpanId::Invalid, "{wrong:?}");
        }
        for wrong in
            ["0000000000000000", "00010203040506", "000102030405060", "00010203040506zz", "AAECAwQFBgc="]
        {
            assert_eq!(SpanId::from_hex(wrong), SpanId::Invalid, "{wrong}");
        }
        assert_eq!((SpanId::Invalid.known(), SpanId::Invalid.to_string().as_str()), (None, ""));
    }
}
