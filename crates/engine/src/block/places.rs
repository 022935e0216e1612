//! Where the chunks of the series of a block are and of what time, looked up in its file and kept for the next query.

use std::ops::{Range, RangeInclusive};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};

use arrow::array::RecordBatch;
use arrow::datatypes::{Float64Type, Int64Type, UInt32Type};
use parquet::errors::ParquetError;

use crate::block::rows::{Opened, PartRows};
use crate::block::series::PAGE_SERIES;
use crate::block::{bad, chunk_column, numbers};
use crate::catalog::Part;
use crate::files::StoredFile;

/// Chunks that are looked up at a time.
const BATCH: usize = 8192;
/// The most memory of places that a block keeps. Queries of so many series spend their time elsewhere.
const KEPT_BYTES: usize = 4 << 20;

/// What is known of a chunk without reading it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place {
    /// The times of the first and the last sample, in milliseconds.
    first: i64,
    last: i64,
    pub(super) count: u32,
    /// The row of its times; in blocks of the first version, which have them beside the values, zero.
    pub(super) times: u32,
}

impl Place {
    pub(super) fn overlaps(&self, (start, end): (i64, i64)) -> bool {
        self.first <= end && start <= self.last
    }

    /// Whether all samples lie between two times, both included.
    pub(super) fn is_within(&self, (start, end): (i64, i64)) -> bool {
        start <= self.first && self.last <= end
    }

    /// Whether all samples come after a time.
    pub(super) fn is_after(&self, time_ms: i64) -> bool {
        self.first > time_ms
    }
}

/// The chunks of a block.
pub(crate) struct Places {
    rows: PartRows,
    /// By pages of series, as far as queries have asked for them.
    pages: Vec<OnceLock<Box<[Place]>>>,
    bytes: AtomicUsize,
}

impl Places {
    /// Of so many pages of series.
    pub(super) fn new(count: usize) -> Self {
        let mut pages = Vec::new();
        pages.resize_with(count, OnceLock::new);
        Self { rows: PartRows::default(), pages, bytes: AtomicUsize::new(0) }
    }

    /// What the places of the chunks of one page of series take.
    pub(super) fn page_bytes(starts: &[u32], page: usize) -> usize {
        let chunks = starts.get(page..page + 2).map_or(0, |ends| ends[1] - ends[0]);
        chunks as usize * size_of::<Place>()
    }

    /// The rows of chunks in their file.
    pub(super) fn rows(&self) -> &PartRows {
        &self.rows
    }

    /// Memory of what is kept.
    pub(super) fn bytes(&self) -> usize {
        self.rows.bytes() + self.bytes.load(Ordering::Relaxed)
    }

    /// The places of the chunks of one page of series, with the row of the first; none, when there is no room to
    /// keep them. `starts` are the first rows of all pages of the block, and the end of the last.
    pub(super) fn page(
        &self,
        file: &StoredFile,
        opened: &mut Opened,
        starts: &[u32],
        page: usize,
    ) -> Result<Option<(usize, &[Place])>, ParquetError> {
        let Some(kept) = self.pages.get(page) else { return Err(bad("a series is missing")) };
        let rows = starts[page] as usize..starts[page + 1] as usize;
        if let Some(places) = kept.get() {
            return Ok(Some((rows.start, places)));
        }
        let bytes = rows.len() * size_of::<Place>();
        if self.bytes.load(Ordering::Relaxed) + bytes > KEPT_BYTES {
            return Ok(None);
        }
        let mut places = Vec::with_capacity(rows.len());
        let start = rows.start;
        self.each(file, opened, &[rows], None, |_, place, _| places.push(place))?;
        self.check_total(starts)?;
        if kept.set(places.into_boxed_slice()).is_ok() {
            self.bytes.fetch_add(bytes, Ordering::Relaxed);
        }
        Ok(kept.get().map(|places| (start, &**places)))
    }

    /// Gives the chunks of some rows, ascending, to `take`: the row, the place, and whether none of the values is
    /// one that matters.
    pub(super) fn each(
        &self,
        file: &StoredFile,
        opened: &mut Opened,
        rows: &[Range<usize>],
        values: Option<&RangeInclusive<f64>>,
        mut take: impl FnMut(u32, Place, bool),
    ) -> Result<(), ParquetError> {
        let has_times = file.has(Part::Times);
        let mut columns = vec![chunk_column::FIRST, chunk_column::LAST, chunk_column::COUNT];
        columns.extend(has_times.then_some(chunk_column::TIMES));
        if values.is_some() {
            columns.extend([chunk_column::MIN, chunk_column::MAX]);
        }
        let mut row = rows.iter().cloned().flatten();
        for batch in self.rows.read_of(opened, file, Part::Chunks, &columns, rows, BATCH)? {
            let batch = batch?;
            let first = numbers::<Int64Type>(&batch, chunk_column::FIRST)?;
            let last = numbers::<Int64Type>(&batch, chunk_column::LAST)?;
            let count = numbers::<UInt32Type>(&batch, chunk_column::COUNT)?;
            let times = if has_times {
                numbers::<UInt32Type>(&batch, chunk_column::TIMES)?
            } else {
                vec![0; count.len()]
            };
            let outside = match values {
                Some(values) => outside(&batch, values)?,
                None => vec![false; count.len()],
            };
            for place in 0..count.len() {
                let row = row.next().ok_or_else(|| bad("there are too many chunks"))? as u32;
                let of_chunk = Place {
                    first: first[place],
                    last: last[place],
                    count: count[place],
                    times: times[place],
                };
                take(row, of_chunk, outside[place]);
            }
        }
        match row.next() {
            Some(_) => Err(bad("a chunk is missing")),
            None => Ok(()),
        }
    }

    /// Whether there are as many chunks as the series have, now that some have been read.
    pub(super) fn check_total(&self, starts: &[u32]) -> Result<(), ParquetError> {
        match self.rows.total() == starts.last().map(|end| *end as usize) {
            true => Ok(()),
            false => Err(bad("the number of chunks is not the one that the series have")),
        }
    }
}

/// The pages of some series, ascending.
pub(super) fn pages(ids: &[u32]) -> impl Iterator<Item = (usize, &[u32])> {
    let page = |id: &u32| *id as usize / PAGE_SERIES;
    ids.chunk_by(move |a, b| page(a) == page(b)).map(move |ids| (page(&ids[0]), ids))
}

/// Which chunks have no value that matters. NaN never does.
fn outside(batch: &RecordBatch, values: &RangeInclusive<f64>) -> Result<Vec<bool>, ParquetError> {
    let least = numbers::<Float64Type>(batch, chunk_column::MIN)?;
    let greatest = numbers::<Float64Type>(batch, chunk_column::MAX)?;
    let reaches = |(least, greatest): (&f64, &f64)| least <= values.end() && values.start() <= greatest;
    Ok(least.iter().zip(&greatest).map(|both| !reaches(both)).collect())
}
