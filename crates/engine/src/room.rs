//! The room on the disk: what is free, and who may take of it, so that the reserve stays free.

use parking_lot::Mutex;

/// The room of a store. Ingest takes a little at a time; whoever writes a large file holds room for it.
pub(crate) struct Room {
    /// What nobody may take. Without a reserve nobody is refused.
    reserve: u64,
    state: Mutex<State>,
}

struct State {
    /// Free bytes as they were measured.
    measured: u64,
    /// Bytes that were taken and are not written yet.
    waiting: u64,
    /// Bytes that were written since the disk was measured.
    written: u64,
    /// Bytes of files that are being written.
    held: u64,
}

/// Room for a file, as long as it is written.
pub(crate) struct Held<'a> {
    room: &'a Room,
    bytes: u64,
}

impl Drop for Held<'_> {
    fn drop(&mut self) {
        self.room.state.lock().held -= self.bytes;
    }
}

impl Room {
    pub(crate) fn new(reserve: u64) -> Self {
        Self { reserve, state: Mutex::new(State { measured: u64::MAX, waiting: 0, written: 0, held: 0 }) }
    }

    /// Notes what is free.
    pub(crate) fn measured(&self, free: u64) {
        let mut state = self.state.lock();
        (state.measured, state.written) = (free, 0);
    }

    /// What is free, as last measured, less what was taken since.
    pub(crate) fn free(&self) -> u64 {
        self.state.lock().free()
    }

    /// Takes so much, to be written soon; `false` where that would touch the reserve, or what is held.
    pub(crate) fn take(&self, bytes: u64) -> bool {
        let mut state = self.state.lock();
        let is_there = self.reserve == 0
            || state.free() >= self.reserve.saturating_add(state.held).saturating_add(bytes);
        if is_there {
            state.waiting = state.waiting.saturating_add(bytes);
        }
        is_there
    }

    /// Takes so much for which room was taken before, and is given back when this is written.
    pub(crate) fn take_reserved(&self, bytes: u64) {
        let mut state = self.state.lock();
        state.waiting = state.waiting.saturating_add(bytes);
    }

    /// Notes that what was taken is written, and how many bytes it is by then: much less than it was in memory.
    pub(crate) fn written(&self, taken: u64, bytes: u64) {
        let mut state = self.state.lock();
        state.waiting = state.waiting.saturating_sub(taken);
        state.written = state.written.saturating_add(bytes);
    }

    /// Gives back what was taken and will not be written.
    pub(crate) fn give_back(&self, bytes: u64) {
        let mut state = self.state.lock();
        state.waiting = state.waiting.saturating_sub(bytes);
    }

    /// Whether a file of so many bytes may be begun. Twice as much has to be there: while the file is written, the
    /// disk has less of it every second, and what is held is held to the end.
    pub(crate) fn has_twice(&self, bytes: u64) -> bool {
        self.has_twice_beside(&self.state.lock(), bytes)
    }

    /// Holds room for a file of so many bytes.
    pub(crate) fn hold(&self, bytes: u64) -> Option<Held<'_>> {
        let mut state = self.state.lock();
        if !self.has_twice_beside(&state, bytes) {
            return None;
        }
        state.held = state.held.saturating_add(bytes);
        Some(Held { room: self, bytes })
    }

    fn has_twice_beside(&self, state: &State, bytes: u64) -> bool {
        let wanted = self.reserve.saturating_add(state.held).saturating_add(bytes.saturating_mul(2));
        self.reserve == 0 || state.free() >= wanted
    }
}

impl State {
    fn free(&self) -> u64 {
        self.measured.saturating_sub(self.waiting).saturating_sub(self.written)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_taken_and_held_leaves_the_reserve() {
        let room = Room::new(100);
        room.measured(150);
        assert!(room.take(30) && !room.take(21) && room.take(20));
        room.give_back(10);
        assert_eq!(room.free(), 110);
        room.measured(150);
        assert_eq!(room.free(), 110, "what waits is still to be written");
        room.written(40, 10);
        assert_eq!(room.free(), 140);
        room.measured(200);
        assert_eq!(room.free(), 200);
        assert!(room.hold(51).is_none());
        let held = room.hold(50).expect("there is room");
        assert!(!room.has_twice(50) && !room.take(51) && room.take(50));
        drop(held);
        assert!(room.take(50));
        room.take_reserved(51);
        assert_eq!(room.free(), 49, "never refused, and counted");
    }

    #[test]
    fn without_a_reserve_nobody_is_refused() {
        let room = Room::new(0);
        room.measured(1);
        assert!(room.take(10) && room.hold(10).is_some());
    }
}
