//! `watchkeeper sql`: a statement over everything that is stored.
//!
//! The server answers it, or the store in a folder that no server has open.

mod fault;
mod schema;
mod source;
mod table;

use std::io::{IsTerminal as _, Read as _};
use std::path::{Path, PathBuf};
use std::str::FromStr as _;

use anyhow::{Context as _, anyhow};
use model::DurationText;
use serde_json::Value;
use store::{Cancel, SqlQuery};
use tabular::{AnswerFormat, Format};

use super::export::output::Target;
use crate::client::Connection;
use crate::exit::Failure;

/// Rows that a table shows when no limit is given.
const TABLE_ROWS: usize = 1_000;
/// The longest file with a statement: longer ones are refused anyway.
const MAX_FILE_BYTES: u64 = 1 << 20;

/// What the command line says.
#[derive(Debug, clap::Args)]
pub(crate) struct Sql {
    /// The statement, which only reads
    #[arg(value_name = "STATEMENT", required_unless_present_any = ["schema", "file"])]
    statement: Option<String>,
    /// Take the statement from a file, or from standard input (`-`)
    #[arg(long, short, value_name = "FILE", conflicts_with = "statement", value_hint = clap::ValueHint::FilePath)]
    file: Option<PathBuf>,
    /// List the tables, or the columns of one, instead
    #[arg(long, value_name = "TABLE", num_args = 0..=1, default_missing_value = "",
        conflicts_with_all = ["statement", "file", "limit", "timeout", "out"])]
    schema: Option<String>,
    /// How the answer is printed [default: what the extension of --out says; table]
    #[arg(long, value_name = "FORMAT", value_parser = ["table", "json", "csv", "ndjson", "arrow", "parquet"])]
    format: Option<String>,
    /// Print the answer as JSON: columns, rows, statistics
    #[arg(long, conflicts_with = "format")]
    json: bool,
    /// The most rows [default: 1000 of a table, 10000 of JSON, else what the server lets through]
    #[arg(long, value_name = "ROWS", value_parser = clap::value_parser!(u64).range(1..))]
    limit: Option<u64>,
    /// The longest that it may take
    #[arg(long, value_name = "DURATION")]
    timeout: Option<DurationText>,
    /// Write the answer to a file
    #[arg(long, short, value_name = "FILE", default_value = "-", value_hint = clap::ValueHint::FilePath)]
    out: PathBuf,
    /// Write over a file that is there
    #[arg(long)]
    force: bool,
    #[command(flatten)]
    connection: Connection,
}

/// How the answer is shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Shown {
    Table,
    As(AnswerFormat),
}

pub(crate) async fn run(command: &Sql) -> Result<(), Failure> {
    if let Some(table) = &command.schema {
        return schema::print(table, command.json || command.format.as_deref() == Some("json"));
    }
    let target = Target::new(&command.out, command.force).map_err(Failure::Usage)?;
    let shown = shown(command, &target)?;
    let statement = statement(command)?;
    let limit = command.limit.map(|limit| usize::try_from(limit).unwrap_or(usize::MAX));
    let timeout = command.timeout.map(|timeout| timeout.0);
    let limit = match shown {
        Shown::Table => limit.or(Some(TABLE_ROWS)),
        Shown::As(AnswerFormat::Json) => limit.or(Some(10 * TABLE_ROWS)),
        Shown::As(AnswerFormat::Rows(_)) => limit,
    };
    let query = SqlQuery { statement, limit, timeout, cancel: Cancel::new() };
    let format = match shown {
        Shown::Table => AnswerFormat::Json,
        Shown::As(format) => format,
    };
    // A table is laid out when all of it is there.
    let target = (shown != Shown::Table).then_some(target);
    let cancel = query.cancel.clone();
    let answered = tokio::select! {
        answered = source::answer(&command.connection, query, format, target.as_ref()) => answered,
        _ = tokio::signal::ctrl_c() => {
            cancel.cancel();
            return Err(Failure::Other(anyhow!("interrupted")));
        }
    };
    match (answered, &target) {
        (Err(failure), Some(target)) if target.is_stdout() && is_broken_pipe(&failure) => Ok(()),
        (answered, Some(_)) => answered.map(|_| ()),
        (answered, None) => {
            let answer: Value = serde_json::from_slice(&answered?).context("the answer is no JSON")?;
            println!("{}", table::shown(&answer));
            if answer["truncated"] == true {
                eprintln!(
                    "note: there are more rows; --limit takes more than {}",
                    limit.unwrap_or(TABLE_ROWS)
                );
            }
            Ok(())
        }
    }
}

/// Whoever read standard output has seen enough.
fn is_broken_pipe(failure: &Failure) -> bool {
    let Failure::Other(error) = failure else { return false };
    error.chain().any(|cause| {
        cause
            .downcast_ref()
            .is_some_and(|error: &std::io::Error| error.kind() == std::io::ErrorKind::BrokenPipe)
    })
}

fn shown(command: &Sql, target: &Target) -> Result<Shown, Failure> {
    let named = if command.json { Some("json") } else { command.format.as_deref() };
    let shown = match (named, target.path()) {
        (Some("table"), None) => Shown::Table,
        (Some("table"), Some(_)) => {
            return Err(Failure::Usage(anyhow!(
                "a table is for people to look at: give --out another --format"
            )));
        }
        (Some(name), _) => Shown::As(AnswerFormat::from_str(name).expect("clap let only these through")),
        (None, None) => Shown::Table,
        (None, Some(path)) => Shown::As(of_path(path)?),
    };
    let is_binary = matches!(shown, Shown::As(AnswerFormat::Rows(format)) if !format.is_text());
    if is_binary && target.is_terminal() {
        return Err(Failure::Usage(anyhow!("this format is nothing for a terminal: name a file with --out")));
    }
    Ok(shown)
}

/// The format that the extension of a file stands for.
fn of_path(path: &Path) -> Result<AnswerFormat, Failure> {
    if path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("json")) {
        return Ok(AnswerFormat::Json);
    }
    Format::of_path(path).map(AnswerFormat::Rows).ok_or_else(|| {
        Failure::Usage(anyhow!(
            "the format of {} is not known by its name: end it with .csv, .json, .ndjson, .arrow or .parquet, or give --format",
            path.display()
        ))
    })
}

fn statement(command: &Sql) -> Result<String, Failure> {
    let Some(path) = &command.file else { return Ok(command.statement.clone().unwrap_or_default()) };
    let mut text = String::new();
    let read = if path == Path::new("-") {
        let stdin = std::io::stdin();
        if stdin.is_terminal() {
            eprintln!("note: the statement is read from the terminal; Ctrl-D ends it");
        }
        stdin.lock().take(MAX_FILE_BYTES).read_to_string(&mut text)
    } else {
        let file = std::fs::File::open(path).with_context(|| format!("cannot read {}", path.display()))?;
        file.take(MAX_FILE_BYTES).read_to_string(&mut text)
    };
    read.with_context(|| format!("cannot read {}", path.display()))?;
    Ok(text)
}
