//! Scenarios: the built binary, real services, and what a user does with them.
//!
//! One test binary for all of them. Each scenario is a module; what they share is the setting that
//! they play in, `stage`.

mod audit;
mod backlog;
mod bad_disk;
mod beside_prometheus;
mod commands;
mod crash;
mod dashboards;
mod explain;
mod export;
mod faults;
mod itself;
mod log_files;
mod logs_in;
mod memory;
mod otlp;
mod probes;
mod rules;
mod scraping;
mod seeds;
mod snapshot;
mod sql;
mod stage;
mod terminal;
mod traces;
mod troubleshooting;
