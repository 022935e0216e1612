//! The series of one target: what it shows, with the target's labels, relabelled, within limits; and where they end.
//!
//! A target shows the same series again and again. What becomes of the labels that it shows is found out once, and
//! looked up by their hash from then on.

use std::collections::HashMap;

use model::{
    Exemplar, Labels, LabelsBuilder, LabelsRef, MetricBatch, MetricMetadata, STALE_NAN, Sample, SampleRun,
};
use protocol::exposition::{Exposition, ShownExemplar};

use super::error::ScrapeError;
use super::job::Job;
use super::said::Said;

/// What becomes of the labels that a target shows.
struct Known {
    /// The labels of the series; nothing when relabelling dropped it.
    labels: Option<Labels>,
    hash: u64,
    seen: u64,
    /// The exemplar that was shown last, as a hash: it is shown again until there is another.
    exemplar: u64,
}

/// A series that has not ended.
struct Live {
    labels: Labels,
    seen: u64,
    /// Whether a sample of it was ever handed over to be stored.
    is_stored: bool,
}

/// The series of one target. Of a series that it shows twice in one scrape both samples are handed on: `ingest` takes the
/// first, and counts the other.
#[derive(Default)]
pub(super) struct Series {
    known: HashMap<u128, Known>,
    live: HashMap<u64, Live>,
    /// The scrape that is being read, counted from 1.
    scrape: u64,
    /// The job whose relabelling [`Series::known`] went through.
    fingerprint: u64,
    said: Said,
}

/// What a scrape has given.
#[derive(Default)]
pub(super) struct Taken {
    pub(super) batch: MetricBatch,
    pub(super) exemplars: Vec<Exemplar>,
    /// Metadata that was not there before, or was another.
    pub(super) metadata: Vec<MetricMetadata>,
    pub(super) counts: Counts,
    /// What was shown and could not be taken, in words.
    pub(super) left_out: Option<String>,
}

/// What is counted in a scrape, whether it succeeds or not.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Counts {
    /// Samples that were shown.
    pub(super) shown: usize,
    /// Samples that were left after relabelling.
    pub(super) kept: usize,
    /// Series that the scrape before did not have.
    pub(super) added: usize,
    /// Classic histograms that contradict themselves.
    pub(super) left_out: usize,
    /// Bytes of the body, unpacked.
    pub(super) body: usize,
}

impl Series {
    /// Reads what a target shows at `at_ms`. After an error, all series are to be [ended](Self::end).
    pub(super) fn take(
        &mut self,
        shown: &Exposition,
        job: &Job,
        target: &Labels,
        at_ms: i64,
    ) -> Result<Taken, (ScrapeError, Counts)> {
        if self.fingerprint != job.fingerprint {
            self.known.clear();
            self.fingerprint = job.fingerprint;
        }
        self.scrape += 1;
        let mut taken = Taken::default();
        if let Some((count, labels, reason)) = shown.left_out() {
            taken.counts.left_out = count;
            let labels: String = labels.to_string().chars().take(200).collect();
            taken.left_out =
                Some(format!("{count} classic histograms contradict themselves, as {labels}: {reason}"));
        }
        if let Err(error) = self.samples(shown, job, target, at_ms, &mut taken) {
            return Err((error, Counts { added: 0, ..taken.counts }));
        }
        self.end_what_is_gone(at_ms, &mut taken.batch);
        taken.metadata = self.said.take(shown.metadata());
        Ok(taken)
    }

    fn samples(
        &mut self,
        shown: &Exposition,
        job: &Job,
        target: &Labels,
        at_ms: i64,
        taken: &mut Taken,
    ) -> Result<(), ScrapeError> {
        let mut exemplars = shown.exemplars().iter().peekable();
        for (place, sample) in shown.samples().enumerate() {
            taken.counts.shown += 1;
            let key = xxhash_rust::xxh3::xxh3_128(sample.labels.as_bytes());
            let scrape = self.scrape;
            let known = match self.known.entry(key) {
                std::collections::hash_map::Entry::Occupied(known) => known.into_mut(),
                std::collections::hash_map::Entry::Vacant(new) => {
                    new.insert(learn(sample.labels, job, target)?)
                }
            };
            known.seen = scrape;
            let Some(labels) = known.labels.clone() else { continue };
            let hash = known.hash;
            taken.counts.kept += 1;
            if taken.counts.kept > job.limits.samples {
                // How far it is over the limit is told, so all of it is counted.
                continue;
            }
            let own_time = sample.time_ms.filter(|_| job.honor_timestamps);
            if own_time.is_none() || job.track_timestamps {
                let live = self.live.entry(hash).or_insert_with(|| {
                    taken.counts.added += 1;
                    Live { labels: labels.clone(), seen: 0, is_stored: false }
                });
                live.seen = scrape;
            }
            let time_ms = own_time.unwrap_or(at_ms);
            let value = value(sample.value, shown, job, &mut taken.batch)?;
            let run = SampleRun { samples: &[Sample { time_ms, value }], starts: &[sample.start_ms] };
            taken.batch.push_run(labels.as_ref(), run);
            while let Some(exemplar) = exemplars.next_if(|exemplar| exemplar.sample <= place) {
                let hash = exemplar_hash(exemplar);
                if exemplar.sample == place && known.exemplar != hash {
                    known.exemplar = hash;
                    taken.exemplars.push(Exemplar {
                        series: labels.clone(),
                        labels: exemplar.labels.clone(),
                        value: exemplar.value,
                        time_ms: exemplar.time_ms.unwrap_or(at_ms),
                    });
                }
            }
        }
        if taken.counts.kept > job.limits.samples {
            return Err(ScrapeError::Limit(format!(
                "it shows {} samples after relabelling, and the limit is {} (sample_limit)",
                taken.counts.kept, job.limits.samples
            )));
        }
        Ok(())
    }

    /// Adds an end for each series that this scrape has not, and forgets labels that are no longer shown.
    fn end_what_is_gone(&mut self, at_ms: i64, batch: &mut MetricBatch) {
        let scrape = self.scrape;
        self.live.retain(|_, live| {
            if live.seen == scrape {
                live.is_stored = true;
                return true;
            }
            if live.is_stored {
                batch.push_one(&live.labels, at_ms, STALE_NAN);
            }
            false
        });
        // Some exporters show a series only now and then; those that change all of them must not fill the memory.
        if self.known.len() > 2 * self.live.len() + 1000 {
            self.known.retain(|_, known| known.seen == scrape);
        }
    }

    /// Adds an end for every series, and forgets all of them.
    pub(super) fn end(&mut self, at_ms: i64, batch: &mut MetricBatch) {
        for (_, live) in self.live.drain().filter(|(_, live)| live.is_stored) {
            batch.push_one(&live.labels, at_ms, STALE_NAN);
        }
        let scrape = self.scrape;
        self.known.retain(|_, known| known.seen == scrape);
    }

    /// What is said of families, by name.
    pub(super) fn metadata(&self) -> Vec<MetricMetadata> {
        self.said.all()
    }
}

/// A hash of all that an exemplar says.
fn exemplar_hash(exemplar: &ShownExemplar) -> u64 {
    let mut hasher = xxhash_rust::xxh3::Xxh3::new();
    hasher.update(exemplar.labels.as_ref().as_bytes());
    hasher.update(&exemplar.value.to_bits().to_le_bytes());
    hasher.update(&exemplar.time_ms.unwrap_or(i64::MIN).to_le_bytes());
    hasher.digest()
}

/// What becomes of labels that a target shows: those of the target are added, then they are relabelled and measured.
fn learn(shown: LabelsRef<'_>, job: &Job, target: &Labels) -> Result<Known, ScrapeError> {
    let mut labels = LabelsBuilder::new();
    // One without a value is none of the series.
    for (name, value) in shown.iter() {
        labels.set(name, value);
    }
    add_target(&mut labels, shown, target, job.honor_labels);
    if !job.metric_relabel.apply(&mut labels) {
        return Ok(Known { labels: None, hash: 0, seen: 0, exemplar: 0 });
    }
    let labels = labels.build();
    if labels.is_empty() {
        return Ok(Known { labels: None, hash: 0, seen: 0, exemplar: 0 });
    }
    if labels.metric_name().is_empty() {
        return Err(ScrapeError::Limit(format!("relabelling leaves {labels} without a name")));
    }
    measure(&labels, job)?;
    Ok(Known { hash: labels.hash64(), labels: Some(labels), seen: 0, exemplar: 0 })
}

/// Adds the labels of the target. Where a series has one of the same name, either that goes before, even when it is
/// empty (which is how a gateway says that a series has no instance), or it is renamed.
fn add_target(labels: &mut LabelsBuilder, shown: LabelsRef<'_>, target: &Labels, honor: bool) {
    for (name, value) in target.iter() {
        match shown.get(name) {
            Some(_) if honor => {}
            None | Some("") => {
                labels.set(name, value);
            }
            Some(shown) => {
                let mut renamed = format!("exported_{name}");
                while labels.get(&renamed).is_some() || target.get(&renamed).is_some() {
                    renamed.insert_str(0, "exported_");
                }
                labels.set(renamed, shown);
                labels.set(name, value);
            }
        }
    }
}

fn measure(labels: &Labels, job: &Job) -> Result<(), ScrapeError> {
    let limits = &job.limits;
    let fail = |what: String, key: &str| {
        let shown: String = labels.to_string().chars().take(200).collect();
        Err(ScrapeError::Limit(format!("{shown} has {what} ({key})")))
    };
    let count = labels.iter().count();
    if count > limits.labels {
        return fail(format!("{count} labels, the limit is {}", limits.labels), "label_limit");
    }
    for (name, value) in labels.iter() {
        if name.len() > limits.name_bytes {
            let what =
                format!("a label whose name has {} bytes, the limit is {}", name.len(), limits.name_bytes);
            return fail(what, "label_name_length_limit");
        }
        if value.len() > limits.value_bytes {
            let what =
                format!("a label whose value has {} bytes, the limit is {}", value.len(), limits.value_bytes);
            return fail(what, "label_value_length_limit");
        }
    }
    Ok(())
}

/// The value of a sample in `batch`: a histogram moves into it, with coarser buckets where it has too many.
fn value(value: f64, shown: &Exposition, job: &Job, batch: &mut MetricBatch) -> Result<f64, ScrapeError> {
    let Some(histogram) = shown.histograms().of(value) else { return Ok(value) };
    let Ok(mut histogram) = histogram else { return Ok(f64::NAN) };
    histogram.fit_schema(job.finest_schema);
    let buckets = histogram.bucket_count();
    if !histogram.fit_buckets(job.limits.buckets) {
        return Err(ScrapeError::Limit(format!(
            "a native histogram has {buckets} buckets, of which even the coarsest are too many: the limit is {} (native_histogram_bucket_limit)",
            job.limits.buckets
        )));
    }
    Ok(batch.histogram(&histogram))
}
