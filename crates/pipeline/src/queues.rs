//! Queues: what collectors last saw in them, and what follows from it and from the jobs' events.

mod flow;
mod registry;
mod snapshot;
#[cfg(test)]
mod tests;

pub use registry::Queues;
pub use snapshot::{QueueSnapshot, QueueState, QueueTask, QueueView};

pub(crate) use flow::Moved;
