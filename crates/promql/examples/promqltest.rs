//! Runs scripts in the format of Prometheus' query tests against the engine over the embedded store:
//!
//! ```text
//! cargo run -q -p promql --example promqltest -- FILE…
//! ```
//!
//! Each failure, and each load that is not supported, is a line that begins with the file and the line of the
//! command; the last line is `N passed, N failed`. The exit code is 1 when something failed.

#![expect(clippy::print_stdout, clippy::print_stderr, reason = "what a command has to say")]

#[path = "../tests/scripts/classic.rs"]
mod classic;
#[path = "../tests/scripts/embedded.rs"]
mod embedded;
#[path = "../tests/scripts/expected.rs"]
mod expected;
#[path = "../tests/scripts/load.rs"]
mod load;
#[path = "../tests/scripts/runner.rs"]
mod runner;
#[path = "../tests/scripts/script.rs"]
mod script;

use std::path::Path;
use std::process::ExitCode;

use embedded::Stores;

/// Runs the script of a file and says what failed: how many evaluations passed, and how many did not.
fn run(file: &str, stores: &Stores) -> (usize, usize) {
    let text = match std::fs::read_to_string(Path::new(file)) {
        Ok(text) => text,
        Err(error) => {
            println!("{file}: {error}");
            return (0, 1);
        }
    };
    let tally = runner::run(&text, &|| stores.open());
    for failure in tally.failures.iter().chain(&tally.unsupported) {
        println!("{file}:{failure}");
    }
    (tally.passed, tally.failures.len())
}

fn main() -> ExitCode {
    let files: Vec<String> = std::env::args().skip(1).collect();
    if files.is_empty() {
        eprintln!("usage: promqltest FILE…");
        return ExitCode::from(2);
    }
    let stores = Stores::default();
    let (mut passed, mut failed) = (0, 0);
    for file in &files {
        let (file_passed, file_failed) = run(file, &stores);
        passed += file_passed;
        failed += file_failed;
    }
    println!("{passed} passed, {failed} failed");
    ExitCode::from(u8::from(failed > 0))
}
