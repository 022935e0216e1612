//! Kinds of bytes that triggers tell apart.
//!
//! They are so few that a table of all pairs of them is 8 KiB: it stays in the nearest cache while the rest of a record
//! is worked on, which one of all pairs of bytes does not. A kind says less than its bytes, never another thing.

/// How many kinds there are.
pub(super) const KINDS: u8 = 64;

/// Whatever is none of the others: other signs, breaks, bytes that are not ASCII, and what is before and after a text.
pub(super) const OTHER: u8 = 0;
/// `a`, and after it the others.
const SMALL: u8 = 1;
/// `A`, and after it the others.
const CAPITAL: u8 = 27;
/// `0`.
pub(super) const ZERO: u8 = 53;
/// `1`, with which no card begins.
pub(super) const ONE: u8 = 54;
/// `2` to `6`, with which cards begin.
pub(super) const LOW: u8 = 55;
/// `7` to `9`.
pub(super) const HIGH: u8 = 56;
/// `+` and `(`, with which telephone numbers begin.
pub(super) const OPENS: u8 = 57;
const UNDERSCORE: u8 = 58;
pub(super) const HYPHEN: u8 = 59;
pub(super) const DOT: u8 = 60;
/// A space.
pub(super) const BLANK: u8 = 61;
pub(super) const AT: u8 = 62;
pub(super) const COLON: u8 = 63;

/// Those of digits.
pub(super) const DIGITS: [u8; 4] = [ZERO, ONE, LOW, HIGH];

/// The kind of each byte.
static KIND_OF: [u8; 256] = kinds();

const fn kinds() -> [u8; 256] {
    let mut kinds = [OTHER; 256];
    let mut byte = u8::MAX;
    loop {
        kinds[byte as usize] = match byte {
            b'a'..=b'z' => SMALL + (byte - b'a'),
            b'A'..=b'Z' => CAPITAL + (byte - b'A'),
            b'0' => ZERO,
            b'1' => ONE,
            b'2'..=b'6' => LOW,
            b'7'..=b'9' => HIGH,
            b'+' | b'(' => OPENS,
            b'_' => UNDERSCORE,
            b'-' => HYPHEN,
            b'.' => DOT,
            b' ' => BLANK,
            b'@' => AT,
            b':' => COLON,
            _ => OTHER,
        };
        if byte == 0 {
            return kinds;
        }
        byte -= 1;
    }
}

/// The kind of a byte.
pub(super) fn kind_of(byte: u8) -> u8 {
    KIND_OF[usize::from(byte)]
}
