//! A rule, ready to be asked.

use std::str::FromStr;

use model::event::{Level, LogEvent};
use regex::{Captures, Regex, RegexBuilder};

use super::amount;
use super::settings::{LogMetricKind, LogMetricRule};

/// The largest program that a pattern may become.
const MAX_REGEX_BYTES: usize = 1 << 20;
/// The most labels of a metric.
const MAX_LABELS: usize = 8;
/// The most buckets of a histogram.
const MAX_BUCKETS: usize = 64;
/// The longest value of a label, in bytes.
const MAX_VALUE_BYTES: usize = 128;
/// The group that says in what a value is counted.
const UNIT: &str = "unit";
/// Buckets that fit what pipelines do: from a tenth of a second to an hour.
const BUCKETS: &[f64] =
    &[0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0, 600.0, 1800.0, 3600.0];

/// A rule that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum LogMetricsError {
    /// Its name is none.
    #[error("`{0}` is not the name of a metric: write it like log_retries_total")]
    Name(String),
    /// Two rules make one metric.
    #[error("there are two rules of the name `{0}`")]
    Twice(String),
    /// Its level is none.
    #[error("the rule `{rule}` has a `level` that is none")]
    Level {
        /// The rule.
        rule: String,
        /// What is a level.
        #[source]
        source: model::event::UnknownName,
    },
    /// Its pattern is none.
    #[error("the rule `{rule}`: `{pattern}` is not a regular expression that can be used")]
    Pattern {
        /// The rule.
        rule: String,
        /// The pattern.
        pattern: String,
        /// What is wrong with it.
        #[source]
        source: regex::Error,
    },
    /// The patterns are too large together.
    #[error("the patterns of all rules together are too large")]
    Together(#[source] regex::Error),
    /// It would count everything.
    #[error("the rule `{0}` has neither a `pattern` nor a `level`: it would count every record")]
    NoCondition(String),
    /// It names what is not there.
    #[error("the rule `{rule}`: the pattern has no group `{group}`")]
    NoGroup {
        /// The rule.
        rule: String,
        /// The group.
        group: String,
    },
    /// A histogram has nothing to observe.
    #[error("the rule `{0}`: a histogram needs a `value`")]
    NoValue(String),
    /// A label that is none, or too many.
    #[error("the rule `{rule}`: `{label}` is no label that can be used; there may be {MAX_LABELS} of them")]
    Label {
        /// The rule.
        rule: String,
        /// The label.
        label: String,
    },
    /// Bounds are not ascending numbers.
    #[error("the rule `{0}`: `buckets` must be at most {MAX_BUCKETS} numbers that ascend")]
    Buckets(String),
    /// The counters could not be registered: two of us share one registry.
    #[error("the counters of metrics of logs could not be registered")]
    Metrics(#[source] prometheus::Error),
}

/// Where the value of a label comes from.
#[derive(Clone, Debug)]
enum Part {
    Service,
    Level,
    Logger,
    ExceptionType,
    Group(String),
}

/// A rule, ready to be asked.
pub(super) struct Rule {
    name: String,
    kind: LogMetricKind,
    help: String,
    services: Vec<String>,
    level: Option<Level>,
    pattern: Option<Regex>,
    level_decides: bool,
    value: Option<String>,
    labels: Vec<(String, Part)>,
    buckets: Vec<f64>,
}

impl Rule {
    pub(super) fn new(rule: &LogMetricRule) -> Result<Self, LogMetricsError> {
        let name = rule.name.clone();
        if !is_name(&name) {
            return Err(LogMetricsError::Name(name));
        }
        let level = rule.level.as_deref().map(Level::from_str).transpose();
        let level = level.map_err(|source| LogMetricsError::Level { rule: name.clone(), source })?;
        let pattern = rule.pattern.as_deref().map(|pattern| {
            RegexBuilder::new(pattern).size_limit(MAX_REGEX_BYTES).build().map_err(|source| {
                LogMetricsError::Pattern { rule: name.clone(), pattern: pattern.to_owned(), source }
            })
        });
        let pattern = pattern.transpose()?;
        if pattern.is_none() && level.is_none() {
            return Err(LogMetricsError::NoCondition(name));
        }
        let has_group = |group: &str| {
            pattern
                .as_ref()
                .is_some_and(|pattern| pattern.capture_names().flatten().any(|name| name == group))
        };
        if let Some(group) = rule.value.as_ref().filter(|group| !has_group(group)) {
            return Err(LogMetricsError::NoGroup { rule: name, group: group.clone() });
        }
        if rule.kind == LogMetricKind::Histogram && rule.value.is_none() {
            return Err(LogMetricsError::NoValue(name));
        }
        let labels = rule.labels.iter().map(|label| match label.as_str() {
            label if has_group(label) => Ok(Part::Group(label.to_owned())),
            "service" => Ok(Part::Service),
            "level" => Ok(Part::Level),
            "logger" => Ok(Part::Logger),
            "exception_type" => Ok(Part::ExceptionType),
            group => Err(LogMetricsError::NoGroup { rule: name.clone(), group: group.to_owned() }),
        });
        let labels: Vec<Part> = labels.collect::<Result<_, _>>()?;
        let labels: Vec<(String, Part)> = rule.labels.iter().cloned().zip(labels).collect();
        let odd = labels.iter().enumerate().find(|(place, (label, _))| {
            let is_twice = labels[..*place].iter().any(|(before, _)| before == label);
            *place >= MAX_LABELS || !is_name(label) || label == "le" || is_twice
        });
        if let Some((_, (label, _))) = odd {
            return Err(LogMetricsError::Label { rule: name, label: label.clone() });
        }
        let buckets = if rule.buckets.is_empty() { BUCKETS.to_vec() } else { rule.buckets.clone() };
        let ascends =
            buckets.is_sorted_by(|one, other| one < other) && buckets.iter().all(|bound| bound.is_finite());
        if !ascends || buckets.len() > MAX_BUCKETS {
            return Err(LogMetricsError::Buckets(name));
        }
        Ok(Self {
            name,
            kind: rule.kind,
            help: rule.help.clone(),
            services: rule.services.clone(),
            level,
            pattern,
            level_decides: rule.level_decides,
            value: rule.value.clone(),
            labels,
            buckets,
        })
    }

    pub(super) fn name(&self) -> &str {
        &self.name
    }

    pub(super) fn kind(&self) -> LogMetricKind {
        self.kind
    }

    pub(super) fn help(&self) -> &str {
        &self.help
    }

    pub(super) fn buckets(&self) -> &[f64] {
        &self.buckets
    }

    pub(super) fn label_names(&self) -> impl ExactSizeIterator<Item = &str> {
        self.labels.iter().map(|(name, _)| name.as_str())
    }

    /// The pattern; without one every text is as the rule wants it.
    pub(super) fn pattern(&self) -> Option<&str> {
        self.pattern.as_ref().map(Regex::as_str)
    }

    /// Whether a record may count, before its text is looked at.
    pub(super) fn may_count(&self, log: &LogEvent) -> bool {
        let is_of_service = self.services.is_empty()
            || log.origin.service.as_ref().is_some_and(|service| self.services.contains(service));
        is_of_service && (self.is_severe(log) || self.level_decides && log.level.is_none())
    }

    /// Whether a record counts that may, and whose text matches the pattern or does not.
    pub(super) fn counts(&self, log: &LogEvent, is_match: bool) -> bool {
        is_match || self.level_decides && log.level.is_some()
    }

    fn is_severe(&self, log: &LogEvent) -> bool {
        self.level.is_none_or(|least| log.level.is_some_and(|level| level >= least))
    }

    /// The values of the labels, and the value; nothing, when that is no number.
    pub(super) fn read(&self, log: &LogEvent, text: &str) -> Option<(Vec<String>, f64)> {
        let needs_groups =
            self.value.is_some() || self.labels.iter().any(|(_, part)| matches!(part, Part::Group(_)));
        let groups =
            self.pattern.as_ref().filter(|_| needs_groups).and_then(|pattern| pattern.captures(text));
        let value = match &self.value {
            None => 1.0,
            Some(group) => value_of(groups.as_ref()?, group)?,
        };
        // A counter never goes down.
        if !value.is_finite() || self.kind == LogMetricKind::Counter && value < 0.0 {
            return None;
        }
        let labels = self.labels.iter().map(|(_, part)| {
            let text = match part {
                Part::Service => log.origin.service.as_deref(),
                Part::Level => log.level.map(Level::as_str),
                Part::Logger => log.origin.scope_name.as_deref(),
                Part::ExceptionType => log.conventions.exception_type.as_deref(),
                Part::Group(name) => {
                    groups.as_ref().and_then(|groups| groups.name(name)).map(|group| group.as_str())
                }
            };
            let text = text.unwrap_or_default();
            text[..text.floor_char_boundary(MAX_VALUE_BYTES)].to_owned()
        });
        Some((labels.collect(), value))
    }
}

fn value_of(groups: &Captures<'_>, group: &str) -> Option<f64> {
    let text = groups.name(group)?.as_str().trim();
    match groups.name(UNIT) {
        // What is no unit that is known is seconds.
        Some(unit) => Some(amount::number(text)? * amount::seconds_of(unit.as_str()).unwrap_or(1.0)),
        None => amount::number(text).or_else(|| amount::duration(text)),
    }
}

/// Whether it is the name of a metric or a label.
fn is_name(name: &str) -> bool {
    let is_first = |byte: &u8| byte.is_ascii_alphabetic() || *byte == b'_';
    name.len() <= 200
        && name.as_bytes().first().is_some_and(is_first)
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}
