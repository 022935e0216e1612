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

use crate::block::rows::{PartRows, joined};
use crate::block::{bad, binary, index_column};
use crate::catalog::Part;
use crate::files::StoredFile;
use crate::index::listed_values;

/// Rows that are decoded at a time.
const BATCH: usize = 4096;
/// Bitmaps that are kept, in bytes; more are read again for each query.
const KEPT_BYTES: usize = 32 << 20;

/// The index, of which the names are known and the rest is read when it is asked for.
pub(crate) struct StoredIndex {
    rows: PartRows,
    /// The names of labels, sorted, each with the rows of its values.
    names: Vec<(Box<str>, Range<usize>)>,
    values: Mutex<HashMap<usize, Arc<Vec<Box<str>>>>>,
    bitmaps: Mutex<HashMap<usize, Arc<RoaringBitmap>>>,
    bytes: AtomicUsize,
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

    /// The values of a label, sorted.
    pub(crate) fn values(&self, file: &StoredFile, name: &str) -> Result<Arc<Vec<Box<str>>>, ParquetError> {
        match self.find(name) {
            Some(place) => self.values_at(file, place),
            None => Ok(Arc::default()),
        }
    }

    fn find(&self, name: &str) -> Option<usize> {
        self.names.binary_search_by(|(other, _)| (**other).cmp(name)).ok()
    }

    fn values_at(&self, file: &StoredFile, place: usize) -> Result<Arc<Vec<Box<str>>>, ParquetError> {
        if let Some(values) = self.values.lock().get(&place) {
            return Ok(Arc::clone(values));
        }
        let rows = self.names[place].1.clone();
        let mut values: Vec<Box<str>> = Vec::with_capacity(rows.len());
        for batch in self.rows.read(file, Part::Index, &[index_column::VALUE], &[rows], BATCH)? {
            let batch = batch?;
            let column =
                batch.column_by_name(index_column::VALUE).and_then(|column| column.as_string_opt::<i32>());
            for value in column.ok_or_else(|| bad("the index has no values"))? {
                values.push(value.ok_or_else(|| bad("a value is missing"))?.into());
            }
        }
        let bytes: usize = values.iter().map(|value| value.len() + size_of::<Box<str>>()).sum();
        let values = Arc::new(values);
        if self.values.lock().insert(place, Arc::clone(&values)).is_none() {
            self.bytes.fetch_add(bytes, Ordering::Relaxed);
        }
        Ok(values)
    }

    /// The series that have the matcher's label with a value for which it gives `holds`.
    pub(crate) fn with_value(
        &self,
        file: &StoredFile,
        matcher: &Matcher,
        holds: bool,
    ) -> Result<RoaringBitmap, ParquetError> {
        let Some(place) = self.find(matcher.name()) else { return Ok(RoaringBitmap::new()) };
        let values = self.values_at(file, place)?;
        let start = self.names[place].1.start;
        let row_of = |value: &str| {
            values.binary_search_by(|other| (**other).cmp(value)).ok().map(|found| start + found)
        };
        let mut rows: Vec<usize> = match (matcher.op(), holds) {
            (MatchOp::Equal, true) | (MatchOp::NotEqual, false) => {
                row_of(matcher.value()).into_iter().collect()
            }
            (MatchOp::Regex, true) | (MatchOp::NotRegex, false) if listed_values(matcher).is_some() => {
                listed_values(matcher).into_iter().flatten().filter_map(row_of).collect()
            }
            _ => (start..)
                .zip(values.iter())
                .filter(|(_, value)| matcher.matches_value(value) == holds)
                .map(|(row, _)| row)
                .collect(),
        };
        rows.sort_unstable();
        rows.dedup();
        self.union(file, &rows)
    }

    /// The series of some rows, ascending.
    fn union(&self, file: &StoredFile, rows: &[usize]) -> Result<RoaringBitmap, ParquetError> {
        let mut all = RoaringBitmap::new();
        let mut missing = Vec::new();
        {
            let bitmaps = self.bitmaps.lock();
            for row in rows {
                match bitmaps.get(row) {
                    Some(bitmap) => all |= &**bitmap,
                    None => missing.push(*row),
                }
            }
        }
        let mut next = missing.iter();
        let selected = joined(missing.iter().map(|row| *row..row + 1));
        if selected.is_empty() {
            return Ok(all);
        }
        for batch in self.rows.read(file, Part::Index, &[index_column::SERIES], &selected, BATCH)? {
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

    fn keep(&self, row: usize, bitmap: RoaringBitmap, packed: usize) {
        let bytes = packed + 96;
        if self.bytes.load(Ordering::Relaxed) + bytes <= KEPT_BYTES
            && self.bitmaps.lock().insert(row, Arc::new(bitmap)).is_none()
        {
            self.bytes.fetch_add(bytes, Ordering::Relaxed);
        }
    }
}
