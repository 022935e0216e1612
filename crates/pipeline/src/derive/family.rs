//! The series of one metric, bounded.

use std::collections::HashMap;

/// The value of every label of the series that takes what is beyond the bound.
pub(super) const OTHER: &str = "other";

/// The series of one metric, by the values of its labels.
#[derive(Debug)]
pub(super) struct Family<T> {
    pub(super) name: &'static str,
    pub(super) labels: &'static [&'static str],
    /// The values of their labels, and the series.
    series: Vec<(Vec<String>, T)>,
    /// Where each of them is, by its [`key`].
    places: HashMap<Box<[u8]>, usize>,
    max: usize,
    /// Memory for the key that is looked for: events of all kinds come here, each several times.
    key: Vec<u8>,
}

impl<T> Family<T> {
    pub(super) fn new(name: &'static str, labels: &'static [&'static str], max: usize) -> Self {
        Self { name, labels, series: Vec::new(), places: HashMap::new(), max, key: Vec::new() }
    }

    /// The series with these values; beyond the bound, the one for all others. `true` when it is that one.
    pub(super) fn series(&mut self, values: &[&str], new: impl FnOnce() -> T) -> (&mut T, bool) {
        debug_assert_eq!(values.len(), self.labels.len(), "{} has these labels", self.name);
        key(values, &mut self.key);
        let known = self.places.get(self.key.as_slice()).copied();
        let beyond = known.is_none() && self.series.len() >= self.max;
        let place = match known {
            Some(place) => place,
            None if beyond => self.place(&vec![OTHER; values.len()], new),
            None => self.place(values, new),
        };
        (&mut self.series[place].1, beyond)
    }

    /// Where the series with these values is, which begins here if there is none.
    fn place(&mut self, values: &[&str], new: impl FnOnce() -> T) -> usize {
        key(values, &mut self.key);
        if let Some(place) = self.places.get(self.key.as_slice()) {
            return *place;
        }
        let place = self.series.len();
        self.places.insert(self.key.as_slice().into(), place);
        self.series.push((values.iter().map(|value| (*value).to_owned()).collect(), new()));
        place
    }

    /// The same, to be changed.
    pub(super) fn iter_mut(&mut self) -> impl Iterator<Item = (Vec<(&'static str, &str)>, &mut T)> {
        let names = self.labels;
        self.series.iter_mut().map(|(values, series)| {
            let labels = names.iter().copied().zip(values.iter().map(String::as_str)).collect();
            (labels, series)
        })
    }

    /// Every series with its labels.
    pub(super) fn iter(&self) -> impl Iterator<Item = (Vec<(&'static str, &str)>, &T)> {
        self.series.iter().map(|(values, series)| {
            let labels = self.labels.iter().copied().zip(values.iter().map(String::as_str)).collect();
            (labels, series)
        })
    }
}

/// What series are found by: their values, one after the other, each with a byte behind it that no text has.
fn key(values: &[&str], into: &mut Vec<u8>) {
    into.clear();
    for value in values {
        into.extend_from_slice(value.as_bytes());
        into.push(u8::MAX);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_told_apart_wherever_one_ends_and_what_is_beyond_the_bound_is_counted_together() {
        let mut family: Family<u64> = Family::new("x_total", &["a", "b"], 4);
        let mut count = |values: [&str; 2]| {
            let (series, is_other) = family.series(&values, || 0);
            *series += 1;
            is_other
        };
        let all = [["ab", "c"], ["a", "bc"], ["", "abc"], ["abc", ""]];
        assert!(!all.into_iter().chain(all).any(&mut count));
        assert!(count(["new", "one"]) && count(["another", ""]));
        assert!(!count(["other", "other"]), "its values are these");
        assert!(!count(["ab", "c"]));
        let mut counted: Vec<(String, u64)> = family
            .iter()
            .map(|(labels, count)| {
                let values: Vec<&str> = labels.iter().map(|(_, value)| *value).collect();
                (values.join("|"), *count)
            })
            .collect();
        counted.sort();
        let expected = [("a|bc", 2), ("abc|", 2), ("ab|c", 3), ("other|other", 3), ("|abc", 2)];
        let mut expected: Vec<(String, u64)> =
            expected.into_iter().map(|(values, count)| (values.to_owned(), count)).collect();
        expected.sort();
        assert_eq!(counted, expected);
        family.iter_mut().for_each(|(_, count)| *count = 0);
        assert!(family.iter().all(|(_, count)| *count == 0));
    }
}
