//! Bodies of ingest on their way to what they say: unpacked and decoded, large ones on a thread that may block, within the
//! memory that there is for all of them.

use std::sync::Arc;

use axum::body::Bytes;
use ingest::Reason;
use model::ByteSize;
use protocol::Budget;

use crate::context::Shared;
use crate::errors::capital;
use crate::guard::memory::Taken;
use crate::guard::packing::{Packing, UnpackError};
use crate::problem::{Kind, Problem};

/// Bodies below this are decoded where they are; a larger one would hold up other requests.
const DECODE_HERE_BYTES: u64 = 64 << 10;

/// How a body that is not taken is counted, and what its sender is told.
pub(super) type Refusal = (Reason, Problem);

/// What a body says, and the room that is taken for it until it is stored.
pub(super) struct Decoded<T> {
    pub(super) value: T,
    pub(super) room: Arc<Taken>,
}

/// How often a body is unpacked at the most: when it turns out to be larger than it said, and when it turns out how much
/// it becomes, once more each.
const TRIES: usize = 3;

/// Unpacks a body and decodes it, asking for room for what it becomes.
pub(super) async fn decoded<T: Send + 'static>(
    app: &Shared,
    packing: Packing,
    body: Bytes,
    decode: impl Fn(&[u8], &Budget) -> Result<T, Refusal> + Send + 'static,
) -> Result<Decoded<T>, Refusal> {
    let expected = packing.expected(&body, app.config.max_decompressed_body);
    decoded_within(app, packing, body, expected, decode).await
}

/// The same of a body that is expected to have so many bytes when it is unpacked. One that has more is unpacked again,
/// once there is room for the largest; one that becomes more than there was room for, once there is room for all of that.
pub(super) async fn decoded_within<T: Send + 'static>(
    app: &Shared,
    packing: Packing,
    body: Bytes,
    expected: ByteSize,
    decode: impl Fn(&[u8], &Budget) -> Result<T, Refusal> + Send + 'static,
) -> Result<Decoded<T>, Refusal> {
    let limit = app.config.max_decompressed_body;
    let (mut decode, mut within, mut rows) = (decode, expected, 0);
    for _ in 0..TRIES {
        // The room of the try before is given back: whoever waits for more while it holds some may wait for another who
        // does the same.
        let taken = app.ingest_memory.take(within.0, rows).await;
        let room = taken.map_err(|problem| (Reason::Overloaded, problem))?;
        match (Attempt { packing, body: body.clone(), within, limit, room }).make(decode).await {
            Tried::Done(done) => return done,
            Tried::Larger(again) => (decode, within) = (again, limit),
            // Some of it is reckoned roughly.
            Tried::Lacking { decode: again, rows: lacking } => {
                (decode, rows) = (again, lacking.saturating_add(lacking / 8));
            }
        }
    }
    Err((Reason::Overloaded, app.ingest_memory.turn_away()))
}

/// Does what is to be done with rows, which goes on, in the room for them, also when nobody waits for it any more.
pub(super) async fn in_room<T: Send + 'static>(
    room: Arc<Taken>,
    work: impl Future<Output = T> + Send + 'static,
) -> Result<T, Problem> {
    let working = tokio::spawn(async move {
        let done = work.await;
        drop(room);
        done
    });
    working.await.map_err(|error| Problem::internal(&error))
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
    /// There was no room for what it becomes, which would be rows of so many bytes.
    Lacking {
        decode: F,
        rows: u64,
    },
}

impl Attempt {
    async fn make<T, F>(self, decode: F) -> Tried<T, F>
    where
        T: Send + 'static,
        F: Fn(&[u8], &Budget) -> Result<T, Refusal> + Send + 'static,
    {
        let is_small = self.packing == Packing::Plain && self.within.0 <= DECODE_HERE_BYTES;
        if is_small {
            return self.run(decode);
        }
        let done = tokio::task::spawn_blocking(move || self.run(decode)).await;
        done.unwrap_or_else(|error| Tried::Done(Err((Reason::Malformed, Problem::internal(&error)))))
    }

    fn run<T, F: Fn(&[u8], &Budget) -> Result<T, Refusal>>(self, decode: F) -> Tried<T, F> {
        let bytes = match self.packing.unpack(&self.body, self.within) {
            Ok(bytes) => bytes,
            Err(UnpackError::TooLarge(_)) if self.within.0 < self.limit.0 => return Tried::Larger(decode),
            Err(error) => return Tried::Done(Err(unpacking(&error))),
        };
        let room = Arc::new(self.room);
        let growing = Arc::clone(&room);
        let budget = Budget::new(move |rows| growing.holds(rows as u64));
        let value = decode(&bytes, &budget);
        match room.lacking() {
            // Whatever came of it: it is not of all.
            Some(rows) => Tried::Lacking { decode, rows },
            None => Tried::Done(value.map(|value| Decoded { value, room })),
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
