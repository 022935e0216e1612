//! Loki's push API (`POST /loki/api/v1/push`): streams of lines in protobuf or JSON, which become records of logs.
//!
//! Labels say what a stream comes from, and lines follow with their times and, perhaps, metadata of their own. A
//! request is read once, line by line. One that cannot be decoded is refused as a whole; of any other each line is
//! kept or rejected alone. Start reading at [`decode`]; `rows` says what becomes of a line.

mod json;
mod labels;
mod names;
mod protobuf;
mod rows;

#[cfg(test)]
mod tests;

use model::Timestamp;

use crate::otlp::rows::{RowLimits, Rows};
pub use crate::wire::Malformed;
use rows::PushRows;

/// How a request is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Encoding {
    /// A `logproto.PushRequest`, not compressed any more.
    Protobuf,
    /// The same in JSON.
    Json,
}

/// What holds for all lines of a request.
#[derive(Clone, Copy, Debug)]
pub struct Context<'c> {
    /// How much of a line is kept.
    pub limits: &'c RowLimits,
    /// The present time, for lines that have none.
    pub now: Timestamp,
    /// For whom they are, as the header `X-Scope-OrgID` has it.
    pub tenant: Option<&'c str>,
}

/// A request that cannot be taken.
#[derive(Debug, thiserror::Error)]
pub enum LokiError {
    /// It would be too large when decompressed.
    #[error("the request holds {declared} bytes, at most {limit} are taken: send fewer lines at once")]
    TooLarge {
        /// The size that it declares.
        declared: usize,
        /// The limit.
        limit: usize,
    },
    /// It is no snappy block.
    #[error("the request is not a snappy block (not the framed format)")]
    Snappy(#[source] snap::Error),
    /// It is no message of that kind.
    #[error("the request is not a logproto.PushRequest")]
    Protobuf(#[source] Malformed),
    /// It is no JSON of that kind; where, and why not.
    #[error("the request is not what Loki's push API takes as JSON: {0}")]
    Json(String),
}

/// How many bytes a block of snappy says that it has when it is unpacked; none, where it is no such block.
pub fn unpacked_bytes(block: &[u8]) -> usize {
    snap::raw::decompress_len(block).unwrap_or(0)
}

/// Unpacks the snappy block that a request in protobuf is.
pub fn unpack(block: &[u8], limit: usize) -> Result<Vec<u8>, LokiError> {
    let declared = snap::raw::decompress_len(block).map_err(LokiError::Snappy)?;
    if declared > limit {
        return Err(LokiError::TooLarge { declared, limit });
    }
    snap::raw::Decoder::new().decompress_vec(block).map_err(LokiError::Snappy)
}

/// Takes a request apart; its lines as records of logs.
pub fn decode(encoding: Encoding, body: &[u8], context: &Context<'_>) -> Result<Rows, LokiError> {
    let mut rows = PushRows::new(context);
    match encoding {
        Encoding::Protobuf => protobuf::read(body, &mut rows).map_err(LokiError::Protobuf)?,
        Encoding::Json => json::read(body, &mut rows).map_err(LokiError::Json)?,
    }
    Ok(rows.finish())
}
