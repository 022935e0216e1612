//! Rollups: what is said of the samples of a series in every five minutes and in every hour.
//!
//! They are made when a day is over, of what a query would read, and lie in blocks of their own, one for a day and
//! a length of buckets. Such a block is one as any other; a series has six pieces in it, one for each [`Part`], whose
//! times are shifted so that they follow each other. Samples that come later than the day was rolled up take its
//! rollups away in the same step in which they go to a file, and meanwhile queries do not look at them.
//!
//! Queries with large steps read rollups instead of samples where there are any, and roll up the rest on the way.
//! Where samples are gone, the last value of each bucket stands in for them.

mod days;
mod make;
mod read;
mod roll;
mod stand_in;

pub(crate) use days::{EmptyDays, untrue};
pub(crate) use make::make_missing;
pub(crate) use read::select;
pub(crate) use stand_in::StandIns;
pub(crate) use store::RollupPart as Part;

use std::cmp::Ordering;

use model::Labels;

/// The length of buckets. A bucket has the samples after its start and until its end, which is its time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Bucket {
    FiveMinutes,
    Hour,
}

impl Bucket {
    pub(crate) const ALL: [Self; 2] = [Self::FiveMinutes, Self::Hour];

    pub(crate) fn millis(self) -> i64 {
        match self {
            Self::FiveMinutes => 300_000,
            Self::Hour => 3_600_000,
        }
    }

    pub(crate) fn from_millis(millis: i64) -> Option<Self> {
        Self::ALL.into_iter().find(|bucket| bucket.millis() == millis)
    }
}

/// By how much the times of a part are shifted: farther than any two times that can be written down are apart.
const SHIFT_MS: i64 = 1 << 45;

/// By how much the times of a part are shifted in a block of rollups.
fn shift_ms(part: Part) -> i64 {
    SHIFT_MS * part as i64
}

/// Which of two cursors has the next series in the order of labels, by what each has next.
fn order(next: [Option<&Labels>; 2]) -> Option<Ordering> {
    match next {
        [None, None] => None,
        [Some(_), None] => Some(Ordering::Less),
        [None, Some(_)] => Some(Ordering::Greater),
        [Some(first), Some(second)] => Some(first.as_ref().as_bytes().cmp(second.as_ref().as_bytes())),
    }
}
