//! The server is killed again and again while the exporters of Python and Rust send, with the retries of a user who does
//! not want to lose anything: what they did not give up is stored, and nothing is stored twice.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use serde::Deserialize;
use serde_json::{Value, json};
use testkit::{Watchkeeper, within};
use tokio::process::{Child, Command};

use super::{receiver, rows, rust};
use crate::stage::{binary, root};

const KILLS: usize = 3;
const PATIENCE: Duration = Duration::from_secs(60);
/// The most that one request has of them.
const BATCH: usize = 50;
const SIGNALS: [&str; 2] = ["spans", "logs"];

/// What a user sets of both SDKs: small batches often, and room for all that is made while the server is away.
fn settings() -> Vec<(String, String)> {
    let of = |processor: &str| {
        [("SCHEDULE_DELAY", 50), ("MAX_EXPORT_BATCH_SIZE", BATCH), ("MAX_QUEUE_SIZE", 20_000)]
            .map(|(name, value)| (format!("OTEL_{processor}_{name}"), value.to_string()))
    };
    [of("BSP"), of("BLRP")].concat()
}

/// A program that sends numbered spans and records of logs until its input ends.
struct Sender {
    service: String,
    child: Child,
    log: PathBuf,
    /// How much its exporter of one signal may give up.
    may_give_up: usize,
}

/// What it says at its end.
#[derive(Debug, Deserialize)]
struct Sent {
    sent: u64,
    /// By signal.
    given_up: BTreeMap<String, BTreeSet<u64>>,
}

impl Sender {
    async fn start(
        watchkeeper: &Watchkeeper,
        folder: &Path,
        language: &str,
        transport: &str,
    ) -> Result<Self> {
        let service = format!("{language}-{transport}");
        // A minute for all attempts at a batch, in seconds and in milliseconds.
        let (mut command, timeout) = match language {
            "python" => {
                let mut command = Command::new(testkit::python());
                command.arg(root().join("tests/scenarios/otlp/numbered.py"));
                (command, "60")
            }
            _ => {
                let mut command = rust::program()?;
                command.arg("numbered");
                (command, "60000")
            }
        };
        let log = folder.join(format!("{service}.log"));
        let child = command
            .args([transport, &service])
            .env("OTEL_EXPORTER_OTLP_ENDPOINT", format!("http://{}", receiver(watchkeeper, transport).await?))
            .env("OTEL_EXPORTER_OTLP_TIMEOUT", timeout)
            .envs(settings())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(std::fs::File::create(&log).context("a file for what it logs")?)
            .kill_on_drop(true)
            .spawn()
            .with_context(|| format!("starting {service}"))?;
        // Of a call whose connection breaks tonic may say `UNKNOWN`, which the exporter takes as the last word: a kill may
        // cost what is on its way, and it is told. All others try again.
        let may_give_up = if service == "rust-grpc" { KILLS * BATCH } else { 0 };
        Ok(Self { service, child, log, may_give_up })
    }

    /// Lets it send what it has left, and end.
    async fn end(self) -> Result<Sent> {
        let mut child = self.child;
        drop(child.stdin.take());
        let output = tokio::time::timeout(PATIENCE, child.wait_with_output()).await;
        let logged = std::fs::read_to_string(&self.log).unwrap_or_default();
        let output = output.with_context(|| format!("{} does not end: {logged}", self.service))??;
        ensure!(output.status.success(), "{}: {}: {logged}", self.service, output.status);
        let sent: Sent = serde_json::from_slice(&output.stdout).with_context(|| logged.clone())?;
        for (signal, numbers) in &sent.given_up {
            ensure!(
                numbers.len() <= self.may_give_up,
                "{} has given up {numbers:?} of its {signal}: {logged}",
                self.service
            );
        }
        Ok(sent)
    }
}

/// How much is stored of each sender and signal.
async fn stored(watchkeeper: &Watchkeeper) -> Result<BTreeMap<(String, String), u64>> {
    let of = |signal: &str| {
        format!("SELECT service, '{signal}' AS signal, count(*) AS n FROM {signal} GROUP BY service")
    };
    let statement = SIGNALS.map(of).join(" UNION ALL ");
    let answer = watchkeeper.post("/api/v1/sql", &json!({ "sql": statement })).await?;
    ensure!(answer.status == 200, "{answer:?}");
    let rows = answer.body["rows"].as_array().with_context(|| answer.body.to_string())?;
    let read =
        |row: &Value| Some(((row[0].as_str()?.to_owned(), row[1].as_str()?.to_owned()), row[2].as_u64()?));
    rows.iter().map(read).collect::<Option<_>>().with_context(|| answer.body.to_string())
}

/// Waits until more is stored of every sender and signal than was.
async fn all_heard(watchkeeper: &Watchkeeper, senders: &[Sender]) -> Result<()> {
    let before = stored(watchkeeper).await?;
    within(PATIENCE, "all senders to be heard", || async {
        let now = stored(watchkeeper).await?;
        let silent: Vec<_> = senders
            .iter()
            .flat_map(|sender| SIGNALS.map(|signal| (sender.service.clone(), signal.to_owned())))
            .filter(|key| now.get(key) <= before.get(key))
            .collect();
        ensure!(silent.is_empty(), "nothing of {silent:?}: {now:?}");
        Ok(Some(()))
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn scenario_exporters_of_python_and_rust_lose_nothing_when_the_server_is_killed() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let mut watchkeeper = Watchkeeper::start_at_lasting_ports(binary(), folder.path(), "").await?;
    let mut senders = Vec::new();
    for language in ["python", "rust"] {
        for transport in ["grpc", "http"] {
            senders.push(Sender::start(&watchkeeper, folder.path(), language, transport).await?);
        }
    }
    for _ in 0..KILLS {
        all_heard(&watchkeeper, &senders).await?;
        // At any moment of a request.
        tokio::time::sleep(Duration::from_millis(fastrand::u64(..60))).await;
        watchkeeper.kill().await?;
        watchkeeper.start_again().await?;
    }
    all_heard(&watchkeeper, &senders).await?;
    for sender in senders {
        let service = sender.service.clone();
        let sent = sender.end().await?;
        for signal in SIGNALS {
            let rows = rows(&watchkeeper, signal, &service).await?;
            check(&sent, signal, &rows).with_context(|| format!("{signal} of {service}"))?;
        }
    }
    Ok(())
}

fn check(sent: &Sent, signal: &str, rows: &[Value]) -> Result<()> {
    let mut stored: BTreeMap<u64, usize> = BTreeMap::new();
    for row in rows {
        let number = row["attributes"]["number"].as_str().and_then(|text| text.parse().ok());
        *stored.entry(number.with_context(|| row.to_string())?).or_default() += 1;
    }
    let given_up = sent.given_up.get(signal).context("what was given up")?;
    let lost: Vec<u64> =
        (0..sent.sent).filter(|number| !stored.contains_key(number) && !given_up.contains(number)).collect();
    ensure!(lost.is_empty(), "{} of {} are lost: {lost:?}", lost.len(), sent.sent);
    let doubled: Vec<_> = stored.iter().filter(|(_, times)| **times > 1).collect();
    ensure!(doubled.is_empty(), "stored more than once: {doubled:?}");
    let unknown: Vec<_> = stored.keys().filter(|number| **number >= sent.sent).collect();
    ensure!(unknown.is_empty(), "nobody sent {unknown:?}");
    Ok(())
}
