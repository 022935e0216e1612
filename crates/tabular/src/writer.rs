//! Writing rows in a format.

use std::io::Write;

use arrow::array::RecordBatch;
use arrow::csv;
use arrow::datatypes::{DataType, Schema, SchemaRef};
use arrow::ipc::writer::StreamWriter;
use arrow::json::LineDelimitedWriter;
use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_writer::ArrowWriterOptions;
use parquet::basic::{Compression, Encoding, ZstdLevel};
use parquet::errors::ParquetError;
use parquet::file::properties::{EnabledStatistics, WriterProperties};
use parquet::schema::types::ColumnPath;

use crate::plain::{self, Maps};
use crate::{Format, WriteError};

/// Rows of a row group of Parquet.
const ROW_GROUP_ROWS: usize = 512 * 1024;
/// Bytes of a row group, packed, at which it is closed before that: it is kept in memory until then.
const ROW_GROUP_BYTES: usize = 16 << 20;
/// Level 1 packs nearly as well as 3 at half the cost.
const ZSTD_LEVEL: i32 = 1;
/// RFC 3339 in UTC, with as many digits as are needed.
const TIME_FORMAT: &str = "%Y-%m-%dT%H:%M:%S%.fZ";

/// Writes rows to an output. Memory does not grow with their number.
pub struct RowWriter<W: Write + Send> {
    kind: Kind<W>,
    schema: SchemaRef,
}

enum Kind<W: Write + Send> {
    Parquet(Box<ArrowWriter<W>>),
    Csv(Box<csv::Writer<W>>),
    Ndjson(Box<LineDelimitedWriter<W>>),
    Arrow(Box<StreamWriter<W>>),
}

impl<W: Write + Send> RowWriter<W> {
    /// Begins a file of rows that have `schema`.
    pub fn new(format: Format, schema: &SchemaRef, output: W) -> Result<Self, WriteError> {
        let (kind, schema) = match format {
            Format::Parquet => (Kind::Parquet(Box::new(parquet(output, schema)?)), SchemaRef::clone(schema)),
            Format::Arrow => {
                (Kind::Arrow(Box::new(StreamWriter::try_new(output, schema)?)), SchemaRef::clone(schema))
            }
            Format::Csv => {
                let schema = plain::schema(schema, Maps::AsJson);
                let writer = csv::WriterBuilder::new().with_timestamp_tz_format(TIME_FORMAT.to_owned());
                let mut writer = writer.build(output);
                // The names stand there even if no row does.
                writer.write(&RecordBatch::new_empty(SchemaRef::clone(&schema)))?;
                (Kind::Csv(Box::new(writer)), schema)
            }
            Format::Ndjson => {
                let builder = arrow::json::WriterBuilder::new();
                let builder = builder.with_timestamp_tz_format(TIME_FORMAT.to_owned());
                (Kind::Ndjson(Box::new(builder.build(output))), plain::schema(schema, Maps::Kept))
            }
        };
        Ok(Self { kind, schema })
    }

    /// Writes rows, which have the schema.
    pub fn write(&mut self, rows: &RecordBatch) -> Result<(), WriteError> {
        match &mut self.kind {
            Kind::Parquet(writer) => {
                writer.write(rows)?;
                if writer.in_progress_size() >= ROW_GROUP_BYTES {
                    writer.flush()?;
                }
            }
            Kind::Csv(writer) => writer.write(&plain::rows(rows, &self.schema)?)?,
            Kind::Ndjson(writer) => writer.write(&plain::rows(rows, &self.schema)?)?,
            Kind::Arrow(writer) => writer.write(rows)?,
        }
        Ok(())
    }

    /// Ends the file, and gives back the output.
    pub fn finish(self) -> Result<W, WriteError> {
        match self.kind {
            Kind::Parquet(writer) => Ok(writer.into_inner()?),
            Kind::Csv(writer) => Ok(writer.into_inner()),
            Kind::Ndjson(mut writer) => {
                writer.finish()?;
                Ok(writer.into_inner())
            }
            Kind::Arrow(mut writer) => {
                writer.finish()?;
                Ok(writer.into_inner()?)
            }
        }
    }
}

fn parquet<W: Write + Send>(output: W, schema: &SchemaRef) -> Result<ArrowWriter<W>, ParquetError> {
    let mut properties = WriterProperties::builder()
        .set_created_by(concat!("watchkeeper ", env!("CARGO_PKG_VERSION")).to_owned())
        .set_compression(Compression::ZSTD(ZstdLevel::try_new(ZSTD_LEVEL)?))
        .set_max_row_group_row_count(Some(ROW_GROUP_ROWS))
        .set_statistics_enabled(EnabledStatistics::Chunk);
    for field in schema.fields() {
        let column = || ColumnPath::from(field.name().as_str());
        if matches!(field.data_type(), DataType::Float64 | DataType::Timestamp(..)) {
            properties = properties.set_column_dictionary_enabled(column(), false);
        }
        if matches!(field.data_type(), DataType::Timestamp(..)) {
            properties = properties.set_column_encoding(column(), Encoding::DELTA_BINARY_PACKED);
        }
    }
    // Without Arrow's own schema beside Parquet's, texts are texts to every reader, not categories.
    let options =
        ArrowWriterOptions::new().with_properties(properties.build()).with_skip_arrow_metadata(true);
    ArrowWriter::try_new_with_options(output, unnamed(schema), options)
}

/// The schema without metadata that belongs to somebody else.
fn unnamed(schema: &SchemaRef) -> SchemaRef {
    if schema.metadata().is_empty() {
        return SchemaRef::clone(schema);
    }
    SchemaRef::new(Schema::new(schema.fields().clone()))
}
