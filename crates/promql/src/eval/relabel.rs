//! `label_replace` and `label_join`.

use std::collections::HashMap;

use model::Labels;
use model::labels::{MAX_LABEL_BYTES, METRIC_NAME};

use super::{Evaluation, Sink, same_labels};
use crate::Error;
use crate::plan::{Relabel, VectorExpr};
use crate::steps::{StepMask, Steps};
use crate::template::bounded;

impl Relabel {
    /// The changed labels and the label that was set; none when nothing is to be changed.
    fn apply(&self, labels: &Labels) -> Result<Option<(Labels, &str)>, Error> {
        let value_of = |name: &str| labels.get(name).unwrap_or("");
        let (target, value) = match self {
            Self::Replace { target, replacement, source, pattern } => {
                let Some(captures) = pattern.captures(value_of(source)) else { return Ok(None) };
                (target, replacement.expand(&captures, MAX_LABEL_BYTES))
            }
            Self::Join { target, separator, sources } => {
                let parts = sources.iter().enumerate().flat_map(|(place, source)| {
                    [if place == 0 { "" } else { separator.as_str() }, value_of(source)]
                });
                (target, bounded(parts, MAX_LABEL_BYTES))
            }
        };
        let value = value.ok_or_else(|| self.too_long(target))?;
        Ok(Some((labels.to_builder().set(target, value).build(), target)))
    }

    fn too_long(&self, target: &str) -> Error {
        let (function, advice) = match self {
            Self::Replace { .. } => ("label_replace", "shorten the replacement"),
            Self::Join { .. } => ("label_join", "join fewer labels"),
        };
        Error::Execution(format!(
            "{function}() gives the label {target:?} a value of more than {MAX_LABEL_BYTES} bytes, the most that a \
             label can have; {advice}"
        ))
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
            if let Some((labels, target)) = relabel.apply(&series.labels)? {
                series.labels = labels;
                // A name that was given here is meant to stay.
                series.drop_name &= target != METRIC_NAME;
            }
            if !present.contains_key(&series.labels) {
                self.hold_series(&series.labels, StepMask::size_in_values(steps))?;
            }
            let mask = present.entry(series.labels.clone()).or_insert_with(|| StepMask::new(steps));
            if series.present().any(|(step, _)| !mask.insert(step)) {
                return Err(same_labels());
            }
            sink(series)
        })
    }
}
