//! What Watchkeeper observes, as plain values: times, labels, samples and pipeline events.
//!
//! This crate does no I/O, knows no wire format and no storage format, and is not async.
//! Start reading at [`Labels`] for metrics and at [`event::Event`] for everything else.

pub mod event;
pub mod histogram;
pub mod labels;
pub mod metric;
pub mod pattern;
pub mod pem;
pub mod quantity;
pub mod sample;
mod signal;
pub mod start;
pub mod time;
pub mod words;

pub use histogram::{Histogram, Histograms};
pub use labels::{Labels, LabelsBuilder, LabelsRef};
pub use metric::{Exemplar, MetricKind, MetricMetadata};
pub use quantity::{ByteSize, DurationText};
pub use sample::{MetricBatch, STALE_NAN, Sample, is_stale};
pub use signal::signal_name;
pub use start::{Moment, NO_START, SampleRun, StartRun, Starts};
pub use time::{TimeRange, Timestamp};
