//! Reading `/dev/kmsg`: a record a read, without waiting, from where it was left.

use std::fs::File;
use std::io::Read;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

use model::Timestamp;
use serde::{Deserialize, Serialize};

use super::record::Record;
use crate::collector::CollectError;

/// No record is longer (the kernel's `CONSOLE_EXT_LOG_MAX`).
const MAX_RECORD: usize = 8 << 10;
/// The most records of one pass; the next goes on.
const MAX_RECORDS: usize = 20_000;

/// How far the log was read: a sequence number, and the start of the host that it counts from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Cursor {
    pub(super) boot_id: String,
    pub(super) sequence: u64,
}

/// Where the cursor is kept over restarts.
#[derive(Clone, Debug)]
pub(super) struct CursorFile(PathBuf);

impl CursorFile {
    pub(super) fn new(path: PathBuf) -> Self {
        Self(path)
    }

    /// The cursor that was kept; `None` on the first start, and when the file is not what we wrote.
    pub(super) fn load(&self) -> Option<Cursor> {
        serde_json::from_slice(&std::fs::read(&self.0).ok()?).ok()
    }

    /// When a cursor was last kept; the beginning of time where nobody knows.
    pub(super) fn written(&self) -> Timestamp {
        let modified = std::fs::metadata(&self.0).and_then(|metadata| metadata.modified());
        let since = modified.ok().and_then(|time| time.duration_since(UNIX_EPOCH).ok());
        since.map_or(Timestamp::MIN, |since| Timestamp::from_secs_f64(since.as_secs_f64()))
    }

    /// Keeps a cursor: whole, or not at all.
    pub(super) fn save(&self, cursor: &Cursor) -> std::io::Result<()> {
        let beside = self.0.with_extension("new");
        std::fs::write(&beside, serde_json::to_vec(cursor)?)?;
        std::fs::rename(&beside, &self.0)
    }
}

/// What a pass over the log has met.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Met {
    /// The sequence number of the last record.
    pub(super) last: Option<u64>,
    /// Records that the kernel has overwritten before they were read.
    pub(super) lost: u64,
}

/// The log, open.
#[derive(Debug)]
pub(super) struct Log {
    file: File,
    buffer: Vec<u8>,
}

impl Log {
    /// Opens the log at its oldest record. What cannot be read here, and nobody asked for, is absent.
    pub(super) fn open(path: &Path) -> Result<Self, CollectError> {
        const NON_BLOCKING: i32 = rustix::fs::OFlags::NONBLOCK.bits() as i32;
        let file = File::options().read(true).custom_flags(NON_BLOCKING).open(path);
        file.map(Self::of).map_err(|error| {
            let path = path.display();
            CollectError::Absent(format!(
                "the kernel's log {path} cannot be read ({error}): out-of-memory kills are only counted \
                 (host_oom_kills_total), without the process; root or CAP_SYSLOG may read it"
            ))
        })
    }

    pub(super) fn of(file: File) -> Self {
        Self { file, buffer: vec![0; MAX_RECORD] }
    }

    /// Hands every record after `after` to `each`, up to the end of the log or the bound of a pass.
    pub(super) fn read(
        &mut self,
        after: Option<u64>,
        mut each: impl FnMut(&Record<'_>),
    ) -> Result<Met, CollectError> {
        let mut met = Met { last: after, lost: 0 };
        for _ in 0..MAX_RECORDS {
            let length = match self.file.read(&mut self.buffer) {
                Ok(0) => break,
                Ok(length) => length,
                Err(error) => match rustix::io::Errno::from_io_error(&error) {
                    Some(rustix::io::Errno::AGAIN) => break,
                    // The next read goes on with the oldest record that is left.
                    Some(rustix::io::Errno::PIPE | rustix::io::Errno::INTR) => continue,
                    _ => {
                        let what = "the kernel's log".to_owned();
                        return Err(CollectError::Read { what, source: Box::new(error) });
                    }
                },
            };
            let text = String::from_utf8_lossy(&self.buffer[..length]);
            let Some(record) = Record::parse(&text) else { continue };
            match met.last {
                Some(last) if record.sequence <= last => continue,
                Some(last) => met.lost += record.sequence - last - 1,
                None => {}
            }
            met.last = Some(record.sequence);
            each(&record);
        }
        Ok(met)
    }
}
