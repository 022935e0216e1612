//! Integers in as few bytes as they need: LEB128, and zigzag for signed ones.

/// Appends `value`.
pub(crate) fn put(into: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        into.push(value as u8 | 0x80);
        value >>= 7;
    }
    into.push(value as u8);
}

/// Appends a signed value; small magnitudes are short.
pub(crate) fn put_signed(into: &mut Vec<u8>, value: i64) {
    put(into, ((value << 1) ^ (value >> 63)) as u64);
}

/// Writes a signed value to the front, which has room for ten bytes; returns how many it took.
#[inline]
pub(crate) fn write_signed(into: &mut [u8], value: i64) -> usize {
    let mut zigzag = ((value << 1) ^ (value >> 63)) as u64;
    let mut length = 0;
    while zigzag >= 0x80 {
        into[length] = zigzag as u8 | 0x80;
        zigzag >>= 7;
        length += 1;
    }
    into[length] = zigzag as u8;
    length + 1
}

/// Takes a value off the front; `None` when there is no whole one.
pub(crate) fn take(from: &mut &[u8]) -> Option<u64> {
    let mut value = 0u64;
    for shift in (0..64).step_by(7) {
        let (byte, rest) = from.split_first()?;
        *from = rest;
        let bits = u64::from(byte & 0x7f);
        if shift == 63 && bits > 1 {
            return None;
        }
        value |= bits << shift;
        if byte & 0x80 == 0 {
            return Some(value);
        }
    }
    None
}

/// Takes a signed value off the front.
pub(crate) fn take_signed(from: &mut &[u8]) -> Option<i64> {
    let zigzag = take(from)?;
    Some((zigzag >> 1) as i64 ^ -((zigzag & 1) as i64))
}

/// Takes `length` bytes off the front.
pub(crate) fn take_bytes<'a>(from: &mut &'a [u8], length: u64) -> Option<&'a [u8]> {
    let (bytes, rest) = from.split_at_checked(usize::try_from(length).ok()?)?;
    *from = rest;
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn any_integer_survives(value in any::<u64>(), signed in any::<i64>()) {
            let mut bytes = Vec::new();
            put(&mut bytes, value);
            let unsigned = bytes.len();
            put_signed(&mut bytes, signed);
            let mut written = [0; 10];
            let length = write_signed(&mut written, signed);
            prop_assert_eq!(&written[..length], &bytes[unsigned..]);
            let mut rest = bytes.as_slice();
            prop_assert_eq!(take(&mut rest), Some(value));
            prop_assert_eq!(take_signed(&mut rest), Some(signed));
            prop_assert!(rest.is_empty());
        }

        #[test]
        fn hostile_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..16)) {
            let mut rest = bytes.as_slice();
            while take(&mut rest).is_some() {}
        }
    }
}
