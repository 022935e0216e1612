//! The telemetry port: what the rest of the house asks of a store, and nothing about how one works.
//!
//! A store keeps metrics (series of samples) and events (rows of typed tables). It promises that
//! what it has acknowledged is durable, and that a query sees it. Engines implement
//! [`TelemetryStore`]; only the composition root names one.
//!
//! Start reading at [`TelemetryStore`].

mod cancel;
mod cardinality;
mod changes;
mod conform;
mod error;
mod filter;
mod intake;
pub mod pattern;
mod port;
mod predicate;
mod retention;
mod scan;
mod sql;
mod table;

pub use cancel::Cancel;
pub use cardinality::Cardinality;
pub use changes::{Changes, Mark};
pub use conform::{conform, is_narrowed, joint, narrowed};
pub use error::{AppendError, QueryError};
pub use filter::{
    ColumnFilter, Condition, Field, FilterOp, FoldedText, Hint, OwnTest, Phrase, Predicate, RowTest, Scalar,
    Test, TextPattern, WordTest,
};
pub use intake::{Intake, Reservation};
pub use port::{
    Appended, Batch, RollupBuffer, RollupCursor, RollupPart, SelectRequest, SeriesBuffer, SeriesCursor,
    StoreStats, TelemetryStore,
};
pub use predicate::{MatchOp, Matcher, MatcherError};
pub use retention::Retention;
pub use scan::{Entries, EventPass, EventScan, Order};
pub use sql::{
    Position, SAMPLES, SqlColumn, SqlError, SqlQuery, SqlRows, SqlSummary, SqlTable, StatementError,
    samples_schema, sql_tables, type_name,
};
pub use table::{
    ColumnError, EventBatch, Row, Table, batches_from_events, events_from_batch, schema, size_of_event,
    table_of,
};
