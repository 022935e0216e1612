//! Room in memory that many share, in bytes, and who waits for it.
//!
//! What is large takes turns, and an eighth is not for it: what is small need not wait behind it. What grows is asked for
//! without waiting, and goes before whoever waits: it holds some already, which nobody else would get otherwise.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;
use prometheus::IntGauge;
use tokio::sync::oneshot;

/// The most that is small.
const SMALL_BYTES: u64 = 1 << 20;

/// The room.
pub(super) struct Places {
    state: Mutex<State>,
    all: u64,
    in_use: IntGauge,
}

#[derive(Default)]
struct State {
    large: u64,
    small: u64,
    waiting_large: VecDeque<Waiting>,
    waiting_small: VecDeque<Waiting>,
}

/// Somebody who waits. Who has gone away is passed over.
struct Waiting {
    bytes: u64,
    told: oneshot::Sender<Place>,
}

/// Room that is taken, until it is dropped.
pub(super) struct Place {
    places: Arc<Places>,
    large: u64,
    small: u64,
}

impl Places {
    /// Room for so many bytes. The gauge shows how many of them are in use.
    pub(super) fn new(bytes: u64, in_use: IntGauge) -> Arc<Self> {
        Arc::new(Self { state: Mutex::default(), all: bytes.max(1), in_use })
    }

    /// Takes room; all that there is for one where more is asked for. Waits so long for its turn.
    pub(super) async fn take(self: &Arc<Self>, bytes: u64, patience: Duration) -> Option<Place> {
        let bytes = bytes.clamp(1, self.most());
        let (told, turn) = oneshot::channel();
        {
            let mut state = self.state.lock();
            let waiting =
                if self.is_small(bytes) { &mut state.waiting_small } else { &mut state.waiting_large };
            waiting.push_back(Waiting { bytes, told });
        }
        self.serve();
        let turn = tokio::time::timeout(patience, turn).await;
        if turn.is_err() {
            // Whoever stands behind may need less.
            self.serve();
        }
        turn.ok()?.ok()
    }

    /// The most that one can have.
    pub(super) fn most(&self) -> u64 {
        self.all - self.eighth()
    }

    fn eighth(&self) -> u64 {
        self.all / 8
    }

    fn is_small(&self, bytes: u64) -> bool {
        bytes <= SMALL_BYTES.min(self.eighth())
    }

    /// Lets those in who wait and for whom there is room now.
    fn serve(self: &Arc<Self>) {
        while let Some((told, place)) = self.let_in() {
            // Who has just gone away gives it back.
            _ = told.send(place);
        }
    }

    fn let_in(self: &Arc<Self>) -> Option<(oneshot::Sender<Place>, Place)> {
        let mut state = self.state.lock();
        state.waiting_large.retain(|waiting| !waiting.told.is_closed());
        state.waiting_small.retain(|waiting| !waiting.told.is_closed());
        let fits_large = |waiting: &Waiting| self.has_room_for_large(&state, waiting.bytes);
        if state.waiting_large.front().is_some_and(fits_large) {
            let Waiting { bytes, told } = state.waiting_large.pop_front()?;
            state.large += bytes;
            return Some((told, self.place(bytes, 0)));
        }
        let fits_small = |waiting: &Waiting| self.has_room_for_small(&state, waiting.bytes);
        if state.waiting_small.front().is_some_and(fits_small) {
            let Waiting { bytes, told } = state.waiting_small.pop_front()?;
            state.small += bytes;
            return Some((told, self.place(0, bytes)));
        }
        None
    }

    fn has_room_for_large(&self, state: &State, bytes: u64) -> bool {
        state.large.saturating_add(bytes) <= self.most()
            && state.large.saturating_add(state.small).saturating_add(bytes) <= self.all
    }

    /// What is small has all that is free, but no more than what is for it while something large waits.
    fn has_room_for_small(&self, state: &State, bytes: u64) -> bool {
        let most = if state.waiting_large.is_empty() { self.all } else { self.eighth() };
        state.small.saturating_add(bytes) <= most
            && state.large.saturating_add(state.small).saturating_add(bytes) <= self.all
    }

    fn place(self: &Arc<Self>, large: u64, small: u64) -> Place {
        self.in_use.add(gauged(large + small));
        Place { places: Arc::clone(self), large, small }
    }
}

impl Place {
    /// How much it is.
    pub(super) fn bytes(&self) -> u64 {
        self.large + self.small
    }

    /// Whether it is all that one can have.
    pub(super) fn is_most(&self) -> bool {
        self.bytes() >= self.places.most()
    }

    /// Takes so much more, if there is room now. What is small may become a little larger where the small are.
    pub(super) fn grow(&mut self, bytes: u64) -> bool {
        let places = &self.places;
        let mut state = places.state.lock();
        if self.large == 0
            && places.is_small(self.small.saturating_add(bytes))
            && places.has_room_for_small(&state, bytes)
        {
            state.small += bytes;
            self.small += bytes;
        } else if places.has_room_for_large(&state, bytes) {
            state.large += bytes;
            self.large += bytes;
        } else {
            return false;
        }
        drop(state);
        places.in_use.add(gauged(bytes));
        true
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut state = self.places.state.lock();
        state.large -= self.large;
        state.small -= self.small;
        drop(state);
        self.places.in_use.sub(gauged(self.bytes()));
        self.places.serve();
    }
}

pub(super) fn gauged(bytes: u64) -> i64 {
    i64::try_from(bytes).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    const LONG: Duration = Duration::from_secs(60);
    const SHORT: Duration = Duration::from_millis(10);

    /// Room of 80 bytes, ten of which are for what is small.
    fn places() -> Arc<Places> {
        Places::new(80, IntGauge::new("in_use", "Bytes.").expect("a gauge"))
    }

    #[tokio::test]
    async fn what_is_large_leaves_an_eighth_to_what_is_small() {
        let places = places();
        let all = places.take(1000, LONG).await.expect("one alone gets what there is");
        assert!(all.bytes() == 70 && all.is_most() && places.in_use.get() == 70);
        assert!(places.take(11, SHORT).await.is_none());
        let waiting = tokio::spawn({
            let places = Arc::clone(&places);
            async move { places.take(20, LONG).await.is_some() }
        });
        // On one thread it asks before this goes on.
        tokio::task::yield_now().await;
        let small = places.take(10, LONG).await.expect("it does not wait behind the large");
        assert!(places.take(1, SHORT).await.is_none(), "no more than the eighth");
        drop(all);
        assert!(waiting.await.expect("no panic"));
        drop(small);
        assert_eq!(places.in_use.get(), 0);
    }

    #[tokio::test]
    async fn what_is_small_has_all_that_is_free_until_something_large_waits() {
        let places = places();
        let mut small = Vec::new();
        for _ in 0..7 {
            small.push(places.take(10, LONG).await.expect("there is room"));
        }
        let waiting = tokio::spawn({
            let places = Arc::clone(&places);
            async move { places.take(30, LONG).await.map(|place| place.bytes()) }
        });
        tokio::task::yield_now().await;
        assert!(places.take(10, SHORT).await.is_none(), "the large would never have its turn");
        small.truncate(5);
        assert_eq!(waiting.await.expect("no panic"), Some(30));
    }

    #[tokio::test]
    async fn who_waits_gets_room_in_the_order_of_asking() {
        let places = places();
        let all = places.take(1000, LONG).await.expect("room");
        let (told, mut done) = tokio::sync::mpsc::unbounded_channel();
        for (name, bytes) in [("first", 70), ("second", 11)] {
            let (places, told) = (Arc::clone(&places), told.clone());
            tokio::spawn(async move {
                let taken = places.take(bytes, LONG).await;
                // The test may have failed by then.
                _ = told.send((name, taken.is_some()));
            });
            tokio::task::yield_now().await;
        }
        drop(all);
        assert_eq!(done.recv().await, Some(("first", true)));
        assert_eq!(done.recv().await, Some(("second", true)));
    }

    #[tokio::test]
    async fn what_grows_goes_before_whoever_waits_and_finds_no_room_at_the_bound() {
        let places = places();
        let mut large = places.take(40, LONG).await.expect("room");
        let waiting = tokio::spawn({
            let places = Arc::clone(&places);
            async move { places.take(50, LONG).await.is_some() }
        });
        tokio::task::yield_now().await;
        assert!(large.grow(30) && !large.grow(1), "{}", large.bytes());
        let mut small = places.take(4, LONG).await.expect("room");
        assert!(small.grow(6) && !small.grow(1), "what it has more than the small may have counts as large");
        drop((large, small));
        assert!(waiting.await.expect("no panic"));
        assert_eq!(places.in_use.get(), 0);
    }
}
