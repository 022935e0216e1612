//! Reading samples of series as rows: series after series, in batches, each sample a row.

use std::fmt;
use std::sync::Arc;

use arrow::array::{
    ArrayRef, Float64Builder, MapBuilder, MapFieldNames, RecordBatch, RecordBatchOptions, StringBuilder,
    TimestampNanosecondBuilder,
};
use arrow::datatypes::SchemaRef;
use arrow::error::ArrowError;
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::common::{DataFusionError, Result};
use datafusion::execution::memory_pool::{MemoryConsumer, MemoryReservation};
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_expr::{EquivalenceProperties, PhysicalExpr};
use datafusion::physical_plan::execution_plan::{
    Boundedness, ChildrenPropertiesMode, EmissionType, ReplaceChildrenOptions, SchedulingType,
};
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::{DisplayAs, DisplayFormatType, ExecutionPlan, Partitioning, PlanProperties};
use futures::stream::{self, Stream};
use model::{TimeRange, Timestamp, is_stale};
use std::sync::atomic::Ordering;
use store::{Cancel, Matcher, QueryError, SelectRequest, SeriesBuffer, SeriesCursor};
use tokio::task::yield_now;

use crate::core::Core;
use crate::events::read::Tally;
use crate::query::select::select;

/// Rows of a batch.
const BATCH_ROWS: usize = 8192;
/// A batch ends behind the row that brings its texts to so many bytes: labels stand in each row, and can be large.
const BATCH_BYTES: usize = 4 << 20;
/// Memory that a scan takes: blocks that are read, a series, and a batch.
const BYTES: usize = 16 << 20;
const MILLI: i64 = 1_000_000;

/// Reads samples of the series that match.
#[derive(Clone)]
pub(super) struct PointsExec {
    core: Arc<Core>,
    schema: SchemaRef,
    matchers: Vec<Matcher>,
    range: TimeRange,
    limit: Option<usize>,
    tally: Arc<Tally>,
    properties: Arc<PlanProperties>,
}

impl PointsExec {
    /// Columns of `schema`, of samples in `range`, `limit` of them at most.
    pub(super) fn new(
        core: &Arc<Core>,
        schema: SchemaRef,
        matchers: Vec<Matcher>,
        range: TimeRange,
        limit: Option<usize>,
        tally: Arc<Tally>,
    ) -> Self {
        let properties = PlanProperties::new(
            EquivalenceProperties::new(Arc::clone(&schema)),
            Partitioning::UnknownPartitioning(1),
            EmissionType::Incremental,
            Boundedness::Bounded,
        );
        let properties = Arc::new(properties.with_scheduling_type(SchedulingType::Cooperative));
        Self { core: Arc::clone(core), schema, matchers, range, limit, tally, properties }
    }

    fn request(&self) -> SelectRequest {
        SelectRequest {
            matchers: self.matchers.clone(),
            range: self.range,
            values: None,
            max_samples: u64::MAX,
            cancel: Cancel::never(),
        }
    }
}

impl fmt::Debug for PointsExec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PointsExec: matchers={:?}, range={:?}, limit={:?}", self.matchers, self.range, self.limit)
    }
}

impl DisplayAs for PointsExec {
    fn fmt_as(&self, _: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PointsExec: matchers=[")?;
        for matcher in &self.matchers {
            write!(f, "{} {:?} {:?}, ", matcher.name(), matcher.op(), matcher.value())?;
        }
        write!(f, "], from={}, to={}, limit={:?}", self.range.start, self.range.end, self.limit)
    }
}

impl ExecutionPlan for PointsExec {
    fn name(&self) -> &'static str {
        "PointsExec"
    }

    fn properties(&self) -> &Arc<PlanProperties> {
        &self.properties
    }

    fn children(&self) -> Vec<&Arc<dyn ExecutionPlan>> {
        Vec::new()
    }

    fn apply_expressions(
        &self,
        _: &mut dyn FnMut(&Arc<dyn PhysicalExpr>) -> Result<TreeNodeRecursion>,
    ) -> Result<TreeNodeRecursion> {
        Ok(TreeNodeRecursion::Continue)
    }

    fn replace_children(
        self: Arc<Self>,
        _: Vec<Arc<dyn ExecutionPlan>>,
        _: ReplaceChildrenOptions,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        Ok(self)
    }

    fn with_new_children(
        self: Arc<Self>,
        children: Vec<Arc<dyn ExecutionPlan>>,
    ) -> Result<Arc<dyn ExecutionPlan>> {
        self.replace_children(children, ReplaceChildrenOptions::new(ChildrenPropertiesMode::Recompute))
    }

    fn execute(&self, _: usize, context: Arc<TaskContext>) -> Result<SendableRecordBatchStream> {
        let memory = MemoryConsumer::new("samples").register(context.memory_pool());
        memory.try_grow(BYTES)?;
        let rows = rows(self.clone(), memory);
        Ok(Box::pin(RecordBatchStreamAdapter::new(Arc::clone(&self.schema), rows)))
    }

    fn fetch(&self) -> Option<usize> {
        self.limit
    }

    fn with_fetch(&self, limit: Option<usize>) -> Option<Arc<dyn ExecutionPlan>> {
        Some(Arc::new(Self { limit, ..self.clone() }))
    }

    fn supports_limit_pushdown(&self) -> bool {
        true
    }
}

fn external(error: QueryError) -> DataFusionError {
    DataFusionError::External(Box::new(error))
}

/// The rows. The memory is held until the last.
fn rows(exec: PointsExec, memory: MemoryReservation) -> impl Stream<Item = Result<RecordBatch>> {
    let left = exec.limit.unwrap_or(usize::MAX);
    let begun = (None, left, exec, memory);
    stream::try_unfold(begun, |(reader, left, exec, memory): (Option<Points>, _, _, _)| async move {
        if left == 0 {
            return Ok(None);
        }
        let mut reader = match reader {
            Some(reader) => reader,
            None => Points::open(&exec).map_err(external)?,
        };
        yield_now().await;
        let Some(rows) = reader.batch(&exec.schema, left)? else { return Ok(None) };
        exec.tally.rows.fetch_add(rows.num_rows() as u64, Ordering::Relaxed);
        let left = left - rows.num_rows();
        Ok(Some((rows, (Some(reader), left, exec, memory))))
    })
}

/// Series that are read, and how far.
struct Points {
    cursor: Box<dyn SeriesCursor>,
    series: SeriesBuffer,
    next: usize,
}

impl Points {
    fn open(exec: &PointsExec) -> std::result::Result<Self, QueryError> {
        let cursor = select(&exec.core, &exec.request(), Timestamp::now())?;
        Ok(Self { cursor, series: SeriesBuffer::default(), next: 0 })
    }

    /// The next rows; none when there is nothing more.
    fn batch(&mut self, schema: &SchemaRef, most: usize) -> Result<Option<RecordBatch>> {
        let mut columns = Columns::new(schema);
        while columns.rows < most.min(BATCH_ROWS) && columns.bytes < BATCH_BYTES {
            if self.next >= self.series.times_ms.len() {
                self.next = 0;
                if !self.cursor.next_series(&mut self.series).map_err(external)? {
                    self.series.clear();
                    break;
                }
                continue;
            }
            // Staleness markers say that a series has ended, and are no values.
            if !is_stale(self.series.values[self.next]) {
                columns.push(&self.series, self.next)?;
            }
            self.next += 1;
        }
        if columns.rows == 0 {
            return Ok(None);
        }
        Ok(Some(columns.finish(schema)?))
    }
}

/// The columns that are wanted, while they are made.
struct Columns {
    columns: Vec<Column>,
    rows: usize,
    /// Of their texts.
    bytes: usize,
}

enum Column {
    Time(TimestampNanosecondBuilder),
    Name(StringBuilder),
    Labels(Box<MapBuilder<StringBuilder, StringBuilder>>),
    Value(Float64Builder),
    Histogram(StringBuilder),
}

impl Columns {
    fn new(schema: &SchemaRef) -> Self {
        let columns = schema.fields().iter().map(|field| match field.name().as_str() {
            "time" => Column::Time(
                TimestampNanosecondBuilder::with_capacity(BATCH_ROWS)
                    .with_data_type(field.data_type().clone()),
            ),
            "name" => Column::Name(StringBuilder::new()),
            "labels" => {
                let names =
                    MapFieldNames { entry: "entries".into(), key: "key".into(), value: "value".into() };
                let (keys, values) = (StringBuilder::new(), StringBuilder::new());
                Column::Labels(Box::new(MapBuilder::new(Some(names), keys, values)))
            }
            "value" => Column::Value(Float64Builder::with_capacity(BATCH_ROWS)),
            _ => Column::Histogram(StringBuilder::new()),
        });
        Self { columns: columns.collect(), rows: 0, bytes: 0 }
    }

    fn push(&mut self, series: &SeriesBuffer, place: usize) -> Result<()> {
        let (time, value) = (series.times_ms[place], series.values[place]);
        let histogram = series.histograms.of(value);
        for column in &mut self.columns {
            match column {
                Column::Time(times) => times.append_value(time.saturating_mul(MILLI)),
                Column::Name(names) => {
                    let name = series.labels.metric_name();
                    names.append_value(name);
                    self.bytes += name.len();
                }
                Column::Labels(labels) => {
                    for (name, value) in series.labels.iter().filter(|(name, _)| *name != "__name__") {
                        labels.keys().append_value(name);
                        labels.values().append_value(value);
                        self.bytes += name.len() + value.len();
                    }
                    labels.append(true)?;
                }
                Column::Value(values) if histogram.is_some() => values.append_null(),
                Column::Value(values) => values.append_value(value),
                Column::Histogram(texts) => {
                    let known = histogram.as_ref().and_then(|histogram| histogram.as_ref().ok());
                    let text = known.map(tabular::histogram_json);
                    self.bytes += text.as_ref().map_or(0, String::len);
                    texts.append_option(text);
                }
            }
        }
        self.rows += 1;
        Ok(())
    }

    fn finish(self, schema: &SchemaRef) -> Result<RecordBatch, ArrowError> {
        let columns = self.columns.into_iter().map(|column| match column {
            Column::Time(mut times) => Arc::new(times.finish()) as ArrayRef,
            Column::Name(mut texts) | Column::Histogram(mut texts) => Arc::new(texts.finish()),
            Column::Labels(mut labels) => Arc::new(labels.finish()),
            Column::Value(mut values) => Arc::new(values.finish()),
        });
        // Without any column, rows are a number alone.
        let options = RecordBatchOptions::new().with_row_count(Some(self.rows));
        RecordBatch::try_new_with_options(Arc::clone(schema), columns.collect(), &options)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use model::{ByteSize, DurationText, Labels, MetricBatch, Sample};
    use prometheus::Registry;
    use store::{Batch, TelemetryStore};

    use super::*;
    use crate::{Config, Engine};

    #[test]
    fn a_batch_ends_where_its_labels_have_become_large() {
        const LABEL_BYTES: usize = 64 << 10;
        const SAMPLES: i64 = 200;
        let dir = tempfile::tempdir().expect("dir");
        let config = Config {
            disk_reserve_bytes: ByteSize(0),
            retention_free_bytes: ByteSize(0),
            retention: DurationText(Duration::from_secs(100 * 365 * 86_400)),
            ..Config::default()
        };
        let engine = Engine::open(dir.path(), config, &Registry::new()).expect("opens");
        let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
        let mut metrics = MetricBatch::new();
        let large = "x".repeat(LABEL_BYTES);
        let labels = Labels::metric("up", &[("large", large.as_str())]);
        let samples: Vec<Sample> = (0..SAMPLES)
            .map(|place| Sample { time_ms: 1_754_083_800_000 + place * 1_000, value: place as f64 })
            .collect();
        metrics.push(labels.as_ref(), &samples);
        runtime.block_on(engine.append(Batch { metrics, ..Batch::default() })).expect("appended");

        let table = runtime.block_on(engine.session().table("samples")).expect("a table");
        let plan = runtime.block_on(table.create_physical_plan()).expect("a plan");
        let mut batches = Vec::new();
        let run = engine.run_plan(plan, &Cancel::never(), &mut |batch| {
            batches.push(batch.num_rows());
            Ok(())
        });
        run.expect("rows");
        assert_eq!(batches.iter().sum::<usize>(), SAMPLES as usize);
        let most = BATCH_BYTES / LABEL_BYTES;
        assert!(batches.iter().all(|rows| *rows <= most), "{batches:?}");
    }
}
