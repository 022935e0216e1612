//! What is tried with hostile bytes: each function takes any, and panics where what must hold does not.
//!
//! `fuzz/` makes up the bytes; those that have shown a fault once lie in `fuzz/cases/` and are tried again
//! by every test run.

use model::{LabelsRef, Sample, Timestamp};

use crate::exposition::{self, Format, Options};
use crate::{events, remote_write};

/// The most that a request of remote write may hold.
const LIMIT: usize = 1 << 20;

/// As a request of remote write, and as what is in the snappy block of one.
pub fn remote_write(bytes: &[u8]) {
    check_request(bytes);
    let mut packer = snap::raw::Encoder::new();
    check_request(&packer.compress_vec(bytes).expect("inputs are far smaller than 4 GiB"));
}

fn check_request(bytes: &[u8]) {
    let Ok(decoded) = remote_write::decode(bytes, LIMIT) else { return };
    for (labels, samples) in decoded.batch.iter() {
        LabelsRef::from_encoded(labels.as_bytes()).expect("labels are in their canonical encoding");
        assert!(samples.is_sorted_by(|a, b| a.time_ms <= b.time_ms), "times ascend");
        assert!(!samples.is_empty());
    }
    let again =
        remote_write::decode(&remote_write::encode(&decoded.batch), usize::MAX).expect("our own request");
    assert_eq!(decoded.batch.series_count(), again.batch.series_count());
    for ((labels, samples), (same_labels, same_samples)) in decoded.batch.iter().zip(again.batch.iter()) {
        assert_eq!((labels.as_bytes(), bits(samples)), (same_labels.as_bytes(), bits(same_samples)));
    }
    assert_eq!(again.rejected, []);
}

/// Times and values, bit for bit.
fn bits(samples: &[Sample]) -> Vec<(i64, u64)> {
    samples.iter().map(|sample| (sample.time_ms, sample.value.to_bits())).collect()
}

/// As a body of events.
pub fn events(bytes: &[u8]) {
    let now = Timestamp::from_millis(1_754_083_800_000);
    let Ok(decoded) = events::decode(bytes, now) else { return };
    assert!(decoded.events.len() <= events::MAX_EVENTS);
    for (index, event) in decoded.events.iter().enumerate() {
        match event {
            Ok(event) => assert!(!event.event_id().is_empty()),
            Err(rejected) => assert_eq!(rejected.index, index),
        }
    }
}

/// As what an exporter shows, in each format.
pub fn exposition(bytes: &[u8]) {
    for format in [Format::Text, Format::OpenMetrics, Format::Protobuf] {
        let options = Options { max_bytes: LIMIT, classic_histograms: true };
        let Ok(shown) = exposition::decode(format, bytes, &options) else { continue };
        for sample in shown.samples() {
            LabelsRef::from_encoded(sample.labels.as_bytes()).expect("labels are in their canonical encoding");
            assert!(!sample.labels.metric_name().is_empty());
            assert!(!model::is_stale(sample.value), "only we end series");
            if let Some(histogram) = shown.histograms().of(sample.value) {
                histogram.expect("our own encoding");
            }
        }
        assert!(shown.exemplars().iter().all(|exemplar| exemplar.sample < shown.samples().len()));
        assert!(shown.exemplars().is_sorted_by_key(|exemplar| exemplar.sample));
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    /// Tries each case of a target again.
    fn each(target: &str, check: fn(&[u8])) {
        let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/cases").join(target);
        let mut cases = 0;
        for entry in std::fs::read_dir(dir).expect("the cases of the target") {
            let path = entry.expect("an entry").path();
            let bytes = std::fs::read(&path).expect("a case");
            if std::panic::catch_unwind(|| check(&bytes)).is_err() {
                panic!("{}", path.display());
            }
            cases += 1;
        }
        assert!(cases > 0, "{target} has no cases");
    }

    #[test]
    fn what_fuzzing_remote_write_has_found_stays_mended() {
        each("remote_write", super::remote_write);
    }

    #[test]
    fn what_fuzzing_events_has_found_stays_mended() {
        each("events", super::events);
    }

    #[test]
    fn what_fuzzing_expositions_has_found_stays_mended() {
        each("exposition", super::exposition);
    }
}
