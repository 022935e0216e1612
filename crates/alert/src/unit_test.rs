//! Unit tests of rules, in the form of `promtool test rules`: series are made up, the rules of the file are evaluated
//! over them by the real query engine, and what comes out is compared with what is expected.
//!
//! The store is one in memory; times begin at the epoch unless a test says otherwise.
//!
//! Start reading at [`run_file`].

mod compare;
mod form;
mod memory;
mod stage;
#[cfg(test)]
mod tests;

use std::path::Path;

use model::{DurationText, Timestamp};
use regex::Regex;
use serde::Serialize;

use compare::{check_alerts, check_expression};
use form::{FileForm, TestForm};
use stage::Stage;

/// Evaluations that one test may take.
const MAX_EVALUATIONS: i64 = 1_000_000;

/// What became of the tests of one file.
#[derive(Debug, Serialize)]
pub struct FileReport {
    /// The file.
    pub file: String,
    /// What is wrong with the file itself, so that nothing of it was run.
    pub error: Option<String>,
    /// What is to be said beside: patterns of rule files that match nothing.
    pub warnings: Vec<String>,
    /// Its tests, without those that were not asked for.
    pub tests: Vec<TestReport>,
}

/// What became of one test.
#[derive(Debug, Serialize)]
pub struct TestReport {
    /// Its name, or its place in the file.
    pub name: String,
    /// How many expectations were met.
    pub passed: usize,
    /// Those that were not.
    pub failures: Vec<TestFailure>,
}

/// An expectation that was not met, or an evaluation that failed.
#[derive(Debug, Serialize)]
pub struct TestFailure {
    /// What was looked at: an alert's name, an expression, or a rule.
    pub subject: String,
    /// At which time of the test.
    pub time: String,
    /// Why it failed, where nothing could be compared.
    pub error: Option<String>,
    /// What was expected and is not there, a line for each.
    pub missing: Vec<String>,
    /// What is there and was not expected.
    pub unexpected: Vec<String>,
}

impl FileReport {
    /// Whether all is as expected.
    pub fn passed(&self) -> bool {
        self.error.is_none() && self.tests.iter().all(|test| test.failures.is_empty())
    }
}

impl TestFailure {
    fn error(subject: &str, time: DurationText, error: impl Into<String>) -> Self {
        Self {
            subject: subject.to_owned(),
            time: time.to_string(),
            error: Some(error.into()),
            missing: Vec::new(),
            unexpected: Vec::new(),
        }
    }
}

/// Runs the tests of a file, or those whose name matches. Blocks.
pub fn run_file(path: &Path, wanted: Option<&Regex>) -> FileReport {
    let mut report =
        FileReport { file: path.display().to_string(), error: None, warnings: Vec::new(), tests: Vec::new() };
    if let Err(error) = run_into(path, wanted, &mut report) {
        report.error = Some(error);
    }
    report
}

fn run_into(path: &Path, wanted: Option<&Regex>, report: &mut FileReport) -> Result<(), String> {
    let file = FileForm::read(path)?;
    let rules = file.rules(path, &mut report.warnings)?;
    for (index, test) in file.tests.iter().enumerate() {
        let name = test.name.clone().unwrap_or_else(|| format!("test {}", index + 1));
        if wanted.is_some_and(|wanted| !wanted.is_match(&name)) {
            continue;
        }
        let mut outcome = TestReport { name, passed: 0, failures: Vec::new() };
        if let Err(error) = run_test(&file, test, &rules, &mut outcome) {
            outcome.failures.push(TestFailure::error("the test", DurationText::default(), error));
        }
        report.tests.push(outcome);
    }
    Ok(())
}

fn run_test(
    file: &FileForm,
    test: &TestForm,
    rules: &[crate::Group],
    report: &mut TestReport,
) -> Result<(), String> {
    let interval = file.evaluation_interval();
    let start = test.start.or(file.start).map_or(Timestamp::from_millis(0), |start| start.0);
    let mut stage = Stage::new(file, test, rules, start)?;
    let times =
        test.alerts.iter().map(|alert| alert.eval_time).chain(test.expressions.iter().map(|e| e.eval_time));
    let last = times.max().unwrap_or_default();
    let step_ms = i64::try_from(interval.0.as_millis()).unwrap_or(i64::MAX).max(1);
    let last_ms = i64::try_from(last.0.as_millis()).unwrap_or(i64::MAX);
    if last_ms / step_ms >= MAX_EVALUATIONS {
        return Err(format!(
            "the rules would be evaluated {} times, and {MAX_EVALUATIONS} are allowed: take a larger evaluation_interval",
            last_ms / step_ms
        ));
    }
    for round in 0..=last_ms / step_ms {
        let (begin, end) = (round * step_ms, (round + 1) * step_ms);
        let failures = stage.evaluate(begin);
        if !failures.is_empty() {
            report.failures.extend(failures);
            return Ok(());
        }
        // An expectation is met by the evaluation at its time, or by the last one before.
        let due = test.alerts.iter().filter(|expected| {
            let at = i64::try_from(expected.eval_time.0.as_millis()).unwrap_or(i64::MAX);
            (begin..end).contains(&at)
        });
        for expected in due {
            match check_alerts(expected, &stage) {
                None => report.passed += 1,
                Some(failure) => report.failures.push(failure),
            }
        }
    }
    for expected in &test.expressions {
        match check_expression(expected, &stage, file.fuzzy_compare) {
            None => report.passed += 1,
            Some(failure) => report.failures.push(failure),
        }
    }
    Ok(())
}
