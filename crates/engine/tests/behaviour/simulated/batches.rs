//! What is sent to the store: batches whose times go on, and batches that repeat times and come late.

use std::collections::{BTreeMap, BTreeSet};

use ::model::{MetricBatch, Sample, SampleRun};
use fastrand::Rng;
use store::Batch;

use crate::fixture::{T0, deploys, labels_of, put, start_of};

/// The names of the series.
pub(crate) const SERIES: [&str; 5] = ["up", "down", "left", "right", "here"];
/// How much older than the newest of its series a sample may be.
pub(crate) const WINDOW_MS: i64 = 20_000;
/// Most times that are repeated are among so many that were sent last.
const LATELY: usize = 12;

/// A batch as it is sent: samples by series, in their order, and the times of rows.
#[derive(Debug)]
pub(crate) struct Sent {
    series: Vec<(&'static str, Vec<Sample>)>,
    pub(crate) rows: Vec<i64>,
}

impl Sent {
    /// The batch that the store takes.
    pub(crate) fn to_batch(&self) -> Batch {
        let mut metrics = MetricBatch::new();
        for (name, samples) in &self.series {
            let put = |sample: &Sample| Sample { value: put(sample.value, &mut metrics), ..*sample };
            let starts: Vec<i64> = samples.iter().map(|sample| start_of(sample.value)).collect();
            let samples: Vec<Sample> = samples.iter().map(put).collect();
            metrics.push_run(labels_of(name).as_ref(), SampleRun { samples: &samples, starts: &starts });
        }
        let events = if self.rows.is_empty() { Vec::new() } else { vec![deploys(&self.rows)] };
        Batch { metrics, events }
    }

    /// Its samples with the names of their series.
    pub(crate) fn samples(&self) -> impl Iterator<Item = (&'static str, Sample)> {
        self.series.iter().flat_map(|(name, samples)| samples.iter().map(move |sample| (*name, *sample)))
    }
}

/// Makes batches, and remembers what times it has used. Each value is another, so that it tells which batch it
/// came from. The same seed and the same calls give the same batches.
pub(crate) struct Sender {
    rng: Rng,
    /// The newest time of all.
    now_ms: i64,
    /// The times of each series, in the order in which they were sent.
    times: BTreeMap<&'static str, Vec<i64>>,
    /// The times of rows: no two rows have the same.
    rows: BTreeSet<i64>,
}

impl Sender {
    pub(crate) fn new(seed: u64) -> Self {
        let rng = Rng::with_seed(seed);
        Self { rng, now_ms: T0, times: BTreeMap::new(), rows: BTreeSet::new() }
    }

    /// A batch; one of four repeats times or comes late.
    pub(crate) fn batch(&mut self) -> Sent {
        if self.rng.u8(0..4) == 0 { self.late_batch() } else { self.timely_batch() }
    }

    /// A batch of times that nobody has used, after all others; a series in it may come backwards.
    fn timely_batch(&mut self) -> Sent {
        let mut series = Vec::new();
        for _ in 0..self.rng.u8(0..4) {
            let name = self.name();
            let mut samples = Vec::new();
            for _ in 0..self.rng.u8(1..6) {
                let time_ms = self.next_time();
                samples.push(self.sample(name, time_ms));
            }
            if self.rng.u8(0..4) == 0 {
                samples.reverse();
            }
            series.push((name, samples));
        }
        let mut rows = Vec::new();
        for _ in 0..self.rng.u8(0..4) {
            rows.push(self.next_time());
        }
        self.rows.extend(&rows);
        Sent { series, rows }
    }

    /// A batch with times that were sent before, with other values, and with times before those: within the
    /// window, and beyond it.
    pub(crate) fn late_batch(&mut self) -> Sent {
        let mut series = Vec::new();
        for _ in 0..self.rng.u8(1..4) {
            let name = self.name();
            let mut samples = Vec::new();
            for _ in 0..self.rng.u8(1..6) {
                let time_ms = self.any_time(name);
                samples.push(self.sample(name, time_ms));
            }
            series.push((name, samples));
        }
        let mut rows = Vec::new();
        for _ in 0..self.rng.u8(0..4) {
            let time_ms = self.rng.i64(T0..=self.now_ms);
            let time_ms = if self.rows.contains(&time_ms) { self.next_time() } else { time_ms };
            self.rows.insert(time_ms);
            rows.push(time_ms);
        }
        Sent { series, rows }
    }

    /// A time before which things may expire: more often an early one, so that something is left.
    pub(crate) fn horizon(&mut self) -> i64 {
        let later = self.later_than_all();
        let latest = self.rng.i64(T0..=later);
        self.rng.i64(T0..=latest)
    }

    /// A time after all that were sent.
    pub(crate) fn later_than_all(&self) -> i64 {
        self.now_ms + 1
    }

    fn name(&mut self) -> &'static str {
        SERIES[self.rng.usize(0..SERIES.len())]
    }

    fn sample(&mut self, name: &'static str, time_ms: i64) -> Sample {
        self.times.entry(name).or_default().push(time_ms);
        Sample { time_ms, value: self.rng.f64() }
    }

    fn next_time(&mut self) -> i64 {
        self.now_ms += self.rng.i64(1..2_000);
        self.now_ms
    }

    fn any_time(&mut self, name: &'static str) -> i64 {
        let sent: &[i64] = self.times.get(name).map_or(&[], Vec::as_slice);
        let Some(newest) = sent.iter().max().copied() else { return self.next_time() };
        match self.rng.u8(0..8) {
            0..=2 => sent[sent.len() - 1 - self.rng.usize(0..sent.len().min(LATELY))],
            3 => sent[self.rng.usize(0..sent.len())],
            4..=5 => newest - self.rng.i64(0..WINDOW_MS),
            6 => newest - WINDOW_MS - self.rng.i64(0..2 * WINDOW_MS),
            _ => self.next_time(),
        }
    }
}
