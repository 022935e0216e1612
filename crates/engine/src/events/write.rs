//! Writing an event file: rows sorted by time, zstd, bloom filters on ids, filters of words, page index.

use std::path::Path;

use arrow::array::{AsArray, RecordBatch, UInt32Array};
use arrow::compute::{concat_batches, take_record_batch};
use arrow::datatypes::{DataType, SchemaRef};
use arrow::error::ArrowError;
use model::{TimeRange, Timestamp};
use parquet::arrow::ArrowWriter;
use parquet::basic::{Compression, ZstdLevel};
use parquet::errors::ParquetError;
use parquet::file::metadata::SortingColumn;
use parquet::file::properties::{EnabledStatistics, WriterProperties};
use parquet::schema::types::ColumnPath;
use store::Table;

use crate::EngineError;
use crate::events::tokens::{self, Words};
use crate::events::{TIME, times_of};
use crate::head::events::Part;
use crate::sums::{SummingWriter, Sums};
use crate::vfs::Vfs;

/// Rows of a row group: the unit that a query skips by statistics and bloom filters.
const ROW_GROUP_ROWS: usize = 128 * 1024;
/// Rows that are sorted into place and encoded at a time.
const WRITE_ROWS: usize = 8 * 1024;
/// Bytes of a page before compression.
const PAGE_BYTES: usize = 64 * 1024;
/// How often a bloom filter may say "perhaps" wrongly.
const BLOOM_FALSE_POSITIVES: f64 = 0.01;
/// Level 1 packs nearly as well as 3 at half the cost.
const ZSTD_LEVEL: i32 = 1;

/// What has been written.
pub(crate) struct Written {
    pub(crate) sums: Sums,
    pub(crate) rows: u64,
    pub(crate) range: TimeRange,
}

/// Writes rows of a table to `path`, durably but for the name.
pub(crate) fn write(
    vfs: &dyn Vfs,
    path: &Path,
    table: Table,
    parts: &[Part],
) -> Result<Written, EngineError> {
    let file = vfs.create(path).map_err(EngineError::io("create", path))?;
    let encode = |source| EngineError::Encode { path: path.to_owned(), source };
    let sorted = sort(&store::schema(table), parts).map_err(|error| encode(error.into()))?;
    let mut writer = writer(SummingWriter::new(file), &sorted.schema(), table).map_err(encode)?;
    write_groups(&mut writer, &sorted, table).map_err(encode)?;
    let sums = writer.into_inner().map_err(encode)?.finish().map_err(EngineError::io("write", path))?;
    let times = times_of(&sorted).map_err(|error| encode(error.into()))?.values();
    let first_last = times.first().zip(times.last());
    let (first, last) =
        first_last.ok_or_else(|| encode(ParquetError::General("there are no rows".to_owned())))?;
    let range = TimeRange::new(Timestamp::from_nanos(*first), Timestamp::from_nanos(*last));
    Ok(Written { sums, rows: sorted.num_rows() as u64, range })
}

/// Writes row groups, and after them the filters of words of their texts.
fn write_groups(
    writer: &mut ArrowWriter<SummingWriter>,
    rows: &RecordBatch,
    table: Table,
) -> Result<(), ParquetError> {
    let columns = table.text_columns();
    let mut filters: Vec<Vec<Option<Vec<u8>>>> = vec![Vec::new(); columns.len()];
    for start in (0..rows.num_rows()).step_by(ROW_GROUP_ROWS) {
        let group = rows.slice(start, ROW_GROUP_ROWS.min(rows.num_rows() - start));
        for start in (0..group.num_rows()).step_by(WRITE_ROWS) {
            writer.write(&group.slice(start, WRITE_ROWS.min(group.num_rows() - start)))?;
        }
        writer.flush()?;
        for (column, filters) in columns.iter().zip(&mut filters) {
            filters.push(words_of(&group, column).filter());
        }
    }
    // A block of a filter is within one block of checksums.
    let padding = writer.bytes_written().next_multiple_of(tokens::BLOCK_BYTES) - writer.bytes_written();
    writer.write_all(&[0; tokens::BLOCK_BYTES][..padding])?;
    for (column, filters) in columns.iter().zip(filters) {
        let mut places = Vec::with_capacity(filters.len());
        for filter in filters {
            let Some(filter) = filter else {
                places.push(None);
                continue;
            };
            let blocks = u32::try_from(filter.len() / tokens::BLOCK_BYTES).ok();
            places.push(blocks.map(|blocks| (writer.bytes_written() as u64, blocks)));
            writer.write_all(&filter)?;
        }
        writer.append_key_value_metadata(tokens::Places::new(places).to_metadata(column));
    }
    Ok(())
}

fn words_of(rows: &RecordBatch, column: &str) -> Words {
    let mut words = Words::default();
    if let Some(texts) = rows.column_by_name(column).and_then(|column| column.as_string_opt::<i32>()) {
        texts.iter().flatten().for_each(|text| words.add(text));
    }
    words
}

/// All rows in one batch, by time. The head's bound on events bounds it.
fn sort(schema: &SchemaRef, parts: &[Part]) -> Result<RecordBatch, ArrowError> {
    let all = concat_batches(schema, parts.iter().map(|part| &part.rows))?;
    let times = times_of(&all)?;
    if times.values().is_sorted() {
        return Ok(all);
    }
    // A stable sort: of two rows with the same time, the one that came first stays first.
    let mut order: Vec<u32> = (0u32..).take(all.num_rows()).collect();
    order.sort_by_key(|row| times.value(*row as usize));
    take_record_batch(&all, &UInt32Array::from(order))
}

fn writer(
    file: SummingWriter,
    schema: &SchemaRef,
    table: Table,
) -> Result<ArrowWriter<SummingWriter>, ParquetError> {
    let mut properties = WriterProperties::builder()
        .set_created_by(concat!("watchkeeper ", env!("CARGO_PKG_VERSION")).to_owned())
        .set_compression(Compression::ZSTD(ZstdLevel::try_new(ZSTD_LEVEL)?))
        .set_max_row_group_row_count(Some(ROW_GROUP_ROWS))
        .set_data_page_size_limit(PAGE_BYTES)
        .set_statistics_enabled(EnabledStatistics::Page)
        .set_sorting_columns(Some(vec![SortingColumn {
            column_idx: 0,
            descending: false,
            nulls_first: false,
        }]))
        .set_column_dictionary_enabled(ColumnPath::from(TIME), false);
    for column in table.id_columns() {
        // Said of all columns, it would give all of them a filter.
        properties = properties.set_column_bloom_filter_fpp(ColumnPath::from(*column), BLOOM_FALSE_POSITIVES);
    }
    // A dictionary of floats is larger than the floats.
    for field in schema.fields().iter().filter(|field| *field.data_type() == DataType::Float64) {
        properties = properties.set_column_dictionary_enabled(ColumnPath::from(field.name().as_str()), false);
    }
    ArrowWriter::try_new(file, SchemaRef::clone(schema), Some(properties.build()))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use parquet::arrow::arrow_reader::ArrowReaderMetadata;

    use super::*;
    use crate::sums::CheckedFile;
    use crate::testing::deploys;
    use crate::vfs::Disk;

    #[test]
    fn only_columns_of_ids_get_bloom_filters_and_only_texts_get_filters_of_words() {
        let dir = tempfile::tempdir().expect("dir");
        let path = dir.path().join("deploys.parquet");
        let range = TimeRange::ALL;
        let parts = [Part { rows: deploys(&[3, 1, 2]), range }];
        let written = write(&Disk, &path, Table::Deploys, &parts).expect("written");
        let file = Disk.open(&path).expect("open");
        let input = CheckedFile::new(file, Arc::new(written.sums), &path, Arc::default()).expect("its size");
        let footer = ArrowReaderMetadata::load(&input, Default::default()).expect("a footer");
        let columns = footer.metadata().row_group(0).columns().iter();
        let with_bloom: Vec<String> = columns
            .filter(|column| column.bloom_filter_offset().is_some())
            .map(|column| column.column_path().string())
            .collect();
        assert_eq!(with_bloom, Table::Deploys.id_columns());
        for field in store::schema(Table::Deploys).fields() {
            let is_text = Table::Deploys.text_columns().contains(&field.name().as_str());
            assert_eq!(tokens::Places::of(&footer, field.name()).is_some(), is_text, "{}", field.name());
        }
    }
}
