//! Files that make room for the next one: `FILE` becomes `FILE.1`, that `FILE.2`, and so on.

use std::io;
use std::path::{Path, PathBuf};

/// Makes room at `path`: each full file gets the next number, `keep` of them stay, the oldest goes.
///
/// A file that somebody else has cleared away is no fault.
pub(crate) fn shift(path: &Path, keep: usize) -> io::Result<()> {
    if keep == 0 {
        return absent_is_fine(std::fs::remove_file(path));
    }
    for number in (1..keep).rev() {
        absent_is_fine(std::fs::rename(numbered(path, number), numbered(path, number + 1)))?;
    }
    absent_is_fine(std::fs::rename(path, numbered(path, 1)))
}

/// The name of the file that was full `number` files ago.
pub(crate) fn numbered(path: &Path, number: usize) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(format!(".{number}"));
    PathBuf::from(name)
}

fn absent_is_fine(done: io::Result<()>) -> io::Result<()> {
    match done {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        done => done,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_goes_and_a_gap_is_no_fault() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("lines");
        for round in 1..=4 {
            std::fs::write(&path, round.to_string()).expect("written");
            shift(&path, 2).expect("shifted");
        }
        let read = |number| std::fs::read_to_string(numbered(&path, number)).ok();
        assert_eq!(
            [read(1).as_deref(), read(2).as_deref(), read(3).as_deref()],
            [Some("4"), Some("3"), None]
        );
        shift(&path, 2).expect("nothing is there, which is room enough");
        assert_eq!([read(1), read(2)], [None, Some("4".to_owned())]);
    }
}
