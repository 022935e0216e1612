//! Columns of times: what chunks of a block share, decoded once a query, and kept for the next within a bound.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use arrow::datatypes::UInt32Type;
use parking_lot::Mutex;
use parquet::errors::ParquetError;

use crate::block::chunk::{self, BadChunk};
use crate::block::rows::{PartRows, joined};
use crate::block::times::Times;
use crate::block::{binary, damaged, numbers, times_column};
use crate::catalog::Part;
use crate::files::StoredFile;

/// Columns that are decoded at a time.
const BATCH: usize = 256;
/// What a column takes beside its times, in times.
const COLUMN_TIMES: usize = 16;
/// The most memory of times that a block keeps for the next query: those of 175 targets over a day at 15 s.
const KEPT_BYTES: usize = 4 << 20;

/// The columns of times of a block.
#[derive(Default)]
pub(crate) struct Columns {
    rows: PartRows,
    kept: Mutex<HashMap<u32, Arc<Times>>>,
    bytes: AtomicUsize,
}

impl Columns {
    /// Memory of what is kept.
    pub(super) fn bytes(&self) -> usize {
        self.rows.bytes() + self.bytes.load(Ordering::Relaxed)
    }

    fn keep(&self, row: u32, times: &Arc<Times>) {
        let bytes = weight(times) * size_of::<u32>();
        if self.bytes.load(Ordering::Relaxed) + bytes <= KEPT_BYTES
            && self.kept.lock().insert(row, Arc::clone(times)).is_none()
        {
            self.bytes.fetch_add(bytes, Ordering::Relaxed);
        }
    }
}

/// What a column takes of a bound, in times of four bytes.
fn weight(times: &Times) -> usize {
    times.size_bytes() / size_of::<u32>() + COLUMN_TIMES
}

/// Those that somebody has asked for who reads chunks.
pub(super) struct HeldColumns {
    known: HashMap<u32, Arc<Times>>,
    held: usize,
    max_held: usize,
    /// Whether the block keeps them for the next query.
    keeps: bool,
}

impl HeldColumns {
    /// No more than so many times of four bytes, each column counting as some of its own.
    pub(super) fn within(max_held: usize, keeps: bool) -> Self {
        Self { known: HashMap::new(), held: 0, max_held, keeps }
    }

    /// The times of a chunk of `count` samples, which are read together with those of others that will be asked for.
    pub(super) fn of(
        &mut self,
        file: &StoredFile,
        columns: &Columns,
        (row, count): (u32, u32),
        coming: impl Iterator<Item = u32>,
    ) -> Result<&Arc<Times>, ParquetError> {
        if !self.known.contains_key(&row) {
            let room = self.max_held / (count as usize + COLUMN_TIMES);
            self.load(file, columns, std::iter::once(row).chain(coming.take(room)))?;
        }
        let times = self.known.get(&row).filter(|times| times.len() == count as usize);
        times.ok_or_else(|| damaged(BadChunk))
    }

    /// Reads the columns at some rows that are not there yet.
    fn load(
        &mut self,
        file: &StoredFile,
        columns: &Columns,
        rows: impl Iterator<Item = u32>,
    ) -> Result<(), ParquetError> {
        if self.held > self.max_held {
            self.known.clear();
            self.held = 0;
        }
        let mut missing: Vec<u32> = rows.filter(|row| !self.known.contains_key(row)).collect();
        missing.sort_unstable();
        missing.dedup();
        {
            let kept = columns.kept.lock();
            missing.retain(|row| match kept.get(row) {
                Some(times) => {
                    self.held += weight(times);
                    self.known.insert(*row, Arc::clone(times));
                    false
                }
                None => true,
            });
        }
        if missing.is_empty() {
            return Ok(());
        }
        let names = [times_column::COUNT, times_column::TIMES];
        let selected = joined(missing.iter().map(|row| *row as usize..*row as usize + 1));
        let mut rows = missing.iter();
        for batch in columns.rows.read(file, Part::Times, &names, &selected, BATCH)? {
            let batch = batch?;
            let counts = numbers::<UInt32Type>(&batch, times_column::COUNT)?;
            let packed = binary(&batch, times_column::TIMES)?;
            let mut times = Vec::new();
            for (place, (count, row)) in counts.into_iter().zip(&mut rows).enumerate() {
                times.clear();
                chunk::times::unpack(packed.value(place), count as usize, &mut times).map_err(damaged)?;
                let times = Arc::new(Times::of(&times));
                if self.keeps {
                    columns.keep(*row, &times);
                }
                self.held += weight(&times);
                self.known.insert(*row, times);
            }
        }
        Ok(())
    }
}
