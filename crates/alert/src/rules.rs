//! Rules as they are evaluated: read from files, checked and typed once.

pub(crate) mod document;
mod files;
mod follow;
mod form;
mod place;
#[cfg(test)]
mod tests;
mod twins;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use model::{DurationText, LabelsBuilder};
use promql::Query;

use self::twins::Twins;
use crate::template::Template;
use crate::{RuleError, Severity};

pub(crate) use files::find;
pub use follow::RuleFiles;
pub(crate) use follow::{Change, Followed};
pub(crate) use form::fault;

/// All rules, in groups.
#[derive(Clone, Debug, Default)]
pub struct RuleSet {
    groups: Vec<Group>,
    twins: Twins,
    /// What of the files is not read.
    ignored: Vec<RuleWarning>,
}

/// What is odd about a rule file that can be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RuleWarning {
    /// The file.
    pub file: String,
    /// The line, from 1.
    pub line: u64,
    /// The column, from 1.
    pub column: u64,
    /// What is odd.
    pub text: String,
}

/// Rules that are evaluated together, in their order, at the same time.
#[derive(Clone, Debug)]
pub struct Group {
    /// Its name.
    pub name: String,
    /// The file that it stands in.
    pub file: String,
    /// How often it is evaluated, when it says so.
    pub interval: Option<Duration>,
    /// How far before the time of evaluation the expressions look.
    pub query_offset: Duration,
    /// The most results of each of its rules; `None` is no bound of its own.
    pub limit: Option<usize>,
    /// Its rules.
    pub rules: Vec<Arc<Rule>>,
}

/// One rule.
#[derive(Clone, Debug)]
pub enum Rule {
    /// Makes alerts.
    Alert(AlertRule),
    /// Makes a series.
    Record(RecordingRule),
}

/// A rule that makes alerts.
#[derive(Clone, Debug)]
pub struct AlertRule {
    /// Its id: the same as long as its group, its name and its labels are.
    pub id: String,
    /// Its group.
    pub group: String,
    /// Its name.
    pub name: String,
    /// The line that it begins on.
    pub line: u64,
    /// The column that it begins at.
    pub column: u64,
    /// Its expression: each result is an alert.
    pub query: Query,
    /// How long the expression has to hold before an alert fires.
    pub hold: Duration,
    /// How long an alert fires on after the expression has ceased to hold.
    pub keep_firing_for: Duration,
    /// Labels that each alert gets.
    pub labels: BTreeMap<String, Template>,
    /// Annotations that each alert gets.
    pub annotations: BTreeMap<String, Template>,
    /// How bad its alerts are, unless the label is a template.
    pub severity: Severity,
    /// The names of the checks that run when it fires.
    pub runbook: Vec<String>,
    /// What is odd about it, in words.
    pub warnings: Vec<String>,
    /// Where a rule stands that is before it and makes the same alerts.
    pub twin_of: Option<String>,
}

/// A rule that makes a series.
#[derive(Clone, Debug)]
pub struct RecordingRule {
    /// Its id.
    pub id: String,
    /// Its group.
    pub group: String,
    /// The name of the series.
    pub name: String,
    /// The line that it begins on.
    pub line: u64,
    /// The column that it begins at.
    pub column: u64,
    /// Its expression.
    pub query: Query,
    /// Labels that each series gets.
    pub labels: BTreeMap<String, String>,
    /// What is odd about it, in words.
    pub warnings: Vec<String>,
    /// Where a rule stands that is before it and writes the same series.
    pub twin_of: Option<String>,
}

impl Rule {
    /// Its id.
    pub fn id(&self) -> &str {
        match self {
            Self::Alert(rule) => &rule.id,
            Self::Record(rule) => &rule.id,
        }
    }

    /// Its name.
    pub fn name(&self) -> &str {
        match self {
            Self::Alert(rule) => &rule.name,
            Self::Record(rule) => &rule.name,
        }
    }

    /// Its expression.
    pub fn query(&self) -> &Query {
        match self {
            Self::Alert(rule) => &rule.query,
            Self::Record(rule) => &rule.query,
        }
    }

    /// What is odd about it, in words.
    pub fn warnings(&self) -> Vec<String> {
        let (own, made) = match self {
            Self::Alert(rule) => (&rule.warnings, "makes the same alerts"),
            Self::Record(rule) => (&rule.warnings, "writes the same series"),
        };
        let twin = self.twin_of().map(|place| {
            format!("the rule at {place} has the same name and labels, and {made}: both are evaluated")
        });
        own.iter().cloned().chain(twin).collect()
    }

    pub(crate) fn line(&self) -> u64 {
        self.place().0
    }

    fn twin_of(&self) -> Option<&str> {
        match self {
            Self::Alert(rule) => rule.twin_of.as_deref(),
            Self::Record(rule) => rule.twin_of.as_deref(),
        }
    }

    fn become_twin(&mut self, own_id: String, of: Option<String>) {
        match self {
            Self::Alert(rule) => (rule.id, rule.twin_of) = (own_id, of),
            Self::Record(rule) => (rule.id, rule.twin_of) = (own_id, of),
        }
    }

    /// The id of the first rule that says this.
    fn identity(&self) -> String {
        match self {
            Self::Alert(rule) => {
                let labels = rule.labels.iter().map(|(label, template)| (label.as_str(), template.text()));
                identity(["alert", &rule.group, &rule.name], labels)
            }
            Self::Record(rule) => {
                let labels = rule.labels.iter().map(|(label, text)| (label.as_str(), text.as_str()));
                identity(["record", &rule.group, &rule.name], labels)
            }
        }
    }

    /// What is the same for rules that make the same alerts or series, whatever their groups are.
    fn series(&self) -> String {
        match self {
            Self::Alert(rule) => format!("alert {:?} {:?}", rule.name, rule.labels),
            Self::Record(rule) => format!("record {:?} {:?}", rule.name, rule.labels),
        }
    }

    /// Line and column.
    fn place(&self) -> (u64, u64) {
        match self {
            Self::Alert(rule) => (rule.line, rule.column),
            Self::Record(rule) => (rule.line, rule.column),
        }
    }

    /// All that it says, but not where it stands: as long as this is the same, it is the same rule.
    fn definition(&self) -> String {
        match self {
            Self::Alert(rule) => {
                let times = (DurationText(rule.hold), DurationText(rule.keep_firing_for));
                let texts = (&rule.labels, &rule.annotations, &rule.runbook);
                format!("{} {:?} {times:?} {texts:?}", rule.id, rule.query.text())
            }
            Self::Record(rule) => format!("{} {:?}", rule.id, rule.query.text()),
        }
    }
}

impl Group {
    /// Whether two say the same, but for the lines that they stand on.
    pub(crate) fn says_the_same(&self, other: &Self) -> bool {
        let settings = |group: &Self| (group.interval, group.query_offset, group.limit);
        self.key() == other.key()
            && settings(self) == settings(other)
            && self.rules.len() == other.rules.len()
            && self.rules.iter().zip(&other.rules).all(|(one, other)| one.definition() == other.definition())
    }

    /// What names it among all groups, as Prometheus has it: file and name.
    pub(crate) fn key(&self) -> String {
        format!("{};{}", self.file, self.name)
    }
}

impl RuleSet {
    /// Reads rule files. `patterns` are paths, folders, or paths whose last part has `*` or `?`;
    /// those that are not absolute start at `base`.
    pub fn load(patterns: &[String], base: &Path) -> Result<Self, RuleError> {
        let mut rules = Self::default();
        for path in files::find(patterns, base)? {
            let text = files::read(&path)?;
            rules.extend(Self::parse(&path.display().to_string(), &text)?);
        }
        Ok(rules)
    }

    /// Reads one rule file; `file` is what errors call it.
    pub fn parse(file: &str, text: &str) -> Result<Self, RuleError> {
        Self::parse_whole(file, text).map_err(|errors| {
            let first = errors.into_iter().next();
            first.unwrap_or_else(|| RuleError::NoFile { pattern: file.to_owned() })
        })
    }

    /// Reads one rule file, or gives all that is wrong with it.
    pub fn parse_whole(file: &str, text: &str) -> Result<Self, Vec<RuleError>> {
        let (groups, ignored) = form::read(file, text)?;
        let mut rules = Self::default();
        rules.extend(Self { groups, ignored, twins: Twins::default() });
        Ok(rules)
    }

    /// Reads one rule file of this path, or gives all that is wrong with it.
    pub fn read_whole(path: &Path) -> Result<Self, Vec<RuleError>> {
        let text = files::read(path).map_err(|error| vec![error])?;
        Self::parse_whole(&path.display().to_string(), &text)
    }

    /// Adds further rules.
    pub fn extend(&mut self, more: Self) {
        for mut group in more.groups {
            group.rules = (0..group.rules.len()).map(|index| self.twins.take(&group, index)).collect();
            self.groups.push(group);
        }
        self.ignored.extend(more.ignored);
    }

    /// What is odd, and can be used.
    pub fn warnings(&self) -> Vec<RuleWarning> {
        let mut warnings = self.ignored.clone();
        for group in &self.groups {
            for rule in &group.rules {
                let (line, column) = rule.place();
                warnings.extend(rule.warnings().into_iter().map(|warning| RuleWarning {
                    file: group.file.clone(),
                    line,
                    column,
                    text: format!("{}: {warning}", rule.name()),
                }));
            }
        }
        warnings
    }

    /// The groups.
    pub fn groups(&self) -> &[Group] {
        &self.groups
    }

    /// All rules.
    pub fn rules(&self) -> impl Iterator<Item = &Arc<Rule>> {
        self.groups.iter().flat_map(|group| &group.rules)
    }
}

/// What names a rule, or an alert of it, for as long as it says the same: 16 hex digits.
pub(crate) fn identity<'a>(parts: [&str; 3], labels: impl IntoIterator<Item = (&'a str, &'a str)>) -> String {
    let mut builder = LabelsBuilder::new();
    for (name, value) in labels {
        builder.set(format!("l:{name}"), value);
    }
    for (index, part) in parts.into_iter().enumerate() {
        builder.set(format!("p:{index}"), part);
    }
    format!("{:016x}", builder.build().hash64())
}
