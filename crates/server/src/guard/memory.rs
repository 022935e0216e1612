//! How much memory all requests of ingest take together, from their first byte to their answer.
//!
//! Each request has bounds of its own; what many at once come to is bounded here, in two accounts. What arrives is counted
//! as it comes, and where it is too much it is refused at once: a sender may be slow, and nobody waits for one. What a
//! body becomes is taken for before it is unpacked, in the order in which requests ask, who wait a short while for it.
//! The accounts are two because whoever waits holds its body: it would wait for itself.
//!
//! How much a body becomes is known when it is decoded: a record of two bytes is a row of hundreds. Room that is taken
//! grows with the rows ([`Taken::holds`]), and nobody waits while it holds some. Where there is none, what was made is let
//! go and the rest is only counted; the request waits its turn again, for all that it needs.

use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, HttpBody};
use axum::extract::{Request, State};
use axum::middleware::Next;
use axum::response::Response;
use futures::StreamExt;
use model::ByteSize;
use parking_lot::Mutex;
use prometheus::{IntCounter, IntGauge, Registry};

use super::places::{Place, Places, gauged};
use crate::context::Shared;
use crate::problem::{Kind, Problem};

/// How long a request waits for its turn.
pub(crate) const PATIENCE: Duration = Duration::from_secs(3);
/// When to come back after that.
const RETRY_SOON: Duration = Duration::from_secs(2);
/// How many times its bytes an unpacked body takes where rows are no larger than what they were made from: itself, the
/// buffer that grew to hold it, the rows or samples that it becomes, and what of these is on its way to the store.
const TIMES: u64 = 4;
/// How many times its bytes it takes beside rows.
const TIMES_ITSELF: u64 = 2;
/// The most that is on its way to the store at once: a part, in which large requests are stored.
const PART_BYTES: u64 = 16 << 20;
/// Room grows by this at least, so that it does not with every row.
const STEP: u64 = 16 << 10;

/// The memory of ingest.
pub(crate) struct IngestMemory {
    /// Bytes of bodies that have come and are not answered.
    arrived: Mutex<u64>,
    max_arrived: u64,
    /// Room for what bodies become.
    places: Arc<Places>,
    patience: Duration,
    in_use: IntGauge,
    turned_away: IntCounter,
}

impl IngestMemory {
    /// Memory of so many bytes, a quarter of it for what arrives.
    pub(crate) fn new(
        most: ByteSize,
        patience: Duration,
        registry: &Registry,
    ) -> Result<Arc<Self>, prometheus::Error> {
        let in_use = IntGauge::new(
            "watchkeeper_http_ingest_memory_bytes",
            "Memory set aside for requests of ingest that are being taken in.",
        )?;
        let turned_away = IntCounter::new(
            "watchkeeper_http_ingest_turned_away_total",
            "Requests of ingest refused because those that were being taken in filled server.max_ingest_memory.",
        )?;
        registry.register(Box::new(in_use.clone()))?;
        registry.register(Box::new(turned_away.clone()))?;
        let max_arrived = most.0 / 4;
        Ok(Arc::new(Self {
            arrived: Mutex::default(),
            max_arrived,
            places: Places::new(most.0 - max_arrived, in_use.clone()),
            patience,
            in_use,
            turned_away,
        }))
    }

    /// Takes room for a body of so many bytes once it is unpacked, and for rows of so many that it becomes, where that is
    /// known; all that one may have where that would not be enough. Waits its turn.
    pub(crate) async fn take(&self, unpacked: u64, rows: u64) -> Result<Taken, Problem> {
        match self.places.take(needed(unpacked, rows), self.patience).await {
            Some(place) => Ok(Taken { unpacked, held: Mutex::new(Held { place, lacking: None }) }),
            None => Err(self.turn_away()),
        }
    }

    /// Counts a request for which there is no room, and says what it is told.
    pub(crate) fn turn_away(&self) -> Problem {
        self.turned_away.inc();
        no_room()
    }

    fn arriving(self: &Arc<Self>) -> Arriving {
        Arriving { memory: Arc::clone(self), bytes: Mutex::default() }
    }
}

/// What a body takes in all, with the rows that it becomes and what of them is on its way to the store.
fn needed(unpacked: u64, rows: u64) -> u64 {
    let with_rows = rows.saturating_add(rows.min(PART_BYTES));
    let known = unpacked.saturating_mul(TIMES_ITSELF).saturating_add(with_rows);
    known.max(unpacked.saturating_mul(TIMES))
}

/// Room for what a body becomes, until it is stored.
pub(crate) struct Taken {
    unpacked: u64,
    held: Mutex<Held>,
}

struct Held {
    place: Place,
    /// Bytes of rows for which there was none.
    lacking: Option<u64>,
}

impl Taken {
    /// Whether there is room for rows of so many bytes, all that there are by now. Takes more without waiting. Who has
    /// all that one may have needs no more.
    pub(crate) fn holds(&self, rows: u64) -> bool {
        let mut held = self.held.lock();
        let Held { place, lacking } = &mut *held;
        let missing = needed(self.unpacked, rows).saturating_sub(place.bytes());
        let is_there = lacking.is_none()
            && (missing == 0
                || place.is_most()
                || place.grow(missing.next_multiple_of(STEP))
                || place.grow(missing));
        if !is_there {
            *lacking = Some(lacking.unwrap_or(0).max(rows));
        }
        is_there
    }

    /// How many bytes of rows there would have been, where there was no room for them.
    pub(crate) fn lacking(&self) -> Option<u64> {
        self.held.lock().lacking
    }
}

/// There was no room for what arrived.
#[derive(Debug, thiserror::Error)]
#[error("the bodies of other requests take all memory that is for them")]
pub(super) struct Crowded;

/// A body as it arrives.
struct Arriving {
    memory: Arc<IngestMemory>,
    bytes: Mutex<u64>,
}

impl Arriving {
    /// Counts what has come. One body alone may be as large as any.
    fn grow(&self, bytes: u64) -> Result<(), Crowded> {
        let mut own = self.bytes.lock();
        let mut all = self.memory.arrived.lock();
        let has_others = *all > *own;
        if has_others && all.saturating_add(bytes) > self.memory.max_arrived {
            drop(all);
            self.memory.turned_away.inc();
            return Err(Crowded);
        }
        *all = all.saturating_add(bytes);
        *own = own.saturating_add(bytes);
        self.memory.in_use.add(gauged(bytes));
        Ok(())
    }
}

impl Drop for Arriving {
    fn drop(&mut self) {
        let own = *self.bytes.get_mut();
        let mut all = self.memory.arrived.lock();
        *all = all.saturating_sub(own);
        self.memory.in_use.sub(gauged(own));
    }
}

/// What is told of a request for which there is no room now.
pub(super) fn no_room() -> Problem {
    let said = "Nothing was stored: the requests that are being taken in fill the memory for them \
                (server.max_ingest_memory); send the same again.";
    Problem::new(Kind::Overloaded, said).retry_after(RETRY_SOON)
}

/// Counts the body of a request as it arrives, until the request is answered.
pub(crate) async fn count_arriving(State(app): State<Shared>, request: Request, next: Next) -> Response {
    let arriving = Arc::new(app.ingest_memory.arriving());
    let counting = Arc::clone(&arriving);
    let request = request.map(|body| if body.is_end_stream() { body } else { counted(body, counting) });
    let response = next.run(request).await;
    drop(arriving);
    response
}

fn counted(body: Body, arriving: Arc<Arriving>) -> Body {
    Body::from_stream(body.into_data_stream().map(move |chunk| {
        let chunk = chunk?;
        arriving.grow(chunk.len() as u64).map_err(axum::Error::new)?;
        Ok::<_, axum::Error>(chunk)
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn memory(bytes: u64, patience: Duration) -> Arc<IngestMemory> {
        IngestMemory::new(ByteSize(bytes), patience, &Registry::new()).expect("a fresh registry")
    }

    #[tokio::test]
    async fn who_finds_no_room_in_time_is_told_to_come_back_and_counted() {
        let memory = memory(64 << 10, Duration::from_millis(10));
        let all = memory.take(1 << 30, 0).await.expect("one alone gets all there is but an eighth");
        assert_eq!(memory.in_use.get(), 42 << 10);
        let refused = memory.take(2 << 10, 0).await.err().expect("there is no room");
        assert!(refused.detail().contains("server.max_ingest_memory"), "{refused:?}");
        assert_eq!(memory.turned_away.get(), 1);
        drop(all);
        let some = [memory.take(5 << 10, 0).await, memory.take(5 << 10, 0).await];
        assert!(
            some.iter().all(Result::is_ok) && memory.take(2 << 10, 0).await.is_err(),
            "each takes four times its bytes"
        );
        drop(some);
        assert_eq!(memory.in_use.get(), 0);
    }

    #[tokio::test]
    async fn room_grows_with_rows_and_what_finds_none_says_how_much_it_needs() {
        let memory = memory(4 << 20, Duration::from_millis(10));
        let most = (3 << 20) / 8 * 7;
        let first = memory.take(1 << 10, 0).await.expect("room");
        assert_eq!(memory.in_use.get(), 4 << 10);
        assert!(first.holds(1 << 10) && memory.in_use.get() == 4 << 10, "four times the body is enough");
        assert!(first.holds(1 << 20), "rows, and as much on their way to the store");
        assert!(memory.in_use.get() >= 2 << 20);
        let second = memory.take(1 << 10, 0).await.expect("room");
        assert!(!second.holds(1 << 20) && !second.holds(1), "once there was none there is none");
        assert!(!second.holds(1200 << 10));
        assert_eq!((first.lacking(), second.lacking()), (None, Some(1200 << 10)));
        assert!(memory.take(1 << 10, 1200 << 10).await.is_err(), "all that it needs at once");
        drop((first, second));
        let third = memory.take(1 << 10, 1200 << 10).await.expect("room");
        let taken = memory.in_use.get();
        assert!(third.holds(1200 << 10) && memory.in_use.get() == taken);
        drop(third);
        let alone = memory.take(1 << 10, 1 << 30).await.expect("room");
        assert!(alone.holds(1 << 30) && memory.in_use.get() == most, "it has all that one may have");
    }

    #[test]
    fn bodies_have_a_quarter_together_and_one_alone_as_much_as_it_is_allowed() {
        let memory = memory(4000, PATIENCE);
        let (first, second) = (memory.arriving(), memory.arriving());
        assert!(first.grow(1500).is_ok(), "there is no other");
        assert!(second.grow(1).is_err());
        assert_eq!(memory.turned_away.get(), 1);
        drop(first);
        assert!(second.grow(600).is_ok());
        let third = memory.arriving();
        assert!(third.grow(400).is_ok() && third.grow(1).is_err());
        drop((second, third));
        assert_eq!((*memory.arrived.lock(), memory.in_use.get()), (0, 0));
    }
}
