//! `io.prometheus.client.MetricFamily` messages, each behind its length
//! (<https://github.com/prometheus/client_model/blob/master/io/prometheus/client/metrics.proto>).
//!
//! The only format that has native histograms.

mod histogram;
mod message;

use std::borrow::Cow;

use model::labels::METRIC_NAME;
use model::{MetricKind, NO_START};

use super::labelset::LabelSet;
use super::{Exposition, ExpositionError, Options, Refused, number};
use crate::wire::{Fields, Malformed, Value};
use message::{Exemplar, Metric, Quantile};

/// Takes a body apart.
pub(super) fn decode(body: &[u8], options: &Options) -> Result<Exposition, ExpositionError> {
    let mut shown = Exposition::default();
    let mut fields = Fields::of(body);
    let mut index = 0;
    while !fields.is_empty() {
        let mut name = String::new();
        let read = fields.delimited().map_err(Fault::from).and_then(|message| {
            let family = Family::read(message)?;
            family.name.clone_into(&mut name);
            family.show(&mut shown, options)
        });
        read.map_err(|fault| match fault {
            Fault::TooLarge => ExpositionError::TooLarge { limit: options.max_bytes },
            Fault::Reason(reason) => {
                ExpositionError::Family { index, name: super::line::short(&name).into_owned(), reason }
            }
        })?;
        index += 1;
    }
    Ok(shown)
}

/// Why a family is not taken.
enum Fault {
    Reason(String),
    TooLarge,
}

impl From<Malformed> for Fault {
    fn from(malformed: Malformed) -> Self {
        Self::Reason(format!("expected a metric family in protobuf: {malformed}"))
    }
}

impl From<Refused> for Fault {
    fn from(refused: Refused) -> Self {
        match refused {
            Refused::Labels { expected, found } => {
                Self::Reason(format!("expected {expected}, found {found}"))
            }
            Refused::TooLarge => Self::TooLarge,
        }
    }
}

type Read<T> = Result<T, Fault>;

fn expected<T>(what: &str) -> Read<T> {
    Err(Fault::Reason(format!("expected {what}")))
}

fn text(bytes: &[u8]) -> Read<&str> {
    std::str::from_utf8(bytes).or_else(|_| expected("texts in UTF-8"))
}

/// A number. Of all NaNs only the usual one is taken: others stand for histograms and for ends of series, and are ours.
fn float(bytes: [u8; 8]) -> f64 {
    let sent = f64::from_le_bytes(bytes);
    if sent.is_nan() { f64::NAN } else { sent }
}

/// The most parts of one kind that a metric may have: labels, buckets, spans, quantiles, exemplars.
const MAX_PARTS: usize = 1 << 15;

/// Adds a part. A part takes up to forty times the memory that its message had, so there is a bound.
fn put<T>(parts: &mut Vec<T>, part: T) -> Read<()> {
    if parts.len() == MAX_PARTS {
        return expected("at most 32768 labels, buckets, spans, quantiles or exemplars in a metric");
    }
    parts.push(part);
    Ok(())
}

/// A family whose metrics have not been read yet.
#[derive(Default)]
struct Family<'a> {
    message: &'a [u8],
    name: &'a str,
    help: &'a str,
    unit: &'a str,
    kind: MetricKind,
}

impl<'a> Family<'a> {
    fn read(message: &'a [u8]) -> Read<Self> {
        let mut family = Self { message, kind: MetricKind::Counter, ..Self::default() };
        for field in Fields::of(message) {
            match field? {
                (1, Value::Bytes(name)) => family.name = text(name)?,
                (2, Value::Bytes(help)) => family.help = text(help)?,
                (3, Value::Number(kind)) => {
                    family.kind = match kind {
                        0 => MetricKind::Counter,
                        1 => MetricKind::Gauge,
                        2 => MetricKind::Summary,
                        3 => MetricKind::Unknown,
                        4 => MetricKind::Histogram,
                        5 => MetricKind::GaugeHistogram,
                        _ => return expected("a type of metric from 0 to 5"),
                    }
                }
                (4, Value::Bytes(_)) => {}
                (5, Value::Bytes(unit)) => family.unit = text(unit)?,
                (number @ 1..=5, _) => return Err(Malformed::Type(number).into()),
                _ => {}
            }
        }
        if family.name.is_empty() { expected("a name") } else { Ok(family) }
    }

    fn show(&self, shown: &mut Exposition, options: &Options) -> Read<()> {
        shown.describe(self.name, Some(self.kind), Some(self.help.to_owned()), Some(self.unit));
        shown.check_size(options)?;
        let names = Names::of(self.name);
        for field in Fields::of(self.message) {
            let (4, Value::Bytes(message)) = field? else { continue };
            let metric = Metric::read(message)?;
            let counts =
                matches!(self.kind, MetricKind::Counter | MetricKind::Summary | MetricKind::Histogram);
            let start_ms = metric.created_ms.filter(|_| counts).unwrap_or(NO_START);
            let labels = LabelSet::default();
            let mut writer = Writer { metric: &metric, start_ms, labels, shown, options };
            match self.kind {
                MetricKind::Counter => {
                    writer.sample(self.name, None, metric.number)?;
                    writer.exemplars(metric.exemplar.iter())?;
                }
                MetricKind::Summary => writer.summary(self.name, &names)?,
                MetricKind::Histogram | MetricKind::GaugeHistogram => {
                    writer.histogram(self.name, &names, self.kind)?;
                }
                _ => writer.sample(self.name, None, metric.number)?,
            }
        }
        Ok(())
    }
}

/// The names of the parts of a family, made once for all its metrics.
struct Names {
    sum: String,
    count: String,
    bucket: String,
}

impl Names {
    fn of(family: &str) -> Self {
        let part = |suffix: &str| format!("{family}{suffix}");
        Self { sum: part("_sum"), count: part("_count"), bucket: part("_bucket") }
    }
}

/// Writes the samples of one metric.
struct Writer<'m, 'a, 's> {
    metric: &'m Metric<'a>,
    /// Since when they count.
    start_ms: i64,
    labels: LabelSet<'m>,
    shown: &'s mut Exposition,
    options: &'s Options,
}

impl<'m> Writer<'m, '_, '_> {
    /// Adds a sample with the metric's labels and one more.
    fn sample(&mut self, name: &'m str, more: Option<(&'static str, String)>, value: f64) -> Read<()> {
        self.labels.clear();
        self.labels.add(METRIC_NAME, name);
        for (name, value) in &self.metric.labels {
            self.labels.add(*name, *value);
        }
        if let Some((name, value)) = more {
            self.labels.add(name, Cow::<str>::Owned(value));
        }
        self.shown.push(&mut self.labels, value, self.metric.time_ms, self.options)?;
        if self.start_ms != NO_START {
            self.shown.note_start(self.shown.samples.len() - 1, self.start_ms);
        }
        Ok(())
    }

    fn exemplars<'e>(&mut self, exemplars: impl Iterator<Item = &'e Exemplar<'m>>) -> Read<()>
    where
        'm: 'e,
    {
        for exemplar in exemplars {
            self.labels.clear();
            for (name, value) in &exemplar.labels {
                self.labels.add(*name, *value);
            }
            self.shown.push_exemplar(&mut self.labels, exemplar.value, exemplar.time_ms);
        }
        Ok(self.shown.check_size(self.options)?)
    }

    fn summary(&mut self, name: &'m str, names: &'m Names) -> Read<()> {
        let summary = &self.metric.summary;
        self.sample(&names.count, None, summary.count)?;
        self.sample(&names.sum, None, summary.sum)?;
        // Quantiles are of the last minutes.
        self.start_ms = NO_START;
        for Quantile { quantile, value } in &summary.quantiles {
            self.sample(name, Some(("quantile", number::canonical(*quantile))), *value)?;
        }
        Ok(())
    }

    fn histogram(&mut self, name: &'m str, names: &'m Names, kind: MetricKind) -> Read<()> {
        let read = &self.metric.histogram;
        if self.options.native_histograms && read.is_native() {
            let histogram = read.native(kind == MetricKind::GaugeHistogram)?;
            let value = self.shown.histograms.push(&histogram);
            self.sample(name, None, value)?;
            let own = &read.exemplars;
            let of_buckets = read.buckets.iter().filter_map(|bucket| bucket.exemplar.as_ref());
            if own.is_empty() {
                self.exemplars(of_buckets)?;
            } else {
                self.exemplars(own.iter())?;
            }
            if !self.options.classic_histograms || read.buckets.is_empty() {
                return Ok(());
            }
        }
        self.sample(&names.count, None, read.count)?;
        self.sample(&names.sum, None, read.sum)?;
        let mut has_last = false;
        for bucket in &read.buckets {
            has_last |= bucket.upper_bound == f64::INFINITY;
            let bound = number::canonical(bucket.upper_bound);
            self.sample(&names.bucket, Some(("le", bound)), bucket.count)?;
            self.exemplars(bucket.exemplar.iter())?;
        }
        // The last bucket is often not sent: it has what is counted.
        if !has_last {
            self.sample(&names.bucket, Some(("le", number::canonical(f64::INFINITY))), read.count)?;
        }
        Ok(())
    }
}
