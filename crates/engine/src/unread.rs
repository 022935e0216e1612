//! Files that could not be read, and that whoever goes over everything leaves alone for a while: a bad sector, or what
//! makes a decoder panic, would keep all others from being merged, and be read again every minute.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use parking_lot::Mutex;

use crate::EngineError;
use crate::files::StoredFile;

/// How long a file is left alone.
const LEFT_ALONE: Duration = Duration::from_secs(3600);

/// The numbers of files, each with when it could not be read.
#[derive(Debug, Default)]
pub(crate) struct Unread(Mutex<HashMap<u64, Instant>>);

impl Unread {
    /// Whether a file is left alone.
    pub(crate) fn has(&self, file: &StoredFile) -> bool {
        self.0.lock().get(&file.entry.id).is_some_and(|at| at.elapsed() < LEFT_ALONE)
    }

    /// Notes those of some files on which an error came that cannot be read, or all of them where each can be by
    /// itself. `false` when the error is none of reading.
    pub(crate) fn note<'a>(
        &self,
        files: impl Iterator<Item = &'a Arc<StoredFile>> + Clone,
        error: &EngineError,
    ) -> bool {
        let is_bad = |file: &&Arc<StoredFile>| file.verify().is_err();
        let mut bad: Vec<u64> = match error {
            EngineError::Read(_) => files.clone().filter(is_bad).map(|file| file.entry.id).collect(),
            EngineError::Panicked { .. } => Vec::new(),
            _ => return false,
        };
        if bad.is_empty() {
            bad = files.map(|file| file.entry.id).collect();
        }
        tracing::error!(
            error = error as &dyn std::error::Error,
            files = ?bad,
            "files could not be read to merge or roll them up: they are left alone for an hour"
        );
        let mut noted = self.0.lock();
        noted.retain(|_, at| at.elapsed() < LEFT_ALONE);
        noted.extend(bad.into_iter().map(|id| (id, Instant::now())));
        true
    }
}

/// What a panic is as an error, where files are merged or rolled up.
pub(crate) fn panicked() -> EngineError {
    EngineError::Panicked { name: "store-compact" }
}
