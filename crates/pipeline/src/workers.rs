//! The registry of workers: who is there, who was, and who ended badly.

mod snapshot;

pub use snapshot::{UnknownWorkerStatus, WorkerFilter, WorkerSnapshot, WorkerStatus};

use crate::{Listing, Page};

/// The workers in memory.
#[derive(Debug)]
pub struct Workers {}

impl Workers {
    /// The workers that fulfil `filter`, by id.
    pub fn list(&self, _filter: &WorkerFilter, _page: Page) -> Listing<WorkerSnapshot> {
        Listing { items: Vec::new(), total: 0 }
    }

    /// One worker.
    pub fn get(&self, _worker_id: &str) -> Option<WorkerSnapshot> {
        None
    }
}
