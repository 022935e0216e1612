//! Reading the chunks of some series of a block.

use std::collections::HashMap;
use std::ops::RangeInclusive;
use std::sync::Arc;

use arrow::array::{Array, BinaryArray, RecordBatch};
use arrow::datatypes::{Float64Type, Int64Type, UInt32Type};
use model::STALE_NAN;
use parquet::arrow::arrow_reader::ParquetRecordBatchReader;
use parquet::errors::ParquetError;

use crate::block::chunk::{self, BadChunk};
use crate::block::rows::{Opened, joined};
use crate::block::series::BlockSeries;
use crate::block::{bad, binary, chunk_column, numbers, times_column};
use crate::catalog::Part;
use crate::files::StoredFile;

/// Series whose chunks are looked up together.
const SLAB_SERIES: usize = 4096;
/// Chunks that are looked up at a time.
const LOOKUP_BATCH: usize = 8192;
/// Chunks that are decoded at a time.
const BATCH: usize = 256;
/// Times that are kept for further chunks of a query, eight bytes each.
const KEPT_TIMES: usize = 4 << 20;

/// The chunks of some series of a block, in order, each read once. Where chunks are and of what time is
/// looked up first, for some thousands of series at once; then only those are read that a query wants.
pub(crate) struct ChunkReader {
    file: Arc<StoredFile>,
    chunks: Opened,
    /// The last of the series that have been looked up.
    last: Option<u32>,
    /// Of those series, the chunks that are wanted.
    wanted: Vec<Wanted>,
    next: usize,
    packed: Option<Packed>,
    columns: TimeColumns,
    /// Values that matter; all of them, without it.
    values: Option<RangeInclusive<f64>>,
}

/// A chunk that is wanted.
#[derive(Clone, Copy)]
struct Wanted {
    row: u32,
    count: u32,
    /// The row of its times; in blocks of the first version, which have them beside the values, zero.
    times: u32,
    /// Whether none of its values matters.
    is_outside: bool,
}

/// What is read of the chunks that are wanted.
struct Packed {
    reader: ParquetRecordBatchReader,
    values: BinaryArray,
    /// In blocks of the first version.
    times: Option<BinaryArray>,
    row: usize,
}

/// Columns of times, decoded once for all chunks of a query that share them.
#[derive(Default)]
struct TimeColumns {
    known: HashMap<u32, Vec<i64>>,
    held: usize,
}

impl ChunkReader {
    pub(crate) fn new(file: &Arc<StoredFile>) -> Self {
        Self {
            file: Arc::clone(file),
            chunks: Opened::default(),
            last: None,
            wanted: Vec::new(),
            next: 0,
            packed: None,
            columns: TimeColumns::default(),
            values: None,
        }
    }

    /// From now on, does not read the values of chunks that have none of these, and gives staleness markers
    /// in their place.
    pub(crate) fn pass_over_outside(&mut self, values: &RangeInclusive<f64>) {
        // In blocks of the first version times are beside the values.
        self.values = self.file.has(Part::Times).then(|| values.clone());
    }

    /// Adds the samples between two times of the first of `ids`, which are ascending and go on to be asked
    /// for in that order.
    pub(crate) fn next_series(
        &mut self,
        series: &BlockSeries,
        ids: &[u32],
        range_ms: (i64, i64),
        times: &mut Vec<i64>,
        values: &mut Vec<f64>,
    ) -> Result<(), ParquetError> {
        let Some(&id) = ids.first() else { return Ok(()) };
        if self.last.is_none_or(|last| last < id) {
            self.look_up(series, &ids[..ids.len().min(SLAB_SERIES)], range_ms)?;
        }
        let rows = series.rows(id);
        while let Some(wanted) =
            self.wanted.get(self.next).copied().filter(|it| rows.contains(&(it.row as usize)))
        {
            self.next += 1;
            self.read(series, wanted, range_ms, times, values)?;
        }
        Ok(())
    }

    /// Looks up which chunks of some series are wanted.
    fn look_up(
        &mut self,
        series: &BlockSeries,
        ids: &[u32],
        range_ms: (i64, i64),
    ) -> Result<(), ParquetError> {
        self.last = ids.last().copied();
        self.wanted.clear();
        self.next = 0;
        self.packed = None;
        let has_times = self.file.has(Part::Times);
        let mut columns = vec![chunk_column::FIRST, chunk_column::LAST, chunk_column::COUNT];
        columns.extend(has_times.then_some(chunk_column::TIMES));
        if self.values.is_some() {
            columns.extend([chunk_column::MIN, chunk_column::MAX]);
        }
        let rows = joined(ids.iter().map(|id| series.rows(*id)));
        let mut row = rows.iter().cloned().flatten();
        let (file, part) = (&self.file, Part::Chunks);
        for batch in series.chunks.read_of(&mut self.chunks, file, part, &columns, &rows, LOOKUP_BATCH)? {
            let batch = batch?;
            let first = numbers::<Int64Type>(&batch, chunk_column::FIRST)?;
            let last = numbers::<Int64Type>(&batch, chunk_column::LAST)?;
            let count = numbers::<UInt32Type>(&batch, chunk_column::COUNT)?;
            let times = if has_times {
                numbers::<UInt32Type>(&batch, chunk_column::TIMES)?
            } else {
                vec![0; count.len()]
            };
            let outside = match &self.values {
                Some(values) => outside(&batch, values)?,
                None => vec![false; count.len()],
            };
            for place in 0..count.len() {
                let row = row.next().ok_or_else(|| bad("there are too many chunks"))? as u32;
                if first[place] <= range_ms.1 && range_ms.0 <= last[place] {
                    let (count, times, is_outside) = (count[place], times[place], outside[place]);
                    self.wanted.push(Wanted { row, count, times, is_outside });
                }
            }
        }
        if series.chunks.total() != Some(series.chunk_count()) {
            return Err(bad("the number of chunks is not the one that the series have"));
        }
        Ok(())
    }

    fn read(
        &mut self,
        series: &BlockSeries,
        wanted: Wanted,
        range_ms: (i64, i64),
        times: &mut Vec<i64>,
        values: &mut Vec<f64>,
    ) -> Result<(), ParquetError> {
        let place = self.next - 1;
        let (start, count) = (times.len(), wanted.count as usize);
        if self.file.has(Part::Times) {
            let coming = &self.wanted[place..self.wanted.len().min(place + BATCH)];
            times.extend_from_slice(self.columns.of(&self.file, series, coming)?);
        }
        if wanted.is_outside {
            values.resize(values.len() + count, STALE_NAN);
        } else {
            if self.packed.as_ref().is_none_or(|packed| packed.row == packed.values.len()) {
                self.next_packed(series, place)?;
            }
            let packed = self.packed.as_mut().ok_or_else(|| bad("a chunk is missing"))?;
            let row = packed.row;
            packed.row += 1;
            if let Some(own) = &packed.times {
                chunk::times::unpack(own.value(row), count, times).map_err(damaged)?;
            }
            chunk::values::unpack(packed.values.value(row), count, values).map_err(damaged)?;
        }
        if values.len() != times.len() {
            return Err(damaged(BadChunk));
        }
        trim(start, range_ms, times, values);
        Ok(())
    }

    /// Reads the next of the chunks that are wanted, from the one at `place` on.
    fn next_packed(&mut self, series: &BlockSeries, place: usize) -> Result<(), ParquetError> {
        let has_times = self.file.has(Part::Times);
        let mut reader = match self.packed.take() {
            Some(packed) => packed.reader,
            None => {
                let mut columns = vec![chunk_column::VALUES];
                columns.extend((!has_times).then_some(chunk_column::TIMES));
                let rows = self.wanted[place..].iter().filter(|it| !it.is_outside).map(|it| it.row as usize);
                let rows = joined(rows.map(|row| row..row + 1));
                let (file, part) = (&self.file, Part::Chunks);
                series.chunks.read_of(&mut self.chunks, file, part, &columns, &rows, BATCH)?
            }
        };
        let batch = reader.next().ok_or_else(|| bad("a chunk is missing"))??;
        let values = binary(&batch, chunk_column::VALUES)?;
        let times = if has_times { None } else { Some(binary(&batch, chunk_column::TIMES)?) };
        self.packed = Some(Packed { reader, values, times, row: 0 });
        Ok(())
    }
}

impl TimeColumns {
    /// The times of the first of some chunks, which are read together with those of the others.
    fn of(
        &mut self,
        file: &StoredFile,
        series: &BlockSeries,
        coming: &[Wanted],
    ) -> Result<&[i64], ParquetError> {
        let Some(wanted) = coming.first() else { return Ok(&[]) };
        if !self.known.contains_key(&wanted.times) {
            self.load(file, series, coming)?;
        }
        self.get(wanted.times, wanted.count as usize)
    }

    /// Reads the columns of some chunks that are not there yet.
    fn load(
        &mut self,
        file: &StoredFile,
        series: &BlockSeries,
        wanted: &[Wanted],
    ) -> Result<(), ParquetError> {
        if self.held > KEPT_TIMES {
            *self = Self::default();
        }
        let mut missing: Vec<u32> =
            wanted.iter().map(|it| it.times).filter(|row| !self.known.contains_key(row)).collect();
        missing.sort_unstable();
        missing.dedup();
        if missing.is_empty() {
            return Ok(());
        }
        let columns = [times_column::COUNT, times_column::TIMES];
        let selected = joined(missing.iter().map(|row| *row as usize..*row as usize + 1));
        let mut rows = missing.iter();
        for batch in series.times.read(file, Part::Times, &columns, &selected, BATCH)? {
            let batch = batch?;
            let counts = numbers::<UInt32Type>(&batch, times_column::COUNT)?;
            let packed = binary(&batch, times_column::TIMES)?;
            for (place, (count, row)) in counts.into_iter().zip(&mut rows).enumerate() {
                let mut times = Vec::new();
                chunk::times::unpack(packed.value(place), count as usize, &mut times).map_err(damaged)?;
                self.held += times.len();
                self.known.insert(*row, times);
            }
        }
        Ok(())
    }

    fn get(&self, row: u32, count: usize) -> Result<&[i64], ParquetError> {
        let times = self.known.get(&row).filter(|times| times.len() == count);
        times.map(Vec::as_slice).ok_or_else(|| damaged(BadChunk))
    }
}

/// Which chunks have no value that matters. NaN never does.
fn outside(batch: &RecordBatch, values: &RangeInclusive<f64>) -> Result<Vec<bool>, ParquetError> {
    let least = numbers::<Float64Type>(batch, chunk_column::MIN)?;
    let greatest = numbers::<Float64Type>(batch, chunk_column::MAX)?;
    let reaches = |(least, greatest): (&f64, &f64)| least <= values.end() && values.start() <= greatest;
    Ok(least.iter().zip(&greatest).map(|both| !reaches(both)).collect())
}

fn damaged(error: BadChunk) -> ParquetError {
    ParquetError::External(Box::new(error))
}

/// Cuts what was added from `start` on to the samples between two times.
fn trim(start: usize, (from, to): (i64, i64), times: &mut Vec<i64>, values: &mut Vec<f64>) {
    let end = start + times[start..].partition_point(|time| *time <= to);
    times.truncate(end);
    values.truncate(end);
    let first = start + times[start..].partition_point(|time| *time < from);
    times.drain(start..first);
    values.drain(start..first);
}
