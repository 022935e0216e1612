//! Writing rows in a format.

use std::io::{self, Write};
use std::sync::{Arc, Mutex, PoisonError};

use arrow::array::RecordBatch;
use arrow::csv;
use arrow::datatypes::{DataType, Schema, SchemaRef};
use arrow::error::ArrowError;
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
pub(crate) const TIME_FORMAT: &str = "%Y-%m-%dT%H:%M:%S%.fZ";

/// Writes rows to an output. Memory does not grow with their number.
pub struct RowWriter<W: Write + Send> {
    kind: Kind<W>,
    schema: SchemaRef,
}

enum Kind<W: Write + Send> {
    Parquet(Box<ArrowWriter<W>>),
    Csv(Box<csv::Writer<Told<W>>>, LastError),
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
                let last = LastError::default();
                let mut writer = writer.build(Told { output, last: last.clone() });
                // The names stand there even if no row does.
                writer
                    .write(&RecordBatch::new_empty(SchemaRef::clone(&schema)))
                    .map_err(|error| last.or(error))?;
                (Kind::Csv(Box::new(writer), last), schema)
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
            Kind::Csv(writer, last) => {
                writer.write(&plain::rows(rows, &self.schema)?).map_err(|error| last.or(error))?;
            }
            Kind::Ndjson(writer) => writer.write(&plain::rows(rows, &self.schema)?)?,
            Kind::Arrow(writer) => writer.write(rows)?,
        }
        Ok(())
    }

    /// Ends the file, and gives back the output.
    pub fn finish(self) -> Result<W, WriteError> {
        match self.kind {
            Kind::Parquet(writer) => Ok(writer.into_inner()?),
            Kind::Csv(writer, _) => Ok(writer.into_inner().output),
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

/// The last error of an output. The writer of CSV tells its text alone, not what it was.
#[derive(Clone, Default)]
struct LastError(Arc<Mutex<Option<io::Error>>>);

impl LastError {
    fn or(&self, error: ArrowError) -> WriteError {
        let last = self.0.lock().unwrap_or_else(PoisonError::into_inner).take();
        last.map_or_else(|| error.into(), WriteError::Output)
    }

    fn keep<T>(&self, result: io::Result<T>) -> io::Result<T> {
        result.map_err(|error| {
            let told = io::Error::new(error.kind(), error.to_string());
            *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(error);
            told
        })
    }
}

/// An output of which the last error is kept.
struct Told<W> {
    output: W,
    last: LastError,
}

impl<W: Write> Write for Told<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.last.keep(self.output.write(bytes))
    }

    fn flush(&mut self) -> io::Result<()> {
        self.last.keep(self.output.flush())
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

#[cfg(test)]
mod tests {
    use arrow::array::{ArrayRef, Int64Array};

    use super::*;

    /// An output that nobody reads any more.
    struct Closed;

    impl Write for Closed {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Err(io::ErrorKind::BrokenPipe.into())
        }

        fn flush(&mut self) -> io::Result<()> {
            Err(io::ErrorKind::BrokenPipe.into())
        }
    }

    #[test]
    fn an_output_that_was_closed_is_told_from_other_errors_in_every_format() {
        let column: ArrayRef = Arc::new(Int64Array::from_iter_values(0..100_000));
        let rows = RecordBatch::try_from_iter([("number", column)]).expect("rows");
        for format in [Format::Parquet, Format::Csv, Format::Ndjson, Format::Arrow] {
            let failed = RowWriter::new(format, &rows.schema(), Closed)
                .and_then(|mut writer| writer.write(&rows).and_then(|()| writer.finish().map(|_| ())));
            let error = failed.expect_err("it is closed");
            assert_eq!(error.io_kind(), Some(io::ErrorKind::BrokenPipe), "{format:?}: {error:?}");
        }
    }
}
