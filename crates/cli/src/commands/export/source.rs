//! Where the rows come from: a running server, or the store in a folder.
//!
//! The server is asked first, unless `--data-dir` names a store that no server has open. Where no server
//! answers, the store of this machine is read.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, anyhow};
use arrow::buffer::Buffer;
use arrow::ipc::reader::StreamDecoder;
use engine::{Engine, EngineError};
use store::QueryError;
use tabular::{Rows, Selection};
use tokio_util::sync::CancellationToken;

use super::Wanted;
use super::sink::{Sink, Written};
use crate::client::{Client, Connection, Opened};
use crate::exit::Failure;
use crate::house;

/// How long a server may read without finding a row.
const PATIENCE: Duration = Duration::from_secs(600);
/// The most bytes of one message: a server may be anybody.
const MAX_MESSAGE_BYTES: usize = 256 << 20;

/// Pours the rows into the sink, until `stop` is cancelled.
pub(super) async fn pour(
    connection: &Connection,
    wanted: &Wanted,
    sink: Sink,
    stop: &CancellationToken,
) -> Result<Written, Failure> {
    let folder = connection.place.named_data_dir().filter(|_| connection.url.is_none());
    if let Some(folder) = folder.filter(|folder| house::holds_a_store(folder))
        && let Some(engine) = open(connection, folder).await?
    {
        return from_store(engine, folder.to_owned(), wanted, sink, stop).await;
    }
    let client = Client::new(connection)?;
    let answered =
        stop.run_until_cancelled(ask(&client, wanted, sink)).await.unwrap_or_else(|| Err(interrupted()));
    let (nobody, sink) = match answered? {
        Asked::Written(written) => return Ok(written),
        Asked::Nobody(failure, sink) => (failure, sink),
    };
    if connection.url.is_some() {
        return Err(nobody);
    }
    let folder = connection.place.data_dir()?;
    if !house::holds_a_store(&folder) {
        return Err(nobody);
    }
    match open(connection, &folder).await? {
        Some(engine) => {
            eprintln!("note: no server runs: the store in {} is read", folder.display());
            from_store(engine, folder, wanted, sink, stop).await
        }
        None => Err(nobody),
    }
}

/// What was made of the server.
enum Asked {
    Written(Written),
    /// There is none; the sink is untouched.
    Nobody(Failure, Sink),
}

async fn ask(client: &Client, wanted: &Wanted, sink: Sink) -> Result<Asked, Failure> {
    match begin(client, wanted).await? {
        Opened::Answer(answer) => Ok(Asked::Written(from_server(client, answer, sink).await?)),
        Opened::Nobody(failure) => Ok(Asked::Nobody(failure, sink)),
    }
}

/// What was begun goes away with its file.
fn interrupted() -> Failure {
    Failure::Other(anyhow!("interrupted: no file was written"))
}

async fn begin(client: &Client, wanted: &Wanted) -> Result<Opened, Failure> {
    let until = wanted.range.end.to_string();
    let since = wanted.range.start.to_string();
    let mut parameters = vec![("format", "arrow"), ("until", until.as_str())];
    parameters.push(match &wanted.selection {
        Selection::Events(table) => ("table", table.name()),
        Selection::Series(_) => ("match", wanted.text.as_str()),
    });
    if wanted.range.start != model::Timestamp::MIN {
        parameters.push(("since", since.as_str()));
    }
    client.open("/api/v1/export", &parameters).await
}

async fn from_server(
    client: &Client,
    mut answer: reqwest::Response,
    mut sink: Sink,
) -> Result<Written, Failure> {
    let broke_off = |error: anyhow::Error| {
        let what =
            format!("{} broke off the export; its log says why, if it was not a stop", client.address());
        Failure::Unreachable(error.context(what))
    };
    let mut decoder = StreamDecoder::new();
    let mut undecoded = 0;
    loop {
        let chunk = tokio::time::timeout(PATIENCE, answer.chunk()).await;
        let chunk =
            chunk.map_err(|_| broke_off(anyhow!("nothing came for {} minutes", PATIENCE.as_secs() / 60)))?;
        let Some(chunk) = chunk.map_err(|error| broke_off(error.without_url().into()))? else { break };
        undecoded += chunk.len();
        let mut buffer = Buffer::from(chunk);
        let foreign = "the answer is no stream of Arrow";
        while let Some(rows) = decoder.decode(&mut buffer).context(foreign)? {
            undecoded = buffer.len();
            sink.write(&rows)?;
        }
        if undecoded > MAX_MESSAGE_BYTES {
            return Err(Failure::Other(anyhow!(
                "the server sends rows of more than {} MiB",
                MAX_MESSAGE_BYTES >> 20
            )));
        }
    }
    decoder.finish().map_err(|error| broke_off(error.into()))?;
    sink.begin(&decoder.schema().ok_or_else(|| broke_off(anyhow!("it had no columns")))?)?;
    Ok(sink.finish(client.address().to_owned())?)
}

/// Opens the store in a folder; `None` when another process has it open.
pub(crate) async fn open(connection: &Connection, folder: &Path) -> Result<Option<Arc<Engine>>, Failure> {
    let loaded = connection.place.configuration()?;
    match house::open_to_read(&loaded, folder).await {
        Ok(engine) => Ok(Some(engine)),
        Err(Failure::Other(error)) if matches!(error.downcast_ref(), Some(EngineError::InUse(_))) => Ok(None),
        Err(failure) => Err(failure),
    }
}

async fn from_store(
    engine: Arc<Engine>,
    folder: PathBuf,
    wanted: &Wanted,
    mut sink: Sink,
    stop: &CancellationToken,
) -> Result<Written, Failure> {
    let (selection, range, stop) = (wanted.selection.clone(), wanted.range, stop.clone());
    let work = tokio::task::spawn_blocking(move || -> anyhow::Result<Written> {
        let rows = Rows::new(&*engine, selection, range)?;
        sink.begin(&rows.schema())?;
        let mut failed = None;
        let gone_over = rows.each(&mut |batch| {
            if stop.is_cancelled() {
                failed = Some(anyhow!("interrupted: no file was written"));
                return Err(QueryError::Stopped("interrupted"));
            }
            sink.write(&batch).map_err(|error| {
                failed = Some(error);
                QueryError::Stopped("the rows could not be written")
            })
        });
        match failed {
            Some(error) => return Err(error),
            None => gone_over?,
        }
        engine.shutdown();
        sink.finish(folder.display().to_string())
    });
    Ok(work.await??)
}
