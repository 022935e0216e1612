//! What events cost: durable ingest of job events, and scans of them.
//!
//! `cargo run --release --package engine --example events -- [ROWS] [FOLDER] [FIGURES]`
//!
//! Writes the figures to the file FIGURES too, as JSON. `events scans ROWS FOLDER` times the scans alone, of
//! so many rows that are there. `events rows ROWS` prints rows instead, for a peer to take: what PostgreSQL's
//! `COPY` reads, without the columns that are empty.
//!
//! Makes job events whose error messages are like lines of a log (templates with ids, numbers and
//! addresses), stores them through `Engine::append` in batches of 1,000 by 8 writers, and times scans:
//! the first after a start with nothing of the files in memory, then the median of ten more. Figures
//! are of this machine; compare two builds, or us with a peer, in one run.

#![expect(clippy::print_stdout, reason = "a benchmark tells its result")]

use std::error::Error;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use engine::{Config, Engine};
use model::event::{Attributes, JobAction, JobEvent};
use model::{ByteSize, TimeRange, Timestamp};
use rustix::fs::Advice;
use rustix::time::{ClockId, clock_gettime};
use store::{Batch, Cancel, Entries, EventBatch, EventPass, EventScan, FilterOp, Row, Table, TelemetryStore};

const BATCH_ROWS: u64 = 1_000;
const WRITERS: u64 = 8;
const REPEATS: usize = 10;

/// What was measured, by name.
type Figures = serde_json::Map<String, serde_json::Value>;
type Outcome<T> = Result<T, Box<dyn Error + Send + Sync>>;

fn main() -> Outcome<()> {
    let mut arguments = std::env::args().skip(1).peekable();
    let part = arguments.next_if(|argument| argument == "rows" || argument == "scans");
    let rows: u64 = arguments.next().map_or(Ok(200_000), |rows| rows.parse())?;
    let start = Timestamp::now().before(Duration::from_millis(rows / 4));
    if part.as_deref() == Some("rows") {
        (0..rows).for_each(|n| println!("{}", copied(&event(n, start))));
        return Ok(());
    }
    let temporary = tempfile::tempdir()?;
    let folder = arguments.next().map_or_else(|| temporary.path().to_owned(), PathBuf::from);
    let mut figures = Figures::new();
    if part.is_none() {
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
        ingest(&runtime, &folder, rows, start, &mut figures)?;
    }
    scans(&folder, rows, &mut figures)?;
    if let Some(path) = arguments.next() {
        std::fs::write(path, serde_json::to_string(&figures)?)?;
    }
    Ok(())
}

fn open(folder: &Path) -> Outcome<Arc<Engine>> {
    let config = Config { disk_reserve_bytes: ByteSize(1 << 30), ..Config::default() };
    Ok(Engine::open(folder, config, &prometheus::Registry::new())?)
}

fn cpu(clock: ClockId) -> f64 {
    let now = clock_gettime(clock);
    now.tv_sec as f64 + now.tv_nsec as f64 / 1e9
}

/// Stores the rows, and tells what that took beside making them.
fn ingest(
    runtime: &tokio::runtime::Runtime,
    folder: &Path,
    rows: u64,
    start: Timestamp,
    figures: &mut Figures,
) -> Outcome<()> {
    let engine = open(folder)?;
    let (wall, before) = (Instant::now(), cpu(ClockId::ProcessCPUTime));
    let (mut making, mut made, mut bytes) = (0.0, 0, 0);
    let mut last_ack = wall.elapsed();
    while made < rows {
        let began = cpu(ClockId::ThreadCPUTime);
        let mut batches = Vec::new();
        while made < rows && (batches.len() as u64) < WRITERS {
            let count = BATCH_ROWS.min(rows - made);
            let of_batch: Vec<JobEvent> = (made..made + count).map(|n| event(n, start)).collect();
            bytes += of_batch.iter().map(size).sum::<usize>();
            batches.push(JobEvent::to_batch(&of_batch)?);
            made += count;
        }
        making += cpu(ClockId::ThreadCPUTime) - began;
        runtime.block_on(append(&engine, batches))?;
        last_ack = wall.elapsed();
    }
    let acknowledged = cpu(ClockId::ProcessCPUTime) - before - making;
    engine.checkpoint()?;
    let merged = engine.compact(Timestamp::now())?;
    let all = cpu(ClockId::ProcessCPUTime) - before - making;
    let stats = engine.stats();
    println!("{rows} job events, {} bytes of text each on average", bytes as u64 / rows);
    println!("  until the last was acknowledged: {:.0} rows/s/core of CPU", rows as f64 / acknowledged);
    println!("  files written and {merged} of them merged too: {:.0} rows/s/core", rows as f64 / all);
    println!("  wall time until then: {:.1} s (making them: {making:.1} s)", last_ack.as_secs_f64());
    println!("  {} files, {:.1} bytes a row", stats.files, stats.file_bytes as f64 / rows as f64);
    figures.insert("rows_per_core_second".to_owned(), (rows as f64 / acknowledged).into());
    figures.insert("rows_per_core_second_merged".to_owned(), (rows as f64 / all).into());
    figures.insert("bytes_per_row".to_owned(), (stats.file_bytes as f64 / rows as f64).into());
    engine.shutdown();
    Ok(())
}

/// Stores one batch by each writer; again what the store has no room for yet.
async fn append(engine: &Arc<Engine>, batches: Vec<arrow::array::RecordBatch>) -> Outcome<()> {
    let mut writers = tokio::task::JoinSet::new();
    for rows in batches {
        let engine = Arc::clone(engine);
        writers.spawn(async move {
            loop {
                let events = vec![EventBatch { table: Table::JobEvents, rows: rows.clone() }];
                match engine.append(Batch { events, ..Batch::default() }).await {
                    Err(store::AppendError::Overloaded { .. }) => {
                        tokio::time::sleep(Duration::from_millis(20)).await;
                    }
                    result => return result,
                }
            }
        });
    }
    while let Some(result) = writers.join_next().await {
        result??;
    }
    Ok(())
}

/// A number that looks like chance and is the same each time.
fn mixed(n: u64, salt: u64) -> u64 {
    fastrand::Rng::with_seed(n.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ salt).u64(..)
}

fn job_id(n: u64) -> String {
    format!("{:016x}", mixed(n / 4, 1))
}

fn event(n: u64, start: Timestamp) -> JobEvent {
    let failed = n.is_multiple_of(2);
    let (a, b) = (mixed(n, 2), mixed(n, 3));
    let message = match a % 6 {
        0 => format!(
            "connection to 10.{}.{}.{}:6379 refused after {} ms, attempt {}",
            a % 7,
            b % 250,
            a % 250,
            b % 30_000,
            a % 5
        ),
        1 => format!(
            "CUDA out of memory: tried to allocate {}.{} MiB on GPU {} (request {:016x})",
            a % 4000,
            b % 100,
            a % 8,
            b
        ),
        2 => format!(
            "page {} of s3://documents/{:016x}.pdf has no text layer; falling back to OCR",
            a % 900,
            b
        ),
        3 => format!(
            "Traceback (most recent call last): File \"/srv/worker/stages/embed.py\", line {}, in run: ValueError: shape ({}, 768) does not match ({}, 1024), trace {:016x}",
            a % 400,
            a % 512,
            b % 512,
            b
        ),
        4 => format!(
            "upstream answered 503 after {}.{:03} s; retry {} of 5, request id {:016x}",
            a % 60,
            b % 1000,
            a % 5,
            b
        ),
        _ => format!(
            "tokenizer produced {} tokens for chunk {} of document {:012x}, limit is 8192",
            a % 20_000,
            b % 3000,
            b >> 16
        ),
    };
    JobEvent {
        time: start.after(Duration::from_micros(n * 250)),
        event_id: format!("{:032x}", u128::from(a) << 64 | u128::from(b)),
        action: if failed { JobAction::Failed } else { JobAction::Progress },
        job_id: job_id(n),
        kind: Some(["ocr", "embed", "transcribe"][(n / 4 % 3) as usize].to_owned()),
        queue: Some(format!("queue-{}", n / 4 % 5)),
        document_id: Some(format!("doc-{:08x}", mixed(n / 16, 4) >> 32)),
        tenant: None,
        parent_id: None,
        worker_id: Some(format!("worker-{}", a % 40)),
        content_type: None,
        service: Some("pipeline".to_owned()),
        trace_id: None,
        request_id: None,
        submitted_at: None,
        started_at: Some(start.after(Duration::from_micros(n / 4 * 1000))),
        retry_count: Some(a % 3),
        max_retries: Some(5),
        priority: None,
        progress: (!failed).then_some((a % 100) as f64 / 100.0),
        stage: Some(["load", "split", "run", "store"][(n % 4) as usize].to_owned()),
        message: None,
        expected_max_seconds: None,
        error_type: failed.then(|| "StageError".to_owned()),
        error_message: Some(message),
        timed_out: None,
        cpu_seconds: Some((b % 10_000) as f64 / 100.0),
        gpu_seconds: None,
        memory_peak_bytes: Some(b % (8 << 30)),
        input_bytes: None,
        output_bytes: None,
        pages: None,
        confidence_score: None,
        quality_degraded: None,
        attributes: Attributes::new(),
    }
}

/// A line for `COPY`; nothing in it has to be escaped.
fn copied(event: &JobEvent) -> String {
    let text = |text: &Option<String>| text.clone().unwrap_or_else(|| "\\N".to_owned());
    let whole = |number: Option<u64>| number.map_or_else(|| "\\N".to_owned(), |number| number.to_string());
    [
        event.event_id.clone(),
        event.time.to_string(),
        event.action.as_str().to_owned(),
        event.job_id.clone(),
        text(&event.kind),
        text(&event.queue),
        text(&event.document_id),
        text(&event.worker_id),
        text(&event.service),
        text(&event.stage),
        text(&event.error_type),
        text(&event.error_message),
        whole(event.retry_count),
        event.cpu_seconds.map_or_else(|| "\\N".to_owned(), |seconds| seconds.to_string()),
        whole(event.memory_peak_bytes),
    ]
    .join("\t")
}

fn size(event: &JobEvent) -> usize {
    let texts =
        [&event.kind, &event.queue, &event.document_id, &event.worker_id, &event.service, &event.stage];
    let texts = texts.into_iter().chain([&event.error_type, &event.error_message]).flatten().map(String::len);
    event.event_id.len() + event.job_id.len() + texts.sum::<usize>()
}

fn scans(folder: &Path, rows: u64, figures: &mut Figures) -> Outcome<()> {
    let start = open(folder)?.stats().oldest.ok_or("there are no rows")?;
    let all = |limit| EventScan::new(Table::JobEvents, TimeRange::ALL, limit);
    // A request that occurs once, and a part of it.
    let (n, needle) = (0..rows)
        .map(|n| rows / 3 + n)
        .find(|n| mixed(*n, 2) % 6 == 4)
        .map(|n| (n, format!("{:016x}", mixed(n, 3))))
        .ok_or("no row has a request id")?;
    let second = TimeRange::new(start, start.after(Duration::from_secs(1)));
    let words = |text: &str| all(100).newest_first().with("error_message", FilterOp::ContainsWords, text);
    println!(
        "scans: the first after a start, without anything of the files in memory, and the median of {REPEATS}"
    );
    println!("more, in milliseconds; then the same of CPU, which a busy machine changes less");
    let id = format!("id {needle}");
    let part = all(100).newest_first().with("error_message", FilterOp::Contains, &needle[1..]);
    let of_job = all(1000).with("job_id", FilterOp::Equal, job_id(n));
    let failed = all(100).newest_first().with("action", FilterOp::Equal, "job.failed");
    let of_second = EventScan { range: second, ..all(100) };
    let scans = [
        ("one word, in one message", words(&needle), Some(1)),
        ("two words next to each other, in one message", words(&id), Some(1)),
        ("one word, in no message", words("ffffffffffff0001"), Some(0)),
        ("a part of a word, in one message", part, Some(1)),
        ("a word of many messages, newest 100", words("OCR"), Some(100)),
        ("events of one job", of_job, None),
        ("newest 100", all(100).newest_first(), Some(100)),
        ("newest 100 that failed", failed, Some(100)),
        ("first 100 of a second", of_second, Some(100)),
    ];
    for (what, scan, expected) in scans {
        let (first, again) = timed(folder, what, &scan, expected)?;
        figures.insert(what.to_owned(), [first, again].as_slice().into());
    }
    figures.insert("needle".to_owned(), needle.into());
    figures.insert("job_id".to_owned(), job_id(n).into());
    pass(folder, rows)
}

/// Lets go of what the system keeps of the files in memory.
fn forget(folder: &Path) -> Outcome<()> {
    for entry in std::fs::read_dir(folder.join("events"))? {
        let file = std::fs::File::open(entry?.path())?;
        rustix::fs::fadvise(&file, 0, None, Advice::DontNeed)?;
    }
    Ok(())
}

/// How long a scan takes first and again, in milliseconds.
fn timed(folder: &Path, what: &str, scan: &EventScan, expected: Option<usize>) -> Outcome<(f64, f64)> {
    forget(folder)?;
    let engine = open(folder)?;
    let (mut walls, mut cpus) = (Vec::new(), Vec::new());
    for _ in 0..=REPEATS {
        let (start, before) = (Instant::now(), cpu(ClockId::ProcessCPUTime));
        let found: usize = engine.scan(scan)?.iter().map(arrow::array::RecordBatch::num_rows).sum();
        walls.push(start.elapsed().as_secs_f64() * 1e3);
        cpus.push((cpu(ClockId::ProcessCPUTime) - before) * 1e3);
        assert!(expected.is_none_or(|expected| found == expected), "{what}: {found} rows");
    }
    let (wall, cpu) = (first_and_median(walls), first_and_median(cpus));
    println!("  {what:<46} {:>9.2} {:>9.2} {:>9.2} {:>9.2}", wall.0, wall.1, cpu.0, cpu.1);
    Ok(wall)
}

fn first_and_median(mut all: Vec<f64>) -> (f64, f64) {
    let first = all.remove(0);
    all.sort_by(f64::total_cmp);
    (first, all[REPEATS / 2])
}

fn pass(folder: &Path, rows: u64) -> Outcome<()> {
    let engine = open(folder)?;
    let pass = EventPass {
        table: Table::JobEvents,
        range: TimeRange::ALL,
        filters: Vec::new(),
        columns: (&["time", "action", "job_id"]).into(),
        entries: Entries::all(),
        cancel: Cancel::never(),
    };
    let start = Instant::now();
    let mut seen = 0;
    engine.each_batch(&pass, &mut |batch| {
        seen += batch.num_rows() as u64;
        Ok(())
    })?;
    assert_eq!(seen, rows, "every row once");
    let rate = rows as f64 / start.elapsed().as_secs_f64() / 1e6;
    println!("  a pass over three columns of all: {rate:.1} M rows/s");
    Ok(())
}
