//! Setting a damaged file aside, so that it harms one query at most and a person can look at it.

use std::sync::Arc;

use crate::core::Core;
use crate::files::StoredFile;

/// Takes a file out of use: the catalog notes why, its parts are moved to the quarantine, and it is
/// counted. Does nothing when it has been done.
pub(crate) fn quarantine(core: &Core, file: &Arc<StoredFile>, reason: &str) {
    let _changing = core.changing_files();
    if file.is_dropped() || !file.set_quarantined() {
        return;
    }
    tracing::error!(file = file.entry.id, kind = ?file.entry.kind, reason, "a stored file cannot be read: it is set aside");
    if let Err(error) = core.catalog.quarantine(file.entry.id, reason) {
        // The next start finds that the file is gone, and notes it then.
        tracing::error!(
            error = &error as &dyn std::error::Error,
            "the catalog could not note a damaged file"
        );
    }
    core.remove_files(|other| other.entry.id == file.entry.id);
    core.forget(file.entry.id);
    move_parts(core, file);
    core.note_quarantined(Arc::clone(file));
}

/// Moves what is there of a file to the quarantine.
pub(crate) fn move_parts(core: &Core, file: &StoredFile) {
    for path in file.paths() {
        match core.vfs.rename(path, &core.layout.quarantined(path)) {
            Ok(()) => {}
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
            Err(error) => tracing::warn!(path = %path.display(), %error, "a damaged file could not be moved"),
        }
    }
}
