//! Telemetry as plain tables, in files that other programs open: Parquet, CSV, NDJSON, Arrow.
//!
//! A series becomes a row for each of its points, with a column for each label; events keep the columns
//! of their table. [`Rows`] goes over what is selected in bounded memory, [`RowWriter`] writes it.
//! Exports and the archive are both made of these. Answers to statements of SQL are written by [`AnswerWriter`].
//!
//! The crate does not know where files go, who asks, or how a store works.
//!
//! Start reading at [`Rows`].

mod answer;
mod error;
mod format;
mod histogram;
mod json;
mod plain;
mod points;
mod rows;
mod writer;

pub use answer::{AnswerFormat, AnswerWriter};
pub use error::WriteError;
pub use format::Format;
pub use histogram::json as histogram_json;
pub use points::{MAX_LABEL_COLUMNS, PointTable, Points};
pub use rows::{Rows, Selection};
pub use writer::RowWriter;
