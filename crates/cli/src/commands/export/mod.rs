//! `watchkeeper export`: events and points of series as a file that other programs open.
//!
//! Rows come from the server, or from the store in a folder that no server has open; the file is made
//! here either way.

pub(crate) mod output;
mod sink;
pub(crate) mod source;

use std::path::{Path, PathBuf};
use std::pin::pin;
use std::str::FromStr as _;

use anyhow::anyhow;
use model::{TimeRange, Timestamp};
use promql::Query;
use serde_json::json;
use store::Table;
use tabular::{Format, Selection, WriteError};
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

use crate::client::Connection;
use crate::exit::Failure;
use crate::show;
use output::Target;
use sink::{Sink, Written};

/// What the command line says.
#[derive(Debug, clap::Args)]
pub(crate) struct Export {
    /// A table of events, as `requests`, or a selector of series, as `{__name__=~"http_.*",job="api"}`
    #[arg(value_name = "TABLE|SELECTOR")]
    what: String,
    /// The earliest time [default: all that is kept]
    #[arg(long, value_name = "TIME")]
    from: Option<String>,
    /// The latest time [default: now]
    #[arg(long, value_name = "TIME")]
    to: Option<String>,
    /// The format [default: what the file's extension says; csv on standard output]
    #[arg(long, value_name = "FORMAT", value_parser = ["parquet", "csv", "ndjson"])]
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
    /// Print the summary as JSON
    #[arg(long, conflicts_with = "quiet")]
    json: bool,
    #[command(flatten)]
    connection: Connection,
}

/// What is exported, from when to when.
pub(crate) struct Wanted {
    /// The table or selector as it was given.
    pub(crate) text: String,
    pub(crate) selection: Selection,
    pub(crate) range: TimeRange,
}

pub(crate) async fn run(command: &Export) -> Result<(), Failure> {
    let wanted =
        Wanted { text: command.what.clone(), selection: selection(&command.what)?, range: range(command)? };
    let target = Target::new(&command.out, command.force).map_err(Failure::Usage)?;
    let format = format(command, &target)?;
    if command.json && target.is_stdout() {
        return Err(Failure::Usage(anyhow!(
            "--json prints to standard output, where the rows go: name a file with --out"
        )));
    }
    let is_stdout = target.is_stdout();
    let sink = Sink::new(format, target, wanted.range, !command.quiet);
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    let stop = CancellationToken::new();
    let mut pouring = pin!(source::pour(&command.connection, &wanted, sink, &stop));
    let ended = tokio::select! {
        ended = &mut pouring => Some(ended),
        _ = interrupt.recv() => None,
        _ = terminate.recv() => None,
    };
    let ended = match ended {
        Some(ended) => ended,
        None => {
            // What was begun is taken away before the process ends.
            stop.cancel();
            pouring.await
        }
    };
    let written = match ended {
        Err(failure) if is_stdout && is_broken_pipe(&failure) => return Ok(()),
        ended => ended?,
    };
    tell(command, &wanted, format, &written);
    Ok(())
}

/// Whoever read standard output has seen enough.
fn is_broken_pipe(failure: &Failure) -> bool {
    let Failure::Other(error) = failure else { return false };
    let kind = error.downcast_ref().and_then(WriteError::io_kind);
    kind.or_else(|| error.downcast_ref().map(std::io::Error::kind)) == Some(std::io::ErrorKind::BrokenPipe)
}

fn selection(what: &str) -> Result<Selection, Failure> {
    if let Some(table) = Table::from_name(what) {
        return Ok(Selection::Events(table));
    }
    let query = Query::parse(what).map_err(|error| {
        Failure::Usage(anyhow!("`{what}` is no table ({}), and no selector: {error}", tables()))
    })?;
    let matchers = query.matchers().ok_or_else(|| {
        Failure::Usage(anyhow!("`{what}` is more than a selector: `watchkeeper query` evaluates expressions"))
    })?;
    Ok(Selection::Series(matchers.to_vec()))
}

fn tables() -> String {
    Table::ALL.iter().map(|table| table.name()).collect::<Vec<_>>().join(", ")
}

fn range(command: &Export) -> Result<TimeRange, Failure> {
    let now = Timestamp::now();
    let time = |name: &str, text: Option<&String>| {
        text.map(|text| super::query::moment(name, text, now)).transpose()
    };
    let start = time("from", command.from.as_ref())?.unwrap_or(Timestamp::MIN);
    let end = time("to", command.to.as_ref())?.unwrap_or(now);
    if end < start {
        return Err(Failure::Usage(anyhow!("--from {start} is after --to {end}")));
    }
    Ok(TimeRange::new(start, end))
}

fn format(command: &Export, target: &Target) -> Result<Format, Failure> {
    let named =
        command.format.as_deref().map(|name| Format::from_str(name).expect("clap let only these through"));
    let format = named.or_else(|| match target.path() {
        Some(path) => Format::of_path(path).filter(|format| *format != Format::Arrow),
        None => Some(Format::Csv),
    });
    let format = format.ok_or_else(|| {
        Failure::Usage(anyhow!(
            "the format of {} is not known by its name: end it with .parquet, .csv, .ndjson or .jsonl, or give --format",
            command.out.display()
        ))
    })?;
    if target.is_terminal() && !format.is_text() {
        return Err(Failure::Usage(anyhow!(
            "{} is nothing for a terminal: name a file with --out",
            format.name()
        )));
    }
    Ok(format)
}

fn tell(command: &Export, wanted: &Wanted, format: Format, written: &Written) {
    let path = written.path.as_deref().map(Path::display);
    if command.json {
        println!(
            "{:#}",
            json!({
                "what": wanted.text, "rows": written.rows, "bytes": written.bytes, "format": format.name(),
                "path": path.map(|path| path.to_string()),
                "first": written.first, "last": written.last, "source": written.source,
            })
        );
    } else if !command.quiet {
        if let Some(path) = path {
            println!("{} rows, {}: {path}", written.rows, show::bytes(written.bytes as f64));
        }
        if written.rows == 0 {
            eprintln!("note: nothing is stored of `{}` in that time (tables: {})", wanted.text, tables());
        }
    }
}
