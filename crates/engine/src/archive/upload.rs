//! An object that is being written: in parts, which nobody sees before all of them are there.

use std::io::{self, Write};
use std::sync::atomic::AtomicBool;

use object_store::path::Path;
use object_store::{MultipartUpload, ObjectStore, ObjectStoreExt as _};

use super::ArchiveError;
use super::destination::Destination;

/// Bytes of a part. S3 takes 10,000 parts, none but the last below 5 MiB.
const PART_BYTES: usize = 8 << 20;

/// An object that is being written. One that is dropped before its end never was.
pub(super) struct Upload<'a> {
    destination: &'a Destination,
    store: &'a dyn ObjectStore,
    key: Path,
    stop: &'a AtomicBool,
    part: Vec<u8>,
    bytes: u64,
    /// Once there is more than one part.
    parts: Option<Box<dyn MultipartUpload>>,
}

impl<'a> Upload<'a> {
    pub(super) fn new(
        destination: &'a Destination,
        store: &'a dyn ObjectStore,
        key: Path,
        stop: &'a AtomicBool,
    ) -> Self {
        Self { destination, store, key, stop, part: Vec::new(), bytes: 0, parts: None }
    }

    fn send_part(&mut self) -> Result<(), ArchiveError> {
        let parts = match &mut self.parts {
            Some(parts) => parts,
            None => {
                self.destination.check(self.stop)?;
                let begun = self.destination.wait(self.stop, self.store.put_multipart(&self.key))?;
                self.parts.insert(begun)
            }
        };
        let part = std::mem::take(&mut self.part);
        self.destination.wait(self.stop, parts.put_part(part.into()))
    }

    /// Makes the object visible, and looks whether it is there. Returns its size in bytes.
    pub(super) fn finish(mut self) -> Result<u64, ArchiveError> {
        self.destination.check(self.stop)?;
        if self.parts.is_some() {
            if !self.part.is_empty() {
                self.send_part()?;
            }
            if let Some(parts) = &mut self.parts {
                self.destination.wait(self.stop, parts.complete())?;
            }
            self.parts = None;
        } else {
            let whole = std::mem::take(&mut self.part);
            self.destination.wait(self.stop, self.store.put(&self.key, whole.into()))?;
        }
        let found = self.destination.wait(self.stop, self.store.head(&self.key))?.size;
        if found != self.bytes {
            return Err(ArchiveError::Differs { found, expected: self.bytes });
        }
        Ok(self.bytes)
    }
}

impl Write for Upload<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let taken = bytes.len().min(PART_BYTES - self.part.len());
        self.part.extend_from_slice(&bytes[..taken]);
        self.bytes += taken as u64;
        if self.part.len() == PART_BYTES {
            self.send_part().map_err(io::Error::other)?;
        }
        Ok(taken)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Drop for Upload<'_> {
    fn drop(&mut self) {
        if let Some(mut parts) = self.parts.take()
            && let Err(error) = self.destination.wait(self.stop, parts.abort())
        {
            tracing::warn!(
                key = %self.key,
                error = &error as &dyn std::error::Error,
                "parts of an object that was given up may be left in the archive, where nobody sees them"
            );
        }
    }
}
