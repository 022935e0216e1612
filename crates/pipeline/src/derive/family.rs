//! The series of one metric, bounded.

use std::collections::HashMap;

/// The value of every label of the series that takes what is beyond the bound.
pub(super) const OTHER: &str = "other";

/// The series of one metric, by the values of its labels.
#[derive(Debug)]
pub(super) struct Family<T> {
    pub(super) name: &'static str,
    pub(super) labels: &'static [&'static str],
    series: HashMap<Vec<String>, T>,
    max: usize,
}

impl<T> Family<T> {
    pub(super) fn new(name: &'static str, labels: &'static [&'static str], max: usize) -> Self {
        Self { name, labels, series: HashMap::new(), max }
    }

    /// The series with these values; beyond the bound, the one for all others. `true` when it is that one.
    pub(super) fn series(&mut self, values: &[&str], new: impl FnOnce() -> T) -> (&mut T, bool) {
        debug_assert_eq!(values.len(), self.labels.len(), "{} has these labels", self.name);
        let mut key: Vec<String> = values.iter().map(|value| (*value).to_owned()).collect();
        let beyond = self.series.len() >= self.max && !self.series.contains_key(&key);
        if beyond {
            key.fill(OTHER.to_owned());
        }
        (self.series.entry(key).or_insert_with(new), beyond)
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
