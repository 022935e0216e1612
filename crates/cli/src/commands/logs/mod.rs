//! `watchkeeper logs`: records of logs that are stored, those that come, and what lines of a file become.

mod feed;
mod parse;
mod search;
mod shown;
mod tail;

use crate::exit::Failure;

/// What to do.
#[derive(Debug, clap::Subcommand)]
pub(crate) enum Logs {
    /// Show log records that a search finds, the newest last
    #[command(after_help = "Searches are described in docs/search.md.\n\n\
        Examples:\n  watchkeeper logs search 'level>=warn service:ocr \"timed out\"' --from 2h\n  \
        watchkeeper logs search 'job_id:doc-17' --limit 1000 --json | jq -r .message\n\n\
        Exit codes: 0 done, 1 the search cannot be answered, 2 the command line is wrong, 3 the server cannot be reached.")]
    Search(search::Search),
    /// Show log records as they come
    #[command(after_help = "What could not be shown fast enough is counted and told on standard error.\n\n\
        Examples:\n  watchkeeper logs tail\n  watchkeeper logs tail 'level>=error' --json\n\n\
        Exit codes: 0 stopped by Ctrl-C, 1 the search cannot be answered, 3 the server cannot be reached, or went away.")]
    Tail(tail::Tail),
    /// Show what the lines of a file become: time, level, logger, message, attributes
    #[command(
        after_help = "Lines are read as a file of `[[logs]]` is. What is shown is not redacted; `watchkeeper redact` shows that.\n\n\
        Examples:\n  watchkeeper logs parse app.log\n  watchkeeper logs parse app.log --lines 0 --json | jq -r .message\n  \
        watchkeeper logs parse app.log --multiline-start '^\\d{4}-'\n\n\
        Exit codes: 0 done, 1 the file cannot be read, 2 the command line is wrong."
    )]
    Parse(parse::Parse),
}

pub(crate) async fn run(command: &Logs) -> Result<(), Failure> {
    match command {
        Logs::Search(command) => search::run(command).await,
        Logs::Tail(command) => tail::run(command).await,
        Logs::Parse(command) => parse::run(command),
    }
}
