//! PromQL evaluated as a user meets it: scripts of data, queries and expected answers, and the law
//! that a range query equals an instant query at each of its steps.
//!
//! `tests/promql/*.test` at the workspace's root are ours and all must pass. So must Prometheus' own, which are no part
//! of the project: those in the folder that the environment variable `WATCHKEEPER_PROMQLTEST` names, or in a folder
//! `shared/promqltest` beside the checkout.

mod classic;
mod embedded;
mod equivalence;
mod expected;
mod limits;
mod load;
mod memory;
mod once;
mod report;
mod runner;
mod script;
mod start_text;
mod verdicts;

use std::path::{Path, PathBuf};

use embedded::Stores;
use runner::Tally;

fn scripts_in(directory: &Path) -> Vec<PathBuf> {
    let entries =
        std::fs::read_dir(directory).unwrap_or_else(|error| panic!("{}: {error}", directory.display()));
    let mut paths: Vec<PathBuf> = entries
        .map(|entry| entry.expect("a readable directory").path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "test"))
        .collect();
    paths.sort();
    paths
}

fn run(path: &Path) -> Tally {
    let text = std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let stores = Stores::default();
    runner::run(&text, &|| stores.open())
}

/// Runs scripts; what did not pass, with file and line, is the second.
fn run_all(paths: &[PathBuf]) -> (Vec<(String, Tally)>, Vec<String>) {
    let mut tallies = Vec::new();
    let mut problems = Vec::new();
    for path in paths {
        let tally = run(path);
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        problems.extend(tally.failures.iter().map(|failure| format!("{name}:{failure}")));
        tallies.push((name, tally));
    }
    (tallies, problems)
}

/// Runs all scripts of a folder; each must have evaluations, and all of these must pass.
fn assert_all_pass(directory: &Path) {
    let (tallies, problems) = run_all(&scripts_in(directory));
    assert!(!tallies.is_empty(), "no scripts in {}", directory.display());
    for (name, tally) in tallies {
        assert!(tally.passed > 0, "{name}: nothing in it passed, {:?}", tally.failures);
    }
    assert!(problems.is_empty(), "{} did not pass:\n{}", problems.len(), problems.join("\n"));
}

#[test]
fn our_scripts_pass() {
    assert_all_pass(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/promql"));
}

/// Where Prometheus' own scripts are, if they are here.
fn elsewhere() -> Option<PathBuf> {
    let named = std::env::var_os("WATCHKEEPER_PROMQLTEST").map(PathBuf::from);
    let beside = || Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/promqltest");
    named.or_else(|| Some(beside()).filter(|folder| folder.is_dir()))
}

#[test]
fn scripts_from_elsewhere_pass() {
    match elsewhere() {
        Some(directory) => assert_all_pass(&directory),
        None => eprintln!(
            "skipped: WATCHKEEPER_PROMQLTEST names no folder, and there is none `shared/promqltest` beside the checkout"
        ),
    }
}
