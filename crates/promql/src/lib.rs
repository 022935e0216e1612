//! PromQL over the `store` port.
//!
//! A text becomes a [`Query`] once: parsed and typed. An [`Engine`] evaluates it series by series: each series of a selector streams through the
//! expression for all steps at once, and aggregations fold it into their groups, so memory grows with
//! groups and not with series. The crate knows no HTTP and no JSON, and no engine behind the port.
//!
//! ```no_run
//! # use std::sync::Arc;
//! # fn example(store: Arc<dyn store::TelemetryStore>) -> Result<(), promql::Error> {
//! use promql::{Cancel, Engine, Limits, Query};
//! let engine = Engine::new(store, Limits::default());
//! let query = Query::parse("sum by (queue) (queue_depth) > 100")?;
//! let output = engine.instant(&query, model::Timestamp::now(), &Cancel::never())?;
//! # Ok(())
//! # }
//! ```
//!
//! Start reading at [`Engine`].

mod ast;
mod cache;
mod engine;
mod error;
mod eval;
mod format;
#[cfg(any(test, feature = "fuzzing"))]
#[doc(hidden)]
pub mod fuzzing;
mod labelset;
mod limits;
pub mod notation;
mod notes;
mod outline;
mod plan;
mod query;
mod reach;
mod span;
mod steps;
mod sums;
mod syntax;
mod template;
mod translate;
mod value;

pub use ast::{AstFill, AstFunction, AstMatcher, AstMatching, AstModifiers, AstNode, parts};
pub use engine::Engine;
pub use error::{Error, ErrorKind};
pub use eval::HeldAnswer;
pub use format::{format, format_line};
pub use limits::Limits;
pub use outline::{ExplainedPart, Explanation};
pub use query::{Query, ValueKind};
pub use store::Cancel;
pub use value::{
    QueryOutput, QueryStats, Series, Value, VectorSample, format_value, histogram_in_samples, write_value,
};
