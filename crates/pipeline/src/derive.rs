//! Metrics that are derived from the live state and from events, and the task that writes them.
//!
//! What is counted and measured on the way in stands in [`tally`]; what is read off the live state at
//! each interval is written by [`gauges`]; [`writer`] makes samples of both, starts counters at zero and
//! ends series that are gone; [`run`] does it again and again.

mod described;
mod family;
mod gauges;
mod graph;
mod histogram;
mod operations;
mod route;
mod run;
mod tally;
#[cfg(test)]
mod tests;
mod writer;

pub(crate) use gauges::FallsBefore;
pub(crate) use run::run;
pub(crate) use tally::Tally;
