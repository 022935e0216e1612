//! The engine: queries in, answers out.

use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::{Duration, Instant};

use model::{DurationText, Timestamp};
use store::{Changes, TelemetryStore};

use crate::cache::{self, Answer, Cache, Key};
use crate::eval::{self, Costs, Evaluation, QueryRange};
use crate::plan::Expr;
use crate::reach::Reach;
use crate::steps::Steps;
use crate::{Cancel, Error, Explanation, HeldAnswer, Limits, Query, QueryOutput, QueryStats, Value};

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
        let key = Key { text: query.shared_text(), step_ms: 0, phase_ms: time_ms };
        if let Some(kept) = keeping.cache.get(&key)
            && keeping.is_true(&kept, time_ms)
        {
            return Ok(QueryOutput { stats: QueryStats::default(), ..kept.output.clone() });
        }
        let output = self.evaluate_instant(query, time_ms, cancel)?;
        keeping.keep(key, &output, |output| Answer { mark, first_ms: time_ms, last_ms: time_ms, output });
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

    /// Evaluates the steps of which no answer that is kept is still true.
    fn rest_of_range(
        &self,
        query: &Query,
        steps: Steps,
        cancel: &Cancel,
        keeping: &Keeping<'_>,
    ) -> Result<QueryOutput, Error> {
        let mark = keeping.changes.mark();
        let (first_ms, last_ms) = (steps.start_ms, steps.time_ms(steps.count - 1));
        let phase_ms = first_ms.rem_euclid(steps.step_ms);
        let key = Key { text: query.shared_text(), step_ms: steps.step_ms, phase_ms };
        let kept = keeping.cache.get(&key).filter(|kept| kept.first_ms <= first_ms);
        let known = kept.as_ref().map_or(0, |kept| {
            let until = Steps::between(first_ms, last_ms.min(kept.last_ms), steps.step_ms);
            keeping.true_steps(kept, until)
        });
        let Some((kept, known)) = kept.filter(|_| known > 0).map(|kept| (kept, known)) else {
            let output = self.evaluate_range(query, steps, last_ms, cancel)?;
            keeping.keep(key, &output, |output| Answer { mark, first_ms, last_ms, output });
            return Ok(output);
        };
        let Value::Matrix(series) = &kept.output.value else {
            return self.evaluate_range(query, steps, last_ms, cancel);
        };
        let first = cache::part(series, first_ms, steps.time_ms(known - 1));
        let (mut warnings, mut infos) = (kept.output.warnings.clone(), kept.output.infos.clone());
        if known == steps.count {
            return Ok(QueryOutput {
                value: Value::Matrix(first),
                warnings,
                infos,
                stats: QueryStats::default(),
                held: HeldAnswer::default(),
            });
        }
        let rest = Steps { start_ms: steps.time_ms(known), count: steps.count - known, ..steps };
        let rest = self.evaluate_range(query, rest, last_ms, cancel)?;
        let Value::Matrix(second) = rest.value else {
            return self.evaluate_range(query, steps, last_ms, cancel);
        };
        for (notes, more) in [(&mut warnings, rest.warnings), (&mut infos, rest.infos)] {
            notes.extend(more);
            notes.sort();
            notes.dedup();
        }
        let value = Value::Matrix(cache::joined(first, second));
        let output = QueryOutput { value, warnings, infos, stats: rest.stats, held: rest.held };
        keeping.keep(key, &output, |output| Answer { mark, first_ms, last_ms, output });
        Ok(output)
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

    /// What is needed to keep the answers to a query, if they can be kept.
    fn keeping(&self, query: &Query) -> Option<Keeping<'_>> {
        let cache = self.cache.as_deref()?;
        Some(Keeping { cache, changes: self.store.changes()?, reach: query.reach()? })
    }
}

/// What tells whether an answer that is kept is still true.
struct Keeping<'a> {
    cache: &'a Cache,
    changes: &'a Changes,
    reach: Reach,
}

impl Keeping<'_> {
    /// Keeps an answer, unless it is too large for that.
    fn keep(&self, key: Key, output: &QueryOutput, answer: impl FnOnce(QueryOutput) -> Answer) {
        if self.cache.has_room_for(&key, output) {
            self.cache.put(key, answer(output.clone()));
        } else {
            self.cache.forget(&key);
        }
    }

    fn is_true(&self, kept: &Answer, time_ms: i64) -> bool {
        self.reach.is_before(time_ms, self.changes.unchanged_before(kept.mark).as_millis())
    }

    /// How many of the first steps are still true.
    fn true_steps(&self, kept: &Answer, steps: Steps) -> usize {
        let unchanged_ms = self.changes.unchanged_before(kept.mark).as_millis();
        let (mut from, mut to) = (0, steps.count);
        while from < to {
            let middle = from.midpoint(to);
            if self.reach.is_before(steps.time_ms(middle), unchanged_ms) {
                from = middle + 1;
            } else {
                to = middle;
            }
        }
        from
    }
}
