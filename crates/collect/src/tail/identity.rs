//! Which file a file is, whatever its name is now.

use std::fs::{File, Metadata};
use std::io;
use std::os::unix::fs::{FileExt, MetadataExt};

use serde::{Deserialize, Serialize};

/// How much of the beginning of a file tells it from others.
pub(super) const PRINTED_BYTES: usize = 1 << 10;

/// A file on its file system.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub(super) struct FileId {
    pub(super) dev: u64,
    pub(super) ino: u64,
}

impl FileId {
    pub(super) fn of(metadata: &Metadata) -> Self {
        Self { dev: metadata.dev(), ino: metadata.ino() }
    }
}

/// The beginning of a file, as far as it was there when it was looked at. The number of a file is given to another as
/// soon as it is removed, and on some file systems it changes; what a log begins with does not.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Fingerprint {
    length: usize,
    hash: u64,
}

impl Fingerprint {
    /// Of a file as it is.
    pub(super) fn of(file: &File) -> io::Result<Self> {
        Ok(Self::of_bytes(&beginning(file)?))
    }

    /// Of what a file begins with.
    pub(super) fn of_bytes(begin: &[u8]) -> Self {
        Self { length: begin.len(), hash: hash(begin) }
    }

    /// Whether something begins so.
    pub(super) fn fits_bytes(&self, begin: &[u8]) -> bool {
        begin.get(..self.length).is_some_and(|begin| hash(begin) == self.hash)
    }

    /// Whether a file begins so. A file of which nothing was seen begins in any way.
    pub(super) fn fits(&self, file: &File) -> io::Result<bool> {
        let mut begin = [0; PRINTED_BYTES];
        // What is kept over restarts could say anything.
        let length = read_begin(file, &mut begin[..self.length.min(PRINTED_BYTES)])?;
        Ok(length == self.length && hash(&begin[..length]) == self.hash)
    }

    /// Whether more of the file would say more.
    pub(super) fn is_partial(&self) -> bool {
        self.length < PRINTED_BYTES
    }

    /// Whether anything was seen.
    pub(super) fn is_empty(&self) -> bool {
        self.length == 0
    }
}

/// What a file begins with, as much as tells it from others.
pub(super) fn beginning(file: &File) -> io::Result<Vec<u8>> {
    let mut begin = vec![0; PRINTED_BYTES];
    let length = read_begin(file, &mut begin)?;
    begin.truncate(length);
    Ok(begin)
}

fn read_begin(file: &File, into: &mut [u8]) -> io::Result<usize> {
    let mut length = 0;
    while length < into.len() {
        match file.read_at(&mut into[length..], length as u64) {
            Ok(0) => break,
            Ok(read) => length += read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(length)
}

fn hash(bytes: &[u8]) -> u64 {
    xxhash_rust::xxh3::xxh3_64(bytes)
}
