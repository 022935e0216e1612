//! What stands before and after a place in a text.

use std::ops::Range;

/// The byte before a place.
pub(super) fn before(text: &str, at: usize) -> Option<u8> {
    text.as_bytes()[..at].last().copied()
}

/// The byte at a place.
pub(super) fn at(text: &str, place: usize) -> Option<u8> {
    text.as_bytes().get(place).copied()
}

/// Whether a byte can be a part of a word or number.
pub(super) fn is_word(byte: Option<u8>) -> bool {
    byte.is_some_and(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

/// Whether a digit stands two bytes on, after one of these: a number goes on.
pub(super) fn goes_on(text: &str, place: usize, joints: &[u8]) -> bool {
    at(text, place).is_some_and(|byte| joints.contains(&byte))
        && at(text, place + 1).is_some_and(|byte| byte.is_ascii_digit())
}

/// Whether one of these follows a digit right before a place: a number began before.
pub(super) fn began(text: &str, place: usize, joints: &[u8]) -> bool {
    let bytes = &text.as_bytes()[..place];
    matches!(bytes, [.., digit, joint] if digit.is_ascii_digit() && joints.contains(joint))
}

/// What leads to a place, so many bytes of it at the most.
pub(super) fn lead(text: &str, place: usize, bytes: usize) -> &str {
    &text[text.ceil_char_boundary(place.saturating_sub(bytes))..place]
}

/// The word that a text ends in, passing over what stands between a word and what it speaks of.
pub(super) fn last_word(text: &str) -> &str {
    let text = text.trim_end_matches([' ', '\t', ':', '=', '"', '\'', '\\', '.', '#', '(', '-', '_']);
    text.rsplit(|letter: char| !letter.is_alphanumeric()).next().unwrap_or_default()
}

/// How far back a name of a number is looked for, in bytes.
const LEAD_BYTES: usize = 40;
/// Words that end in `id` and are written together.
const IDS: &[&str] = &[
    "id",
    "ids",
    "traceid",
    "spanid",
    "orderid",
    "requestid",
    "jobid",
    "userid",
    "messageid",
    "eventid",
    "sessionid",
    "transactionid",
    "correlationid",
    "taskid",
    "documentid",
    "processid",
    "uid",
    "guid",
    "trace",
    "span",
    "seq",
];

/// Whether what leads to a number says that it is an id: `trace_id=`, `"orderId": `, `span `.
pub(super) fn is_called_id(text: &str, start: usize) -> bool {
    let word = last_word(lead(text, start, LEAD_BYTES));
    let is_camel = word.ends_with("Id") && word.len() > 2;
    is_camel || IDS.iter().any(|id| id.eq_ignore_ascii_case(word))
}

/// The digits of a part of a text.
pub(super) fn digits(text: &str, range: &Range<usize>) -> Vec<u8> {
    text.as_bytes()[range.clone()]
        .iter()
        .filter(|byte| byte.is_ascii_digit())
        .map(|byte| byte - b'0')
        .collect()
}
