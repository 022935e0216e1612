//! How much one record may hold, in either encoding: a list of empty values takes many times the memory that its
//! bytes had.
//!
//! What lies beyond is passed over without being looked into, and noted: the record is kept without it, or told as
//! wrong, but the records beside it are taken.

use std::cell::Cell;

use model::event::{Flaw, Flaws};

/// The most arrays and maps that lie in each other.
pub const MAX_DEPTH: usize = 24;
/// The most values of one record, metric point, resource or scope: attributes, items of arrays and maps, events,
/// links, exemplars, buckets, bounds and quantiles.
pub const MAX_VALUES: usize = 1 << 17;

/// What of a record was passed over, because there is more in it than is read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Beyond {
    /// Arrays and maps that lie in more than [`MAX_DEPTH`] others; a text stands for each of them.
    pub depth: bool,
    /// Values behind the first [`MAX_VALUES`].
    pub values: bool,
}

impl Beyond {
    /// Whether all was read.
    pub(super) fn is_nothing(self) -> bool {
        self == Self::default()
    }

    /// What stands for it on a record that is kept.
    pub(super) fn flaws(self) -> Flaws {
        let flaws = [(self.depth, Flaw::Depth), (self.values, Flaw::Values)];
        flaws.into_iter().filter_map(|(is_so, flaw)| is_so.then_some(flaw)).collect()
    }

    /// What is wrong with whatever has it, in words that say what to change; nothing where all was read.
    pub(super) fn reason(self) -> Option<String> {
        if self.values {
            return Some(format!("there are more than {MAX_VALUES} values in it: send smaller ones"));
        }
        self.depth.then(|| format!("its values are nested more than {MAX_DEPTH} deep"))
    }
}

/// What was read of the present record.
#[derive(Debug, Default)]
pub(super) struct Bounds {
    values: Cell<usize>,
    depth: Cell<usize>,
    beyond: Cell<Beyond>,
}

impl Bounds {
    /// Begins a record.
    pub(super) fn begin(&self) {
        self.values.set(0);
        self.depth.set(0);
        self.beyond.set(Beyond::default());
    }

    /// What was passed over since then.
    pub(super) fn beyond(&self) -> Beyond {
        self.beyond.get()
    }

    /// Counts values that are about to be kept, if there is room for them; or else notes that they are passed over.
    #[must_use]
    pub(super) fn count(&self, values: usize) -> bool {
        let all = self.values.get().saturating_add(values);
        let has_room = all <= MAX_VALUES;
        if has_room {
            self.values.set(all);
        } else {
            self.pass_over();
        }
        has_room
    }

    /// Uncounts a value that turned out not to be there.
    pub(super) fn give_back(&self) {
        self.values.set(self.values.get().saturating_sub(1));
    }

    /// Notes that a value is passed over because there are too many.
    pub(super) fn pass_over(&self) {
        self.beyond.set(Beyond { values: true, ..self.beyond.get() });
    }

    /// Whether there is no room for another value.
    pub(super) fn is_full(&self) -> bool {
        self.values.get() >= MAX_VALUES
    }

    /// Goes into an array or a map, unless that lies too deep: then it is noted, and there is nothing to leave.
    #[must_use]
    pub(super) fn enter(&self) -> bool {
        let has_room = self.depth.get() < MAX_DEPTH;
        if has_room {
            self.depth.set(self.depth.get() + 1);
        } else {
            self.beyond.set(Beyond { depth: true, ..self.beyond.get() });
        }
        has_room
    }

    /// Comes out of it. Nobody leaves what turns out to be wrong: the request ends there.
    pub(super) fn leave(&self) {
        self.depth.set(self.depth.get().saturating_sub(1));
    }
}
