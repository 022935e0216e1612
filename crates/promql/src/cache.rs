//! Answers that are kept: a dashboard asks the same again a moment later, and most of what it asks for has not
//! changed since.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, PoisonError};

use store::Mark;

use crate::HeldAnswer;
use crate::notes::NotedUntil;
use crate::value::{QueryOutput, QueryStats, Series, Value, VectorSample};

/// What is kept beside the values of an answer, about.
const ANSWER_BYTES: usize = 512;
const SERIES_BYTES: usize = 96;
const SAMPLE_BYTES: usize = size_of::<model::Sample>();
/// One answer takes at most this share of the whole.
const MAX_SHARE: usize = 4;

/// Which questions have answers in common: the same text at the same distances.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Key {
    pub(crate) text: Arc<str>,
    /// 0 of an instant query.
    pub(crate) step_ms: i64,
    /// Where the first step lies beside the multiples of the step; of an instant query, its time.
    pub(crate) phase_ms: i64,
}

/// What was answered.
#[derive(Debug)]
pub(crate) struct Answer {
    /// When it was asked: what has changed since is no part of it.
    pub(crate) mark: Mark,
    pub(crate) first_ms: i64,
    pub(crate) last_ms: i64,
    pub(crate) value: Value,
    /// What was said of it.
    pub(crate) noted: NotedUntil,
    /// Whether that was said of some of the steps alone, or some was left out.
    pub(crate) notes_of_steps: bool,
}

impl Answer {
    /// An answer that was found by one evaluation, from its first step to its last.
    pub(crate) fn of(output: &QueryOutput, mark: Mark, (first_ms, last_ms): (i64, i64)) -> Self {
        let noted = NotedUntil::default().and(&output.warnings, &output.infos, last_ms);
        let (value, notes_of_steps) = (output.value.clone(), output.notes_of_steps);
        Self { mark, first_ms, last_ms, value, noted, notes_of_steps }
    }

    /// The part of it that lies between two steps.
    pub(crate) fn between(&self, (first_ms, last_ms): (i64, i64)) -> QueryOutput {
        let value = match &self.value {
            Value::Matrix(series) => Value::Matrix(part(series, first_ms, last_ms)),
            other => other.clone(),
        };
        let (warnings, infos) = self.noted.since(first_ms).texts();
        let (stats, held) = (QueryStats::default(), HeldAnswer::default());
        QueryOutput { value, warnings, infos, notes_of_steps: self.notes_of_steps, stats, held }
    }
}

/// Answers, within a bound of bytes; those that were not asked for the longest go first.
#[derive(Debug)]
pub(crate) struct Cache {
    max_bytes: usize,
    kept: Mutex<Kept>,
}

#[derive(Debug, Default)]
struct Kept {
    answers: HashMap<Key, Entry>,
    /// Keys by when they were last asked for.
    by_use: BTreeMap<u64, Key>,
    uses: u64,
    bytes: usize,
}

#[derive(Debug)]
struct Entry {
    answer: Arc<Answer>,
    bytes: usize,
    used: u64,
}

impl Cache {
    pub(crate) fn new(max_bytes: usize) -> Self {
        Self { max_bytes, kept: Mutex::default() }
    }

    pub(crate) fn get(&self, key: &Key) -> Option<Arc<Answer>> {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        let mut entry = kept.remove(key)?;
        kept.uses += 1;
        entry.used = kept.uses;
        let answer = Arc::clone(&entry.answer);
        kept.insert(key.clone(), entry);
        Some(answer)
    }

    /// The same of an answer that takes no more than so many bytes.
    pub(crate) fn get_within(&self, key: &Key, max_bytes: usize) -> Option<Arc<Answer>> {
        let bytes = self.kept.lock().unwrap_or_else(PoisonError::into_inner).answers.get(key)?.bytes;
        if bytes <= max_bytes { self.get(key) } else { None }
    }

    /// Whether an answer may be kept at all.
    pub(crate) fn has_room_for(&self, key: &Key, answer: &Answer) -> bool {
        size(key, answer) <= self.max_bytes / MAX_SHARE
    }

    /// Keeps none any more.
    pub(crate) fn forget(&self, key: &Key) {
        _ = self.kept.lock().unwrap_or_else(PoisonError::into_inner).remove(key);
    }

    /// Keeps an answer for which there is room.
    pub(crate) fn put(&self, key: Key, answer: Answer) {
        let bytes = size(&key, &answer);
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        _ = kept.remove(&key);
        while kept.bytes + bytes > self.max_bytes
            && let Some((_, oldest)) = kept.by_use.first_key_value()
        {
            let oldest = oldest.clone();
            _ = kept.remove(&oldest);
        }
        kept.uses += 1;
        let used = kept.uses;
        kept.insert(key, Entry { answer: Arc::new(answer), bytes, used });
    }
}

impl Kept {
    fn remove(&mut self, key: &Key) -> Option<Entry> {
        let entry = self.answers.remove(key)?;
        self.by_use.remove(&entry.used);
        self.bytes -= entry.bytes;
        Some(entry)
    }

    fn insert(&mut self, key: Key, entry: Entry) {
        self.bytes += entry.bytes;
        self.by_use.insert(entry.used, key.clone());
        self.answers.insert(key, entry);
    }
}

/// What an answer takes, about.
fn size(key: &Key, answer: &Answer) -> usize {
    let value = match &answer.value {
        Value::Scalar(_) => SAMPLE_BYTES,
        Value::Text { text, .. } => text.len(),
        Value::Vector(samples) => {
            let labels = |sample: &VectorSample| SERIES_BYTES + sample.labels.as_ref().as_bytes().len();
            samples.iter().map(labels).sum::<usize>() + answer.value.count() * SAMPLE_BYTES
        }
        Value::Matrix(series) => series
            .iter()
            .map(|series| {
                SERIES_BYTES + series.labels.as_ref().as_bytes().len() + series.count() * SAMPLE_BYTES
            })
            .sum(),
    };
    ANSWER_BYTES + key.text.len() * 2 + value + answer.noted.size_bytes()
}

/// The part of a matrix that lies between two steps.
fn part(series: &[Series], first_ms: i64, last_ms: i64) -> Vec<Series> {
    let cut = |series: &Series| {
        let from = series.samples.partition_point(|sample| sample.time_ms < first_ms);
        let to = series.samples.partition_point(|sample| sample.time_ms <= last_ms);
        let samples = series.samples[from..to].to_vec();
        let from = series.histograms.partition_point(|(time_ms, _)| *time_ms < first_ms);
        let to = series.histograms.partition_point(|(time_ms, _)| *time_ms <= last_ms);
        let cut = Series {
            labels: series.labels.clone(),
            samples,
            histograms: series.histograms[from..to].to_vec(),
        };
        (!cut.is_empty()).then_some(cut)
    };
    series.iter().filter_map(cut).collect()
}

/// Two matrices, of which the second one begins where the first one has ended.
pub(crate) fn joined(mut first: Vec<Series>, second: Vec<Series>) -> Vec<Series> {
    let known = first.len();
    let mut place = 0;
    for mut series in second {
        // Both are sorted by labels.
        while first[..known].get(place).is_some_and(|before| before.labels < series.labels) {
            place += 1;
        }
        match first[..known].get_mut(place) {
            Some(before) if before.labels == series.labels => {
                before.samples.append(&mut series.samples);
                before.histograms.append(&mut series.histograms);
            }
            _ => first.push(series),
        }
    }
    if first.len() > known {
        first.sort_by(|a, b| a.labels.cmp(&b.labels));
    }
    first
}

#[cfg(test)]
mod tests {
    use model::{Labels, Sample};

    use super::*;

    fn answer(samples: usize) -> Answer {
        let samples = vec![Sample { time_ms: 1, value: 1.0 }; samples];
        let value =
            Value::Matrix(vec![Series { labels: Labels::metric("m", &[]), samples, histograms: Vec::new() }]);
        let (mark, noted) = (Mark::default(), NotedUntil::default());
        Answer { mark, first_ms: 0, last_ms: 0, value, noted, notes_of_steps: false }
    }

    fn key(text: &str) -> Key {
        Key { text: text.into(), step_ms: 1, phase_ms: 0 }
    }

    #[test]
    fn what_was_not_asked_for_the_longest_goes_first_and_the_bound_holds() {
        let cache = Cache::new(8000);
        for text in ["a", "b", "c"] {
            cache.put(key(text), answer(80));
        }
        assert!(cache.get(&key("a")).is_some());
        for text in ["d", "e"] {
            cache.put(key(text), answer(80));
        }
        let kept: Vec<bool> =
            ["a", "b", "c", "d", "e"].iter().map(|text| cache.get(&key(text)).is_some()).collect();
        assert_eq!(kept, [true, false, true, true, true]);
        assert!(cache.get_within(&key("a"), 1000).is_none() && cache.get_within(&key("a"), 4000).is_some());
        assert!(cache.has_room_for(&key("small"), &answer(80)));
        assert!(!cache.has_room_for(&key("large"), &answer(200)), "no answer takes all of the room");
        cache.forget(&key("e"));
        assert!(cache.get(&key("e")).is_none());
        cache.put(key("a"), answer(1));
        let kept = cache.kept.lock().expect("no thread panicked");
        assert_eq!(kept.bytes, kept.answers.values().map(|entry| entry.bytes).sum::<usize>());
        assert_eq!(kept.by_use.len(), kept.answers.len());
    }
}
