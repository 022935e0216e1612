//! One series: its labels checked, its samples put in order.

use bytes::Bytes;
use model::labels::{MAX_LABEL_BYTES, METRIC_NAME};
use model::{Labels, LabelsBuilder, LabelsRef, Sample};

use super::message::{Label, TimeSeries, WireSample};

/// The labels of a series, or why they are wrong.
pub(super) fn labels(labels: &[Label]) -> Result<Labels, String> {
    let mut builder = LabelsBuilder::new();
    let mut names: Vec<&str> = Vec::with_capacity(labels.len());
    for label in labels {
        let name = text(&label.name).ok_or("a label's name is not UTF-8")?;
        let value =
            text(&label.value).ok_or_else(|| format!("the value of the label `{name}` is not UTF-8"))?;
        if name.is_empty() {
            return Err("a label has no name".to_owned());
        }
        if name.len() > MAX_LABEL_BYTES || value.len() > MAX_LABEL_BYTES {
            return Err(format!("a label has more than {MAX_LABEL_BYTES} bytes"));
        }
        names.push(name);
        builder.set(name, value);
    }
    names.sort_unstable();
    if let Some(pair) = names.windows(2).find(|pair| pair[0] == pair[1]) {
        return Err(format!("the label `{}` is given twice", pair[0]));
    }
    let labels = builder.build();
    if labels.metric_name().is_empty() {
        return Err(format!("there is no metric name: set the label `{METRIC_NAME}`"));
    }
    Ok(labels)
}

fn text(bytes: &Bytes) -> Option<&str> {
    std::str::from_utf8(bytes).ok()
}

/// The samples in strictly ascending time; of several at one time, the last that was sent.
pub(super) fn samples(samples: Vec<WireSample>) -> Vec<Sample> {
    let mut samples: Vec<Sample> =
        samples.into_iter().map(|sample| Sample { time_ms: sample.timestamp, value: sample.value }).collect();
    if samples.windows(2).all(|pair| pair[0].time_ms < pair[1].time_ms) {
        return samples;
    }
    samples.reverse();
    samples.sort_by_key(|sample| sample.time_ms);
    samples.dedup_by_key(|sample| sample.time_ms);
    samples
}

/// A series as it is sent.
pub(super) fn message(labels: LabelsRef<'_>, samples: &[Sample]) -> TimeSeries {
    let bytes = |text: &str| Bytes::copy_from_slice(text.as_bytes());
    TimeSeries {
        labels: labels.iter().map(|(name, value)| Label { name: bytes(name), value: bytes(value) }).collect(),
        samples: samples
            .iter()
            .map(|sample| WireSample { value: sample.value, timestamp: sample.time_ms })
            .collect(),
        exemplars: Vec::new(),
        histograms: Vec::new(),
    }
}
