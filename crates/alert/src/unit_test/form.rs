//! The form of a file with unit tests, as promtool has it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use model::{DurationText, Timestamp};
use promql::notation::{self, WrittenSeries};
use serde::{Deserialize, Deserializer};
use serde_saphyr::{Location, Spanned};

use crate::rules::{document, fault, find};
use crate::{Group, RuleError, RuleSet};

/// How often rules are evaluated when the file does not say.
const DEFAULT_INTERVAL: DurationText = DurationText(std::time::Duration::from_secs(60));
/// The largest file of tests that is read.
const MAX_FILE_BYTES: u64 = 64 << 20;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct FileForm {
    #[serde(default, deserialize_with = "or_nothing")]
    rule_files: Vec<String>,
    evaluation_interval: Option<DurationText>,
    #[serde(default, deserialize_with = "or_nothing")]
    group_eval_order: Vec<String>,
    #[serde(default)]
    pub(super) fuzzy_compare: bool,
    #[serde(rename = "start_timestamp")]
    pub(super) start: Option<Start>,
    #[serde(default, deserialize_with = "or_nothing")]
    pub(super) tests: Vec<TestForm>,
    /// What errors call the file.
    #[serde(skip)]
    pub(super) name: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct TestForm {
    pub(super) name: Option<String>,
    interval: Option<DurationText>,
    #[serde(default, deserialize_with = "or_nothing")]
    input_series: Vec<Spanned<SeriesForm>>,
    #[serde(default, rename = "alert_rule_test", deserialize_with = "or_nothing")]
    pub(super) alerts: Vec<AlertTest>,
    #[serde(default, rename = "promql_expr_test", deserialize_with = "or_nothing")]
    pub(super) expressions: Vec<ExpressionTest>,
    #[serde(default, deserialize_with = "texts")]
    pub(super) external_labels: BTreeMap<String, String>,
    #[serde(default, deserialize_with = "or_nothing")]
    pub(super) external_url: String,
    #[serde(rename = "start_timestamp")]
    pub(super) start: Option<Start>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct SeriesForm {
    series: Option<Spanned<String>>,
    values: Option<Spanned<String>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct AlertTest {
    #[serde(default, deserialize_with = "or_nothing")]
    pub(super) eval_time: DurationText,
    #[serde(default, deserialize_with = "or_nothing")]
    pub(super) alertname: String,
    #[serde(default)]
    pub(super) exp_alerts: Option<Vec<ExpectedAlert>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ExpectedAlert {
    #[serde(default, deserialize_with = "texts")]
    pub(super) exp_labels: BTreeMap<String, String>,
    #[serde(default, deserialize_with = "texts")]
    pub(super) exp_annotations: BTreeMap<String, String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ExpressionTest {
    pub(super) expr: String,
    #[serde(default, deserialize_with = "or_nothing")]
    pub(super) eval_time: DurationText,
    #[serde(default)]
    pub(super) exp_samples: Option<Vec<ExpectedSample>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ExpectedSample {
    #[serde(default, deserialize_with = "or_nothing")]
    pub(super) labels: String,
    pub(super) value: Option<f64>,
    pub(super) histogram: Option<String>,
}

/// What stands there, or nothing where there is a key without a value.
fn or_nothing<'de, D: Deserializer<'de>, T: Deserialize<'de> + Default>(
    deserializer: D,
) -> Result<T, D::Error> {
    Option::deserialize(deserializer).map(Option::unwrap_or_default)
}

/// Texts by name; one without a value is empty.
fn texts<'de, D: Deserializer<'de>>(deserializer: D) -> Result<BTreeMap<String, String>, D::Error> {
    let texts: Option<BTreeMap<String, Option<String>>> = Option::deserialize(deserializer)?;
    Ok(texts.into_iter().flatten().map(|(name, text)| (name, text.unwrap_or_default())).collect())
}

/// When a test begins: RFC 3339, or seconds since the epoch.
#[derive(Clone, Copy, Debug)]
pub(super) struct Start(pub(super) Timestamp);

impl<'de> Deserialize<'de> for Start {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        if let Ok(seconds) = text.parse() {
            return Ok(Self(Timestamp::from_secs_f64(seconds)));
        }
        Timestamp::parse_rfc3339(&text).map(Self).map_err(serde::de::Error::custom)
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
        let name = shown.to_string();
        let read = serde_saphyr::from_str(document::first(&text).0);
        let file: Self = read.map_err(|error| fault(&name, &error).to_string())?;
        let file = Self { name, ..file };
        let mut seen = BTreeSet::new();
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

    /// The series that a test puts in, or what is wrong with one of them and where.
    pub(super) fn inputs(&self, test: &TestForm) -> Result<Vec<WrittenSeries>, String> {
        test.input_series.iter().map(|form| self.input(form)).collect()
    }

    fn input(&self, form: &Spanned<SeriesForm>) -> Result<WrittenSeries, String> {
        let said = |text: &Option<Spanned<String>>| match text {
            Some(text) => (text.value.clone(), text.referenced),
            None => (String::new(), form.referenced),
        };
        let ((series, series_at), (values, values_at)) = (said(&form.value.series), said(&form.value.values));
        let fail = |at: Location, reason: &str| {
            format!("{}:{}:{}: input series `{series}`: {reason}", self.name, at.line(), at.column())
        };
        let (labels, begun) = notation::leading_labels(&series).map_err(|reason| fail(series_at, &reason))?;
        if labels.is_empty() {
            return Err(fail(series_at, "it has neither a name nor labels"));
        }
        // Values may begin behind the labels already, as in promtool.
        let points = notation::points(&format!("{begun} {values}"));
        Ok(WrittenSeries { labels, points: points.map_err(|reason| fail(values_at, &reason))? })
    }

    /// The groups of the rule files, in the order in which they are evaluated. A pattern that no file matches is a
    /// warning.
    pub(super) fn rules(&self, path: &Path, warnings: &mut Vec<String>) -> Result<Vec<Group>, String> {
        let base = path.parent().unwrap_or(Path::new("."));
        let mut rules = RuleSet::default();
        let mut seen = BTreeSet::new();
        for pattern in &self.rule_files {
            match find(std::slice::from_ref(pattern), base) {
                Ok(files) => {
                    // A file that several patterns name is read once.
                    for file in files.into_iter().filter(|file| seen.insert(file.clone())) {
                        let read = RuleSet::read_whole(&file).map_err(|errors| lines(&errors))?;
                        rules.extend(read);
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
