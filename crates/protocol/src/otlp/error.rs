//! What is wrong with a request, and where in it.

use crate::wire::Malformed;

/// A request that cannot be taken.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}{fault}", before_fault(.place))]
pub struct OtlpError {
    place: String,
    fault: Fault,
}

/// What is wrong.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// Bytes are no protobuf message of that kind.
    #[error("expected a message in protobuf: {0}")]
    Protobuf(Malformed),
    /// A text, or the whole of a request in JSON, is not UTF-8.
    #[error("expected UTF-8")]
    NotUtf8,
    /// It is no JSON of that kind.
    #[error("{0}")]
    Json(String),
}

/// The most characters of what a parser of JSON says: it may quote a text of any length.
const MAX_SAID: usize = 300;

impl Fault {
    /// What a parser of JSON says.
    pub(super) fn json(said: &str) -> Self {
        match said.char_indices().nth(MAX_SAID) {
            Some((end, _)) => Self::Json(format!("{}…", &said[..end])),
            None => Self::Json(said.to_owned()),
        }
    }
}

impl OtlpError {
    /// Where it is, as a path from the request on (`resource_logs[0].scope_logs[1]`), in the names of its encoding;
    /// empty where that is the request itself.
    pub fn place(&self) -> &str {
        &self.place
    }

    /// What is wrong.
    pub fn fault(&self) -> &Fault {
        &self.fault
    }

    /// The same, seen from the message that has it in a field.
    pub(super) fn within(mut self, field: &str) -> Self {
        let separator = if self.place.is_empty() { "" } else { "." };
        self.place = format!("{field}{separator}{}", self.place);
        self
    }

    /// The same, seen from the message that has it in a list.
    pub(super) fn within_item(self, field: &str, index: usize) -> Self {
        self.within(&format!("{field}[{index}]"))
    }
}

fn before_fault(place: &str) -> String {
    if place.is_empty() { String::new() } else { format!("{place}: ") }
}

impl From<Fault> for OtlpError {
    fn from(fault: Fault) -> Self {
        Self { place: String::new(), fault }
    }
}

impl From<Malformed> for OtlpError {
    fn from(malformed: Malformed) -> Self {
        Fault::Protobuf(malformed).into()
    }
}
