//! The engine: queries in, answers out.

use std::sync::Arc;
use std::time::Duration;

use model::Timestamp;
use store::TelemetryStore;

use crate::eval::{self, Evaluation, QueryRange};
use crate::steps::Steps;
use crate::{Cancel, Error, Limits, Query, QueryOutput};

/// Evaluates queries over a store; cheap to clone. Calls block: make them where blocking is allowed.
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

    /// Evaluates a query at one time. Samples have whole milliseconds, and so has the time.
    pub fn instant(&self, query: &Query, time: Timestamp, cancel: &Cancel) -> Result<QueryOutput, Error> {
        let time_ms = time.as_millis();
        let range = QueryRange { start_ms: time_ms, end_ms: time_ms, step_ms: 0 };
        let evaluation = Evaluation::new(self.store.as_ref(), &self.limits, cancel, range);
        eval::instant(evaluation, query.plan(), time_ms)
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
        let step_ms = i64::try_from(step.as_millis()).unwrap_or(i64::MAX);
        if step_ms == 0 {
            return Err(Error::BadData(
                "the step of a range query must be at least one millisecond".to_owned(),
            ));
        }
        if end < start {
            return Err(Error::BadData("the end of a range query must not be before its start".to_owned()));
        }
        let (start_ms, end_ms) = (start.as_millis(), end.as_millis());
        let steps = Steps::between(start_ms, end_ms, step_ms);
        if steps.count as u64 > self.limits.max_steps {
            return Err(Error::BadData(format!(
                "the query has {} steps and may have {} (max_steps); ask for a larger step or a shorter range",
                steps.count, self.limits.max_steps
            )));
        }
        let range = QueryRange { start_ms, end_ms, step_ms };
        let evaluation = Evaluation::new(self.store.as_ref(), &self.limits, cancel, range);
        eval::range(evaluation, query.plan(), steps)
    }
}
