//! `scrape_failure_log_file`: a line of JSON for each scrape that fails.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use model::Timestamp;
use parking_lot::Mutex;
use serde::Serialize;

use super::metrics::Metrics;

/// The largest file, in bytes; then it becomes the one before, and another is begun.
const MAX_BYTES: u64 = 10 << 20;
/// The most characters of a reason that are written down.
const MAX_CHARACTERS: usize = 2_000;

/// What is written down, with the keys that Prometheus uses.
#[derive(Serialize)]
pub(super) struct Failure<'a> {
    pub(super) time: String,
    pub(super) level: &'static str,
    pub(super) msg: &'a str,
    pub(super) job_name: &'a str,
    pub(super) target: &'a str,
}

impl<'a> Failure<'a> {
    pub(super) fn new(at_ms: i64, reason: &'a str, job_name: &'a str, target: &'a str) -> Self {
        let msg = reason.char_indices().nth(MAX_CHARACTERS).map_or(reason, |(end, _)| &reason[..end]);
        Self { time: Timestamp::from_millis(at_ms).to_string(), level: "ERROR", msg, job_name, target }
    }
}

/// The files of all jobs, which may well name the same one. Each line opens its file anew, so that whoever moves it
/// away need not tell us.
#[derive(Clone)]
pub(super) struct FailureLog {
    /// Held while a line is written, so that one file is not begun anew twice.
    writing: Arc<Mutex<()>>,
    metrics: Metrics,
}

impl FailureLog {
    pub(super) fn new(metrics: Metrics) -> Self {
        Self { writing: Arc::default(), metrics }
    }

    /// Adds a line; what cannot be written is counted, and logged.
    pub(super) async fn write(&self, path: &Path, failure: &Failure<'_>) {
        let mut line = serde_json::to_string(failure).unwrap_or_default();
        line.push('\n');
        let (this, file) = (self.clone(), path.to_owned());
        let written = tokio::task::spawn_blocking(move || {
            let _writing = this.writing.lock();
            append(&file, &line)
        });
        let error = match written.await {
            Ok(Ok(())) => return,
            Ok(Err(error)) => error.to_string(),
            Err(error) => error.to_string(),
        };
        self.metrics.unlogged_failures.inc();
        tracing::warn!(file = %path.display(), %error, "a scrape that failed cannot be written down");
    }
}

fn append(path: &Path, line: &str) -> io::Result<()> {
    let open = || OpenOptions::new().append(true).create(true).open(path);
    let mut file: File = open()?;
    if file.metadata()?.len().saturating_add(line.len() as u64) > MAX_BYTES {
        fs::rename(path, before(path))?;
        file = open()?;
    }
    // At once, so that lines of several programs stay whole.
    file.write_all(line.as_bytes())
}

/// Where the file before is kept.
fn before(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".1");
    PathBuf::from(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_file_becomes_the_one_before_and_no_line_is_lost() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("failures.json");
        append(&path, "first\n").expect("a line");
        let full = File::options().write(true).open(&path).expect("the file");
        full.set_len(MAX_BYTES).expect("room on the disk");
        append(&path, "second\n").expect("a line");
        append(&path, "third\n").expect("a line");
        assert_eq!(fs::read_to_string(&path).expect("the file"), "second\nthird\n");
        assert_eq!(fs::metadata(before(&path)).expect("the one before").len(), MAX_BYTES);
        append(&folder.path().join("none/failures.json"), "lost\n").expect_err("no such folder");
    }

    #[test]
    fn a_reason_is_cut_and_stays_one_line() {
        let long = format!("a \"line\"\nand another {}", "é".repeat(3_000));
        let line = serde_json::to_string(&Failure::new(0, &long, "j", "http://a/metrics")).expect("JSON");
        assert!(line.starts_with(r#"{"time":"1970-01-01T00:00:00Z","level":"ERROR","msg":"a \"line\"\nand"#));
        assert!(line.ends_with(r#"é","job_name":"j","target":"http://a/metrics"}"#) && !line.contains('\n'));
    }
}
