//! Who answers: a running server, or the store in a folder.
//!
//! The server is asked first, unless `--data-dir` names a store that no server has open. Where no server answers, the
//! store of this machine is read.

use std::io::Write;
use std::path::Path;
use std::sync::Arc;

use anyhow::{Context as _, anyhow};
use engine::Engine;
use serde_json::json;
use store::{SqlQuery, TelemetryStore as _};
use tabular::{AnswerFormat, AnswerWriter};

use super::fault;
use crate::client::{Client, Connection, Posted};
use crate::commands::export::output::Target;
use crate::commands::export::source::open;
use crate::exit::Failure;
use crate::house;

/// The largest answer that is kept in memory, for a table.
const MAX_TABLE_BYTES: usize = 64 << 20;

/// Writes the answer to a target; without one, gives it.
pub(super) async fn answer(
    connection: &Connection,
    query: SqlQuery,
    format: AnswerFormat,
    target: Option<&Target>,
) -> Result<Vec<u8>, Failure> {
    let folder = connection.place.named_data_dir().filter(|_| connection.url.is_none());
    if let Some(folder) = folder.filter(|folder| house::holds_a_store(folder))
        && let Some(engine) = open(connection, folder).await?
    {
        return of_store(engine, query, format, target).await;
    }
    let client = Client::new(connection)?;
    let body = json!({
        "sql": query.statement, "limit": query.limit, "format": name(format),
        "timeout": query.timeout.map(|timeout| model::DurationText(timeout).to_string()),
    });
    let nobody = match client.post_open("/api/v1/sql", &body).await? {
        Posted::Answer(answer) => return of_server(&client, answer, format, target).await,
        Posted::Refused(problem) => return Err(fault::of_server(&query.statement, &problem)),
        Posted::Nobody(failure) => failure,
    };
    let folder = connection.place.data_dir()?;
    if connection.url.is_some() || !house::holds_a_store(&folder) {
        return Err(nobody);
    }
    let Some(engine) = open(connection, &folder).await? else { return Err(nobody) };
    note(&folder);
    of_store(engine, query, format, target).await
}

fn note(folder: &Path) {
    eprintln!("note: no server runs: the store in {} is read", folder.display());
}

const fn name(format: AnswerFormat) -> &'static str {
    match format {
        AnswerFormat::Json => "json",
        AnswerFormat::Rows(format) => format.name(),
    }
}

async fn of_server(
    client: &Client,
    mut answer: reqwest::Response,
    format: AnswerFormat,
    target: Option<&Target>,
) -> Result<Vec<u8>, Failure> {
    let mut kept = Vec::new();
    let mut output = target.map(Target::open).transpose()?;
    loop {
        let chunk = answer.chunk().await.map_err(|error| {
            let what = format!("{} broke off the answer; its log says why", client.address());
            Failure::Unreachable(anyhow::Error::from(error.without_url()).context(what))
        })?;
        let Some(chunk) = chunk else { break };
        match &mut output {
            Some(output) => output.write_all(&chunk).context("writing")?,
            None => kept.extend_from_slice(&chunk),
        }
        if kept.len() > MAX_TABLE_BYTES {
            let most = MAX_TABLE_BYTES >> 20;
            return Err(Failure::Other(anyhow!(
                "the answer has more than {most} MiB: give a --limit, or --out"
            )));
        }
    }
    if let Some(mut output) = output {
        end_line(&mut output, format)?;
        output.publish()?;
    }
    Ok(kept)
}

/// A document of JSON has no end of a line of its own.
fn end_line(output: &mut impl Write, format: AnswerFormat) -> Result<(), Failure> {
    if format == AnswerFormat::Json {
        output.write_all(b"\n").context("writing")?;
    }
    Ok(())
}

async fn of_store(
    engine: Arc<Engine>,
    query: SqlQuery,
    format: AnswerFormat,
    target: Option<&Target>,
) -> Result<Vec<u8>, Failure> {
    let output = target.map(Target::open).transpose()?;
    let work = tokio::task::spawn_blocking(move || -> Result<Vec<u8>, Failure> {
        let written = match output {
            Some(output) => {
                let mut output = answered(&engine, &query, AnswerWriter::new(format, output))?;
                end_line(&mut output, format)?;
                output.publish()?;
                Vec::new()
            }
            None => answered(&engine, &query, AnswerWriter::new(format, Vec::new()))?,
        };
        engine.shutdown();
        Ok(written)
    });
    work.await?
}

fn answered<W: Write + Send>(
    engine: &Engine,
    query: &SqlQuery,
    mut answer: AnswerWriter<W>,
) -> Result<W, Failure> {
    match engine.sql(query, &mut answer) {
        Ok(summary) => Ok(answer.finish(&summary).context("the answer could not be written")?),
        Err(error) => Err(match answer.take_failure() {
            Some(error) => {
                Failure::Other(anyhow::Error::from(error).context("the answer could not be written"))
            }
            None => fault::of_store(&query.statement, error),
        }),
    }
}
