//! Where the bytes go: to standard output, or to a file that is there as a whole or not at all.

use std::fs::{self, File};
use std::io::{self, IsTerminal as _, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, ensure};
use rustix::fs::RenameFlags;

/// Where to.
#[derive(Debug)]
pub(crate) enum Target {
    Stdout,
    /// A pipe or a device: there is nothing to replace.
    Special(PathBuf),
    File {
        path: PathBuf,
        force: bool,
    },
}

impl Target {
    /// What `path` stands for. A file that is there is an error, unless it may be replaced.
    pub(crate) fn new(path: &Path, force: bool) -> anyhow::Result<Self> {
        if path == Path::new("-") {
            return Ok(Self::Stdout);
        }
        match fs::metadata(path) {
            Ok(found) if found.is_dir() => anyhow::bail!("{} is a folder: name a file", path.display()),
            Ok(found) if !found.is_file() => Ok(Self::Special(path.to_owned())),
            Ok(_) => {
                ensure!(force, "{} is there already: --force writes over it", path.display());
                Ok(Self::File { path: path.to_owned(), force })
            }
            Err(_) => Ok(Self::File { path: path.to_owned(), force }),
        }
    }

    /// Whether the rows go to standard output.
    pub(crate) fn is_stdout(&self) -> bool {
        matches!(self, Self::Stdout)
    }

    /// Whether somebody would see the bytes.
    pub(crate) fn is_terminal(&self) -> bool {
        self.is_stdout() && io::stdout().is_terminal()
    }

    /// The file.
    pub(crate) fn path(&self) -> Option<&Path> {
        match self {
            Self::Stdout => None,
            Self::Special(path) | Self::File { path, .. } => Some(path),
        }
    }

    /// Opens it.
    pub(crate) fn open(&self) -> anyhow::Result<Output> {
        let (to, unfinished): (Box<dyn Write + Send>, _) = match self {
            Self::Stdout => (Box::new(io::stdout()), None),
            Self::Special(path) => {
                let file = File::options().write(true).open(path);
                (Box::new(file.with_context(|| format!("cannot write to {}", path.display()))?), None)
            }
            Self::File { path, force } => {
                let unfinished = Unfinished::beside(path, *force)?;
                let file = unfinished.file.try_clone().context("a file could not be opened twice")?;
                (Box::new(file), Some(unfinished))
            }
        };
        Ok(Output { to: io::BufWriter::with_capacity(1 << 16, to), bytes: 0, unfinished })
    }
}

/// An open output, which counts its bytes.
pub(crate) struct Output {
    to: io::BufWriter<Box<dyn Write + Send>>,
    bytes: u64,
    unfinished: Option<Unfinished>,
}

impl Output {
    /// Makes what was written durable, and gives it its name.
    pub(crate) fn publish(mut self) -> anyhow::Result<u64> {
        self.to.flush().context("writing")?;
        if let Some(unfinished) = self.unfinished {
            unfinished.publish()?;
        }
        Ok(self.bytes)
    }
}

impl Write for Output {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.to.write(bytes)?;
        self.bytes += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.to.flush()
    }
}

/// A file under another name, which is removed unless it is published.
struct Unfinished {
    file: File,
    temporary: PathBuf,
    path: PathBuf,
    force: bool,
}

impl Unfinished {
    fn beside(path: &Path, force: bool) -> anyhow::Result<Self> {
        let name = path.file_name().with_context(|| format!("{} names no file", path.display()))?;
        let mut temporary = std::ffi::OsString::from(".");
        temporary.push(name);
        temporary.push(format!(".{}.tmp", std::process::id()));
        let temporary = path.with_file_name(temporary);
        let file = File::options().write(true).create_new(true).open(&temporary);
        let file = file.with_context(|| format!("cannot write to {}", path.display()))?;
        Ok(Self { file, temporary, path: path.to_owned(), force })
    }

    fn publish(self) -> anyhow::Result<()> {
        let naming = || format!("cannot name the finished file {}", self.path.display());
        self.file.sync_all().with_context(|| format!("cannot sync {}", self.path.display()))?;
        if self.force {
            return fs::rename(&self.temporary, &self.path).with_context(naming);
        }
        // Another one may have come there meanwhile.
        let here = rustix::fs::CWD;
        let renamed =
            rustix::fs::renameat_with(here, &self.temporary, here, &self.path, RenameFlags::NOREPLACE);
        match renamed {
            // Some file systems cannot tell.
            Err(rustix::io::Errno::INVAL | rustix::io::Errno::NOSYS) if !self.path.exists() => {
                fs::rename(&self.temporary, &self.path).with_context(naming)
            }
            renamed => renamed.with_context(naming),
        }
    }
}

impl Drop for Unfinished {
    fn drop(&mut self) {
        // After it was published there is none any more.
        let _ = fs::remove_file(&self.temporary);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(folder: &Path) -> Vec<String> {
        let entries = fs::read_dir(folder).expect("a folder");
        let mut names: Vec<String> = entries
            .map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned())
            .collect();
        names.sort();
        names
    }

    #[test]
    fn a_file_is_there_as_a_whole_or_not_at_all() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("a.csv");
        let target = Target::new(&path, false).expect("a target");
        let mut dropped = target.open().expect("open");
        dropped.write_all(b"half").expect("written");
        assert!(!path.exists());
        drop(dropped);
        assert_eq!(names(folder.path()), Vec::<String>::new());

        let mut whole = target.open().expect("open");
        whole.write_all(b"whole").expect("written");
        assert_eq!(whole.publish().expect("published"), 5);
        assert_eq!(names(folder.path()), ["a.csv"]);
        assert!(Target::new(&path, false).is_err(), "it is not written over");
        let mut again = Target::new(&path, true).expect("forced").open().expect("open");
        again.write_all(b"again").expect("written");
        again.publish().expect("published");
        assert_eq!(fs::read(&path).expect("read"), b"again");
    }

    #[test]
    fn a_file_that_came_meanwhile_is_not_written_over() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("a.csv");
        let output = Target::new(&path, false).expect("a target").open().expect("open");
        fs::write(&path, "somebody else's").expect("written");
        assert!(output.publish().is_err());
        assert_eq!(fs::read(&path).expect("read"), b"somebody else's");
        assert_eq!(names(folder.path()), ["a.csv"]);
    }

    #[test]
    fn an_error_names_the_file_that_was_asked_for() {
        let target = Target::new("/nonexistent/x.csv".as_ref(), false).expect("a target");
        let said = format!("{:#}", target.open().err().expect("there is no such folder"));
        assert!(said.starts_with("cannot write to /nonexistent/x.csv: No such file"), "{said}");
    }
}
