//! A sum over the catalog's whole file, kept beside it: SQLite has none, and the sum over the rows says nothing of
//! pages that no row is in.
//!
//! It is written after each commit, and says of which it is: SQLite counts changes in the file's header. One that a
//! crash has left behind is of an earlier commit and says nothing; the next start writes it anew.

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rusqlite::Connection;

use crate::layout::temporary;

/// Where in the file its changes are counted, and where the same number stands once more.
const CHANGES: std::ops::Range<usize> = 24..28;
const CHANGES_AGAIN: std::ops::Range<usize> = 92..96;
/// The number of changes, the sum of the file, and the sum of both.
const BYTES: usize = 12;

/// Where the sum lies.
pub(crate) fn path(catalog: &Path) -> PathBuf {
    catalog.with_extension("sum")
}

/// Keeps the sum of the file as it is now. Nobody writes it meanwhile.
pub(super) fn keep(catalog: &Path) -> io::Result<()> {
    let bytes = std::fs::read(catalog)?;
    let Some(changes) = bytes.get(CHANGES) else { return Ok(()) };
    let mut sum = [changes, &crc32c::crc32c(&bytes).to_le_bytes()].concat();
    sum.extend_from_slice(&crc32c::crc32c(&sum).to_le_bytes());
    let path = path(catalog);
    std::fs::write(temporary(&path), sum)?;
    std::fs::rename(temporary(&path), path)
}

/// What is wrong with the catalog's file or with its sum, by path.
pub(super) fn problem(
    connection: &Connection,
    catalog: &Path,
) -> Result<Option<(PathBuf, String)>, rusqlite::Error> {
    /// Between a commit and its sum lies a moment.
    const TRIES: usize = 5;
    for left in (0..TRIES).rev() {
        match look(connection, catalog)? {
            Seen::Sound => return Ok(None),
            Seen::Problem(path, problem) => return Ok(Some((path, problem))),
            Seen::OfAnother if left > 0 => std::thread::sleep(Duration::from_millis(100)),
            Seen::OfAnother => {}
        }
    }
    Ok(None)
}

enum Seen {
    Sound,
    Problem(PathBuf, String),
    /// There is no sum, or it is of another commit.
    OfAnother,
}

fn look(connection: &Connection, catalog: &Path) -> Result<Seen, rusqlite::Error> {
    // Who reads keeps others from writing, until the file has been read and closed.
    let reading = connection.unchecked_transaction()?;
    reading.query_row("SELECT count(*) FROM sqlite_schema", [], |_| Ok(()))?;
    let (Ok(bytes), Ok(sum)) = (std::fs::read(catalog), std::fs::read(path(catalog))) else {
        return Ok(Seen::OfAnother);
    };
    let Some((sum, own)) = sum.split_at_checked(BYTES - 4) else { return Ok(Seen::OfAnother) };
    // What a crash has left of a file that was not synced.
    if own.len() != 4 || own.iter().chain(sum).all(|byte| *byte == 0) {
        return Ok(Seen::OfAnother);
    }
    if crc32c::crc32c(sum).to_le_bytes() != own {
        return Ok(Seen::Problem(path(catalog), "it does not have its checksum".to_owned()));
    }
    let is_of = |place| bytes.get(place).is_some_and(|changes| changes == &sum[..4]);
    let problem = |text: &str| Ok(Seen::Problem(catalog.to_owned(), text.to_owned()));
    match (is_of(CHANGES), is_of(CHANGES_AGAIN)) {
        (true, _) if crc32c::crc32c(&bytes).to_le_bytes() == sum[4..] => Ok(Seen::Sound),
        (true, _) => problem("the file does not have its checksum, though its rows have theirs"),
        (false, true) => problem("the file's header does not have its checksum"),
        (false, false) => Ok(Seen::OfAnother),
    }
}
