//! Which series there are: their labels, their numbers, and the index over them.
//!
//! Heads that follow each other share a registry, so a series that goes on is neither looked up, copied
//! nor indexed anew when a head is frozen. Numbers never change; when many series have ended, the next
//! head gets a new registry of those that are left.

use std::sync::OnceLock;
use std::sync::atomic::{AtomicI64, AtomicU64, AtomicUsize, Ordering};

use model::{Labels, LabelsRef, MetricBatch, Sample};
use parking_lot::{RwLock, RwLockReadGuard};
use store::{Cardinality, Matcher};

use crate::head::metrics::Limits;
use crate::index::{ByHash, LabelIndex};

/// No further series has the same hash.
const NONE: u32 = u32::MAX;

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

/// The series of heads that follow each other. One thread, the committer, adds series; queries read.
#[derive(Debug, Default)]
pub(crate) struct Registry {
    state: RwLock<State>,
}

#[derive(Debug, Default)]
struct State {
    series: Vec<Series>,
    by_hash: ByHash,
    index: LabelIndex,
    /// The place of each series among all that there were when it was asked for, by labels' bytes.
    ranks: OnceLock<Vec<u32>>,
    /// How many series have been sorted without ranks since the last series came.
    sorted_without: AtomicUsize,
}

#[derive(Debug)]
struct Series {
    labels: Labels,
    next_same_hash: u32,
    /// The segment of the log that defines this series; zero for none.
    defined_in: AtomicU64,
    /// The newest sample in heads before the current one, in milliseconds.
    newest_ms: AtomicI64,
}

impl Registry {
    /// A registry of some of the series of another, which keep their newest times.
    pub(crate) fn of(&self, kept: impl Iterator<Item = u32>) -> Self {
        let from = self.state.read();
        let mut state = State::default();
        for id in kept {
            let series = &from.series[id as usize];
            let new = state.create(series.labels.clone(), series.labels.hash64());
            let newest_ms = series.newest_ms.load(Ordering::Relaxed);
            state.series[new as usize].newest_ms.store(newest_ms, Ordering::Relaxed);
        }
        Self { state: RwLock::new(state) }
    }

    /// Finds or makes the series of a batch, and notes that `segment` defines them. Samples that heads
    /// before have made too old are taken out of the batch; how many is returned. So they are not in the
    /// log either, and its replay needs to know nothing of earlier heads.
    pub(crate) fn resolve(
        &self,
        batch: &mut MetricBatch,
        segment: u64,
        limits: Limits,
        into: &mut Vec<Resolved>,
    ) -> u64 {
        let mut ids = self.find(batch);
        if ids.contains(&NONE) {
            self.add_missing(batch, &mut ids, limits.max_series);
        }
        let state = self.state.read();
        let floor = |id: u32| {
            let newest =
                state.series.get(id as usize).map_or(i64::MIN, |one| one.newest_ms.load(Ordering::Relaxed));
            newest.saturating_sub(limits.out_of_order_ms)
        };
        let is_old = |(id, samples): (&u32, &[Sample])| {
            let floor = floor(*id);
            samples.iter().any(|sample| sample.time_ms < floor)
        };
        let mut too_old = 0;
        if ids.iter().zip(batch.iter().map(|(_, samples)| samples)).any(is_old) {
            let mut floors = ids.iter().map(|id| floor(*id));
            let mut kept_ids = Vec::with_capacity(ids.len());
            let whole = std::mem::take(batch);
            let mut kept = MetricBatch::with_histograms(whole.histograms().clone());
            for ((labels, run), id) in whole.runs().zip(&ids) {
                let floor = floors.next().unwrap_or(i64::MIN);
                let young = kept.push_kept(labels, run, |sample| sample.time_ms >= floor);
                too_old += (run.samples.len() - young) as u64;
                if young > 0 {
                    kept_ids.push(*id);
                }
            }
            (*batch, ids) = (kept, kept_ids);
        }
        into.extend(ids.into_iter().map(|id| match state.series.get(id as usize) {
            Some(series) => series.resolved(id, segment),
            None => Resolved::OverLimit,
        }));
        too_old
    }

    /// The numbers of the series of a batch; `NONE` for those that are not there.
    fn find(&self, batch: &MetricBatch) -> Vec<u32> {
        let state = self.state.read();
        // Senders send their series in one order again and again.
        let mut expected = 0u32;
        let find = |(labels, _): (LabelsRef<'_>, &[Sample])| {
            let is_expected = state.is(expected, labels);
            let id = if is_expected { Some(expected) } else { state.find(labels, labels.hash64()) };
            expected = id.map_or(expected, |id| id + 1);
            id.unwrap_or(NONE)
        };
        batch.iter().map(find).collect()
    }

    fn add_missing(&self, batch: &MetricBatch, ids: &mut [u32], max_series: usize) {
        let mut state = self.state.write();
        for ((labels, _), id) in batch.iter().zip(ids).filter(|(_, id)| **id == NONE) {
            let hash = labels.hash64();
            let found = state.find(labels, hash);
            let has_room = state.series.len() < max_series;
            let made = found.or_else(|| has_room.then(|| state.create(labels.to_owned(), hash)));
            *id = made.unwrap_or(NONE);
        }
    }

    /// Finds or makes a series that the log defines. The log holds only what was within the limits.
    pub(crate) fn define(&self, labels: LabelsRef<'_>) -> u32 {
        let mut state = self.state.write();
        let hash = labels.hash64();
        state.find(labels, hash).unwrap_or_else(|| state.create(labels.to_owned(), hash))
    }

    /// How many series there are.
    pub(crate) fn len(&self) -> usize {
        self.state.read().series.len()
    }

    /// Memory of labels, numbers and index.
    pub(crate) fn bytes(&self) -> usize {
        let state = self.state.read();
        state.index.bytes() + state.series.len() * (size_of::<Series>() + size_of::<(u64, u32)>())
    }

    /// Reads of many series with one lock.
    pub(crate) fn read(&self) -> Reading<'_> {
        Reading(self.state.read())
    }
}

/// A registry while it is held still.
pub(crate) struct Reading<'a>(RwLockReadGuard<'a, State>);

impl Reading<'_> {
    pub(crate) fn labels(&self, id: u32) -> &Labels {
        &self.0.series[id as usize].labels
    }

    /// The series for which all matchers hold.
    pub(crate) fn select(&self, matchers: &[Matcher]) -> roaring::RoaringBitmap {
        self.0.index.select(matchers)
    }

    /// Which labels make so many series.
    pub(crate) fn cardinality(&self, most: usize) -> Cardinality {
        self.0.index.cardinality(most)
    }

    /// Notes the newest sample of a series, for heads to come.
    pub(crate) fn note_newest(&self, id: u32, newest_ms: i64) {
        self.0.series[id as usize].newest_ms.fetch_max(newest_ms, Ordering::Relaxed);
    }

    /// Sorts series by labels' bytes.
    pub(crate) fn sort(&self, ids: &mut [u32]) {
        let bytes = |id: u32| self.labels(id).as_ref().as_bytes();
        let total = self.0.series.len();
        // Comparing labels costs far more than comparing ranks, which in turn cost a sort of all series, and
        // are good until the next series comes. So they are made when as much has been sorted without.
        if self.0.ranks.get().is_none()
            && self.0.sorted_without.fetch_add(ids.len(), Ordering::Relaxed).saturating_add(ids.len()) < total
        {
            ids.sort_unstable_by(|a, b| bytes(*a).cmp(bytes(*b)));
            return;
        }
        let ranks = self.0.ranks.get_or_init(|| {
            let mut order: Vec<u32> = (0..total as u32).collect();
            order.sort_unstable_by(|a, b| bytes(*a).cmp(bytes(*b)));
            let mut ranks = vec![0; total];
            for (rank, id) in (0..).zip(order) {
                ranks[id as usize] = rank;
            }
            ranks
        });
        ids.sort_unstable_by_key(|id| ranks[*id as usize]);
    }

    /// Gives the names of all labels, or the values of one, to `take`.
    pub(crate) fn each_label(&self, name: Option<&str>, take: &mut dyn FnMut(&str)) {
        match name {
            None => self.0.index.names().for_each(take),
            Some(name) => self.0.index.values(name).for_each(take),
        }
    }
}

impl State {
    fn is(&self, id: u32, labels: LabelsRef<'_>) -> bool {
        self.series.get(id as usize).is_some_and(|series| series.labels.as_ref() == labels)
    }

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

    fn create(&mut self, labels: Labels, hash: u64) -> u32 {
        let id = u32::try_from(self.series.len()).expect("memory ends long before 2^32 series");
        let next_same_hash = self.by_hash.insert(hash, id).unwrap_or(NONE);
        self.index.push(labels.as_ref());
        self.ranks.take();
        *self.sorted_without.get_mut() = 0;
        self.series.push(Series {
            labels,
            next_same_hash,
            defined_in: AtomicU64::new(0),
            newest_ms: AtomicI64::new(i64::MIN),
        });
        id
    }
}

impl Series {
    fn resolved(&self, id: u32, segment: u64) -> Resolved {
        if self.defined_in.load(Ordering::Relaxed) == segment {
            return Resolved::Known(id);
        }
        self.defined_in.store(segment, Ordering::Relaxed);
        Resolved::Define(id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn series_with_the_same_hash_are_told_apart() {
        let mut state = State::default();
        let (a, b) = (Labels::metric("a", &[]), Labels::metric("b", &[]));
        let first = state.create(a.clone(), 7);
        let second = state.create(b.clone(), 7);
        assert_eq!(state.find(a.as_ref(), 7), Some(first));
        assert_eq!(state.find(b.as_ref(), 7), Some(second));
        assert_eq!(state.find(Labels::metric("c", &[]).as_ref(), 7), None);
    }

    #[test]
    fn a_batch_resolves_new_known_and_repeated_series_and_each_segment_defines_them_once() {
        let registry = Registry::default();
        let resolve = |segment, names: &[&str]| {
            let mut batch = MetricBatch::new();
            names.iter().for_each(|name| batch.push_one(&Labels::metric(name, &[]), 1, 1.0));
            let mut resolved = Vec::new();
            let limits = Limits { max_series: 3, out_of_order_ms: 0 };
            assert_eq!(registry.resolve(&mut batch, segment, limits, &mut resolved), 0);
            resolved
        };
        use Resolved::{Define, Known, OverLimit};
        assert_eq!(resolve(1, &["a", "b", "a"]), [Define(0), Define(1), Known(0)]);
        assert_eq!(
            resolve(1, &["b", "c", "d", "c", "a"]),
            [Known(1), Define(2), OverLimit, Known(2), Known(0)]
        );
        assert_eq!(resolve(2, &["d", "c"]), [OverLimit, Define(2)]);
        assert_eq!(registry.len(), 3);
    }

    #[test]
    fn series_are_sorted_by_labels_few_or_many() {
        let registry = Registry::default();
        let names: Vec<String> = (0..1500).map(|i| format!("n{}", (i * 7919) % 1500)).collect();
        let mut ids: Vec<u32> =
            names.iter().map(|name| registry.define(Labels::metric(name, &[]).as_ref())).collect();
        let reading = registry.read();
        let is_sorted = |ids: &[u32]| {
            ids.is_sorted_by(|a, b| {
                reading.labels(*a).as_ref().as_bytes() < reading.labels(*b).as_ref().as_bytes()
            })
        };
        let mut few = ids[..20].to_vec();
        reading.sort(&mut few);
        assert!(is_sorted(&few));
        reading.sort(&mut ids);
        assert!(is_sorted(&ids));
    }
}
