//! `and`, `or` and `unless`: of the side that only decides, no more than a bit a step is kept.

use std::collections::HashMap;

use super::kind::Kind;
use super::{Evaluation, Sink};
use crate::Error;
use crate::labelset::LabelFilter;
use crate::plan::{SetOperation, SetOperator, VectorExpr};
use crate::steps::{StepMask, StepSeries, Steps};

/// The steps at which any series of a side has a value, by what matches. Nearly always one kind matches.
type Presence = HashMap<Vec<u8>, Vec<(Kind, StepMask)>>;

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
            let kind = Kind::of(series, matching);
            let has_kind =
                presence.get(&key).is_some_and(|kinds| kinds.iter().any(|(known, _)| *known == kind));
            if !has_kind {
                self.hold_key(&key, StepMask::size_in_values(steps))?;
                presence.entry(key.clone()).or_default().push((kind.clone(), StepMask::new(steps)));
            }
            let mut kinds = presence.get_mut(&key).into_iter().flatten();
            if let Some((_, mask)) = kinds.find(|(known, _)| *known == kind) {
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
            let kind = Kind::of(series, matching);
            let kinds = presence.get(&key).map_or(&[][..], Vec::as_slice);
            let is_there = |step| kinds.iter().any(|(other, mask)| other.fits(&kind) && mask.contains(step));
            series.keep(|step| is_there(step) == wanted);
            if series.is_empty() { Ok(()) } else { sink(series) }
        })
    }
}
