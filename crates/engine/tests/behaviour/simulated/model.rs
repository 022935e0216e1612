//! The oracle: all ways that things can have gone. At least one of them has to explain what is there.
//!
//! A batch that was acknowledged is in each of them. One whose answer never came makes two of each: that it was
//! written, and that it was not. What is found, and what the store says of batches, leaves those that agree with it.

use store::Appended;

use super::batches::{Sender, Sent};
use super::world::{Found, Guess, Stays, World};

/// The series that are kept shorter than the rest, and by how much.
pub(crate) const KEPT_SHORTER: [&str; 2] = ["left", "right"];
pub(crate) const SHORTER_MS: i64 = 5_000;

/// The oracle.
pub(crate) struct Model {
    sender: Sender,
    worlds: Vec<World>,
}

impl Model {
    pub(crate) fn new(seed: u64) -> Self {
        Self { sender: Sender::new(seed), worlds: vec![World::default()] }
    }

    /// The next batch; one of four repeats times or comes late.
    pub(crate) fn batch(&mut self) -> Sent {
        self.sender.batch()
    }

    /// A batch that repeats times and comes late.
    pub(crate) fn late_batch(&mut self) -> Sent {
        self.sender.late_batch()
    }

    /// A time before which things may expire.
    pub(crate) fn horizon(&mut self) -> i64 {
        self.sender.horizon()
    }

    /// A time after all that were sent.
    pub(crate) fn later_than_all(&self) -> i64 {
        self.sender.later_than_all()
    }

    /// A batch was stored.
    pub(crate) fn acknowledged(&mut self, sent: &Sent, appended: &Appended) {
        let left: Vec<World> =
            self.worlds.iter().filter_map(|world| world.acknowledged(sent, appended)).collect();
        if left.is_empty() {
            let may_be: Vec<_> = self.worlds.iter().map(|world| world.after(sent, Guess::Open).1).collect();
            panic!("the store says {appended:?} of {sent:?} and may say {may_be:?}");
        }
        self.worlds = left;
    }

    /// The answer of a batch never came, or said that nobody knows.
    pub(crate) fn doubtful(&mut self, sent: &Sent) {
        let written: Vec<World> = self.worlds.iter().map(|world| world.after(sent, Guess::Open).0).collect();
        self.worlds.extend(written);
    }

    /// A store was opened.
    pub(crate) fn opened(&mut self) {
        self.worlds.iter_mut().for_each(World::opened);
    }

    /// Everything that was in memory was written to files.
    pub(crate) fn written(&mut self) {
        self.worlds.iter_mut().for_each(World::written);
    }

    /// Writing files has failed, somewhere.
    pub(crate) fn may_be_written(&mut self) {
        self.worlds.iter_mut().for_each(World::may_be_written);
    }

    /// Files of which all is older than a time may have been dropped.
    pub(crate) fn may_expire(&mut self, horizon_ms: i64) {
        self.worlds.iter_mut().for_each(|world| world.may_expire(horizon_ms, |_| true));
    }

    /// What is kept shorter than the rest, which expires at a time, may have been left out where files were merged.
    pub(crate) fn may_be_left_out(&mut self, horizon_ms: i64) {
        let is_shorter = |name: &str| KEPT_SHORTER.contains(&name);
        self.worlds.iter_mut().for_each(|world| world.may_expire(horizon_ms + SHORTER_MS, is_shorter));
    }

    /// Holds what was found against what may be, and takes it for the truth from here on.
    pub(crate) fn see(&mut self, found: &Found, stays: Stays) {
        let mut left: Vec<World> = Vec::new();
        let mut closest: Option<Vec<String>> = None;
        for world in &self.worlds {
            match world.seen(found, stays) {
                Ok(seen) if left.contains(&seen) => {}
                Ok(seen) => left.push(seen),
                Err(differences) => {
                    if closest.as_ref().is_none_or(|closest| differences.len() < closest.len()) {
                        closest = Some(differences);
                    }
                }
            }
        }
        let ways = self.worlds.len();
        assert!(
            !left.is_empty(),
            "none of the {ways} ways that things can have gone explains what is there; to the closest: {}",
            closest.unwrap_or_default().join(", ")
        );
        self.worlds = left;
    }
}
