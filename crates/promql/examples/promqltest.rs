//! Runs scripts in the format of Prometheus' query tests against the engine over the embedded store:
//!
//! ```text
//! cargo run -q -p promql --example promqltest -- FILE…
//! ```
//!
//! Each failure is a line that begins with the file and the line in it; the last line is `N passed, N failed`. The exit
//! code is 1 when something failed.

#[path = "../tests/scripts/classic.rs"]
mod classic;
#[path = "../tests/scripts/embedded.rs"]
mod embedded;
#[path = "../tests/scripts/expected.rs"]
mod expected;
#[path = "../tests/scripts/load.rs"]
mod load;
#[path = "../tests/scripts/report.rs"]
mod report;
#[path = "../tests/scripts/runner.rs"]
mod runner;
#[path = "../tests/scripts/script.rs"]
mod script;
#[path = "../tests/scripts/start_text.rs"]
mod start_text;

use std::io;
use std::process::ExitCode;

use embedded::Stores;

#[expect(clippy::print_stderr, reason = "what a command has to say")]
fn main() -> io::Result<ExitCode> {
    let files: Vec<String> = std::env::args().skip(1).collect();
    if files.is_empty() {
        eprintln!("usage: promqltest FILE…");
        return Ok(ExitCode::from(2));
    }
    let stores = Stores::default();
    report::run(&files, &|| stores.open(), &mut io::stdout().lock()).map(ExitCode::from)
}
