//! Between which times everything lies that a query finds.

use std::ops::Bound;

use model::{TimeRange, Timestamp};

use crate::{CompareOp, Filter, Target, Test, Value};

impl Filter {
    /// The times between which all records lie that satisfy it, by what it says of the field `clock`.
    ///
    /// A range whose start lies behind its end holds nothing.
    pub fn time_range(&self, clock: &str) -> TimeRange {
        match self {
            Self::All | Self::Not(_) => TimeRange::ALL,
            Self::And(parts) => parts.iter().fold(TimeRange::ALL, |all, part| {
                let range = part.time_range(clock);
                TimeRange::new(all.start.max(range.start), all.end.min(range.end))
            }),
            Self::Or(parts) => {
                let ranges = parts.iter().map(|part| part.time_range(clock));
                let both =
                    |a: TimeRange, b: TimeRange| TimeRange::new(a.start.min(b.start), a.end.max(b.end));
                ranges.reduce(both).unwrap_or(TimeRange::ALL)
            }
            Self::Term(term) => match &term.target {
                Target::Field { name, .. } if name == clock => of_test(&term.test),
                _ => TimeRange::ALL,
            },
        }
    }
}

fn of_test(test: &Test) -> TimeRange {
    match test {
        Test::Compare(op, Value::Time(time)) => of_comparison(*op, *time),
        Test::Between(low, high) => {
            let start = match low {
                Bound::Included(Value::Time(time)) => *time,
                Bound::Excluded(Value::Time(time)) => next(*time),
                _ => Timestamp::MIN,
            };
            let end = match high {
                Bound::Included(Value::Time(time)) => *time,
                Bound::Excluded(Value::Time(time)) => previous(*time),
                _ => Timestamp::MAX,
            };
            TimeRange::new(start, end)
        }
        _ => TimeRange::ALL,
    }
}

fn of_comparison(op: CompareOp, time: Timestamp) -> TimeRange {
    match op {
        CompareOp::Equal => TimeRange::new(time, time),
        CompareOp::Less => TimeRange::new(Timestamp::MIN, previous(time)),
        CompareOp::AtMost => TimeRange::new(Timestamp::MIN, time),
        CompareOp::Greater => TimeRange::new(next(time), Timestamp::MAX),
        CompareOp::AtLeast => TimeRange::new(time, Timestamp::MAX),
    }
}

fn next(time: Timestamp) -> Timestamp {
    Timestamp::from_nanos(time.as_nanos().saturating_add(1))
}

fn previous(time: Timestamp) -> Timestamp {
    Timestamp::from_nanos(time.as_nanos().saturating_sub(1))
}

#[cfg(test)]
mod tests;
