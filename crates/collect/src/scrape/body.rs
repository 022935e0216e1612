//! Reading a body within bounds, before and after it is unpacked.

use std::io::Read as _;

use flate2::read::MultiGzDecoder;
use reqwest::Response;
use reqwest::header::{CONTENT_ENCODING, CONTENT_TYPE};

use super::deadline::Deadline;
use super::error::ScrapeError;
use super::room::{Lent, PIECE, Room};
use super::turn::Turn;
use crate::body::{next_chunk, why_broken_off};

/// A body as it was sent, and the memory that was lent for it.
pub(super) struct Body {
    pub(super) content_type: String,
    packed: Option<Vec<u8>>,
    plain: Vec<u8>,
    lent: Lent,
    room: Room,
    limit: usize,
    deadline: Deadline,
}

impl Body {
    /// Reads all of it; one that is longer than `limit` is broken off.
    pub(super) async fn read(
        mut response: Response,
        limit: usize,
        room: &Room,
        deadline: Deadline,
    ) -> Result<Self, ScrapeError> {
        let header = |name| {
            let value = response.headers().get(name);
            value.and_then(|value| value.to_str().ok()).unwrap_or_default().to_owned()
        };
        let (content_type, encoding) = (header(CONTENT_TYPE), header(CONTENT_ENCODING));
        let is_packed = match encoding.to_ascii_lowercase().as_str() {
            "" | "identity" => false,
            "gzip" | "x-gzip" => true,
            other => {
                let other: String = other.chars().take(60).collect();
                return Err(ScrapeError::Encoding(format!(
                    "it is packed as `{other}`, and gzip is asked for"
                )));
            }
        };
        let (mut bytes, mut lent) = (Vec::new(), Lent::default());
        while let Some(chunk) = deadline
            .bound(next_chunk(&mut response))
            .await?
            .map_err(|error| ScrapeError::Unreachable(why_broken_off(&error)))?
        {
            if bytes.len() + chunk.len() > limit {
                return Err(ScrapeError::BodyTooLarge(limit));
            }
            lent.grow(bytes.len() + chunk.len(), room, deadline).await?;
            bytes.extend_from_slice(&chunk);
        }
        let (packed, plain) = if is_packed { (Some(bytes), Vec::new()) } else { (None, bytes) };
        Ok(Self { content_type, packed, plain, lent, room: room.clone(), limit, deadline })
    }

    /// The body unpacked. Takes the processor for as long as that takes, and lets others have it while it waits for
    /// memory.
    pub(super) fn unpack(&mut self, turn: &mut Turn) -> Result<&[u8], ScrapeError> {
        if let Some(packed) = self.packed.take() {
            let mut decoder = MultiGzDecoder::new(packed.as_slice());
            let sent = packed.len();
            loop {
                let before = self.plain.len();
                self.plain.resize(before + PIECE, 0);
                let count = decoder.read(&mut self.plain[before..]);
                let count = count.map_err(|error| ScrapeError::Encoding(error.to_string()))?;
                self.plain.truncate(before + count);
                if count == 0 {
                    break;
                }
                if self.plain.len() > self.limit {
                    return Err(ScrapeError::BodyTooLarge(self.limit));
                }
                let bytes = sent + self.plain.len();
                if !self.lent.try_grow(bytes, &self.room)? {
                    turn.pause(self.lent.grow(bytes, &self.room, self.deadline))?;
                }
            }
        }
        Ok(&self.plain)
    }
}
