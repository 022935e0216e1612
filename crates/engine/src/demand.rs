//! What a batch asks room of, and how much of each bound is for it.
//!
//! Samples and rows have memory of their own, so that a flood of one never refuses the other. The log and the queue they
//! share; there rows leave an eighth to samples. An eighth of everything is spare, for what has a right to it
//! ([`Intake::Spare`]). Rows for which room was taken before they came may go beyond any bound, by one request at the most,
//! and so they do not count where somebody comes for what is spare.

use store::{Batch, Intake};

/// What a batch asks room of.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Demand {
    /// Whether it has samples.
    pub(crate) has_samples: bool,
    /// Whether it has rows.
    pub(crate) has_rows: bool,
    right: Right,
}

/// By what right it comes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Right {
    Usual,
    Spare,
    Reserved,
}

impl Demand {
    pub(crate) fn of(batch: &Batch, intake: &Intake) -> Self {
        let right = match intake {
            Intake::Usual => Right::Usual,
            Intake::Spare => Right::Spare,
            Intake::Reserved(_) => Right::Reserved,
        };
        let has_rows = batch.events.iter().any(|events| events.rows.num_rows() > 0);
        Self { has_samples: !batch.metrics.is_empty(), has_rows, right }
    }

    /// That of rows for which room is to be taken before they come.
    pub(crate) fn of_rows() -> Self {
        Self { has_samples: false, has_rows: true, right: Right::Usual }
    }

    /// How much of the memory for its kind may be in use before it is refused.
    pub(crate) fn share(self, bound: u64) -> u64 {
        without_eighths(bound, self.eighths_for_others())
    }

    /// The same of what both kinds share.
    pub(crate) fn share_of_both(self, bound: u64) -> u64 {
        without_eighths(bound, self.eighths_for_others() + u64::from(self.has_rows))
    }

    /// Whether room was taken for its rows before.
    pub(crate) fn has_reserved(self) -> bool {
        self.right == Right::Reserved
    }

    /// Whether it has a right to what is spare.
    pub(crate) fn has_spare(self) -> bool {
        self.right == Right::Spare
    }

    fn eighths_for_others(self) -> u64 {
        u64::from(self.right == Right::Usual)
    }
}

fn without_eighths(bound: u64, eighths: u64) -> u64 {
    bound - bound / 8 * eighths
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_leave_room_to_samples_and_all_leave_some_to_what_has_a_right_to_it() {
        let demand = |has_rows: bool, right: Right| Demand { has_samples: !has_rows, has_rows, right };
        let cases = [
            (demand(true, Right::Usual), 70, 60),
            (demand(true, Right::Spare), 80, 70),
            (demand(false, Right::Usual), 70, 70),
            (demand(false, Right::Spare), 80, 80),
        ];
        for (demand, of_its_kind, of_both) in cases {
            assert_eq!((demand.share(80), demand.share_of_both(80)), (of_its_kind, of_both), "{demand:?}");
        }
        assert_eq!(demand(true, Right::Usual).share(1), 1, "what is small is not cut to nothing");
    }
}
