//! The series of a block: what is kept of them for the next query, and what is read when it is asked for.

use std::ops::Range;
use std::sync::{Arc, OnceLock};

use arrow::array::{Array, BinaryArray};
use arrow::datatypes::{Int64Type, UInt32Type};
use model::LabelsRef;
use parquet::errors::ParquetError;
use store::Matcher;

use crate::block::index::StoredIndex;
use crate::block::rows::{PartRows, joined};
use crate::block::{bad, binary, numbers, series_column};
use crate::cache::Cache;
use crate::catalog::Part;
use crate::files::StoredFile;
use crate::index::{self, LabelIndex};

/// Series whose labels are read together; as many as a page of the file holds.
pub(crate) const PAGE_SERIES: usize = 1024;
/// Rows that are decoded at a time.
const BATCH: usize = 8192;

/// The series of a block, numbered in ascending order of labels' bytes.
pub(crate) struct BlockSeries {
    /// The first row of the chunks of each series, and the end of the last.
    rows: Vec<u32>,
    /// The times of the first and the last sample of each series, in milliseconds.
    ranges: Vec<(i64, i64)>,
    labels: Vec<OnceLock<LabelPage>>,
    index: Index,
    series: PartRows,
    pub(super) chunks: PartRows,
    pub(super) times: PartRows,
}

/// The labels of some neighbouring series.
struct LabelPage {
    labels: Vec<u8>,
    /// Where the labels of each series end.
    ends: Vec<u32>,
}

enum Index {
    Stored(StoredIndex),
    /// Of a block of the first version, which has none, made from its labels.
    Made(LabelIndex),
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
        let series = PartRows::default();
        let (mut rows, mut ranges) = (vec![0u32], Vec::new());
        let columns = [series_column::CHUNKS, series_column::FIRST, series_column::LAST];
        for batch in series.read_all(file, Part::Series, &columns, BATCH)? {
            let batch = batch?;
            let chunks = numbers::<UInt32Type>(&batch, series_column::CHUNKS)?;
            let first = numbers::<Int64Type>(&batch, series_column::FIRST)?;
            let last = numbers::<Int64Type>(&batch, series_column::LAST)?;
            let mut end = rows[rows.len() - 1];
            for chunks in chunks {
                end = end.checked_add(chunks).ok_or_else(|| bad("too many chunks"))?;
                rows.push(end);
            }
            ranges.extend(first.into_iter().zip(last));
        }
        let mut labels = Vec::new();
        labels.resize_with(ranges.len().div_ceil(PAGE_SERIES), OnceLock::new);
        let is_indexed = file.has(Part::Index);
        let index = if is_indexed {
            Index::Stored(StoredIndex::open(file)?)
        } else {
            Index::Made(LabelIndex::default())
        };
        let (chunks, times) = (PartRows::default(), PartRows::default());
        let mut read = Self { rows, ranges, labels, index, series, chunks, times };
        if !is_indexed {
            read.load_labels(file, 0..read.len())?;
            let mut made = LabelIndex::default();
            (0..read.len()).for_each(|id| made.push(read.labels(id)));
            read.index = Index::Made(made);
        }
        Ok(read)
    }

    fn len(&self) -> u32 {
        self.ranges.len() as u32
    }

    /// Memory of what has been read so far.
    pub(crate) fn bytes(&self) -> usize {
        let labels: usize = self.labels.iter().filter_map(OnceLock::get).map(LabelPage::bytes).sum();
        let index = match &self.index {
            Index::Stored(index) => index.bytes(),
            Index::Made(index) => index.bytes(),
        };
        let footers = self.series.bytes() + self.chunks.bytes() + self.times.bytes();
        labels + index + footers + self.ranges.len() * size_of::<(u32, i64, i64)>()
    }

    /// The series for which all matchers hold and which may have samples between two times, ascending.
    /// Their labels are there from now on. What was read for that is kept within the cache's bound.
    pub(crate) fn select(
        self: &Arc<Self>,
        file: &StoredFile,
        cache: &Cache<Arc<Self>>,
        matchers: &[Matcher],
        (start, end): (i64, i64),
    ) -> Result<Vec<u32>, ParquetError> {
        let before = self.bytes();
        let found = match &self.index {
            Index::Stored(stored) => {
                index::select(matchers, self.len(), |matcher, holds| stored.with_value(file, matcher, holds))?
            }
            Index::Made(made) => made.select(matchers),
        };
        let overlaps = |id: &u32| {
            self.ranges.get(*id as usize).is_some_and(|(first, last)| *first <= end && start <= *last)
        };
        let ids: Vec<u32> = found.into_iter().filter(overlaps).collect();
        self.load_labels(file, ids.iter().copied())?;
        self.count_in(file, cache, before);
        Ok(ids)
    }

    /// Has the cache count what was read since there were so many bytes.
    fn count_in(self: &Arc<Self>, file: &StoredFile, cache: &Cache<Arc<Self>>, before: usize) {
        let bytes = self.bytes();
        if bytes != before {
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

    /// Gives the values of one label to `take`. What was read for that is kept within the cache's bound.
    pub(crate) fn each_value(
        self: &Arc<Self>,
        file: &StoredFile,
        cache: &Cache<Arc<Self>>,
        name: &str,
        mut take: impl FnMut(&str),
    ) -> Result<(), ParquetError> {
        let before = self.bytes();
        match &self.index {
            Index::Stored(index) => index.values(file, name)?.iter().for_each(|value| take(value)),
            Index::Made(index) => index.values(name).for_each(take),
        }
        self.count_in(file, cache, before);
        Ok(())
    }

    /// Reads the labels of some series, ascending, that are not there yet.
    fn load_labels(&self, file: &StoredFile, ids: impl Iterator<Item = u32>) -> Result<(), ParquetError> {
        let mut pages: Vec<usize> = ids.map(|id| id as usize / PAGE_SERIES).collect();
        pages.dedup();
        pages.retain(|page| self.labels.get(*page).is_some_and(|page| page.get().is_none()));
        if pages.is_empty() {
            return Ok(());
        }
        let rows_of = |page: usize| page * PAGE_SERIES..self.ranges.len().min((page + 1) * PAGE_SERIES);
        let wanted = joined(pages.iter().map(|page| rows_of(*page)));
        let mut reader =
            self.series.read(file, Part::Series, &[series_column::LABELS], &wanted, PAGE_SERIES)?;
        let mut batch: Option<(BinaryArray, usize)> = None;
        for page in pages {
            let mut read = LabelPage { labels: Vec::new(), ends: Vec::new() };
            for _ in rows_of(page) {
                let (labels, row) = match batch.take().filter(|(labels, row)| *row < labels.len()) {
                    Some(there) => there,
                    None => {
                        let next = reader.next().ok_or_else(|| bad("a series is missing"))??;
                        (binary(&next, series_column::LABELS)?, 0)
                    }
                };
                let bytes = labels.value(row);
                LabelsRef::from_encoded(bytes).map_err(|error| ParquetError::External(Box::new(error)))?;
                read.labels.extend_from_slice(bytes);
                read.ends.push(u32::try_from(read.labels.len()).map_err(|_| bad("labels are too long"))?);
                batch = Some((labels, row + 1));
            }
            read.labels.shrink_to_fit();
            // Another query may have read the same page meanwhile.
            _ = self.labels[page].set(read);
        }
        Ok(())
    }

    /// The labels of a series that a selection has given.
    pub(crate) fn labels(&self, id: u32) -> LabelsRef<'_> {
        let (page, place) = (id as usize / PAGE_SERIES, id as usize % PAGE_SERIES);
        let bytes = self.labels.get(page).and_then(OnceLock::get).and_then(|page| page.get(place));
        LabelsRef::from_canonical(bytes.unwrap_or_default())
    }

    /// The rows of the chunks of a series.
    pub(super) fn rows(&self, id: u32) -> Range<usize> {
        self.rows[id as usize] as usize..self.rows[id as usize + 1] as usize
    }

    /// How many chunks there are.
    pub(super) fn chunk_count(&self) -> usize {
        self.rows[self.rows.len() - 1] as usize
    }
}

impl LabelPage {
    fn get(&self, place: usize) -> Option<&[u8]> {
        let start = if place == 0 { 0 } else { *self.ends.get(place - 1)? };
        self.labels.get(start as usize..*self.ends.get(place)? as usize)
    }

    fn bytes(&self) -> usize {
        self.labels.capacity() + self.ends.capacity() * size_of::<u32>()
    }
}
