//! Reading a block: its series, which are kept for the next query, and the chunks of some of them.

use std::ops::Range;
use std::sync::Arc;

use arrow::array::{AsArray, BinaryArray, RecordBatch};
use arrow::datatypes::{ArrowPrimitiveType, Int64Type, UInt32Type};
use model::LabelsRef;
use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{
    ArrowReaderOptions, ParquetRecordBatchReader, ParquetRecordBatchReaderBuilder, RowSelection,
};
use parquet::errors::ParquetError;
use parquet::file::metadata::PageIndexPolicy;

use crate::block::{chunk, chunk_column, series_column};
use crate::cache::Cache;
use crate::catalog::Part;
use crate::files::StoredFile;
use crate::index::LabelIndex;

/// Series that are decoded at a time.
const SERIES_BATCH: usize = 4096;
/// Chunks that are decoded at a time.
const CHUNK_BATCH: usize = 64;

/// The series of a block, numbered in ascending order of labels' bytes.
pub(crate) struct BlockSeries {
    labels: Vec<u8>,
    /// Where the labels of each series end.
    ends: Vec<usize>,
    /// The first row of the chunks of each series, and the end of the last.
    rows: Vec<u32>,
    /// The times of the first and the last sample of each series, in milliseconds.
    ranges: Vec<(i64, i64)>,
    pub(crate) index: LabelIndex,
}

impl BlockSeries {
    /// The series of a block, from the cache or from its file.
    pub(crate) fn load(file: &StoredFile, cache: &Cache<Arc<Self>>) -> Result<Arc<Self>, ParquetError> {
        if let Some(series) = cache.get(file.entry.id) {
            return Ok(series);
        }
        let series = Arc::new(Self::read(file)?);
        cache.put(file.entry.id, Arc::clone(&series), series.bytes());
        Ok(series)
    }

    fn read(file: &StoredFile) -> Result<Self, ParquetError> {
        let builder = ParquetRecordBatchReaderBuilder::try_new(file.open(Part::Series)?)?;
        let mut all = Self {
            labels: Vec::new(),
            ends: Vec::new(),
            rows: vec![0],
            ranges: Vec::new(),
            index: LabelIndex::default(),
        };
        for batch in builder.with_batch_size(SERIES_BATCH).build()? {
            let batch = batch?;
            let chunks = numbers::<UInt32Type>(&batch, series_column::CHUNKS)?;
            let first = numbers::<Int64Type>(&batch, series_column::FIRST)?;
            let last = numbers::<Int64Type>(&batch, series_column::LAST)?;
            let labels = binary(&batch, series_column::LABELS)?;
            for row in 0..batch.num_rows() {
                let labels = labels.value(row);
                let checked = LabelsRef::from_encoded(labels);
                let checked = checked.map_err(|error| ParquetError::External(Box::new(error)))?;
                all.labels.extend_from_slice(labels);
                all.ends.push(all.labels.len());
                all.ranges.push((first[row], last[row]));
                let end = all.rows[all.rows.len() - 1].checked_add(chunks[row]);
                all.rows.push(end.ok_or_else(|| bad("too many chunks"))?);
                all.index.push(checked);
            }
        }
        Ok(all)
    }

    fn bytes(&self) -> usize {
        self.labels.capacity()
            + self.ends.capacity() * size_of::<(usize, u32, i64, i64)>()
            + self.index.bytes()
    }

    /// The labels of a series.
    pub(crate) fn labels(&self, id: u32) -> LabelsRef<'_> {
        let id = id as usize;
        let start = if id == 0 { 0 } else { self.ends[id - 1] };
        LabelsRef::from_canonical(&self.labels[start..self.ends[id]])
    }

    /// Whether a series has a first sample before the end and a last one after the start.
    pub(crate) fn overlaps(&self, id: u32, (start, end): (i64, i64)) -> bool {
        let (first, last) = self.ranges[id as usize];
        first <= end && start <= last
    }

    /// The rows of the chunks of a series.
    fn rows(&self, id: u32) -> Range<usize> {
        self.rows[id as usize] as usize..self.rows[id as usize + 1] as usize
    }
}

/// The chunks of some series of a block, in order, each read once.
pub(crate) struct ChunkReader {
    reader: ParquetRecordBatchReader,
    batch: Option<Batch>,
    row: usize,
}

struct Batch {
    first: Vec<i64>,
    last: Vec<i64>,
    count: Vec<u32>,
    times: BinaryArray,
    values: BinaryArray,
}

impl ChunkReader {
    /// Opens the chunks of `ids`, which are ascending.
    pub(crate) fn open(file: &StoredFile, series: &BlockSeries, ids: &[u32]) -> Result<Self, ParquetError> {
        let options = ArrowReaderOptions::new().with_page_index_policy(PageIndexPolicy::Optional);
        let builder =
            ParquetRecordBatchReaderBuilder::try_new_with_options(file.open(Part::Chunks)?, options)?;
        let total = usize::try_from(builder.metadata().file_metadata().num_rows()).unwrap_or(0);
        if total != series.rows[series.rows.len() - 1] as usize {
            return Err(bad("the number of chunks is not the one that the series have"));
        }
        let columns = [
            chunk_column::FIRST,
            chunk_column::LAST,
            chunk_column::COUNT,
            chunk_column::TIMES,
            chunk_column::VALUES,
        ];
        let mask = ProjectionMask::columns(builder.parquet_schema(), columns);
        let ranges = joined(ids.iter().map(|id| series.rows(*id)));
        let reader = builder
            .with_projection(mask)
            .with_row_selection(RowSelection::from_consecutive_ranges(ranges.into_iter(), total))
            .with_batch_size(CHUNK_BATCH)
            .build()?;
        Ok(Self { reader, batch: None, row: 0 })
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
            let (batch, row) = self.next_row()?;
            if batch.first[row] > range_ms.1 || batch.last[row] < range_ms.0 {
                continue;
            }
            let count = batch.count[row] as usize;
            let start = times.len();
            let damaged = |error: chunk::BadChunk| ParquetError::External(Box::new(error));
            chunk::unpack_times(batch.times.value(row), count, times).map_err(damaged)?;
            chunk::unpack_values(batch.values.value(row), count, values).map_err(damaged)?;
            trim(start, range_ms, times, values);
        }
        Ok(())
    }

    fn next_row(&mut self) -> Result<(&Batch, usize), ParquetError> {
        let is_done = self.batch.as_ref().is_none_or(|batch| self.row == batch.count.len());
        if is_done {
            let batch = self.reader.next().ok_or_else(|| bad("a chunk is missing"))??;
            self.batch = Some(Batch {
                first: numbers::<Int64Type>(&batch, chunk_column::FIRST)?,
                last: numbers::<Int64Type>(&batch, chunk_column::LAST)?,
                count: numbers::<UInt32Type>(&batch, chunk_column::COUNT)?,
                times: binary(&batch, chunk_column::TIMES)?,
                values: binary(&batch, chunk_column::VALUES)?,
            });
            self.row = 0;
        }
        let row = self.row;
        self.row += 1;
        self.batch.as_ref().map(|batch| (batch, row)).ok_or_else(|| bad("a chunk is missing"))
    }
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

/// Neighbouring ranges as one, which keeps the selection of many series short.
fn joined(ranges: impl Iterator<Item = Range<usize>>) -> Vec<Range<usize>> {
    let mut all: Vec<Range<usize>> = Vec::new();
    for range in ranges {
        match all.last_mut() {
            Some(last) if last.end == range.start => last.end = range.end,
            _ => all.push(range),
        }
    }
    all
}

fn bad(what: &str) -> ParquetError {
    ParquetError::General(what.to_owned())
}

fn numbers<T: ArrowPrimitiveType>(batch: &RecordBatch, column: &str) -> Result<Vec<T::Native>, ParquetError> {
    let array = batch.column_by_name(column).and_then(|array| array.as_primitive_opt::<T>());
    array.map(|array| array.values().to_vec()).ok_or_else(|| bad("a column is missing or of another type"))
}

fn binary(batch: &RecordBatch, column: &str) -> Result<BinaryArray, ParquetError> {
    let array = batch.column_by_name(column).and_then(|array| array.as_binary_opt::<i32>());
    array.cloned().ok_or_else(|| bad("a column is missing or of another type"))
}
