//! Writing a block, series by series.

use std::path::Path;
use std::sync::{Arc, LazyLock};

use arrow::array::{ArrayRef, BinaryBuilder, Float64Builder, Int64Builder, RecordBatch, UInt32Builder};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use model::{LabelsRef, TimeRange, Timestamp};
use parquet::arrow::ArrowWriter;
use parquet::basic::{Compression, Encoding, ZstdLevel};
use parquet::errors::ParquetError;
use parquet::file::properties::{EnabledStatistics, WriterProperties, WriterPropertiesBuilder};
use parquet::schema::types::ColumnPath;

use crate::EngineError;
use crate::block::{chunk, chunk_column, series_column};
use crate::sums::{SummingWriter, Sums};
use crate::vfs::Vfs;

/// Bytes of a page of packed columns: what is read to get at one chunk.
const PAGE_BYTES: usize = 16 * 1024;
/// A row group is held in memory until it is complete.
const ROW_GROUP_ROWS: usize = 16 * 1024;
const ROW_GROUP_BYTES: usize = 16 << 20;
/// Rows that are given to the writer at a time.
const BATCH_ROWS: usize = 1024;
/// Level 1 packs labels nearly as well as 3 at half the cost.
const ZSTD_LEVEL: i32 = 1;

static CHUNKS: LazyLock<SchemaRef> = LazyLock::new(|| {
    let column = |name, data_type| Field::new(name, data_type, false);
    Arc::new(Schema::new(vec![
        column(chunk_column::SERIES, DataType::UInt32),
        column(chunk_column::FIRST, DataType::Int64),
        column(chunk_column::LAST, DataType::Int64),
        column(chunk_column::COUNT, DataType::UInt32),
        column(chunk_column::MIN, DataType::Float64),
        column(chunk_column::MAX, DataType::Float64),
        column(chunk_column::TIMES, DataType::Binary),
        column(chunk_column::VALUES, DataType::Binary),
    ]))
});

static SERIES: LazyLock<SchemaRef> = LazyLock::new(|| {
    let column = |name, data_type| Field::new(name, data_type, false);
    Arc::new(Schema::new(vec![
        column(series_column::SERIES, DataType::UInt32),
        column(series_column::LABELS, DataType::Binary),
        column(series_column::CHUNKS, DataType::UInt32),
        column(series_column::FIRST, DataType::Int64),
        column(series_column::LAST, DataType::Int64),
    ]))
});

/// What has been written.
pub(crate) struct Written {
    pub(crate) chunks: Sums,
    pub(crate) series: Sums,
    pub(crate) samples: u64,
    pub(crate) range: TimeRange,
}

/// Writes a block to two files, durably but for their names: series come in ascending order of labels'
/// bytes, each once, with its samples.
pub(crate) struct BlockWriter {
    chunks: File<ChunkRows>,
    series: File<SeriesRows>,
    next: u32,
    samples: u64,
    first_ms: i64,
    last_ms: i64,
}

impl BlockWriter {
    /// Creates both files.
    pub(crate) fn create(vfs: &dyn Vfs, chunks_path: &Path, series_path: &Path) -> Result<Self, EngineError> {
        let chunks = File::<ChunkRows>::create(vfs, chunks_path, chunk_properties())?;
        let series = File::<SeriesRows>::create(vfs, series_path, series_properties())?;
        Ok(Self { chunks, series, next: 0, samples: 0, first_ms: i64::MAX, last_ms: i64::MIN })
    }

    /// Adds a series; there is at least one sample.
    pub(crate) fn push(
        &mut self,
        labels: LabelsRef<'_>,
        times: &[i64],
        values: &[f64],
    ) -> Result<(), EngineError> {
        let pieces = times.chunks(chunk::MAX_SAMPLES).zip(values.chunks(chunk::MAX_SAMPLES));
        let count = u32::try_from(pieces.len()).expect("memory ends long before 2^32 chunks");
        for (times, values) in pieces {
            self.chunks.rows.push(self.next, times, values);
            self.chunks.write_if_full()?;
        }
        let (first, last) = (times[0], times[times.len() - 1]);
        self.series.rows.push(self.next, labels, count, (first, last));
        self.series.write_if_full()?;
        self.next += 1;
        self.samples += times.len() as u64;
        self.first_ms = self.first_ms.min(first);
        self.last_ms = self.last_ms.max(last);
        Ok(())
    }

    /// Ends both files. There is at least one series.
    pub(crate) fn finish(self) -> Result<Written, EngineError> {
        let (first, last) = (Timestamp::from_millis(self.first_ms), Timestamp::from_millis(self.last_ms));
        let (chunks, series) = (self.chunks.finish()?, self.series.finish()?);
        Ok(Written { chunks, series, samples: self.samples, range: TimeRange::new(first, last) })
    }
}

fn properties() -> WriterPropertiesBuilder {
    WriterProperties::builder()
        .set_created_by(concat!("watchkeeper ", env!("CARGO_PKG_VERSION")).to_owned())
        .set_max_row_group_row_count(Some(ROW_GROUP_ROWS))
        .set_data_page_size_limit(PAGE_BYTES)
        .set_dictionary_enabled(false)
        .set_statistics_enabled(EnabledStatistics::Page)
}

/// Packed columns are neither compressed again nor described: their least and greatest bytes mean nothing.
fn chunk_properties() -> WriterProperties {
    let packed = [chunk_column::TIMES, chunk_column::VALUES];
    let properties = packed.into_iter().fold(properties(), |properties, column| {
        properties
            .set_column_encoding(ColumnPath::from(column), Encoding::PLAIN)
            .set_column_statistics_enabled(ColumnPath::from(column), EnabledStatistics::None)
    });
    properties.set_max_row_group_bytes(Some(ROW_GROUP_BYTES)).build()
}

fn series_properties() -> WriterProperties {
    let level = ZstdLevel::try_new(ZSTD_LEVEL).expect("1 is a level of zstd");
    let labels = ColumnPath::from(series_column::LABELS);
    properties()
        .set_compression(Compression::ZSTD(level))
        .set_column_encoding(labels.clone(), Encoding::DELTA_BYTE_ARRAY)
        .set_column_statistics_enabled(labels, EnabledStatistics::None)
        .build()
}

/// Rows on their way into a file.
trait Rows: Default {
    fn schema() -> SchemaRef;
    fn len(&self) -> usize;
    /// Takes the rows out, column by column.
    fn take(&mut self) -> Vec<ArrayRef>;
}

struct File<R> {
    rows: R,
    writer: ArrowWriter<SummingWriter>,
    path: std::path::PathBuf,
}

impl<R: Rows> File<R> {
    fn create(vfs: &dyn Vfs, path: &Path, properties: WriterProperties) -> Result<Self, EngineError> {
        let file = vfs.create(path).map_err(EngineError::io("create", path))?;
        let writer = ArrowWriter::try_new(SummingWriter::new(file), R::schema(), Some(properties))
            .map_err(|source| EngineError::Encode { path: path.to_owned(), source })?;
        Ok(Self { rows: R::default(), writer, path: path.to_owned() })
    }

    fn write_if_full(&mut self) -> Result<(), EngineError> {
        if self.rows.len() >= BATCH_ROWS { self.write() } else { Ok(()) }
    }

    fn write(&mut self) -> Result<(), EngineError> {
        RecordBatch::try_new(R::schema(), self.rows.take())
            .map_err(ParquetError::from)
            .and_then(|batch| self.writer.write(&batch))
            .map_err(|source| EngineError::Encode { path: self.path.clone(), source })
    }

    fn finish(mut self) -> Result<Sums, EngineError> {
        self.write()?;
        let Self { writer, path, .. } = self;
        let file =
            writer.into_inner().map_err(|source| EngineError::Encode { path: path.clone(), source })?;
        file.finish().map_err(EngineError::io("write", path))
    }
}

#[derive(Default)]
struct ChunkRows {
    series: UInt32Builder,
    first: Int64Builder,
    last: Int64Builder,
    count: UInt32Builder,
    min: Float64Builder,
    max: Float64Builder,
    times: BinaryBuilder,
    values: BinaryBuilder,
    packed: Vec<u8>,
    rows: usize,
}

impl ChunkRows {
    /// Adds a chunk; there is at least one sample.
    fn push(&mut self, series: u32, times: &[i64], values: &[f64]) {
        self.series.append_value(series);
        self.first.append_value(times[0]);
        self.last.append_value(times[times.len() - 1]);
        self.count.append_value(times.len() as u32);
        // NaN, which staleness markers are too, is neither least nor greatest unless there is nothing else.
        self.min.append_value(values.iter().copied().fold(f64::NAN, f64::min));
        self.max.append_value(values.iter().copied().fold(f64::NAN, f64::max));
        self.packed.clear();
        chunk::pack_times(times, &mut self.packed);
        self.times.append_value(&self.packed);
        self.packed.clear();
        chunk::pack_values(values, &mut self.packed);
        self.values.append_value(&self.packed);
        self.rows += 1;
    }
}

impl Rows for ChunkRows {
    fn schema() -> SchemaRef {
        Arc::clone(&CHUNKS)
    }

    fn len(&self) -> usize {
        self.rows
    }

    fn take(&mut self) -> Vec<ArrayRef> {
        self.rows = 0;
        vec![
            Arc::new(self.series.finish()),
            Arc::new(self.first.finish()),
            Arc::new(self.last.finish()),
            Arc::new(self.count.finish()),
            Arc::new(self.min.finish()),
            Arc::new(self.max.finish()),
            Arc::new(self.times.finish()),
            Arc::new(self.values.finish()),
        ]
    }
}

#[derive(Default)]
struct SeriesRows {
    series: UInt32Builder,
    labels: BinaryBuilder,
    chunks: UInt32Builder,
    first: Int64Builder,
    last: Int64Builder,
    rows: usize,
}

impl SeriesRows {
    fn push(&mut self, id: u32, labels: LabelsRef<'_>, chunks: u32, (first, last): (i64, i64)) {
        self.series.append_value(id);
        self.labels.append_value(labels.as_bytes());
        self.chunks.append_value(chunks);
        self.first.append_value(first);
        self.last.append_value(last);
        self.rows += 1;
    }
}

impl Rows for SeriesRows {
    fn schema() -> SchemaRef {
        Arc::clone(&SERIES)
    }

    fn len(&self) -> usize {
        self.rows
    }

    fn take(&mut self) -> Vec<ArrayRef> {
        self.rows = 0;
        vec![
            Arc::new(self.series.finish()),
            Arc::new(self.labels.finish()),
            Arc::new(self.chunks.finish()),
            Arc::new(self.first.finish()),
            Arc::new(self.last.finish()),
        ]
    }
}
