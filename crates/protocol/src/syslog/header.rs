//! What stands before the text of a message.

use model::Timestamp;

/// Where a message comes from, and when. What was not said is not there.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Header<'a> {
    pub(super) time: Option<Timestamp>,
    pub(super) host: Option<&'a str>,
    pub(super) app: Option<&'a str>,
    pub(super) process: Option<&'a str>,
    /// What kind of message it is, to those who sent it.
    pub(super) kind: Option<&'a str>,
}

/// The next word, and what follows it; spaces before it are passed over.
pub(super) fn word(text: &str) -> Option<(&str, &str)> {
    let text = text.trim_start_matches(' ');
    let end = text.find(' ').unwrap_or(text.len());
    (end > 0).then(|| text.split_at(end))
}
