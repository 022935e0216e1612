//! Jobs with their attempts and stages, folded from events that may come late, twice and in any order.

mod filter;
mod snapshot;

pub use filter::JobFilter;
pub use snapshot::{
    AttemptOutcome, AttemptSnapshot, JobError, JobSnapshot, JobStatus, StageSnapshot, UnknownStatus,
};

use crate::{Listing, Page};

/// The jobs in memory.
#[derive(Debug)]
pub struct Jobs {}

/// How many jobs are in memory, by status.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct JobCounts {
    /// Jobs that wait.
    pub pending: usize,
    /// Jobs that run.
    pub running: usize,
    /// Jobs that ended well.
    pub completed: usize,
    /// Jobs that ended badly.
    pub failed: usize,
}

impl Jobs {
    /// The jobs that fulfil `filter`, newest first (by submission, else by the first word of them).
    pub fn list(&self, _filter: &JobFilter, _page: Page) -> Listing<JobSnapshot> {
        Listing { items: Vec::new(), total: 0 }
    }

    /// One job, if it is in memory. For others see [`crate::stored_job`].
    pub fn get(&self, _job_id: &str) -> Option<JobSnapshot> {
        None
    }

    /// How many jobs are in memory, by status.
    pub fn counts(&self) -> JobCounts {
        JobCounts::default()
    }
}
