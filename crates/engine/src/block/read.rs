//! Reading the chunks of some series of a block.

use std::collections::HashMap;
use std::sync::Arc;

use arrow::array::BinaryArray;
use arrow::datatypes::{Int64Type, UInt32Type};
use parquet::arrow::arrow_reader::ParquetRecordBatchReader;
use parquet::errors::ParquetError;

use crate::block::chunk::{self, BadChunk};
use crate::block::rows::joined;
use crate::block::series::BlockSeries;
use crate::block::{bad, binary, chunk_column, numbers, times_column};
use crate::catalog::Part;
use crate::files::StoredFile;

/// Chunks that are decoded at a time.
const BATCH: usize = 256;
/// Times that are kept for further chunks of a query, eight bytes each.
const KEPT_TIMES: usize = 4 << 20;

/// The chunks of some series of a block, in order, each read once.
pub(crate) struct ChunkReader {
    file: Arc<StoredFile>,
    reader: ParquetRecordBatchReader,
    batch: Option<Batch>,
    row: usize,
    columns: TimeColumns,
}

struct Batch {
    first: Vec<i64>,
    last: Vec<i64>,
    count: Vec<u32>,
    times: Times,
    values: BinaryArray,
}

enum Times {
    /// Rows of the file of times.
    Shared(Vec<u32>),
    /// In blocks of the first version, the times themselves.
    Own(BinaryArray),
}

/// Columns of times, decoded once for all chunks of a query that share them.
#[derive(Default)]
struct TimeColumns {
    known: HashMap<u32, Arc<Vec<i64>>>,
    held: usize,
}

impl ChunkReader {
    /// Opens the chunks of `ids`, which are ascending.
    pub(crate) fn open(
        file: &Arc<StoredFile>,
        series: &BlockSeries,
        ids: &[u32],
    ) -> Result<Self, ParquetError> {
        let columns = [
            chunk_column::FIRST,
            chunk_column::LAST,
            chunk_column::COUNT,
            chunk_column::TIMES,
            chunk_column::VALUES,
        ];
        let ranges = joined(ids.iter().map(|id| series.rows(*id)));
        let reader = series.chunks.read(file, Part::Chunks, &columns, &ranges, BATCH)?;
        if series.chunks.total() != Some(series.chunk_count()) {
            return Err(bad("the number of chunks is not the one that the series have"));
        }
        let (file, columns) = (Arc::clone(file), TimeColumns::default());
        Ok(Self { file, reader, batch: None, row: 0, columns })
    }

    /// Takes the chunks of the next of the series, and adds its samples between two times.
    pub(crate) fn next_series(
        &mut self,
        series: &BlockSeries,
        id: u32,
        range_ms: (i64, i64),
        times: &mut Vec<i64>,
        values: &mut Vec<f64>,
    ) -> Result<(), ParquetError> {
        for _ in series.rows(id) {
            let row = self.next_row(series)?;
            let batch = self.batch.as_ref().ok_or_else(|| bad("a chunk is missing"))?;
            if batch.first[row] > range_ms.1 || batch.last[row] < range_ms.0 {
                continue;
            }
            let count = batch.count[row] as usize;
            let (start, values_start) = (times.len(), values.len());
            match &batch.times {
                Times::Own(own) => chunk::times::unpack(own.value(row), count, times).map_err(damaged)?,
                Times::Shared(rows) => times.extend_from_slice(self.columns.get(rows[row], count)?),
            }
            chunk::values::unpack(batch.values.value(row), count, values).map_err(damaged)?;
            if values.len() - values_start != times.len() - start {
                return Err(damaged(BadChunk));
            }
            trim(start, range_ms, times, values);
        }
        Ok(())
    }

    fn next_row(&mut self, series: &BlockSeries) -> Result<usize, ParquetError> {
        let is_done = self.batch.as_ref().is_none_or(|batch| self.row == batch.count.len());
        if is_done {
            let batch = self.reader.next().ok_or_else(|| bad("a chunk is missing"))??;
            let times = if self.file.has(Part::Times) {
                let rows = numbers::<UInt32Type>(&batch, chunk_column::TIMES)?;
                self.columns.load(&self.file, series, &rows)?;
                Times::Shared(rows)
            } else {
                Times::Own(binary(&batch, chunk_column::TIMES)?)
            };
            self.batch = Some(Batch {
                first: numbers::<Int64Type>(&batch, chunk_column::FIRST)?,
                last: numbers::<Int64Type>(&batch, chunk_column::LAST)?,
                count: numbers::<UInt32Type>(&batch, chunk_column::COUNT)?,
                times,
                values: binary(&batch, chunk_column::VALUES)?,
            });
            self.row = 0;
        }
        self.row += 1;
        Ok(self.row - 1)
    }
}

impl TimeColumns {
    /// Reads the columns in some rows of the file of times that are not there yet.
    fn load(&mut self, file: &StoredFile, series: &BlockSeries, rows: &[u32]) -> Result<(), ParquetError> {
        let mut missing: Vec<u32> = rows.to_vec();
        missing.sort_unstable();
        missing.dedup();
        if self.held > KEPT_TIMES {
            *self = Self::default();
        }
        missing.retain(|row| !self.known.contains_key(row));
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
                self.known.insert(*row, Arc::new(times));
            }
        }
        Ok(())
    }

    fn get(&self, row: u32, count: usize) -> Result<&[i64], ParquetError> {
        let times = self.known.get(&row).filter(|times| times.len() == count);
        times.map(|times| times.as_slice()).ok_or_else(|| damaged(BadChunk))
    }
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
