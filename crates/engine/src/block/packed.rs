//! The packed columns of chunks, row after row.

use std::ops::Range;

use arrow::array::{Array, BinaryArray};
use parquet::arrow::arrow_reader::ParquetRecordBatchReader;
use parquet::errors::ParquetError;
use store::SeriesBuffer;

use crate::block::chunk::BadChunk;
use crate::block::places::Places;
use crate::block::rows::Opened;
use crate::block::times::Times;
use crate::block::{bad, binary, chunk, chunk_column, damaged};
use crate::catalog::Part;
use crate::files::StoredFile;

/// Chunks that are decoded at a time.
pub(super) const BATCH: usize = 256;

/// Some rows of the file of chunks.
pub(super) struct PackedRows {
    reader: ParquetRecordBatchReader,
    batch: Option<Batch>,
    has_times: bool,
}

struct Batch {
    values: BinaryArray,
    /// In blocks of the first version, which have no file of times.
    times: Option<BinaryArray>,
    next: usize,
}

impl PackedRows {
    /// Those at some rows, ascending.
    pub(super) fn open(
        file: &StoredFile,
        opened: &mut Opened,
        places: &Places,
        rows: &[Range<usize>],
    ) -> Result<Self, ParquetError> {
        let has_times = !file.has(Part::Times);
        let mut columns = vec![chunk_column::VALUES];
        columns.extend(has_times.then_some(chunk_column::TIMES));
        let reader = places.rows().read_of(opened, file, Part::Chunks, &columns, rows, BATCH)?;
        Ok(Self { reader, batch: None, has_times })
    }

    /// Adds the values of the next row, which has `count` of them and whose times are there already, unless they lie
    /// beside the values; then these are added too.
    pub(super) fn unpack_next(&mut self, count: usize, into: &mut SeriesBuffer) -> Result<(), ParquetError> {
        let (packed, own_times) = self.next_row()?;
        if let Some(own) = own_times {
            chunk::times::unpack(own, count, &mut into.times_ms).map_err(damaged)?;
        }
        let times = into.times_ms.get(into.values.len()..).unwrap_or_default();
        let time_ms = |place: usize| times.get(place).copied();
        let packed =
            chunk::starts::unpack(packed, times.len(), time_ms, &mut into.starts).map_err(damaged)?;
        chunk::histograms::unpack(packed, count, 0..count, &mut into.values, &mut into.histograms)
            .map_err(damaged)
    }

    /// The packed values of the next row, and its times where they are beside the values.
    pub(super) fn next_row(&mut self) -> Result<(&[u8], Option<&[u8]>), ParquetError> {
        if self.batch.as_ref().is_none_or(|batch| batch.next == batch.values.len()) {
            let rows = self.reader.next().ok_or_else(|| bad("a chunk is missing"))??;
            let times = if self.has_times { Some(binary(&rows, chunk_column::TIMES)?) } else { None };
            self.batch = Some(Batch { values: binary(&rows, chunk_column::VALUES)?, times, next: 0 });
        }
        let batch = self.batch.as_mut().filter(|batch| batch.next < batch.values.len());
        let batch = batch.ok_or_else(|| bad("a chunk is missing"))?;
        let row = batch.next;
        batch.next += 1;
        Ok((batch.values.value(row), batch.times.as_ref().map(|own| own.value(row))))
    }
}

/// Adds those samples of a chunk, of which the times are given, that lie at some places.
pub(super) fn unpack(
    packed: &[u8],
    times: &Times,
    places: Range<usize>,
    into: &mut SeriesBuffer,
) -> Result<(), ParquetError> {
    times.add_to(places.clone(), &mut into.times_ms).ok_or_else(|| damaged(BadChunk))?;
    let packed = chunk::starts::unpack(packed, times.len(), |place| times.at(place), &mut into.starts)
        .map_err(damaged)?;
    chunk::histograms::unpack(packed, times.len(), places, &mut into.values, &mut into.histograms)
        .map_err(damaged)
}
