//! Dropping what is older than it is kept for, or takes more room than it may: the catalog lets go of
//! whole files, the oldest first.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use model::Timestamp;
use store::Table;

use crate::archive::Awaited;
use crate::catalog::FileKind;
use crate::core::Core;
use crate::files::StoredFile;
use crate::{Config, EngineError};

/// What is audited goes last while all its files take less than this part of what all files take. Whoever may send
/// events could drive everything else out otherwise.
const AUDIT_SHARE: u64 = 4;

/// A disk that somebody else fills takes nothing of what is younger than this.
const LAST_TO_GO: Duration = Duration::from_secs(24 * 3600);

/// Drops the files whose last sample or row is older than retention, and the oldest of those that take
/// more room than there is for them. Returns how many.
pub(crate) fn drop_expired(core: &Core, now: Timestamp) -> Result<usize, EngineError> {
    let _changing = core.changing_files();
    let horizon = |file: &StoredFile| now.before(core.kept.file(file.entry.kind));
    let awaited = Awaited::new(core, now)?;
    let is_over = |file: &StoredFile| file.entry.range.end < horizon(file);
    let is_expired = |file: &StoredFile| {
        is_over(file) && !awaited.as_ref().is_some_and(|awaited| awaited.holds(file, horizon(file)))
    };
    let (expired, kept): (Vec<_>, Vec<_>) =
        core.view().files.iter().cloned().partition(|file| is_expired(file));
    let expired_files = expired.len();
    if expired_files > 0 {
        let_go(core, &expired)?;
        tell_missed(core, awaited.as_ref(), &expired);
        core.telemetry.files.expired.inc_by(expired_files as u64);
        tracing::info!(files = expired_files, "dropped files that were older than they are kept for");
    }
    // Those that nobody reads are gone from the disk with this.
    drop(expired);
    core.measure_disk();
    // The others will be: what they take is as good as free.
    let free = core.room.free().saturating_add(core.leaving_bytes());
    let too_many = beyond_space(&core.config, kept, free, now);
    if !too_many.is_empty() {
        let_go(core, &too_many)?;
        tell_missed(core, awaited.as_ref(), &too_many);
        core.telemetry.files.dropped_for_space.inc_by(too_many.len() as u64);
        tracing::warn!(
            files = too_many.len(),
            bytes = too_many.iter().map(|file| file.bytes()).sum::<u64>(),
            "dropped the oldest files, for which there is no room: see store.retention_bytes and store.retention_free_bytes"
        );
    }
    forget_quarantined(core, is_over)?;
    Ok(expired_files + too_many.len())
}

/// Counts and names what was dropped before it was archived.
fn tell_missed(core: &Core, awaited: Option<&Awaited>, dropped: &[Arc<StoredFile>]) {
    let Some(awaited) = awaited else { return };
    for file in dropped.iter().filter(|file| awaited.lacks(file)) {
        core.telemetry.archive.missed.inc();
        let (from, to) = (file.entry.range.start, file.entry.range.end);
        tracing::error!(
            file = file.entry.id,
            kind = ?file.entry.kind,
            %from,
            %to,
            rows = file.entry.rows,
            "a file was dropped before all of it was archived"
        );
    }
}

/// The oldest files, as many as have to go; of what is audited see [`AUDIT_SHARE`].
fn beyond_space(
    config: &Config,
    files: Vec<Arc<StoredFile>>,
    mut free: u64,
    now: Timestamp,
) -> Vec<Arc<StoredFile>> {
    let mut kept = Kept::new(files);
    let (most, least_free) = (config.retention_bytes.0, config.retention_free_bytes.0);
    let young = now.before(LAST_TO_GO);
    let mut gone = Vec::new();
    loop {
        let is_over = most > 0 && kept.bytes() > most;
        let is_short = |file: &StoredFile| free < least_free && file.entry.range.end < young;
        let Some(file) = kept.take_next(|file| is_over || is_short(file)) else { return gone };
        free = free.saturating_add(file.bytes());
        gone.push(file);
    }
}

/// Files that are still there, in the order in which they go.
struct Kept {
    audit: Queue,
    others: Queue,
}

/// Files, the oldest first.
struct Queue {
    files: VecDeque<Arc<StoredFile>>,
    bytes: u64,
}

impl Kept {
    fn new(mut files: Vec<Arc<StoredFile>>) -> Self {
        files.sort_by_key(|file| file.entry.range.end);
        let is_audit = |file: &Arc<StoredFile>| file.entry.kind == FileKind::Events(Table::AuditEvents);
        let (audit, others) = files.into_iter().partition(is_audit);
        Self { audit: Queue::new(audit), others: Queue::new(others) }
    }

    fn bytes(&self) -> u64 {
        self.audit.bytes.saturating_add(self.others.bytes)
    }

    /// Takes the file that is to go next, if it goes.
    fn take_next(&mut self, goes: impl FnOnce(&StoredFile) -> bool) -> Option<Arc<StoredFile>> {
        let is_spared = self.audit.bytes < self.bytes() / AUDIT_SHARE;
        let queue = match (self.audit.end(), self.others.end()) {
            (Some(audit), Some(other)) if is_spared || other < audit => &mut self.others,
            (None, _) => &mut self.others,
            (Some(_), _) => &mut self.audit,
        };
        queue.take_first(goes)
    }
}

impl Queue {
    fn new(files: VecDeque<Arc<StoredFile>>) -> Self {
        let bytes = files.iter().map(|file| file.bytes()).sum();
        Self { files, bytes }
    }

    /// The time of the newest that the oldest file has.
    fn end(&self) -> Option<Timestamp> {
        self.files.front().map(|file| file.entry.range.end)
    }

    fn take_first(&mut self, goes: impl FnOnce(&StoredFile) -> bool) -> Option<Arc<StoredFile>> {
        let file = self.files.pop_front_if(|file| goes(file))?;
        self.bytes = self.bytes.saturating_sub(file.bytes());
        Some(file)
    }
}

/// Lets go of files, in the catalog first.
pub(crate) fn let_go(core: &Core, files: &[Arc<StoredFile>]) -> Result<(), EngineError> {
    let ids: Vec<u64> = files.iter().map(|file| file.entry.id).collect();
    core.catalog.remove(&ids)?;
    for file in files {
        file.drop_when_unused();
        core.forget(file.entry.id);
    }
    core.remove_files(|file| ids.contains(&file.entry.id));
    Ok(())
}

/// What is set aside is kept as long as what is not.
fn forget_quarantined(core: &Core, is_expired: impl Fn(&StoredFile) -> bool) -> Result<(), EngineError> {
    let gone = core.take_quarantined(is_expired);
    let ids: Vec<u64> = gone.iter().map(|file| file.entry.id).collect();
    if ids.is_empty() {
        return Ok(());
    }
    core.catalog.remove(&ids)?;
    for path in gone.iter().flat_map(|file| file.paths()) {
        // Parts that were missing from the beginning are no news.
        _ = core.vfs.remove(&core.layout.quarantined(path));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use prometheus::Registry;
    use store::{Batch, EventBatch, TelemetryStore};

    use super::*;
    use crate::Engine;
    use crate::vfs::Disk;

    #[test]
    fn what_is_let_go_of_and_still_read_is_as_good_as_free() {
        let dir = tempfile::tempdir().expect("dir");
        let config = Config { disk_reserve_bytes: model::ByteSize(0), ..Config::default() };
        let engine = Engine::open_on(Arc::new(Disk), dir.path(), config, &Registry::new()).expect("opens");
        let rows = EventBatch { table: Table::Deploys, rows: crate::testing::deploys(&[1]) };
        let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
        runtime.block_on(engine.append(Batch { events: vec![rows], ..Batch::default() })).expect("appended");
        engine.checkpoint().expect("written");
        let core = engine.core();
        let read = Arc::clone(&core.view().files[0]);
        assert_eq!(core.leaving_bytes(), 0);
        let_go(core, std::slice::from_ref(&read)).expect("let go of");
        assert_eq!(core.leaving_bytes(), read.bytes());
        drop(read);
        assert_eq!(core.leaving_bytes(), 0);
    }
}
