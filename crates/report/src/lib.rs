//! What was, over a period: how the API was used, how the hosts did, which jobs ended and what memory
//! they took, and which service asked which.
//!
//! Everything is computed from what is stored, when it is asked for: events in one pass in bounded
//! memory, series by PromQL. Knows no wire format and no rule. All calls block.
//!
//! Start reading at [`requests`] or at [`History`].

mod columns;
mod error;
mod history;
mod memory;
mod period;
mod quantiles;
mod requests;
mod series;
mod services;
mod system;
mod tasks;
#[cfg(test)]
mod tests;

pub use error::ReportError;
pub use history::{Bucket, Gauges, History, days, gauges_now};
pub use memory::{MemoryNow, MemoryRow, memory_history, memory_now};
pub use period::{Period, UnknownPeriod};
pub use quantiles::Quantiles;
pub use requests::{
    GroupBy, MAX_ROWS, RequestFilter, RequestGroup, RequestStats, RequestTally, StatusFilter, UnknownGroup,
    UnknownStatus, request_stats, requests,
};
pub use services::{MAX_EDGES, MAX_SERVICES, ServiceEdge, ServiceMap, ServiceNode, service_map};
pub use system::{SystemPoint, SystemStats, system_stats};
pub use tasks::TaskTally;
