//! Samples in memory: those of one head, by the numbers that a registry gives to series.
//!
//! One thread, the committer, writes; queries read beside it, and hold it up for one run of series at
//! most. Samples of a series are in ascending time without doubles, whatever the order in which they came.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

use model::histogram::{NO_HISTOGRAM, histogram_place};
use model::{
    Histograms, Labels, LabelsRef, MetricBatch, NO_START, Sample, SampleRun, Starts, Timestamp, is_stale,
};
use parking_lot::{RwLock, RwLockWriteGuard};
use store::{Appended, Cardinality, Matcher, SeriesBuffer};

use crate::head::packed::{Inserted, Packed};
use crate::head::registry::{Registry, Resolved};
use crate::head::runs::Runs;

/// Series with neighbouring numbers that share a lock.
const SHARD_SERIES: usize = 4096;
/// Series whose runs are fetched from memory at once.
const AHEAD: usize = 16;

/// What decides whether a sample is taken.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    pub(crate) max_series: usize,
    pub(crate) out_of_order_ms: i64,
}

/// The metrics of a head.
#[derive(Debug)]
pub(crate) struct MetricsHead {
    registry: Arc<Registry>,
    shards: RwLock<Vec<RwLock<Shard>>>,
    limits: Limits,
    sample_bytes: AtomicU64,
    /// What the series take here beside their samples.
    slot_bytes: AtomicU64,
    /// The times of the first and the last sample; the first is behind the last when there is none.
    first_ms: AtomicI64,
    last_ms: AtomicI64,
}

/// The samples of some series, by number.
#[derive(Debug, Default)]
struct Shard {
    series: Vec<Packed>,
    runs: Runs,
    /// The histograms that samples are.
    histograms: Histograms,
    /// Since when samples count, of series by place; of many series nobody tells.
    starts: HashMap<usize, Starts>,
    start_bytes: usize,
}

impl Shard {
    /// Asks for the ends of the next runs all at once, so that an append after the other need not wait for
    /// memory each by itself.
    fn fetch_ahead(&self, place: usize) {
        let next = self.series[place..].iter().take(AHEAD);
        std::hint::black_box(next.fold(0u8, |sum, packed| sum.wrapping_add(packed.touch(&self.runs))));
    }

    fn bytes(&self, place: usize) -> usize {
        let samples = self.runs.bytes() + self.series[place].late_bytes();
        samples + self.histograms.capacity_bytes() + self.start_bytes
    }

    /// Notes the start of a sample that was stored. The end of a series has none.
    fn note_start(&mut self, place: usize, sample: Sample, start_ms: i64) {
        if is_stale(sample.value) || (start_ms == NO_START && !self.starts.contains_key(&place)) {
            return;
        }
        let is_newest = self.series[place].newest().is_some_and(|newest| newest.time_ms == sample.time_ms);
        let slots = self.starts.capacity();
        let starts = self.starts.entry(place).or_default();
        let before = starts.capacity_bytes();
        if is_newest {
            starts.push(sample.time_ms, start_ms);
        } else {
            starts.insert(sample.time_ms, start_ms);
        }
        self.start_bytes += starts.capacity_bytes() - before;
        self.start_bytes += (self.starts.capacity() - slots) * size_of::<(usize, Starts)>();
    }

    /// Adds a sample to the series at a place; a histogram is among `histograms`.
    fn insert(
        &mut self,
        place: usize,
        sample: Sample,
        histograms: &Histograms,
        out_of_order_ms: i64,
    ) -> Inserted {
        let Some(histogram) = histogram_place(sample.value) else {
            return self.series[place].insert(&mut self.runs, sample, out_of_order_ms);
        };
        let encoded = histograms.get(histogram);
        let value = encoded.map_or(NO_HISTOGRAM, |_| self.histograms.next_value());
        let inserted = self.series[place].insert(&mut self.runs, Sample { value, ..sample }, out_of_order_ms);
        if let (Inserted::Stored, Some(encoded)) = (inserted, encoded) {
            self.histograms.push_encoded(encoded);
        }
        inserted
    }

    /// Whether a sample has the time of the newest of the series at a place, and not its value.
    fn says_otherwise(&self, place: usize, sample: Sample, histograms: &Histograms) -> bool {
        let Some(newest) = self.series[place].newest().filter(|newest| newest.time_ms == sample.time_ms)
        else {
            return false;
        };
        match (histogram_place(newest.value), histogram_place(sample.value)) {
            (Some(stored), Some(sent)) => self.histograms.get(stored) != histograms.get(sent),
            _ => newest.value.to_bits() != sample.value.to_bits(),
        }
    }
}

impl MetricsHead {
    /// An empty head after `previous`, whose series go on.
    pub(crate) fn after(previous: Option<&Self>, limits: Limits) -> Self {
        Self {
            registry: previous.map(|head| head.registry_for_next(limits)).unwrap_or_default(),
            shards: RwLock::default(),
            limits,
            sample_bytes: AtomicU64::new(0),
            slot_bytes: AtomicU64::new(0),
            first_ms: AtomicI64::new(i64::MAX),
            last_ms: AtomicI64::new(i64::MIN),
        }
    }

    /// The registry for a head that follows this one: the same, or, when many series have ended, a new
    /// one without those that have no sample here.
    fn registry_for_next(&self, limits: Limits) -> Arc<Registry> {
        let mut live = Vec::new();
        {
            let reading = self.registry.read();
            self.each(|id, packed| {
                if let Some((_, last)) = packed.ends() {
                    reading.note_newest(id, last);
                    live.push(id);
                }
            });
        }
        let total = self.registry.len();
        let ended = total - live.len();
        if ended > total / 4 || (ended > 0 && total >= limits.max_series / 10 * 9) {
            Arc::new(self.registry.of(live.into_iter()))
        } else {
            Arc::clone(&self.registry)
        }
    }

    fn each(&self, mut take: impl FnMut(u32, &Packed)) {
        for (shard, samples) in self.shards.read().iter().enumerate() {
            for (place, packed) in samples.read().series.iter().enumerate() {
                take((shard * SHARD_SERIES + place) as u32, packed);
            }
        }
    }

    /// Finds or makes the series of a batch, and notes that `segment` defines them. Samples that are
    /// already too old are taken out of the batch; returns how many.
    pub(crate) fn resolve(&self, batch: &mut MetricBatch, segment: u64, into: &mut Vec<Resolved>) -> u64 {
        self.registry.resolve(batch, segment, self.limits, into)
    }

    /// Finds or makes a series that the log defines. The log holds only what was within the limits.
    pub(crate) fn define(&self, labels: LabelsRef<'_>) -> u32 {
        self.registry.define(labels)
    }

    /// Adds samples to series by number, and says what became of them. Those that are histograms are among
    /// `histograms`.
    pub(crate) fn append<'a>(
        &self,
        all: impl Iterator<Item = (u32, SampleRun<'a>)>,
        histograms: &Histograms,
    ) -> Appended {
        let mut appended = Appended::default();
        let mut grown = 0u64;
        let (mut first, mut last) = (i64::MAX, i64::MIN);
        self.with_shards(all, |shard, place, run| {
            let before = shard.bytes(place);
            let has_starts = !run.starts.is_empty() || !shard.starts.is_empty();
            for (at, sample) in run.samples.iter().enumerate() {
                match shard.insert(place, *sample, histograms, self.limits.out_of_order_ms) {
                    Inserted::Stored => {
                        appended.samples += 1;
                        first = first.min(sample.time_ms);
                        last = last.max(sample.time_ms);
                        if has_starts {
                            let start_ms = run.starts.get(at).copied().unwrap_or(NO_START);
                            shard.note_start(place, *sample, start_ms);
                        }
                    }
                    Inserted::Duplicate => {
                        appended.samples_duplicate += 1;
                        appended.samples_conflicting +=
                            u64::from(shard.says_otherwise(place, *sample, histograms));
                    }
                    Inserted::TooOld => appended.samples_too_old += 1,
                }
            }
            // It can shrink as well, when late samples are worked in: then the sum wraps, and back again.
            grown = grown.wrapping_add(shard.bytes(place).wrapping_sub(before) as u64);
        });
        self.first_ms.fetch_min(first, Ordering::Relaxed);
        self.last_ms.fetch_max(last, Ordering::Relaxed);
        self.sample_bytes.fetch_add(grown, Ordering::Relaxed);
        appended
    }

    /// Goes over series by number, each with its lock held; neighbours keep the lock.
    fn with_shards<'a>(
        &self,
        all: impl Iterator<Item = (u32, SampleRun<'a>)>,
        mut each: impl FnMut(&mut Shard, usize, SampleRun<'_>),
    ) {
        let mut all = all.peekable();
        // How many series in a row were the next after the one before.
        let mut follows = 0;
        while all.peek().is_some() {
            let shards = self.shards.read();
            let mut held: Option<(usize, RwLockWriteGuard<'_, Shard>)> = None;
            let mut wanted = 0;
            while let Some((id, _)) = all.peek() {
                let (shard, place) = (*id as usize / SHARD_SERIES, *id as usize % SHARD_SERIES);
                let mut samples = match held.take().filter(|(of, _)| *of == shard) {
                    Some((_, samples)) => samples,
                    None => match shards.get(shard) {
                        Some(samples) => samples.write(),
                        None => {
                            wanted = shard + 1;
                            break;
                        }
                    },
                };
                if samples.series.len() <= place {
                    let added = place + 1 - samples.series.len();
                    samples.series.resize_with(place + 1, Packed::default);
                    self.slot_bytes.fetch_add((added * size_of::<Packed>()) as u64, Ordering::Relaxed);
                }
                if follows >= AHEAD && follows % AHEAD == 0 {
                    samples.fetch_ahead(place);
                }
                if let Some((id, new)) = all.next() {
                    each(&mut samples, place, new);
                    follows =
                        if all.peek().is_some_and(|(next, _)| *next == id + 1) { follows + 1 } else { 0 };
                }
                held = Some((shard, samples));
            }
            drop(held);
            drop(shards);
            let mut shards = self.shards.write();
            let there = shards.len();
            shards.resize_with(wanted.max(there), RwLock::default);
        }
    }

    /// The series that match and have samples between two times, in ascending order of labels' bytes.
    pub(crate) fn matching(&self, matchers: &[Matcher], range_ms: (i64, i64)) -> Vec<(Labels, u32)> {
        if !self.overlaps(range_ms) {
            return Vec::new();
        }
        let reading = self.registry.read();
        let mut found = Vec::new();
        {
            let shards = self.shards.read();
            let mut held = None;
            for id in reading.select(matchers) {
                let (shard, place) = (id as usize / SHARD_SERIES, id as usize % SHARD_SERIES);
                let Some(samples) = shards.get(shard) else { break };
                if held.as_ref().is_none_or(|(of, _)| *of != shard) {
                    // Let go before the next is taken: the writer may wait for it.
                    held = None;
                    held = held.or_else(|| Some((shard, samples.read())));
                }
                let is_there = held.as_ref().is_some_and(|(_, samples)| {
                    samples.series.get(place).is_some_and(|packed| packed.overlaps(&samples.runs, range_ms))
                });
                if is_there {
                    found.push(id);
                }
            }
        }
        reading.sort(&mut found);
        found.into_iter().map(|id| (reading.labels(id).clone(), id)).collect()
    }

    /// Adds the samples of one series between two times.
    pub(crate) fn read(&self, id: u32, range_ms: (i64, i64), into: &mut SeriesBuffer) {
        let (shard, place) = (id as usize / SHARD_SERIES, id as usize % SHARD_SERIES);
        let shards = self.shards.read();
        let Some(samples) = shards.get(shard) else { return };
        let samples = samples.read();
        if let Some(packed) = samples.series.get(place) {
            let start = into.values.len();
            packed.read(&samples.runs, range_ms, &mut into.times_ms, &mut into.values);
            if !samples.histograms.is_empty() {
                into.histograms.adopt(&samples.histograms, &mut into.values[start..]);
            }
            let added = &into.times_ms[start..];
            if let (Some(first), Some(last), Some(starts)) =
                (added.first(), added.last(), samples.starts.get(&place))
            {
                into.starts.follow((*first, *last), starts);
            }
        }
    }

    /// Whether there can be samples between two times.
    pub(crate) fn overlaps(&self, (start, end): (i64, i64)) -> bool {
        self.first_ms.load(Ordering::Relaxed) <= end && start <= self.last_ms.load(Ordering::Relaxed)
    }

    /// Gives the names of all labels, or the values of one, to `take`.
    pub(crate) fn each_label(&self, name: Option<&str>, take: &mut dyn FnMut(&str)) {
        self.registry.read().each_label(name, take);
    }

    /// All series with samples, in ascending order of labels' bytes. Nothing is added to a head meanwhile
    /// whose series are written to files.
    pub(crate) fn sorted(&self) -> Vec<(Labels, u32)> {
        self.matching(&[], (i64::MIN, i64::MAX))
    }

    /// Memory of the samples. What a series takes whether it has samples or not is no part of it: a bound
    /// that counted it would be reached by many series with a sample or two, again and again.
    pub(crate) fn sample_bytes(&self) -> u64 {
        self.sample_bytes.load(Ordering::Relaxed)
    }

    /// Memory of the series beside their samples: labels, index, and their places here.
    pub(crate) fn series_bytes(&self) -> u64 {
        self.registry.bytes() as u64 + self.slot_bytes.load(Ordering::Relaxed)
    }

    /// Which labels make so many series, and from when to when their samples are.
    pub(crate) fn cardinality(&self, most: usize) -> Cardinality {
        let (first, last) = (self.first_ms.load(Ordering::Relaxed), self.last_ms.load(Ordering::Relaxed));
        let time = |time_ms| (first <= last).then(|| Timestamp::from_millis(time_ms));
        Cardinality { first: time(first), last: time(last), ..self.registry.read().cardinality(most) }
    }

    /// How many series there are.
    pub(crate) fn series(&self) -> u64 {
        self.registry.len() as u64
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::Histogram;

    const LIMITS: Limits = Limits { max_series: 2, out_of_order_ms: 100 };

    fn push(head: &MetricsHead, name: &str, times: &[i64]) -> Appended {
        let samples: Vec<Sample> =
            times.iter().map(|&time_ms| Sample { time_ms, value: time_ms as f64 }).collect();
        let mut batch = MetricBatch::new();
        batch.push(Labels::metric(name, &[]).as_ref(), &samples);
        let mut resolved = Vec::new();
        let too_old = head.resolve(&mut batch, 1, &mut resolved);
        let samples = batch.iter().next().map_or(&[][..], |(_, samples)| samples);
        let appended = match resolved.first() {
            None => Appended::default(),
            Some(Resolved::OverLimit) => {
                Appended { samples_over_series_limit: samples.len() as u64, ..Appended::default() }
            }
            Some(Resolved::Known(id) | Resolved::Define(id)) => {
                head.append([(*id, SampleRun::plain(samples))].into_iter(), batch.histograms())
            }
        };
        Appended { samples_too_old: appended.samples_too_old + too_old, ..appended }
    }

    #[test]
    fn late_samples_are_sorted_in_and_doubles_and_old_ones_are_counted() {
        let head = MetricsHead::after(None, LIMITS);
        let appended = push(&head, "a", &[1000, 1020, 1010, 1020, 950, 899]);
        assert_eq!((appended.samples, appended.samples_duplicate, appended.samples_too_old), (4, 1, 1));
        let mut read = SeriesBuffer::default();
        head.read(0, (960, 1020), &mut read);
        assert_eq!((read.times_ms, read.values), (vec![1000, 1010, 1020], vec![1000.0, 1010.0, 1020.0]));
        let next = MetricsHead::after(Some(&head), LIMITS);
        let appended = push(&next, "a", &[899, 920]);
        assert_eq!((appended.samples, appended.samples_too_old), (1, 1), "the next head knows what is old");
    }

    #[test]
    fn a_series_over_the_limit_is_refused_and_known_ones_go_on_until_they_have_ended() {
        let head = MetricsHead::after(None, LIMITS);
        assert_eq!(push(&head, "a", &[1]).samples, 1);
        assert_eq!(push(&head, "b", &[1]).samples, 1);
        assert_eq!(push(&head, "c", &[1, 2]).samples_over_series_limit, 2);
        assert_eq!(push(&head, "a", &[2]).samples, 1);
        let next = MetricsHead::after(Some(&head), LIMITS);
        assert_eq!(push(&next, "c", &[3]).samples_over_series_limit, 1, "room is kept for a and b");
        assert_eq!(push(&next, "b", &[3]).samples, 1);
        let last = MetricsHead::after(Some(&next), LIMITS);
        assert_eq!(push(&last, "c", &[4]).samples, 1, "a has ended");
        assert_eq!(push(&last, "a", &[4]).samples_over_series_limit, 1);
        assert_eq!(push(&last, "b", &[3, 4]).samples_duplicate, 0);
    }

    #[test]
    fn series_far_apart_are_found_again() {
        let head = MetricsHead::after(None, Limits { max_series: 20_000, out_of_order_ms: 0 });
        let mut batch = MetricBatch::new();
        for index in 0..10_000 {
            batch.push_one(&Labels::metric(&format!("m{index:05}"), &[]), index, index as f64);
        }
        let mut resolved = Vec::new();
        head.resolve(&mut batch, 1, &mut resolved);
        // Both ends first, then what lies between.
        let mut order: Vec<usize> = (0..10_000).collect();
        order.sort_by_key(|index| (index % 5000).min(4999 - index % 5000));
        let samples: Vec<&[Sample]> = batch.iter().map(|(_, samples)| samples).collect();
        let all = order.iter().map(|index| (*index as u32, SampleRun::plain(samples[*index])));
        let appended = head.append(all, &Histograms::default());
        assert_eq!(appended.samples, 10_000);
        assert!(head.sample_bytes() <= 10_000 * 64, "{}: only samples are counted", head.sample_bytes());
        assert!(head.series_bytes() > 10_000 * 64, "{}", head.series_bytes());
        let found = head.matching(&[], (0, i64::MAX));
        assert_eq!(found.len(), 10_000);
        for (index, (_, id)) in found.iter().enumerate() {
            let mut read = SeriesBuffer::default();
            head.read(*id, (0, i64::MAX), &mut read);
            assert_eq!((read.times_ms, read.values), (vec![index as i64], vec![index as f64]));
        }
    }

    #[test]
    fn histograms_and_numbers_of_a_series_come_back_in_order_and_doubles_take_no_memory() {
        let head = MetricsHead::after(None, LIMITS);
        let id = head.define(Labels::metric("latency", &[]).as_ref());
        let push = |time_ms: i64, sum: f64| {
            let mut histograms = Histograms::default();
            // One that nobody means.
            histograms.push(&Histogram::default());
            let value = histograms.push(&Histogram { sum, ..Histogram::default() });
            head.append([(id, SampleRun::plain(&[Sample { time_ms, value }]))].into_iter(), &histograms)
        };
        assert_eq!([push(30, 3.0), push(10, 1.0), push(40, 4.0)].map(|appended| appended.samples), [1; 3]);
        let number = [Sample { time_ms: 20, value: 2.0 }];
        head.append([(id, SampleRun::plain(&number))].into_iter(), &Histograms::default());
        let before = head.sample_bytes();
        assert_eq!((push(10, 5.0).samples_duplicate, head.sample_bytes()), (1, before));
        let mut read = SeriesBuffer::default();
        // As if another source had given some before.
        read.histograms.push(&Histogram { sum: 7.0, ..Histogram::default() });
        head.read(id, (0, 35), &mut read);
        assert_eq!(read.times_ms, [10, 20, 30]);
        let sums: Vec<Option<f64>> = read
            .values
            .iter()
            .map(|value| read.histograms.of(*value).map(|found| found.expect("is there").sum))
            .collect();
        assert_eq!(sums, [Some(1.0), None, Some(3.0)]);
        assert_eq!(read.values[1], 2.0);
    }

    #[test]
    fn each_sample_keeps_its_start_in_whatever_order_they_come_and_doubles_change_nothing() {
        let head = MetricsHead::after(None, LIMITS);
        let id = head.define(Labels::metric("jobs_total", &[]).as_ref());
        let push = |time_ms: i64, value: f64, start: i64| {
            let run = SampleRun { samples: &[Sample { time_ms, value }], starts: &[start] };
            head.append([(id, run)].into_iter(), &Histograms::default())
        };
        head.append(
            [(id, SampleRun::plain(&[Sample { time_ms: 10, value: 1.0 }]))].into_iter(),
            &Histograms::default(),
        );
        let plain = head.sample_bytes();
        push(40, 2.0, 35);
        assert!(head.sample_bytes() > plain, "starts count as memory");
        push(50, 3.0, 35);
        push(20, 1.0, 15);
        push(30, 9.0, NO_START);
        assert_eq!(push(50, 3.0, 45).samples_duplicate, 1);
        push(60, model::STALE_NAN, NO_START);
        push(70, 4.0, 35);
        let mut read = SeriesBuffer::default();
        head.read(id, (15, 100), &mut read);
        let mut starts = Vec::new();
        read.starts.of(&read.times_ms, &mut starts);
        assert_eq!((read.times_ms, starts), (vec![20, 30, 40, 50, 60, 70], vec![15, 0, 35, 35, 35, 35]));
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
