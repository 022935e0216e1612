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
use crate::block::rows::{Opened, PartRows, joined};
use crate::block::{bad, binary, index_column};
use crate::catalog::Part;
use crate::files::StoredFile;
use crate::index::listed_values;
use crate::query::ReadError;

/// Rows that are decoded at a time.
const BATCH: usize = 4096;
/// Of a label with more values than this, those that a matcher names are searched in the file: all of a million ids
/// would take long to read, and much memory.
const READ_VALUES: usize = 16_384;
/// Of so many values one at the most is searched: more of them are found sooner by reading all.
const SEARCHED_PART: usize = 256;
/// A search reads one value at a time until no more than this many are left, which it reads together.
const SPAN_ROWS: usize = 512;
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
    opened: Opened,
}

impl<'a> IndexReader<'a> {
    pub(super) fn new(
        index: &'a StoredIndex,
        file: &'a StoredFile,
        held: &'a Held,
        budget: &'a mut Budget,
    ) -> Self {
        Self { index, file, held, budget, taken: Vec::new(), opened: Opened::default() }
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
        self.each_text(&[rows], |_, text| {
            bytes += text.len();
            texts.push(text.into());
        })?;
        let values = Arc::new(Values { texts, bytes });
        if index.values.lock().insert(place, Arc::clone(&values)).is_none() {
            index.bytes.fetch_add(bytes, Ordering::Relaxed);
        }
        Ok(values)
    }

    /// Gives the values of some rows, ascending, to `take`, each with its row.
    fn each_text(
        &mut self,
        rows: &[Range<usize>],
        mut take: impl FnMut(usize, &str),
    ) -> Result<(), ReadError> {
        let (index, columns) = (self.index, [index_column::VALUE]);
        let mut next = rows.iter().cloned().flatten();
        for batch in index.rows.read_of(&mut self.opened, self.file, Part::Index, &columns, rows, BATCH)? {
            let batch = batch.map_err(ParquetError::from)?;
            let column =
                batch.column_by_name(index_column::VALUE).and_then(|column| column.as_string_opt::<i32>());
            let column = column.ok_or_else(|| bad("the index has no values"))?;
            let bytes: usize = column.iter().flatten().map(str::len).sum();
            self.budget.read(bytes, self.held)?;
            for text in column {
                let (row, text) = next.next().zip(text).ok_or_else(|| bad("a value is missing"))?;
                take(row, text);
            }
        }
        match next.next() {
            Some(_) => Err(bad("a value is missing").into()),
            None => Ok(()),
        }
    }

    /// The series that have the matcher's label with a value for which it gives `holds`.
    pub(super) fn with_value(&mut self, matcher: &Matcher, holds: bool) -> Result<RoaringBitmap, ReadError> {
        let Some(place) = self.index.find(matcher.name()) else { return Ok(RoaringBitmap::new()) };
        let named: Option<Vec<&str>> = match (matcher.op(), holds) {
            (MatchOp::Equal, true) | (MatchOp::NotEqual, false) => Some(vec![matcher.value()]),
            (MatchOp::Regex, true) | (MatchOp::NotRegex, false) => {
                listed_values(matcher).map(Iterator::collect)
            }
            _ => None,
        };
        let rows = match named {
            Some(texts) => self.rows_of(place, texts)?,
            None => {
                let values = self.values_at(place)?;
                (self.index.names[place].1.start..)
                    .zip(&values.texts)
                    .filter(|(_, value)| matcher.matches_value(value) == holds)
                    .map(|(row, _)| row)
                    .collect()
            }
        };
        Ok(self.union(&rows)?)
    }

    /// The rows of those of some texts that are values of a label, ascending.
    fn rows_of(&mut self, place: usize, mut texts: Vec<&str>) -> Result<Vec<usize>, ReadError> {
        let rows = self.index.names[place].1.clone();
        let are_few = texts.len() <= rows.len() / SEARCHED_PART;
        if rows.len() > READ_VALUES && are_few && !self.index.values.lock().contains_key(&place) {
            texts.sort_unstable();
            return self.search(rows, &texts);
        }
        let values = self.values_at(place)?;
        let row_of = |text: &str| {
            values.texts.binary_search_by(|value| (**value).cmp(text)).ok().map(|found| rows.start + found)
        };
        let mut found: Vec<usize> = texts.into_iter().filter_map(row_of).collect();
        found.sort_unstable();
        found.dedup();
        Ok(found)
    }

    /// The same of sorted texts, found in the rows of a label by halving them: values are sorted too, so the one
    /// in the middle tells in which half a text is. The file has no statistics of values that would tell it, but
    /// to read one value takes its page alone. All texts are searched together, so that a reader is made for
    /// each halving and not for each text.
    fn search(&mut self, rows: Range<usize>, texts: &[&str]) -> Result<Vec<usize>, ReadError> {
        // Rows, ascending, with the texts that can be among them. Their lengths never differ by more than one.
        let mut spans = vec![(rows, texts)];
        while spans.first().is_some_and(|(rows, _)| rows.len() > SPAN_ROWS) {
            let middles = spans.iter().map(|(rows, _)| rows.start + rows.len() / 2);
            let middles: Vec<Range<usize>> = middles.map(|row| row..row + 1).collect();
            let mut whole = spans.into_iter();
            let mut halves = Vec::new();
            self.each_text(&middles, |middle, value| {
                let Some((rows, texts)) = whole.next() else { return };
                let (low, high) = texts.split_at(texts.partition_point(|text| *text < value));
                halves.extend([(rows.start..middle, low), (middle..rows.end, high)]);
            })?;
            halves.retain(|(_, texts)| !texts.is_empty());
            spans = halves;
        }
        let rows = joined(spans.into_iter().map(|(rows, _)| rows));
        let mut found = Vec::new();
        self.each_text(&rows, |row, value| {
            if texts.binary_search(&value).is_ok() {
                found.push(row);
            }
        })?;
        Ok(found)
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
        let columns = [index_column::SERIES];
        for batch in
            index.rows.read_of(&mut self.opened, self.file, Part::Index, &columns, &selected, BATCH)?
        {
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

#[cfg(test)]
mod tests;
