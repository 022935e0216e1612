//! `watchkeeper logs tail`: log records as they come.

use anyhow::{Context as _, anyhow};
use serde_json::Value;

use super::feed::Feed;
use super::search::tell;
use super::shown;
use crate::client::{Client, Connection, Opened};
use crate::exit::Failure;

/// What the command line says.
#[derive(Debug, clap::Args)]
pub(crate) struct Tail {
    /// The search; everything if left out
    #[arg(value_name = "QUERY", default_value = "", allow_hyphen_values = true)]
    query: String,
    /// Print a JSON object a line
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    connection: Connection,
}

pub(super) async fn run(command: &Tail) -> Result<(), Failure> {
    let client = Client::new(&command.connection)?;
    tokio::select! {
        followed = follow(&client, command) => followed,
        _ = tokio::signal::ctrl_c() => Ok(()),
    }
}

async fn follow(client: &Client, command: &Tail) -> Result<(), Failure> {
    let opened = client.open("/api/v1/logs/tail", &[("q", command.query.as_str())]).await?;
    let mut answer = match opened {
        Opened::Answer(answer) => answer,
        Opened::Nobody(failure) => return Err(failure),
    };
    let mut feed = Feed::default();
    loop {
        let piece = answer.chunk().await.map_err(|error| {
            let error = anyhow::Error::from(error.without_url());
            Failure::Unreachable(error.context(format!("{} broke off the tail", client.address())))
        })?;
        let Some(piece) = piece else {
            return Err(Failure::Unreachable(anyhow!("{} has ended the tail", client.address())));
        };
        let mut records = Vec::new();
        feed.feed(&piece, |name, data| take(name, data, &mut records)).context("reading the tail")?;
        if !shown::write(&mut std::io::stdout().lock(), &records, command.json)? {
            return Ok(());
        }
    }
}

/// Takes an event: records to be shown, and what is told beside them.
fn take(name: &str, data: &str, records: &mut Vec<Value>) {
    let data: Value = serde_json::from_str(data).unwrap_or_default();
    match name {
        "record" => records.push(data),
        "dropped" => eprintln!("note: {} records came too fast to be shown", data["count"]),
        "hints" => tell(&data),
        _ => {}
    }
}
