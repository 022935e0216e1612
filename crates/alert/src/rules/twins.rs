//! Rules that are there more than once, in one group or in groups of one name. As in Prometheus each of them is
//! evaluated, for itself: the first has the id that its group, name and labels make, and those behind it have others.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::{Group, Rule, identity};

/// The rules that are known already.
#[derive(Clone, Debug, Default)]
pub(super) struct Twins {
    /// How many there are of each, by the id of the first.
    counts: BTreeMap<String, usize>,
    /// Where the first stands of those with one name and the same labels, in whatever group.
    places: BTreeMap<String, String>,
}

impl Twins {
    /// Takes down a rule, and tells it from those that say the same.
    pub(super) fn take(&mut self, group: &Group, index: usize) -> Arc<Rule> {
        let rule = &group.rules[index];
        let first = rule.identity();
        let count = self.counts.entry(first.clone()).or_default();
        *count += 1;
        let id = match *count {
            1 => first,
            number => identity([&first, "twin", &number.to_string()], []),
        };
        let (line, column) = rule.place();
        let series = rule.series();
        let twin_of = self.places.get(&series).cloned();
        self.places.entry(series).or_insert_with(|| format!("{}:{line}:{column}", group.file));
        let mut rule = Arc::clone(rule);
        if rule.id() != id || rule.twin_of() != twin_of.as_deref() {
            Arc::make_mut(&mut rule).become_twin(id, twin_of);
        }
        rule
    }
}
