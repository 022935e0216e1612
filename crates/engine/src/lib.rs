//! The embedded store: write-ahead log, head, Parquet files, catalog.
//!
//! What is acknowledged has been synced to the write-ahead log. It is then in the head, in memory,
//! until a flush writes it to Parquet files and the catalog takes note of them; queries read head and
//! files together. A crash at any point loses nothing acknowledged and duplicates nothing.
//!
//! The crate does not know where telemetry comes from, what a query language is, or who may ask.
//!
//! Start reading at [`Engine`].

mod archive;
mod block;
mod cache;
mod catalog;
mod clock;
mod compact;
mod config;
mod core;
mod demand;
mod engine;
mod error;
mod events;
mod failure;
mod files;
mod flush;
#[cfg(any(test, feature = "fuzzing"))]
#[doc(hidden)]
pub mod fuzzing;
mod head;
mod index;
pub mod inspect;
mod kept;
mod layout;
mod open;
mod panics;
mod quarantine;
mod query;
mod retention;
mod rollup;
mod room;
mod scrub;
mod sql;
mod sums;
mod telemetry;
#[cfg(test)]
mod testing;
mod unpublished;
mod unread;
mod upkeep;
mod varint;
pub mod vfs;
mod wal;

pub use archive::ArchiveConfig;
pub use config::{Config, MetricRetention, RetentionOverrides};
pub use engine::Engine;
pub use error::EngineError;
