//! Jobs, stages, workers, queues, hosts and exits as live state, what is wrong with them, and the metrics that are
//! derived from them.
//!
//! Events arrive through [`ingest::EventListener`] once they are durable; collectors hand over what
//! they see of queues and hosts. The fold bears events that come late, twice and in any order. After a
//! restart [`Pipeline::rebuild`] reads the state back from the store.
//!
//! Knows no wire format, no alert rule and no engine. Start reading at [`Pipeline`].

mod bottleneck;
mod components;
mod config;
mod derive;
mod digest;
mod exits;
#[cfg(test)]
mod fixtures;
mod hosts;
mod jobs;
mod latest;
mod live;
mod observation;
mod ownership;
mod page;
mod probes;
mod queues;
mod rebuild;
mod stages;
mod verdict;
mod workers;

pub use bottleneck::Bottleneck;
pub use components::{ComponentSnapshot, Components};
pub use config::Config;
pub use exits::{ExitFilter, Exits};
pub use hosts::{
    FilesystemSnapshot, GpuProcess, GpuSnapshot, HostSnapshot, HostView, Hosts, ProcessSnapshot,
};
pub use jobs::{
    AttemptOutcome, AttemptSnapshot, JobCounts, JobError, JobFilter, JobSnapshot, JobStatus, Jobs,
    StageSnapshot, UnknownStatus,
};
pub use live::{Pipeline, PipelineError};
pub use ownership::{Owners, Ownership};
pub use page::{Listing, Page};
pub use probes::{BackendModel, ProbeSnapshot, Probes, SlowStatement};
pub use queues::{QueueSnapshot, QueueState, QueueTask, QueueView, Queues};
pub use rebuild::stored_job;
pub use stages::StageView;
pub use verdict::{Judgement, Verdict};
pub use workers::{UnknownWorkerStatus, WorkerFilter, WorkerSnapshot, WorkerStatus, Workers};
