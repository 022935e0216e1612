//! Reading a body within bounds, before and after it is unpacked.

use std::io::Read as _;
use std::sync::Arc;

use flate2::read::MultiGzDecoder;
use reqwest::Response;
use reqwest::header::{CONTENT_ENCODING, CONTENT_TYPE};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::error::ScrapeError;
use super::http::reason;

/// Memory for bodies is lent in pieces of so many bytes.
const PIECE: usize = 64 << 10;

/// Memory that all bodies share.
#[derive(Clone, Debug)]
pub(super) struct Room(Arc<Semaphore>);

impl Room {
    pub(super) fn new(bytes: u64) -> Self {
        let pieces = usize::try_from(bytes).unwrap_or(usize::MAX) / PIECE;
        Self(Arc::new(Semaphore::new(pieces.clamp(1, Semaphore::MAX_PERMITS))))
    }

    fn piece(&self) -> Result<OwnedSemaphorePermit, ScrapeError> {
        Arc::clone(&self.0).try_acquire_owned().map_err(|_| ScrapeError::NoRoom)
    }
}

/// A body as it was sent, and the memory that was lent for it.
pub(super) struct Body {
    pub(super) content_type: String,
    packed: Option<Vec<u8>>,
    plain: Vec<u8>,
    lent: Option<OwnedSemaphorePermit>,
    room: Room,
    limit: usize,
}

impl Body {
    /// Reads all of it; one that is longer than `limit` is broken off.
    pub(super) async fn read(mut response: Response, limit: usize, room: &Room) -> Result<Self, ScrapeError> {
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
        let (mut bytes, mut lent) = (Vec::new(), None);
        while let Some(chunk) =
            response.chunk().await.map_err(|error| ScrapeError::Unreachable(reason(&error)))?
        {
            if bytes.len() + chunk.len() > limit {
                return Err(ScrapeError::BodyTooLarge(limit));
            }
            lend(&mut lent, bytes.len() + chunk.len(), room)?;
            bytes.extend_from_slice(&chunk);
        }
        let (packed, plain) = if is_packed { (Some(bytes), Vec::new()) } else { (None, bytes) };
        Ok(Self { content_type, packed, plain, lent, room: room.clone(), limit })
    }

    /// The body unpacked. Takes the processor for as long as that takes.
    pub(super) fn unpack(&mut self) -> Result<&[u8], ScrapeError> {
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
                lend(&mut self.lent, sent + self.plain.len(), &self.room)?;
            }
        }
        Ok(&self.plain)
    }
}

/// Sees to it that memory is lent for so many bytes.
fn lend(lent: &mut Option<OwnedSemaphorePermit>, bytes: usize, room: &Room) -> Result<(), ScrapeError> {
    while lent.as_ref().map_or(0, OwnedSemaphorePermit::num_permits) * PIECE < bytes {
        let piece = room.piece()?;
        match lent {
            Some(lent) => lent.merge(piece),
            None => *lent = Some(piece),
        }
    }
    Ok(())
}
