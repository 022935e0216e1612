//! Bodies of ingest on their way to what they say: unpacked and decoded, large ones on a thread that may block.

use axum::body::Bytes;
use ingest::Reason;

use crate::context::Shared;
use crate::errors::capital;
use crate::guard::packing::{Packing, UnpackError};
use crate::problem::{Kind, Problem};

/// Bodies below this are decoded where they are; a larger one would hold up other requests.
const DECODE_HERE_BYTES: usize = 64 << 10;

/// How a body that is not taken is counted, and what its sender is told.
pub(super) type Refusal = (Reason, Problem);

/// Unpacks a body and decodes it.
pub(super) async fn decoded<T: Send + 'static>(
    app: &Shared,
    packing: Packing,
    body: Bytes,
    decode: impl FnOnce(&[u8]) -> Result<T, Refusal> + Send + 'static,
) -> Result<T, Refusal> {
    let limit = app.config.max_decompressed_body;
    let is_small = packing == Packing::Plain && body.len() <= DECODE_HERE_BYTES;
    let work = move || decode(&packing.unpack(&body, limit).map_err(|error| unpacking(&error))?);
    if is_small {
        return work();
    }
    let done = tokio::task::spawn_blocking(work).await;
    done.unwrap_or_else(|error| Err((Reason::Malformed, Problem::internal(&error))))
}

fn unpacking(error: &UnpackError) -> Refusal {
    let (reason, kind) = match error {
        UnpackError::TooLarge(_) => (Reason::TooLarge, Kind::TooLarge),
        UnpackError::Broken(_) => (Reason::Malformed, Kind::BadBody),
    };
    (reason, Problem::new(kind, format!("{}.", capital(error))))
}
