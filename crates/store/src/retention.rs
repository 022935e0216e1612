//! How long what is kept: what the store drops and no longer answers, and what is too old to be taken.

use std::collections::BTreeMap;
use std::time::Duration;

use model::LabelsRef;

use crate::{Matcher, Table};

/// How long rows and samples are kept.
#[derive(Clone, Debug)]
pub struct Retention {
    usual: Duration,
    tables: BTreeMap<Table, Duration>,
    series: Vec<(Vec<Matcher>, Duration)>,
}

impl From<Duration> for Retention {
    /// Everything is kept as long.
    fn from(usual: Duration) -> Self {
        Self { usual, tables: BTreeMap::new(), series: Vec::new() }
    }
}

impl Retention {
    /// Rows of a table are kept as long as this, whatever the rest is.
    pub fn with_table(mut self, table: Table, keep: Duration) -> Self {
        self.tables.insert(table, keep);
        self
    }

    /// Series for which all matchers hold are kept as long as this, unless a rule before holds for them too.
    pub fn with_series(mut self, matchers: Vec<Matcher>, keep: Duration) -> Self {
        self.series.push((matchers, keep));
        self
    }

    /// How long is kept what no rule speaks of.
    pub fn usual(&self) -> Duration {
        self.usual
    }

    /// How long rows of a table are kept.
    pub fn table(&self, table: Table) -> Duration {
        self.tables.get(&table).copied().unwrap_or(self.usual)
    }

    /// How long a series is kept: as the first rule that holds for it says.
    pub fn series(&self, labels: LabelsRef<'_>) -> Duration {
        let says =
            self.series.iter().find(|(matchers, _)| matchers.iter().all(|matcher| matcher.matches(labels)));
        says.map_or(self.usual, |(_, keep)| *keep)
    }

    /// The longest that any series is kept.
    pub fn longest_series(&self) -> Duration {
        self.series.iter().map(|(_, keep)| *keep).fold(self.usual, Duration::max)
    }

    /// Whether all series are kept as long.
    pub fn is_one_for_series(&self) -> bool {
        self.series.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use model::Labels;

    use super::*;

    #[test]
    fn tables_and_series_are_kept_as_the_first_rule_for_them_says() {
        let days = |days: u64| Duration::from_secs(days * 86_400);
        let retention = Retention::from(days(7))
            .with_table(Table::Deploys, days(365))
            .with_series(vec![Matcher::equal("job", "api"), Matcher::equal("code", "500")], days(90))
            .with_series(vec![Matcher::equal("job", "api")], days(1));
        assert_eq!((retention.table(Table::Deploys), retention.table(Table::Requests)), (days(365), days(7)));
        let kept = |labels: &[(&str, &str)]| retention.series(Labels::metric("m", labels).as_ref());
        assert_eq!(kept(&[("job", "api"), ("code", "500")]), days(90));
        assert_eq!(kept(&[("job", "api"), ("code", "200")]), days(1));
        assert_eq!(kept(&[("job", "web")]), days(7));
        assert_eq!(retention.longest_series(), days(90));
    }
}
