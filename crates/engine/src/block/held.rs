//! Memory of what queries read of the labels and indexes of blocks: what one selector may take of it, and what all
//! queries hold together.
//!
//! A selector counts what it uses, whoever has read it. What a block holds is counted once, however many queries use
//! it, and until nobody does any more. Start reading at [`Budget`].

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use parking_lot::Mutex;

/// A selector is let through, however much is held, until it has taken this part of what it may take: what rules ask
/// for is small, and is answered beside the largest queries of people.
const SMALL_PART: usize = 32;

/// Which bound is reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Full {
    /// That of one selector.
    One,
    /// That of all queries together.
    All,
}

/// How many bytes one selector may take, and has taken.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Budget {
    most: usize,
    small: usize,
    taken: usize,
}

impl Budget {
    pub(crate) fn of(most: usize) -> Self {
        Self { most, small: most / SMALL_PART, taken: 0 }
    }

    /// Bounded by what all queries may hold, and by nothing else.
    pub(crate) fn of_all() -> Self {
        Self { most: usize::MAX, small: 0, taken: 0 }
    }

    /// Takes what is in memory already. What does not fit is not taken.
    pub(crate) fn take(&mut self, bytes: usize) -> Result<(), Full> {
        self.taken = self.with(bytes)?;
        Ok(())
    }

    /// Takes what is read now, and is held from now on. What does not fit is neither.
    pub(crate) fn read(&mut self, bytes: usize, held: &Held) -> Result<(), Full> {
        let taken = self.with(bytes)?;
        if taken <= self.small {
            held.add(bytes);
        } else if !held.try_add(bytes) {
            return Err(Full::All);
        }
        self.taken = taken;
        Ok(())
    }

    fn with(&self, bytes: usize) -> Result<usize, Full> {
        self.taken.checked_add(bytes).filter(|taken| *taken <= self.most).ok_or(Full::One)
    }
}

/// The bytes that all queries hold together.
#[derive(Debug)]
pub(crate) struct Total {
    bytes: AtomicUsize,
    most: usize,
}

impl Total {
    pub(crate) fn within(most: usize) -> Arc<Self> {
        Arc::new(Self { bytes: AtomicUsize::new(0), most })
    }

    /// The most that may be held.
    pub(crate) fn most(&self) -> usize {
        self.most
    }
}

/// A part of what is held, which is given back when this is dropped.
#[derive(Debug)]
pub(crate) struct Held {
    total: Arc<Total>,
    bytes: Mutex<usize>,
}

impl Held {
    /// Nothing, yet.
    pub(crate) fn of(total: &Arc<Total>) -> Self {
        Self { total: Arc::clone(total), bytes: Mutex::new(0) }
    }

    fn add(&self, more: usize) {
        let mut bytes = self.bytes.lock();
        self.total.bytes.fetch_add(more, Ordering::Relaxed);
        *bytes += more;
    }

    /// Adds some if there is room for it, and says whether there is.
    pub(crate) fn try_add(&self, more: usize) -> bool {
        let mut bytes = self.bytes.lock();
        let add = |all: usize| all.checked_add(more).filter(|all| *all <= self.total.most);
        let is_added = self.total.bytes.fetch_update(Ordering::Relaxed, Ordering::Relaxed, add).is_ok();
        if is_added {
            *bytes += more;
        }
        is_added
    }

    /// Notes how much it is now, whether there is room for that or not.
    pub(crate) fn measured(&self, now: usize) {
        let mut bytes = self.bytes.lock();
        if now > *bytes {
            self.total.bytes.fetch_add(now - *bytes, Ordering::Relaxed);
        } else {
            self.total.bytes.fetch_sub(*bytes - now, Ordering::Relaxed);
        }
        *bytes = now;
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.total.bytes.fetch_sub(*self.bytes.get_mut(), Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn held_in(total: &Total) -> usize {
        total.bytes.load(Ordering::Relaxed)
    }

    #[test]
    fn a_selector_takes_no_more_than_it_may_and_what_does_not_fit_is_not_taken() {
        let total = Total::within(1000);
        let held = Held::of(&total);
        let mut budget = Budget::of(320);
        assert_eq!(budget.read(200, &held), Ok(()));
        assert_eq!(budget.take(100), Ok(()));
        assert_eq!(budget.read(21, &held), Err(Full::One));
        assert_eq!(budget.take(21), Err(Full::One));
        assert_eq!(held_in(&total), 200, "what is in memory already was counted before");
        assert_eq!(budget.read(20, &held), Ok(()));
        assert_eq!(held_in(&total), 220);
    }

    #[test]
    fn all_hold_no_more_than_they_may_together_until_some_is_given_back_and_the_small_are_let_through() {
        let total = Total::within(1000);
        let (first, second) = (Held::of(&total), Held::of(&total));
        assert_eq!(Budget::of(320).read(320, &first), Ok(()));
        assert_eq!(Budget::of_all().read(600, &first), Ok(()));
        assert_eq!(Budget::of(320).read(81, &second), Err(Full::All));
        assert_eq!(Budget::of(320).read(80, &second), Ok(()));
        assert_eq!(Budget::of_all().read(1, &second), Err(Full::All));
        let mut small = Budget::of(320);
        assert_eq!(small.read(10, &second), Ok(()));
        assert_eq!(small.read(1, &second), Err(Full::All));
        assert_eq!(held_in(&total), 1010);
        first.measured(500);
        assert_eq!(held_in(&total), 590);
        first.measured(930);
        assert_eq!(held_in(&total), 1020, "what was measured is there, whether there is room or not");
        drop(first);
        assert_eq!(held_in(&total), 90);
        assert_eq!(Budget::of(320).read(81, &second), Ok(()));
        drop(second);
        assert_eq!(held_in(&total), 0);
    }
}
