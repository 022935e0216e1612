//! The series of a block: what is kept of them for the next query, and what is read when it is asked for.

use std::ops::Range;
use std::sync::{Arc, OnceLock};

use arrow::array::{Array, BinaryArray, RecordBatch};
use arrow::datatypes::{Int64Type, UInt32Type};
use model::LabelsRef;
use parquet::errors::ParquetError;
use store::Matcher;

use crate::block::columns::Columns;
use crate::block::held::{Budget, Held, Total};
use crate::block::index::{IndexReader, StoredIndex};
use crate::block::places::Places;
use crate::block::recent::RecentValues;
use crate::block::rows::{PartRows, joined};
use crate::block::{bad, binary, numbers, series_column};
use crate::cache::Cache;
use crate::catalog::Part;
use crate::files::StoredFile;
use crate::index::{self, LabelIndex};
use crate::query::ReadError;

/// Series whose labels are read together; as many as a page of the file holds.
pub(crate) const PAGE_SERIES: usize = 1024;
/// Rows that are decoded at a time.
const BATCH: usize = 8192;

/// The series of a block, numbered in ascending order of labels' bytes.
pub(crate) struct BlockSeries {
    count: u32,
    pages: Vec<OnceLock<SeriesPage>>,
    /// The first row of the chunks of each page, and the end of the last.
    starts: Vec<u32>,
    index: Index,
    series: PartRows,
    pub(super) places: Places,
    pub(super) times: Columns,
    pub(super) recent: RecentValues,
    /// What of all this is counted with what other blocks hold.
    held: Held,
}

/// Some neighbouring series.
struct SeriesPage {
    labels: Vec<u8>,
    /// Where the labels of each series end.
    label_ends: Vec<u32>,
    /// The first row of their chunks, and where the rows of each series end.
    first_row: u32,
    row_ends: Vec<u32>,
    /// The times of the first and the last sample of each series, in milliseconds.
    ranges: Vec<(i64, i64)>,
}

enum Index {
    Stored(StoredIndex),
    /// Of a block of the first version, which has none, made from its labels.
    Made(LabelIndex),
}

impl BlockSeries {
    /// The series of a block, from the cache or from its file. What is read of it counts into `total`.
    pub(crate) fn load(
        file: &StoredFile,
        cache: &Cache<Arc<Self>>,
        total: &Arc<Total>,
    ) -> Result<Arc<Self>, ReadError> {
        if let Some(series) = cache.get(file.entry.id) {
            return Ok(series);
        }
        let series = Arc::new(Self::read(file, total)?);
        let bytes = series.bytes();
        series.held.measured(bytes);
        cache.put(file.entry.id, Arc::clone(&series), bytes);
        Ok(series)
    }

    fn read(file: &StoredFile, total: &Arc<Total>) -> Result<Self, ReadError> {
        let series = PartRows::default();
        let (mut starts, mut count, mut end) = (Vec::new(), 0usize, 0u32);
        for batch in series.read_all(file, Part::Series, &[series_column::CHUNKS], BATCH)? {
            let batch = batch.map_err(ParquetError::from)?;
            for chunks in numbers::<UInt32Type>(&batch, series_column::CHUNKS)? {
                if count.is_multiple_of(PAGE_SERIES) {
                    starts.push(end);
                }
                end = end.checked_add(chunks).ok_or_else(|| bad("too many chunks"))?;
                count += 1;
            }
        }
        starts.push(end);
        let count = u32::try_from(count).map_err(|_| bad("too many series"))?;
        let mut pages = Vec::new();
        pages.resize_with(starts.len() - 1, OnceLock::new);
        let is_indexed = file.has(Part::Index);
        let index = if is_indexed {
            Index::Stored(StoredIndex::open(file)?)
        } else {
            Index::Made(LabelIndex::default())
        };
        let (places, times, recent) = (Places::new(pages.len()), Columns::default(), RecentValues::default());
        let held = Held::of(total);
        let mut read = Self { count, pages, starts, index, series, places, times, recent, held };
        if !is_indexed {
            read.read_pages(file, 0..count, &mut Budget::of_all())?;
            let mut made = LabelIndex::default();
            (0..count).for_each(|id| made.push(read.labels(id)));
            read.index = Index::Made(made);
        }
        Ok(read)
    }

    /// Memory of what has been read so far.
    pub(crate) fn bytes(&self) -> usize {
        let pages: usize = self.pages.iter().filter_map(OnceLock::get).map(SeriesPage::bytes).sum();
        let index = match &self.index {
            Index::Stored(index) => index.bytes(),
            Index::Made(index) => index.bytes(),
        };
        let parts = self.series.bytes() + self.places.bytes() + self.times.bytes() + self.recent.bytes();
        pages + index + parts + self.pages.len() * size_of::<(OnceLock<SeriesPage>, u32)>()
    }

    /// The series for which all matchers hold and which may have samples between two times, ascending.
    /// Their labels are there from now on. What of the labels and the index is used for that is taken from a
    /// budget; what was read is kept within the cache's bound.
    pub(crate) fn select(
        self: &Arc<Self>,
        file: &StoredFile,
        cache: &Cache<Arc<Self>>,
        matchers: &[Matcher],
        range_ms: (i64, i64),
        budget: &mut Budget,
    ) -> Result<Vec<u32>, ReadError> {
        let found = self.find(file, matchers, range_ms, budget);
        self.count_in(file, cache);
        found
    }

    fn find(
        &self,
        file: &StoredFile,
        matchers: &[Matcher],
        (start, end): (i64, i64),
        budget: &mut Budget,
    ) -> Result<Vec<u32>, ReadError> {
        let found = match &self.index {
            Index::Stored(stored) => {
                let mut reader = IndexReader::new(stored, file, &self.held, budget);
                index::select(matchers, self.count, |matcher, holds| reader.with_value(matcher, holds))?
            }
            Index::Made(made) => {
                budget.take(made.bytes())?;
                made.select(matchers)
            }
        };
        self.read_pages(file, found.iter(), budget)?;
        let overlaps = |id: &u32| {
            self.page_of(*id).is_some_and(|(page, place)| {
                page.ranges.get(place).is_some_and(|(first, last)| *first <= end && start <= *last)
            })
        };
        let ids: Vec<u32> = found.into_iter().filter(overlaps).collect();
        budget.take(ids.capacity() * size_of::<u32>())?;
        Ok(ids)
    }

    /// Counts what queries have read since that was done last, into what all of them hold and into the cache.
    pub(crate) fn count_in(self: &Arc<Self>, file: &StoredFile, cache: &Cache<Arc<Self>>) {
        let bytes = self.bytes();
        self.held.measured(bytes);
        // Of a file that is gone nothing is kept.
        if !file.is_dropped() && !file.is_quarantined() && cache.bytes_of(file.entry.id) != Some(bytes) {
            cache.put(file.entry.id, Arc::clone(self), bytes);
        }
    }

    /// Gives the names of all labels to `take`.
    pub(crate) fn each_name(&self, take: impl FnMut(&str)) {
        match &self.index {
            Index::Stored(index) => index.names().for_each(take),
            Index::Made(index) => index.names().for_each(take),
        }
    }

    /// Gives the values of one label, which are taken from a budget, to `take`. What was read for that is kept within
    /// the cache's bound.
    pub(crate) fn each_value(
        self: &Arc<Self>,
        file: &StoredFile,
        cache: &Cache<Arc<Self>>,
        name: &str,
        budget: &mut Budget,
        mut take: impl FnMut(&str),
    ) -> Result<(), ReadError> {
        let read = match &self.index {
            Index::Stored(index) => IndexReader::new(index, file, &self.held, budget)
                .values(name)
                .map(|values| values.texts.iter().for_each(|value| take(value))),
            Index::Made(index) => {
                index.values(name).for_each(take);
                Ok(())
            }
        };
        self.count_in(file, cache);
        read
    }

    /// Reads the pages of some series, ascending, that are not there yet. All of them are taken from a budget; those
    /// that do not fit are not read.
    fn read_pages(
        &self,
        file: &StoredFile,
        ids: impl Iterator<Item = u32>,
        budget: &mut Budget,
    ) -> Result<(), ReadError> {
        let mut missing: Vec<usize> = ids.map(|id| id as usize / PAGE_SERIES).collect();
        missing.dedup();
        let mut known = 0;
        missing.retain(|page| match self.pages.get(*page).map(OnceLock::get) {
            Some(Some(read)) => {
                known += read.bytes();
                false
            }
            Some(None) => true,
            None => false,
        });
        budget.take(known)?;
        if missing.is_empty() {
            return Ok(());
        }
        let rows_of = |page: usize| page * PAGE_SERIES..(self.count as usize).min((page + 1) * PAGE_SERIES);
        let wanted = joined(missing.iter().map(|page| rows_of(*page)));
        let columns =
            [series_column::LABELS, series_column::CHUNKS, series_column::FIRST, series_column::LAST];
        let mut reader = self.series.read(file, Part::Series, &columns, &wanted, PAGE_SERIES)?;
        let mut batch: Option<(Rows, usize)> = None;
        for page in missing {
            let mut read = SeriesPage::at(self.starts[page]);
            for _ in rows_of(page) {
                let (rows, row) = match batch.take().filter(|(rows, row)| *row < rows.labels.len()) {
                    Some(there) => there,
                    None => {
                        let rows = reader.next().ok_or_else(|| bad("a series is missing"))?;
                        (Rows::of(&rows.map_err(ParquetError::from)?)?, 0)
                    }
                };
                read.push(&rows, row)?;
                batch = Some((rows, row + 1));
            }
            if read.row_ends.last() != self.starts.get(page + 1) {
                return Err(bad("the number of chunks is not the one that was read before").into());
            }
            read.labels.shrink_to_fit();
            budget.read(read.bytes(), &self.held)?;
            // Another query may have read the same page meanwhile.
            _ = self.pages[page].set(read);
        }
        Ok(())
    }

    fn page_of(&self, id: u32) -> Option<(&SeriesPage, usize)> {
        let (page, place) = (id as usize / PAGE_SERIES, id as usize % PAGE_SERIES);
        Some((self.pages.get(page)?.get()?, place))
    }

    /// The labels of a series that a selection has given.
    pub(crate) fn labels(&self, id: u32) -> LabelsRef<'_> {
        let bytes = self.page_of(id).and_then(|(page, place)| page.labels(place));
        LabelsRef::from_canonical(bytes.unwrap_or_default())
    }

    /// The rows of the chunks of a series that a selection has given.
    pub(super) fn rows(&self, id: u32) -> Range<usize> {
        self.page_of(id).map_or(0..0, |(page, place)| page.rows(place))
    }

    /// The first row of the chunks of each page of series, and the end of the last.
    pub(super) fn starts(&self) -> &[u32] {
        &self.starts
    }
}

/// Rows of the file of series.
struct Rows {
    labels: BinaryArray,
    chunks: Vec<u32>,
    first: Vec<i64>,
    last: Vec<i64>,
}

impl Rows {
    fn of(batch: &RecordBatch) -> Result<Self, ParquetError> {
        Ok(Self {
            labels: binary(batch, series_column::LABELS)?,
            chunks: numbers::<UInt32Type>(batch, series_column::CHUNKS)?,
            first: numbers::<Int64Type>(batch, series_column::FIRST)?,
            last: numbers::<Int64Type>(batch, series_column::LAST)?,
        })
    }
}

impl SeriesPage {
    /// One whose chunks begin at a row.
    fn at(first_row: u32) -> Self {
        let (label_ends, row_ends, ranges) = (Vec::new(), Vec::new(), Vec::new());
        Self { labels: Vec::new(), label_ends, first_row, row_ends, ranges }
    }

    fn push(&mut self, rows: &Rows, row: usize) -> Result<(), ParquetError> {
        let bytes = rows.labels.value(row);
        LabelsRef::from_encoded(bytes).map_err(|error| ParquetError::External(Box::new(error)))?;
        self.labels.extend_from_slice(bytes);
        self.label_ends.push(u32::try_from(self.labels.len()).map_err(|_| bad("labels are too long"))?);
        let end = self.row_ends.last().unwrap_or(&self.first_row).checked_add(rows.chunks[row]);
        self.row_ends.push(end.ok_or_else(|| bad("too many chunks"))?);
        self.ranges.push((rows.first[row], rows.last[row]));
        Ok(())
    }

    fn labels(&self, place: usize) -> Option<&[u8]> {
        let start = if place == 0 { 0 } else { *self.label_ends.get(place - 1)? };
        self.labels.get(start as usize..*self.label_ends.get(place)? as usize)
    }

    fn rows(&self, place: usize) -> Range<usize> {
        let start = if place == 0 { self.first_row } else { self.row_ends[place - 1] };
        start as usize..self.row_ends[place] as usize
    }

    fn bytes(&self) -> usize {
        self.labels.capacity() + self.ranges.capacity() * size_of::<(u32, u32, i64, i64)>()
    }
}
