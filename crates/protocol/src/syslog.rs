//! Syslog: messages of RFC 5424, of RFC 3164 as it is met in real life, and whatever else comes to a port of syslog,
//! as records of logs; and how messages follow each other in a stream.
//!
//! Nothing is refused: what cannot be read is kept as the text that it is, and says so (`format_invalid`). Start
//! reading at [`Records`]; [`Framer`] takes a stream apart.

mod bsd;
mod frame;
mod header;
mod ietf;
mod priority;
mod record;
mod stamp;

#[cfg(test)]
mod tests;

pub use frame::{Frame, Framer};
pub use record::{Options, Received, Records};

use header::Header;
use model::event::Flaw;
use stamp::Clock;

/// What a message says.
#[derive(Debug, Default, PartialEq)]
struct Message<'a> {
    priority: Option<priority::Priority>,
    header: Header<'a>,
    /// Elements with their parameters, as they were sent.
    structured: &'a str,
    text: &'a str,
    flaw: Option<Flaw>,
}

/// Reads a message, whatever it is.
fn parse(text: &str, clock: Clock) -> Message<'_> {
    let text = text.trim_end_matches(['\n', '\r', '\0']);
    let Some((priority, rest)) = priority::read(text) else {
        let message = bsd::parse(text, clock);
        return Message { flaw: Some(Flaw::Format), ..message };
    };
    let message = match rest.strip_prefix("1 ") {
        Some(after) => ietf::parse(after, clock).unwrap_or_else(|| Message {
            text: rest,
            flaw: Some(Flaw::Format),
            ..Message::default()
        }),
        None => bsd::parse(rest, clock),
    };
    Message { priority: Some(priority), ..message }
}
