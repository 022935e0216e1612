//! Relabelling as Prometheus has it: rules that change labels, or drop what has them.
//!
//! Used for targets before they are scraped and for series before they are stored, whoever sent them. Knows neither.
//! Start reading at [`RelabelRules`].

mod action;
mod pattern;

#[cfg(test)]
mod tests;

use model::LabelsBuilder;

pub use action::Action;
pub use pattern::Pattern;

/// A rule as it is written: an entry of `relabel_configs` or `metric_relabel_configs`.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct RelabelConfig {
    /// The labels whose values are joined and then looked at.
    pub source_labels: Vec<String>,
    /// What stands between joined values.
    pub separator: String,
    /// What the joined values, or the names of labels, must match as a whole.
    #[schemars(with = "String")]
    pub regex: Pattern,
    /// By what the hash of the joined values is divided, for `hashmod`.
    pub modulus: u64,
    /// The label that is set; `$1` stands for what the first group of the pattern matched.
    pub target_label: String,
    /// What it is set to; `$1` stands for what the first group of the pattern matched.
    pub replacement: String,
    /// What is done: replace, keep, drop, keepequal, dropequal, hashmod, labelmap, labeldrop, labelkeep, lowercase or
    /// uppercase.
    #[schemars(with = "String")]
    pub action: Action,
}

/// What matches every text and takes all of it.
const ANY: &str = "(.*)";
const WHOLE_MATCH: &str = "$1";
const SEPARATOR: &str = ";";

impl Default for RelabelConfig {
    fn default() -> Self {
        Self {
            source_labels: Vec::new(),
            separator: SEPARATOR.to_owned(),
            regex: Pattern::any(),
            modulus: 0,
            target_label: String::new(),
            replacement: WHOLE_MATCH.to_owned(),
            action: Action::Replace,
        }
    }
}

/// A rule that cannot be applied.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("relabelling rule {index} (`{action}`): {reason}")]
pub struct RelabelError {
    /// Its place in the list, from 1.
    pub index: usize,
    /// What it does.
    pub action: Action,
    /// Why it cannot, in words that say what to change.
    pub reason: String,
}

/// The most rules of one list.
const MAX_RULES: usize = 1000;

/// Rules that were checked; applied one after the other.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct RelabelRules(Vec<RelabelConfig>);

impl RelabelRules {
    /// Checks rules.
    pub fn new(rules: &[RelabelConfig]) -> Result<Self, RelabelError> {
        for (place, rule) in rules.iter().enumerate() {
            let fail = |reason| RelabelError { index: place + 1, action: rule.action, reason };
            if place == MAX_RULES {
                return Err(fail(format!("at most {MAX_RULES} rules are taken")));
            }
            rule.check().map_err(fail)?;
        }
        Ok(Self(rules.to_vec()))
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Changes labels as the rules say. False when what has them is to be dropped.
    #[must_use]
    pub fn apply(&self, labels: &mut LabelsBuilder) -> bool {
        self.0.iter().all(|rule| rule.apply(labels))
    }
}

impl RelabelConfig {
    fn check(&self) -> Result<(), String> {
        use Action as A;
        let sets_label = matches!(
            self.action,
            A::Replace | A::HashMod | A::Lowercase | A::Uppercase | A::KeepEqual | A::DropEqual
        );
        if sets_label && self.target_label.is_empty() {
            return Err("`target_label` is missing".to_owned());
        }
        if self.action == A::HashMod && self.modulus == 0 {
            return Err("`modulus` must be more than 0".to_owned());
        }
        if self.action == A::LabelMap && self.replacement.is_empty() {
            return Err("`replacement` must not be empty".to_owned());
        }
        let defaults = Self { action: self.action, ..Self::default() };
        let alone = |kept: Self, keys: &str| {
            if kept == *self { Ok(()) } else { Err(format!("takes {keys}, and nothing else")) }
        };
        match self.action {
            A::KeepEqual | A::DropEqual => {
                let (source_labels, target_label) = (self.source_labels.clone(), self.target_label.clone());
                alone(Self { source_labels, target_label, ..defaults }, "`source_labels` and `target_label`")
            }
            A::LabelDrop | A::LabelKeep => alone(Self { regex: self.regex.clone(), ..defaults }, "`regex`"),
            A::Lowercase | A::Uppercase if self.replacement != WHOLE_MATCH => {
                Err("does not take `replacement`".to_owned())
            }
            _ => Ok(()),
        }
    }

    /// The values of the source labels, joined.
    fn joined(&self, labels: &LabelsBuilder) -> String {
        let mut joined = String::new();
        for (place, name) in self.source_labels.iter().enumerate() {
            if place > 0 {
                joined.push_str(&self.separator);
            }
            joined.push_str(labels.get(name).unwrap_or_default());
        }
        joined
    }

    fn apply(&self, labels: &mut LabelsBuilder) -> bool {
        let target = self.target_label.as_str();
        match self.action {
            Action::Keep => return self.regex.matches(&self.joined(labels)),
            Action::Drop => return !self.regex.matches(&self.joined(labels)),
            Action::KeepEqual => return labels.get(target).unwrap_or_default() == self.joined(labels),
            Action::DropEqual => return labels.get(target).unwrap_or_default() != self.joined(labels),
            Action::Replace => self.replace(labels),
            Action::Lowercase => {
                let lower = self.joined(labels).to_lowercase();
                labels.set(target, lower);
            }
            Action::Uppercase => {
                let upper = self.joined(labels).to_uppercase();
                labels.set(target, upper);
            }
            Action::HashMod => {
                let remainder = action::hash(&self.joined(labels)) % self.modulus.max(1);
                labels.set(target, remainder.to_string());
            }
            Action::LabelMap => self.map_names(labels),
            Action::LabelDrop => {
                labels.retain(|name| !self.regex.matches(name));
            }
            Action::LabelKeep => {
                labels.retain(|name| self.regex.matches(name));
            }
        }
        true
    }

    fn replace(&self, labels: &mut LabelsBuilder) {
        let joined = self.joined(labels);
        let Some(groups) = self.regex.captures(&joined) else { return };
        let (mut target, mut value) = (String::new(), String::new());
        groups.expand(&self.target_label, &mut target);
        groups.expand(&self.replacement, &mut value);
        if !target.is_empty() {
            // An empty value removes the label.
            labels.set(target, value);
        }
    }

    fn map_names(&self, labels: &mut LabelsBuilder) {
        let mapped: Vec<(String, String)> = labels
            .iter()
            .filter_map(|(name, value)| {
                let mut new = String::new();
                self.regex.captures(name)?.expand(&self.replacement, &mut new);
                (!new.is_empty()).then(|| (new, value.to_owned()))
            })
            .collect();
        for (name, value) in mapped {
            labels.set(name, value);
        }
    }
}
