//! The engine: queries in, answers out.

mod kept;

use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::{Duration, Instant};

use model::{DurationText, Timestamp};
use store::TelemetryStore;

use crate::cache::{Answer, Cache};
use crate::eval::{self, Costs, Evaluation, QueryRange};
use crate::plan::Expr;
use crate::steps::Steps;
use crate::{Cancel, Error, Explanation, Limits, Query, QueryOutput, Value};

/// Evaluates queries over a store; cheap to clone. Calls block: make them where blocking is allowed.
#[derive(Clone)]
pub struct Engine {
    store: Arc<dyn TelemetryStore>,
    limits: Limits,
    cache: Option<Arc<Cache>>,
    /// Values that all queries hold together.
    held: Arc<AtomicU64>,
}

/// Answers to instant queries are kept when they are so old: newer ones are true for a moment only.
const SETTLED_MS: i64 = 60_000;

impl Engine {
    /// An engine over `store`; each query may cost what `limits` say.
    pub fn new(store: Arc<dyn TelemetryStore>, limits: Limits) -> Self {
        let cache_bytes = usize::try_from(limits.cache_bytes.0).unwrap_or(usize::MAX);
        let cache = (cache_bytes > 0).then(|| Arc::new(Cache::new(cache_bytes)));
        Self { store, limits, cache, held: Arc::default() }
    }

    /// The same engine, which neither keeps answers nor gives any that were kept.
    pub fn without_cache(&self) -> Self {
        Self { cache: None, ..self.clone() }
    }

    /// The same engine, for which a sample is the current one for so long when no newer follows. It keeps no answers:
    /// they would be others.
    pub fn with_lookback(&self, lookback: Duration) -> Self {
        let limits = Limits { lookback: DurationText(lookback), ..self.limits.clone() };
        Self { limits, cache: None, ..self.clone() }
    }

    /// What each query may cost.
    pub fn limits(&self) -> &Limits {
        &self.limits
    }

    /// Evaluates a query at one time. Samples have whole milliseconds, and so has the time.
    pub fn instant(&self, query: &Query, time: Timestamp, cancel: &Cancel) -> Result<QueryOutput, Error> {
        self.check_experimental(query)?;
        let time_ms = time.as_millis();
        let Some(keeping) = self.keeping(query) else { return self.evaluate_instant(query, time_ms, cancel) };
        if time_ms > Timestamp::now().as_millis() - SETTLED_MS {
            return self.evaluate_instant(query, time_ms, cancel);
        }
        let mark = keeping.changes.mark();
        let key = kept::key_of_instant(query, time_ms);
        if let Some(kept) = keeping.cache.get(&key)
            && keeping.is_true(&kept, time_ms)
        {
            return Ok(kept.between((time_ms, time_ms)));
        }
        let output = self.evaluate_instant(query, time_ms, cancel)?;
        keeping.keep(key, Answer::of(&output, mark, (time_ms, time_ms)));
        Ok(output)
    }

    /// Evaluates a query at one time and tells what each part of it cost. Nothing that was kept is used.
    pub fn explain_instant(
        &self,
        query: &Query,
        time: Timestamp,
        cancel: &Cancel,
    ) -> Result<Explanation, Error> {
        self.check_experimental(query)?;
        let time_ms = time.as_millis();
        let range = QueryRange { start_ms: time_ms, end_ms: time_ms, step_ms: 0 };
        self.explained(query, range, 1, cancel, |evaluation, plan| eval::instant(evaluation, plan, time_ms))
    }

    /// The same of a range query.
    pub fn explain_range(
        &self,
        query: &Query,
        start: Timestamp,
        end: Timestamp,
        step: Duration,
        cancel: &Cancel,
    ) -> Result<Explanation, Error> {
        self.check_experimental(query)?;
        let steps = self.steps(start, end, step)?;
        let range = QueryRange { start_ms: steps.start_ms, end_ms: end.as_millis(), step_ms: steps.step_ms };
        self.explained(query, range, steps.count as u64, cancel, |evaluation, plan| {
            eval::range(evaluation, plan, steps)
        })
    }

    fn explained(
        &self,
        query: &Query,
        range: QueryRange,
        steps: u64,
        cancel: &Cancel,
        evaluate: impl FnOnce(Evaluation<'_>, &Expr) -> Result<QueryOutput, Error>,
    ) -> Result<Explanation, Error> {
        let began = Instant::now();
        let (plan, outline) = query.watched_plan(range)?;
        let costs = Costs::default();
        let evaluation =
            Evaluation::new(self.store.as_ref(), &self.limits, &self.held, cancel, range).watching(&costs);
        let output = evaluate(evaluation, &plan)?;
        let time_seconds = began.elapsed().as_secs_f64();
        let series = match &output.value {
            Value::Scalar(_) | Value::Text { .. } => 1,
            Value::Vector(samples) => samples.len(),
            Value::Matrix(series) => series.len(),
        };
        let samples = output.value.count() as u64;
        let (samples_read, costs) = costs.into_parts();
        let QueryOutput { warnings, infos, .. } = output;
        let plan = outline.explained(&costs);
        let series = series as u64;
        Ok(Explanation { steps, series, samples, samples_read, time_seconds, plan, warnings, infos })
    }

    fn check_experimental(&self, query: &Query) -> Result<(), Error> {
        match query.experimental() {
            Some(told) if !self.limits.experimental => Err(Error::BadData(told.to_owned())),
            _ => Ok(()),
        }
    }

    fn evaluate_instant(&self, query: &Query, time_ms: i64, cancel: &Cancel) -> Result<QueryOutput, Error> {
        let range = QueryRange { start_ms: time_ms, end_ms: time_ms, step_ms: 0 };
        let evaluation = Evaluation::new(self.store.as_ref(), &self.limits, &self.held, cancel, range);
        let plan = query.plan(range)?;
        eval::instant(evaluation, &plan, time_ms)
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
        self.check_experimental(query)?;
        let steps = self.steps(start, end, step)?;
        match self.keeping(query) {
            Some(keeping) => self.rest_of_range(query, steps, cancel, &keeping),
            None => self.evaluate_range(query, steps, end.as_millis(), cancel),
        }
    }

    fn steps(&self, start: Timestamp, end: Timestamp, step: Duration) -> Result<Steps, Error> {
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
                "the query has {} steps and may have {} (promql.max_steps); ask for a larger step or a shorter range",
                steps.count, self.limits.max_steps
            )));
        }
        Ok(steps)
    }

    fn evaluate_range(
        &self,
        query: &Query,
        steps: Steps,
        end_ms: i64,
        cancel: &Cancel,
    ) -> Result<QueryOutput, Error> {
        let range = QueryRange { start_ms: steps.start_ms, end_ms, step_ms: steps.step_ms };
        let evaluation = Evaluation::new(self.store.as_ref(), &self.limits, &self.held, cancel, range);
        let plan = query.plan(range)?;
        eval::range(evaluation, &plan, steps)
    }
}
