//! One of the ways that things can have gone: which batches the store has taken, and what it has of them.
//!
//! It follows the store in what becomes of a sample. One that is older than the newest of its series by more than
//! the window is refused. One whose time the head has is a double. Any other is stored, though files may have its
//! time: queries and merges give the value that came first. So of each time all values are known here, in the
//! order in which they came, and with each whether retention may have taken it.
//!
//! Where the store's head ends and files begin, and what it remembers of earlier heads, is known only while
//! nothing fails. From then on this says "maybe", until files were written without a fault.

use std::collections::BTreeMap;

use ::model::Sample;
use store::Appended;

use super::batches::{Sent, WINDOW_MS};
use crate::fixture::told_of;

/// A sample by its series and its time, or a row by [`ROWS`] and its time.
pub(crate) type Key = (&'static str, i64);

/// What a store answers: the bits of values; rows have none.
pub(crate) type Found = BTreeMap<Key, u64>;

/// Stands where samples have the name of their series. No series has this name.
pub(crate) const ROWS: &str = "deploys";

/// One of the ways that things can have gone.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct World {
    slots: BTreeMap<Key, Slot>,
    newest: BTreeMap<&'static str, Newest>,
    /// Tells heads apart: there has been no more than one new head for each step.
    head: u32,
    /// Whether only a call of ours puts another head in the place of this one.
    is_head_known: bool,
}

/// What was sent for one time of a series, in the order in which it came. The store answers the first that it has.
#[derive(Clone, Debug, Default, PartialEq)]
struct Slot {
    values: Vec<Value>,
    in_head: InHead,
}

#[derive(Clone, Copy, Debug, PartialEq)]
struct Value {
    bits: u64,
    /// Whether neither this nor one before it need be there: retention may have taken them, or it came too late.
    may_be_gone: bool,
}

/// Whether the head that takes samples now has a time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum InHead {
    Yes,
    Maybe,
    #[default]
    No,
}

/// The newest time of a series.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Newest {
    /// As far as anybody can know.
    most_ms: i64,
    /// As far as the store knows in any case, and the head that had a sample of the series then.
    sure: Option<(i64, u32)>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Age {
    Young,
    /// It depends on what the store remembers.
    Unsure,
    Old,
}

/// What is taken to be so of samples that may be too old.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Guess {
    Taken,
    Refused,
    /// Each may be the one or the other.
    Open,
}

/// Whether what was found stays, until retention takes it again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stays {
    Surely,
    Maybe,
}

/// What the store may say of a batch.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Tally {
    stored: u64,
    duplicate: u64,
    old: u64,
    /// Stored or duplicate.
    either: u64,
    /// Stored, duplicate or too old.
    unsure: u64,
    rows: u64,
}

impl World {
    /// The world after a batch that the store has taken, and what it may say of it.
    pub(crate) fn after(&self, sent: &Sent, guess: Guess) -> (Self, Tally) {
        let (mut after, mut tally) = (self.clone(), Tally::default());
        for (name, sample) in sent.samples() {
            after.take(name, sample, guess, &mut tally);
        }
        let here = after.taken_to();
        for time_ms in &sent.rows {
            after.slots.entry((ROWS, *time_ms)).or_default().take(0, here);
            tally.rows += 1;
        }
        (after, tally)
    }

    /// The world after a batch of which the store said this, if it can say that here.
    pub(crate) fn acknowledged(&self, sent: &Sent, appended: &Appended) -> Option<Self> {
        let (after, tally) = self.after(sent, Guess::Open);
        if !tally.allows(appended) {
            return None;
        }
        let refused = appended.samples_too_old - tally.old;
        let guess = if refused == 0 {
            Guess::Taken
        } else if refused == tally.unsure {
            Guess::Refused
        } else {
            Guess::Open
        };
        Some(if tally.unsure == 0 { after } else { self.after(sent, guess).0 })
    }

    fn take(&mut self, name: &'static str, sample: Sample, guess: Guess, tally: &mut Tally) {
        let (key, bits) = ((name, sample.time_ms), told_of(sample.value));
        let age = self.age(name, sample.time_ms);
        let here = self.taken_to();
        tally.count(age, self.slots.get(&key).map_or(InHead::No, |slot| slot.in_head));
        match (age, guess) {
            (Age::Old, _) | (Age::Unsure, Guess::Refused) => {}
            (Age::Unsure, Guess::Open) => self.slots.entry(key).or_default().may_take(bits),
            (Age::Unsure, Guess::Taken) => self.slots.entry(key).or_default().take(bits, here),
            (Age::Young, _) => {
                self.slots.entry(key).or_default().take(bits, here);
                self.note_newest(name, sample.time_ms);
            }
        }
    }

    /// Where that is which the store takes now.
    fn taken_to(&self) -> InHead {
        if self.is_head_known { InHead::Yes } else { InHead::Maybe }
    }

    fn age(&self, name: &str, time_ms: i64) -> Age {
        let Some(newest) = self.newest.get(name) else { return Age::Young };
        let is_too_old = |newest_ms: i64| time_ms < newest_ms - WINDOW_MS;
        if self.sure_newest(newest).is_some_and(is_too_old) {
            Age::Old
        } else if is_too_old(newest.most_ms) {
            Age::Unsure
        } else {
            Age::Young
        }
    }

    /// The store forgets a series that had no sample in the head before this one.
    fn sure_newest(&self, newest: &Newest) -> Option<i64> {
        newest.sure.filter(|(_, head)| self.head - head <= 1).map(|(newest_ms, _)| newest_ms)
    }

    fn note_newest(&mut self, name: &'static str, time_ms: i64) {
        let before = self.newest.get(name).copied();
        let most_ms = before.map_or(time_ms, |before| before.most_ms.max(time_ms));
        let sure_ms = before.and_then(|before| self.sure_newest(&before));
        let sure_ms = sure_ms.map_or(time_ms, |before| before.max(time_ms));
        let sure = self.is_head_known.then_some((sure_ms, self.head));
        self.newest.insert(name, Newest { most_ms, sure });
    }

    /// A store was opened: its head is what it found in the log, and of earlier heads it remembers nothing.
    pub(crate) fn opened(&mut self) {
        self.forget_head();
        self.is_head_known = true;
    }

    /// Everything that was in memory was written to files.
    pub(crate) fn written(&mut self) {
        self.slots.values_mut().for_each(|slot| slot.in_head = InHead::No);
        self.head += 1;
        self.is_head_known = true;
    }

    /// Writing files has failed. How far it came nobody knows, and the store tries again by itself.
    pub(crate) fn may_be_written(&mut self) {
        self.forget_head();
        self.is_head_known = false;
    }

    fn forget_head(&mut self) {
        for slot in self.slots.values_mut().filter(|slot| slot.in_head == InHead::Yes) {
            slot.in_head = InHead::Maybe;
        }
        self.newest.values_mut().for_each(|newest| newest.sure = None);
    }

    /// What is older than a time may have been taken out of files, of what `concerns` says.
    pub(crate) fn may_expire(&mut self, horizon_ms: i64, concerns: impl Fn(&str) -> bool) {
        for ((name, time_ms), slot) in &mut self.slots {
            if *time_ms < horizon_ms && concerns(name) {
                slot.may_expire();
            }
        }
    }

    /// What is known once this was found; what differs, where it cannot be found here.
    pub(crate) fn seen(&self, found: &Found, stays: Stays) -> Result<Self, Vec<String>> {
        let mut seen = self.clone();
        let mut differences: Vec<String> = found
            .keys()
            .filter(|key| !self.slots.contains_key(*key))
            .map(|key| format!("{key:?} was never sent, refused, or gone before"))
            .collect();
        seen.slots.retain(|key, slot| {
            if let Err(difference) = slot.see(found.get(key).copied(), stays) {
                differences.push(format!("{key:?} {difference}"));
            }
            !slot.values.is_empty()
        });
        if differences.is_empty() { Ok(seen) } else { Err(differences) }
    }
}

impl Slot {
    fn take(&mut self, bits: u64, here: InHead) {
        if self.in_head != InHead::Yes {
            self.values.push(Value { bits, may_be_gone: false });
            self.in_head = here;
        }
    }

    fn may_take(&mut self, bits: u64) {
        if self.in_head != InHead::Yes {
            self.values.push(Value { bits, may_be_gone: true });
            self.in_head = InHead::Maybe;
        }
    }

    /// Retention takes nothing out of memory.
    fn may_expire(&mut self) {
        let in_memory = usize::from(self.in_head == InHead::Yes);
        let in_files = self.values.len() - in_memory;
        self.values[..in_files].iter_mut().for_each(|value| value.may_be_gone = true);
    }

    /// Holds what was found against what may be: the first value that is sure to be there, or one before it. Those
    /// before what was found are gone.
    fn see(&mut self, found: Option<u64>, stays: Stays) -> Result<(), &'static str> {
        let sure = self.values.iter().position(|value| !value.may_be_gone);
        let Some(bits) = found else {
            self.values.clear();
            return if sure.is_none() { Ok(()) } else { Err("is lost") };
        };
        let Some(place) = self.values.iter().position(|value| value.bits == bits) else {
            return Err("has a value that was never sent, or refused");
        };
        if sure.is_some_and(|sure| sure < place) {
            return Err("has a value that came after another");
        }
        self.values.drain(..place);
        if stays == Stays::Surely {
            self.values[0].may_be_gone = false;
        }
        Ok(())
    }
}

impl Tally {
    fn count(&mut self, age: Age, before: InHead) {
        let counted = match (age, before) {
            (Age::Old, _) => &mut self.old,
            (Age::Unsure, _) => &mut self.unsure,
            (Age::Young, InHead::No) => &mut self.stored,
            (Age::Young, InHead::Yes) => &mut self.duplicate,
            (Age::Young, InHead::Maybe) => &mut self.either,
        };
        *counted += 1;
    }

    /// Whether the store may say this.
    fn allows(&self, appended: &Appended) -> bool {
        let said = [appended.samples, appended.samples_duplicate, appended.samples_too_old];
        let sure = [self.stored, self.duplicate, self.old];
        let more = [self.either + self.unsure, self.either + self.unsure, self.unsure];
        let all = sure.iter().sum::<u64>() + self.either + self.unsure;
        said.iter().sum::<u64>() == all
            && (0..3).all(|at| (sure[at]..=sure[at] + more[at]).contains(&said[at]))
            && (appended.samples_over_series_limit, appended.rows) == (0, self.rows)
    }
}
