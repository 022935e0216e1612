//! Values that stay in memory until their query is answered: those of one query, and those of all together.

use std::cell::Cell;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use model::Labels;

use crate::{Error, Value};

/// How many queries may hold as much as one may; more of them have to do with less, or wait.
const LARGE_QUERIES: u64 = 2;
/// A query that holds less than this part of what it may is let through, however much others hold: what rules hold is
/// little, and they are evaluated beside the largest queries of people.
const SMALL_PART: u64 = 32;

/// What is held of labels beside their bytes, in values: where they lie, and the array that belongs to them.
const SERIES_VALUES: usize = 8;

/// How many values take as much memory as labels and what belongs to them.
pub(super) fn labels_in_values(labels: &Labels) -> usize {
    key_in_values(labels.as_ref().as_bytes())
}

/// How many values take as much memory as a key of a map and what belongs to it.
pub(super) fn key_in_values(key: &[u8]) -> usize {
    SERIES_VALUES + key.len() / size_of::<f64>()
}

/// How many values take as much memory as samples, each with its time.
pub(crate) const fn samples_in_values(samples: usize) -> usize {
    samples * 2
}

/// How many values take as much memory as an answer.
fn answer_in_values(value: &Value) -> usize {
    let labels: usize = match value {
        Value::Scalar(_) | Value::Text { .. } => 0,
        Value::Vector(samples) => samples.iter().map(|sample| labels_in_values(&sample.labels)).sum(),
        Value::Matrix(series) => series.iter().map(|series| labels_in_values(&series.labels)).sum(),
    };
    labels + samples_in_values(value.count())
}

/// What one query holds; given back when it is dropped.
pub(super) struct Held {
    all: Arc<AtomicU64>,
    own: Cell<u64>,
    most: u64,
}

impl Held {
    /// Nothing, yet; at most so many values. `all` counts those of all queries.
    pub(super) fn within(most: u64, all: &Arc<AtomicU64>) -> Self {
        Self { all: Arc::clone(all), own: Cell::new(0), most }
    }

    /// Counts some more.
    pub(super) fn add(&self, values: u64) -> Result<(), Error> {
        let own = self.own.get().saturating_add(values);
        let most = self.most;
        if own > most {
            return Err(Error::LimitReached(format!(
                "the query holds more than {most} values in memory (promql.max_held_samples); \
                 aggregate, ask for fewer series, a shorter range or a larger step"
            )));
        }
        let all = self.all.fetch_add(values, Ordering::Relaxed).saturating_add(values);
        self.own.set(own);
        let most_of_all = most.saturating_mul(LARGE_QUERIES);
        if all > most_of_all && own > most / SMALL_PART {
            return Err(Error::LimitReached(format!(
                "all queries together hold more than {most_of_all} values in memory (twice promql.max_held_samples); \
                 ask again when other queries have ended, or aggregate, ask for fewer series, a shorter range or a \
                 larger step"
            )));
        }
        Ok(())
    }

    /// Whether there is room for some more in a share of what a query may hold.
    pub(super) fn has_room(&self, values: u64, share: u64) -> bool {
        self.own.get().saturating_add(values) <= self.most / share
            && self.all.load(Ordering::Relaxed).saturating_add(values)
                <= self.most.saturating_mul(LARGE_QUERIES)
    }

    /// Some are no longer held.
    pub(super) fn give_back(&self, values: u64) {
        let values = values.min(self.own.get());
        self.own.set(self.own.get() - values);
        self.all.fetch_sub(values, Ordering::Relaxed);
    }

    /// How many values it holds.
    pub(super) fn values(&self) -> u64 {
        self.own.get()
    }

    /// The query is answered: from now on only its answer is held.
    pub(super) fn answer(self, value: &Value) -> HeldAnswer {
        let values = (answer_in_values(value) as u64).min(self.own.get());
        self.own.set(self.own.get() - values);
        HeldAnswer { all: Arc::clone(&self.all), values }
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.all.fetch_sub(self.own.get(), Ordering::Relaxed);
    }
}

/// An answer: it counts among what all queries hold until this is dropped.
#[derive(Debug, Default)]
pub struct HeldAnswer {
    all: Arc<AtomicU64>,
    values: u64,
}

impl HeldAnswer {
    /// So many samples of it are no longer held.
    pub fn give_back(&mut self, samples: usize) {
        let values = (samples_in_values(samples) as u64).min(self.values);
        self.values -= values;
        self.all.fetch_sub(values, Ordering::Relaxed);
    }
}

impl Drop for HeldAnswer {
    fn drop(&mut self) {
        self.all.fetch_sub(self.values, Ordering::Relaxed);
    }
}

/// A copy does not count: whoever makes one has a bound of their own, as the cache has.
impl Clone for HeldAnswer {
    fn clone(&self) -> Self {
        Self::default()
    }
}

/// What an answer says does not depend on whether it counts.
impl PartialEq for HeldAnswer {
    fn eq(&self, _: &Self) -> bool {
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(held: &Held, values: u64) -> String {
        held.add(values).expect_err("a limit is reached").to_string()
    }

    #[test]
    fn a_query_is_bounded_and_so_are_all_together_until_some_end_and_the_small_are_let_through() {
        let all = Arc::new(AtomicU64::new(0));
        let new = || Held::within(320, &all);
        let (first, second, third, small) = (new(), new(), new(), new());
        first.add(320).expect("it may");
        assert!(error(&first, 1).contains("the query holds more than 320 values"));
        second.add(320).expect("two may");
        let told = error(&third, 11);
        assert!(told.contains("all queries together hold more than 640 values"), "{told}");
        small.add(10).expect("it is small");
        assert!(error(&small, 1).contains("all queries together"));
        drop((first, third));
        assert_eq!(all.load(Ordering::Relaxed), 320 + 11);
        small.add(300).expect("there is room again");
        drop(small);
        let samples = vec![model::Sample { time_ms: 1, value: 1.0 }; 100];
        let value =
            Value::Matrix(vec![crate::Series { labels: Labels::empty(), samples, histograms: Vec::new() }]);
        let mut answer = second.answer(&value);
        let held = 200 + SERIES_VALUES as u64;
        assert_eq!(all.load(Ordering::Relaxed), held, "what the query held beside its answer is given back");
        drop(answer.clone());
        answer.give_back(90);
        assert_eq!(all.load(Ordering::Relaxed), held - 180);
        drop(answer);
        assert_eq!(all.load(Ordering::Relaxed), 0);
    }
}
