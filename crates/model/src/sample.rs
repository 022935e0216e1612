//! Samples: one number of one series at one time, and batches of them.

use crate::{Histogram, Histograms, Labels, LabelsRef, SampleRun, Timestamp};

/// One number at one time.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Sample {
    /// Milliseconds since the Unix epoch.
    pub time_ms: i64,
    /// The value. NaN with the bits of [`STALE_NAN`] marks the end of a series; another NaN can stand for a histogram
    /// that lies beside the samples ([`Histograms`]).
    pub value: f64,
}

/// The NaN that Prometheus writes when a series has ended (a staleness marker).
pub const STALE_NAN: f64 = f64::from_bits(0x7ff0_0000_0000_0002);

/// Whether `value` is a staleness marker, as opposed to an ordinary NaN.
pub fn is_stale(value: f64) -> bool {
    value.to_bits() == STALE_NAN.to_bits()
}

/// Samples of many series on their way in, in flat arrays: labels are written once, in their
/// canonical encoding, so a store can look a series up by the bytes and allocate nothing.
#[derive(Clone, Debug, Default)]
pub struct MetricBatch {
    labels: Vec<u8>,
    series: Vec<SeriesSpan>,
    samples: Vec<Sample>,
    /// The starts of samples, one for each from the first on; empty as long as nobody has told any.
    starts: Vec<i64>,
    histograms: Histograms,
}

#[derive(Clone, Copy, Debug)]
struct SeriesSpan {
    labels_start: usize,
    labels_end: usize,
    samples_start: usize,
    samples_end: usize,
}

impl MetricBatch {
    /// An empty batch.
    pub fn new() -> Self {
        Self::default()
    }

    /// An empty batch whose samples can be some histograms.
    pub fn with_histograms(histograms: Histograms) -> Self {
        Self { histograms, ..Self::default() }
    }

    /// Adds the samples of one series, in ascending time.
    pub fn push(&mut self, labels: LabelsRef<'_>, samples: &[Sample]) {
        self.push_run(labels, SampleRun::plain(samples));
    }

    /// Adds the samples of one series, in ascending time, with their starts.
    pub fn push_run(&mut self, labels: LabelsRef<'_>, run: SampleRun<'_>) {
        let labels_start = self.labels.len();
        self.labels.extend_from_slice(labels.as_bytes());
        let samples_start = self.samples.len();
        run.put_starts(samples_start, &mut self.starts);
        self.samples.extend_from_slice(run.samples);
        self.series.push(SeriesSpan {
            labels_start,
            labels_end: self.labels.len(),
            samples_start,
            samples_end: self.samples.len(),
        });
    }

    /// Adds those samples of one series that are to be kept, and says how many these are. A series of which none is
    /// kept is not added.
    pub fn push_kept(
        &mut self,
        labels: LabelsRef<'_>,
        run: SampleRun<'_>,
        keep: impl Fn(&Sample) -> bool,
    ) -> usize {
        let (samples, mut starts): (Vec<Sample>, Vec<i64>) = run.iter().filter(|(one, _)| keep(one)).unzip();
        if run.starts.is_empty() {
            starts.clear();
        }
        if !samples.is_empty() {
            self.push_run(labels, SampleRun { samples: &samples, starts: &starts });
        }
        samples.len()
    }

    /// Adds one sample of one series.
    pub fn push_one(&mut self, labels: &Labels, time_ms: i64, value: f64) {
        self.push(labels.as_ref(), &[Sample { time_ms, value }]);
    }

    /// Adds a histogram, and gives the value that a sample of this batch has which is this histogram.
    pub fn histogram(&mut self, histogram: &Histogram) -> f64 {
        self.histograms.push(histogram)
    }

    /// The histograms that values stand for.
    pub fn histograms(&self) -> &Histograms {
        &self.histograms
    }

    /// The series with their samples, in the order in which they were added.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (LabelsRef<'_>, &[Sample])> {
        self.series.iter().map(|span| {
            let labels = LabelsRef::from_canonical(&self.labels[span.labels_start..span.labels_end]);
            (labels, &self.samples[span.samples_start..span.samples_end])
        })
    }

    /// The same with the starts of samples.
    pub fn runs(&self) -> impl ExactSizeIterator<Item = (LabelsRef<'_>, SampleRun<'_>)> {
        self.series.iter().map(|span| {
            let labels = LabelsRef::from_canonical(&self.labels[span.labels_start..span.labels_end]);
            let place = span.samples_start..span.samples_end;
            let starts = self.starts.get(place.clone()).unwrap_or_default();
            (labels, SampleRun { samples: &self.samples[place], starts })
        })
    }

    /// Whether a start is told of any sample.
    pub fn has_starts(&self) -> bool {
        !self.starts.is_empty()
    }

    /// The earliest time of a sample.
    pub fn earliest(&self) -> Option<Timestamp> {
        self.samples.iter().map(|sample| sample.time_ms).min().map(Timestamp::from_millis)
    }

    /// How many samples the batch holds.
    pub fn sample_count(&self) -> usize {
        self.samples.len()
    }

    /// How many series the batch holds, a series that was added twice counted twice.
    pub fn series_count(&self) -> usize {
        self.series.len()
    }

    /// Whether the batch holds no series.
    pub fn is_empty(&self) -> bool {
        self.series.is_empty()
    }

    /// Roughly how many bytes the batch takes in memory.
    pub fn size_bytes(&self) -> usize {
        self.labels.len()
            + self.series.len() * size_of::<SeriesSpan>()
            + self.samples.len() * size_of::<Sample>()
            + self.starts.len() * size_of::<i64>()
            + self.histograms.size_bytes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::NO_START;

    #[test]
    fn a_batch_gives_back_what_was_put_in() {
        let up = Labels::from_pairs([("__name__", "up"), ("job", "a")]);
        let down = Labels::from_pairs([("__name__", "down")]);
        let mut batch = MetricBatch::new();
        batch.push_one(&up, 1, 1.0);
        batch.push(down.as_ref(), &[Sample { time_ms: 2, value: 2.0 }, Sample { time_ms: 3, value: 3.0 }]);
        let back: Vec<_> = batch.iter().map(|(labels, samples)| (labels.to_owned(), samples.len())).collect();
        assert_eq!(back, [(up, 1), (down, 2)]);
        assert_eq!(batch.sample_count(), 3);
    }

    #[test]
    fn starts_belong_to_their_samples_and_cost_nothing_where_there_are_none() {
        let labels = Labels::metric("jobs_total", &[]);
        let sample = |time_ms: i64| Sample { time_ms, value: 1.0 };
        let mut batch = MetricBatch::new();
        batch.push(labels.as_ref(), &[sample(1), sample(2)]);
        let plain = batch.size_bytes();
        batch.push_run(labels.as_ref(), SampleRun { samples: &[sample(3)], starts: &[NO_START] });
        assert!(!batch.has_starts(), "a start that is not known is none");
        batch.push_run(labels.as_ref(), SampleRun { samples: &[sample(4), sample(5)], starts: &[7, 8] });
        batch.push(labels.as_ref(), &[sample(6)]);
        let kept = batch.clone();
        batch = MetricBatch::new();
        for (labels, run) in kept.runs() {
            batch.push_kept(labels, run, |sample| sample.time_ms % 2 == 0);
        }
        let all: Vec<(i64, i64)> = batch
            .runs()
            .flat_map(|(_, run)| run.iter().map(|(one, start)| (one.time_ms, start)).collect::<Vec<_>>())
            .collect();
        assert_eq!(all, [(2, NO_START), (4, 7), (6, NO_START)]);
        assert!(kept.size_bytes() > 2 * plain && batch.has_starts());
    }

    #[test]
    fn the_staleness_marker_is_told_from_other_nans() {
        assert!(is_stale(STALE_NAN) && STALE_NAN.is_nan());
        assert!(!is_stale(f64::NAN));
    }
}
