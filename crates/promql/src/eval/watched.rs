//! What parts of a plan cost, for whoever asks.

use std::cell::{Cell, RefCell};
use std::time::{Duration, Instant};

use super::{Evaluation, Sink};
use crate::Error;
use crate::plan::Watched;
use crate::steps::Steps;

/// What the evaluation of one part was.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Cost {
    /// How often it was evaluated.
    pub(crate) times: u64,
    /// Series that it gave.
    pub(crate) series: u64,
    /// Samples that it gave, of all steps.
    pub(crate) samples: u64,
    /// Samples that were read from the store for it and all below it.
    pub(crate) samples_read: u64,
    /// How long it took with all below it, without what was done with its result.
    pub(crate) time: Duration,
}

/// The costs of all parts, by their numbers.
#[derive(Debug, Default)]
pub(crate) struct Costs {
    parts: RefCell<Vec<Cost>>,
    /// Samples that were read for all of it.
    samples_read: Cell<u64>,
}

impl Costs {
    fn add(&self, part: usize, cost: Cost) {
        let mut parts = self.parts.borrow_mut();
        if parts.len() <= part {
            parts.resize(part + 1, Cost::default());
        }
        let into = &mut parts[part];
        into.times += 1;
        into.series += cost.series;
        into.samples += cost.samples;
        into.samples_read += cost.samples_read;
        into.time += cost.time;
    }

    pub(super) fn note_read(&self, samples: u64) {
        self.samples_read.set(self.samples_read.get() + samples);
    }

    /// How many samples were read, and the costs of all parts.
    pub(crate) fn into_parts(self) -> (u64, Vec<Cost>) {
        (self.samples_read.get(), self.parts.into_inner())
    }
}

impl Evaluation<'_> {
    pub(super) fn watched(&self, watched: &Watched, steps: Steps, sink: &mut Sink<'_>) -> Result<(), Error> {
        let mut cost = Cost::default();
        let mut elsewhere = Duration::ZERO;
        let read_before = self.samples_read.get();
        let began = Instant::now();
        let result = self.vector(&watched.input, steps, &mut |series| {
            cost.series += 1;
            cost.samples += series.present().count() as u64;
            let given = Instant::now();
            let result = sink(series);
            elsewhere += given.elapsed();
            result
        });
        cost.time = began.elapsed().saturating_sub(elsewhere);
        // What is read while the result is used is read by nobody below: streams come one after the other.
        cost.samples_read = self.samples_read.get() - read_before;
        if let Some(costs) = self.costs {
            costs.add(watched.part, cost);
        }
        result
    }
}
