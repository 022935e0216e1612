//! The shapes of the documents that Watchkeeper was asked for with, field by field: names, types and
//! units are theirs, not ours. Percent are 0 to 100, MB are 1024 × 1024 bytes.

mod alerts;
pub(crate) mod dashboard;
pub(crate) mod memory;
pub(crate) mod stats;
mod system;

const BYTES_PER_MB: f64 = 1024.0 * 1024.0;

/// Bytes in MB.
fn mb(bytes: f64) -> f64 {
    bytes / BYTES_PER_MB
}
