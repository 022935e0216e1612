//! Classic histograms of a body made into native ones with the same bounds, as Prometheus'
//! `convert_classic_histograms_to_nhcb` has it.

use std::collections::{HashMap, HashSet};

use model::histogram::{ClassicHistogram, ClassicPart, InvalidHistogram};
use model::labels::METRIC_NAME;
use model::{Labels, LabelsRef, MetricKind};

use super::{Exposition, ExpositionError, Options, Placed, ShownExemplar};

/// A classic histogram, gathered from its series.
struct Gathered {
    /// One of its samples, for what all of them share.
    placed: Placed,
    parts: ClassicHistogram,
    exemplars: Vec<ShownExemplar>,
}

/// A body whose classic histograms are gathered by the labels of the native ones that they become.
#[derive(Default)]
struct Gathering {
    places: HashMap<Labels, usize>,
    all: Vec<(Labels, Gathered)>,
}

/// What a sample is of a classic histogram.
struct PartOf {
    /// The labels of the native one.
    labels: Labels,
    part: ClassicPart,
    bound: f64,
}

/// Puts native histograms in the place of classic ones; these stay beside them where they are to be read always. What
/// has a native histogram of its own is left as it is. A classic one that contradicts itself is left out, and counted.
pub(super) fn convert(shown: Exposition, options: &Options) -> Result<Exposition, ExpositionError> {
    let families: HashSet<&str> = (shown.metadata.iter())
        .filter(|said| said.kind == MetricKind::Histogram)
        .map(|said| said.family.as_str())
        .collect();
    if families.is_empty() {
        return Ok(shown);
    }
    let natives: HashSet<Labels> = (shown.samples())
        .filter(|sample| shown.histograms.of(sample.value).is_some())
        .map(|sample| sample.labels.to_owned())
        .collect();
    let (mut kept, mut gathering) = (Exposition::default(), Gathering::default());
    let mut exemplars = shown.exemplars.iter().peekable();
    for (place, (sample, placed)) in shown.samples().zip(&shown.samples).enumerate() {
        let own: Vec<&ShownExemplar> =
            std::iter::from_fn(|| exemplars.next_if(|exemplar| exemplar.sample == place)).collect();
        let part = part_of(sample.labels, &families).filter(|part| !natives.contains(&part.labels));
        if part.is_none() || options.classic_histograms {
            kept.add(sample.labels.as_bytes(), *placed, own.iter().copied());
        }
        if let Some(part) = part {
            gathering.add(part, *placed, own);
        }
    }
    drop(families);
    kept.histograms = shown.histograms;
    kept.metadata = shown.metadata;
    kept.dropped_exemplars = shown.dropped_exemplars;
    kept.text_bytes = shown.text_bytes;
    for (labels, gathered) in gathering.all {
        kept.add_native(&labels, gathered);
    }
    if kept.check_size(options).is_err() {
        return Err(ExpositionError::TooLarge { limit: options.max_bytes });
    }
    Ok(kept)
}

/// Whether a sample is of a classic histogram of one of these families, and what.
fn part_of(labels: LabelsRef<'_>, families: &HashSet<&str>) -> Option<PartOf> {
    let (family, part) = ClassicPart::of(labels.metric_name())?;
    if !families.contains(family) {
        return None;
    }
    let bound = match part {
        ClassicPart::Bucket => labels.get("le")?.parse::<f64>().ok().filter(|bound| !bound.is_nan())?,
        ClassicPart::Count | ClassicPart::Sum => f64::INFINITY,
    };
    let mut native = labels.to_owned().to_builder();
    native.set(METRIC_NAME, family).remove("le");
    Some(PartOf { labels: native.build(), part, bound })
}

impl Gathering {
    fn add(&mut self, of: PartOf, placed: Placed, exemplars: Vec<&ShownExemplar>) {
        let place = *self.places.entry(of.labels).or_insert_with_key(|labels| {
            let gathered = Gathered { placed, parts: ClassicHistogram::default(), exemplars: Vec::new() };
            self.all.push((labels.clone(), gathered));
            self.all.len() - 1
        });
        let Some((_, gathered)) = self.all.get_mut(place) else { return };
        match of.part {
            ClassicPart::Bucket => gathered.parts.add_bucket(of.bound, placed.value),
            ClassicPart::Count => gathered.parts.set_count(placed.value),
            ClassicPart::Sum => gathered.parts.set_sum(placed.value),
        }
        gathered.exemplars.extend(exemplars.into_iter().cloned());
    }
}

impl Exposition {
    /// Adds a sample as it was elsewhere, with its exemplars.
    fn add<'e>(
        &mut self,
        labels: &[u8],
        placed: Placed,
        exemplars: impl IntoIterator<Item = &'e ShownExemplar>,
    ) {
        self.labels.extend_from_slice(labels);
        let sample = self.samples.len();
        self.samples.push(Placed { labels_end: self.labels.len(), ..placed });
        self.exemplars
            .extend(exemplars.into_iter().map(|exemplar| ShownExemplar { sample, ..exemplar.clone() }));
    }

    /// Adds what a classic histogram has become.
    fn add_native(&mut self, labels: &Labels, gathered: Gathered) {
        let Gathered { placed, parts, exemplars } = gathered;
        match parts.into_native() {
            Ok(native) => {
                let value = self.histograms.push(&native);
                self.add(labels.as_ref().as_bytes(), Placed { value, ..placed }, &exemplars);
            }
            Err(error) => {
                self.left_out += 1;
                self.first_left_out.get_or_insert_with(|| (labels.clone(), error));
            }
        }
    }

    /// Classic histograms that contradict themselves and were left out, and the first of them with what is wrong.
    pub fn left_out(&self) -> Option<(usize, &Labels, &InvalidHistogram)> {
        self.first_left_out.as_ref().map(|(labels, error)| (self.left_out, labels, error))
    }
}
