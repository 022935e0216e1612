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
//! back, unless a call that is stored has built on it: then that one carries it, and it is not added again
//! (`table.rs`).

mod ends;
mod series;
mod table;
mod value;

use std::time::Duration;

use model::histogram::histogram_place;
use model::{MetricBatch, NO_START, Sample, SampleRun, Timestamp, is_stale};
use parking_lot::Mutex;

use crate::SamplesOutcome;
use series::{Series, Span};
use table::Table;
use value::Value;

/// The memory that sums of histograms take, in bytes. As much again may be held of what sums were before calls that
/// are on their way to the disk, and as much is made in one call.
pub(crate) const HISTOGRAM_BYTES: usize = 64 << 20;

/// Bounds of what is added up.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bounds {
    /// The most series.
    pub(crate) max_series: usize,
    /// The most memory of histograms; see [`HISTOGRAM_BYTES`].
    pub(crate) histogram_bytes: usize,
    /// After how long without a difference a series is forgotten.
    pub(crate) idle: Duration,
}

/// The sums of all series.
pub(crate) struct Cumulative {
    table: Mutex<Table>,
    bounds: Bounds,
}

/// What differences have become.
pub(crate) struct Summed<'c> {
    /// The sums, each at the time of its difference.
    pub(crate) sums: MetricBatch,
    /// Nothing can be said yet of some of them, for this reason: all have to be sent again later.
    pub(crate) later: Option<&'static str>,
    /// What was changed, until it is known whether the sums are stored.
    pub(crate) unsettled: Unsettled<'c>,
    /// Memory of the histograms that were made, or were tried to be.
    made_bytes: usize,
}

/// What a call of [`Cumulative::add`] has changed. It is taken back when this is dropped, be it that the store has
/// refused the sums, or that the task has panicked or was ended.
pub(crate) struct Unsettled<'c> {
    of: &'c Cumulative,
    ticket: u64,
    keys: Vec<u128>,
    is_stored: bool,
}

/// A difference as it was sent: of which series, and when. Its value may stand for a histogram of its batch.
struct Sent<'b> {
    batch: &'b MetricBatch,
    key: u128,
    span: Span,
    value: f64,
}

/// Why a difference is not added.
enum Refusal {
    Duplicate,
    OutOfOrder,
    /// Its series would be one too many.
    OverLimit,
    /// There is no memory for the histogram that its series would be.
    OverMemory,
    /// The histograms of the call take all that one call may make.
    OverRequest,
    /// It is no finite number.
    Malformed,
    /// With it the sum would be beyond what numbers or buckets can say.
    Beyond,
    /// It can be added once calls in flight have ended.
    Later(&'static str),
}

impl Cumulative {
    pub(crate) fn new(bounds: Bounds) -> Self {
        Self { table: Mutex::new(Table::new(bounds)), bounds }
    }

    /// Adds differences to the sums of their series, and counts those that are not added.
    pub(crate) fn add(
        &self,
        differences: &MetricBatch,
        now: Timestamp,
        outcome: &mut SamplesOutcome,
    ) -> Summed<'_> {
        let ticket = self.table.lock().ticket();
        // Before the lock, so that in a panic it is dropped after the lock: it needs the lock itself.
        let unsettled = Unsettled { of: self, ticket, keys: Vec::new(), is_stored: false };
        let mut summed = Summed { sums: MetricBatch::new(), later: None, unsettled, made_bytes: 0 };
        let mut table = self.table.lock();
        table.sweep(now);
        let (mut samples, mut starts) = (Vec::new(), Vec::new());
        for (labels, run) in differences.runs() {
            let key = xxhash_rust::xxh3::xxh3_128(labels.as_bytes());
            for (sample, start_ms) in run.iter() {
                let span = Span { start_ms, end_ms: sample.time_ms };
                let sent = Sent { batch: differences, key, span, value: sample.value };
                match summed.take(&mut table, self.bounds, &sent, now) {
                    Ok((value, start_ms)) => {
                        samples.push(Sample { value, ..sample });
                        starts.push(start_ms);
                    }
                    Err(refusal) => {
                        summed.later = refusal.count(table.is_in_flight(ticket, key), outcome);
                        if summed.later.is_some() {
                            return summed;
                        }
                    }
                }
            }
            if !samples.is_empty() {
                summed.sums.push_run(labels, SampleRun { samples: &samples, starts: &starts });
                samples.clear();
                starts.clear();
            }
        }
        summed
    }

    /// How many series there are, and the memory of their histograms: of the sums, and of what they were before.
    #[cfg(test)]
    fn held(&self) -> (usize, usize, usize) {
        self.table.lock().held()
    }
}

impl Summed<'_> {
    /// Adds one difference: the value of its sum, and since when that counts.
    fn take(
        &mut self,
        table: &mut Table,
        bounds: Bounds,
        sent: &Sent<'_>,
        now: Timestamp,
    ) -> Result<(f64, i64), Refusal> {
        let Sent { batch, key, span, value } = *sent;
        let ticket = self.unsettled.ticket;
        let before = table.get(key);
        let next = if is_stale(value) {
            if let Some(before) = before {
                before.check_end(span.end_ms)?;
            }
            None
        } else {
            if let Some(before) = before {
                before.check(span)?;
            }
            if histogram_place(value).is_some() && self.made_bytes >= bounds.histogram_bytes {
                return Err(Refusal::OverRequest);
            }
            let value = Value::of(batch, value).ok_or(Refusal::Malformed)?;
            // What is tried is work as well as what succeeds.
            self.made_bytes += value.bytes() + before.map_or(0, Series::bytes);
            Some(match before {
                Some(before) => before.with(span, value, now)?,
                None => Series::begin(span, value, now),
            })
        };
        table.check_room(ticket, key, next.as_ref())?;
        let taken = match &next {
            Some(next) => (next.total().put(&mut self.sums), next.start_ms()),
            None => (value, NO_START),
        };
        if table.change(ticket, key, next) {
            self.unsettled.keys.push(key);
        }
        Ok(taken)
    }
}

impl Unsettled<'_> {
    /// The sums are on the disk: nothing is taken back.
    pub(crate) fn stored(mut self) {
        self.is_stored = true;
    }
}

impl Drop for Unsettled<'_> {
    fn drop(&mut self) {
        if self.keys.is_empty() {
            return;
        }
        let mut table = self.of.table.lock();
        for key in &self.keys {
            table.settle(self.ticket, *key, self.is_stored);
        }
    }
}

impl Refusal {
    /// Counts it, or gives the reason why nothing can be said yet: a difference whose time has passed may be in a sum
    /// that is on its way to the disk.
    fn count(self, is_in_flight: bool, outcome: &mut SamplesOutcome) -> Option<&'static str> {
        let count = match self {
            Self::Duplicate | Self::OutOfOrder if is_in_flight => {
                return Some("the same points are being stored for another request");
            }
            Self::Later(what) => return Some(what),
            Self::Duplicate => &mut outcome.duplicate,
            Self::OutOfOrder => &mut outcome.too_old,
            Self::OverLimit => &mut outcome.over_delta_limit,
            Self::OverMemory => &mut outcome.over_delta_memory,
            Self::OverRequest => &mut outcome.over_delta_request,
            Self::Malformed => &mut outcome.malformed,
            Self::Beyond => &mut outcome.beyond_sums,
        };
        *count += 1;
        None
    }
}

#[cfg(test)]
mod tests;
