//! How much memory all requests of ingest take together, from their first byte to their answer.
//!
//! Each request has bounds of its own; what many at once come to is bounded here, in two accounts. What arrives is counted
//! as it comes, and where it is too much it is refused at once: a sender may be slow, and nobody waits for one. What a
//! body becomes is taken for before it is unpacked, in the order in which requests ask, who wait a short while for it.
//! The accounts are two because whoever waits holds its body: it would wait for itself.

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
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::context::Shared;
use crate::problem::{Kind, Problem};

/// How long a request waits for its turn.
pub(crate) const PATIENCE: Duration = Duration::from_secs(3);
/// When to come back after that.
const RETRY_SOON: Duration = Duration::from_secs(2);
/// How many times its bytes an unpacked body takes: itself, the buffer that grew to hold it, the rows or samples that it
/// becomes, and what of these is on its way to the store.
const TIMES: u64 = 4;
/// What places are counted in: of bytes there would be too many.
const PLACE: u64 = 1024;

/// The memory of ingest.
pub(crate) struct IngestMemory {
    /// Bytes of bodies that have come and are not answered.
    arrived: Mutex<u64>,
    max_arrived: u64,
    /// Places for what bodies become.
    places: Arc<Semaphore>,
    all_places: u32,
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
        let all_places = u32::try_from((most.0 - max_arrived) / PLACE).unwrap_or(u32::MAX).max(1);
        Ok(Arc::new(Self {
            arrived: Mutex::default(),
            max_arrived,
            places: Arc::new(Semaphore::new(usize::try_from(all_places).unwrap_or(Semaphore::MAX_PERMITS))),
            all_places,
            patience,
            in_use,
            turned_away,
        }))
    }

    /// Takes room for a body of so many bytes once it is unpacked, and for what it becomes; all there is where that would
    /// not be enough. Waits its turn.
    pub(crate) async fn take(self: &Arc<Self>, unpacked: u64) -> Result<Taken, Problem> {
        let places = unpacked.saturating_mul(TIMES).div_ceil(PLACE);
        let places = u32::try_from(places).unwrap_or(u32::MAX).clamp(1, self.all_places);
        let waiting = Arc::clone(&self.places).acquire_many_owned(places);
        // Nobody closes it.
        let Ok(Ok(permit)) = tokio::time::timeout(self.patience, waiting).await else {
            self.turned_away.inc();
            return Err(no_room());
        };
        let bytes = i64::from(places).saturating_mul(PLACE as i64);
        self.in_use.add(bytes);
        Ok(Taken { memory: Arc::clone(self), bytes, _permit: permit })
    }

    fn arriving(self: &Arc<Self>) -> Arriving {
        Arriving { memory: Arc::clone(self), bytes: Mutex::default() }
    }
}

/// Room for what a body becomes, until it is stored.
pub(crate) struct Taken {
    memory: Arc<IngestMemory>,
    bytes: i64,
    _permit: OwnedSemaphorePermit,
}

impl Drop for Taken {
    fn drop(&mut self) {
        self.memory.in_use.sub(self.bytes);
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

fn gauged(bytes: u64) -> i64 {
    i64::try_from(bytes).unwrap_or(i64::MAX)
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
        let all = memory.take(1 << 30).await.expect("one alone gets all there is");
        assert_eq!(memory.in_use.get(), 48 << 10);
        let refused = memory.take(1).await.err().expect("there is no room");
        assert!(refused.detail().contains("server.max_ingest_memory"), "{refused:?}");
        assert_eq!(memory.turned_away.get(), 1);
        drop(all);
        let some = [memory.take(6 << 10).await, memory.take(6 << 10).await];
        assert!(
            some.iter().all(Result::is_ok) && memory.take(1).await.is_err(),
            "each takes four times its bytes"
        );
        drop(some);
        assert_eq!(memory.in_use.get(), 0);
    }

    #[tokio::test]
    async fn who_waits_gets_room_in_the_order_of_asking() {
        let memory = memory(64 << 10, Duration::from_secs(60));
        let all = memory.take(1 << 30).await.expect("room");
        let (told, mut done) = tokio::sync::mpsc::unbounded_channel();
        for (name, bytes) in [("large", 12 << 10), ("small", 1)] {
            let (memory, told) = (Arc::clone(&memory), told.clone());
            tokio::spawn(async move {
                let taken = memory.take(bytes).await;
                // The test may have failed by then.
                _ = told.send((name, taken.is_ok()));
            });
            // On one thread it asks before the next one does.
            tokio::task::yield_now().await;
        }
        drop(all);
        assert_eq!(done.recv().await, Some(("large", true)));
        assert_eq!(done.recv().await, Some(("small", true)));
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
