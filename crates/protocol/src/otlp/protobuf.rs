//! Export requests in protobuf, read where they lie: one pass over each message, texts and bytes borrowed from it.
//!
//! Field numbers are those of <https://github.com/open-telemetry/opentelemetry-proto>. Fields that are not known are
//! passed over; of a field that should be there once and is there twice the last one holds.

mod logs;
mod metrics;
mod points;
mod request;
mod spans;
mod value;

use super::error::OtlpError;

pub(super) use logs::decode as decode_logs;
pub(super) use metrics::decode as decode_metrics;
pub(super) use spans::decode as decode_traces;

type Read<T> = Result<T, OtlpError>;
