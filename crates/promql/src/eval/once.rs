//! Parts that are evaluated once: those that are the same at every step, and those that a query has more than once.

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

use super::{Evaluation, Sink};
use crate::Error;
use crate::plan::{Shared, VectorExpr};
use crate::steps::{StepSeries, Steps};

/// What share of what a query may hold is for results that are kept for the next place that needs them.
const SHARE_OF_HELD: u64 = 4;

/// Which part, and at which steps it was evaluated.
type Key = (usize, i64, i64, usize);

/// Results of parts that occur more than once; nothing in place of one that was too large to be kept.
#[derive(Default)]
pub(super) struct Kept {
    results: RefCell<HashMap<Key, Option<Rc<Vec<StepSeries>>>>>,
}

impl Evaluation<'_> {
    /// A part that is the same at every step.
    pub(super) fn fixed(&self, input: &VectorExpr, steps: Steps, sink: &mut Sink<'_>) -> Result<(), Error> {
        if steps.count <= 1 {
            return self.vector(input, steps, sink);
        }
        let first = Steps { count: 1, ..steps };
        self.vector(input, first, &mut |series| {
            if let Some(value) = series.values.first().copied() {
                series.values.resize(steps.count, value);
            }
            sink(series)
        })
    }

    /// A part that occurs more than once: its result is kept when it is not too large.
    pub(super) fn shared(&self, shared: &Shared, steps: Steps, sink: &mut Sink<'_>) -> Result<(), Error> {
        let key = (shared.id, steps.start_ms, steps.step_ms, steps.count);
        let kept = self.kept.results.borrow().get(&key).cloned();
        match kept {
            Some(Some(series)) => {
                for series in series.iter() {
                    self.check()?;
                    sink(&mut series.clone())?;
                }
                return Ok(());
            }
            Some(None) => return self.vector(&shared.input, steps, sink),
            None => {}
        }
        let mut copies = Some(Vec::new());
        let mut held = 0;
        self.vector(&shared.input, steps, &mut |series| {
            if let Some(list) = &mut copies {
                let values = super::held::labels_in_values(&series.labels) + series.size_in_values();
                if self.held.has_room(values as u64, SHARE_OF_HELD) {
                    self.hold(values)?;
                    held += values;
                    list.push(series.clone());
                } else {
                    copies = None;
                    self.held.give_back(held as u64);
                }
            }
            sink(series)
        })?;
        self.kept.results.borrow_mut().insert(key, copies.map(Rc::new));
        Ok(())
    }
}
