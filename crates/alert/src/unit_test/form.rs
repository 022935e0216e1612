//! The form of a file with unit tests, as promtool has it.

use std::collections::BTreeMap;
use std::path::Path;

use model::{DurationText, Timestamp};
use serde::Deserialize;

use crate::rules::find;
use crate::{Group, RuleError, RuleSet};

/// How often rules are evaluated when the file does not say.
const DEFAULT_INTERVAL: DurationText = DurationText(std::time::Duration::from_secs(60));
/// The largest file of tests that is read.
const MAX_FILE_BYTES: u64 = 64 << 20;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct FileForm {
    #[serde(default)]
    rule_files: Vec<String>,
    evaluation_interval: Option<DurationText>,
    #[serde(default)]
    group_eval_order: Vec<String>,
    #[serde(default)]
    pub(super) fuzzy_compare: bool,
    #[serde(rename = "start_timestamp")]
    pub(super) start: Option<Start>,
    #[serde(default)]
    pub(super) tests: Vec<TestForm>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct TestForm {
    pub(super) name: Option<String>,
    interval: Option<DurationText>,
    #[serde(default)]
    pub(super) input_series: Vec<SeriesForm>,
    #[serde(default, rename = "alert_rule_test")]
    pub(super) alerts: Vec<AlertTest>,
    #[serde(default, rename = "promql_expr_test")]
    pub(super) expressions: Vec<ExpressionTest>,
    #[serde(default)]
    pub(super) external_labels: BTreeMap<String, String>,
    #[serde(default)]
    pub(super) external_url: String,
    #[serde(rename = "start_timestamp")]
    pub(super) start: Option<Start>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct SeriesForm {
    pub(super) series: String,
    pub(super) values: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct AlertTest {
    pub(super) eval_time: DurationText,
    pub(super) alertname: String,
    #[serde(default)]
    pub(super) exp_alerts: Option<Vec<ExpectedAlert>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ExpectedAlert {
    #[serde(default)]
    pub(super) exp_labels: Option<BTreeMap<String, String>>,
    #[serde(default)]
    pub(super) exp_annotations: Option<BTreeMap<String, String>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ExpressionTest {
    pub(super) expr: String,
    pub(super) eval_time: DurationText,
    #[serde(default)]
    pub(super) exp_samples: Option<Vec<ExpectedSample>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ExpectedSample {
    #[serde(default)]
    pub(super) labels: String,
    pub(super) value: Option<f64>,
    pub(super) histogram: Option<String>,
}

/// When a test begins: RFC 3339, or seconds since the epoch.
#[derive(Clone, Copy, Debug)]
pub(super) struct Start(pub(super) Timestamp);

impl<'de> Deserialize<'de> for Start {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Written {
            Seconds(f64),
            Text(String),
        }
        match Written::deserialize(deserializer)? {
            Written::Seconds(seconds) => Ok(Self(Timestamp::from_secs_f64(seconds))),
            Written::Text(text) => {
                Timestamp::parse_rfc3339(&text).map(Self).map_err(serde::de::Error::custom)
            }
        }
    }
}

impl FileForm {
    pub(super) fn read(path: &Path) -> Result<Self, String> {
        let shown = path.display();
        let unreadable = |error: std::io::Error| format!("{shown} could not be read: {error}");
        if std::fs::metadata(path).map_err(unreadable)?.len() > MAX_FILE_BYTES {
            return Err(format!("{shown} is larger than {MAX_FILE_BYTES} bytes"));
        }
        let text = std::fs::read_to_string(path).map_err(unreadable)?;
        let file: Self = serde_saphyr::from_str(&text).map_err(|error| {
            let (line, column) =
                error.location().map_or((1, 1), |location| (location.line(), location.column()));
            let reason = error.without_snippet().to_string();
            format!("{shown}:{line}:{column}: {}", reason.lines().next().unwrap_or_default())
        })?;
        let mut seen = std::collections::BTreeSet::new();
        if let Some(twice) = file.group_eval_order.iter().find(|name| !seen.insert(*name)) {
            return Err(format!("group name repeated in evaluation order: {twice}"));
        }
        let nameless = |test: &TestForm| test.alerts.iter().any(|alert| alert.alertname.is_empty());
        if file.tests.iter().any(nameless) {
            return Err("an item under alert_rule_test misses required attribute alertname".to_owned());
        }
        Ok(file)
    }

    pub(super) fn evaluation_interval(&self) -> DurationText {
        self.evaluation_interval.filter(|interval| !interval.0.is_zero()).unwrap_or(DEFAULT_INTERVAL)
    }

    /// The distance between two values of a series.
    pub(super) fn interval(&self, test: &TestForm) -> DurationText {
        test.interval.filter(|interval| !interval.0.is_zero()).unwrap_or_else(|| self.evaluation_interval())
    }

    /// The groups of the rule files, in the order in which they are evaluated. A pattern that no file matches is a
    /// warning.
    pub(super) fn rules(&self, path: &Path, warnings: &mut Vec<String>) -> Result<Vec<Group>, String> {
        let base = path.parent().unwrap_or(Path::new("."));
        let mut rules = RuleSet::default();
        for pattern in &self.rule_files {
            match find(std::slice::from_ref(pattern), base) {
                Ok(files) => {
                    for file in files {
                        let read = RuleSet::read_whole(&file).map_err(|errors| lines(&errors))?;
                        rules.extend(read).map_err(|error| error.to_string())?;
                    }
                }
                Err(RuleError::NoFile { pattern }) => warnings.push(format!("no file matches `{pattern}`")),
                Err(error) => return Err(crate::group::chain(&error)),
            }
        }
        let mut groups = rules.groups().to_vec();
        let order = |group: &Group| self.group_eval_order.iter().position(|name| *name == group.name);
        groups.sort_by_key(|group| order(group).unwrap_or(0));
        Ok(groups)
    }
}

fn lines(errors: &[RuleError]) -> String {
    errors.iter().map(|error| crate::group::chain(error)).collect::<Vec<_>>().join("\n")
}
