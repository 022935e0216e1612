//! One series: its labels checked, its samples put in order, with no memory of its own but what is used
//! again for the next one.

use model::labels::{MAX_LABEL_BYTES, METRIC_NAME};
use model::{LabelsRef, Sample};

use super::Unsupported;
use super::wire::{Fields, Malformed, Value};

/// Reads series after series. Field numbers are those of `prompb`
/// (<https://prometheus.io/docs/specs/prw/remote_write_spec/>).
#[derive(Default)]
pub(super) struct SeriesReader<'a> {
    pairs: Vec<(&'a [u8], &'a [u8])>,
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
        for (name, value) in &self.pairs {
            let name = std::str::from_utf8(name).map_err(|_| "a label's name is not UTF-8")?;
            if std::str::from_utf8(value).is_err() {
                return Err(format!("the value of the label `{name}` is not UTF-8"));
            }
            if name.is_empty() {
                return Err("a label has no name".to_owned());
            }
            if name.len() > MAX_LABEL_BYTES || value.len() > MAX_LABEL_BYTES {
                return Err(format!("a label has more than {MAX_LABEL_BYTES} bytes"));
            }
        }
        // Senders must sort them; the protocol says so.
        if !self.pairs.is_sorted_by(|(a, _), (b, _)| a < b) {
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
        Ok(())
    }

    /// The labels that [`Self::check_labels`] has checked.
    pub(super) fn labels(&self) -> LabelsRef<'_> {
        LabelsRef::from_canonical(&self.labels)
    }
}

/// A `prometheus.Label`. Texts are bytes here: one that is no UTF-8 then costs its own series only.
fn pair(message: &[u8]) -> Result<(&[u8], &[u8]), Malformed> {
    let (mut name, mut value): (&[u8], &[u8]) = (&[], &[]);
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

/// A `prometheus.Sample`.
fn sample(message: &[u8]) -> Result<Sample, Malformed> {
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
