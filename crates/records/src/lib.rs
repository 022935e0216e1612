//! Finding stored records of logs and spans.
//!
//! A search's query becomes what the store is asked ([`Search`]): words, patterns, comparisons and attributes as the
//! store's own conditions, by which it passes over what cannot match, and the rest as a test that the store makes of
//! the rows that are left. What is found is what [`search::Query::matches`] says, record by record. Knows no wire
//! format.
//!
//! Start reading at [`Search`].

mod compile;
mod event;
mod fields;
mod rest;
mod search_of;
#[cfg(test)]
mod tests;
mod values;

pub use event::{LogRecord, SpanRecord};
pub use search_of::{Kind, Search};
