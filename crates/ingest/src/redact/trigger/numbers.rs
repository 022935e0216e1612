//! Which detectors of numbers could find something where digits begin.
//!
//! Times, sizes and ids are in every line, so the first few bytes have to tell that it is one of them.

use super::{Bits, is_word};

/// Digits of the shortest card.
const CARD_DIGITS: usize = 13;
/// Digits of the shortest telephone number of a shape, the code of the country included.
const PHONE_DIGITS: usize = 8;

/// The bits of those who wait for numbers.
#[derive(Clone, Copy, Default)]
pub(super) struct Numbers {
    pub(super) card: Bits,
    pub(super) phone: Bits,
    pub(super) iban: Bits,
    pub(super) address: Bits,
}

impl Numbers {
    /// The bits of those who could find something that begins around the digit at a place, the first of its group.
    pub(super) fn pulled(&self, bytes: &[u8], at: usize) -> Bits {
        let group = digits_at(bytes, at);
        let before = at.checked_sub(1).and_then(|place| bytes.get(place)).copied();
        let mut bits = 0;
        if self.iban != 0 && group >= 2 && is_after_country(bytes, at) {
            bits |= self.iban;
        }
        // Whatever begins within a word is none of the others.
        if before.is_some_and(is_word) {
            return bits;
        }
        if self.card != 0 && (b'2'..=b'6').contains(&bytes[at]) && has_digits(bytes, at, b" -", CARD_DIGITS) {
            bits |= self.card;
        }
        if self.phone != 0 && could_be_called(bytes, at) {
            bits |= self.phone;
        }
        if self.address != 0 && is_dotted(bytes, at, group) {
            bits |= self.address;
        }
        bits
    }
}

/// How many digits there are from a place on.
fn digits_at(bytes: &[u8], at: usize) -> usize {
    bytes[at..].iter().take_while(|byte| byte.is_ascii_digit()).count()
}

/// Whether so many digits follow, with one of these between them at the most.
fn has_digits(bytes: &[u8], at: usize, joints: &[u8], wanted: usize) -> bool {
    let mut count = 0;
    let mut after_joint = true;
    for byte in &bytes[at..] {
        if byte.is_ascii_digit() {
            count += 1;
            after_joint = false;
            if count == wanted {
                return true;
            }
        } else if after_joint || !joints.contains(byte) {
            return false;
        } else {
            after_joint = true;
        }
    }
    false
}

/// Whether two capitals that begin a word stand before the digits.
fn is_after_country(bytes: &[u8], at: usize) -> bool {
    match &bytes[..at] {
        [rest @ .., one, other] => {
            one.is_ascii_uppercase()
                && other.is_ascii_uppercase()
                && !rest.last().is_some_and(|byte| is_word(*byte))
        }
        _ => false,
    }
}

/// Whether a telephone number of one of the shapes could begin with the digit at a place, the first of its group.
pub(in crate::redact) fn could_be_called(bytes: &[u8], at: usize) -> bool {
    let group = digits_at(bytes, at);
    let next = bytes.get(at + group).copied();
    let before = match bytes[..at] {
        _ if is_after_escaped_plus(&bytes[..at]) => Some(b'+'),
        [.., last] => Some(last),
        [] => None,
    };
    // In the middle of a time, a version or a longer number.
    if matches!(&bytes[..at], [.., digit, b'.' | b'-' | b'/' | b':' | b','] if digit.is_ascii_digit()) {
        return false;
    }
    match (before, bytes[at], group) {
        // +49 …; brackets within it, and two joints around them, are not counted out here.
        (Some(b'+'), b'1'..=b'9', _) => {
            group >= PHONE_DIGITS || next.is_some_and(|byte| b" ()./-".contains(&byte))
        }
        // (030) …, (212) …
        (Some(b'('), _, 3..=6) => next == Some(b')'),
        // 0049 …; zeros before a number are no mark of one without anything between its digits, and ids have them.
        (_, b'0', _) if group > 2 && bytes[at + 1] == b'0' => {
            bytes[at + 2] != b'0'
                && next.is_some_and(|byte| b" ()./-".contains(&byte))
                && digit_follows(bytes, at + group)
        }
        // 01 99 00 12 34
        (_, b'0', 2) => has_digits(bytes, at, b" .-", 10),
        // 030 …, 030/…, 030 - …
        (_, b'0', 3..=5) => {
            next.is_some_and(|byte| b" /-".contains(&byte)) && digit_follows(bytes, at + group)
        }
        // 212-555-…, 1-212-555-…
        (_, b'1', 1) => {
            next.is_some_and(|byte| b"-. ".contains(&byte)) && has_digits(bytes, at + 2, b"-.", 10)
        }
        (_, b'2'..=b'9', 3) => has_digits(bytes, at, b"-.", 10),
        _ => false,
    }
}

/// Whether `%2B` stands before digits: the `+` of a country code, as URLs have it.
pub(in crate::redact) fn is_after_escaped_plus(lead: &[u8]) -> bool {
    matches!(lead, [.., b'%', b'2', b'B' | b'b'])
}

/// Whether a digit stands within three bytes.
fn digit_follows(bytes: &[u8], at: usize) -> bool {
    bytes[at..].iter().take(4).any(u8::is_ascii_digit)
}

/// Whether four groups of digits with dots between them follow.
fn is_dotted(bytes: &[u8], at: usize, group: usize) -> bool {
    let mut end = at + group;
    let mut groups = usize::from(group <= 3);
    while groups > 0 && groups < 4 && bytes.get(end) == Some(&b'.') {
        let next = digits_at(bytes, end + 1);
        if !(1..=3).contains(&next) {
            return false;
        }
        end += 1 + next;
        groups += 1;
    }
    groups == 4
}

/// Whether hex and colons around a place could be an address of version 6: times have two colons.
pub(super) fn is_address_of_hex(bytes: &[u8], at: usize) -> bool {
    let is_part = |byte: &&u8| byte.is_ascii_hexdigit() || **byte == b':';
    let end = at + bytes[at..].iter().take_while(is_part).count();
    let start = at - bytes[..at].iter().rev().take(64).take_while(is_part).count();
    let part = &bytes[start..end];
    part.windows(2).any(|pair| pair == b"::") || part.iter().filter(|byte| **byte == b':').count() > 2
}
