//! `watchkeeper audit`: whether the audit log is as it was written, and the log as a file.
//!
//! The log is that of the state database of this machine, or that of a server; both give the same.

mod export;
mod verify;

use std::path::PathBuf;

use model::Timestamp;
use serde_json::Value;
use state::{AuditEntry, AuditHash, Outcome, State, StateError};

use crate::client::Connection;
use crate::exit::{self, Failure};

/// What the command line says.
#[derive(Debug, clap::Subcommand)]
pub(crate) enum Audit {
    /// Check that no entry was changed, removed or put elsewhere
    #[command(
        after_help = "Every entry has the hash of itself and of the one before it; all are made anew and compared. What the hashes cannot \
        tell is whether the end is missing, or all of it was written anew: note the head that is printed where nobody who can write \
        to this machine can write, and give it with --expect-head the next time. docs/audit.md says more.\n\n\
        Exit codes: 0 intact, 1 it could not be verified, 2 broken, 3 the server cannot be reached. A wrong command line ends with 2 \
        as well.\n\n\
        Examples:\n  watchkeeper audit verify\n  watchkeeper audit verify --expect-head \"$(cat /mnt/elsewhere/head)\"\n  \
        watchkeeper audit verify --data-dir /srv/watchkeeper --json\n  watchkeeper audit verify --file audit.ndjson"
    )]
    Verify(Verify),
    /// Write the audit log to a file: NDJSON or CSV, with the hashes by which it can be verified
    #[command(
        after_help = "The file appears when it is whole. Entries stand in it as they stand in the log, from the first at --from or later to \
        the last at --to or earlier. Times are RFC 3339, a date, seconds since the epoch, `now`, or a duration before now: 7d.\n\n\
        Exit codes: 0 written, 1 it failed, 2 the command line is wrong or the file is there already, 3 the server cannot be reached \
        or broke off.\n\n\
        Examples:\n  watchkeeper audit export --out audit.ndjson\n  watchkeeper audit export --from 30d --out audit.csv\n  \
        watchkeeper audit export | jq 'select(.outcome == \"denied\")'"
    )]
    Export(Export),
}

/// What is verified.
#[derive(Debug, clap::Args)]
pub(crate) struct Verify {
    /// Verify a file that `audit export` has written, and no log
    #[arg(long, value_name = "FILE", value_hint = clap::ValueHint::FilePath)]
    file: Option<PathBuf>,
    /// The hash of an entry, noted elsewhere when it was the last one; an entry must have it
    #[arg(long, value_name = "HASH")]
    expect_head: Option<AuditHash>,
    /// Print JSON
    #[arg(long)]
    json: bool,
    /// Show no progress
    #[arg(long, short)]
    quiet: bool,
    #[command(flatten)]
    connection: Connection,
}

/// What is exported, and where to.
#[derive(Debug, clap::Args)]
pub(crate) struct Export {
    /// The earliest time [default: all that is kept]
    #[arg(long, value_name = "TIME")]
    from: Option<String>,
    /// The latest time [default: now]
    #[arg(long, value_name = "TIME")]
    to: Option<String>,
    /// The format [default: what the file's extension says; ndjson on standard output]
    #[arg(long, value_name = "FORMAT", value_parser = ["ndjson", "csv"])]
    format: Option<String>,
    /// The file, or `-` for standard output
    #[arg(long, short, value_name = "FILE", default_value = "-", value_hint = clap::ValueHint::FilePath)]
    out: PathBuf,
    /// Write over a file that is there
    #[arg(long)]
    force: bool,
    /// Show no progress and no summary
    #[arg(long, short)]
    quiet: bool,
    #[command(flatten)]
    connection: Connection,
}

pub(crate) async fn run(command: &Audit) -> Result<u8, Failure> {
    match command {
        Audit::Verify(command) => verify::run(command).await,
        Audit::Export(command) => export::run(command).await.map(|()| exit::OK),
    }
}

/// Writes into the log of this machine what was done with it.
async fn note(state: &State, action: &str, detail: Value, outcome: Outcome) -> Result<(), StateError> {
    let entry = AuditEntry {
        time: Timestamp::now(),
        actor: "local".to_owned(),
        action: action.to_owned(),
        target: None,
        detail,
        client_ip: None,
        outcome,
    };
    state.audit().append(&entry).await
}
