//! Durable ingest of samples and reading them back, against SQLite in the same run.
//!
//! SQLite (WAL mode, `synchronous = FULL`) is the peer that keeps the same promise: a batch is
//! acknowledged when it is on the disk. Both get the same batches of samples from one writer, and
//! answer the same question. Only ratios are told: the machine's speed cancels out.
//!
//! `cargo bench --package engine`

#![expect(clippy::print_stdout, reason = "a benchmark tells its result")]

use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use engine::{Config, Engine};
use model::{Labels, MetricBatch, Sample, TimeRange, Timestamp};
use rusqlite::params;
use rustix::time::{ClockId, clock_gettime};
use store::{Batch, Cancel, Matcher, SelectRequest, SeriesBuffer, TelemetryStore};

const SERIES: usize = 1_000;
const ROUNDS: usize = 300;
const STEP_MS: i64 = 15_000;

type Outcome = Result<Cost, Box<dyn std::error::Error>>;

/// What one engine took for the work.
struct Cost {
    wall_seconds: f64,
    cpu_seconds: f64,
    read_seconds: f64,
    bytes: u64,
    sum: f64,
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let ours = runtime.block_on(watchkeeper(tempfile::tempdir()?.path()))?;
    let theirs = sqlite(tempfile::tempdir()?.path())?;
    assert!(
        (ours.sum - theirs.sum).abs() < 1e-6 * theirs.sum.abs(),
        "the answers differ: {} {}",
        ours.sum,
        theirs.sum
    );
    println!("{} samples of {SERIES} series, each round durable before the next", SERIES * ROUNDS);
    println!("Watchkeeper as a share of SQLite (less is better):");
    println!("  wall time of durable ingest   {:.3}", ours.wall_seconds / theirs.wall_seconds);
    println!("  CPU time of durable ingest    {:.3}", ours.cpu_seconds / theirs.cpu_seconds);
    println!("  reading all samples back      {:.3}", ours.read_seconds / theirs.read_seconds);
    println!("  bytes on disk                 {:.3}", ours.bytes as f64 / theirs.bytes as f64);
    Ok(())
}

fn cpu_seconds() -> f64 {
    let now = clock_gettime(ClockId::ProcessCPUTime);
    now.tv_sec as f64 + now.tv_nsec as f64 / 1e9
}

fn value(series: usize, round: usize) -> f64 {
    // A gauge that wanders, in hundredths, as most gauges do.
    ((series * 7919 + round * round % 613) % 10_000) as f64 / 100.0
}

/// The labels of the series, and a time in the recent past at which the first round lies.
fn workload() -> (Vec<Labels>, i64) {
    let labels = (0..SERIES)
        .map(|n| {
            Labels::metric(
                "bench_gauge",
                &[("instance", &format!("host-{}", n % 50)), ("core", &n.to_string())],
            )
        })
        .collect();
    (labels, Timestamp::now().as_millis() - ROUNDS as i64 * STEP_MS)
}

async fn watchkeeper(folder: &Path) -> Outcome {
    let engine = Engine::open(folder, Config::default(), &prometheus::Registry::new())?;
    let (labels, start) = workload();
    let (wall, cpu) = (Instant::now(), cpu_seconds());
    for round in 0..ROUNDS {
        let mut metrics = MetricBatch::new();
        for (series, labels) in labels.iter().enumerate() {
            let time_ms = start + round as i64 * STEP_MS;
            metrics.push(labels.as_ref(), &[Sample { time_ms, value: value(series, round) }]);
        }
        engine.append(Batch::from(metrics)).await?;
    }
    let (wall_seconds, cpu_seconds) = (wall.elapsed().as_secs_f64(), cpu_seconds() - cpu);
    let engine = flush(engine).await?;
    let read = Instant::now();
    let request = SelectRequest {
        matchers: vec![Matcher::equal("__name__", "bench_gauge")],
        range: TimeRange::ALL,
        values: None,
        max_samples: u64::MAX,
        cancel: Cancel::never(),
    };
    let mut cursor = engine.select(&request)?;
    let mut buffer = SeriesBuffer::default();
    let mut sum = 0.0;
    while cursor.next_series(&mut buffer)? {
        sum += buffer.values.iter().sum::<f64>();
    }
    drop(cursor);
    let read_seconds = read.elapsed().as_secs_f64();
    let bytes = engine.stats().file_bytes;
    engine.shutdown();
    Ok(Cost { wall_seconds, cpu_seconds, read_seconds, bytes, sum })
}

/// Writes the head to files, where the work of blocking is allowed.
async fn flush(engine: Arc<Engine>) -> Result<Arc<Engine>, Box<dyn std::error::Error>> {
    let worker = Arc::clone(&engine);
    tokio::task::spawn_blocking(move || worker.checkpoint()).await??;
    Ok(engine)
}

fn sqlite(folder: &Path) -> Outcome {
    let path = folder.join("peer.db");
    let mut database = rusqlite::Connection::open(&path)?;
    database.execute_batch(
        "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;
         CREATE TABLE series (id INTEGER PRIMARY KEY, labels TEXT UNIQUE);
         CREATE TABLE samples (series INTEGER, time INTEGER, value REAL, PRIMARY KEY (series, time)) WITHOUT ROWID;",
    )?;
    let (labels, start) = workload();
    let labels: Vec<String> = labels.iter().map(ToString::to_string).collect();
    let (wall, cpu) = (Instant::now(), cpu_seconds());
    for round in 0..ROUNDS {
        let transaction = database.transaction()?;
        {
            let mut known = transaction.prepare_cached("SELECT id FROM series WHERE labels = ?1")?;
            let mut define =
                transaction.prepare_cached("INSERT INTO series (labels) VALUES (?1) RETURNING id")?;
            let mut insert =
                transaction.prepare_cached("INSERT OR IGNORE INTO samples VALUES (?1, ?2, ?3)")?;
            for (series, labels) in labels.iter().enumerate() {
                let found = known.query_row(params![labels], |row| row.get::<_, i64>(0));
                let id = match found {
                    Ok(id) => id,
                    Err(rusqlite::Error::QueryReturnedNoRows) => {
                        define.query_row(params![labels], |row| row.get(0))?
                    }
                    Err(error) => return Err(error.into()),
                };
                insert.execute(params![id, start + round as i64 * STEP_MS, value(series, round)])?;
            }
        }
        transaction.commit()?;
    }
    let (wall_seconds, cpu_seconds) = (wall.elapsed().as_secs_f64(), cpu_seconds() - cpu);
    database.execute_batch("PRAGMA wal_checkpoint(TRUNCATE)")?;
    let read = Instant::now();
    let mut sum = 0.0;
    let mut rows = database.prepare("SELECT value FROM samples ORDER BY series, time")?;
    for value in rows.query_map([], |row| row.get::<_, f64>(0))? {
        sum += value?;
    }
    let read_seconds = read.elapsed().as_secs_f64();
    Ok(Cost { wall_seconds, cpu_seconds, read_seconds, bytes: std::fs::metadata(&path)?.len(), sum })
}
