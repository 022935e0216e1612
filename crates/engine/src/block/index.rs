//! The index of a block: which series have which label, read as far as queries ask for it.

use std::collections::HashMap;
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use arrow::array::AsArray;
use parking_lot::Mutex;
use parquet::errors::ParquetError;
use roaring::RoaringBitmap;
use store::{MatchOp, Matcher};

use crate::block::held::{Budget, Held};
use crate::block::rows::{PartRows, joined};
use crate::block::{bad, binary, index_column};
use crate::catalog::Part;
use crate::files::StoredFile;
use crate::index::listed_values;
use crate::query::ReadError;

/// Rows that are decoded at a time.
const BATCH: usize = 4096;
/// Bitmaps that are kept, in bytes; more are read again for each query.
const KEPT_BYTES: usize = 32 << 20;
/// What a bitmap takes beside its packed bytes.
const BITMAP_BYTES: usize = 96;

/// The index, of which the names are known and the rest is read when it is asked for.
pub(crate) struct StoredIndex {
    rows: PartRows,
    /// The names of labels, sorted, each with the rows of its values.
    names: Vec<(Box<str>, Range<usize>)>,
    values: Mutex<HashMap<usize, Arc<Values>>>,
    /// By row, each with the bytes that it takes.
    bitmaps: Mutex<HashMap<usize, (RoaringBitmap, usize)>>,
    bytes: AtomicUsize,
}

/// The values of a label.
#[derive(Default)]
pub(super) struct Values {
    /// Sorted.
    pub(super) texts: Vec<Box<str>>,
    bytes: usize,
}

impl StoredIndex {
    /// Reads the names.
    pub(crate) fn open(file: &StoredFile) -> Result<Self, ParquetError> {
        let rows = PartRows::default();
        let mut names: Vec<(Box<str>, Range<usize>)> = Vec::new();
        let mut row = 0;
        for batch in rows.read_all(file, Part::Index, &[index_column::NAME], BATCH)? {
            let batch = batch?;
            let column =
                batch.column_by_name(index_column::NAME).and_then(|column| column.as_string_opt::<i32>());
            for name in column.ok_or_else(|| bad("the index has no names"))? {
                let name = name.ok_or_else(|| bad("a name is missing"))?;
                match names.last_mut() {
                    Some((last, rows)) if **last == *name => rows.end += 1,
                    _ => names.push((name.into(), row..row + 1)),
                }
                row += 1;
            }
        }
        let bytes = AtomicUsize::new(names.iter().map(|(name, _)| name.len() + 64).sum());
        Ok(Self { rows, names, values: Mutex::default(), bitmaps: Mutex::default(), bytes })
    }

    /// Memory of what has been read.
    pub(crate) fn bytes(&self) -> usize {
        self.bytes.load(Ordering::Relaxed) + self.rows.bytes()
    }

    /// The names of all labels.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.names.iter().map(|(name, _)| &**name)
    }

    fn find(&self, name: &str) -> Option<usize> {
        self.names.binary_search_by(|(other, _)| (**other).cmp(name)).ok()
    }
}

/// Reads an index for one selector, within what that may take.
pub(super) struct IndexReader<'a> {
    index: &'a StoredIndex,
    file: &'a StoredFile,
    /// What the block holds.
    held: &'a Held,
    budget: &'a mut Budget,
    /// The labels whose values the selector has taken.
    taken: Vec<usize>,
}

impl<'a> IndexReader<'a> {
    pub(super) fn new(
        index: &'a StoredIndex,
        file: &'a StoredFile,
        held: &'a Held,
        budget: &'a mut Budget,
    ) -> Self {
        Self { index, file, held, budget, taken: Vec::new() }
    }

    /// The values of a label.
    pub(super) fn values(&mut self, name: &str) -> Result<Arc<Values>, ReadError> {
        match self.index.find(name) {
            Some(place) => self.values_at(place),
            None => Ok(Arc::default()),
        }
    }

    fn values_at(&mut self, place: usize) -> Result<Arc<Values>, ReadError> {
        let known = self.index.values.lock().get(&place).cloned();
        let Some(values) = known else {
            self.taken.push(place);
            return self.read_values(place);
        };
        if !self.taken.contains(&place) {
            self.taken.push(place);
            self.budget.take(values.bytes)?;
        }
        Ok(values)
    }

    fn read_values(&mut self, place: usize) -> Result<Arc<Values>, ReadError> {
        let index = self.index;
        let rows = index.names[place].1.clone();
        let mut bytes = rows.len() * size_of::<Box<str>>();
        self.budget.read(bytes, self.held)?;
        let mut texts: Vec<Box<str>> = Vec::with_capacity(rows.len());
        for batch in index.rows.read(self.file, Part::Index, &[index_column::VALUE], &[rows], BATCH)? {
            let batch = batch.map_err(ParquetError::from)?;
            let column =
                batch.column_by_name(index_column::VALUE).and_then(|column| column.as_string_opt::<i32>());
            let column = column.ok_or_else(|| bad("the index has no values"))?;
            let more: usize = column.iter().flatten().map(str::len).sum();
            self.budget.read(more, self.held)?;
            bytes += more;
            for value in column {
                texts.push(value.ok_or_else(|| bad("a value is missing"))?.into());
            }
        }
        let values = Arc::new(Values { texts, bytes });
        if index.values.lock().insert(place, Arc::clone(&values)).is_none() {
            index.bytes.fetch_add(bytes, Ordering::Relaxed);
        }
        Ok(values)
    }

    /// The series that have the matcher's label with a value for which it gives `holds`.
    pub(super) fn with_value(&mut self, matcher: &Matcher, holds: bool) -> Result<RoaringBitmap, ReadError> {
        let Some(place) = self.index.find(matcher.name()) else { return Ok(RoaringBitmap::new()) };
        let values = self.values_at(place)?;
        let start = self.index.names[place].1.start;
        let row_of = |value: &str| {
            values.texts.binary_search_by(|other| (**other).cmp(value)).ok().map(|found| start + found)
        };
        let mut rows: Vec<usize> = match (matcher.op(), holds) {
            (MatchOp::Equal, true) | (MatchOp::NotEqual, false) => {
                row_of(matcher.value()).into_iter().collect()
            }
            (MatchOp::Regex, true) | (MatchOp::NotRegex, false) if listed_values(matcher).is_some() => {
                listed_values(matcher).into_iter().flatten().filter_map(row_of).collect()
            }
            _ => (start..)
                .zip(&values.texts)
                .filter(|(_, value)| matcher.matches_value(value) == holds)
                .map(|(row, _)| row)
                .collect(),
        };
        rows.sort_unstable();
        rows.dedup();
        Ok(self.union(&rows)?)
    }

    /// The series of some rows, ascending.
    fn union(&mut self, rows: &[usize]) -> Result<RoaringBitmap, ParquetError> {
        let index = self.index;
        let mut all = RoaringBitmap::new();
        let mut missing = Vec::new();
        {
            let bitmaps = index.bitmaps.lock();
            for row in rows {
                match bitmaps.get(row) {
                    Some((bitmap, _)) => {
                        all |= bitmap;
                    }
                    None => missing.push(*row),
                }
            }
        }
        let mut next = missing.iter();
        let selected = joined(missing.iter().map(|row| *row..row + 1));
        if selected.is_empty() {
            return Ok(all);
        }
        for batch in index.rows.read(self.file, Part::Index, &[index_column::SERIES], &selected, BATCH)? {
            let batch = batch?;
            let column = binary(&batch, index_column::SERIES)?;
            for (bytes, row) in column.iter().zip(&mut next) {
                let bytes = bytes.ok_or_else(|| bad("a bitmap is missing"))?;
                let bitmap = RoaringBitmap::deserialize_from(bytes)
                    .map_err(|error| ParquetError::External(Box::new(error)))?;
                all |= &bitmap;
                self.keep(*row, bitmap, bytes.len());
            }
        }
        Ok(all)
    }

    /// Keeps a bitmap for the next query where there is room for it; where there is none, that reads it again.
    fn keep(&mut self, row: usize, bitmap: RoaringBitmap, packed: usize) {
        let (index, bytes) = (self.index, packed + BITMAP_BYTES);
        if index.bytes.load(Ordering::Relaxed) + bytes <= KEPT_BYTES
            && self.held.try_add(bytes)
            && index.bitmaps.lock().insert(row, (bitmap, bytes)).is_none()
        {
            index.bytes.fetch_add(bytes, Ordering::Relaxed);
        }
    }
}
