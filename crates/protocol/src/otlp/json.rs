//! Export requests as OTLP/JSON has them
//! (<https://opentelemetry.io/docs/specs/otlp/#json-protobuf-encoding>): names in lowerCamelCase, ids in hexadecimal,
//! bytes in base64, enums as numbers, whole numbers of 64 bits as texts or numbers.
//!
//! A request is checked to be JSON once and then read record by record, so that no more than one record is in memory
//! beside it. What is not known is passed over, and what is `null` is as if it were not there.

mod logs;
mod metrics;
mod object;
mod request;
mod scalar;
mod spans;
mod value;

use super::error::OtlpError;

pub(super) use logs::decode as decode_logs;
pub(super) use metrics::decode as decode_metrics;
pub(super) use spans::decode as decode_traces;

type Read<T> = Result<T, OtlpError>;
