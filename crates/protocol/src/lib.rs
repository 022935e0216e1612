//! Bytes to `model` and back: pipeline events, Prometheus remote write and remote read, what exporters show,
//! OpenTelemetry's export requests, Loki's push requests, syslog's messages, and lines of logs.
//!
//! Everything here is pure: bytes and the present time go in, values come out. No I/O, no clock, no
//! limits on names and texts (those are `ingest`'s), only bounds that decoding itself needs. Every
//! decoder takes hostile bytes without a panic.
//!
//! Start reading at [`events::decode`].

mod budget;
mod chunks;
pub mod events;
pub mod exposition;
#[cfg(any(test, feature = "fuzzing"))]
#[doc(hidden)]
pub mod fuzzing;
mod lines;
pub mod logs;
pub mod loki;
pub mod otlp;
pub mod remote_read;
pub mod remote_write;
pub mod syslog;
mod wire;

pub use budget::Budget;
