//! Some rows of a Parquet file of a block.

use std::ops::Range;
use std::sync::OnceLock;

use parquet::arrow::ProjectionMask;
use parquet::arrow::arrow_reader::{
    ArrowReaderMetadata, ArrowReaderOptions, ParquetRecordBatchReader, ParquetRecordBatchReaderBuilder,
    RowSelection,
};
use parquet::errors::ParquetError;
use parquet::file::metadata::PageIndexPolicy;

use crate::catalog::Part;
use crate::files::StoredFile;
use crate::sums::CheckedFile;

/// A part of a block, opened once for all that is read of it.
#[derive(Default)]
pub(crate) struct Opened(Option<CheckedFile>);

impl Opened {
    fn get(&mut self, file: &StoredFile, part: Part) -> Result<CheckedFile, ParquetError> {
        let opened = match &self.0 {
            Some(opened) => opened.clone(),
            None => file.open(part)?,
        };
        Ok(self.0.insert(opened).clone())
    }
}

/// Where the rows of one part of a block are, read once.
#[derive(Default)]
pub(crate) struct PartRows {
    footer: OnceLock<ArrowReaderMetadata>,
}

impl PartRows {
    /// Reads columns of all rows, in batches of at most `batch` rows.
    pub(crate) fn read_all(
        &self,
        file: &StoredFile,
        part: Part,
        columns: &[&str],
        batch: usize,
    ) -> Result<ParquetRecordBatchReader, ParquetError> {
        let (builder, _) = self.open(file.open(part)?, columns)?;
        builder.with_batch_size(batch).build()
    }

    /// Reads columns of some rows, ascending, in batches of at most `batch` rows.
    pub(crate) fn read(
        &self,
        file: &StoredFile,
        part: Part,
        columns: &[&str],
        rows: &[Range<usize>],
        batch: usize,
    ) -> Result<ParquetRecordBatchReader, ParquetError> {
        self.read_of(&mut Opened::default(), file, part, columns, rows, batch)
    }

    /// The same of a part that may be open.
    pub(crate) fn read_of(
        &self,
        opened: &mut Opened,
        file: &StoredFile,
        part: Part,
        columns: &[&str],
        rows: &[Range<usize>],
        batch: usize,
    ) -> Result<ParquetRecordBatchReader, ParquetError> {
        let (builder, total) = self.open(opened.get(file, part)?, columns)?;
        if rows.last().is_some_and(|last| last.end > total) {
            return Err(super::bad("a part has fewer rows than another one says"));
        }
        let selection = RowSelection::from_consecutive_ranges(rows.iter().cloned(), total);
        builder.with_batch_size(batch).with_row_selection(selection).build()
    }

    /// A reader of the part, and how many rows it has.
    fn open(
        &self,
        input: CheckedFile,
        columns: &[&str],
    ) -> Result<(ParquetRecordBatchReaderBuilder<CheckedFile>, usize), ParquetError> {
        let footer = match self.footer.get() {
            Some(footer) => footer,
            None => {
                let options = ArrowReaderOptions::new().with_page_index_policy(PageIndexPolicy::Optional);
                let footer = ArrowReaderMetadata::load(&input, options)?;
                self.footer.get_or_init(|| footer)
            }
        };
        let total = usize::try_from(footer.metadata().file_metadata().num_rows()).unwrap_or(0);
        let builder = ParquetRecordBatchReaderBuilder::new_with_metadata(input, footer.clone());
        let mask = ProjectionMask::columns(builder.parquet_schema(), columns.iter().copied());
        Ok((builder.with_projection(mask), total))
    }

    /// How many rows there are, once some have been read.
    pub(crate) fn total(&self) -> Option<usize> {
        let footer = self.footer.get()?;
        usize::try_from(footer.metadata().file_metadata().num_rows()).ok()
    }

    /// Memory of what is kept.
    pub(crate) fn bytes(&self) -> usize {
        self.footer.get().map_or(0, |footer| footer.metadata().memory_size())
    }
}

/// Neighbouring ranges as one, which keeps the selection of many rows short.
pub(crate) fn joined(ranges: impl Iterator<Item = Range<usize>>) -> Vec<Range<usize>> {
    let mut all: Vec<Range<usize>> = Vec::new();
    for range in ranges {
        match all.last_mut() {
            Some(last) if last.end == range.start => last.end = range.end,
            _ => all.push(range),
        }
    }
    all
}
