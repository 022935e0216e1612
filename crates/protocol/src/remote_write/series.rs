//! One series: its labels checked, its samples put in order, with no memory of its own but what is used
//! again for the next one.

use model::histogram::plain_value;
use model::labels::{MAX_LABEL_BYTES, METRIC_NAME};
use model::{LabelsRef, NO_START, Sample, SampleRun};

use crate::wire::{Fields, Malformed, Value};

/// A label's name and its value.
#[derive(Clone, Copy)]
pub(super) struct Pair<'a> {
    pub(super) name: &'a [u8],
    pub(super) value: &'a [u8],
    /// The whole message, when it is as nearly all are sent; else nothing.
    pub(super) plain: &'a [u8],
}

/// What stands before the name and before the value of a plain message: a tag and one byte of length.
const NAME_TAG: u8 = 0x0a;
const VALUE_TAG: u8 = 0x12;

/// The most labels of a series that are read, many more than are ever taken.
pub(super) const MAX_LABELS: usize = 1024;
/// The most samples of a series in one request: a day of them at ten a second.
const MAX_SAMPLES: usize = 1 << 20;
/// The most histograms of a series in one request.
const MAX_HISTOGRAMS: usize = 1 << 16;
/// The most exemplars of a series in one request that are read.
const MAX_EXEMPLARS: usize = 1 << 10;

/// Reads series after series. Field numbers are those of `prompb`
/// (<https://prometheus.io/docs/specs/prw/remote_write_spec/>).
#[derive(Default)]
pub(super) struct SeriesReader<'a> {
    pairs: Vec<Pair<'a>>,
    /// The labels of the series before, when they were in order. Most series share some with it, which need
    /// no second check.
    before: Vec<Pair<'a>>,
    labels: Vec<u8>,
    samples: Vec<Sample>,
    /// The starts of samples, one for each from the first on; empty as long as none is told.
    starts: Vec<i64>,
    /// The start of samples that have none of their own.
    start_ms: i64,
    /// Histograms as they were sent: what is wrong with one is for later.
    histograms: Vec<&'a [u8]>,
    exemplars: Vec<&'a [u8]>,
    /// Why its labels could not even be read.
    unreadable: Option<String>,
    /// What is beyond what is read.
    more: More,
}

/// How many there were beyond what is read.
#[derive(Default)]
struct More {
    labels: usize,
    samples: usize,
    histograms: usize,
    exemplars: usize,
}

impl<'a> SeriesReader<'a> {
    /// Takes a `prometheus.TimeSeries` apart.
    pub(super) fn read(&mut self, message: &'a [u8]) -> Result<(), Malformed> {
        self.begin();
        let mut fields = Fields::of(message);
        // Nearly all are sent so: labels and then samples, each of less than 128 bytes.
        while let Some(label) = fields.next_short(1) {
            self.put_label(pair(label)?);
        }
        while let Some(one) = fields.next_short(2) {
            self.put_sample(sample(one)?);
        }
        for field in fields {
            match field? {
                (1, Value::Bytes(label)) => self.put_label(pair(label)?),
                (2, Value::Bytes(one)) => self.put_sample(sample(one)?),
                (3, Value::Bytes(exemplar)) => self.put_exemplar(exemplar),
                (4, Value::Bytes(histogram)) => self.put_histogram(histogram),
                (number @ 1..=4, _) => return Err(Malformed::Type(number)),
                _ => {}
            }
        }
        Ok(())
    }

    /// Forgets the series before, but for its labels.
    pub(super) fn begin(&mut self) {
        self.pairs.clear();
        self.samples.clear();
        self.starts.clear();
        self.start_ms = NO_START;
        self.histograms.clear();
        self.exemplars.clear();
        self.unreadable = None;
        self.more = More::default();
    }

    #[inline]
    pub(super) fn put_label(&mut self, label: Pair<'a>) {
        if self.pairs.len() < MAX_LABELS {
            self.pairs.push(label);
        } else {
            self.more.labels += 1;
        }
    }

    #[inline]
    pub(super) fn put_sample(&mut self, sample: Sample) {
        if self.samples.len() < MAX_SAMPLES {
            self.samples.push(sample);
        } else {
            self.more.samples += 1;
        }
    }

    /// Adds a sample that says since when it counts.
    pub(super) fn put_started(&mut self, sample: Sample, start_ms: i64) {
        let before = self.samples.len();
        self.put_sample(sample);
        if self.samples.len() > before {
            SampleRun { samples: &[sample], starts: &[start_ms] }.put_starts(before, &mut self.starts);
        }
    }

    /// Notes since when the samples count that do not say so themselves.
    pub(super) fn put_start(&mut self, start_ms: i64) {
        self.start_ms = start_ms;
    }

    /// A start, or the one of the series when it is none.
    pub(super) fn or_start(&self, start_ms: i64) -> i64 {
        if start_ms == NO_START { self.start_ms } else { start_ms }
    }

    pub(super) fn put_histogram(&mut self, message: &'a [u8]) {
        if self.histograms.len() < MAX_HISTOGRAMS {
            self.histograms.push(message);
        } else {
            self.more.histograms += 1;
        }
    }

    pub(super) fn put_exemplar(&mut self, message: &'a [u8]) {
        if self.exemplars.len() < MAX_EXEMPLARS {
            self.exemplars.push(message);
        } else {
            self.more.exemplars += 1;
        }
    }

    /// Notes that the labels cannot be read; [`Self::check`] says so.
    pub(super) fn put_unreadable(&mut self, reason: String) {
        self.unreadable.get_or_insert(reason);
    }

    /// How many samples were sent, histograms included.
    pub(super) fn sent(&self) -> usize {
        self.samples.len() + self.more.samples + self.histograms.len() + self.more.histograms
    }

    /// Puts the samples in strictly ascending time. Of several at one time the first that was sent stays; how many
    /// others there were that say something else is returned.
    pub(super) fn put_in_order(&mut self) -> usize {
        let is_same = |a: &Sample, b: &Sample| a.value.to_bits() == b.value.to_bits();
        if self.start_ms != NO_START {
            self.starts.resize(self.samples.len(), NO_START);
            self.starts
                .iter_mut()
                .filter(|start| **start == NO_START)
                .for_each(|start| *start = self.start_ms);
        }
        if self.starts.is_empty() {
            return put_in_order(&mut self.samples, |sample| sample, is_same);
        }
        let mut started: Vec<(Sample, i64)> = self.run().iter().collect();
        let others = put_in_order(&mut started, |(sample, _)| sample, is_same);
        (self.samples, self.starts) = started.into_iter().unzip();
        others
    }

    /// The samples that are numbers.
    pub(super) fn run(&self) -> SampleRun<'_> {
        SampleRun { samples: &self.samples, starts: &self.starts }
    }

    /// The messages of its histograms.
    pub(super) fn histograms(&self) -> &[&'a [u8]] {
        &self.histograms
    }

    /// The messages of its exemplars, and how many more there were.
    pub(super) fn exemplars(&self) -> (&[&'a [u8]], usize) {
        (&self.exemplars, self.more.exemplars)
    }

    /// The time of its last sample that is a number.
    pub(super) fn last_ms(&self) -> Option<i64> {
        self.samples.iter().map(|sample| sample.time_ms).max()
    }

    /// Checks how much there is, checks the labels, and puts them into their canonical encoding; else says why they are wrong.
    pub(super) fn check(&mut self) -> Result<(), String> {
        if let Some(reason) = &self.unreadable {
            return Err(reason.clone());
        }
        self.check_sizes()?;
        let mut names_are_known = self.before.len() == self.pairs.len();
        for (place, pair) in self.pairs.iter().enumerate() {
            match self.before.get(place) {
                Some(known) if !pair.plain.is_empty() && known.plain == pair.plain => {}
                Some(known) if known.name == pair.name => {
                    if known.value != pair.value {
                        check_value(pair)?;
                    }
                }
                _ => {
                    names_are_known = false;
                    check_name(pair.name)?;
                    check_value(pair)?;
                }
            }
        }
        // Senders must sort them; the protocol says so.
        if !names_are_known && !self.pairs.is_sorted_by(|a, b| a.name < b.name) {
            self.pairs.sort_unstable_by_key(|pair| (pair.name, pair.value));
            if let Some(twice) = self.pairs.windows(2).find(|pair| pair[0].name == pair[1].name) {
                let name = String::from_utf8_lossy(twice[0].name);
                return Err(format!("the label `{name}` is given twice"));
            }
        }
        let is_named =
            self.pairs.iter().any(|pair| pair.name == METRIC_NAME.as_bytes() && !pair.value.is_empty());
        if !is_named {
            return Err(format!("there is no metric name: set the label `{METRIC_NAME}`"));
        }
        self.labels.clear();
        // A label without a value is none.
        self.pairs.iter().filter(|pair| !pair.value.is_empty()).for_each(|pair| pair.put(&mut self.labels));
        std::mem::swap(&mut self.before, &mut self.pairs);
        Ok(())
    }

    fn check_sizes(&self) -> Result<(), String> {
        if self.more.labels > 0 {
            return Err(format!(
                "it has {} labels, at most {MAX_LABELS} are read",
                MAX_LABELS + self.more.labels
            ));
        }
        for (more, most, what) in [
            (self.more.samples, MAX_SAMPLES, "samples"),
            (self.more.histograms, MAX_HISTOGRAMS, "histograms"),
        ] {
            if more > 0 {
                return Err(format!(
                    "it has {} {what}, at most {most} of a series are taken at once: send them in parts",
                    most + more
                ));
            }
        }
        Ok(())
    }

    /// The labels that [`Self::check`] has checked.
    pub(super) fn labels(&self) -> LabelsRef<'_> {
        LabelsRef::from_canonical(&self.labels)
    }
}

/// Puts samples, and what else there is of each, in strictly ascending time. Of several at one time the first stays;
/// how many others there were that are not the same is returned.
pub(super) fn put_in_order<T>(
    all: &mut Vec<T>,
    sample: impl Fn(&T) -> &Sample,
    is_same: impl Fn(&Sample, &Sample) -> bool,
) -> usize {
    if all.is_sorted_by(|a, b| sample(a).time_ms < sample(b).time_ms) {
        return 0;
    }
    all.sort_by_key(|one| sample(one).time_ms);
    let mut others = 0;
    all.dedup_by(|later, first| {
        let (later, first) = (sample(later), sample(first));
        let is_one_time = later.time_ms == first.time_ms;
        others += usize::from(is_one_time && !is_same(later, first));
        is_one_time
    });
    others
}

impl Pair<'_> {
    /// Writes the label in its canonical encoding: each text behind its length in two bytes.
    #[inline]
    fn put(&self, labels: &mut Vec<u8>) {
        if self.plain.is_empty() {
            for text in [self.name, self.value] {
                // Their length was checked before.
                labels.extend_from_slice(&(text.len() as u16).to_le_bytes());
                labels.extend_from_slice(text);
            }
        } else {
            // It is as long, but for what stands in the places of tag and length.
            let name_length = labels.len();
            let value_length = name_length + 2 + self.name.len();
            labels.extend_from_slice(self.plain);
            labels[name_length..name_length + 2].copy_from_slice(&[self.name.len() as u8, 0]);
            labels[value_length..value_length + 2].copy_from_slice(&[self.value.len() as u8, 0]);
        }
    }
}

fn check_name(name: &[u8]) -> Result<(), String> {
    if !is_text(name) {
        return Err("a label's name is not UTF-8".to_owned());
    }
    if name.is_empty() {
        return Err("a label has no name".to_owned());
    }
    check_length(name)
}

#[inline]
fn check_value(pair: &Pair<'_>) -> Result<(), String> {
    if !is_text(pair.value) {
        return Err(format!("the value of the label `{}` is not UTF-8", String::from_utf8_lossy(pair.name)));
    }
    check_length(pair.value)
}

/// Whether bytes are UTF-8; nearly all texts are ASCII, which is seen at a glance.
#[inline]
fn is_text(bytes: &[u8]) -> bool {
    bytes.is_ascii() || std::str::from_utf8(bytes).is_ok()
}

fn check_length(text: &[u8]) -> Result<(), String> {
    if text.len() > MAX_LABEL_BYTES {
        return Err(format!("a label has more than {MAX_LABEL_BYTES} bytes"));
    }
    Ok(())
}

/// A `prometheus.Label`. Texts are bytes here: one that is no UTF-8 then costs its own series only.
pub(super) fn pair(message: &[u8]) -> Result<Pair<'_>, Malformed> {
    if let Some(pair) = plain_pair(message) {
        return Ok(pair);
    }
    let (mut name, mut value): (&[u8], &[u8]) = (&[], &[]);
    for field in Fields::of(message) {
        match field? {
            (1, Value::Bytes(text)) => name = text,
            (2, Value::Bytes(text)) => value = text,
            (number @ 1..=2, _) => return Err(Malformed::Type(number)),
            _ => {}
        }
    }
    Ok(Pair { name, value, plain: &[] })
}

/// A label as nearly all are sent: its name and then its value, each of less than 128 bytes.
#[inline]
fn plain_pair(message: &[u8]) -> Option<Pair<'_>> {
    let [NAME_TAG, length @ 0..0x80, rest @ ..] = message else { return None };
    let (name, rest) = rest.split_at_checked(usize::from(*length))?;
    let [VALUE_TAG, length @ 0..0x80, value @ ..] = rest else { return None };
    (value.len() == usize::from(*length)).then_some(Pair { name, value, plain: message })
}

/// A `prometheus.Sample`.
pub(super) fn sample(message: &[u8]) -> Result<Sample, Malformed> {
    if let Some((sample, _)) = plain_sample(message) {
        return Ok(sample);
    }
    let mut sample = Sample { time_ms: 0, value: 0.0 };
    for field in Fields::of(message) {
        match field? {
            (1, Value::Eight(bytes)) => sample.value = plain_value(f64::from_le_bytes(bytes)),
            (2, Value::Number(time)) => sample.time_ms = time.cast_signed(),
            (number @ 1..=2, _) => return Err(Malformed::Type(number)),
            _ => {}
        }
    }
    Ok(sample)
}

/// An `io.prometheus.write.v2.Sample`, with since when it counts.
pub(super) fn started_sample(message: &[u8]) -> Result<(Sample, i64), Malformed> {
    if let Some(started) = plain_sample(message) {
        return Ok(started);
    }
    let mut start_ms = NO_START;
    for field in Fields::of(message) {
        match field? {
            (3, Value::Number(start)) => start_ms = start.cast_signed(),
            (3, _) => return Err(Malformed::Type(3)),
            _ => {}
        }
    }
    Ok((sample(message)?, start_ms))
}

/// A sample as it is sent: its value, then its time, and then its start, if it has one.
#[inline]
fn plain_sample(message: &[u8]) -> Option<(Sample, i64)> {
    let [0x09, rest @ ..] = message else { return None };
    let (value, rest) = rest.split_first_chunk()?;
    let [0x10, rest @ ..] = rest else { return None };
    let mut rest = Fields::of(rest);
    let time_ms = rest.number().ok()?.cast_signed();
    let start_ms = rest.next_number(3).map_or(NO_START, u64::cast_signed);
    let sample = Sample { time_ms, value: plain_value(f64::from_le_bytes(*value)) };
    rest.is_empty().then_some((sample, start_ms))
}
