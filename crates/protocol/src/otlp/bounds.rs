//! How much one record may hold, in either encoding: a list of empty values takes many times the memory that its
//! bytes had.

use std::cell::Cell;

use super::error::Fault;

/// The most arrays and maps that lie in each other.
pub const MAX_DEPTH: usize = 24;
/// The most values of one record, metric point, resource or scope: attributes, items of arrays and maps, events,
/// links, exemplars, buckets, bounds and quantiles.
pub const MAX_VALUES: usize = 1 << 17;

/// What was read of the present record.
#[derive(Debug, Default)]
pub(super) struct Bounds {
    values: Cell<usize>,
    depth: Cell<usize>,
}

impl Bounds {
    /// Begins a record.
    pub(super) fn begin(&self) {
        self.values.set(0);
        self.depth.set(0);
    }

    /// Counts values that are about to be kept.
    pub(super) fn count(&self, values: usize) -> Result<(), Fault> {
        let all = self.values.get().saturating_add(values);
        self.values.set(all);
        if all > MAX_VALUES { Err(Fault::TooMany) } else { Ok(()) }
    }

    /// Goes into an array or a map. Nobody leaves what turns out to be wrong: the request ends there.
    pub(super) fn enter(&self) -> Result<(), Fault> {
        let depth = self.depth.get() + 1;
        self.depth.set(depth);
        if depth > MAX_DEPTH { Err(Fault::TooDeep) } else { Ok(()) }
    }

    /// Comes out of it.
    pub(super) fn leave(&self) {
        self.depth.set(self.depth.get().saturating_sub(1));
    }
}
