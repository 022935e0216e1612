//! `watchkeeper man`: manual pages from the command definitions.

use std::io::Write;
use std::path::PathBuf;

use anyhow::{Context as _, anyhow};
use clap::CommandFactory;
use clap_mangen::Man as Page;

use crate::exit::Failure;

/// What the command line says.
#[derive(Debug, clap::Args)]
pub(crate) struct Man {
    /// The command whose page is printed, as it is typed: `user add` [default: watchkeeper itself]
    command: Vec<String>,
    /// Write the pages of all commands into this folder
    #[arg(long, value_name = "DIR", conflicts_with = "command", value_hint = clap::ValueHint::DirPath)]
    out: Option<PathBuf>,
}

pub(crate) fn run(command: &Man) -> Result<(), Failure> {
    let whole = crate::arguments::Arguments::command();
    if let Some(folder) = &command.out {
        let told = || format!("writing manual pages into {}", folder.display());
        std::fs::create_dir_all(folder).with_context(told)?;
        clap_mangen::generate_to(whole, folder).with_context(told)?;
        return Ok(());
    }
    let mut page = Vec::new();
    Page::new(find(whole, &command.command)?).render(&mut page).context("making the page")?;
    match std::io::stdout().write_all(&page) {
        // A pager that was left is no failure.
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => Err(error.into()),
        _ => Ok(()),
    }
}

fn find(whole: clap::Command, path: &[String]) -> Result<clap::Command, Failure> {
    // A page of everything must not list the command `help` of each command beside it.
    let mut found = whole.disable_help_subcommand(true);
    found.build();
    for name in path {
        found = found.find_subcommand(name).cloned().ok_or_else(|| {
            Failure::Usage(anyhow!("there is no command `{}`; `watchkeeper help` lists them", path.join(" ")))
        })?;
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(path: &[&str]) -> String {
        let path: Vec<String> = path.iter().map(|name| (*name).to_owned()).collect();
        let command = find(crate::arguments::Arguments::command(), &path).expect("a command");
        let mut page = Vec::new();
        Page::new(command).render(&mut page).expect("rendered");
        String::from_utf8(page).expect("text")
    }

    #[test]
    fn every_command_has_a_page_of_its_own() {
        let folder = tempfile::tempdir().expect("a folder");
        let out = folder.path().join("man1");
        run(&Man { command: Vec::new(), out: Some(out.clone()) }).expect("written");
        for name in ["watchkeeper.1", "watchkeeper-top.1", "watchkeeper-snapshot.1", "watchkeeper-user-add.1"]
        {
            let page = std::fs::read_to_string(out.join(name)).expect(name);
            assert!(page.contains(".SH NAME") && page.contains(".SH OPTIONS"), "{name}: {page}");
        }
        assert!(!out.join("watchkeeper-help.1").exists());
    }

    #[test]
    fn a_page_says_how_a_command_ends() {
        assert!(text(&["check"]).contains("Exit codes"));
        assert!(text(&["user", "add"]).contains("watchkeeper user add anna"));
        assert!(find(crate::arguments::Arguments::command(), &["chekc".to_owned()]).is_err());
    }
}
