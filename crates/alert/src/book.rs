//! The live alerts in memory, as they were last written to the database. The clerk alone writes it.

use std::collections::BTreeMap;

use parking_lot::RwLock;
use state::{AlertRecord, AlertState};

/// The alerts of one rule, by id.
pub(crate) type RuleAlerts = BTreeMap<String, AlertRecord>;

/// Alerts that are not over, and those that were resolved by hand while their condition holds.
#[derive(Debug, Default)]
pub(crate) struct Book {
    rules: RwLock<BTreeMap<String, RuleAlerts>>,
}

impl Book {
    pub(crate) fn new(records: impl IntoIterator<Item = AlertRecord>) -> Self {
        let mut rules: BTreeMap<String, RuleAlerts> = BTreeMap::new();
        for record in records {
            rules.entry(record.rule_id.clone()).or_default().insert(record.id.clone(), record);
        }
        Self { rules: RwLock::new(rules) }
    }

    /// The alerts of a rule.
    pub(crate) fn of_rule(&self, rule_id: &str) -> RuleAlerts {
        self.rules.read().get(rule_id).cloned().unwrap_or_default()
    }

    /// One alert.
    pub(crate) fn get(&self, id: &str) -> Option<AlertRecord> {
        self.rules.read().values().find_map(|alerts| alerts.get(id)).cloned()
    }

    /// The rules that have alerts.
    pub(crate) fn rule_ids(&self) -> Vec<String> {
        self.rules.read().keys().cloned().collect()
    }

    /// How many alerts of a rule are in each state.
    pub(crate) fn counts(&self, rule_id: &str) -> BTreeMap<AlertState, u64> {
        let mut counts = BTreeMap::new();
        for record in self.rules.read().get(rule_id).into_iter().flat_map(BTreeMap::values) {
            *counts.entry(record.state).or_default() += 1;
        }
        counts
    }

    /// Puts the alerts of a rule in the place of those that were there.
    pub(crate) fn replace(&self, rule_id: &str, alerts: RuleAlerts) {
        let mut rules = self.rules.write();
        if alerts.is_empty() {
            rules.remove(rule_id);
        } else {
            rules.insert(rule_id.to_owned(), alerts);
        }
    }
}
