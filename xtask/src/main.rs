//! Checks of the house that `make lint` and the tests run: `cargo xtask layers`, `cargo xtask tidy`.
//!
//! A rule that nothing checks is no rule. Each check prints every place that breaks it, and fails.

mod layers;
mod tidy;

use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, Result, bail};

fn main() -> ExitCode {
    let asked = std::env::args().nth(1).unwrap_or_default();
    match run(&asked) {
        Ok(faults) if faults.is_empty() => ExitCode::SUCCESS,
        Ok(faults) => {
            tell(&faults);
            ExitCode::FAILURE
        }
        Err(error) => {
            tell(&[format!("{error:#}")]);
            ExitCode::from(2)
        }
    }
}

#[expect(clippy::print_stderr, reason = "this is a command; its output is its purpose")]
fn tell(lines: &[String]) {
    for line in lines {
        eprintln!("{line}");
    }
}

fn run(check: &str) -> Result<Vec<String>> {
    let root = root()?;
    match check {
        "layers" => layers::check(&root),
        "tidy" => tidy::check(&root),
        _ => bail!("usage: cargo xtask layers | tidy"),
    }
}

/// The root of the workspace: two levels above this crate's manifest is one above its folder.
fn root() -> Result<PathBuf> {
    let own = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    own.parent().map(PathBuf::from).context("xtask lies in the workspace's root")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_house_keeps_its_layers() {
        assert_eq!(run("layers").expect("readable"), Vec::<String>::new());
    }

    #[test]
    fn the_house_is_tidy() {
        assert_eq!(run("tidy").expect("readable"), Vec::<String>::new());
    }
}
