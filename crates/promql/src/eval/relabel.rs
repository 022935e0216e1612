//! `label_replace` and `label_join`.

use std::collections::HashMap;

use model::Labels;
use model::labels::METRIC_NAME;

use super::{Evaluation, Sink, same_labels};
use crate::Error;
use crate::plan::{Relabel, VectorExpr};
use crate::steps::{StepMask, Steps};

impl Relabel {
    /// The changed labels and the label that was set; none when nothing is to be changed.
    fn apply(&self, labels: &Labels) -> Option<(Labels, &str)> {
        match self {
            Self::Replace { target, replacement, source, pattern } => {
                let captures = pattern.captures(labels.get(source).unwrap_or(""))?;
                let mut value = String::new();
                captures.expand(replacement, &mut value);
                Some((labels.to_builder().set(target, value).build(), target))
            }
            Self::Join { target, separator, sources } => {
                let values: Vec<&str> =
                    sources.iter().map(|source| labels.get(source).unwrap_or("")).collect();
                Some((labels.to_builder().set(target, values.join(separator)).build(), target))
            }
        }
    }
}

impl Evaluation<'_> {
    pub(super) fn relabel(
        &self,
        relabel: &Relabel,
        input: &VectorExpr,
        steps: Steps,
        sink: &mut Sink<'_>,
    ) -> Result<(), Error> {
        let mut present: HashMap<Labels, StepMask> = HashMap::new();
        self.vector(input, steps, &mut |series| {
            if let Some((labels, target)) = relabel.apply(&series.labels) {
                series.labels = labels;
                // A name that was given here is meant to stay.
                series.drop_name &= target != METRIC_NAME;
            }
            if !present.contains_key(&series.labels) {
                self.hold(StepMask::size_in_values(steps))?;
            }
            let mask = present.entry(series.labels.clone()).or_insert_with(|| StepMask::new(steps));
            if series.present().any(|(step, _)| !mask.insert(step)) {
                return Err(same_labels());
            }
            sink(series)
        })
    }
}
