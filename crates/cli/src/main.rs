//! The binary `watchkeeper`: the command line, and the composition root.
//!
//! Every command is a file in `commands`. `house` puts the parts together; it is the only place that
//! names a storage engine. Standard output is for what was asked for, standard error for the rest.
//!
//! Start reading at `commands::serve`.

#![allow(clippy::print_stdout, clippy::print_stderr, reason = "a command line prints")]

mod address;
mod allocator;
mod arguments;
mod causes;
mod changes;
mod client;
mod commands;
mod config;
mod exit;
mod first_start;
mod house;
mod logging;
mod numbered;
mod pinned;
mod progress;
mod show;

use std::process::ExitCode;

use clap::Parser;

use arguments::{Arguments, Command};
use commands::{
    audit, check, completion, config as config_command, diagnose, export, key, logs, man, query, queue,
    redact, rules, serve, snapshot, sql, store, top, user, version,
};
use exit::Failure;

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    // The one cryptography of the whole program; a second call would mean that somebody else chose.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let runtime = match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => {
            eprintln!("error: the runtime could not be started: {error}");
            return ExitCode::from(exit::WARNING);
        }
    };
    let ended = runtime.block_on(run(&arguments.command));
    // Work that blocks (a query that nobody waits for) must not keep the process.
    runtime.shutdown_background();
    match ended {
        Ok(code) => ExitCode::from(code),
        Err(failure) => {
            eprintln!("error: {failure}");
            ExitCode::from(failure.code())
        }
    }
}

async fn run(command: &Command) -> Result<u8, Failure> {
    match command {
        Command::Check(command) => return check::run(command).await,
        Command::Diagnose(command) => return diagnose::run(command).await,
        Command::Store(command) => return store::run(command).await,
        Command::Audit(command) => return audit::run(command).await,
        Command::Rules(command) => return rules::run(command).await,
        Command::Serve(command) => serve::run(command).await?,
        Command::Top(command) => top::run(command).await?,
        Command::Snapshot(command) => snapshot::run(command).await?,
        Command::Query(command) => query::run(command).await?,
        Command::Sql(command) => sql::run(command).await?,
        Command::Export(command) => export::run(command).await?,
        Command::Queue(command) => queue::run(command).await?,
        Command::Redact(command) => redact::run(command)?,
        Command::Logs(command) => logs::run(command).await?,
        Command::Config(command) => config_command::run(command).await?,
        Command::User(command) => user::run(command).await?,
        Command::Key(command) => key::run(command).await?,
        Command::Version(command) => version::run(command),
        Command::Completion(command) => completion::run(command),
        Command::Man(command) => man::run(command)?,
    }
    Ok(exit::OK)
}
