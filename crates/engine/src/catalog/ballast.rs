//! Room that the catalog keeps for a disk that is full: without some, not even that a file is deleted could be
//! committed.

use std::io;
use std::path::{Path, PathBuf};

/// More than the journal of any deletion of files takes.
const BYTES: usize = 256 << 10;

/// Where the room is kept.
pub(super) fn path(catalog: &Path) -> PathBuf {
    catalog.with_extension("ballast")
}

/// Takes the room, if it is not there. On a disk that is full it stays away, and it is tried again with the next
/// commit.
pub(super) fn keep(catalog: &Path) -> io::Result<()> {
    let path = path(catalog);
    if std::fs::metadata(&path).is_ok_and(|there| there.len() == BYTES as u64) {
        return Ok(());
    }
    // Zeros would be no room on file systems that leave them out.
    let bytes: Vec<u8> = (0..BYTES).map(|at| (at.wrapping_mul(0x9e37_79b1) >> 13) as u8).collect();
    std::fs::write(&path, bytes).inspect_err(|_| {
        let_go(catalog);
    })
}

/// Lets go of the room; `false` when there was none.
pub(super) fn let_go(catalog: &Path) -> bool {
    std::fs::remove_file(path(catalog)).is_ok()
}
