//! The series of a block in order, each read once, of which no more is in memory than what is read at a time.
//!
//! Whoever goes over everything reads blocks so: merging, rolling up, archiving, exporting. A query reads what the
//! index of a block says.

use std::sync::Arc;

use arrow::datatypes::UInt32Type;
use model::{Labels, LabelsRef};
use parquet::arrow::arrow_reader::ParquetRecordBatchReader;
use parquet::errors::ParquetError;
use store::{Matcher, SeriesBuffer};

use crate::block::chunk::BadChunk;
use crate::block::columns::{Columns, HeldColumns};
use crate::block::packed::{BATCH, PackedRows};
use crate::block::places::{Place, Places};
use crate::block::read::trim;
use crate::block::rows::{Opened, PartRows, joined};
use crate::block::series::PAGE_SERIES;
use crate::block::{bad, binary, damaged, numbers, series_column};
use crate::catalog::Part;
use crate::files::StoredFile;

/// The series of a block, one after the other.
pub(crate) struct BlockStream {
    file: Arc<StoredFile>,
    matchers: Vec<Matcher>,
    range_ms: (i64, i64),
    series: ParquetRecordBatchReader,
    chunks: Opened,
    places: Places,
    times: Columns,
    held: HeldColumns,
    /// The first row of the chunks of the series that are read next.
    next_row: usize,
    batch: Batch,
    /// The labels of the next series; none at the end.
    labels: Option<Labels>,
}

/// Some series that were read together.
#[derive(Default)]
struct Batch {
    /// Of those that match, the labels.
    labels: Vec<Labels>,
    next: usize,
    /// Their chunks that are wanted: where those of each series end in `wanted`.
    ends: Vec<usize>,
    wanted: Vec<Place>,
    packed: Option<PackedRows>,
}

impl BlockStream {
    /// Begins to read the samples between two times of the series for which all matchers hold. Of times that series
    /// share, so many are held.
    pub(crate) fn open(
        file: &Arc<StoredFile>,
        matchers: &[Matcher],
        range_ms: (i64, i64),
        max_times: usize,
    ) -> Result<Self, ParquetError> {
        let columns = [series_column::LABELS, series_column::CHUNKS];
        let series = PartRows::default().read_all(file, Part::Series, &columns, PAGE_SERIES)?;
        let mut stream = Self {
            file: Arc::clone(file),
            matchers: matchers.to_vec(),
            range_ms,
            series,
            chunks: Opened::default(),
            places: Places::new(0),
            times: Columns::default(),
            held: HeldColumns::within(max_times, false),
            next_row: 0,
            batch: Batch::default(),
            labels: None,
        };
        stream.advance()?;
        Ok(stream)
    }

    /// The labels of the next series; none at the end.
    pub(crate) fn labels(&self) -> Option<&Labels> {
        self.labels.as_ref()
    }

    /// Gives up what is left.
    pub(crate) fn end(&mut self) {
        self.labels = None;
    }

    /// Takes the next series, and adds its samples between two times.
    pub(crate) fn read(&mut self, range_ms: (i64, i64), into: &mut SeriesBuffer) -> Result<(), ParquetError> {
        let batch = &mut self.batch;
        let place = batch.next - 1;
        let first = if place == 0 { 0 } else { batch.ends[place - 1] };
        for at in first..batch.ends[place] {
            let Place { count, times: row, .. } = batch.wanted[at];
            let start = into.times_ms.len();
            if self.file.has(Part::Times) {
                let coming = batch.wanted[at..].iter().take(BATCH).map(|place| place.times);
                let times = self.held.of(&self.file, &self.times, (row, count), coming)?;
                _ = times.add_to(0..times.len(), &mut into.times_ms);
            }
            let packed = batch.packed.as_mut().ok_or_else(|| bad("a chunk is missing"))?;
            packed.unpack_next(count as usize, into)?;
            if into.values.len() != into.times_ms.len() {
                return Err(damaged(BadChunk));
            }
            trim(start, range_ms, into);
        }
        self.advance()
    }

    /// Goes on to the next series.
    fn advance(&mut self) -> Result<(), ParquetError> {
        self.labels = None;
        while self.batch.next == self.batch.labels.len() {
            if !self.next_batch()? {
                return Ok(());
            }
        }
        self.labels = self.batch.labels.get(self.batch.next).cloned();
        self.batch.next += 1;
        Ok(())
    }

    /// Reads some more series, and where the chunks are of those that match; `false` at the end.
    fn next_batch(&mut self) -> Result<bool, ParquetError> {
        let Some(rows) = self.series.next() else { return self.check_end().map(|()| false) };
        let rows = rows?;
        let encoded = binary(&rows, series_column::LABELS)?;
        let chunks = numbers::<UInt32Type>(&rows, series_column::CHUNKS)?;
        let (mut labels, mut of_series) = (Vec::new(), Vec::new());
        for (encoded, chunks) in encoded.iter().zip(chunks) {
            let rows = self.next_row..self.next_row + chunks as usize;
            self.next_row = rows.end;
            let read = LabelsRef::from_encoded(encoded.unwrap_or_default());
            let read = read.map_err(|error| ParquetError::External(Box::new(error)))?;
            if self.matchers.iter().all(|matcher| matcher.matches(read)) {
                labels.push(read.to_owned());
                of_series.push(rows);
            }
        }
        let (mut wanted, mut wanted_rows) = (Vec::new(), Vec::new());
        let selected = joined(of_series.iter().cloned());
        if !selected.is_empty() {
            let range_ms = self.range_ms;
            self.places.each(&self.file, &mut self.chunks, &selected, None, |row, place, _| {
                if place.overlaps(range_ms) {
                    wanted.push(place);
                    wanted_rows.push(row as usize);
                }
            })?;
        }
        let ends = of_series.iter().map(|rows| wanted_rows.partition_point(|row| *row < rows.end)).collect();
        let selected = joined(wanted_rows.iter().map(|row| *row..*row + 1));
        let packed = match selected.is_empty() {
            true => None,
            false => Some(PackedRows::open(&self.file, &mut self.chunks, &self.places, &selected)?),
        };
        self.batch = Batch { labels, next: 0, ends, wanted, packed };
        Ok(true)
    }

    fn check_end(&self) -> Result<(), ParquetError> {
        match self.places.rows().total().is_none_or(|total| total == self.next_row) {
            true => Ok(()),
            false => Err(bad("the number of chunks is not the one that the series have")),
        }
    }
}
