//! Which labels make so many series.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use model::labels::METRIC_NAME;
use store::Cardinality;

use super::{LabelIndex, Postings};

impl LabelIndex {
    /// How many series there are by what, the `most` largest of each. Goes over all values once, and keeps no more
    /// than what it answers.
    pub(crate) fn cardinality(&self, most: usize) -> Cardinality {
        let mut all = Cardinality { series: u64::from(self.series), ..Cardinality::default() };
        let largest = || Largest::of(most);
        let (mut metrics, mut values, mut bytes, mut pairs) = (largest(), largest(), largest(), largest());
        for (name, found) in &self.names {
            all.label_pairs += found.all.len() as u64;
            values.offer(found.all.len() as u64, || name.to_string());
            bytes.offer(found.texts().map(|text| text.len() as u64).sum(), || name.to_string());
            for value in &found.all {
                let series = value.series.len();
                if **name == *METRIC_NAME {
                    metrics.offer(series, || value.text.to_string());
                }
                pairs.offer(series, || format!("{name}={}", value.text));
            }
        }
        all.series_by_metric = metrics.sorted();
        all.values_by_label = values.sorted();
        all.bytes_by_label = bytes.sorted();
        all.series_by_pair = pairs.sorted();
        all
    }
}

impl Postings {
    fn len(&self) -> u64 {
        match self {
            Self::One(_) => 1,
            Self::Many(bitmap) => bitmap.len(),
        }
    }
}

/// The largest of what it was offered; of equal ones those whose names come first.
struct Largest {
    most: usize,
    kept: BinaryHeap<Reverse<(u64, Reverse<String>)>>,
}

impl Largest {
    fn of(most: usize) -> Self {
        Self { most, kept: BinaryHeap::with_capacity(most + 1) }
    }

    fn offer(&mut self, count: u64, name: impl Fn() -> String) {
        let least = self.kept.peek().map_or(0, |Reverse((least, _))| *least);
        if self.kept.len() < self.most || count >= least {
            self.kept.push(Reverse((count, Reverse(name()))));
            if self.kept.len() > self.most {
                self.kept.pop();
            }
        }
    }

    fn sorted(self) -> Vec<(String, u64)> {
        self.kept.into_sorted_vec().into_iter().map(|Reverse((count, Reverse(name)))| (name, count)).collect()
    }
}

#[cfg(test)]
mod tests {
    use model::Labels;

    use super::*;

    #[test]
    fn the_largest_come_first_and_no_more_than_are_asked_for() {
        let mut index = LabelIndex::default();
        for (name, job) in [("a", "x"), ("a", "yy"), ("b", "x"), ("c", "x")] {
            index.push(Labels::metric(name, &[("job", job)]).as_ref());
        }
        let found = index.cardinality(2);
        let list = |all: &[(&str, u64)]| -> Vec<(String, u64)> {
            all.iter().map(|(name, count)| ((*name).to_owned(), *count)).collect()
        };
        assert_eq!((found.series, found.label_pairs), (4, 5));
        assert_eq!(found.series_by_metric, list(&[("a", 2), ("b", 1)]));
        assert_eq!(found.values_by_label, list(&[("__name__", 3), ("job", 2)]));
        assert_eq!(found.bytes_by_label, list(&[("__name__", 3), ("job", 3)]));
        assert_eq!(found.series_by_pair, list(&[("job=x", 3), ("__name__=a", 2)]));
        assert_eq!(index.cardinality(0).series_by_pair, []);
    }
}
