//! From a frozen head to files: written, synced, named, entered into the catalog, and only then does
//! the log let go of them.
//!
//! A crash before the catalog's commit leaves files that the catalog does not know, which the next
//! start removes, and a log that still has everything. A crash after it leaves segments that are all in
//! files, which the next start removes too. Nothing is lost and nothing is there twice.

use std::sync::Arc;
use std::time::Instant;

use store::SeriesBuffer;

use crate::EngineError;
use crate::catalog::FileEntry;
use crate::core::Core;
use crate::events::{ids, lifted};
use crate::files::StoredFile;
use crate::head::Head;
use crate::rollup;
use crate::telemetry::seconds_since;
use crate::unpublished::Unpublished;
use crate::wal::writer::Frozen;

/// Writes a frozen head to files and lets the log go. When it fails, it can be called again with the
/// same head.
pub(crate) fn flush(core: &Core, frozen: &Frozen) -> Result<(), EngineError> {
    let start = Instant::now();
    let result = publish(core, frozen);
    match &result {
        Ok(files) => {
            core.telemetry.files.flushes.inc();
            core.telemetry.files.flush_seconds.observe(seconds_since(start));
            tracing::debug!(files, seconds = seconds_since(start), "wrote the head to files");
        }
        Err(_) => core.telemetry.files.flush_errors.inc(),
    }
    result.map(|_| ())
}

fn publish(core: &Core, frozen: &Frozen) -> Result<usize, EngineError> {
    let mut written = Unpublished::new(core);
    // A commit that was reported as failed can have happened all the same.
    let published_before = core.catalog.watermark()? >= frozen.watermark;
    let fresh = if published_before { None } else { Some(write(&mut written, &frozen.head)?) };
    let _changing = core.changing_files();
    let (entries, untrue) = match fresh {
        Some(entries) => {
            let untrue = rollup::untrue(core, &entries, core.now());
            enter(core, &mut written, &entries, &untrue, frozen.watermark)?;
            (entries, untrue)
        }
        None => {
            let known: Vec<u64> = core.view().files.iter().map(|file| file.entry.id).collect();
            let entries = core.catalog.entries()?;
            // What that commit took away is not read any more.
            let untrue =
                known.iter().copied().filter(|id| !entries.iter().any(|entry| entry.id == *id)).collect();
            let is_new = |entry: &FileEntry| entry.quarantine_reason.is_none() && !known.contains(&entry.id);
            (entries.into_iter().filter(is_new).collect(), untrue)
        }
    };
    if !untrue.is_empty() {
        let view = core.view();
        for file in view.files.iter().filter(|file| untrue.contains(&file.entry.id)) {
            file.drop_when_unused();
            core.block_series.forget(file.entry.id);
        }
        core.remove_files(|file| untrue.contains(&file.entry.id));
    }
    let files: Vec<_> =
        entries.into_iter().map(|entry| Arc::new(StoredFile::new(&core.vfs, &core.layout, entry))).collect();
    let count = files.len();
    core.replace_frozen(files);
    core.segments.remove_before(&*core.vfs, &core.layout, frozen.first_segment)?;
    Ok(count)
}

fn write(written: &mut Unpublished<'_>, head: &Head) -> Result<Vec<FileEntry>, EngineError> {
    let mut entries = Vec::new();
    entries.extend(metrics(written, head)?);
    for table in head.events.tables() {
        let parts = head.events.parts(table);
        let schema = store::joint(&store::schema(table), parts.iter().map(|part| part.rows.schema_ref()));
        let schema = ids::schema_of_rows(table, schema, parts.iter().map(|part| &part.rows));
        let lifted = lifted::of_rows(table, parts.iter().map(|part| &part.rows));
        entries.push(written.events(table, schema, lifted, |file| file.push_unsorted(&parts))?);
    }
    written.sync_names()?;
    Ok(entries)
}

fn metrics(written: &mut Unpublished<'_>, head: &Head) -> Result<Option<FileEntry>, EngineError> {
    let sorted = head.metrics.sorted();
    if sorted.is_empty() {
        return Ok(None);
    }
    let mut series = SeriesBuffer::default();
    let entry = written.metrics(|block| {
        sorted.iter().try_for_each(|(labels, id)| {
            series.clear();
            head.metrics.read(*id, (i64::MIN, i64::MAX), &mut series);
            series.labels = labels.clone();
            block.push(&series)
        })
    })?;
    Ok(Some(entry))
}

fn enter(
    core: &Core,
    written: &mut Unpublished<'_>,
    entries: &[FileEntry],
    untrue: &[u64],
    watermark: u64,
) -> Result<(), EngineError> {
    // From here on the files may be in the catalog, whatever it answers.
    written.keep();
    core.catalog.publish(entries, untrue, watermark).inspect_err(|_| {
        // A catalog that says that it has not taken them lets go of them: a flush that is tried again
        // and again must not fill the disk.
        if core.catalog.watermark().is_ok_and(|found| found < watermark) {
            written.let_go();
        }
    })
}
