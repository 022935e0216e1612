//! The queues in memory.

use super::{QueueSnapshot, QueueState, QueueTask, QueueView};
use crate::{Listing, Page};

/// The queues in memory.
#[derive(Debug)]
pub struct Queues {}

impl Queues {
    /// Takes note of what a collector saw.
    pub fn observe(&self, _snapshot: QueueSnapshot) {}

    /// The queues, by name.
    pub fn list(&self, _page: Page) -> Listing<QueueView> {
        Listing { items: Vec::new(), total: 0 }
    }

    /// One queue.
    pub fn get(&self, _queue: &str) -> Option<QueueView> {
        None
    }

    /// The oldest tasks in a state, of one queue or of all, with the queue's name; oldest first.
    pub fn oldest_tasks(
        &self,
        _queue: Option<&str>,
        _state: QueueState,
        _limit: usize,
    ) -> Vec<(String, QueueTask)> {
        Vec::new()
    }
}
