//! Points of metrics as samples of Prometheus: a sink that gathers what [`super::decode_metrics`] reads.
//!
//! Numbers, histograms with bounds (as their classic series) and summaries become samples; exponential histograms
//! become native ones. Points that count since the point before (delta) are translated like all others and kept
//! apart: who knows the points before them makes them cumulative. A point that is wrong is rejected alone.

mod converted;
mod exemplar;
mod histogram;
mod labels;
mod metric;
mod target;

#[cfg(test)]
mod tests;

use model::{LabelsRef, NO_START, STALE_NAN, Sample, SampleRun};

use super::bounds::Beyond;
use super::metrics::{
    ExponentialHistogramPoint, HistogramPoint, Metric, MetricSink, Number, NumberPoint, SummaryPoint,
};
use super::names::NameStrategy;
use super::resource::{Resource, Scope, Sink};
use super::time::{TOO_FAR_OUT, UnixNanos};
use super::value::KeyValue;
use crate::Budget;
use labels::SeriesLabels;
use metric::PresentMetric;
use target::Target;

pub use converted::{Converted, PointBatches, RejectedPoint};

/// How points are translated.
#[derive(Clone, Debug)]
pub struct Options {
    /// How names are.
    pub names: NameStrategy,
    /// Attributes of resources that become labels of every series.
    pub promoted: Vec<String>,
    /// Whether name, version and attributes of a scope become labels of every series (`otel_scope_…`).
    pub scope_labels: bool,
    /// Whether each resource gets a series that describes it (`target_info`).
    pub target_info: bool,
    /// The most memory that the samples may take, in bytes. A histogram with long attributes grows a thousandfold.
    pub max_bytes: usize,
}

/// Gathers samples from points.
#[derive(Debug)]
pub struct SampleSink<'o> {
    options: &'o Options,
    converted: Converted,
    target: Target,
    metric: PresentMetric,
    labels: SeriesLabels,
    /// The encoded labels of the series that is being written.
    series: Vec<u8>,
    /// What is asked for room for the samples, which other requests want as well.
    budget: Budget,
    /// What they would take, from where there was no room on: they are only counted then. Whoever gave the room knows
    /// it, and uses nothing of what was gathered.
    counted: Option<usize>,
}

/// Why a point is not taken.
enum Refusal {
    /// Something is wrong about it.
    Wrong(String),
    /// There is no room for it.
    OverMemory(String),
}

impl From<String> for Refusal {
    fn from(reason: String) -> Self {
        Self::Wrong(reason)
    }
}

/// What all series of a point have in common.
#[derive(Clone, Copy)]
struct Moment {
    time_ms: i64,
    start_ms: i64,
    is_stale: bool,
}

impl<'o> SampleSink<'o> {
    /// A sink that has heard nothing.
    pub fn new(options: &'o Options) -> Self {
        Self {
            options,
            converted: Converted::default(),
            target: Target::default(),
            metric: PresentMetric::default(),
            labels: SeriesLabels::default(),
            series: Vec::new(),
            budget: Budget::default(),
            counted: None,
        }
    }

    /// The same, which asks for room.
    pub fn within(self, budget: Budget) -> Self {
        Self { budget, ..self }
    }

    /// What it has gathered.
    pub fn finish(mut self) -> Converted {
        self.end_resource();
        self.converted
    }

    /// Adds the series that describes the resource, if any of its points was taken.
    fn end_resource(&mut self) {
        let Some((labels, time_ms)) = self.target.info() else { return };
        let sample = Sample { time_ms, value: 1.0 };
        self.converted.cumulative.numbers.push(LabelsRef::from_canonical(labels), &[sample]);
    }

    /// Translates a point's labels; else says why the point is rejected.
    fn begin(
        &mut self,
        attributes: &[KeyValue<'_>],
        (start, time): (UnixNanos, UnixNanos),
        is_stale: bool,
    ) -> Result<Moment, String> {
        if let Some(reason) = self.metric.refused {
            return Err(reason.to_owned());
        }
        if let Some(reason) = self.target.refused() {
            return Err(reason.to_owned());
        }
        if !time.is_set() {
            return Err("it has no time".to_owned());
        }
        if time.timestamp().is_none() {
            return Err(TOO_FAR_OUT.to_owned());
        }
        self.labels.set(attributes, &self.target, self.options.names)?;
        let has_start = self.metric.counts && start.timestamp().is_some();
        let start_ms = if has_start { start.as_millis() } else { NO_START };
        Ok(Moment { time_ms: time.as_millis(), start_ms, is_stale })
    }

    /// Checks that there is room for so many series with the labels of the present point.
    fn check_room(&mut self, series: usize) -> Result<(), Refusal> {
        let each = self.labels.size_bytes() + self.metric.name.len() + SERIES_BYTES;
        let before = self.counted.unwrap_or_else(|| self.converted.size_bytes());
        let bytes = before.saturating_add(series.saturating_mul(each));
        if bytes <= self.options.max_bytes {
            return self.ask_for(bytes);
        }
        let limit = self.options.max_bytes;
        Err(Refusal::OverMemory(format!(
            "the samples of the request would take more than {limit} bytes: send fewer points at once"
        )))
    }

    /// Checks that there is room for so many bytes beside other requests; else lets go of all and only counts.
    fn ask_for(&mut self, bytes: usize) -> Result<(), Refusal> {
        if self.budget.has_room(bytes) && self.counted.is_none() {
            return Ok(());
        }
        self.counted = Some(bytes);
        self.converted = Converted::default();
        Err(Refusal::OverMemory(String::new()))
    }

    /// Adds a sample of the series that a suffix and a label name. Series of a point differ in nothing else.
    fn push(&mut self, moment: Moment, suffix: &str, label: Option<(&str, &str)>, value: f64) {
        self.encode(suffix, label);
        let value = if moment.is_stale { STALE_NAN } else { plain(value) };
        let samples = [Sample { time_ms: moment.time_ms, value }];
        let run = SampleRun { samples: &samples, starts: &[moment.start_ms] };
        let batches = self.converted.batches(self.metric.temporality);
        batches.numbers.push_run(LabelsRef::from_canonical(&self.series), run);
    }

    fn encode(&mut self, suffix: &str, label: Option<(&str, &str)>) {
        self.series.clear();
        self.labels.write((&self.metric.name, suffix), label, &mut self.series);
    }

    /// Notes that the point was taken, or why it was not.
    fn end(&mut self, time: UnixNanos, taken: Result<(), Refusal>) {
        match taken {
            Ok(()) => self.target.saw(time),
            Err(refusal) => self.converted.reject(&self.metric.sent, refusal),
        }
    }

    fn take_number(&mut self, point: &NumberPoint<'_>) -> Result<(), Refusal> {
        let is_stale = point.flags.has_no_recorded_value();
        let moment = self.begin(&point.attributes, (point.start_time, point.time), is_stale)?;
        let value = match point.value {
            Some(number) => number.as_f64(),
            None if is_stale => STALE_NAN,
            None => return Err("it has no value".to_owned().into()),
        };
        if self.metric.only_grows && value < 0.0 {
            return Err("it is negative, and its sum only grows".to_owned().into());
        }
        self.check_room(1)?;
        self.push(moment, "", None, value);
        self.take_exemplars(&point.exemplars, moment, |_| ("", None));
        Ok(())
    }

    fn take_summary(&mut self, point: &SummaryPoint<'_>) -> Result<(), Refusal> {
        let is_stale = point.flags.has_no_recorded_value();
        let moment = self.begin(&point.attributes, (point.start_time, point.time), is_stale)?;
        self.check_room(point.quantiles.len() + 2)?;
        self.push(moment, "_sum", None, point.sum);
        self.push(moment, "_count", None, point.count as f64);
        // A quantile counts nothing.
        let moment = Moment { start_ms: NO_START, ..moment };
        for quantile in &point.quantiles {
            let label = histogram::bound_text(quantile.quantile);
            self.push(moment, "", Some(("quantile", &label)), quantile.value);
        }
        Ok(())
    }
}

/// What a series of one sample takes beside its labels: their lengths, the sample, its start, its place.
const SERIES_BYTES: usize = 128;

/// A number from outside. Of all NaNs only the usual one is taken: others stand for histograms and for ends of series,
/// and are ours.
fn plain(value: f64) -> f64 {
    if value.is_nan() { f64::NAN } else { value }
}

impl Number {
    fn as_f64(self) -> f64 {
        match self {
            Self::Int(number) => number as f64,
            Self::Double(number) => plain(number),
        }
    }
}

impl Sink for SampleSink<'_> {
    fn resource(&mut self, resource: &Resource<'_>) {
        self.end_resource();
        self.target = Target::of(resource, self.options);
    }

    fn scope(&mut self, scope: &Scope<'_>) {
        self.target.set_scope(scope, self.options);
    }
}

impl MetricSink for SampleSink<'_> {
    fn metric(&mut self, metric: &Metric<'_>) {
        self.metric = PresentMetric::of(metric, self.options.names);
        if self.metric.refused.is_none() && self.check_room(1).is_ok() {
            self.converted.describe(metric, &self.metric.name);
        }
    }

    fn number(&mut self, point: &NumberPoint<'_>) {
        let taken = self.take_number(point);
        self.end(point.time, taken);
    }

    fn histogram(&mut self, point: &HistogramPoint<'_>) {
        let taken = self.take_histogram(point);
        self.end(point.time, taken);
    }

    fn exponential_histogram(&mut self, point: &ExponentialHistogramPoint<'_>) {
        let taken = self.take_exponential_histogram(point);
        self.end(point.time, taken);
    }

    fn summary(&mut self, point: &SummaryPoint<'_>) {
        let taken = self.take_summary(point);
        self.end(point.time, taken);
    }

    fn point_beyond(&mut self, beyond: Beyond) {
        let reason = beyond.reason().unwrap_or_default();
        self.converted.reject(&self.metric.sent, reason.into());
    }
}
