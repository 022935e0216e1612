//! Series in memory: each with a flat array of times and one of values.
//!
//! One thread, the committer, writes; queries read beside it. Samples of a series are in ascending
//! time without doubles, whatever the order in which they came.

use std::collections::{HashMap, HashSet};
use std::hash::{BuildHasherDefault, Hasher};
use std::sync::atomic::{AtomicU64, Ordering};

use model::{Labels, LabelsRef, MetricBatch, Sample};
use parking_lot::{RwLock, RwLockReadGuard};
use store::{Appended, Matcher};

use crate::index::LabelIndex;

/// Memory of one sample in the arrays.
const SAMPLE_BYTES: u64 = 16;
/// No further series has the same hash.
const NONE: u32 = u32::MAX;

/// What decides whether a sample is taken.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    pub(crate) max_series: usize,
    pub(crate) out_of_order_ms: i64,
}

/// One series.
#[derive(Debug)]
pub(crate) struct Series {
    pub(crate) labels: Labels,
    pub(crate) times: Vec<i64>,
    pub(crate) values: Vec<f64>,
    next_same_hash: u32,
    /// The segment of the log that defines this series; zero for none.
    defined_in: u64,
}

/// A series of a batch on its way into the log and the head.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Resolved {
    /// The series is known to the segment.
    Known(u32),
    /// The series has to be defined in the segment.
    Define(u32),
    /// There are too many series.
    OverLimit,
}

/// The metrics of a head.
#[derive(Debug)]
pub(crate) struct MetricsHead {
    state: RwLock<State>,
    limits: Limits,
    sample_bytes: AtomicU64,
    label_bytes: AtomicU64,
    series: AtomicU64,
}

#[derive(Debug, Default)]
pub(crate) struct State {
    series: Vec<Series>,
    by_hash: HashMap<u64, u32, BuildHasherDefault<AlreadyHashed>>,
    index: LabelIndex,
    /// The times of the first and the last sample.
    range: Option<(i64, i64)>,
    /// Hashes of series of the head before, which have a right to come back before new ones do.
    reserved: HashSet<u64, BuildHasherDefault<AlreadyHashed>>,
}

impl MetricsHead {
    /// An empty head after `previous`, whose series may come back even when the limit is reached.
    pub(crate) fn after(previous: Option<&Self>, limits: Limits) -> Self {
        let reserved = previous.map(|head| head.state.read().by_hash.keys().copied().collect());
        let state = State { reserved: reserved.unwrap_or_default(), ..State::default() };
        Self {
            state: RwLock::new(state),
            limits,
            sample_bytes: AtomicU64::new(0),
            label_bytes: AtomicU64::new(0),
            series: AtomicU64::new(0),
        }
    }

    /// Finds or makes the series of a batch, and notes that `segment` defines them.
    pub(crate) fn resolve(&self, batch: &MetricBatch, segment: u64, into: &mut Vec<Resolved>) {
        let mut state = self.state.write();
        let before = state.series.len();
        for (labels, _) in batch.iter() {
            let hash = labels.hash64();
            let series = state.find(labels, hash).or_else(|| {
                state.has_room_for(hash, self.limits.max_series).then(|| state.create(labels, hash))
            });
            into.push(match series {
                None => Resolved::OverLimit,
                Some(id) => {
                    let series = &mut state.series[id as usize];
                    if series.defined_in == segment {
                        Resolved::Known(id)
                    } else {
                        series.defined_in = segment;
                        Resolved::Define(id)
                    }
                }
            });
        }
        if state.series.len() > before {
            self.count_series(&state);
        }
    }

    /// Finds or makes a series that the log defines. The log holds only what was within the limits.
    pub(crate) fn define(&self, labels: LabelsRef<'_>) -> u32 {
        let mut state = self.state.write();
        let hash = labels.hash64();
        state.find(labels, hash).unwrap_or_else(|| {
            // It has come back: its place is not kept a second time.
            state.reserved.remove(&hash);
            let id = state.create(labels, hash);
            self.count_series(&state);
            id
        })
    }

    fn count_series(&self, state: &State) {
        let per_series = size_of::<Series>() + size_of::<(u64, u32)>();
        let bytes = state.index.bytes() + state.series.len() * per_series;
        self.label_bytes.store(bytes as u64, Ordering::Relaxed);
        self.series.store(state.series.len() as u64, Ordering::Relaxed);
    }

    /// Adds samples to series by number, and says what became of them.
    pub(crate) fn append<'a>(&self, all: impl Iterator<Item = (u32, &'a [Sample])>) -> Appended {
        let mut appended = Appended::default();
        let mut state = self.state.write();
        let mut grown = 0;
        for (id, samples) in all {
            let series = &mut state.series[id as usize];
            let before = series.times.capacity();
            for sample in samples {
                match series.insert(*sample, self.limits.out_of_order_ms) {
                    Inserted::Stored => appended.samples += 1,
                    Inserted::Duplicate => appended.samples_duplicate += 1,
                    Inserted::TooOld => appended.samples_too_old += 1,
                }
            }
            grown += (series.times.capacity() - before) as u64;
            let ends = series.times.first().copied().zip(series.times.last().copied());
            if let Some((first, last)) = ends {
                let (start, end) = state.range.unwrap_or((first, last));
                state.range = Some((start.min(first), end.max(last)));
            }
        }
        self.sample_bytes.fetch_add(grown * SAMPLE_BYTES, Ordering::Relaxed);
        appended
    }

    /// The series that match and have samples between two times, in ascending order of labels' bytes.
    pub(crate) fn matching(&self, matchers: &[Matcher], range_ms: (i64, i64)) -> Vec<(Labels, u32)> {
        let state = self.state.read();
        let mut found: Vec<(Labels, u32)> = state
            .index
            .select(matchers)
            .into_iter()
            .filter(|id| state.series[*id as usize].overlaps(range_ms))
            .map(|id| (state.series[id as usize].labels.clone(), id))
            .collect();
        drop(state);
        found.sort_unstable_by(|(a, _), (b, _)| a.as_ref().as_bytes().cmp(b.as_ref().as_bytes()));
        found
    }

    /// Adds the samples of one series between two times.
    pub(crate) fn read(&self, id: u32, range_ms: (i64, i64), times: &mut Vec<i64>, values: &mut Vec<f64>) {
        let state = self.state.read();
        let series = &state.series[id as usize];
        let start = series.times.partition_point(|time| *time < range_ms.0);
        let end = series.times.partition_point(|time| *time <= range_ms.1).max(start);
        times.extend_from_slice(&series.times[start..end]);
        values.extend_from_slice(&series.values[start..end]);
    }

    /// Whether there can be samples between two times.
    pub(crate) fn overlaps(&self, (start, end): (i64, i64)) -> bool {
        self.state.read().range.is_some_and(|(first, last)| first <= end && start <= last)
    }

    /// Gives the names of all labels, or the values of one, to `take`.
    pub(crate) fn each_label(&self, name: Option<&str>, take: &mut dyn FnMut(&str)) {
        let state = self.state.read();
        match name {
            None => state.index.names().for_each(take),
            Some(name) => state.index.values(name).for_each(take),
        }
    }

    /// All series with samples, in ascending order of labels' bytes, while the head is held still.
    pub(crate) fn sorted(&self) -> Sorted<'_> {
        let state = self.state.read();
        let mut order: Vec<u32> = (0..)
            .zip(&state.series)
            .filter(|(_, series)| !series.times.is_empty())
            .map(|(id, _)| id)
            .collect();
        let bytes = |id: u32| state.series[id as usize].labels.as_ref().as_bytes();
        order.sort_unstable_by(|a, b| bytes(*a).cmp(bytes(*b)));
        Sorted { state, order }
    }

    /// Memory of the samples.
    pub(crate) fn sample_bytes(&self) -> u64 {
        self.sample_bytes.load(Ordering::Relaxed)
    }

    /// Memory of labels and index.
    pub(crate) fn label_bytes(&self) -> u64 {
        self.label_bytes.load(Ordering::Relaxed)
    }

    /// How many series there are.
    pub(crate) fn series(&self) -> u64 {
        self.series.load(Ordering::Relaxed)
    }
}

/// The series of a head in order.
pub(crate) struct Sorted<'a> {
    state: RwLockReadGuard<'a, State>,
    order: Vec<u32>,
}

impl Sorted<'_> {
    pub(crate) fn iter(&self) -> impl ExactSizeIterator<Item = &Series> {
        self.order.iter().map(|id| &self.state.series[*id as usize])
    }
}

impl State {
    fn find(&self, labels: LabelsRef<'_>, hash: u64) -> Option<u32> {
        let mut id = *self.by_hash.get(&hash)?;
        loop {
            let series = self.series.get(id as usize)?;
            if series.labels.as_ref() == labels {
                return Some(id);
            }
            id = series.next_same_hash;
        }
    }

    fn has_room_for(&mut self, hash: u64, max_series: usize) -> bool {
        self.reserved.remove(&hash) || self.series.len() + self.reserved.len() < max_series
    }

    fn create(&mut self, labels: LabelsRef<'_>, hash: u64) -> u32 {
        let id = u32::try_from(self.series.len()).expect("memory ends long before 2^32 series");
        let next_same_hash = self.by_hash.insert(hash, id).unwrap_or(NONE);
        let (times, values) = (Vec::new(), Vec::new());
        self.series.push(Series { labels: labels.to_owned(), times, values, next_same_hash, defined_in: 0 });
        self.index.push(labels);
        id
    }
}

enum Inserted {
    Stored,
    Duplicate,
    TooOld,
}

impl Series {
    fn insert(&mut self, sample: Sample, out_of_order_ms: i64) -> Inserted {
        let Some(&last) = self.times.last().filter(|last| **last >= sample.time_ms) else {
            self.times.push(sample.time_ms);
            self.values.push(sample.value);
            return Inserted::Stored;
        };
        if sample.time_ms < last.saturating_sub(out_of_order_ms) {
            return Inserted::TooOld;
        }
        match self.times.binary_search(&sample.time_ms) {
            Ok(_) => Inserted::Duplicate,
            Err(position) => {
                self.times.insert(position, sample.time_ms);
                self.values.insert(position, sample.value);
                Inserted::Stored
            }
        }
    }

    fn overlaps(&self, (start, end): (i64, i64)) -> bool {
        let first = self.times.partition_point(|time| *time < start);
        self.times.get(first).is_some_and(|time| *time <= end)
    }
}

/// Passes a hash through that is one already.
#[derive(Default)]
pub(crate) struct AlreadyHashed(u64);

impl Hasher for AlreadyHashed {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        self.0 = xxhash_rust::xxh3::xxh3_64_with_seed(bytes, self.0);
    }

    fn write_u64(&mut self, hash: u64) {
        self.0 = hash;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMITS: Limits = Limits { max_series: 2, out_of_order_ms: 100 };

    fn push(head: &MetricsHead, name: &str, times: &[i64]) -> Appended {
        let samples: Vec<Sample> =
            times.iter().map(|&time_ms| Sample { time_ms, value: time_ms as f64 }).collect();
        let mut batch = MetricBatch::new();
        batch.push(Labels::metric(name, &[]).as_ref(), &samples);
        let mut resolved = Vec::new();
        head.resolve(&batch, 1, &mut resolved);
        match resolved[0] {
            Resolved::OverLimit => {
                Appended { samples_over_series_limit: times.len() as u64, ..Appended::default() }
            }
            Resolved::Known(id) | Resolved::Define(id) => head.append([(id, samples.as_slice())].into_iter()),
        }
    }

    #[test]
    fn late_samples_are_sorted_in_and_doubles_and_old_ones_are_counted() {
        let head = MetricsHead::after(None, LIMITS);
        let appended = push(&head, "a", &[1000, 1020, 1010, 1020, 950, 899]);
        assert_eq!((appended.samples, appended.samples_duplicate, appended.samples_too_old), (4, 1, 1));
        let (mut times, mut values) = (Vec::new(), Vec::new());
        head.read(0, (960, 1020), &mut times, &mut values);
        assert_eq!((times, values), (vec![1000, 1010, 1020], vec![1000.0, 1010.0, 1020.0]));
    }

    #[test]
    fn a_series_over_the_limit_is_refused_and_known_ones_go_on() {
        let head = MetricsHead::after(None, LIMITS);
        assert_eq!(push(&head, "a", &[1]).samples, 1);
        assert_eq!(push(&head, "b", &[1]).samples, 1);
        assert_eq!(push(&head, "c", &[1, 2]).samples_over_series_limit, 2);
        assert_eq!(push(&head, "a", &[2]).samples, 1);
        let next = MetricsHead::after(Some(&head), LIMITS);
        assert_eq!(push(&next, "c", &[3]).samples_over_series_limit, 1, "room is kept for a and b");
        assert_eq!(push(&next, "b", &[3]).samples, 1);
        assert_eq!(push(&next, "a", &[3]).samples, 1);
    }

    #[test]
    fn series_with_the_same_hash_are_told_apart() {
        let mut state = State::default();
        let (a, b) = (Labels::metric("a", &[]), Labels::metric("b", &[]));
        let first = state.create(a.as_ref(), 7);
        let second = state.create(b.as_ref(), 7);
        assert_eq!(state.find(a.as_ref(), 7), Some(first));
        assert_eq!(state.find(b.as_ref(), 7), Some(second));
        assert_eq!(state.find(Labels::metric("c", &[]).as_ref(), 7), None);
    }

    #[test]
    fn matching_leaves_out_series_without_samples_in_the_range() {
        let head = MetricsHead::after(None, LIMITS);
        push(&head, "b", &[10]);
        push(&head, "a", &[10, 90]);
        let names = |range| -> Vec<String> {
            head.matching(&[], range).iter().map(|(labels, _)| labels.to_string()).collect()
        };
        assert_eq!(names((0, 100)), ["a", "b"]);
        assert_eq!(names((11, 100)), ["a"]);
        assert_eq!(names((11, 89)), [""; 0]);
    }
}
