//! Writing an event file: rows sorted by time, ids as bytes, frequent attributes in columns of their own, zstd, bloom
//! filters on ids, filters of words, page index.

use std::path::{Path, PathBuf};

use arrow::array::{Array, AsArray, MapArray, RecordBatch};
use arrow::datatypes::{DataType, SchemaRef};
use model::{TimeRange, Timestamp};
use parquet::arrow::ArrowWriter;
use parquet::basic::{Compression, Encoding, ZstdLevel};
use parquet::errors::ParquetError;
use parquet::file::metadata::SortingColumn;
use parquet::file::properties::{EnabledStatistics, WriterProperties};
use parquet::schema::types::ColumnPath;
use store::Table;

use crate::EngineError;
use crate::events::lifted::{self, Lifting};
use crate::events::order::sorted;
use crate::events::tokens::{self, Words};
use crate::events::{ids, times_of};
use crate::head::events::Part;
use crate::sums::{SummingWriter, Sums};
use crate::vfs::Vfs;

/// Rows of a row group: the unit that a query skips by statistics and bloom filters.
const ROW_GROUP_ROWS: usize = 128 * 1024;
/// Rows that are sorted into place and encoded at a time.
const WRITE_ROWS: usize = 8 * 1024;
/// Bytes of a page before compression.
const PAGE_BYTES: usize = 64 * 1024;
/// Rows of a page: whoever wants one of them goes over those before it, in each column.
const PAGE_ROWS: usize = 8 * 1024;
/// Bytes of a dictionary. A column with more different values has them in its pages, and whoever reads one row of it need
/// not read a dictionary of which it uses one value.
const DICTIONARY_BYTES: usize = 128 * 1024;
/// How often a bloom filter may say "perhaps" wrongly.
const BLOOM_FALSE_POSITIVES: f64 = 0.01;
/// Level 1 packs nearly as well as 3 at half the cost.
const ZSTD_LEVEL: i32 = 1;

/// Rows of a row group are encoded in memory; one that takes more than this ends early.
const ROW_GROUP_BYTES: usize = 64 << 20;

/// What has been written.
pub(crate) struct Written {
    pub(crate) sums: Sums,
    pub(crate) rows: u64,
    pub(crate) range: TimeRange,
}

/// Writes a file of rows that come in ascending time, within the memory of a row group.
pub(crate) struct EventWriter {
    writer: ArrowWriter<SummingWriter>,
    path: PathBuf,
    /// The columns of rows before attributes are lifted.
    schema: SchemaRef,
    lifting: Lifting,
    /// The columns that get filters of words.
    texts: Vec<Texts>,
    /// Rows of the row group that is being written.
    group_rows: usize,
    rows: u64,
    first_last: Option<(i64, i64)>,
}

/// A column that people search in, of texts or of attributes.
struct Texts {
    column: &'static str,
    /// What the row group that is being written has.
    words: Words,
    /// Filters of the row groups before it.
    filters: Vec<Option<Vec<u8>>>,
}

impl EventWriter {
    /// Begins a file of a table, with those of its columns that are in `schema`, which may have ids as bytes, and with
    /// attributes that get columns of their own.
    pub(crate) fn create(
        vfs: &dyn Vfs,
        path: &Path,
        table: Table,
        schema: SchemaRef,
        lifted: Vec<lifted::Column>,
    ) -> Result<Self, EngineError> {
        let lifting = Lifting::new(&schema, lifted);
        let file = vfs.create(path).map_err(EngineError::io("create", path))?;
        let writer = writer(SummingWriter::new(file), &lifting, table);
        let writer = writer.map_err(|source| EngineError::Encode { path: path.to_owned(), source })?;
        let columns = table.text_columns().iter().chain(table.attribute_columns());
        let columns = columns.filter(|column| schema.index_of(column).is_ok());
        let texts = columns.map(|column| Texts { column, words: Words::default(), filters: Vec::new() });
        let (texts, path) = (texts.collect(), path.to_owned());
        Ok(Self { writer, path, schema, lifting, texts, group_rows: 0, rows: 0, first_last: None })
    }

    /// Adds rows, with the file's columns (ids may be texts where it has bytes) and in ascending time, none before those
    /// added so far.
    pub(crate) fn push(&mut self, rows: &RecordBatch) -> Result<(), EngineError> {
        let rows = ids::converted(rows.clone(), &self.schema).map_err(|error| self.encode(error.into()))?;
        self.push_rows(&rows).map_err(|source| self.encode(source))
    }

    /// Adds rows that came in any order. They are sorted in memory, in one piece: what they come from is
    /// bounded.
    pub(crate) fn push_unsorted(&mut self, parts: &[Part]) -> Result<(), EngineError> {
        let rows = sorted(&self.schema, parts).map_err(|error| self.encode(error.into()))?;
        self.push(&rows)
    }

    /// Writes what is left, durably but for the name. A file has rows, or it is an error.
    pub(crate) fn finish(mut self) -> Result<Written, EngineError> {
        if self.group_rows > 0 {
            self.end_group().map_err(|source| self.encode(source))?;
        }
        self.write_filters().map_err(|source| self.encode(source))?;
        let none = || ParquetError::General("there are no rows".to_owned());
        let (first, last) = self.first_last.ok_or_else(|| self.encode(none()))?;
        let Self { writer, path, rows, .. } = self;
        let file = writer.into_inner();
        let file = file.map_err(|source| EngineError::Encode { path: path.clone(), source })?;
        let sums = file.finish().map_err(EngineError::io("write", &path))?;
        let range = TimeRange::new(Timestamp::from_nanos(first), Timestamp::from_nanos(last));
        Ok(Written { sums, rows, range })
    }

    fn encode(&self, source: ParquetError) -> EngineError {
        EngineError::Encode { path: self.path.clone(), source }
    }

    fn push_rows(&mut self, rows: &RecordBatch) -> Result<(), ParquetError> {
        let times = times_of(rows)?.values();
        let Some((first, last)) = times.first().zip(times.last()) else { return Ok(()) };
        let before = self.first_last.map_or(*first, |(_, last)| last);
        if before > *first || !times.is_sorted() {
            return Err(ParquetError::General("rows are not in ascending time".to_owned()));
        }
        self.first_last = Some((self.first_last.map_or(*first, |(first, _)| first), *last));
        self.rows += rows.num_rows() as u64;
        let mut start = 0;
        while start < rows.num_rows() {
            let count = WRITE_ROWS.min(ROW_GROUP_ROWS - self.group_rows).min(rows.num_rows() - start);
            let some = rows.slice(start, count);
            self.writer.write(&self.lifting.split(&some)?)?;
            // What they search in is the same whatever is lifted.
            self.texts.iter_mut().for_each(|texts| texts.add(&some));
            self.group_rows += count;
            start += count;
            if self.group_rows == ROW_GROUP_ROWS || self.writer.memory_size() > ROW_GROUP_BYTES {
                self.end_group()?;
            }
        }
        Ok(())
    }

    fn end_group(&mut self) -> Result<(), ParquetError> {
        self.writer.flush()?;
        self.group_rows = 0;
        for texts in &mut self.texts {
            texts.filters.push(std::mem::take(&mut texts.words).filter());
        }
        Ok(())
    }

    /// Writes the filters of words of all row groups, where they are, and what is lifted.
    fn write_filters(&mut self) -> Result<(), ParquetError> {
        let writer = &mut self.writer;
        // A block of a filter is within one block of checksums.
        let padding = writer.bytes_written().next_multiple_of(tokens::BLOCK_BYTES) - writer.bytes_written();
        writer.write_all(&[0; tokens::BLOCK_BYTES][..padding])?;
        for Texts { column, filters, .. } in &self.texts {
            let mut places = Vec::with_capacity(filters.len());
            for filter in filters {
                let Some(filter) = filter else {
                    places.push(None);
                    continue;
                };
                let blocks = u32::try_from(filter.len() / tokens::BLOCK_BYTES).ok();
                places.push(blocks.map(|blocks| (writer.bytes_written() as u64, blocks)));
                writer.write_all(filter)?;
            }
            writer.append_key_value_metadata(tokens::Places::new(places).to_metadata(column));
        }
        if let Some(lifted) = self.lifting.to_metadata() {
            writer.append_key_value_metadata(lifted);
        }
        Ok(())
    }
}

impl Texts {
    fn add(&mut self, rows: &RecordBatch) {
        let Some(column) = rows.column_by_name(self.column) else { return };
        if let Some(texts) = column.as_string_opt::<i32>() {
            texts.iter().flatten().for_each(|text| self.words.add(text));
        }
        if let Some(attributes) = column.as_map_opt() {
            self.add_attributes(attributes);
        }
    }

    fn add_attributes(&mut self, attributes: &MapArray) {
        let (keys, values) =
            (attributes.keys().as_string_opt::<i32>(), attributes.values().as_string_opt::<i32>());
        let (Some(keys), Some(values)) = (keys, values) else { return };
        // What lies between the first entry of these rows and their last one; those of null are among them.
        let offsets = attributes.value_offsets();
        let (Some(first), Some(last)) = (offsets.first(), offsets.last()) else { return };
        for entry in *first as usize..*last as usize {
            let value = values.is_valid(entry).then(|| values.value(entry));
            self.words.add_attribute(keys.value(entry), value);
        }
    }
}

fn writer(
    file: SummingWriter,
    lifting: &Lifting,
    table: Table,
) -> Result<ArrowWriter<SummingWriter>, ParquetError> {
    let schema = lifting.schema();
    let mut properties = WriterProperties::builder()
        .set_created_by(concat!("watchkeeper ", env!("CARGO_PKG_VERSION")).to_owned())
        .set_compression(Compression::ZSTD(ZstdLevel::try_new(ZSTD_LEVEL)?))
        .set_max_row_group_row_count(Some(ROW_GROUP_ROWS))
        .set_data_page_size_limit(PAGE_BYTES)
        .set_data_page_row_count_limit(PAGE_ROWS)
        .set_dictionary_page_size_limit(DICTIONARY_BYTES)
        .set_statistics_enabled(EnabledStatistics::Page)
        .set_sorting_columns(Some(vec![SortingColumn {
            column_idx: 0,
            descending: false,
            nulls_first: false,
        }]));
    // Each is another.
    for column in table.unique_columns() {
        properties = properties.set_column_dictionary_enabled(ColumnPath::from(*column), false);
    }
    for column in table.id_columns() {
        // Said of all columns, it would give all of them a filter.
        properties = properties.set_column_bloom_filter_fpp(ColumnPath::from(*column), BLOOM_FALSE_POSITIVES);
    }
    for field in schema.fields() {
        let column = || ColumnPath::from(field.name().as_str());
        match field.data_type() {
            // A dictionary of floats is larger than the floats.
            DataType::Float64 => properties = properties.set_column_dictionary_enabled(column(), false),
            // One time is not far from the next.
            DataType::Timestamp(..) => {
                properties = properties
                    .set_column_dictionary_enabled(column(), false)
                    .set_column_encoding(column(), Encoding::DELTA_BINARY_PACKED);
            }
            // Ids are as good as random. Where rows share them zstd does what a dictionary would do, which this version
            // of Parquet does not have for values of one size.
            DataType::FixedSizeBinary(_) if table.unique_columns().contains(&field.name().as_str()) => {
                properties = properties.set_column_compression(column(), Compression::UNCOMPRESSED);
            }
            _ => {}
        }
    }
    for column in lifting.numbers() {
        let column = || ColumnPath::from(column.as_str());
        // Differences are packed to the bits that they need, which leaves nothing to do.
        properties = properties
            .set_column_dictionary_enabled(column(), false)
            .set_column_encoding(column(), Encoding::DELTA_BINARY_PACKED)
            .set_column_compression(column(), Compression::UNCOMPRESSED);
    }
    ArrowWriter::try_new(file, SchemaRef::clone(schema), Some(properties.build()))
}

#[cfg(test)]
pub(super) mod tests;
