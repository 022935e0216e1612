//! Reading few rows of many columns. Parquet's own reader makes a codec for each column, and making one of zstd asks the
//! processor what it can do, which costs a virtual machine ten times what unpacking a page does. Here all columns have one
//! that unpacks, and parquet is told that what it reads is not packed.

use std::iter;
use std::sync::Arc;

use arrow::array::RecordBatch;
use arrow::compute::filter_record_batch;
use arrow::error::ArrowError;
use bytes::Bytes;
use parking_lot::Mutex;
use parquet::arrow::arrow_reader::{
    ArrowPredicate, ArrowReaderMetadata, ParquetRecordBatchReader, RowGroups, RowSelection,
};
use parquet::arrow::{ProjectionMask, parquet_to_arrow_field_levels};
use parquet::basic::Compression;
use parquet::column::page::{Page, PageIterator, PageMetadata, PageReader};
use parquet::errors::ParquetError;
use parquet::file::metadata::{ColumnChunkMetaData, ParquetMetaData, RowGroupMetaData};
use parquet::file::serialized_reader::SerializedPageReader;
use zstd::bulk::Decompressor;
use zstd::zstd_safe::get_frame_content_size;

use super::prune::rows_of;
use crate::sums::CheckedFile;

/// More rows than these are a part of their pages for which one codec a column does not count.
pub(super) const MAX_ROWS: usize = 1_000;

/// The most bytes of a page before it was packed. What is written has far less, but for a row that is larger by itself.
const MAX_PAGE_BYTES: u64 = 1 << 30;

type Unpacker = Arc<Mutex<Decompressor<'static>>>;

/// Reads some columns of selected rows of the only row group of a footer, all of them at once.
pub(super) fn few_rows(
    input: &CheckedFile,
    footer: &ArrowReaderMetadata,
    columns: ProjectionMask,
    rows: RowSelection,
) -> Result<ParquetRecordBatchReader, ParquetError> {
    let unpacker = Decompressor::new().map_err(|error| ParquetError::External(error.into()))?;
    let group = Group {
        input: Arc::new(input.clone()),
        metadata: Arc::clone(footer.metadata()),
        unpacker: Arc::new(Mutex::new(unpacker)),
    };
    let levels =
        parquet_to_arrow_field_levels(footer.parquet_schema(), columns, Some(footer.schema().fields()))?;
    ParquetRecordBatchReader::try_new_with_row_groups(&levels, &group, rows.row_count(), Some(rows))
}

/// Those of some rows that satisfy all of some predicates, with such columns as an answer needs.
pub(super) fn that_satisfy(
    predicates: &mut [Box<dyn ArrowPredicate>],
    mut rows: RecordBatch,
    answered: &[String],
) -> Result<RecordBatch, ArrowError> {
    for predicate in predicates {
        let mask = predicate.evaluate(rows.clone())?;
        rows = filter_record_batch(&rows, &mask)?;
    }
    let columns = rows.schema_ref().fields().iter().enumerate();
    let columns: Vec<usize> =
        columns.filter(|(_, field)| answered.contains(field.name())).map(|(place, _)| place).collect();
    rows.project(&columns)
}

/// The only row group of a footer, as parquet's reader wants it.
struct Group {
    input: Arc<CheckedFile>,
    metadata: Arc<ParquetMetaData>,
    unpacker: Unpacker,
}

impl RowGroups for Group {
    fn num_rows(&self) -> usize {
        rows_of(self.metadata.row_group(0))
    }

    fn column_chunks(&self, leaf: usize) -> Result<Box<dyn PageIterator>, ParquetError> {
        Ok(Box::new(Column { pages: Some(self.pages_of(leaf)) }))
    }

    fn row_groups(&self) -> Box<dyn Iterator<Item = &RowGroupMetaData> + '_> {
        Box::new(iter::once(self.metadata.row_group(0)))
    }

    fn metadata(&self) -> &ParquetMetaData {
        &self.metadata
    }
}

impl Group {
    fn pages_of(&self, leaf: usize) -> Result<Box<dyn PageReader>, ParquetError> {
        let column = self.metadata.row_group(0).column(leaf);
        let is_packed = matches!(column.compression(), Compression::ZSTD(_));
        let input = Arc::clone(&self.input);
        let offsets = self.metadata.offset_index().and_then(|groups| groups.first()?.get(leaf));
        let places = offsets.map(|offsets| offsets.page_locations().clone());
        let column = if is_packed { &as_not_packed(column)? } else { column };
        let pages = SerializedPageReader::new(input, column, self.num_rows(), places)?;
        if is_packed {
            Ok(Box::new(Unpacking { pages, unpacker: Arc::clone(&self.unpacker) }))
        } else {
            Ok(Box::new(pages))
        }
    }
}

fn as_not_packed(column: &ColumnChunkMetaData) -> Result<ColumnChunkMetaData, ParquetError> {
    column.clone().into_builder().set_compression(Compression::UNCOMPRESSED).build()
}

/// The pages of one column.
struct Column {
    pages: Option<Result<Box<dyn PageReader>, ParquetError>>,
}

impl Iterator for Column {
    type Item = Result<Box<dyn PageReader>, ParquetError>;

    fn next(&mut self) -> Option<Self::Item> {
        self.pages.take()
    }
}

impl PageIterator for Column {}

/// Pages that are packed, for a reader that believes that they are not.
struct Unpacking {
    pages: SerializedPageReader<CheckedFile>,
    unpacker: Unpacker,
}

impl Unpacking {
    fn unpacked(&self, page: Page) -> Result<Page, ParquetError> {
        let unpack = |packed: &Bytes| unpacked(&mut self.unpacker.lock(), packed);
        Ok(match page {
            Page::DataPage {
                buf,
                num_values,
                encoding,
                def_level_encoding,
                rep_level_encoding,
                statistics,
            } => Page::DataPage {
                buf: unpack(&buf)?,
                num_values,
                encoding,
                def_level_encoding,
                rep_level_encoding,
                statistics,
            },
            Page::DictionaryPage { buf, num_values, encoding, is_sorted } => {
                Page::DictionaryPage { buf: unpack(&buf)?, num_values, encoding, is_sorted }
            }
            Page::DataPageV2 { .. } => {
                return Err(ParquetError::NYI("pages of the second version are not written".to_owned()));
            }
        })
    }
}

/// A page as it was before it was packed. One in which there is nothing was not.
fn unpacked(unpacker: &mut Decompressor<'_>, packed: &Bytes) -> Result<Bytes, ParquetError> {
    if packed.is_empty() {
        return Ok(Bytes::new());
    }
    let size = get_frame_content_size(packed).ok().flatten().filter(|size| *size <= MAX_PAGE_BYTES);
    let size = size.and_then(|size| usize::try_from(size).ok());
    let size = size.ok_or_else(|| ParquetError::General("a page does not say how large it is".to_owned()))?;
    let page = unpacker.decompress(packed, size);
    Ok(page.map_err(|error| ParquetError::External(error.into()))?.into())
}

impl Iterator for Unpacking {
    type Item = Result<Page, ParquetError>;

    fn next(&mut self) -> Option<Self::Item> {
        self.get_next_page().transpose()
    }
}

impl PageReader for Unpacking {
    fn get_next_page(&mut self) -> Result<Option<Page>, ParquetError> {
        let page = self.pages.get_next_page()?;
        page.map(|page| self.unpacked(page)).transpose()
    }

    fn peek_next_page(&mut self) -> Result<Option<PageMetadata>, ParquetError> {
        self.pages.peek_next_page()
    }

    fn skip_next_page(&mut self) -> Result<(), ParquetError> {
        self.pages.skip_next_page()
    }

    fn at_record_boundary(&mut self) -> Result<bool, ParquetError> {
        self.pages.at_record_boundary()
    }
}
