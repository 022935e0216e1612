//! The section `[log_metrics]`, and the rules that are shipped.

use std::time::Duration;

use model::DurationText;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::rule::{LogMetricsError, Rule};

/// The section `[log_metrics]`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct LogMetricsSettings {
    /// Whether the shipped rules count: `log_completed_seconds`, `log_errors_total`, `log_crashes_total` and
    /// `log_exceptions_total`.
    pub shipped: bool,
    /// How often the sums are written.
    #[schemars(with = "String")]
    pub interval: DurationText,
    /// The most label sets of one metric; further ones are counted under labels that say `other`.
    pub max_series: usize,
    /// Rules of one's own. One with the name of a shipped rule takes its place.
    pub rules: Vec<LogMetricRule>,
}

impl Default for LogMetricsSettings {
    fn default() -> Self {
        Self {
            shipped: true,
            interval: DurationText(Duration::from_secs(15)),
            max_series: 200,
            rules: Vec::new(),
        }
    }
}

/// An entry of `[[log_metrics.rules]]`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct LogMetricRule {
    /// The name of the metric; a counter's ends in `_total`.
    pub name: String,
    /// Whether records are counted, or values of theirs are.
    #[serde(rename = "type")]
    pub kind: LogMetricKind,
    /// What it means, for those who read the metric.
    pub help: String,
    /// Services whose records count; all, when there are none.
    pub services: Vec<String>,
    /// The least level that counts: `error` counts `fatal` too.
    pub level: Option<String>,
    /// A regular expression that the message must match, with named groups for `value`, `labels` and the unit. Where an
    /// exception was thrown the text has one more line, `exception TYPE: MESSAGE`.
    pub pattern: Option<String>,
    /// Whether the pattern is asked only of records that have no level, and `level` of all others.
    pub level_decides: bool,
    /// The group that is the value: what a counter adds (by default 1), and what a histogram observes. A group `unit`
    /// makes seconds of it: `ms`, `s`, `min`, `h`; so do units within it, as in `1m30s`. A comma before three digits
    /// parts thousands.
    pub value: Option<String>,
    /// Labels: names of groups, or `service`, `level`, `logger`, `exception_type`.
    pub labels: Vec<String>,
    /// Upper bounds of a histogram's buckets, ascending.
    pub buckets: Vec<f64>,
}

/// What a rule makes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum LogMetricKind {
    /// A counter.
    #[default]
    Counter,
    /// A histogram with the usual `_bucket`, `_sum` and `_count`.
    Histogram,
}

impl LogMetricsSettings {
    /// Refuses rules that nothing could be counted by.
    pub fn check(&self) -> Result<(), LogMetricsError> {
        self.compile().map(|_| ())
    }

    pub(super) fn compile(&self) -> Result<Vec<Rule>, LogMetricsError> {
        let is_own = |name: &str| self.rules.iter().any(|rule| rule.name == name);
        let shipped = if self.shipped { shipped() } else { Vec::new() };
        let shipped = shipped.into_iter().filter(|rule| !is_own(&rule.name));
        let all: Vec<LogMetricRule> = shipped.chain(self.rules.iter().cloned()).collect();
        for (place, rule) in all.iter().enumerate() {
            if all[..place].iter().any(|before| before.name == rule.name) {
                return Err(LogMetricsError::Twice(rule.name.clone()));
            }
        }
        all.iter().map(Rule::new).collect()
    }
}

/// A number, and a unit, of what tells how long something took.
const NUMBER: &str = r"[0-9][0-9,]{0,30}(?:\.[0-9]{1,30})?(?:e[+-]?[0-9]{1,3})? *";
const UNIT: &str = concat!(
    r"(?:ns|nanoseconds?|[u\x{b5}\x{3bc}]s|microseconds?|ms|msecs?|millis|milliseconds?|s|secs?|seconds?",
    r"|m|mins?|minutes?|h|hrs?|hours?|d|days?)",
);
/// A number without a unit, of seconds, with which a line ends. A whole one of four digits and more may be a year, or
/// milliseconds.
const LAST: &str = r"(?:[0-9]{1,3}|[0-9]{1,9}\.[0-9]{1,9})[.;)\]]* *(?m:$)";

/// What tells how long something took: `1m30s`, `250 ms`, `12.5`. A number that is none of these matches without a
/// value, so that it is counted as unread. The first number with its unit is no part of the repetition: most stand alone,
/// and an engine that tried it as one of many before would go back through each of its digits and all units.
fn completed() -> String {
    format!(
        r"(?i)completed in:? *(?:(?<duration>{NUMBER}{UNIT}(?:[, ]*(?:and )?{NUMBER}{UNIT})*\b|{LAST})|[0-9])"
    )
}

/// How long a job takes, and how often something fails: what people look for in logs with `grep`.
fn shipped() -> Vec<LogMetricRule> {
    let service = || vec!["service".to_owned()];
    let rule = |name: &str, help: &str, pattern: &str| LogMetricRule {
        name: name.to_owned(),
        help: help.to_owned(),
        pattern: Some(pattern.to_owned()),
        labels: service(),
        ..LogMetricRule::default()
    };
    vec![
        LogMetricRule {
            kind: LogMetricKind::Histogram,
            value: Some("duration".to_owned()),
            ..rule("log_completed_seconds", "Durations that logs tell after `completed in`.", &completed())
        },
        LogMetricRule {
            level: Some("error".to_owned()),
            level_decides: true,
            ..rule(
                "log_errors_total",
                "Records of logs of level error or worse; of those without a level, those that say `error`.",
                r"(?i)\berror",
            )
        },
        rule("log_crashes_total", "Records of logs that say `crash`.", r"(?i)crash"),
        rule(
            "log_exceptions_total",
            "Records of logs that say `exception`, or tell of one that was thrown.",
            r"(?i)exception|traceback \(most recent",
        ),
    ]
}

#[cfg(test)]
mod tests {
    use std::sync::LazyLock;

    use proptest::prelude::*;
    use regex::Regex;

    use super::*;

    /// The same with the repetition first.
    fn completed_repeated() -> String {
        format!(
            r"(?i)completed in:? *(?:(?<duration>(?:{NUMBER}{UNIT}[, ]*(?:and )?)*{NUMBER}{UNIT}\b|{LAST})|[0-9])"
        )
    }

    static PATTERNS: LazyLock<[Regex; 2]> = LazyLock::new(|| {
        [completed(), completed_repeated()].map(|pattern| Regex::new(&pattern).expect("a pattern"))
    });

    fn texts() -> impl Strategy<Value = String> {
        let piece = prop_oneof![
            prop::sample::select(vec![
                "completed in ",
                "COMPLETED in: ",
                " ",
                ", ",
                "and ",
                " and ",
                ".",
                "e3",
                "\n",
                ")",
                "ns",
                "us",
                "\u{b5}s",
                "ms",
                "msec",
                "millis",
                "s",
                "sec",
                "Seconds",
                "\u{17f}",
                "m",
                "min",
                "minutes",
                "h",
                "hours",
                "d",
                "days",
                "_",
                "x",
                "\u{e9}",
            ])
            .prop_map(str::to_owned),
            "[0-9]{1,5}",
            "[0-9]{1,3},[0-9]{3}",
        ];
        prop::collection::vec(piece, 0..10).prop_map(|pieces| format!("completed in {}", pieces.concat()))
    }

    proptest! {
        #[test]
        fn durations_are_what_they_are_however_the_pattern_goes_about_them(text in texts()) {
            let [one, other] = &*PATTERNS;
            let found = |pattern: &Regex| {
                let found = pattern.captures(&text)?;
                Some((found.get(0)?.range(), found.name("duration").map(|it| it.range())))
            };
            prop_assert_eq!(found(one), found(other), "{}", text);
        }
    }
}
