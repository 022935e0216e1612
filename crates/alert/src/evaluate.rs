//! Evaluating an expression at a time. A trait, so that what happens to alerts can be seen with
//! chosen results, and without a store.

use std::time::Duration;

use async_trait::async_trait;
use model::{Labels, Timestamp};
use promql::{Cancel, Engine, Query, Value};

/// One result of an expression.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Finding {
    pub(crate) labels: Labels,
    pub(crate) value: f64,
}

/// An expression that was not evaluated.
#[derive(Debug, thiserror::Error)]
pub(crate) enum EvaluateError {
    #[error(
        "the expression took longer than {limit:?} (alerts.query_timeout): let it ask for fewer series or a shorter range"
    )]
    TooSlow { limit: Duration },
    #[error("the expression could not be evaluated")]
    Query(#[source] promql::Error),
    #[error("the evaluation was broken off")]
    Broken(#[source] tokio::task::JoinError),
}

/// Evaluates expressions.
#[async_trait]
pub(crate) trait Evaluator: Send + Sync {
    /// The results of `query` at `time`; a number is one result without labels.
    async fn evaluate(&self, query: &Query, time: Timestamp) -> Result<Vec<Finding>, EvaluateError>;
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
        let work = tokio::task::spawn_blocking(move || engine.instant(&query, time, &cancel));
        let output = match tokio::time::timeout(self.timeout, work).await {
            Ok(done) => done.map_err(EvaluateError::Broken)?.map_err(EvaluateError::Query)?,
            Err(_) => {
                stop.cancel();
                return Err(EvaluateError::TooSlow { limit: self.timeout });
            }
        };
        Ok(match output.value {
            Value::Vector(samples) => samples
                .into_iter()
                .map(|sample| Finding { labels: sample.labels, value: sample.value })
                .collect(),
            Value::Scalar(sample) => vec![Finding { labels: Labels::empty(), value: sample.value }],
            // Rules with such expressions are refused when they are read.
            Value::Text { .. } | Value::Matrix(_) => Vec::new(),
        })
    }
}
