//! Merging event files as streams: rows of all of them by time, in bounded memory. Of the same time, those
//! of an earlier file come first.
//!
//! A file is opened when its first row is next, so that files that follow one another are read one by one.

use std::collections::VecDeque;
use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::buffer::ScalarBuffer;
use arrow::compute::interleave_record_batch;
use arrow::datatypes::SchemaRef;
use arrow::error::ArrowError;
use model::TimeRange;
use parquet::arrow::arrow_reader::ArrowReaderMetadata;
use parquet::errors::ParquetError;
use store::{QueryError, Table};

use crate::catalog::Part;
use crate::core::Core;
use crate::events::footer::footer;
use crate::events::lifted::{self, Lifted};
use crate::events::order::Run;
use crate::events::read::{AllRows, all_rows};
use crate::events::{conform, ids, order, times_of};
use crate::files::StoredFile;
use crate::query::{ReadError, without_damaged};

/// Rows of a batch.
const BATCH_ROWS: usize = 8 * 1024;
/// The most files that are open at once. Each takes the memory of a decoded batch, a page and a
/// dictionary of each of its columns.
pub(crate) const MAX_OPEN: usize = 16;

/// As many of the first files as can be merged with no more than [`MAX_OPEN`] of them open at once.
pub(crate) fn within_open(files: &[Arc<StoredFile>]) -> &[Arc<StoredFile>] {
    let range = |file: &Arc<StoredFile>| file.entry.range;
    let fits = |count: &usize| {
        let ranges = || files[..*count].iter().map(range);
        // Where most are open at once, one begins.
        ranges().all(|at| {
            let at = TimeRange::new(at.start, at.start);
            ranges().filter(|range| range.overlaps(&at)).count() <= MAX_OPEN
        })
    };
    let count = (1..=files.len()).take_while(fits).last().unwrap_or(0);
    &files[..count]
}

/// What comes next of files that are merged.
pub(crate) enum Next {
    /// Rows, none before those that came before.
    Rows(RecordBatch),
    /// A file is damaged, and has been set aside.
    Damaged,
    /// There is nothing more.
    End,
}

/// Merges files of a table.
pub(crate) struct Merging<'a> {
    core: &'a Core,
    table: Table,
    schema: SchemaRef,
    /// How many rows files have, and what is lifted in them.
    lifted: Vec<(u64, Lifted)>,
    /// Files with their places, in the order in which they begin.
    waiting: VecDeque<(usize, Arc<StoredFile>)>,
    open: Vec<Open>,
    /// Rows that come next, as parts of batches.
    pieces: Vec<Run>,
    batches: Vec<RecordBatch>,
    rows: usize,
}

/// A file that is being read.
struct Open {
    place: usize,
    file: Arc<StoredFile>,
    reader: AllRows,
    rows: RecordBatch,
    times: ScalarBuffer<i64>,
    /// The next row; there is one.
    at: usize,
    /// Which of the batches these rows are, once some of them come next.
    batch: Option<usize>,
}

/// A row by time; of the same time, by the place of its file.
type Key = (i64, usize);

impl<'a> Merging<'a> {
    /// `files` are in the order in which they came to be.
    pub(crate) fn new(core: &'a Core, table: Table, files: &[Arc<StoredFile>]) -> Self {
        let mut waiting: Vec<(usize, Arc<StoredFile>)> = files.iter().cloned().enumerate().collect();
        waiting.sort_by_key(|(place, file)| (file.entry.range.start, *place));
        let waiting: VecDeque<_> = waiting.into();
        let (schema, lifted) = columns_of(core, table, files);
        let (open, pieces, batches) = (Vec::new(), Vec::new(), Vec::new());
        Self { core, table, schema, lifted, waiting, open, pieces, batches, rows: 0 }
    }

    /// The columns of the rows: those of the table that one of the files has.
    pub(crate) fn schema(&self) -> SchemaRef {
        Arc::clone(&self.schema)
    }

    /// The attributes that are lifted in a file of these rows, of which these are the first.
    pub(crate) fn lifted(&self, first: &RecordBatch) -> Vec<lifted::Column> {
        lifted::of_files(self.table, &self.lifted, first)
    }

    /// The next rows.
    pub(crate) fn next(&mut self) -> Result<Next, QueryError> {
        while self.rows < BATCH_ROWS {
            if !self.open_due()? {
                return Ok(Next::Damaged);
            }
            let first = self.open.iter().enumerate().min_by_key(|(_, open)| open.key());
            let Some(first) = first.map(|(first, _)| first) else { break };
            if !self.take(first)? {
                return Ok(Next::Damaged);
            }
        }
        if self.rows == 0 {
            return Ok(Next::End);
        }
        let joined = self.joined().map_err(|error| QueryError::Storage {
            doing: "merging rows".to_owned(),
            source: Box::new(error),
        });
        joined.map(Next::Rows)
    }

    /// Opens files whose first row may be next; `false` when one of them is damaged.
    fn open_due(&mut self) -> Result<bool, QueryError> {
        while let Some((_, file)) = self.waiting.front() {
            let start = file.entry.range.start.as_nanos();
            if self.open.iter().map(Open::key).min().is_some_and(|(time, _)| time < start) {
                break;
            }
            let Some((place, file)) = self.waiting.pop_front() else { break };
            match without_damaged(self.core, &file, Open::begin(self.core, &self.schema, place, &file))? {
                Some(open) => self.open.extend(open),
                None => return Ok(false),
            }
        }
        Ok(true)
    }

    /// Takes the rows of an open file that come before those of all others; `false` when it is damaged.
    fn take(&mut self, first: usize) -> Result<bool, QueryError> {
        let others = self.open.iter().enumerate().filter(|(open, _)| *open != first);
        // What waits is opened before a row at its time is taken: it may be the earlier file.
        let waiting = self.waiting.front().map(|(_, file)| (file.entry.range.start.as_nanos(), 0));
        let until = others.map(|(_, open)| open.key()).chain(waiting).min();
        let open = &mut self.open[first];
        let rest = &open.times[open.at..];
        let before = |until| rest.partition_point(|time| (*time, open.place) < until);
        let count = until.map_or(rest.len(), before).min(BATCH_ROWS - self.rows);
        let batch = *open.batch.get_or_insert_with(|| {
            self.batches.push(open.rows.clone());
            self.batches.len() - 1
        });
        self.pieces.push((batch, open.at..open.at + count));
        self.rows += count;
        open.at += count;
        if open.at < open.times.len() {
            return Ok(true);
        }
        let file = Arc::clone(&open.file);
        let more = without_damaged(self.core, &file, open.read_on(&self.schema))?;
        if more == Some(false) {
            self.open.swap_remove(first);
        }
        Ok(more.is_some())
    }

    fn joined(&mut self) -> Result<RecordBatch, ArrowError> {
        let rows = std::mem::take(&mut self.rows);
        self.open.iter_mut().for_each(|open| open.batch = None);
        let (pieces, batches) = (std::mem::take(&mut self.pieces), std::mem::take(&mut self.batches));
        if let [(batch, rows)] = pieces.as_slice() {
            return Ok(batches[*batch].slice(rows.start, rows.len()));
        }
        if order::are_long(pieces.len(), rows) {
            return order::copied(&self.schema, &batches, pieces);
        }
        let places = pieces.into_iter().flat_map(|(batch, rows)| rows.map(move |row| (batch, row)));
        interleave_record_batch(&batches.iter().collect::<Vec<_>>(), &places.collect::<Vec<_>>())
    }
}

/// The columns of a table that files have, with ids as bytes where all of them have bytes, and what is lifted in each.
/// What a file that cannot be read has is not asked: it will not be read.
fn columns_of(core: &Core, table: Table, files: &[Arc<StoredFile>]) -> (SchemaRef, Vec<(u64, Lifted)>) {
    let footer = |file: &Arc<StoredFile>| {
        let input = file.open(Part::Rows).ok()?;
        Some((file.entry.rows, footer(file, &input, &core.footers).ok()?))
    };
    let footers: Vec<(u64, ArrowReaderMetadata)> = files.iter().filter_map(footer).collect();
    let schemas = || footers.iter().map(|(_, footer)| footer.schema());
    let schema = store::joint(&store::schema(table), schemas());
    // One that cannot be read now may be readable in a moment, and have texts.
    let are_all = footers.len() == files.len();
    let schema = if are_all { ids::schema_of_files(table, schema, schemas()) } else { schema };
    // One that says what is not understood will not be read either.
    let lifted = footers.iter().filter_map(|(rows, footer)| Some((*rows, Lifted::of(footer).ok()?)));
    (schema, lifted.collect())
}

impl Open {
    /// Begins to read a file; `None` when it has no rows.
    fn begin(
        core: &Core,
        schema: &SchemaRef,
        place: usize,
        file: &Arc<StoredFile>,
    ) -> Result<Option<Self>, ReadError> {
        let reader = all_rows(file, &core.footers)?;
        let (rows, times) = (RecordBatch::new_empty(Arc::clone(schema)), ScalarBuffer::default());
        let mut open = Self { place, file: Arc::clone(file), reader, rows, times, at: 0, batch: None };
        Ok(open.read_on(schema)?.then_some(open))
    }

    fn key(&self) -> Key {
        (self.times[self.at], self.place)
    }

    /// Reads the next rows; `false` when there are none.
    fn read_on(&mut self, schema: &SchemaRef) -> Result<bool, ReadError> {
        for rows in self.reader.by_ref() {
            let rows = rows.and_then(|rows| conform(rows, schema)).map_err(ParquetError::from)?;
            if rows.num_rows() > 0 {
                self.times = times_of(&rows).map_err(ParquetError::from)?.values().clone();
                (self.rows, self.at, self.batch) = (rows, 0, None);
                return Ok(true);
            }
        }
        Ok(false)
    }
}

#[cfg(test)]
mod tests;
