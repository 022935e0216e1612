//! The form of a rule file, as Prometheus has it and with `runbook` added, and its way into typed rules.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use model::DurationText;
use model::labels::METRIC_NAME;
use promql::{Query, ValueKind};
use serde::{Deserialize, Deserializer};
use serde_saphyr::{Location, Spanned};

use super::place::Place;
use super::{AlertRule, Group, RecordingRule, Rule, RuleWarning, document};
use crate::evidence;
use crate::template::Template;
use crate::{RuleError, Severity};

/// The annotation that names checks as `runbook` does, in a file that Prometheus reads too.
const CHECKS_ANNOTATION: &str = "watchkeeper_checks";

// A key without a value is one that is not there.
#[derive(Deserialize, Default)]
#[serde(deny_unknown_fields)]
struct FileForm {
    groups: Option<Vec<GroupForm>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct GroupForm {
    name: Spanned<Text>,
    interval: Option<DurationText>,
    query_offset: Option<DurationText>,
    limit: Option<i64>,
    labels: Option<Texts>,
    rules: Option<Vec<Spanned<Option<RuleForm>>>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct RuleForm {
    alert: Option<Spanned<Text>>,
    record: Option<Spanned<Text>>,
    expr: Option<Spanned<Text>>,
    r#for: Option<Spanned<DurationText>>,
    keep_firing_for: Option<Spanned<DurationText>>,
    labels: Option<Texts>,
    annotations: Option<Texts>,
    runbook: Option<Vec<Spanned<String>>>,
}

/// A text; one without a value is empty, as in Prometheus.
#[derive(Default)]
struct Text(String);

type Texts = BTreeMap<String, Spanned<Text>>;

impl<'de> Deserialize<'de> for Text {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Option::<String>::deserialize(deserializer).map(|text| Self(text.unwrap_or_default()))
    }
}

/// Nodes that a file may have: more than fit into one of the largest size.
const MAX_NODES: usize = 8 << 20;

/// Reads a file's groups and says what of it is not read, or gives all that is wrong with it.
pub(super) fn read(file: &str, text: &str) -> Result<(Vec<Group>, Vec<RuleWarning>), Vec<RuleError>> {
    let (text, more) = document::first(text);
    let ignored = more.map(|line| RuleWarning {
        file: file.to_owned(),
        line,
        column: 1,
        text: "another document begins here: as in Prometheus, the first one alone is read".to_owned(),
    });
    let groups = if document::says_nothing(text) { Vec::new() } else { groups(file, text)? };
    Ok((groups, ignored.into_iter().collect()))
}

fn parse(file: &str, text: &str) -> Result<FileForm, RuleError> {
    let mut budget = serde_saphyr::Budget::default();
    (budget.max_nodes, budget.max_events) = (MAX_NODES, 2 * MAX_NODES);
    let options = serde_saphyr::options! { budget: Some(budget) };
    serde_saphyr::from_str_with_options(text, options).map_err(|error| fault(file, &error))
}

/// What is wrong with a YAML text, and where.
pub(crate) fn fault(file: &str, error: &serde_saphyr::Error) -> RuleError {
    let (line, column) = error.location().map_or((1, 1), |location| (location.line(), location.column()));
    RuleError::Invalid { file: file.to_owned(), line, column, reason: reason_of(error) }
}

fn groups(file: &str, text: &str) -> Result<Vec<Group>, Vec<RuleError>> {
    let form = parse(file, text).map_err(|error| vec![error])?;
    let mut groups: Vec<Group> = Vec::new();
    let mut errors = Vec::new();
    for form in form.groups.unwrap_or_default() {
        let labels = form.labels.unwrap_or_default();
        let name = form.name.value.0;
        let reader = Reader { file, text, group: &name, labels: &labels };
        if name.is_empty() {
            errors.push(reader.invalid(form.name.referenced, "Groupname must not be empty"));
        }
        if groups.iter().any(|group| group.name == name) {
            let reason = format!("groupname: \"{name}\" is repeated in the same file");
            errors.push(reader.invalid(form.name.referenced, reason));
        }
        errors.extend(
            labels.iter().filter_map(|(label, text)| reader.check_label(label, text.referenced).err()),
        );
        let mut rules = Vec::new();
        for rule in form.rules.unwrap_or_default() {
            let at = rule.referenced;
            // Prometheus passes over a rule that says nothing.
            let Some(rule) = rule.value else { continue };
            match reader.rule(&rule, at) {
                Ok(rule) => rules.push(Arc::new(rule)),
                Err(faults) => errors.extend(faults),
            }
        }
        groups.push(Group {
            name,
            file: file.to_owned(),
            interval: form.interval.map(|interval| interval.0).filter(|interval| !interval.is_zero()),
            query_offset: form.query_offset.unwrap_or_default().0,
            limit: form.limit.and_then(|limit| usize::try_from(limit).ok()).filter(|limit| *limit > 0),
            rules,
        });
    }
    // What is wrong with the labels of a group is so at each of its rules, and said once.
    let mut told = BTreeSet::new();
    errors.retain(|error| told.insert(error.to_string()));
    if errors.is_empty() { Ok(groups) } else { Err(errors) }
}

/// The parser's message without the picture of the place: file, line and column stand before it.
fn reason_of(error: &serde_saphyr::Error) -> String {
    let text = error.without_snippet().to_string();
    let reason = text.lines().next().unwrap_or_default();
    // The place stands before it already.
    reason.rsplit_once(" at line ").map_or(reason, |(reason, _)| reason).to_owned()
}

struct Reader<'a> {
    file: &'a str,
    text: &'a str,
    group: &'a str,
    labels: &'a Texts,
}

impl Reader<'_> {
    fn invalid(&self, at: Location, reason: impl Into<String>) -> RuleError {
        let (line, column) = (at.line(), at.column());
        RuleError::Invalid { file: self.file.to_owned(), line, column, reason: reason.into() }
    }

    /// A rule, or all that is wrong with it.
    fn rule(&self, form: &RuleForm, at: Location) -> Result<Rule, Vec<RuleError>> {
        let mut faults = Vec::new();
        let rule = match (said(form.alert.as_ref()), said(form.record.as_ref())) {
            (Some(name), None) => self.alert(name, form, at, &mut faults).map(Rule::Alert),
            (None, Some(name)) => self.record(name, form, at, &mut faults).map(Rule::Record),
            (alert, _) => {
                let wanted = if alert.is_some() {
                    "only one of 'record' and 'alert'"
                } else {
                    "one of 'record' or 'alert'"
                };
                faults.push(self.invalid(at, format!("{wanted} must be set")));
                // What is wrong with it whatever it was to be.
                kept(self.query(form, at), &mut faults);
                None
            }
        };
        rule.filter(|_| faults.is_empty()).ok_or(faults)
    }

    fn alert(
        &self,
        name: &Spanned<Text>,
        form: &RuleForm,
        at: Location,
        faults: &mut Vec<RuleError>,
    ) -> Option<AlertRule> {
        let mut labels = BTreeMap::new();
        for (label, text) in self.labels.iter().chain(form.labels.iter().flatten()) {
            kept(self.check_label(label, text.referenced), faults);
            let template = kept(self.template(text, "label", label), faults);
            labels.extend(template.map(|template| (label.clone(), template)));
        }
        let mut annotations = BTreeMap::new();
        for (key, text) in form.annotations.iter().flatten().filter(|(key, _)| *key != CHECKS_ANNOTATION) {
            if key.is_empty() {
                faults.push(self.invalid(text.referenced, "invalid annotation name: it is empty"));
            }
            let template = kept(self.template(text, "annotation", key), faults);
            annotations.extend(template.map(|template| (key.clone(), template)));
        }
        let (severity, mut warnings) = severity_of(labels.get("severity").map(Template::text));
        let query = kept(self.query(form, at), faults);
        let runbook = self.runbook(form, faults);
        let query = query?;
        warnings.extend(no_vector(&query));
        Some(AlertRule {
            // Ids are given when it is known which other rules there are.
            id: String::new(),
            group: self.group.to_owned(),
            name: name.value.0.clone(),
            line: name.referenced.line(),
            column: name.referenced.column(),
            query,
            hold: form.r#for.as_ref().map(|text| text.value.0).unwrap_or_default(),
            keep_firing_for: form.keep_firing_for.as_ref().map(|text| text.value.0).unwrap_or_default(),
            labels,
            annotations,
            severity,
            runbook,
            warnings,
            twin_of: None,
        })
    }

    /// The checks, wherever they are named.
    fn runbook(&self, form: &RuleForm, faults: &mut Vec<RuleError>) -> Vec<String> {
        let mut named: Vec<(String, Location)> = Vec::new();
        for check in form.runbook.iter().flatten() {
            named.push((check.value.clone(), check.referenced));
        }
        if let Some(text) = form.annotations.as_ref().and_then(|texts| texts.get(CHECKS_ANNOTATION)) {
            if form.runbook.is_some() {
                let reason =
                    format!("the rule names its checks twice: in `runbook` and in `{CHECKS_ANNOTATION}`");
                faults.push(self.invalid(text.referenced, reason));
            }
            let names = text.value.0.split([',', ' ', '\n']).filter(|name| !name.is_empty());
            named.extend(names.map(|name| (name.to_owned(), text.referenced)));
        }
        let unknown = named.iter().filter(|(name, _)| !evidence::CHECK_NAMES.contains(&name.as_str()));
        faults.extend(unknown.map(|(check, at)| {
            let known = evidence::CHECK_NAMES.join(", ");
            self.invalid(*at, format!("the runbook names `{check}`; known checks are {known}"))
        }));
        named.into_iter().map(|(name, _)| name).collect()
    }

    fn record(
        &self,
        name: &Spanned<Text>,
        form: &RuleForm,
        at: Location,
        faults: &mut Vec<RuleError>,
    ) -> Option<RecordingRule> {
        if name.value.0.contains(['{', '}']) {
            let reason =
                format!("braces present in the recording rule name; should it be in expr?: {}", name.value.0);
            faults.push(self.invalid(name.referenced, reason));
        }
        let held = |text: &Option<Spanned<DurationText>>| {
            text.as_ref().filter(|text| !text.value.0.is_zero()).map(|text| text.referenced)
        };
        let first = |texts: &Option<Texts>| {
            texts.as_ref().and_then(|texts| texts.values().next()).map(|text| text.referenced)
        };
        let misplaced = [
            ("for", held(&form.r#for)),
            ("keep_firing_for", held(&form.keep_firing_for)),
            ("annotations", first(&form.annotations)),
            (
                "runbook",
                form.runbook.as_ref().and_then(|checks| checks.first()).map(|check| check.referenced),
            ),
        ];
        faults.extend(misplaced.into_iter().filter_map(|(key, at)| {
            at.map(|at| self.invalid(at, format!("invalid field '{key}' in recording rule")))
        }));
        let mut labels = BTreeMap::new();
        for (label, text) in self.labels.iter().chain(form.labels.iter().flatten()) {
            kept(self.check_label(label, text.referenced), faults);
            labels.insert(label.clone(), text.value.0.clone());
        }
        let query = kept(self.query(form, at), faults)?;
        Some(RecordingRule {
            id: String::new(),
            group: self.group.to_owned(),
            name: name.value.0.clone(),
            line: name.referenced.line(),
            column: name.referenced.column(),
            warnings: no_vector(&query).into_iter().collect(),
            query,
            labels,
            twin_of: None,
        })
    }

    fn query(&self, form: &RuleForm, at: Location) -> Result<Query, RuleError> {
        let Some(expr) = form.expr.as_ref().filter(|expr| !expr.value.0.trim().is_empty()) else {
            return Err(self.invalid(at, "field 'expr' must be set in rule"));
        };
        Query::parse(&expr.value.0).map_err(|error| self.unreadable(expr, &error.to_string()))
    }

    /// An expression that cannot be read: the place is that in the file, or words say that it is in the expression.
    fn unreadable(&self, expr: &Spanned<Text>, error: &str) -> RuleError {
        let because = |reason: &str| format!("could not parse expression: {reason}");
        let Some((within, reason)) = Place::leading(error) else {
            return self.invalid(expr.referenced, because(error));
        };
        match within.in_file(self.text, Place::of(expr.referenced), &expr.value.0) {
            Some(Place { line, column }) => {
                RuleError::Invalid { file: self.file.to_owned(), line, column, reason: because(reason) }
            }
            None => {
                let Place { line, column } = within;
                let reason = format!("in its line {line}, column {column}: {reason}");
                self.invalid(expr.referenced, because(&reason))
            }
        }
    }

    fn template(&self, text: &Spanned<Text>, what: &str, key: &str) -> Result<Template, RuleError> {
        Template::parse(&text.value.0)
            .map_err(|error| self.invalid(text.referenced, format!("{what} \"{key}\": {error}")))
    }

    /// Any name is good, in UTF-8, but that of the series.
    fn check_label(&self, label: &str, at: Location) -> Result<(), RuleError> {
        if matches!(label, "" | METRIC_NAME) {
            return Err(
                self.invalid(at, format!("invalid label name: `{label}` cannot be a label of a rule"))
            );
        }
        Ok(())
    }
}

/// What there is, or else what is wrong with it, put to the rest.
fn kept<T>(read: Result<T, RuleError>, faults: &mut Vec<RuleError>) -> Option<T> {
    read.map_err(|fault| faults.push(fault)).ok()
}

/// A name, if it is one.
fn said(name: Option<&Spanned<Text>>) -> Option<&Spanned<Text>> {
    name.filter(|name| !name.value.0.is_empty())
}

/// What is to be said of an expression that gives nothing a rule can use. As in Prometheus it is taken, and fails
/// when it is evaluated.
fn no_vector(query: &Query) -> Option<String> {
    let given = match query.kind() {
        ValueKind::Vector | ValueKind::Scalar => return None,
        ValueKind::Text => "a text",
        ValueKind::Matrix => "ranges of samples",
    };
    Some(format!(
        "its expression gives {given}, and a rule needs an instant vector or a number: it will fail"
    ))
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
