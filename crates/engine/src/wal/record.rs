//! Records: a length, a checksum, a sequence number, a type and a payload.
//!
//! The checksum covers the segment's number too, so that bytes of another segment never pass as
//! records of this one. It does not know what a payload means.

/// Bytes before a record's payload.
pub(crate) const HEADER_BYTES: usize = 17;
/// The largest payload. A larger one is refused when it is written, and no record when it is read.
pub(crate) const MAX_PAYLOAD_BYTES: usize = 256 << 20;

/// What a payload is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(crate) enum Kind {
    /// A batch of metrics and events: see [`super::payload`].
    Batch = 1,
}

/// The fixed part of a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Header {
    pub(crate) length: usize,
    crc: u32,
    pub(crate) sequence: u64,
    kind: u8,
}

impl Header {
    /// Reads a header; `None` when the bytes cannot be one.
    pub(crate) fn parse(bytes: &[u8; HEADER_BYTES]) -> Option<Self> {
        let (length, rest) = bytes.split_first_chunk::<4>()?;
        let (crc, rest) = rest.split_first_chunk::<4>()?;
        let (sequence, rest) = rest.split_first_chunk::<8>()?;
        let length = u32::from_le_bytes(*length) as usize;
        let kind = *rest.first()?;
        let plausible = length <= MAX_PAYLOAD_BYTES && kind == Kind::Batch as u8;
        plausible.then_some(Self {
            length,
            crc: u32::from_le_bytes(*crc),
            sequence: u64::from_le_bytes(*sequence),
            kind,
        })
    }

    /// Whether this is the header of this payload in this segment.
    pub(crate) fn matches(&self, segment: u64, payload: &[u8]) -> bool {
        self.length == payload.len() && self.crc == checksum(segment, self.sequence, self.kind, payload)
    }
}

fn checksum(segment: u64, sequence: u64, kind: u8, payload: &[u8]) -> u32 {
    let mut prefix = [0; 17];
    prefix[..8].copy_from_slice(&segment.to_le_bytes());
    prefix[8..16].copy_from_slice(&sequence.to_le_bytes());
    prefix[16] = kind;
    crc32c::crc32c_append(crc32c::crc32c(&prefix), payload)
}

/// Appends a record whose payload `write` appends.
pub(crate) fn append<R>(
    into: &mut Vec<u8>,
    segment: u64,
    sequence: u64,
    write: impl FnOnce(&mut Vec<u8>) -> R,
) -> R {
    let start = into.len();
    into.resize(start + HEADER_BYTES, 0);
    let result = write(into);
    let (header, payload) = into[start..].split_at_mut(HEADER_BYTES);
    let length = u32::try_from(payload.len()).expect("the queue refuses batches that encode to 4 GiB");
    header[..4].copy_from_slice(&length.to_le_bytes());
    header[4..8].copy_from_slice(&checksum(segment, sequence, Kind::Batch as u8, payload).to_le_bytes());
    header[8..16].copy_from_slice(&sequence.to_le_bytes());
    header[16] = Kind::Batch as u8;
    result
}

/// Whether a whole record of `segment` with a number after `sequence` begins anywhere in `bytes`.
pub(crate) fn any_after(bytes: &[u8], segment: u64, sequence: u64) -> bool {
    /// Numbers further on are no continuation of this log, but chance.
    const PLAUSIBLE_GAP: u64 = 1 << 24;
    bytes.windows(HEADER_BYTES).enumerate().any(|(offset, window)| {
        let header = window.first_chunk().and_then(Header::parse);
        header.is_some_and(|header| {
            let gap = header.sequence.checked_sub(sequence);
            let payload = &bytes[offset + HEADER_BYTES..];
            gap.is_some_and(|gap| (1..PLAUSIBLE_GAP).contains(&gap))
                && payload.get(..header.length).is_some_and(|payload| header.matches(segment, payload))
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn any_record_reads_back_and_no_flipped_bit_passes(
            segment in any::<u64>(), sequence in any::<u64>(),
            payload in proptest::collection::vec(any::<u8>(), 0..64), flip in any::<prop::sample::Index>(),
        ) {
            let mut bytes = Vec::new();
            append(&mut bytes, segment, sequence, |into| into.extend_from_slice(&payload));
            let whole = |bytes: &[u8]| {
                let header = Header::parse(bytes.first_chunk().expect("a header"))?;
                header.matches(segment, &bytes[HEADER_BYTES..]).then_some(header.sequence)
            };
            prop_assert_eq!(whole(&bytes), Some(sequence));
            let other = Header::parse(bytes.first_chunk().expect("a header")).expect("plausible");
            prop_assert!(!other.matches(segment.wrapping_add(1), &payload), "another segment's record");
            let bit = flip.index(bytes.len() * 8);
            bytes[bit / 8] ^= 1 << (bit % 8);
            prop_assert_eq!(whole(&bytes), None);
        }
    }

    #[test]
    fn a_record_is_found_behind_rubbish() {
        let mut bytes = vec![0xff; 33];
        append(&mut bytes, 3, 9, |into| into.extend_from_slice(b"payload"));
        assert!(any_after(&bytes, 3, 8));
        assert!(!any_after(&bytes, 3, 9), "its number is not after 9");
        assert!(!any_after(&bytes, 4, 8), "it is of segment 3");
    }
}
