//! Jobs with their attempts and stages, folded from events that may come late, twice and in any order.

mod filter;
mod job;
mod judge;
mod life;
mod snapshot;
mod stages;
mod table;
#[cfg(test)]
mod tests;

pub use filter::JobFilter;
pub use snapshot::{
    AttemptOutcome, AttemptSnapshot, JobError, JobSnapshot, JobStatus, StageSnapshot, UnknownStatus,
};
pub use table::{JobCounts, Jobs};

pub(crate) use table::{ActiveJobs, JobCounters, QueueLoad};
