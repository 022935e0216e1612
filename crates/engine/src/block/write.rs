//! Writing a block, series by series.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Arc, LazyLock};

use arrow::array::{
    ArrayRef, BinaryBuilder, Float64Builder, Int64Builder, RecordBatch, StringBuilder, UInt32Builder,
};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use model::{Histograms, LabelsRef, Starts, TimeRange, Timestamp};
use parquet::arrow::ArrowWriter;
use parquet::basic::{Compression, Encoding, ZstdLevel};
use parquet::errors::ParquetError;
use parquet::file::properties::{EnabledStatistics, WriterProperties, WriterPropertiesBuilder};
use parquet::schema::types::ColumnPath;
use roaring::RoaringBitmap;
use store::SeriesBuffer;

use crate::EngineError;
use crate::block::series::PAGE_SERIES;
use crate::block::{chunk, chunk_column, index_column, series_column, times_column};
use crate::catalog::Part;
use crate::index::LabelIndex;
use crate::sums::{SummingWriter, Sums};
use crate::vfs::Vfs;

/// Bytes of a page of packed columns: what is read to get at one chunk.
const PAGE_BYTES: usize = 16 * 1024;
/// Rows after which the size of a page of packed columns is looked at.
const PAGE_CHECK_ROWS: usize = 16;
/// A row group is held in memory until it is complete.
const ROW_GROUP_ROWS: usize = 16 * 1024;
const ROW_GROUP_BYTES: usize = 16 << 20;
/// Rows that are given to the writer at a time.
const BATCH_ROWS: usize = 1024;
/// Level 1 packs labels nearly as well as 3 at half the cost.
const ZSTD_LEVEL: i32 = 1;
/// Times of columns that are remembered to find the same ones again, eight bytes each.
const KNOWN_TIMES: usize = 4 << 20;

fn schema(columns: &[(&str, DataType)]) -> SchemaRef {
    let field = |(name, data_type): &(&str, DataType)| Field::new(*name, data_type.clone(), false);
    Arc::new(Schema::new(columns.iter().map(field).collect::<Vec<_>>()))
}

static CHUNKS: LazyLock<SchemaRef> = LazyLock::new(|| {
    schema(&[
        (chunk_column::SERIES, DataType::UInt32),
        (chunk_column::FIRST, DataType::Int64),
        (chunk_column::LAST, DataType::Int64),
        (chunk_column::COUNT, DataType::UInt32),
        (chunk_column::MIN, DataType::Float64),
        (chunk_column::MAX, DataType::Float64),
        (chunk_column::TIMES, DataType::UInt32),
        (chunk_column::VALUES, DataType::Binary),
    ])
});

static TIMES: LazyLock<SchemaRef> = LazyLock::new(|| {
    schema(&[(times_column::COUNT, DataType::UInt32), (times_column::TIMES, DataType::Binary)])
});

static SERIES: LazyLock<SchemaRef> = LazyLock::new(|| {
    schema(&[
        (series_column::SERIES, DataType::UInt32),
        (series_column::LABELS, DataType::Binary),
        (series_column::CHUNKS, DataType::UInt32),
        (series_column::FIRST, DataType::Int64),
        (series_column::LAST, DataType::Int64),
    ])
});

static INDEX: LazyLock<SchemaRef> = LazyLock::new(|| {
    schema(&[
        (index_column::NAME, DataType::Utf8),
        (index_column::VALUE, DataType::Utf8),
        (index_column::SERIES, DataType::Binary),
    ])
});

/// What belongs to the samples of a series beside their times and values.
#[derive(Clone, Copy)]
pub(crate) struct Beside<'a> {
    /// The histograms that values stand for.
    pub(crate) histograms: &'a Histograms,
    /// Since when samples count.
    pub(crate) starts: &'a Starts,
}

impl<'a> Beside<'a> {
    /// That of a series.
    fn of(series: &'a SeriesBuffer) -> Self {
        Self { histograms: &series.histograms, starts: &series.starts }
    }
}

/// What has been written.
pub(crate) struct Written {
    pub(crate) parts: Vec<(Part, Sums)>,
    pub(crate) samples: u64,
    pub(crate) range: TimeRange,
}

/// The parts of a block.
pub(crate) const PARTS: [Part; 4] = [Part::Chunks, Part::Times, Part::Series, Part::Index];

/// Writes a block, durably but for the names of its files: series come in ascending order of labels'
/// bytes, each once, with its samples.
pub(crate) struct BlockWriter {
    chunks: File<ChunkRows>,
    times: File<TimesRows>,
    series: File<SeriesRows>,
    index: File<IndexRows>,
    columns: TimeColumns,
    labels: LabelIndex,
    next: u32,
    samples: u64,
    first_ms: i64,
    last_ms: i64,
}

impl BlockWriter {
    /// Creates the files, each where `path_of` says.
    pub(crate) fn create(
        vfs: &dyn Vfs,
        mut path_of: impl FnMut(Part) -> PathBuf,
    ) -> Result<Self, EngineError> {
        Ok(Self {
            chunks: File::create(vfs, path_of(Part::Chunks), chunk_properties())?,
            times: File::create(vfs, path_of(Part::Times), times_properties())?,
            series: File::create(vfs, path_of(Part::Series), series_properties())?,
            index: File::create(vfs, path_of(Part::Index), index_properties())?,
            columns: TimeColumns::default(),
            labels: LabelIndex::default(),
            next: 0,
            samples: 0,
            first_ms: i64::MAX,
            last_ms: i64::MIN,
        })
    }

    /// Adds a series; there is at least one sample.
    pub(crate) fn push(&mut self, series: &SeriesBuffer) -> Result<(), EngineError> {
        let pieces = std::iter::once((series.times_ms.as_slice(), series.values.as_slice()));
        self.push_pieces(series.labels.as_ref(), pieces, Beside::of(series))
    }

    /// Adds a series in pieces, one after the other in time, between which a chunk ends; there is at least one
    /// sample in each.
    pub(crate) fn push_pieces<'a>(
        &mut self,
        labels: LabelsRef<'_>,
        pieces: impl Iterator<Item = (&'a [i64], &'a [f64])>,
        beside: Beside<'_>,
    ) -> Result<(), EngineError> {
        let (mut count, mut samples) = (0, 0);
        let (mut first, mut last) = (i64::MAX, i64::MIN);
        let chunks = pieces.flat_map(|(times, values)| {
            times.chunks(chunk::CHUNK_SAMPLES).zip(values.chunks(chunk::CHUNK_SAMPLES))
        });
        for (times, values) in chunks {
            count += 1;
            samples += times.len() as u64;
            (first, last) = (first.min(times[0]), times[times.len() - 1]);
            let column = match self.columns.find(times) {
                Some(column) => column,
                None => {
                    self.times.rows.push(times);
                    self.times.write_if_full()?;
                    self.columns.add(times)
                }
            };
            self.chunks.rows.push(self.next, (times, column), values, beside);
            self.chunks.write_if_full()?;
        }
        self.series.rows.push(self.next, labels, count, (first, last));
        self.series.write_if_full()?;
        self.labels.push(labels);
        self.next += 1;
        self.samples += samples;
        self.first_ms = self.first_ms.min(first);
        self.last_ms = self.last_ms.max(last);
        Ok(())
    }

    /// Ends the files. There is at least one series.
    pub(crate) fn finish(mut self) -> Result<Written, EngineError> {
        for (name, value, series) in self.labels.pairs() {
            self.index.rows.push(name, value, series);
            self.index.write_if_full()?;
        }
        let (first, last) = (Timestamp::from_millis(self.first_ms), Timestamp::from_millis(self.last_ms));
        let parts = vec![
            (Part::Chunks, self.chunks.finish()?),
            (Part::Times, self.times.finish()?),
            (Part::Series, self.series.finish()?),
            (Part::Index, self.index.finish()?),
        ];
        Ok(Written { parts, samples: self.samples, range: TimeRange::new(first, last) })
    }
}

/// The columns of times that have been written, as far as they are remembered: one that is forgotten is
/// written a second time.
#[derive(Default)]
struct TimeColumns {
    /// By a few of its times and their number; of those alike in that, the last.
    known: HashMap<[i64; 5], (u32, Vec<i64>)>,
    times: usize,
    next: u32,
}

impl TimeColumns {
    fn key(times: &[i64]) -> [i64; 5] {
        let at = |place: usize| times.get(place).copied().unwrap_or(0);
        let count = times.len();
        [count as i64, at(0), at(count / 3), at(count / 3 * 2), at(count.saturating_sub(1))]
    }

    fn find(&self, times: &[i64]) -> Option<u32> {
        self.known.get(&Self::key(times)).filter(|(_, known)| known == times).map(|(column, _)| *column)
    }

    fn add(&mut self, times: &[i64]) -> u32 {
        let column = self.next;
        self.next += 1;
        if self.times + times.len() > KNOWN_TIMES {
            self.known.clear();
            self.times = 0;
        }
        self.times += times.len();
        self.known.insert(Self::key(times), (column, times.to_vec()));
        column
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

fn zstd() -> Compression {
    Compression::ZSTD(ZstdLevel::try_new(ZSTD_LEVEL).expect("1 is a level of zstd"))
}

/// A column of packed numbers: neither compressed again nor described, because its least and greatest
/// bytes mean nothing.
fn packed(properties: WriterPropertiesBuilder, column: &str, encoding: Encoding) -> WriterPropertiesBuilder {
    properties
        .set_column_encoding(ColumnPath::from(column), encoding)
        .set_column_statistics_enabled(ColumnPath::from(column), EnabledStatistics::None)
}

/// A column of integers that hardly differ from one row to the next.
fn gradual(properties: WriterPropertiesBuilder, columns: &[&str]) -> WriterPropertiesBuilder {
    columns.iter().fold(properties, |properties, column| {
        properties.set_column_encoding(ColumnPath::from(*column), Encoding::DELTA_BINARY_PACKED)
    })
}

fn chunk_properties() -> WriterProperties {
    let columns = [
        chunk_column::SERIES,
        chunk_column::FIRST,
        chunk_column::LAST,
        chunk_column::COUNT,
        chunk_column::TIMES,
    ];
    let properties =
        gradual(packed(properties(), chunk_column::VALUES, Encoding::DELTA_LENGTH_BYTE_ARRAY), &columns);
    [chunk_column::MIN, chunk_column::MAX]
        .into_iter()
        .fold(properties, |properties, column| {
            properties.set_column_compression(ColumnPath::from(column), zstd())
        })
        .set_write_batch_size(PAGE_CHECK_ROWS)
        .set_max_row_group_bytes(Some(ROW_GROUP_BYTES))
        .build()
}

fn times_properties() -> WriterProperties {
    let properties = packed(properties(), times_column::TIMES, Encoding::DELTA_LENGTH_BYTE_ARRAY);
    gradual(properties, &[times_column::COUNT])
        .set_write_batch_size(PAGE_CHECK_ROWS)
        .set_max_row_group_bytes(Some(ROW_GROUP_BYTES))
        .build()
}

fn series_properties() -> WriterProperties {
    let columns = [series_column::SERIES, series_column::CHUNKS, series_column::FIRST, series_column::LAST];
    let properties = packed(properties(), series_column::LABELS, Encoding::DELTA_BYTE_ARRAY);
    gradual(properties, &columns)
        .set_compression(zstd())
        // Labels are asked for by pages of series.
        .set_write_batch_size(PAGE_SERIES)
        .set_data_page_row_count_limit(PAGE_SERIES)
        .build()
}

fn index_properties() -> WriterProperties {
    let properties = packed(properties(), index_column::SERIES, Encoding::DELTA_LENGTH_BYTE_ARRAY);
    packed(properties, index_column::VALUE, Encoding::DELTA_BYTE_ARRAY)
        .set_column_dictionary_enabled(ColumnPath::from(index_column::NAME), true)
        .set_compression(zstd())
        .set_write_batch_size(PAGE_CHECK_ROWS)
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
    path: PathBuf,
}

impl<R: Rows> File<R> {
    fn create(vfs: &dyn Vfs, path: PathBuf, properties: WriterProperties) -> Result<Self, EngineError> {
        let file = vfs.create(&path).map_err(EngineError::io("create", &path))?;
        match ArrowWriter::try_new(SummingWriter::new(file), R::schema(), Some(properties)) {
            Ok(writer) => Ok(Self { rows: R::default(), writer, path }),
            Err(source) => Err(EngineError::Encode { path, source }),
        }
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
    times: UInt32Builder,
    values: BinaryBuilder,
    packed: Vec<u8>,
    rows: usize,
}

impl ChunkRows {
    /// Adds a chunk; there is at least one sample.
    fn push(&mut self, series: u32, (times, column): (&[i64], u32), values: &[f64], beside: Beside<'_>) {
        self.series.append_value(series);
        self.first.append_value(times[0]);
        self.last.append_value(times[times.len() - 1]);
        self.count.append_value(times.len() as u32);
        // NaN, which staleness markers are too, is neither least nor greatest unless there is nothing else.
        // A histogram has no place among numbers: whoever looks for some of these must look at all.
        let (min, max) = if chunk::histograms::are_among(values) {
            (f64::NEG_INFINITY, f64::INFINITY)
        } else {
            let fold = |choose: fn(f64, f64) -> f64| values.iter().copied().fold(f64::NAN, choose);
            (fold(f64::min), fold(f64::max))
        };
        self.min.append_value(min);
        self.max.append_value(max);
        self.times.append_value(column);
        self.packed.clear();
        chunk::starts::pack(times, beside.starts, &mut self.packed);
        chunk::histograms::pack(values, beside.histograms, &mut self.packed);
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
struct TimesRows {
    count: UInt32Builder,
    times: BinaryBuilder,
    packed: Vec<u8>,
    rows: usize,
}

impl TimesRows {
    fn push(&mut self, times: &[i64]) {
        self.count.append_value(times.len() as u32);
        self.packed.clear();
        chunk::times::pack(times, &mut self.packed);
        self.times.append_value(&self.packed);
        self.rows += 1;
    }
}

impl Rows for TimesRows {
    fn schema() -> SchemaRef {
        Arc::clone(&TIMES)
    }

    fn len(&self) -> usize {
        self.rows
    }

    fn take(&mut self) -> Vec<ArrayRef> {
        self.rows = 0;
        vec![Arc::new(self.count.finish()), Arc::new(self.times.finish())]
    }
}

#[derive(Default)]
struct IndexRows {
    name: StringBuilder,
    value: StringBuilder,
    series: BinaryBuilder,
    rows: usize,
}

impl IndexRows {
    fn push(&mut self, name: &str, value: &str, mut series: RoaringBitmap) {
        self.name.append_value(name);
        self.value.append_value(value);
        series.optimize();
        let mut bytes = Vec::with_capacity(series.serialized_size());
        series.serialize_into(&mut bytes).expect("memory can be written to");
        self.series.append_value(bytes);
        self.rows += 1;
    }
}

impl Rows for IndexRows {
    fn schema() -> SchemaRef {
        Arc::clone(&INDEX)
    }

    fn len(&self) -> usize {
        self.rows
    }

    fn take(&mut self) -> Vec<ArrayRef> {
        self.rows = 0;
        vec![Arc::new(self.name.finish()), Arc::new(self.value.finish()), Arc::new(self.series.finish())]
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
