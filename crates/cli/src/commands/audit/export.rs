//! Writing the log of this machine, or that of a server, to a file.

use std::io::{self, Write as _};
use std::time::Duration;

use anyhow::{Context as _, anyhow};
use model::{TimeRange, Timestamp};
use serde_json::json;
use state::{AuditFormat, Outcome, State};
use tokio::signal::unix::{SignalKind, signal};

use super::{Export, note};
use crate::client::{Client, Opened};
use crate::commands::access::Access;
use crate::commands::export::output::{Output, Target};
use crate::commands::query::moment;
use crate::exit::Failure;
use crate::progress::Progress;
use crate::show;

/// How long a server may say nothing.
const PATIENCE: Duration = Duration::from_secs(600);

/// What is wanted.
struct Wanted {
    from: Option<Timestamp>,
    to: Option<Timestamp>,
    format: AuditFormat,
}

pub(super) async fn run(command: &Export) -> Result<(), Failure> {
    let target = Target::new(&command.out, command.force).map_err(Failure::Usage)?;
    let wanted = wanted(command, &target)?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    // What was begun is taken away when its work is dropped.
    let ended = tokio::select! {
        ended = pour(command, &wanted, &target) => ended,
        _ = interrupt.recv() => Err(interrupted()),
        _ = terminate.recv() => Err(interrupted()),
    };
    let bytes = match ended {
        Err(failure) if target.is_stdout() && is_broken_pipe(&failure) => return Ok(()),
        ended => ended?,
    };
    if let Some(path) = target.path().filter(|_| !command.quiet) {
        println!("{}: {}", show::bytes(bytes as f64), path.display());
    }
    Ok(())
}

fn interrupted() -> Failure {
    Failure::Other(anyhow!("interrupted: no file was written"))
}

/// Whoever read standard output has seen enough.
fn is_broken_pipe(failure: &Failure) -> bool {
    let Failure::Other(error) = failure else { return false };
    error.downcast_ref().map(io::Error::kind) == Some(io::ErrorKind::BrokenPipe)
}

fn wanted(command: &Export, target: &Target) -> Result<Wanted, Failure> {
    let now = Timestamp::now();
    let time = |name: &str, text: Option<&String>| text.map(|text| moment(name, text, now)).transpose();
    let (from, to) = (time("from", command.from.as_ref())?, time("to", command.to.as_ref())?);
    if let (Some(from), Some(to)) = (from, to)
        && to < from
    {
        return Err(Failure::Usage(anyhow!("--from {from} is after --to {to}")));
    }
    let parse = |name: &str| name.parse::<AuditFormat>().expect("clap let only these through");
    let named = command.format.as_deref().map(parse);
    let format = named.or_else(|| match target.path() {
        None => Some(AuditFormat::Ndjson),
        Some(path) => match path.extension()?.to_str()? {
            "csv" => Some(AuditFormat::Csv),
            "ndjson" | "jsonl" => Some(AuditFormat::Ndjson),
            _ => None,
        },
    });
    let format = format.ok_or_else(|| {
        let out = command.out.display();
        Failure::Usage(anyhow!(
            "the format of {out} is not known by its name: end it with .ndjson, .jsonl or .csv, or give --format"
        ))
    })?;
    Ok(Wanted { from, to, format })
}

async fn pour(command: &Export, wanted: &Wanted, target: &Target) -> Result<u64, Failure> {
    let mut progress = Progress::new(!command.quiet && !target.is_terminal());
    match Access::open(&command.connection).await? {
        Access::Here(state) => from_log(&state, wanted, target, &mut progress).await,
        Access::There(client) => from_server(&client, wanted, target, &mut progress).await,
    }
}

/// Writes a part of the file, of which `written` bytes are there already.
fn write(output: &mut Output, part: &[u8], written: &mut u64, progress: &mut Progress) -> anyhow::Result<()> {
    output.write_all(part).context("the file could not be written")?;
    *written += part.len() as u64;
    let bytes = *written as f64;
    progress.show(None, || show::bytes(bytes));
    Ok(())
}

async fn from_log(
    state: &State,
    wanted: &Wanted,
    target: &Target,
    progress: &mut Progress,
) -> Result<u64, Failure> {
    let mut output = target.open()?;
    let detail = json!({ "format": wanted.format.as_str(), "since": wanted.from, "until": wanted.to });
    note(state, "audit.export", detail, Outcome::Ok).await?;
    let range = TimeRange::new(wanted.from.unwrap_or(Timestamp::MIN), wanted.to.unwrap_or(Timestamp::MAX));
    let mut export = state.audit().export(range, wanted.format).await?;
    let mut written = 0;
    while let Some(part) = export.next_part().await? {
        write(&mut output, &part, &mut written, progress)?;
    }
    Ok(output.publish()?)
}

async fn from_server(
    client: &Client,
    wanted: &Wanted,
    target: &Target,
    progress: &mut Progress,
) -> Result<u64, Failure> {
    let [since, until] = [wanted.from, wanted.to].map(|time| time.map(|time| time.to_string()));
    let mut parameters = vec![("format", wanted.format.as_str())];
    parameters.extend(since.as_deref().map(|time| ("since", time)));
    parameters.extend(until.as_deref().map(|time| ("until", time)));
    let mut answer = match client.open("/api/v1/audit/export", &parameters).await? {
        Opened::Answer(answer) => answer,
        Opened::Nobody(failure) => return Err(failure),
    };
    let broke_off = |error: anyhow::Error| {
        let what =
            format!("{} broke off the export; its log says why, if it was not a stop", client.address());
        Failure::Unreachable(error.context(what))
    };
    let mut output = target.open()?;
    let mut written = 0;
    loop {
        let chunk = tokio::time::timeout(PATIENCE, answer.chunk()).await;
        let chunk =
            chunk.map_err(|_| broke_off(anyhow!("nothing came for {} minutes", PATIENCE.as_secs() / 60)))?;
        let Some(chunk) = chunk.map_err(|error| broke_off(error.without_url().into()))? else { break };
        write(&mut output, &chunk, &mut written, progress)?;
    }
    Ok(output.publish()?)
}
