//! The form of a rule file, as Prometheus has it and with `runbook` added, and its way into typed rules.

use std::collections::BTreeMap;
use std::sync::Arc;

use model::DurationText;
use promql::{Query, ValueKind};
use serde::Deserialize;
use serde_saphyr::Spanned;

use super::{AlertRule, Group, RecordingRule, Rule, identity};
use crate::evidence;
use crate::template::Template;
use crate::{RuleError, Severity};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FileForm {
    #[serde(default)]
    groups: Vec<GroupForm>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct GroupForm {
    name: Spanned<String>,
    interval: Option<DurationText>,
    query_offset: Option<DurationText>,
    limit: Option<usize>,
    #[serde(default)]
    labels: BTreeMap<String, String>,
    #[serde(default)]
    rules: Vec<Spanned<RuleForm>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RuleForm {
    alert: Option<Spanned<String>>,
    record: Option<Spanned<String>>,
    expr: Spanned<String>,
    r#for: Option<Spanned<DurationText>>,
    keep_firing_for: Option<Spanned<DurationText>>,
    #[serde(default)]
    labels: BTreeMap<String, Spanned<String>>,
    #[serde(default)]
    annotations: BTreeMap<String, Spanned<String>>,
    #[serde(default)]
    runbook: Vec<Spanned<String>>,
}

/// Reads a file's groups.
pub(super) fn read(file: &str, text: &str) -> Result<Vec<Group>, RuleError> {
    let form: FileForm = serde_saphyr::from_str(text).map_err(|error| {
        let line = error.location().map_or(1, |location| location.line());
        RuleError::Invalid { file: file.to_owned(), line, reason: reason_of(&error) }
    })?;
    let mut groups: Vec<Group> = Vec::new();
    for form in form.groups {
        let reader = Reader { file, group: &form.name.value, labels: &form.labels };
        if form.name.value.is_empty() || groups.iter().any(|group| group.name == form.name.value) {
            return Err(reader.invalid(
                form.name.referenced.line(),
                format!("the group name `{}` is empty, or is in this file already", form.name.value),
            ));
        }
        if let Some(zero) = form.interval.filter(|interval| interval.0.is_zero()) {
            return Err(
                reader.invalid(form.name.referenced.line(), format!("the interval {zero} is too short"))
            );
        }
        let rules =
            form.rules.iter().map(|rule| reader.rule(rule).map(Arc::new)).collect::<Result<_, _>>()?;
        groups.push(Group {
            name: form.name.value.clone(),
            file: file.to_owned(),
            interval: form.interval.map(|interval| interval.0),
            query_offset: form.query_offset.unwrap_or_default().0,
            limit: form.limit.filter(|limit| *limit > 0),
            rules,
        });
    }
    Ok(groups)
}

/// The parser's message without the picture of the place: file and line stand before it.
fn reason_of(error: &serde_saphyr::Error) -> String {
    let text = error.without_snippet().to_string();
    text.lines().next().unwrap_or_default().to_owned()
}

struct Reader<'a> {
    file: &'a str,
    group: &'a str,
    labels: &'a BTreeMap<String, String>,
}

impl Reader<'_> {
    fn invalid(&self, line: u64, reason: String) -> RuleError {
        RuleError::Invalid { file: self.file.to_owned(), line, reason }
    }

    fn rule(&self, form: &Spanned<RuleForm>) -> Result<Rule, RuleError> {
        let line = form.referenced.line();
        let form = &form.value;
        match (&form.alert, &form.record) {
            (Some(name), None) => self.alert(name, form).map(Rule::Alert),
            (None, Some(name)) => self.record(name, form).map(Rule::Record),
            (Some(_), Some(_)) => Err(self.invalid(line, "a rule is either `alert` or `record`".to_owned())),
            (None, None) => Err(self.invalid(line, "a rule needs a name: `alert` or `record`".to_owned())),
        }
    }

    fn alert(&self, name: &Spanned<String>, form: &RuleForm) -> Result<AlertRule, RuleError> {
        let line = name.referenced.line();
        if name.value.is_empty() {
            return Err(self.invalid(line, "a rule needs a name".to_owned()));
        }
        let mut labels = BTreeMap::new();
        for (label, text) in self.labels {
            labels.insert(label.clone(), self.template(line, label, text)?);
        }
        for (label, text) in &form.labels {
            self.check_label(label, text.referenced.line())?;
            labels.insert(label.clone(), self.template(text.referenced.line(), label, &text.value)?);
        }
        let mut annotations = BTreeMap::new();
        for (key, text) in &form.annotations {
            annotations.insert(key.clone(), self.template(text.referenced.line(), key, &text.value)?);
        }
        for check in &form.runbook {
            if !evidence::CHECK_NAMES.contains(&check.value.as_str()) {
                let known = evidence::CHECK_NAMES.join(", ");
                let reason = format!("the runbook names `{}`; known checks are {known}", check.value);
                return Err(self.invalid(check.referenced.line(), reason));
            }
        }
        let (severity, warnings) = severity_of(labels.get("severity").map(Template::text));
        let texts = labels.iter().map(|(label, template)| (label.as_str(), template.text()));
        Ok(AlertRule {
            id: identity(["alert", self.group, &name.value], texts),
            group: self.group.to_owned(),
            name: name.value.clone(),
            line,
            query: self.query(&form.expr)?,
            hold: form.r#for.as_ref().map(|text| text.value.0).unwrap_or_default(),
            keep_firing_for: form.keep_firing_for.as_ref().map(|text| text.value.0).unwrap_or_default(),
            labels,
            annotations,
            severity,
            runbook: form.runbook.iter().map(|check| check.value.clone()).collect(),
            warnings,
        })
    }

    fn record(&self, name: &Spanned<String>, form: &RuleForm) -> Result<RecordingRule, RuleError> {
        let line = name.referenced.line();
        if !is_name(&name.value, ':') {
            return Err(self.invalid(line, format!("`{}` cannot be the name of a series", name.value)));
        }
        let misplaced = [
            ("for", form.r#for.as_ref().map(|text| text.referenced.line())),
            ("keep_firing_for", form.keep_firing_for.as_ref().map(|text| text.referenced.line())),
            ("annotations", form.annotations.values().next().map(|text| text.referenced.line())),
            ("runbook", form.runbook.first().map(|text| text.referenced.line())),
        ];
        if let Some((key, Some(line))) = misplaced.into_iter().find(|(_, line)| line.is_some()) {
            return Err(self.invalid(line, format!("a recording rule cannot have `{key}`")));
        }
        let mut labels = self.labels.clone();
        for (label, text) in &form.labels {
            self.check_label(label, text.referenced.line())?;
            labels.insert(label.clone(), text.value.clone());
        }
        let texts = labels.iter().map(|(label, text)| (label.as_str(), text.as_str()));
        Ok(RecordingRule {
            id: identity(["record", self.group, &name.value], texts),
            group: self.group.to_owned(),
            name: name.value.clone(),
            line,
            query: self.query(&form.expr)?,
            labels,
        })
    }

    fn query(&self, expr: &Spanned<String>) -> Result<Query, RuleError> {
        let line = expr.referenced.line();
        let query =
            Query::parse(&expr.value).map_err(|error| self.invalid(line, format!("expr: {error}")))?;
        match query.kind() {
            ValueKind::Vector | ValueKind::Scalar => Ok(query),
            ValueKind::Text | ValueKind::Matrix => {
                Err(self.invalid(line, "expr: a rule needs an instant vector or a number".to_owned()))
            }
        }
    }

    fn template(&self, line: u64, key: &str, text: &str) -> Result<Template, RuleError> {
        Template::parse(text).map_err(|error| self.invalid(line, format!("{key}: {error}")))
    }

    fn check_label(&self, label: &str, line: u64) -> Result<(), RuleError> {
        if matches!(label, "__name__" | "alertname") || !is_name(label, '_') {
            return Err(self.invalid(line, format!("`{label}` cannot be a label of a rule")));
        }
        Ok(())
    }
}

fn is_name(text: &str, also: char) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_' || c == also)
        && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || c == also)
}

/// The severity that a label's text names, and what is to be said about it.
fn severity_of(text: Option<&str>) -> (Severity, Vec<String>) {
    let warn = |what: String| (Severity::Warning, vec![format!("{what}: its alerts are taken for warnings")]);
    match text {
        None => warn("the rule has no label `severity`".to_owned()),
        Some(text) if text.contains("{{") => (Severity::Warning, Vec::new()),
        Some(text) => match text.parse() {
            Ok(severity) => (severity, Vec::new()),
            Err(error) => warn(format!("the rule's severity is `{text}`, and {error}")),
        },
    }
}
