//! PromQL evaluated as a user meets it: scripts of data, queries and expected answers, and the law
//! that a range query equals an instant query at each of its steps.
//!
//! `tests/promql/*.test` at the workspace's root are ours and all must pass. When the environment
//! variable `WATCHKEEPER_PROMQLTEST` names a directory, as one with Prometheus' own scripts, its scripts must pass too,
//! but for what `docs/promql.md` lists.

mod classic;
mod embedded;
mod equivalence;
mod expected;
mod limits;
mod load;
mod memory;
mod once;
mod runner;
mod script;

use std::path::{Path, PathBuf};

use embedded::Stores;
use runner::Tally;

/// Scripts with loads that are not supported, which `docs/promql.md` lists.
const NOT_SUPPORTED: [&str; 1] = ["start_timestamps.test"];

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
        if !NOT_SUPPORTED.contains(&name.as_str()) {
            problems.extend(tally.unsupported.iter().map(|load| format!("{name}:{load}")));
        }
        tallies.push((name, tally));
    }
    (tallies, problems)
}

#[test]
fn our_scripts_pass() {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/promql");
    let (tallies, problems) = run_all(&scripts_in(&directory));
    assert!(!tallies.is_empty(), "no scripts in {}", directory.display());
    for (name, tally) in tallies {
        assert!(tally.passed > 0, "{name} has no evaluations");
    }
    assert!(problems.is_empty(), "{}", problems.join("\n"));
}

#[test]
fn scripts_from_elsewhere_pass() {
    let Some(directory) = std::env::var_os("WATCHKEEPER_PROMQLTEST") else { return };
    let directory = Path::new(&directory);
    let (tallies, problems) = run_all(&scripts_in(directory));
    assert!(tallies.iter().any(|(_, tally)| tally.passed > 0), "nothing ran in {}", directory.display());
    assert!(problems.is_empty(), "{} did not pass:\n{}", problems.len(), problems.join("\n"));
}

#[test]
fn start_timestamps_are_said_to_be_unsupported_and_the_rest_of_a_script_is_run() {
    let script = "
        load 1m
          jobs_total{zone=\"a\"}@st _ -30s-1mx2
          jobs_total{zone=\"a\"} _ 0 60 120

        eval instant at 3m jobs_total

        clear
        load 1m
          jobs@st _ -1m
          jobs _ {{schema:0 sum:1 count:1}}

        clear
        load 1m
          jobs 1 2

        eval instant at 1m jobs
          jobs 2
    ";
    let stores = Stores::default();
    let tally = runner::run(script, &|| stores.open());
    assert_eq!((tally.passed, &tally.failures), (1, &Vec::new()));
    let expected = [2, 9].map(|line| format!("{line}: start timestamps (`@st`) are not supported"));
    assert_eq!(tally.unsupported, expected);
}
