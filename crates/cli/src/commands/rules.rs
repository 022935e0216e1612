//! `watchkeeper rules`: whether rule files can be used, and whether rules do what is expected of them.
//!
//! No server is asked: files are read here, and tests run over a store in memory.

use std::path::{Path, PathBuf};

use alert::unit_test::{self, FileReport, TestFailure};
use alert::{Rule, RuleError, RuleSet, RuleWarning};
use anyhow::anyhow;
use regex::Regex;
use serde_json::{Value, json};

use crate::causes::told;
use crate::exit::{self, Failure};
use crate::show::clean;

/// What the command line says.
#[derive(Debug, clap::Subcommand)]
pub(crate) enum Rules {
    /// Say whether rule files can be used
    #[command(
        after_help = "Every fault is a line FILE:LINE:COLUMN: REASON. What is odd, and can be used, is a warning.\n\n\
        Exit codes: 0 all can be used, 1 some cannot, 2 the command line is wrong.\n\n\
        Examples:\n  watchkeeper rules check rules/pipeline.yml\n  watchkeeper rules check /etc/watchkeeper/rules/*.yml --json"
    )]
    Check {
        /// Rule files
        #[arg(required = true, value_name = "FILE")]
        files: Vec<PathBuf>,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
    /// Run unit tests of rules, written for `promtool test rules`
    #[command(
        after_help = "What was expected and is not there has a line with -, what is there and was not expected one with +.\n\n\
        Exit codes: 0 all is as expected, 1 something is not, 2 the command line is wrong.\n\n\
        Examples:\n  watchkeeper rules test tests.yml\n  watchkeeper rules test tests/*.yml --run '^backlog' --json"
    )]
    Test {
        /// Files with tests
        #[arg(required = true, value_name = "FILE")]
        files: Vec<PathBuf>,
        /// Run the tests alone whose name matches
        #[arg(long, value_name = "REGEX")]
        run: Option<Regex>,
        /// Print JSON
        #[arg(long)]
        json: bool,
    },
}

pub(crate) async fn run(command: &Rules) -> Result<u8, Failure> {
    match command {
        Rules::Check { files, json } => {
            let checked: Vec<Checked> = files.iter().map(|file| Checked::of(file)).collect();
            Ok(show_checked(&checked, *json))
        }
        Rules::Test { files, run, json } => {
            let mut reports = Vec::with_capacity(files.len());
            for file in files {
                let (file, wanted) = (file.clone(), run.clone());
                let tested = tokio::task::spawn_blocking(move || unit_test::run_file(&file, wanted.as_ref()));
                reports.push(tested.await.map_err(|error| anyhow!("the tests were broken off: {error}"))?);
            }
            Ok(show_reports(&reports, *json))
        }
    }
}

/// What is to be said of one rule file.
struct Checked {
    file: String,
    rules: RuleSet,
    errors: Vec<RuleError>,
}

impl Checked {
    fn of(path: &Path) -> Self {
        let (rules, errors) = match RuleSet::read_whole(path) {
            Ok(rules) => (rules, Vec::new()),
            Err(errors) => (RuleSet::default(), errors),
        };
        Self { file: path.display().to_string(), rules, errors }
    }

    /// How many rules make alerts, and how many series.
    fn counts(&self) -> (usize, usize) {
        let alerting = self.rules.rules().filter(|rule| matches!(rule.as_ref(), Rule::Alert(_))).count();
        (alerting, self.rules.rules().count() - alerting)
    }

    fn json(&self) -> Value {
        let (alerting, recording) = self.counts();
        let error = |error: &RuleError| match error {
            RuleError::Invalid { line, column, reason, .. } => {
                json!({ "line": line, "column": column, "reason": reason })
            }
            RuleError::Read { .. } | RuleError::NoFile { .. } | RuleError::TooLarge { .. } => {
                json!({ "line": null, "column": null, "reason": told(error) })
            }
        };
        let warning = |warning: RuleWarning| json!({ "line": warning.line, "column": warning.column, "reason": warning.text });
        json!({
            "file": self.file,
            "groups": self.rules.groups().len(),
            "alerting_rules": alerting,
            "recording_rules": recording,
            "errors": self.errors.iter().map(error).collect::<Vec<_>>(),
            "warnings": self.rules.warnings().into_iter().map(warning).collect::<Vec<_>>(),
        })
    }
}

fn show_checked(checked: &[Checked], as_json: bool) -> u8 {
    let passed = checked.iter().all(|file| file.errors.is_empty());
    if as_json {
        let files: Vec<Value> = checked.iter().map(Checked::json).collect();
        println!("{}", json!({ "passed": passed, "files": files }));
        return code(passed);
    }
    for file in checked {
        for error in &file.errors {
            eprintln!("{}", clean(&told(error)));
        }
        for RuleWarning { file, line, column, text } in file.rules.warnings() {
            println!("{}", clean(&format!("{file}:{line}:{column}: warning: {text}")));
        }
        if file.errors.is_empty() {
            let (alerting, recording) = file.counts();
            let groups = file.rules.groups().len();
            let text = format!(
                "{}: {}, {}, {}",
                file.file,
                counted(groups, "group"),
                counted(alerting, "alerting rule"),
                counted(recording, "recording rule")
            );
            println!("{}", clean(&text));
        }
    }
    code(passed)
}

fn counted(number: usize, what: &str) -> String {
    if number == 1 { format!("1 {what}") } else { format!("{number} {what}s") }
}

fn show_reports(reports: &[FileReport], as_json: bool) -> u8 {
    let passed = reports.iter().all(FileReport::passed);
    if as_json {
        println!("{}", json!({ "passed": passed, "files": reports }));
        return code(passed);
    }
    for report in reports {
        for warning in &report.warnings {
            eprintln!("{}: warning: {}", clean(&report.file), clean(warning));
        }
        if let Some(error) = &report.error {
            println!("FAILED  {}", clean(&report.file));
            error.lines().for_each(|line| println!("  {}", clean(line)));
            continue;
        }
        for test in &report.tests {
            let outcome = if test.failures.is_empty() { "passed" } else { "FAILED" };
            println!("{outcome}  {}: {}", clean(&report.file), clean(&test.name));
            test.failures.iter().for_each(show_failure);
        }
        let failed = report.tests.iter().filter(|test| !test.failures.is_empty()).count();
        println!("{}: {} tests passed, {failed} failed", clean(&report.file), report.tests.len() - failed);
    }
    code(passed)
}

fn show_failure(failure: &TestFailure) {
    println!("  {} at {}", clean(&failure.subject), clean(&failure.time));
    let lines = failure
        .error
        .iter()
        .map(|error| format!("error: {error}"))
        .chain(failure.missing.iter().map(|line| format!("- {line}")))
        .chain(failure.unexpected.iter().map(|line| format!("+ {line}")));
    lines.for_each(|line| println!("    {}", clean(&line)));
}

fn code(passed: bool) -> u8 {
    if passed { exit::OK } else { exit::WARNING }
}
