//! Small files in the data directory that say how far something was read: after a crash there is the old one or the new
//! one, whole.

use std::fs::File;
use std::io::{self, Write};
use std::path::Path;

/// Puts a file with these bytes in the place of the one at `path`. Durable once it returns. Blocks.
pub(crate) fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let beside = path.with_extension("new");
    let mut file = File::create(&beside)?;
    file.write_all(bytes)?;
    // Otherwise the name may outlive a crash of the machine, and the bytes may not.
    file.sync_all()?;
    std::fs::rename(&beside, path)?;
    match path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        Some(folder) => File::open(folder)?.sync_all(),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_new_file_takes_the_place_of_the_old_one_and_leaves_nothing_beside_it() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("some.cursor");
        std::fs::write(folder.path().join("some.new"), "what a crash has left, and longer").expect("written");
        for text in ["first", "second"] {
            replace(&path, text.as_bytes()).expect("replaced");
            assert_eq!(std::fs::read_to_string(&path).expect("it is there"), text);
        }
        assert_eq!(std::fs::read_dir(folder.path()).expect("a folder").count(), 1);
    }

    #[test]
    fn a_folder_that_is_not_there_is_told() {
        let folder = tempfile::tempdir().expect("a folder");
        let error = replace(&folder.path().join("none/some.cursor"), b"text").expect_err("no folder");
        assert_eq!(error.kind(), io::ErrorKind::NotFound);
    }
}
