//! A file that begins anew when it is full: `watchkeeper.log`, then `watchkeeper.log.1`, the oldest
//! with the highest number.
//!
//! The crates that do this panic when a file is removed under them, or write on without a bound when
//! it cannot be renamed. A log must do neither: here a line that finds no place is counted and gone,
//! and each further line tries again.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use parking_lot::Mutex;
use prometheus::IntCounter;
use tracing_subscriber::fmt::MakeWriter;

/// A log file that is never larger than it may be.
#[derive(Clone)]
pub(super) struct RotatingFile {
    shared: Arc<Mutex<Inner>>,
}

struct Inner {
    path: PathBuf,
    max_bytes: u64,
    keep: usize,
    lost: IntCounter,
    /// `None` after a fault, until a line finds the way clear again.
    open: Option<Open>,
}

struct Open {
    file: File,
    bytes: u64,
}

impl RotatingFile {
    /// Opens the file at `path` and goes on at its end. It grows to `max_bytes`; `keep` full ones stay.
    pub(super) fn open(path: &Path, max_bytes: u64, keep: usize, lost: IntCounter) -> io::Result<Self> {
        if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
            std::fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
        }
        let open = Some(open(path)?);
        let inner = Inner { path: path.to_owned(), max_bytes, keep, lost, open };
        Ok(Self { shared: Arc::new(Mutex::new(inner)) })
    }
}

fn open(path: &Path) -> io::Result<Open> {
    let file = OpenOptions::new().create(true).append(true).mode(0o600).open(path)?;
    let bytes = file.metadata()?.len();
    Ok(Open { file, bytes })
}

impl Inner {
    fn write_line(&mut self, line: &[u8]) -> io::Result<()> {
        let length = line.len() as u64;
        let full = |open: &Open| open.bytes > 0 && open.bytes.saturating_add(length) > self.max_bytes;
        if self.open.as_ref().is_some_and(full) {
            self.open = None;
            crate::numbered::shift(&self.path, self.keep)?;
        }
        let opened = match self.open.take() {
            Some(open) => open,
            None => {
                let found = open(&self.path)?;
                // The one that is there may be full still, when it could not be moved.
                if full(&found) {
                    crate::numbered::shift(&self.path, self.keep)?;
                    open(&self.path)?
                } else {
                    found
                }
            }
        };
        let opened = self.open.insert(opened);
        opened.file.write_all(line)?;
        opened.bytes += length;
        Ok(())
    }
}

/// Writes whole lines: what is logged comes in one piece.
pub(super) struct Line {
    shared: Arc<Mutex<Inner>>,
}

impl Write for Line {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        let mut inner = self.shared.lock();
        if inner.write_line(line).is_err() {
            // The next line opens it anew.
            inner.open = None;
            inner.lost.inc();
        }
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for RotatingFile {
    type Writer = Line;

    fn make_writer(&'a self) -> Line {
        Line { shared: Arc::clone(&self.shared) }
    }
}

#[cfg(test)]
mod tests;
