//! `watchkeeper snapshot`: resources and queues as one JSON object a line, once or at an interval.
//!
//! The fields are those that seed 000's metrics collection writes. What is asked is small, so each line
//! is one moment: the queues, the counts, and two sums.

mod file;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context as _, anyhow};
use model::{ByteSize, DurationText, Timestamp};
use serde::Serialize;
use serde_json::Value;
use tokio::signal::unix::{SignalKind, signal};
use tokio::time::MissedTickBehavior;

use crate::client::{Client, Connection};
use crate::exit::Failure;
use crate::show::clean;
use file::{Bounds, LineFile};

/// What the command line says.
#[derive(Debug, clap::Args)]
pub(crate) struct Snapshot {
    /// Go on, with one line at each interval; without it, one line is written
    #[arg(long, value_name = "DURATION", conflicts_with = "once")]
    every: Option<DurationText>,
    /// Write one line and end, which is what happens without --every
    #[arg(long)]
    once: bool,
    /// The file that lines are appended to [default: standard output]
    #[arg(long, value_name = "FILE", value_hint = clap::ValueHint::FilePath)]
    out: Option<PathBuf>,
    /// The size at which the file becomes FILE.1, and a new one is begun
    #[arg(long, value_name = "SIZE", default_value = "64MiB", requires = "out")]
    max_size: ByteSize,
    /// How many of those older files are kept
    #[arg(long, value_name = "NUMBER", default_value_t = 4, requires = "out", value_parser = clap::value_parser!(u16).range(0..=100))]
    keep: u16,
    /// Only the processes of this group; may be given again [default: every watched group but watchkeeper]
    #[arg(long, value_name = "GROUP")]
    group: Vec<String>,
    #[command(flatten)]
    connection: Connection,
}

const LEAST_INTERVAL: Duration = Duration::from_secs(1);
const LEAST_FILE_BYTES: u64 = 4 << 10;
/// How long one snapshot may take.
const PATIENCE: Duration = Duration::from_secs(30);

/// One line: seed 000's fields, and no others.
#[derive(Debug, Serialize)]
struct Line {
    timestamp: Timestamp,
    resources: Resources,
    queues: BTreeMap<String, Queue>,
}

#[derive(Debug, Serialize)]
struct Resources {
    /// In units of 1024 × 1024 bytes.
    memory_mb: Option<f64>,
    /// 100 is one core.
    cpu_percent: Option<f64>,
    active_jobs: u64,
}

/// Tasks by state, and how many have ended since the server started.
#[derive(Debug, Default, Serialize)]
struct Queue {
    pending: u64,
    processing: u64,
    delayed: u64,
    dead: u64,
    completed: u64,
    failed: u64,
}

pub(crate) async fn run(command: &Snapshot) -> Result<(), Failure> {
    let mut out = match &command.out {
        None => Out::Screen,
        Some(path) => {
            if command.max_size.0 < LEAST_FILE_BYTES {
                return Err(Failure::Usage(anyhow!("--max-size: at least {LEAST_FILE_BYTES} bytes")));
            }
            let bounds = Bounds { bytes: command.max_size.0, kept: command.keep };
            // A file that cannot be written is said now, not after the first interval.
            Out::File(LineFile::open(path, bounds).with_context(|| format!("opening {}", path.display()))?)
        }
    };
    let Some(every) = &command.every else {
        let client = Client::new(&command.connection)?;
        let line = take(&client, &command.group).await?;
        return out.append(&line).map(drop);
    };
    if every.0 < LEAST_INTERVAL {
        return Err(Failure::Usage(anyhow!("--every {every}: at least 1s")));
    }
    // What is wrong with the address or the configuration will not mend itself.
    Client::new(&command.connection)?.checked_address()?;
    repeat(command, every.0, out).await
}

/// A line at each interval until a signal comes. A server that is away is waited for.
async fn repeat(command: &Snapshot, every: Duration, mut out: Out) -> Result<(), Failure> {
    let (mut terminate, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    let mut ticks = tokio::time::interval(every);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
    let mut client = None;
    let mut missed: u64 = 0;
    let mut in_a_row: u64 = 0;
    loop {
        tokio::select! {
            _ = terminate.recv() => break,
            _ = interrupt.recv() => break,
            _ = ticks.tick() => {}
        }
        let taken = tokio::select! {
            _ = terminate.recv() => break,
            _ = interrupt.recv() => break,
            taken = again(&mut client, command) => taken,
        };
        match taken.and_then(|line| out.append(&line)) {
            Ok(Written::Yes) => {
                if in_a_row > 0 {
                    eprintln!("{} back after {in_a_row} missed", Timestamp::now());
                }
                in_a_row = 0;
            }
            // Nobody reads standard output any more.
            Ok(Written::Closed) => break,
            Err(failure) => {
                // The token of this machine is new at each start of the server.
                client = None;
                missed += 1;
                in_a_row += 1;
                eprintln!("{} no snapshot ({missed} missed so far): {failure}", Timestamp::now());
            }
        }
    }
    if missed > 0 {
        eprintln!("ended; {missed} snapshots missed");
    }
    Ok(())
}

async fn again(client: &mut Option<Client>, command: &Snapshot) -> Result<String, Failure> {
    let known = match client.take() {
        Some(client) => client,
        None => Client::new(&command.connection)?,
    };
    let line = tokio::time::timeout(PATIENCE, take(&known, &command.group)).await.unwrap_or_else(|_| {
        Err(Failure::Unreachable(anyhow!("no whole answer within {} s", PATIENCE.as_secs())))
    })?;
    *client = Some(known);
    Ok(line)
}

/// One line, its end included.
async fn take(client: &Client, groups: &[String]) -> Result<String, Failure> {
    let stats = client.get("/api/v1/stats", &[]).await?;
    let queues = client.list("/api/v1/queues", &[]).await?;
    let memory = by_group(client, "process_group_resident_memory_bytes").await?;
    let cpu = by_group(client, "process_group_cpu_ratio").await?;
    let watched = watched(&memory, groups);
    let (memory_bytes, cpu_ratio) = if watched.is_empty() && groups.is_empty() {
        host(client).await?
    } else {
        (sum(&memory, &watched), sum(&cpu, &watched))
    };
    let line = Line {
        timestamp: Timestamp::now(),
        resources: Resources {
            memory_mb: memory_bytes.map(|bytes| hundredths(bytes / f64::from(1 << 20))),
            cpu_percent: cpu_ratio.map(|ratio| hundredths(ratio * 100.0)),
            active_jobs: stats["jobs"]["running"].as_u64().unwrap_or(0),
        },
        queues: queues.iter().map(queue).collect(),
    };
    Ok(serde_json::to_string(&line).context("writing JSON")? + "\n")
}

/// The present values of a metric of groups, by group.
async fn by_group(client: &Client, metric: &str) -> Result<BTreeMap<String, f64>, Failure> {
    let query = format!("sum by (group) ({metric})");
    let answer = client.get("/prometheus/api/v1/query", &[("query", &query)]).await?;
    let rows = answer["data"]["result"].as_array().map(Vec::as_slice).unwrap_or_default();
    let value = |row: &Value| {
        let value = row["value"][1].as_str()?.parse::<f64>().ok().filter(|value| value.is_finite())?;
        Some((row["metric"]["group"].as_str()?.to_owned(), value))
    };
    Ok(rows.iter().filter_map(value).collect())
}

/// The groups that count: those asked for, else all that have processes but our own.
fn watched(memory: &BTreeMap<String, f64>, asked: &[String]) -> Vec<String> {
    let counts = |name: &String| if asked.is_empty() { name != "watchkeeper" } else { asked.contains(name) };
    memory
        .iter()
        .filter(|(name, bytes)| counts(name) && **bytes > 0.0)
        .map(|(name, _)| name.clone())
        .collect()
}

fn sum(values: &BTreeMap<String, f64>, groups: &[String]) -> Option<f64> {
    groups.iter().filter_map(|group| values.get(group).copied()).reduce(|one, two| one + two)
}

/// Memory in use, in bytes, and CPU, 1 being one core, of all hosts that are watched.
async fn host(client: &Client) -> Result<(Option<f64>, Option<f64>), Failure> {
    let hosts = client.list("/api/v1/hosts", &[]).await?;
    let add = |values: Vec<f64>| values.into_iter().reduce(|one, two| one + two);
    let memory = hosts.iter().filter_map(|host| {
        Some(host["memory_total_bytes"].as_f64()? - host["memory_available_bytes"].as_f64()?)
    });
    let cpu = hosts.iter().filter_map(|host| Some(host["cpu_ratio"].as_f64()? * host["cpus"].as_f64()?));
    Ok((add(memory.collect()), add(cpu.collect())))
}

fn queue(queue: &Value) -> (String, Queue) {
    let depth = |state: &str| queue["depth"][state].as_u64().unwrap_or(0);
    let stats = Queue {
        pending: depth("pending"),
        processing: depth("processing"),
        delayed: depth("delayed"),
        dead: depth("dead"),
        completed: queue["completed_total"].as_u64().unwrap_or(0),
        failed: queue["failed_total"].as_u64().unwrap_or(0),
    };
    (clean(queue["queue"].as_str().unwrap_or_default()), stats)
}

fn hundredths(value: f64) -> f64 {
    (value * 100.0).round() / 100.0
}

/// Where lines go.
enum Out {
    Screen,
    File(LineFile),
}

enum Written {
    Yes,
    /// Nobody reads it.
    Closed,
}

impl Out {
    fn append(&mut self, line: &str) -> Result<Written, Failure> {
        use std::io::Write as _;
        match self {
            Self::File(file) => {
                file.append(line).with_context(|| format!("writing {}", file.path().display()))?;
                Ok(Written::Yes)
            }
            Self::Screen => {
                let mut out = std::io::stdout().lock();
                match out.write_all(line.as_bytes()).and_then(|()| out.flush()) {
                    Ok(()) => Ok(Written::Yes),
                    Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => Ok(Written::Closed),
                    Err(error) => Err(error.into()),
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn our_own_memory_does_not_count_unless_it_is_asked_for() {
        let memory = BTreeMap::from([
            ("llm".to_owned(), 3.0),
            ("ocr".to_owned(), 4.0),
            ("idle".to_owned(), 0.0),
            ("watchkeeper".to_owned(), 80.0),
        ]);
        assert_eq!(watched(&memory, &[]), ["llm", "ocr"]);
        assert_eq!(sum(&memory, &watched(&memory, &[])), Some(7.0));
        assert_eq!(watched(&memory, &["watchkeeper".to_owned()]), ["watchkeeper"]);
        assert_eq!(sum(&memory, &watched(&memory, &["mistyped".to_owned()])), None);
    }

    #[test]
    fn a_line_has_the_fields_of_seed_000() {
        let (name, stats) = queue(&json!({ "queue": "llm_tasks", "depth": { "pending": 7, "processing": 2 },
            "completed_total": 40, "failed_total": 3 }));
        let line = Line {
            timestamp: Timestamp::from_millis(1_754_083_800_000),
            resources: Resources { memory_mb: Some(512.25), cpu_percent: None, active_jobs: 2 },
            queues: BTreeMap::from([(name, stats)]),
        };
        assert_eq!(
            serde_json::to_value(&line).expect("JSON"),
            json!({
                "timestamp": "2025-08-01T21:30:00Z",
                "resources": { "memory_mb": 512.25, "cpu_percent": null, "active_jobs": 2 },
                "queues": { "llm_tasks": { "pending": 7, "processing": 2, "delayed": 0, "dead": 0, "completed": 40, "failed": 3 } },
            })
        );
    }
}
