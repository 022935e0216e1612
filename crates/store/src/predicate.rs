//! Label matchers, as in a PromQL selector.

use std::sync::Arc;

use model::LabelsRef;

use crate::pattern::{PatternError, compiled};

/// How a matcher compares.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum MatchOp {
    /// `=`
    Equal,
    /// `!=`
    NotEqual,
    /// `=~`, anchored at both ends
    Regex,
    /// `!~`, anchored at both ends
    NotRegex,
}

/// One condition on one label. A label that is not set has the empty value.
#[derive(Clone, Debug)]
pub struct Matcher {
    name: String,
    op: MatchOp,
    value: String,
    regex: Option<Arc<regex::Regex>>,
}

impl PartialEq for Matcher {
    /// Whether both say the same; a pattern follows from the value.
    fn eq(&self, other: &Self) -> bool {
        (&self.name, self.op, &self.value) == (&other.name, other.op, &other.value)
    }
}

/// A matcher that cannot be made.
#[derive(Debug, thiserror::Error)]
#[error("`{pattern}` is not a regular expression that can be used for the label {label}")]
pub struct MatcherError {
    label: String,
    pattern: String,
    #[source]
    source: PatternError,
}

impl Matcher {
    /// A matcher; a pattern is compiled here, unless it is known.
    pub fn new(name: impl Into<String>, op: MatchOp, value: impl Into<String>) -> Result<Self, MatcherError> {
        let (name, value) = (name.into(), value.into());
        let regex =
            match op {
                MatchOp::Equal | MatchOp::NotEqual => None,
                MatchOp::Regex | MatchOp::NotRegex => Some(compiled(&value).map_err(|source| {
                    MatcherError { label: name.clone(), pattern: value.clone(), source }
                })?),
            };
        Ok(Self { name, op, value, regex })
    }

    /// `name="value"`
    pub fn equal(name: impl Into<String>, value: impl Into<String>) -> Self {
        Self { name: name.into(), op: MatchOp::Equal, value: value.into(), regex: None }
    }

    /// The label's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The comparison.
    pub fn op(&self) -> MatchOp {
        self.op
    }

    /// The value or pattern.
    pub fn value(&self) -> &str {
        &self.value
    }

    /// Whether a label with this value satisfies the matcher; the empty value is a label that is not set.
    pub fn matches_value(&self, value: &str) -> bool {
        let by_regex = || self.regex.as_ref().is_some_and(|regex| regex.is_match(value));
        match self.op {
            MatchOp::Equal => self.value == value,
            MatchOp::NotEqual => self.value != value,
            MatchOp::Regex => by_regex(),
            MatchOp::NotRegex => !by_regex(),
        }
    }

    /// Whether a label set satisfies the matcher.
    pub fn matches(&self, labels: LabelsRef<'_>) -> bool {
        self.matches_value(labels.get(&self.name).unwrap_or(""))
    }

    /// Whether a set without the label satisfies the matcher.
    pub fn matches_absent(&self) -> bool {
        self.matches_value("")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::Labels;

    #[test]
    fn matchers_compare_as_prometheus_does() {
        let labels = Labels::metric("up", &[("job", "api\nv2")]);
        let cases = [
            ("job", MatchOp::Equal, "api\nv2", true),
            ("job", MatchOp::NotEqual, "api\nv2", false),
            ("job", MatchOp::Regex, "api", false),
            ("job", MatchOp::Regex, "api.*", true),
            ("job", MatchOp::NotRegex, "web|db", true),
            ("zone", MatchOp::Equal, "", true),
            ("zone", MatchOp::Regex, ".+", false),
            ("zone", MatchOp::NotRegex, ".+", true),
        ];
        for (name, op, value, expected) in cases {
            let matcher = Matcher::new(name, op, value).expect("valid");
            assert_eq!(matcher.matches(labels.as_ref()), expected, "{name} {op:?} {value}");
        }
    }

    #[test]
    fn a_bad_or_huge_pattern_is_an_error() {
        for pattern in ["(", r"(\pL{30}){30}"] {
            assert!(Matcher::new("job", MatchOp::Regex, pattern).is_err(), "{pattern}");
        }
    }
}
