//! Targets that share labels, as files and servers list them.

use std::collections::BTreeMap;

use serde::Deserialize;

/// The most targets that one source may list.
const MAX_TARGETS: usize = 100_000;

/// Targets with their labels.
#[derive(Clone, Debug, Default, PartialEq)]
pub(in crate::scrape) struct Group {
    addresses: Vec<String>,
    labels: BTreeMap<String, String>,
}

/// How a group is written.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct GroupForm {
    targets: Vec<String>,
    #[serde(default)]
    labels: BTreeMap<String, String>,
}

impl Group {
    pub(super) fn new(addresses: &[String], labels: &BTreeMap<String, String>) -> Result<Self, String> {
        if labels.keys().any(String::is_empty) {
            return Err("a label of a target has no name".to_owned());
        }
        Ok(Self { addresses: addresses.to_vec(), labels: labels.clone() })
    }

    /// Groups from outside; `more` are labels that say where they are from.
    pub(super) fn of(forms: Vec<GroupForm>, more: &[(&str, &str)]) -> Result<Vec<Self>, String> {
        let count: usize = forms.iter().map(|form| form.targets.len()).sum();
        if count > MAX_TARGETS {
            return Err(format!("it lists {count} targets, at most {MAX_TARGETS} are taken"));
        }
        let group = |form: GroupForm| {
            let mut group = Self::new(&form.targets, &form.labels)?;
            group.labels.extend(more.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
            Ok(group)
        };
        forms.into_iter().map(group).collect()
    }

    /// The labels of each target.
    pub(super) fn targets(&self) -> impl Iterator<Item = BTreeMap<String, String>> {
        self.addresses.iter().map(|address| {
            let mut labels = self.labels.clone();
            labels.insert("__address__".to_owned(), address.clone());
            labels
        })
    }
}
