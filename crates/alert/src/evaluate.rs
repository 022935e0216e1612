//! Evaluating an expression at a time. A trait, so that what happens to alerts can be seen with
//! chosen results, and without a store.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use model::{Histogram, Labels, Timestamp};
use promql::{Cancel, Engine, Query, Value, VectorSample};

use crate::template::Querier;

/// One result of an expression.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Finding {
    pub(crate) labels: Labels,
    pub(crate) value: f64,
    /// What it is instead of the value, if it is a histogram.
    pub(crate) histogram: Option<Arc<Histogram>>,
}

impl Finding {
    /// A result that is a number.
    pub(crate) fn number(labels: Labels, value: f64) -> Self {
        Self { labels, value, histogram: None }
    }
}

/// An expression that was not evaluated.
#[derive(Debug, thiserror::Error)]
pub(crate) enum EvaluateError {
    #[error(
        "the expression took longer than {limit:?} (alerts.query_timeout): let it ask for fewer series or a shorter range"
    )]
    TooSlow { limit: Duration },
    #[error(transparent)]
    Query(promql::Error),
    #[error("rule result is not a vector or scalar")]
    NoVector,
    #[error("the evaluation was broken off")]
    Broken(#[source] tokio::task::JoinError),
}

/// Evaluates expressions.
#[async_trait]
pub(crate) trait Evaluator: Send + Sync {
    /// The results of `query` at `time`; a number is one result without labels.
    async fn evaluate(&self, query: &Query, time: Timestamp) -> Result<Vec<Finding>, EvaluateError>;

    /// The same, on this thread, until `cancel`: for queries in templates. Blocks.
    fn evaluate_here(
        &self,
        query: &Query,
        time: Timestamp,
        cancel: &Cancel,
    ) -> Result<Vec<Finding>, EvaluateError>;
}

/// Evaluates with the query engine, for `timeout` at the most.
pub(crate) struct EngineEvaluator {
    pub(crate) engine: Engine,
    pub(crate) timeout: Duration,
}

#[async_trait]
impl Evaluator for EngineEvaluator {
    async fn evaluate(&self, query: &Query, time: Timestamp) -> Result<Vec<Finding>, EvaluateError> {
        let (engine, query) = (self.engine.clone(), query.clone());
        let cancel = Cancel::new();
        let stop = cancel.clone();
        let work = tokio::task::spawn_blocking(move || with_engine(&engine, &query, time, &cancel));
        match tokio::time::timeout(self.timeout, work).await {
            Ok(done) => done.map_err(EvaluateError::Broken)?,
            Err(_) => {
                stop.cancel();
                Err(EvaluateError::TooSlow { limit: self.timeout })
            }
        }
    }

    fn evaluate_here(
        &self,
        query: &Query,
        time: Timestamp,
        cancel: &Cancel,
    ) -> Result<Vec<Finding>, EvaluateError> {
        with_engine(&self.engine, query, time, cancel)
    }
}

/// Evaluates on this thread.
pub(crate) fn with_engine(
    engine: &Engine,
    query: &Query,
    time: Timestamp,
    cancel: &Cancel,
) -> Result<Vec<Finding>, EvaluateError> {
    let output = engine.instant(query, time, cancel).map_err(EvaluateError::Query)?;
    match output.value {
        Value::Vector(samples) => {
            let finding =
                |VectorSample { labels, value, histogram, .. }| Finding { labels, value, histogram };
            Ok(samples.into_iter().map(finding).collect())
        }
        Value::Scalar(sample) => Ok(vec![Finding::number(Labels::empty(), sample.value)]),
        Value::Text { .. } | Value::Matrix(_) => Err(EvaluateError::NoVector),
    }
}

/// Answers the queries of templates as of a time.
pub(crate) struct Asking {
    pub(crate) evaluator: Arc<dyn Evaluator>,
    pub(crate) time: Timestamp,
    pub(crate) cancel: Cancel,
}

impl Querier for Asking {
    fn query(&self, expression: &str) -> Result<Vec<Finding>, String> {
        let query = Query::parse(expression).map_err(|error| error.to_string())?;
        self.evaluator
            .evaluate_here(&query, self.time, &self.cancel)
            .map_err(|error| crate::group::chain(&error))
    }
}

/// Answers none: for templates that ask nothing.
pub(crate) struct AsksNothing;

impl Querier for AsksNothing {
    fn query(&self, _: &str) -> Result<Vec<Finding>, String> {
        Err("queries are not answered here".to_owned())
    }
}
