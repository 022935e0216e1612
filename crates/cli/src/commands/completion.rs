//! `watchkeeper completion`.

use clap::CommandFactory;
use clap_complete::Shell;

/// What the command line says.
#[derive(Debug, clap::Args)]
pub(crate) struct Completion {
    /// The shell
    shell: Shell,
}

pub(crate) fn run(command: &Completion) {
    clap_complete::generate(
        command.shell,
        &mut crate::arguments::Arguments::command(),
        "watchkeeper",
        &mut std::io::stdout(),
    );
}
