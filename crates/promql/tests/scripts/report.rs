//! Scripts of files, and what became of them as lines: `FILE:LINE: …` for each failure, last `N passed, N failed`.

use std::io::{self, Write};
use std::sync::Arc;

use store::TelemetryStore;

use crate::runner;

/// Runs the scripts of some files and writes what became of them. Gives the exit code of a command that has done this:
/// 1 when something failed, else 0.
pub(crate) fn run(
    files: &[String],
    new_store: &dyn Fn() -> Arc<dyn TelemetryStore>,
    into: &mut dyn Write,
) -> io::Result<u8> {
    let (mut passed, mut failed) = (0, 0);
    for file in files {
        let text = match std::fs::read_to_string(file) {
            Ok(text) => text,
            Err(error) => {
                writeln!(into, "{file}: {error}")?;
                failed += 1;
                continue;
            }
        };
        let tally = runner::run(&text, new_store);
        for failure in &tally.failures {
            writeln!(into, "{file}:{failure}")?;
        }
        passed += tally.passed;
        failed += tally.failures.len();
    }
    writeln!(into, "{passed} passed, {failed} failed")?;
    Ok(u8::from(failed > 0))
}
