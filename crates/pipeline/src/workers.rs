//! The registry of workers: who is there, who was, and who ended badly.

mod presence;
mod registry;
mod snapshot;
#[cfg(test)]
mod tests;
mod worker;

pub use registry::Workers;
pub use snapshot::{UnknownWorkerStatus, WorkerFilter, WorkerSnapshot, WorkerStatus};
