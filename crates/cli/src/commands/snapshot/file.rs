//! A file of lines that others may read, move and cut while it is written.
//!
//! It is opened for each line, so that a file that somebody moved away is begun anew; a line is one
//! write to the end; and a line that a crash or a full disk cut short is closed first, so that it
//! spoils no other.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

/// How much is kept.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bounds {
    /// The size of a file, in bytes.
    pub(super) bytes: u64,
    /// How many older files.
    pub(super) kept: u16,
}

/// The file.
#[derive(Debug)]
pub(super) struct LineFile {
    path: PathBuf,
    bounds: Bounds,
}

impl LineFile {
    /// Makes the file when there is none.
    pub(super) fn open(path: &Path, bounds: Bounds) -> io::Result<Self> {
        open(path)?;
        Ok(Self { path: path.to_owned(), bounds })
    }

    /// Where it is.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Appends a line, its end included. When this returns it is on the disk.
    pub(super) fn append(&mut self, line: &str) -> io::Result<()> {
        let mut file = open(&self.path)?;
        let length = file.metadata()?.len();
        if length > 0 && length + line.len() as u64 > self.bounds.bytes {
            drop(file);
            crate::numbered::shift(&self.path, usize::from(self.bounds.kept))?;
            file = open(&self.path)?;
        }
        if is_torn(&mut file)? {
            file.write_all(format!("\n{line}").as_bytes())?;
        } else {
            file.write_all(line.as_bytes())?;
        }
        // A pipe or a terminal has no disk to wait for.
        if file.metadata()?.is_file() { file.sync_data() } else { Ok(()) }
    }
}

fn open(path: &Path) -> io::Result<File> {
    OpenOptions::new().create(true).read(true).append(true).open(path)
}

/// Whether the last line has no end.
fn is_torn(file: &mut File) -> io::Result<bool> {
    let metadata = file.metadata()?;
    if !metadata.is_file() || metadata.len() == 0 {
        return Ok(false);
    }
    let mut last = [0];
    file.seek(SeekFrom::End(-1))?;
    file.read_exact(&mut last)?;
    Ok(last != *b"\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(path: &Path) -> String {
        std::fs::read_to_string(path).unwrap_or_default()
    }

    #[test]
    fn a_torn_line_is_closed_before_the_next() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("metrics.jsonl");
        std::fs::write(&path, "{\"a\":1}\n{\"a\":").expect("written");
        let mut file = LineFile::open(&path, Bounds { bytes: 1 << 20, kept: 1 }).expect("open");
        file.append("{\"a\":2}\n").expect("written");
        file.append("{\"a\":3}\n").expect("written");
        assert_eq!(text(&path), "{\"a\":1}\n{\"a\":\n{\"a\":2}\n{\"a\":3}\n");
    }

    #[test]
    fn a_full_file_makes_room_and_the_oldest_goes() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("m");
        let mut file = LineFile::open(&path, Bounds { bytes: 8, kept: 2 }).expect("open");
        for number in 0..7 {
            file.append(&format!("{number}aa\n")).expect("written");
        }
        let numbered = |number: u16| text(&folder.path().join(format!("m.{number}")));
        assert_eq!(
            (text(&path).as_str(), numbered(1).as_str(), numbered(2).as_str()),
            ("6aa\n", "4aa\n5aa\n", "2aa\n3aa\n")
        );
        assert_eq!(std::fs::read_dir(folder.path()).expect("a folder").count(), 3);
        let mut none = LineFile::open(&path, Bounds { bytes: 8, kept: 0 }).expect("open");
        none.append("xxxxxxx\n").expect("written");
        assert_eq!(text(&path), "xxxxxxx\n");
    }

    #[test]
    fn a_file_that_was_moved_away_is_begun_anew() {
        let folder = tempfile::tempdir().expect("a folder");
        let (path, moved) = (folder.path().join("m"), folder.path().join("moved"));
        let mut file = LineFile::open(&path, Bounds { bytes: 1 << 20, kept: 1 }).expect("open");
        file.append("1\n").expect("written");
        std::fs::rename(&path, &moved).expect("moved");
        file.append("2\n").expect("written");
        assert_eq!((text(&moved), text(&path)), ("1\n".to_owned(), "2\n".to_owned()));
        assert!(LineFile::open(&folder.path().join("no/such"), Bounds { bytes: 8, kept: 0 }).is_err());
    }
}
