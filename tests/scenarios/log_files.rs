//! Log files of a day, each rotated every hour of it in a way of its own, while the server is killed and started again:
//! every line is stored once.
//!
//! `WATCHKEEPER_TAIL_LINES` says how many lines: 5,000,000 are a day of a busy pipeline. They are written as fast as a
//! few minutes take, and more than is read while the server is down.

use std::fs::{self, File, OpenOptions};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use model::Timestamp;
use serde_json::{Value, json};
use testkit::{Watchkeeper, within};

use crate::stage::binary;

/// How many lines there are in all.
const LINES: u64 = 60_000;
/// How often each file is rotated.
const HOURS: u64 = 24;
/// How many lines are written at once.
const BURST: u64 = 100;
/// How long all of it is written at the least, and how many lines a second of a long test.
const SHORTEST: Duration = Duration::from_secs(12);
const LINES_A_SECOND: u64 = 60_000;

/// How a file is rotated.
#[derive(Clone, Copy)]
enum Way {
    /// It is renamed, and those before it are moved on by one.
    Renamed,
    /// It is copied, and emptied.
    Copied,
    /// It is renamed to a name with the hour in it.
    Dated,
}

const WAYS: [(Way, &str); 3] = [(Way::Renamed, "renamed"), (Way::Copied, "copied"), (Way::Dated, "dated")];

/// What writes one of the files.
struct Writer {
    way: Way,
    name: &'static str,
    folder: PathBuf,
    file: File,
    rotated: u64,
}

impl Writer {
    fn new(folder: &Path, (way, name): (Way, &'static str)) -> Result<Self> {
        let file = append(&folder.join(format!("{name}.log")))?;
        Ok(Self { way, name, folder: folder.to_owned(), file, rotated: 0 })
    }

    /// Writes all lines, at an even rate.
    fn run(mut self, lines: u64, pause: Duration) -> Result<()> {
        for from in (0..lines).step_by(BURST as usize) {
            if from > 0 && from * HOURS / lines > (from - BURST) * HOURS / lines {
                self.rotate(from).with_context(|| format!("rotating {}", self.name))?;
            }
            self.write(from, lines.min(from + BURST))?;
            std::thread::sleep(pause);
        }
        Ok(())
    }

    fn write(&mut self, from: u64, to: u64) -> Result<()> {
        let now = Timestamp::now().to_string();
        let mut text = String::new();
        for n in from..to {
            let line = json!({
                "timestamp": now, "level": if n % 97 == 0 { "ERROR" } else { "INFO" }, "logger": "pipeline.stages.extract",
                "message": format!("stage extract of document doc-{n:08} completed in {} ms with confidence 0.93", n % 4001),
                "trace_id": format!("{:032x}", (u128::from(n) << 64 | 0x5ca1_ab1e) + 1), "span_id": format!("{:016x}", n + 1),
                "n": n, "tenant": format!("tenant-{}", n % 40), "document": format!("doc-{n:08}"), "pages": n % 300,
                "worker": format!("extraction-{}", n % 8), "queue": "documents:extract",
            });
            text.push_str(&line.to_string());
            text.push('\n');
        }
        self.file.write_all(text.as_bytes()).context("writing lines")
    }

    fn rotate(&mut self, next: u64) -> Result<()> {
        let own = self.folder.join(format!("{}.log", self.name));
        let numbered = |number: u64| self.folder.join(format!("{}.log.{number}", self.name));
        if !matches!(self.way, Way::Dated) {
            for number in (1..=self.rotated).rev() {
                fs::rename(numbered(number), numbered(number + 1))?;
            }
        }
        self.rotated += 1;
        match self.way {
            Way::Renamed => fs::rename(&own, numbered(1))?,
            Way::Copied => {
                fs::copy(&own, numbered(1))?;
                self.file.set_len(0)?;
            }
            Way::Dated => {
                let dated = format!("{}-20261130-{:02}-{next}.log", self.name, self.rotated);
                fs::rename(&own, self.folder.join(dated))?;
            }
        }
        self.file = append(&own)?;
        Ok(())
    }
}

fn append(path: &Path) -> Result<File> {
    OpenOptions::new().create(true).append(true).open(path).with_context(|| format!("{}", path.display()))
}

fn lines() -> Result<u64> {
    let asked = std::env::var("WATCHKEEPER_TAIL_LINES").ok();
    asked.map_or(Ok(LINES), |asked| asked.parse().context("WATCHKEEPER_TAIL_LINES is a number"))
}

/// Of each file how many lines are stored, their first and last number, and the sum of the numbers.
async fn stored(watchkeeper: &Watchkeeper) -> Result<Value> {
    let statement = "SELECT service, count(*), min(CAST(attributes['n'] AS BIGINT)), \
                     max(CAST(attributes['n'] AS BIGINT)), sum(CAST(attributes['n'] AS BIGINT)) \
                     FROM logs WHERE service IN ('renamed', 'copied', 'dated') GROUP BY service ORDER BY service";
    let answer = watchkeeper.post("/api/v1/sql", &json!({ "sql": statement })).await?;
    ensure!(answer.status == 200, "{answer:?}");
    Ok(answer.body["rows"].clone())
}

#[tokio::test(flavor = "multi_thread")]
async fn scenario_log_files_rotated_under_load_while_the_server_is_killed_are_stored_line_by_line_once()
-> Result<()> {
    let folder = tempfile::tempdir()?;
    let logs = folder.path().join("logs");
    fs::create_dir(&logs)?;
    let each = lines()? / WAYS.len() as u64 / BURST * BURST;
    let bursts = each / BURST;
    let length = SHORTEST.max(Duration::from_secs(each * WAYS.len() as u64 / LINES_A_SECOND));
    let pause = length.div_f64(bursts as f64);
    let writers = WAYS.iter().map(|way| Writer::new(&logs, *way)).collect::<Result<Vec<_>>>()?;

    let config = format!(
        "[tailing]\ngrace = \"2s\"\n[[logs]]\npaths = [\"{}/*.log\"]\nfrom = \"beginning\"\n",
        logs.display()
    );
    let mut watchkeeper = Watchkeeper::start(binary(), folder.path(), &config).await?;
    within(Duration::from_secs(60), "the files to be open", || async {
        let metrics = watchkeeper.text("/metrics").await?;
        Ok(metrics.lines().any(|line| line == "watchkeeper_tail_files 3").then_some(()))
    })
    .await?;
    let writing: Vec<_> = writers
        .into_iter()
        .map(|writer| tokio::task::spawn_blocking(move || writer.run(each, pause)))
        .collect();
    let mut lives = 1;
    while writing.iter().any(|writing| !writing.is_finished()) {
        // A life of any length, and some of them end as they should.
        tokio::time::sleep(Duration::from_millis(700 + lives * 379 % 1900)).await;
        if lives % 4 == 0 {
            watchkeeper.terminate().await?;
        } else {
            watchkeeper.kill().await?;
        }
        watchkeeper.start_again().await?;
        lives += 1;
    }
    for writing in writing {
        writing.await??;
    }

    let expected: Vec<Value> = ["copied", "dated", "renamed"]
        .map(|name| json!([name, each, 0, each - 1, each * (each - 1) / 2]))
        .into();
    let patience = Duration::from_secs(120 + 2 * length.as_secs());
    let all = within(patience, "every line", || async {
        let rows = stored(&watchkeeper).await?;
        let count = |row: &Value| row[1].as_u64().unwrap_or_default();
        let read: u64 = rows.as_array().into_iter().flatten().map(count).sum();
        Ok((read >= each * WAYS.len() as u64).then_some(rows))
    })
    .await;
    let rows = match all {
        Ok(rows) => rows,
        Err(_) => stored(&watchkeeper).await?,
    };
    ensure!(
        rows == json!(expected),
        "after {lives} lives: {rows}, expected {expected:?}\n{}",
        watchkeeper.output()
    );
    Ok(())
}

/// What files say of audits and of security, once it is stored, oldest first.
async fn audits_of_files(watchkeeper: &Watchkeeper) -> Result<Value> {
    let found = watchkeeper.get("/api/v1/logs?q=category:*&order=oldest").await?;
    ensure!(found.status == 200, "{found:?}");
    let items = found.body["items"].as_array().cloned().unwrap_or_default();
    let told = |item: &Value| json!([item["category"], item["event_name"], item["message"]]);
    Ok(json!(items.iter().map(told).collect::<Vec<_>>()))
}

#[tokio::test(flavor = "multi_thread")]
async fn scenario_lines_of_files_that_are_marked_are_audits_and_are_found_with_the_logs() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let logs = folder.path().join("logs");
    fs::create_dir(&logs)?;
    let now = Timestamp::now().as_nanos();
    let at = |second: i64| Timestamp::from_nanos(now + second * 1_000_000_000);
    let lines = [
        json!({ "time": at(-9), "message": "user login", "log.category": "audit" }),
        json!({ "time": at(-8), "message": "user login failed", "log.category": "security" }),
        json!({ "time": at(-7), "message": "she may only read", "event.name": "audit.document.delete" }),
        json!({ "time": at(-6), "message": "user login page", "colour": "red" }),
    ];
    let text: String = lines.iter().map(|line| format!("{line}\n")).collect();
    fs::write(logs.join("app.log"), text)?;
    let config = format!("[[logs]]\npaths = [\"{}/*.log\"]\nfrom = \"beginning\"\n", logs.display());
    let mut watchkeeper = Watchkeeper::start(binary(), folder.path(), &config).await?;
    let expected = json!([
        ["audit", "user login", "user login"],
        ["security", "user login failed", "user login failed"],
        ["audit", "document.delete", "she may only read"],
    ]);
    within(Duration::from_secs(60), "the lines", || async {
        let found = watchkeeper.get("/api/v1/logs?q=login").await?;
        let all = found.body["items"].as_array().is_some_and(|items| items.len() == 3);
        Ok(all.then_some(()))
    })
    .await?;
    let audits = audits_of_files(&watchkeeper).await?;
    ensure!(audits == expected, "{audits}");
    let statement = json!({ "sql": "SELECT message FROM logs WHERE message LIKE '%login%'" });
    let left = watchkeeper.post("/api/v1/sql", &statement).await?;
    ensure!(left.body["rows"] == json!([["user login page"]]), "{left:?}");
    // Those that are audits are known by their ids after a restart, too.
    watchkeeper.terminate().await?;
    watchkeeper.start_again().await?;
    let audits = audits_of_files(&watchkeeper).await?;
    ensure!(audits == expected, "{audits}");
    Ok(())
}
