//! Memory that all bodies share, lent so that no target takes what the others need.
//!
//! One half is for the beginnings of bodies: so much of each has room, whatever other targets hold. What is longer goes
//! on in the other half, waits for it as long as its scrape may take, and ends at a bound.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::deadline::Deadline;
use super::error::ScrapeError;

/// Memory is lent in pieces of so many bytes.
pub(super) const PIECE: usize = 64 << 10;

/// What there is for all bodies.
#[derive(Clone, Debug)]
pub(super) struct Room {
    first: Arc<Semaphore>,
    more: Arc<Semaphore>,
    /// Pieces of each body that come of `first`.
    first_pieces: usize,
    /// The most pieces that one body may have.
    most_pieces: usize,
}

/// What is lent to one body, until it is dropped.
#[derive(Default)]
pub(super) struct Lent {
    first: Option<OwnedSemaphorePermit>,
    more: Option<OwnedSemaphorePermit>,
}

impl Room {
    /// Room for as many `bodies` at the same moment. One of them takes at most a quarter of it.
    pub(super) fn new(bytes: u64, bodies: usize) -> Self {
        let pieces = usize::try_from(bytes).unwrap_or(usize::MAX) / PIECE;
        let pieces = pieces.clamp(2, Semaphore::MAX_PERMITS);
        let half = pieces / 2;
        let first_pieces = (half / bodies.max(1)).max(1);
        Self {
            first: Arc::new(Semaphore::new(half)),
            more: Arc::new(Semaphore::new(pieces - half)),
            first_pieces,
            most_pieces: (pieces / 4).max(first_pieces),
        }
    }
}

impl Lent {
    /// Sees to it that there is room for so many bytes. Waits for it until the deadline.
    pub(super) async fn grow(
        &mut self,
        bytes: usize,
        room: &Room,
        deadline: Deadline,
    ) -> Result<(), ScrapeError> {
        while !self.try_grow(bytes, room)? {
            let (from, _) = self.next(room);
            let piece = tokio::time::timeout_at(deadline.at(), Arc::clone(from).acquire_owned()).await;
            let piece = piece.ok().and_then(Result::ok).ok_or(ScrapeError::NoRoom)?;
            self.add(piece, room);
        }
        Ok(())
    }

    /// The same without waiting; `false` when there is no room now.
    pub(super) fn try_grow(&mut self, bytes: usize, room: &Room) -> Result<bool, ScrapeError> {
        let wanted = bytes.div_ceil(PIECE);
        if wanted > room.most_pieces {
            return Err(ScrapeError::OverShare(room.most_pieces * PIECE));
        }
        while self.pieces() < wanted {
            let (from, _) = self.next(room);
            let Ok(piece) = Arc::clone(from).try_acquire_owned() else { return Ok(false) };
            self.add(piece, room);
        }
        Ok(true)
    }

    fn pieces(&self) -> usize {
        let of = |permit: &Option<OwnedSemaphorePermit>| {
            permit.as_ref().map_or(0, OwnedSemaphorePermit::num_permits)
        };
        of(&self.first) + of(&self.more)
    }

    /// Where the next piece comes from, and where it goes.
    fn next<'r>(&mut self, room: &'r Room) -> (&'r Arc<Semaphore>, &mut Option<OwnedSemaphorePermit>) {
        if self.pieces() < room.first_pieces {
            (&room.first, &mut self.first)
        } else {
            (&room.more, &mut self.more)
        }
    }

    fn add(&mut self, piece: OwnedSemaphorePermit, room: &Room) {
        match self.next(room).1 {
            Some(held) => held.merge(piece),
            none => *none = Some(piece),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    /// Room of 16 pieces for 8 bodies: of each the first one is kept, and none has more than four.
    fn room() -> Room {
        Room::new(16 * PIECE as u64, 8)
    }

    #[tokio::test]
    async fn those_who_hold_much_leave_room_for_the_beginnings_of_all_others() {
        let (room, now) = (room(), Deadline::after(Duration::ZERO));
        let mut large: Vec<Lent> = (0..3).map(|_| Lent::default()).collect();
        let mut refused = 0;
        for lent in &mut large {
            refused += usize::from(lent.grow(4 * PIECE, &room, now).await == Err(ScrapeError::NoRoom));
        }
        assert_eq!(refused, 1, "three want twelve pieces, and have three first ones and eight others");
        let mut small: Vec<Lent> = (0..5).map(|_| Lent::default()).collect();
        for lent in &mut small {
            assert_eq!(lent.grow(PIECE, &room, now).await, Ok(()));
        }
        drop(large);
        assert_eq!(small[0].grow(4 * PIECE, &room, now).await, Ok(()));
    }

    #[tokio::test]
    async fn a_body_waits_until_others_give_room_back() {
        let (room, soon) = (room(), Deadline::after(Duration::from_secs(60)));
        let mut large: Vec<Lent> = (0..3).map(|_| Lent::default()).collect();
        for lent in &mut large {
            _ = lent.try_grow(4 * PIECE, &room);
        }
        let waits = {
            let room = room.clone();
            tokio::spawn(async move { Lent::default().grow(4 * PIECE, &room, soon).await })
        };
        tokio::task::yield_now().await;
        assert!(!waits.is_finished());
        drop(large);
        assert_eq!(waits.await.expect("no panic"), Ok(()));
    }

    #[tokio::test]
    async fn one_body_takes_no_more_than_its_share() {
        let refused = Lent::default().try_grow(4 * PIECE + 1, &room());
        assert_eq!(refused, Err(ScrapeError::OverShare(4 * PIECE)));
    }
}
