//! Differences become sums: samples that count since the sample before are added up, series by series, as the
//! data model of OpenTelemetry says
//! (<https://opentelemetry.io/docs/specs/otel/metrics/data-model/#sums-delta-to-cumulative>).
//!
//! A sum begins where its first difference begins. A difference that begins where the last one ended is added. After
//! a gap nobody knows what was counted meanwhile, so a sum begins anew, with a start of its own that shows it. What
//! overlaps the last difference, but ends later, is added: two senders share the series, and the sum is right for
//! both. What ends no later is not added: it was sent before, or out of order.
//!
//! Sums are kept in memory alone. After a restart they begin anew, as after a gap. What could not be stored is taken
//! back, unless another request has added to it since: then that one carries it, and it is not added again.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use model::{Histogram, LabelsRef, MetricBatch, NO_START, Sample, SampleRun, Timestamp, is_stale};
use parking_lot::Mutex;

/// The most memory that sums of histograms take, in bytes.
const MAX_HISTOGRAM_BYTES: usize = 64 << 20;
/// How often it is looked at the most which series have been idle for too long.
const SWEEP_INTERVAL_MS: i64 = 10_000;

/// The sums of all series.
pub(crate) struct Cumulative {
    state: Mutex<State>,
    max_series: usize,
    idle: Duration,
}

#[derive(Default)]
struct State {
    /// By the hash of their labels.
    series: HashMap<u128, Series>,
    histogram_bytes: usize,
    swept_ms: i64,
    last_ticket: u64,
    /// Calls of [`Cumulative::add`] whose sums are on their way to the disk.
    in_flight: HashSet<u64>,
}

/// The sum of one series.
#[derive(Clone, Debug)]
struct Series {
    start_ms: i64,
    last_ms: i64,
    /// When it was heard of, by our own clock.
    heard_ms: i64,
    /// The call that changed it last.
    ticket: u64,
    total: Value,
}

#[derive(Clone, Debug)]
enum Value {
    Number(f64),
    Histogram(Box<Histogram>),
}

/// What differences have become.
#[derive(Default)]
pub(crate) struct Summed {
    /// The sums, each at the time of its difference.
    pub(crate) sums: MetricBatch,
    /// Differences that are in the sums already.
    pub(crate) duplicate: u64,
    /// Differences that end before one that is in the sums.
    pub(crate) out_of_order: u64,
    /// Differences of series that would be too many.
    pub(crate) over_limit: u64,
    /// Differences that are no numbers.
    pub(crate) malformed: u64,
    /// Some were passed over because of others that are not stored yet: nothing can be said of them.
    pub(crate) is_in_flight: bool,
    pub(crate) changes: Changes,
}

/// What a call of [`Cumulative::add`] has changed.
#[derive(Default)]
pub(crate) struct Changes {
    ticket: u64,
    /// What series were before, in the order of the changes.
    before: Vec<(u128, Option<Series>)>,
}

/// Why a difference is not added.
enum Refusal {
    Duplicate,
    OutOfOrder,
    OverLimit,
    Malformed,
}

impl Cumulative {
    pub(crate) fn new(max_series: usize, idle: Duration) -> Self {
        Self { state: Mutex::default(), max_series, idle }
    }

    /// Adds differences to the sums of their series. What it changed must be settled.
    pub(crate) fn add(&self, differences: &MetricBatch, now: Timestamp) -> Summed {
        let mut state = self.state.lock();
        state.last_ticket += 1;
        let ticket = state.last_ticket;
        state.in_flight.insert(ticket);
        let mut summed = Summed { changes: Changes { ticket, before: Vec::new() }, ..Summed::default() };
        for (labels, run) in differences.runs() {
            let key = xxhash_rust::xxh3::xxh3_128(labels.as_bytes());
            for (sample, start_ms) in run.iter() {
                if is_stale(sample.value) {
                    let before = state.put(key, None);
                    summed.changes.before.push((key, before));
                    push(&mut summed.sums, labels, sample, NO_START);
                    continue;
                }
                let value = value_of(differences, sample.value);
                let next = value
                    .and_then(|value| self.next(&mut state, key, (start_ms, sample.time_ms), value, now));
                match next {
                    Ok(mut series) => {
                        series.ticket = ticket;
                        let value = series.total.put(&mut summed.sums);
                        push(&mut summed.sums, labels, Sample { value, ..sample }, series.start_ms);
                        let before = state.put(key, Some(series));
                        summed.changes.before.push((key, before));
                    }
                    Err(refusal) => {
                        summed.refuse(&refusal);
                        summed.is_in_flight |= state.is_in_flight(key, ticket);
                    }
                }
            }
        }
        summed
    }

    /// What a series is with one more difference.
    fn next(
        &self,
        state: &mut State,
        key: u128,
        (start_ms, time_ms): (i64, i64),
        value: Value,
        now: Timestamp,
    ) -> Result<Series, Refusal> {
        let began = Series { start_ms, last_ms: time_ms, heard_ms: now.as_millis(), ticket: 0, total: value };
        let Some(before) = state.series.get(&key) else {
            state.make_room(self.max_series, self.idle, now);
            let is_full = state.series.len() >= self.max_series;
            return if is_full || !state.has_room_for(&began) { Err(Refusal::OverLimit) } else { Ok(began) };
        };
        let is_known = start_ms != NO_START;
        if time_ms == before.last_ms {
            return Err(Refusal::Duplicate);
        }
        if time_ms < before.last_ms || is_known && start_ms < before.start_ms {
            return Err(Refusal::OutOfOrder);
        }
        let is_gap = is_known && start_ms > before.last_ms;
        let sum = if is_gap { None } else { before.total.plus(&began.total) };
        let next = match sum {
            Some(total) => Series { start_ms: before.start_ms, total, ..began },
            None => began,
        };
        if state.has_room_for(&next) { Ok(next) } else { Err(Refusal::OverLimit) }
    }

    /// Ends a call of [`Cumulative::add`]: its sums are stored, or they are not and its changes are taken back.
    pub(crate) fn settle(&self, changes: Changes, stored: bool) {
        let mut state = self.state.lock();
        state.in_flight.remove(&changes.ticket);
        if stored {
            return;
        }
        for (key, before) in changes.before.into_iter().rev() {
            // What another call has added to since holds this difference, too.
            if state.series.get(&key).is_none_or(|series| series.ticket == changes.ticket) {
                state.put(key, before);
            }
        }
    }

    /// How many series there are.
    #[cfg(test)]
    pub(crate) fn len(&self) -> usize {
        self.state.lock().series.len()
    }
}

impl State {
    /// Puts a series in the place of what it was, which is given back.
    fn put(&mut self, key: u128, series: Option<Series>) -> Option<Series> {
        self.histogram_bytes += series.as_ref().map_or(0, Series::histogram_bytes);
        let before = match series {
            Some(series) => self.series.insert(key, series),
            None => self.series.remove(&key),
        };
        self.histogram_bytes -= before.as_ref().map_or(0, Series::histogram_bytes);
        before
    }

    /// Forgets series that have been idle for too long, when there may be many or none was looked at for a while.
    fn make_room(&mut self, max_series: usize, idle: Duration, now: Timestamp) {
        let is_due = now.as_millis() - self.swept_ms >= SWEEP_INTERVAL_MS;
        if !is_due || self.series.len() < max_series.div_ceil(2) {
            return;
        }
        self.swept_ms = now.as_millis();
        let oldest_ms = now.before(idle).as_millis();
        self.series.retain(|_, series| series.heard_ms >= oldest_ms);
        self.histogram_bytes = self.series.values().map(Series::histogram_bytes).sum();
    }

    fn has_room_for(&self, series: &Series) -> bool {
        let bytes = series.histogram_bytes();
        bytes == 0 || self.histogram_bytes + bytes <= MAX_HISTOGRAM_BYTES
    }

    /// Whether what a series is now is on its way to the disk in another call.
    fn is_in_flight(&self, key: u128, ticket: u64) -> bool {
        self.series
            .get(&key)
            .is_some_and(|series| series.ticket != ticket && self.in_flight.contains(&series.ticket))
    }
}

impl Series {
    fn histogram_bytes(&self) -> usize {
        match &self.total {
            Value::Number(_) => 0,
            Value::Histogram(histogram) => histogram.size_bytes(),
        }
    }
}

impl Value {
    /// The sum of both; nothing where they cannot be added.
    fn plus(&self, other: &Self) -> Option<Self> {
        match (self, other) {
            (Self::Number(one), Self::Number(other)) => Some(Self::Number(one + other)),
            (Self::Histogram(one), Self::Histogram(other)) => {
                let mut sum = one.clone();
                sum.add(other).ok().map(|_| Self::Histogram(sum))
            }
            (Self::Number(_), Self::Histogram(_)) | (Self::Histogram(_), Self::Number(_)) => None,
        }
    }

    /// The value that a sample of a batch has which is this.
    fn put(&self, batch: &mut MetricBatch) -> f64 {
        match self {
            Self::Number(number) => *number,
            Self::Histogram(histogram) => batch.histogram(histogram),
        }
    }
}

impl Summed {
    fn refuse(&mut self, refusal: &Refusal) {
        let count = match refusal {
            Refusal::Duplicate => &mut self.duplicate,
            Refusal::OutOfOrder => &mut self.out_of_order,
            Refusal::OverLimit => &mut self.over_limit,
            Refusal::Malformed => &mut self.malformed,
        };
        *count += 1;
    }
}

/// What a sample of a batch is. A sum with an infinity in it would never be a number again.
fn value_of(batch: &MetricBatch, value: f64) -> Result<Value, Refusal> {
    match batch.histograms().of(value) {
        Some(Ok(histogram)) => Ok(Value::Histogram(Box::new(histogram))),
        Some(Err(_)) => Err(Refusal::Malformed),
        None if value.is_finite() => Ok(Value::Number(value)),
        None => Err(Refusal::Malformed),
    }
}

fn push(batch: &mut MetricBatch, labels: LabelsRef<'_>, sample: Sample, start_ms: i64) {
    batch.push_run(labels, SampleRun { samples: &[sample], starts: &[start_ms] });
}

#[cfg(test)]
mod tests;
