//! PromQL evaluated as a user meets it: scripts of data, queries and expected answers, and the law
//! that a range query equals an instant query at each of its steps.
//!
//! `tests/promql/*.test` at the workspace's root are ours and all must pass. When the environment
//! variable `WATCHKEEPER_PROMQLTEST` names a directory, its scripts run too and their counts are printed.

mod classic;
mod equivalence;
mod expected;
mod histogram_text;
mod limits;
mod load;
mod memory;
mod once;
mod runner;
mod script;
mod series_text;

use std::path::{Path, PathBuf};
use std::sync::Arc;

use memory::MemoryStore;
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
    runner::run(&text, &|| Arc::new(MemoryStore::default()))
}

#[test]
fn our_scripts_pass() {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/promql");
    let paths = scripts_in(&directory);
    assert!(!paths.is_empty(), "no scripts in {}", directory.display());
    let mut problems = Vec::new();
    for path in paths {
        let tally = run(&path);
        assert!(tally.passed > 0, "{} has no evaluations", path.display());
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        problems.extend(tally.failures.iter().map(|failure| format!("{name}:{failure}")));
    }
    assert!(problems.is_empty(), "{}", problems.join("\n"));
}

#[test]
fn scripts_from_elsewhere_are_counted() {
    let Some(directory) = std::env::var_os("WATCHKEEPER_PROMQLTEST") else { return };
    let (mut passed, mut failed) = (0, 0);
    for path in scripts_in(Path::new(&directory)) {
        let tally = run(&path);
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        println!("{name}: {} passed, {} failed", tally.passed, tally.failures.len());
        tally.failures.iter().for_each(|failure| println!("  failed {name}:{failure}"));
        passed += tally.passed;
        failed += tally.failures.len();
    }
    println!("all: {passed} passed, {failed} failed");
}
