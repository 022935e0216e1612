//! What retention has to know: which files still wait for the archive.

use std::collections::HashSet;
use std::time::Duration;

use model::Timestamp;

use super::{Day, Source};
use crate::EngineError;
use crate::catalog::ArchivedDay;
use crate::core::Core;
use crate::files::StoredFile;

/// Which files wait for the archive.
pub(crate) struct Awaited {
    /// The days that are archived as well as they will be.
    done: HashSet<(Source, Day)>,
    /// Days before this one are not archived.
    oldest: Day,
    patience: Duration,
}

impl Awaited {
    /// As the catalog has it; `None` when there is no archive.
    pub(crate) fn new(core: &Core, now: Timestamp) -> Result<Option<Self>, EngineError> {
        let config = &core.config.archive;
        if !config.is_on() {
            return Ok(None);
        }
        let days = core.catalog.archived()?.into_iter();
        let done = days.filter(ArchivedDay::is_done).map(|day| (day.source, day.day)).collect();
        Ok(Some(Self { done, oldest: config.oldest_worth(now), patience: config.patience.0 }))
    }

    /// Whether something of a file is not archived yet.
    pub(crate) fn lacks(&self, file: &StoredFile) -> bool {
        let Some(source) = Source::of(file.entry.kind) else { return false };
        Day::touched(file.entry.range, self.oldest).any(|day| !self.done.contains(&(source, day)))
    }

    /// Whether a file that expires at `horizon` has to wait.
    pub(crate) fn holds(&self, file: &StoredFile, horizon: Timestamp) -> bool {
        file.entry.range.end >= horizon.before(self.patience) && self.lacks(file)
    }
}
