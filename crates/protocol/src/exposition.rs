//! What exporters show when they are scraped: Prometheus' text format 0.0.4, OpenMetrics 1.0, and protobuf.
//!
//! A body becomes an [`Exposition`]: samples in flat arrays, each with its labels in their canonical encoding, ready for
//! relabelling and limits. A body is taken whole or not at all: an error says the line, and what was expected there.
//! Knows no target, no clock and no limit but one on memory. Start reading at [`decode`].

mod classic;
mod created;
mod family;
mod labelset;
mod line;
mod number;
mod openmetrics;
mod protobuf;
mod text;

#[cfg(test)]
mod tests;

use model::histogram::InvalidHistogram;
use model::{Labels, LabelsRef, MetricKind, MetricMetadata, NO_START};

use labelset::LabelSet;

pub use family::{FamilyMetric, FamilyValue, put_family};

/// How a body is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Format {
    /// Prometheus' text format 0.0.4.
    Text,
    /// OpenMetrics 1.0, as text.
    OpenMetrics,
    /// `io.prometheus.client.MetricFamily` messages, each behind its length.
    Protobuf,
}

/// What is read of a body.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// The most memory that what was read may take, in bytes. A body of tiny samples grows tenfold when it is read.
    pub max_bytes: usize,
    /// Whether native histograms are read; else classic ones alone.
    pub native_histograms: bool,
    /// Whether the buckets of a classic histogram are read where a native one stands beside them.
    pub classic_histograms: bool,
    /// Whether classic histograms become native ones with the same bounds.
    pub custom_histograms: bool,
}

/// What was in a body.
#[derive(Debug, Default)]
pub struct Exposition {
    labels: Vec<u8>,
    samples: Vec<Placed>,
    /// Since when samples count, one for each up to the last of which it is known.
    starts: Vec<i64>,
    histograms: model::Histograms,
    metadata: Vec<MetricMetadata>,
    exemplars: Vec<ShownExemplar>,
    dropped_exemplars: usize,
    left_out: usize,
    first_left_out: Option<(Labels, InvalidHistogram)>,
    text_bytes: usize,
}

/// A sample, behind those before it.
#[derive(Clone, Copy, Debug)]
struct Placed {
    labels_end: usize,
    value: f64,
    time_ms: i64,
}

/// Stands for no time. Nothing was ever measured then.
const NO_TIME: i64 = i64::MIN;

/// A sample of a body.
#[derive(Clone, Copy, Debug)]
pub struct ShownSample<'a> {
    /// The labels that stand in the body, the name among them. One without a value is none, and stands there all the
    /// same: an exporter may say so that a target's own label is not for this series.
    pub labels: LabelsRef<'a>,
    /// The value; a certain NaN stands for one of [`Exposition::histograms`].
    pub value: f64,
    /// The time that stands in the body, in milliseconds since the epoch.
    pub time_ms: Option<i64>,
    /// Since when the sample counts, in milliseconds since the epoch; [`NO_START`] when the body does not say.
    pub start_ms: i64,
}

/// An exemplar of a body.
#[derive(Clone, Debug, PartialEq)]
pub struct ShownExemplar {
    /// The place of the sample that it belongs to.
    pub sample: usize,
    /// What leads on from it.
    pub labels: Labels,
    /// The value that was observed.
    pub value: f64,
    /// When, in milliseconds since the epoch, if it says so.
    pub time_ms: Option<i64>,
}

/// A body that cannot be read.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ExpositionError {
    /// A line is wrong.
    #[error("line {line}: expected {expected}, found {found}")]
    Line {
        /// Its number, from 1.
        line: usize,
        /// What would have been right.
        expected: String,
        /// What stands there, cut short.
        found: String,
    },
    /// A message is wrong.
    #[error("metric family {index} ({name}): {reason}")]
    Family {
        /// Its place, from 0.
        index: usize,
        /// Its name, as far as it was read.
        name: String,
        /// What is wrong.
        reason: String,
    },
    /// It would take too much memory.
    #[error("what it shows takes more than {limit} bytes of memory: show fewer series")]
    TooLarge {
        /// The limit.
        limit: usize,
    },
}

/// Takes a body apart.
pub fn decode(format: Format, body: &[u8], options: &Options) -> Result<Exposition, ExpositionError> {
    let shown = match format {
        Format::Text => text::decode(body, options),
        Format::OpenMetrics => openmetrics::decode(body, options),
        Format::Protobuf => protobuf::decode(body, options),
    }?;
    if options.custom_histograms { classic::convert(shown, options) } else { Ok(shown) }
}

impl Exposition {
    /// The samples, in their order.
    pub fn samples(&self) -> impl ExactSizeIterator<Item = ShownSample<'_>> {
        let mut start = 0;
        self.samples.iter().enumerate().map(move |(place, placed)| {
            let labels = LabelsRef::from_canonical(&self.labels[start..placed.labels_end]);
            start = placed.labels_end;
            let time_ms = Some(placed.time_ms).filter(|time| *time != NO_TIME);
            let start_ms = self.starts.get(place).copied().unwrap_or(NO_START);
            ShownSample { labels, value: placed.value, time_ms, start_ms }
        })
    }

    /// The histograms that values stand for.
    pub fn histograms(&self) -> &model::Histograms {
        &self.histograms
    }

    /// What is said of families. One that is described in several places is there several times.
    pub fn metadata(&self) -> &[MetricMetadata] {
        &self.metadata
    }

    /// The exemplars, in the order of their samples.
    pub fn exemplars(&self) -> &[ShownExemplar] {
        &self.exemplars
    }

    /// Exemplars that were passed over because their labels are longer than the 128 characters that are allowed.
    pub fn dropped_exemplars(&self) -> usize {
        self.dropped_exemplars
    }

    /// Adds a sample. The labels are used up.
    fn push(
        &mut self,
        labels: &mut LabelSet<'_>,
        value: f64,
        time_ms: Option<i64>,
        options: &Options,
    ) -> Result<(), Refused> {
        labels.write(&mut self.labels)?;
        let time_ms = time_ms.unwrap_or(NO_TIME);
        self.samples.push(Placed { labels_end: self.labels.len(), value, time_ms });
        self.check_size(options)
    }

    /// Notes since when a sample counts.
    fn note_start(&mut self, place: usize, start_ms: i64) {
        if self.starts.len() <= place {
            self.starts.resize(place + 1, NO_START);
        }
        self.starts[place] = start_ms;
    }

    /// Adds an exemplar of the sample that was added last.
    fn push_exemplar(&mut self, labels: &mut LabelSet<'_>, value: f64, time_ms: Option<i64>) {
        if labels.characters() > MAX_EXEMPLAR_CHARACTERS {
            self.dropped_exemplars += 1;
            return;
        }
        let Some(sample) = self.samples.len().checked_sub(1) else { return };
        let labels = labels.to_labels();
        self.text_bytes += labels.as_ref().as_bytes().len() + size_of::<ShownExemplar>();
        self.exemplars.push(ShownExemplar { sample, labels, value, time_ms });
    }

    /// What is said of a family, to be added to.
    fn family(&mut self, name: &str) -> &mut MetricMetadata {
        if self.metadata.last().is_none_or(|last| last.family != name) {
            self.text_bytes += name.len() + size_of::<MetricMetadata>();
            self.metadata.push(MetricMetadata { family: name.to_owned(), ..MetricMetadata::default() });
        }
        self.metadata.last_mut().expect("one was pushed when there was none")
    }

    fn describe(&mut self, name: &str, kind: Option<MetricKind>, help: Option<String>, unit: Option<&str>) {
        self.text_bytes += help.as_ref().map_or(0, String::len) + unit.map_or(0, str::len);
        let family = self.family(name);
        if let Some(kind) = kind {
            family.kind = kind;
        }
        if let Some(help) = help {
            family.help = help;
        }
        if let Some(unit) = unit {
            unit.clone_into(&mut family.unit);
        }
    }

    fn check_size(&self, options: &Options) -> Result<(), Refused> {
        let samples = self.samples.len() * size_of::<Placed>() + self.starts.len() * size_of::<i64>();
        let bytes = self.labels.len() + samples + self.histograms.size_bytes() + self.text_bytes;
        if bytes > options.max_bytes { Err(Refused::TooLarge) } else { Ok(()) }
    }
}

/// The most characters of an exemplar's labels (OpenMetrics 1.0).
const MAX_EXEMPLAR_CHARACTERS: usize = 128;

/// Why a sample was not added.
enum Refused {
    /// Its labels are wrong.
    Labels {
        /// What would have been right.
        expected: &'static str,
        /// The label that is not.
        found: String,
    },
    /// There is no more memory for it.
    TooLarge,
}
