//! The language in which logs and traces are searched: `level:error service:ocr "timed out" -retry`.
//!
//! A text becomes a tree of what is written and where ([`parse()`]), and with a [`Schema`], which knows the
//! fields and their kinds, a typed [`Query`]. What a query finds is defined here ([`Query::matches`]); a
//! store that evaluates one in its own way has to find the same, and may pass over what lacks the words or
//! the times that every match has ([`Query::needs`], [`Query::time_range`]). What Grafana writes of Loki's language
//! is read too ([`logql`]). The crate does no I/O and knows no store. `docs/search.md` has the language for those who write it.
//!
//! ```
//! use search::{Query, Schema};
//! let query = Query::parse(r#"level>=warn "timed out" -retry"#, &Schema::logs(), model::Timestamp::now())?;
//! assert_eq!(query.tree().to_string(), r#"level>=warn "timed out" -retry"#);
//! let error = Query::parse("duration>5", &Schema::logs(), model::Timestamp::now()).unwrap_err();
//! assert_eq!(error.place.column, 10);
//! # Ok::<(), search::Error>(())
//! ```
//!
//! Start reading at [`Query`].

mod datum;
mod error;
mod eval;
mod filter;
#[cfg(any(test, feature = "fuzzing"))]
#[doc(hidden)]
pub mod fuzzing;
mod level;
mod lex;
pub mod limits;
pub mod logql;
mod needs;
mod parse;
mod pattern;
mod print;
mod quantity;
mod query;
mod reach;
mod resolve;
mod schema;
mod span;
mod tree;

pub use datum::{Datum, Record};
pub use error::{Error, Hint};
pub use filter::{CompareOp, Filter, Target, Term, Test, Value, WordTest};
pub use level::Level;
pub use lex::quotation;
pub use needs::Needs;
pub use pattern::{Glob, Pattern};
pub use print::Quoted;
pub use query::{Parsed, Query, parse};
pub use schema::{Kind, Schema, Scope};
pub use span::{Place, Span};
pub use tree::{Check, Comparison, End, Form, Literal, Name, Node, Part, Shape};
