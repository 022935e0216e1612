//! Lines counted over windows of time, at each step of a range: `count_over_time({…}[1m])` and the like.
//!
//! A line counts at a step when it lies in the window that ends there: behind its beginning, up to its end. Each is
//! looked at once, however many windows it lies in: it adds where the first of them is, and takes away behind the last.

use std::cmp::Ordering;
use std::time::Duration;

use arrow::array::RecordBatch;
use model::{TimeRange, Timestamp};
use search::Datum;
use search::logql::{Counts, Function, Grouping, Top, TopEnd};
use store::{Cancel, Table, TelemetryStore};

use crate::Error;
use crate::audits::in_table;
use crate::fields::{Holds, Source};
use crate::sets::{Labels, Sets};
use crate::streams::{LINE, STREAM_LABELS, selected};
use crate::values::{First, Values};

/// The most steps of a range.
pub const MAX_STEPS: usize = 11_000;
/// The most series that are told apart, where there are few steps.
pub const MAX_SERIES: usize = 500;
/// The most points of all series together.
const MAX_POINTS: usize = 1 << 20;

/// The instants at which is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Steps {
    /// The first.
    pub first: Timestamp,
    /// From one to the next.
    pub step: Duration,
    /// How many, at most [`MAX_STEPS`].
    pub count: usize,
}

impl Steps {
    /// A time in which there is one step.
    pub const fn one(at: Timestamp) -> Self {
        Self { first: at, step: Duration::from_secs(1), count: 1 }
    }

    /// An instant by its place.
    pub fn at(&self, place: usize) -> Timestamp {
        let behind = self.step.as_nanos().saturating_mul(place as u128);
        self.first.after(Duration::from_nanos(u64::try_from(behind).unwrap_or(u64::MAX)))
    }
}

/// A series of counts.
#[derive(Clone, Debug, PartialEq)]
pub struct Windowed {
    /// Its labels.
    pub labels: Labels,
    /// A value for each step; none where no line lies in the window.
    pub values: Vec<Option<f64>>,
}

/// What a query counts at each step.
pub fn windows(
    store: &dyn TelemetryStore,
    counts: &Counts,
    steps: Steps,
    cancel: &Cancel,
) -> Result<Vec<Windowed>, Error> {
    let steps = Steps { count: steps.count.clamp(1, MAX_STEPS), ..steps };
    let mut sets = Sets::new(grouped(&counts.grouping).into_iter(), MAX_SERIES.min(MAX_POINTS / steps.count));
    let mut sums: Vec<Sums> = Vec::new();
    let begin = steps.first.before(counts.window).after(Duration::from_nanos(1));
    let selection = selected(&counts.lines, TimeRange::new(begin, steps.at(steps.count - 1)));
    let time = Source::Column("time", Holds::Time);
    let counts_bytes = matches!(counts.function, Function::Bytes | Function::BytesRate);
    let columns = sets.columns(["time", if counts_bytes { LINE } else { "time" }]);
    let mut add = |table: Table, rows: &RecordBatch| {
        let line = in_table(table, vec![Source::Column(LINE, Holds::Text)]);
        let (times, lines) = (Values::of(rows, &time), First::of(rows, &line));
        sets.each(table, rows, |row, place| {
            if place == sums.len() {
                sums.push(Sums::new(steps));
            }
            let Some(Datum::Time(time)) = times.get(row) else { return };
            let weight = match lines.get(row) {
                _ if !counts_bytes => 1,
                Some(line) => i64::try_from(line.text().len()).unwrap_or(i64::MAX),
                None => 0,
            };
            sums[place].add(time, counts.window, weight);
        })
    };
    selection.each(store, columns, cancel, &mut add)?;
    let per = match counts.function {
        Function::Count | Function::Bytes => 1.0,
        Function::Rate | Function::BytesRate => counts.window.as_secs_f64(),
    };
    let found = sets.into_labels().into_iter().zip(sums);
    let mut series: Vec<Windowed> =
        found.map(|(labels, sums)| Windowed { labels, values: sums.values(per) }).collect();
    series.sort_by(|a, b| a.labels.cmp(&b.labels));
    if let Some(top) = counts.top {
        keep_top(&mut series, top, steps.count);
    }
    series.retain(|series| series.values.iter().any(Option::is_some));
    Ok(series)
}

/// The labels that series have.
fn grouped(grouping: &Grouping) -> Vec<&str> {
    match grouping {
        Grouping::Streams => STREAM_LABELS.to_vec(),
        Grouping::By(labels) => labels.iter().map(String::as_str).collect(),
        Grouping::Without(labels) => {
            let stays = |name: &&str| !labels.iter().any(|label| label == name);
            STREAM_LABELS.into_iter().filter(stays).collect()
        }
    }
}

/// What one series sums up to, in the making.
struct Sums {
    steps: Steps,
    /// By how much the sum at a step differs from the one before it.
    changes: Vec<i64>,
}

impl Sums {
    fn new(steps: Steps) -> Self {
        Self { steps, changes: vec![0; steps.count + 1] }
    }

    fn add(&mut self, time: Timestamp, window: Duration, weight: i64) {
        let behind = i128::from(time.as_nanos()) - i128::from(self.steps.first.as_nanos());
        let window = i128::try_from(window.as_nanos()).unwrap_or(i128::MAX / 2);
        let (first, end) = (self.place_from(behind), self.place_from(behind + window));
        if first < end {
            self.changes[first] += weight;
            self.changes[end] -= weight;
        }
    }

    /// The first step that lies so many nanoseconds behind the first one, or later; at most the number of steps.
    fn place_from(&self, behind: i128) -> usize {
        let step = i128::try_from(self.steps.step.as_nanos()).unwrap_or(i128::MAX).max(1);
        let place = -(-behind).div_euclid(step);
        usize::try_from(place.max(0)).unwrap_or(usize::MAX).min(self.steps.count)
    }

    fn values(self, per: f64) -> Vec<Option<f64>> {
        let mut sum = 0i64;
        let mut values = Vec::with_capacity(self.steps.count);
        for change in self.changes.into_iter().take(self.steps.count) {
            sum = sum.saturating_add(change);
            values.push((sum != 0).then(|| sum as f64 / per));
        }
        values
    }
}

/// Leaves at each step only those values that are at an end of their order.
fn keep_top(series: &mut [Windowed], top: Top, steps: usize) {
    for step in 0..steps {
        let value = |(place, one): (usize, &Windowed)| one.values[step].map(|value| (value, place));
        let mut there: Vec<(f64, usize)> = series.iter().enumerate().filter_map(value).collect();
        there.sort_by(|a, b| in_order(top.end, a.0, b.0).then(a.1.cmp(&b.1)));
        for (_, place) in there.into_iter().skip(top.count) {
            series[place].values[step] = None;
        }
    }
}

fn in_order(end: TopEnd, a: f64, b: f64) -> Ordering {
    match end {
        TopEnd::Most => b.total_cmp(&a),
        TopEnd::Least => a.total_cmp(&b),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_counts_in_each_window_that_ends_at_it_or_behind_it_and_begins_before_it() {
        // Steps at 100, 110, 120, 130; windows of 15.
        let steps = Steps { first: Timestamp::from_nanos(100), step: Duration::from_nanos(10), count: 4 };
        let cases = [
            (85, [0, 0, 0, 0]),
            (86, [1, 0, 0, 0]),
            (95, [1, 0, 0, 0]),
            (96, [1, 1, 0, 0]),
            (100, [1, 1, 0, 0]),
            (101, [0, 1, 0, 0]),
            (110, [0, 1, 1, 0]),
            (120, [0, 0, 1, 1]),
            (130, [0, 0, 0, 1]),
            (131, [0, 0, 0, 0]),
        ];
        for (time, expected) in cases {
            let mut sums = Sums::new(steps);
            sums.add(Timestamp::from_nanos(time), Duration::from_nanos(15), 1);
            let expected = expected.map(|count| (count > 0).then_some(1.0));
            assert_eq!(sums.values(1.0), expected, "{time}");
        }
    }

    #[test]
    fn the_top_is_found_at_each_step() {
        let series = |name: &str, values: [Option<f64>; 3]| Windowed {
            labels: [("name".to_owned(), name.to_owned())].into(),
            values: values.to_vec(),
        };
        let mut all = vec![
            series("a", [Some(1.0), Some(5.0), None]),
            series("b", [Some(2.0), Some(4.0), Some(1.0)]),
            series("c", [Some(2.0), Some(3.0), None]),
        ];
        let mut least = all.clone();
        keep_top(&mut all, Top { count: 1, end: TopEnd::Most }, 3);
        let values: Vec<_> = all.iter().map(|series| series.values.clone()).collect();
        assert_eq!(values, [vec![None, Some(5.0), None], vec![Some(2.0), None, Some(1.0)], vec![None; 3]]);
        keep_top(&mut least, Top { count: 2, end: TopEnd::Least }, 3);
        assert_eq!(least[2].values, [None, Some(3.0), None]);
    }
}
