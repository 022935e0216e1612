//! Footers of event files. They are read once and kept, without the indexes of pages: those come with
//! the row group that is looked into, and are kept with it. A file has dozens of row groups with dozens of
//! columns, and a search passes over nearly all of them.

use std::sync::Arc;

use parquet::arrow::arrow_reader::{ArrowReaderMetadata, ArrowReaderOptions};
use parquet::errors::ParquetError;
use parquet::file::metadata::{
    PageIndexPolicy, ParquetMetaData, ParquetMetaDataBuilder, ParquetMetaDataReader,
};

use crate::cache::Cache;
use crate::events::lifted::{Lifted, NotUnderstood};
use crate::files::StoredFile;
use crate::sums::CheckedFile;

/// About how many bytes a column takes of what is made of a footer for readers of rows.
const COLUMN_BYTES: usize = 512;

/// Footers of row groups, by the number of the file and their place in it.
pub(crate) type GroupFooters = Cache<ArrowReaderMetadata, (u64, usize)>;

/// The footer of a file, without indexes of pages.
pub(crate) fn footer(
    file: &StoredFile,
    input: &CheckedFile,
    footers: &Cache<ArrowReaderMetadata>,
) -> Result<ArrowReaderMetadata, ParquetError> {
    if let Some(footer) = footers.get(file.entry.id) {
        return Ok(footer);
    }
    let options = ArrowReaderOptions::new().with_page_index_policy(PageIndexPolicy::Skip);
    let footer = ArrowReaderMetadata::load(input, options)?;
    footers.put(file.entry.id, footer.clone(), footer.metadata().memory_size());
    Ok(footer)
}

/// What a file's footer says is lifted in it, which is kept too: it is a text that takes a while to read.
pub(crate) fn lifted(
    file: u64,
    footer: &ArrowReaderMetadata,
    kept: &Cache<Arc<Lifted>>,
) -> Result<Arc<Lifted>, NotUnderstood> {
    if let Some(lifted) = kept.get(file) {
        return Ok(lifted);
    }
    let lifted = Arc::new(Lifted::of(footer)?);
    kept.put(file, Arc::clone(&lifted), lifted.memory_size());
    Ok(lifted)
}

/// The footer of one row group of a file alone, see [`of_group`], which is kept for the next query.
pub(crate) fn kept_of_group(
    file: u64,
    footer: &ArrowReaderMetadata,
    input: &CheckedFile,
    group: usize,
    groups: &GroupFooters,
) -> Result<ArrowReaderMetadata, ParquetError> {
    if let Some(footer) = groups.get((file, group)) {
        return Ok(footer);
    }
    let footer = of_group(footer, input, group)?;
    let columns = footer.metadata().row_group(0).num_columns();
    groups.put((file, group), footer.clone(), footer.metadata().memory_size() + columns * COLUMN_BYTES);
    Ok(footer)
}

/// A footer of one row group alone, with its indexes of pages where the file has them.
pub(crate) fn of_group(
    footer: &ArrowReaderMetadata,
    input: &CheckedFile,
    group: usize,
) -> Result<ArrowReaderMetadata, ParquetError> {
    // Both in one call would read what lies between them too: the indexes of all other row groups.
    let only = ParquetMetaDataBuilder::new(footer.metadata().file_metadata().clone());
    let only = only.add_row_group(footer.metadata().row_group(group).clone()).build();
    let reader = ParquetMetaDataReader::new_with_metadata(only.clone());
    let with_bounds = indexed(reader.with_column_index_policy(PageIndexPolicy::Optional), input)?;
    let reader = ParquetMetaDataReader::new_with_metadata(only);
    let with_places = indexed(reader.with_offset_index_policy(PageIndexPolicy::Optional), input)?;
    let metadata =
        with_places.into_builder().set_column_index(with_bounds.into_builder().take_column_index()).build();
    let options = ArrowReaderOptions::new().with_schema(Arc::clone(footer.schema()));
    ArrowReaderMetadata::try_new(Arc::new(metadata), options)
}

fn indexed(mut reader: ParquetMetaDataReader, input: &CheckedFile) -> Result<ParquetMetaData, ParquetError> {
    reader.read_page_indexes(input)?;
    reader.finish()
}
