//! `and`, `or` and `unless`: of the side that only decides, no more than a bit a step is kept.

use std::collections::HashMap;

use super::{Evaluation, Sink};
use crate::Error;
use crate::labelset::LabelFilter;
use crate::plan::{SetOperation, SetOperator, VectorExpr};
use crate::steps::{StepMask, StepSeries, Steps};

/// The steps at which any series of a side has a value, by what matches.
type Presence = HashMap<Vec<u8>, StepMask>;

impl Evaluation<'_> {
    pub(super) fn set_operation(
        &self,
        operation: &SetOperation,
        steps: Steps,
        sink: &mut Sink<'_>,
    ) -> Result<(), Error> {
        let SetOperation { operator, left, right, matching } = operation;
        match operator {
            SetOperator::And => {
                let presence = self.presence(right, matching, steps, &mut |_| Ok(()))?;
                self.masked(left, matching, &presence, true, steps, sink)
            }
            SetOperator::Unless => {
                let presence = self.presence(right, matching, steps, &mut |_| Ok(()))?;
                self.masked(left, matching, &presence, false, steps, sink)
            }
            SetOperator::Or => {
                let presence = self.presence(left, matching, steps, sink)?;
                self.masked(right, matching, &presence, false, steps, sink)
            }
        }
    }

    /// Notes where a side has values, passing its series on.
    fn presence(
        &self,
        side: &VectorExpr,
        matching: &LabelFilter,
        steps: Steps,
        sink: &mut Sink<'_>,
    ) -> Result<Presence, Error> {
        let mut presence = Presence::new();
        let mut key = Vec::new();
        self.vector(side, steps, &mut |series| {
            matching.write_key(series.labels.as_ref(), &mut key);
            if !presence.contains_key(&key) {
                self.hold_key(&key, StepMask::size_in_values(steps))?;
                presence.insert(key.clone(), StepMask::new(steps));
            }
            if let Some(mask) = presence.get_mut(&key) {
                series.present().for_each(|(step, _)| {
                    mask.insert(step);
                });
            }
            sink(series)
        })?;
        Ok(presence)
    }

    /// Passes the values on whose match is present, or is not.
    fn masked(
        &self,
        side: &VectorExpr,
        matching: &LabelFilter,
        presence: &Presence,
        wanted: bool,
        steps: Steps,
        sink: &mut Sink<'_>,
    ) -> Result<(), Error> {
        let mut key = Vec::new();
        self.vector(side, steps, &mut |series: &mut StepSeries| {
            matching.write_key(series.labels.as_ref(), &mut key);
            let mask = presence.get(&key);
            series.keep(|step| mask.is_some_and(|mask| mask.contains(step)) == wanted);
            if series.is_empty() { Ok(()) } else { sink(series) }
        })
    }
}
