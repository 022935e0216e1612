//! The engine: queries in, answers out.

use std::sync::Arc;
use std::time::Duration;

use model::Timestamp;
use store::TelemetryStore;

use crate::{Cancel, Error, Limits, Query, QueryOutput};

/// Evaluates queries over a store. Calls block; make them where blocking is allowed.
#[derive(Clone)]
pub struct Engine {
    store: Arc<dyn TelemetryStore>,
    limits: Limits,
}

impl Engine {
    /// An engine over `store`; each query may cost what `limits` say.
    pub fn new(store: Arc<dyn TelemetryStore>, limits: Limits) -> Self {
        Self { store, limits }
    }

    /// Evaluates a query at one time.
    pub fn instant(&self, query: &Query, time: Timestamp, cancel: &Cancel) -> Result<QueryOutput, Error> {
        let _ = (&self.store, &self.limits, query, time, cancel);
        Err(Error::Unsupported("evaluation".into()))
    }

    /// Evaluates a query from `start` to `end`, both included, every `step`. The answer is a matrix.
    pub fn range(
        &self,
        query: &Query,
        start: Timestamp,
        end: Timestamp,
        step: Duration,
        cancel: &Cancel,
    ) -> Result<QueryOutput, Error> {
        let _ = (query, start, end, step, cancel);
        Err(Error::Unsupported("evaluation".into()))
    }
}
