//! Finding stored records of logs and spans: what a search finds, page by page, counted over time and by value; what
//! stands around a record; whole traces, and what of a trace took the time; what belongs to a job.
//!
//! A search's query becomes what the store is asked ([`Search`]): words, patterns, comparisons and attributes as the
//! store's own conditions, by which it passes over what cannot match, and the rest as a test that the store makes of
//! the rows that are left. What is found is what [`search::Query::matches`] says, record by record. Counts and patterns
//! are made while rows go by, in bounded memory. Queries of Loki's language select and count lines the same way
//! ([`selected`]). Knows no wire format. All calls that take a store block.
//!
//! Start reading at [`Search`].

mod audits;
mod compile;
mod context;
mod counts;
mod error;
mod event;
mod facts;
mod fields;
mod jobs;
mod of_what;
mod page;
mod patterns;
mod read;
mod rest;
mod said;
mod search_of;
mod sets;
mod streams;
#[cfg(test)]
mod tests;
mod trace_jobs;
mod traces;
mod tree;
mod values;
mod windows;

pub use audits::{AuditRecord, bytes_of_audit, category_of, log_of_audit};
pub use context::{Around, Context, around};
pub use counts::{
    Counted, Facet, FacetCounts, Histogram, MAX_BUCKETS, MAX_FACETS, MAX_VALUES, Series, facets, histogram,
};
pub use error::Error;
pub use event::{LogRecord, SpanRecord};
pub use facts::facts_of;
pub use jobs::{JobCounts, MAX_LISTED, MAX_TRACES_OF_JOB, OfJob};
pub use of_what::{BEGUN_BEFORE, OfWhat, WorkersOf, failed_jobs, llm_calls};
pub use page::{Cursor, Listed, MAX_ROWS, Page, UnknownCursor, bytes_of_log, id_of_log, logs};
pub use patterns::{Example, MAX_PATTERNS, Pattern, Patterns, patterns};
pub use said::{Said, said, said_of_origin};
pub use search_of::{Kind, Search, Selection};
pub use sets::{Labels, Set, sets};
pub use streams::{MAX_LINES, STREAM_LABELS, lines, selected, stream_of};
pub use trace_jobs::{MAX_JOBS_OF_TRACE, TraceJob, TraceJobs, jobs_of_log};
pub use traces::{MAX_LOGS, MAX_SPANS, MAX_TRACES, Trace, TraceSummary, spans_of, trace, traces};
pub use tree::{Node, Piece, analyse};
pub use windows::{MAX_SERIES, MAX_STEPS, Steps, Windowed, windows};
