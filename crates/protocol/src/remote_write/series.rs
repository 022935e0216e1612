//! One series: its labels checked, its samples put in order, with no memory of its own but what is used
//! again for the next one.

use model::labels::{MAX_LABEL_BYTES, METRIC_NAME};
use model::{LabelsRef, Sample};

use super::Unsupported;
use super::wire::{Fields, Malformed, Value};

/// A label's name and its value.
type Pair<'a> = (&'a [u8], &'a [u8]);

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
}

impl<'a> SeriesReader<'a> {
    /// Takes a `prometheus.TimeSeries` apart.
    pub(super) fn read(&mut self, message: &'a [u8], unsupported: &mut Unsupported) -> Result<(), Malformed> {
        self.pairs.clear();
        self.samples.clear();
        for field in Fields::of(message) {
            match field? {
                (1, Value::Bytes(label)) => self.pairs.push(pair(label)?),
                (2, Value::Bytes(one)) => self.samples.push(sample(one)?),
                (3, Value::Bytes(_)) => unsupported.exemplars += 1,
                (4, Value::Bytes(_)) => unsupported.histograms += 1,
                (number @ 1..=4, _) => return Err(Malformed::Type(number)),
                _ => {}
            }
        }
        Ok(())
    }

    /// How many samples were sent.
    pub(super) fn sent(&self) -> usize {
        self.samples.len()
    }

    /// Puts the samples in strictly ascending time; of several at one time, the last that was sent stays.
    pub(super) fn put_in_order(&mut self) {
        if !self.samples.is_sorted_by(|a, b| a.time_ms < b.time_ms) {
            self.samples.reverse();
            self.samples.sort_by_key(|sample| sample.time_ms);
            self.samples.dedup_by_key(|sample| sample.time_ms);
        }
    }

    /// The samples.
    pub(super) fn samples(&self) -> &[Sample] {
        &self.samples
    }

    /// Checks the labels and puts them into their canonical encoding; else says why they are wrong.
    pub(super) fn check_labels(&mut self) -> Result<(), String> {
        let before = std::mem::take(&mut self.before);
        let mut names_are_known = before.len() == self.pairs.len();
        for (place, (name, value)) in self.pairs.iter().enumerate() {
            let known = before.get(place).filter(|known| known.0 == *name);
            names_are_known &= known.is_some();
            match known {
                Some(known) if known.1 == *value => {}
                Some(_) => check_value(name, value)?,
                None => {
                    check_name(name)?;
                    check_value(name, value)?;
                }
            }
        }
        // Senders must sort them; the protocol says so.
        if !names_are_known && !self.pairs.is_sorted_by(|(a, _), (b, _)| a < b) {
            self.pairs.sort_unstable();
            if let Some(twice) = self.pairs.windows(2).find(|pair| pair[0].0 == pair[1].0) {
                let name = String::from_utf8_lossy(twice[0].0);
                return Err(format!("the label `{name}` is given twice"));
            }
        }
        let is_named =
            self.pairs.iter().any(|(name, value)| *name == METRIC_NAME.as_bytes() && !value.is_empty());
        if !is_named {
            return Err(format!("there is no metric name: set the label `{METRIC_NAME}`"));
        }
        self.labels.clear();
        // A label without a value is none.
        for (name, value) in self.pairs.iter().filter(|(_, value)| !value.is_empty()) {
            for text in [name, value] {
                // Their length was checked above.
                self.labels.extend_from_slice(&(text.len() as u16).to_le_bytes());
                self.labels.extend_from_slice(text);
            }
        }
        self.before = before;
        self.before.clone_from(&self.pairs);
        Ok(())
    }

    /// The labels that [`Self::check_labels`] has checked.
    pub(super) fn labels(&self) -> LabelsRef<'_> {
        LabelsRef::from_canonical(&self.labels)
    }
}

fn check_name(name: &[u8]) -> Result<(), String> {
    if std::str::from_utf8(name).is_err() {
        return Err("a label's name is not UTF-8".to_owned());
    }
    if name.is_empty() {
        return Err("a label has no name".to_owned());
    }
    check_length(name)
}

fn check_value(name: &[u8], value: &[u8]) -> Result<(), String> {
    if std::str::from_utf8(value).is_err() {
        return Err(format!("the value of the label `{}` is not UTF-8", String::from_utf8_lossy(name)));
    }
    check_length(value)
}

fn check_length(text: &[u8]) -> Result<(), String> {
    if text.len() > MAX_LABEL_BYTES {
        return Err(format!("a label has more than {MAX_LABEL_BYTES} bytes"));
    }
    Ok(())
}

/// A `prometheus.Label`. Texts are bytes here: one that is no UTF-8 then costs its own series only.
fn pair(message: &[u8]) -> Result<Pair<'_>, Malformed> {
    if let Some(pair) = plain_pair(message) {
        return Ok(pair);
    }
    let (mut name, mut value): Pair<'_> = (&[], &[]);
    for field in Fields::of(message) {
        match field? {
            (1, Value::Bytes(text)) => name = text,
            (2, Value::Bytes(text)) => value = text,
            (number @ 1..=2, _) => return Err(Malformed::Type(number)),
            _ => {}
        }
    }
    Ok((name, value))
}

/// A label as nearly all are sent: its name and then its value, each of less than 128 bytes.
#[inline]
fn plain_pair(message: &[u8]) -> Option<Pair<'_>> {
    let [0x0a, length @ 0..0x80, rest @ ..] = message else { return None };
    let (name, rest) = rest.split_at_checked(usize::from(*length))?;
    let [0x12, length @ 0..0x80, value @ ..] = rest else { return None };
    (value.len() == usize::from(*length)).then_some((name, value))
}

/// A `prometheus.Sample`.
fn sample(message: &[u8]) -> Result<Sample, Malformed> {
    if let Some(sample) = plain_sample(message) {
        return Ok(sample);
    }
    let mut sample = Sample { time_ms: 0, value: 0.0 };
    for field in Fields::of(message) {
        match field? {
            (1, Value::Eight(bytes)) => sample.value = f64::from_le_bytes(bytes),
            (2, Value::Number(time)) => sample.time_ms = time.cast_signed(),
            (number @ 1..=2, _) => return Err(Malformed::Type(number)),
            _ => {}
        }
    }
    Ok(sample)
}

/// A sample as it is sent: its value and then its time.
#[inline]
fn plain_sample(message: &[u8]) -> Option<Sample> {
    let [0x09, rest @ ..] = message else { return None };
    let (value, rest) = rest.split_first_chunk()?;
    let [0x10, rest @ ..] = rest else { return None };
    let mut rest = Fields::of(rest);
    let time_ms = rest.number().ok()?.cast_signed();
    rest.is_empty().then_some(Sample { time_ms, value: f64::from_le_bytes(*value) })
}
