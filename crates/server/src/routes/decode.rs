//! Bodies of ingest on their way to what they say: unpacked and decoded, large ones on a thread that may block.

use axum::body::Bytes;
use ingest::Reason;
use model::ByteSize;

use crate::context::Shared;
use crate::errors::capital;
use crate::guard::memory::Taken;
use crate::guard::packing::{Packing, UnpackError};
use crate::problem::{Kind, Problem};

/// Bodies below this are decoded where they are; a larger one would hold up other requests.
const DECODE_HERE_BYTES: usize = 64 << 10;

/// How a body that is not taken is counted, and what its sender is told.
pub(super) type Refusal = (Reason, Problem);

/// What a body says, and the room that is taken for it until it is stored.
pub(super) struct Decoded<T> {
    pub(super) value: T,
    pub(super) room: Taken,
}

/// Unpacks a body and decodes it.
pub(super) async fn decoded<T: Send + 'static>(
    app: &Shared,
    packing: Packing,
    body: Bytes,
    decode: impl FnOnce(&[u8]) -> Result<T, Refusal> + Send + 'static,
) -> Result<Decoded<T>, Refusal> {
    let expected = packing.expected(&body, app.config.max_decompressed_body);
    decoded_within(app, packing, body, expected, decode).await
}

/// The same of a body that is expected to have so many bytes when it is unpacked. One that has more is unpacked again,
/// once there is room for the largest.
pub(super) async fn decoded_within<T: Send + 'static>(
    app: &Shared,
    packing: Packing,
    body: Bytes,
    expected: ByteSize,
    decode: impl FnOnce(&[u8]) -> Result<T, Refusal> + Send + 'static,
) -> Result<Decoded<T>, Refusal> {
    let limit = app.config.max_decompressed_body;
    let first =
        Attempt { packing, body: body.clone(), within: expected, limit, room: room(app, expected.0).await? };
    let decode = match first.make(decode).await {
        Tried::Done(done) => return done,
        // Its room is given back: whoever waits for more while it holds some may wait for another who does the same.
        Tried::Larger(decode) => decode,
    };
    let second = Attempt { packing, body, within: limit, limit, room: room(app, limit.0).await? };
    match second.make(decode).await {
        Tried::Done(done) => done,
        Tried::Larger(_) => Err(unpacking(&UnpackError::TooLarge(limit))),
    }
}

/// Takes room for a body of so many bytes.
pub(super) async fn room(app: &Shared, unpacked: u64) -> Result<Taken, Refusal> {
    app.ingest_memory.take(unpacked).await.map_err(|problem| (Reason::Overloaded, problem))
}

/// A body that is to be unpacked within some room, which it holds also when nobody waits for it any more.
struct Attempt {
    packing: Packing,
    body: Bytes,
    within: ByteSize,
    /// The largest that is taken.
    limit: ByteSize,
    room: Taken,
}

/// What came of it.
enum Tried<T, F> {
    Done(Result<Decoded<T>, Refusal>),
    /// It is larger, and nothing was decoded.
    Larger(F),
}

impl Attempt {
    async fn make<T, F>(self, decode: F) -> Tried<T, F>
    where
        T: Send + 'static,
        F: FnOnce(&[u8]) -> Result<T, Refusal> + Send + 'static,
    {
        let is_small = self.packing == Packing::Plain && self.body.len() <= DECODE_HERE_BYTES;
        if is_small {
            return self.run(decode);
        }
        let done = tokio::task::spawn_blocking(move || self.run(decode)).await;
        done.unwrap_or_else(|error| Tried::Done(Err((Reason::Malformed, Problem::internal(&error)))))
    }

    fn run<T, F: FnOnce(&[u8]) -> Result<T, Refusal>>(self, decode: F) -> Tried<T, F> {
        match self.packing.unpack(&self.body, self.within) {
            Ok(bytes) => Tried::Done(decode(&bytes).map(|value| Decoded { value, room: self.room })),
            Err(UnpackError::TooLarge(_)) if self.within.0 < self.limit.0 => Tried::Larger(decode),
            Err(error) => Tried::Done(Err(unpacking(&error))),
        }
    }
}

fn unpacking(error: &UnpackError) -> Refusal {
    let (reason, kind) = match error {
        UnpackError::TooLarge(_) => (Reason::TooLarge, Kind::TooLarge),
        UnpackError::Broken(_) => (Reason::Malformed, Kind::BadBody),
    };
    (reason, Problem::new(kind, format!("{}.", capital(error))))
}
