//! Answers that are kept: of a range query the steps that are still true are taken, and the others evaluated.

use std::time::Duration;

use model::Timestamp;
use store::Changes;

use super::Engine;
use crate::cache::{self, Answer, Cache, Key};
use crate::notes::NotedUntil;
use crate::reach::Reach;
use crate::steps::Steps;
use crate::{Cancel, Error, Query, QueryOutput, Value};

/// The most bytes of an answer that is given without a thread of its own, its labels included: four thousand samples of a
/// series, or some five hundred series of a sample each.
const QUICK_BYTES: usize = 64 << 10;

/// What tells whether an answer that is kept is still true.
pub(super) struct Keeping<'a> {
    pub(super) cache: &'a Cache,
    pub(super) changes: &'a Changes,
    reach: Reach,
}

impl Engine {
    /// What is needed to keep the answers to a query, if they can be kept.
    pub(super) fn keeping(&self, query: &Query) -> Option<Keeping<'_>> {
        let cache = self.cache.as_deref()?;
        Some(Keeping { cache, changes: self.store.changes()?, reach: query.reach()? })
    }

    /// The answer to a range query, if it is kept, small, and true from the first step to the last. It takes so little
    /// time that it may be asked for where nothing else of an engine may be.
    pub fn kept_range(
        &self,
        query: &Query,
        start: Timestamp,
        end: Timestamp,
        step: Duration,
    ) -> Option<QueryOutput> {
        self.check_experimental(query).ok()?;
        let steps = self.steps(start, end, step).ok()?;
        let keeping = self.keeping(query)?;
        let kept = keeping.cache.get_within(&key_of_range(query, steps), QUICK_BYTES)?;
        (keeping.known_steps(&kept, steps) == steps.count).then(|| kept.between(span_ms(steps)))
    }

    /// The same of a query at one time.
    pub fn kept_instant(&self, query: &Query, time: Timestamp) -> Option<QueryOutput> {
        self.check_experimental(query).ok()?;
        let keeping = self.keeping(query)?;
        let time_ms = time.as_millis();
        let kept = keeping.cache.get_within(&key_of_instant(query, time_ms), QUICK_BYTES)?;
        keeping.is_true(&kept, time_ms).then(|| kept.between((time_ms, time_ms)))
    }

    /// Evaluates the steps of which no answer that is kept is still true.
    pub(super) fn rest_of_range(
        &self,
        query: &Query,
        steps: Steps,
        cancel: &Cancel,
        keeping: &Keeping<'_>,
    ) -> Result<QueryOutput, Error> {
        let mark = keeping.changes.mark();
        let (span_ms, key) = (span_ms(steps), key_of_range(query, steps));
        if let Some(kept) = keeping.cache.get(&key) {
            let known = keeping.known_steps(&kept, steps);
            if known == steps.count {
                return Ok(kept.between(span_ms));
            }
            if known > 0
                && let Some((output, noted)) = self.continued(query, steps, known, cancel, &kept)?
            {
                keeping.keep(key, Answer { noted, ..Answer::of(&output, mark, span_ms) });
                return Ok(output);
            }
        }
        let output = self.evaluate_range(query, steps, span_ms.1, cancel)?;
        keeping.keep(key, Answer::of(&output, mark, span_ms));
        Ok(output)
    }

    /// An answer whose first steps are known, with the others evaluated, and until when what is said of it was found;
    /// nothing, if more would have to be said of it than an answer carries.
    fn continued(
        &self,
        query: &Query,
        steps: Steps,
        known: usize,
        cancel: &Cancel,
        kept: &Answer,
    ) -> Result<Option<(QueryOutput, NotedUntil)>, Error> {
        let (first_ms, last_ms) = span_ms(steps);
        let first = kept.between((first_ms, steps.time_ms(known - 1)));
        let rest = Steps { start_ms: steps.time_ms(known), count: steps.count - known, ..steps };
        let rest = self.evaluate_range(query, rest, last_ms, cancel)?;
        let (Value::Matrix(before), Value::Matrix(after)) = (first.value, rest.value) else {
            return Ok(None);
        };
        let noted = kept.noted.since(first_ms).and(&rest.warnings, &rest.infos, last_ms);
        let value = Value::Matrix(cache::joined(before, after));
        let (warnings, infos) = noted.texts();
        let output = QueryOutput { value, warnings, infos, ..rest };
        Ok(noted.are_few().then_some((output, noted)))
    }
}

/// Under what the answer to a range query is kept.
fn key_of_range(query: &Query, steps: Steps) -> Key {
    let phase_ms = steps.start_ms.rem_euclid(steps.step_ms);
    Key { text: query.shared_text(), step_ms: steps.step_ms, phase_ms }
}

/// Under what the answer to a query at one time is kept.
pub(super) fn key_of_instant(query: &Query, time_ms: i64) -> Key {
    Key { text: query.shared_text(), step_ms: 0, phase_ms: time_ms }
}

/// The first and the last step.
fn span_ms(steps: Steps) -> (i64, i64) {
    (steps.start_ms, steps.time_ms(steps.count - 1))
}

impl Keeping<'_> {
    /// Keeps an answer, unless it is too large for that.
    pub(super) fn keep(&self, key: Key, answer: Answer) {
        if self.cache.has_room_for(&key, &answer) {
            self.cache.put(key, answer);
        } else {
            self.cache.forget(&key);
        }
    }

    pub(super) fn is_true(&self, kept: &Answer, time_ms: i64) -> bool {
        self.reach.is_before(time_ms, self.changes.unchanged_before(kept.mark).as_millis())
    }

    /// How many of the first steps are known and still true. What is said of some of the steps alone is known of all
    /// of them or of none.
    fn known_steps(&self, kept: &Answer, steps: Steps) -> usize {
        let (first_ms, last_ms) = span_ms(steps);
        if kept.first_ms > first_ms || kept.last_ms < first_ms {
            return 0;
        }
        let known = self.true_steps(kept, Steps::between(first_ms, last_ms.min(kept.last_ms), steps.step_ms));
        let is_same = known == steps.count && (kept.first_ms, kept.last_ms) == (first_ms, last_ms);
        if kept.notes_of_steps && !is_same { 0 } else { known }
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
