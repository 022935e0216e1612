//! Dropping what is older than it is kept for: the catalog lets go of whole files.

use model::Timestamp;

use crate::EngineError;
use crate::core::Core;
use crate::files::StoredFile;

/// Drops the files whose last sample or row is older than retention. Returns how many.
pub(crate) fn drop_expired(core: &Core, now: Timestamp) -> Result<usize, EngineError> {
    let _changing = core.changing_files();
    let horizon = now.before(core.config.retention.0);
    let is_expired = |file: &StoredFile| file.entry.range.end < horizon;
    let expired: Vec<_> = core.view().files.iter().filter(|file| is_expired(file)).cloned().collect();
    let ids: Vec<u64> = expired.iter().map(|file| file.entry.id).collect();
    if !ids.is_empty() {
        core.catalog.remove(&ids)?;
        for file in &expired {
            file.drop_when_unused();
            core.block_series.forget(file.entry.id);
            core.footers.forget(file.entry.id);
        }
        core.remove_files(|file| ids.contains(&file.entry.id));
        core.telemetry.files.expired.inc_by(ids.len() as u64);
        tracing::info!(files = ids.len(), %horizon, "dropped files that were older than they are kept for");
    }
    forget_quarantined(core, is_expired)?;
    Ok(ids.len())
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
