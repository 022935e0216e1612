//! Queues: what collectors last saw in them, and what follows from it and from the jobs' events.

mod registry;
mod snapshot;

pub use registry::Queues;
pub use snapshot::{QueueSnapshot, QueueState, QueueTask, QueueView};
