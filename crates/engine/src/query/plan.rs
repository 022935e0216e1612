//! The plan that reads rows of a table: filters, columns, order and limit are carried out where the
//! rows are read, so that what is not wanted is not read.

use std::fmt;
use std::num::NonZero;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use arrow::array::RecordBatch;
use arrow::compute::SortOptions;
use datafusion::common::tree_node::TreeNodeRecursion;
use datafusion::common::{DataFusionError, Result};
use datafusion::execution::memory_pool::{MemoryConsumer, MemoryReservation};
use datafusion::execution::{SendableRecordBatchStream, TaskContext};
use datafusion::physical_expr::{EquivalenceProperties, PhysicalExpr, PhysicalSortExpr};
use datafusion::physical_plan::execution_plan::{
    Boundedness, ChildrenPropertiesMode, EmissionType, ReplaceChildrenOptions, SchedulingType,
};
use datafusion::physical_plan::expressions::Column;
use datafusion::physical_plan::sort_pushdown::SortOrderPushdownResult;
use datafusion::physical_plan::stream::RecordBatchStreamAdapter;
use datafusion::physical_plan::{DisplayAs, DisplayFormatType, ExecutionPlan, Partitioning, PlanProperties};
use futures::stream::{self, Stream, TryStreamExt};
use model::TimeRange;
use store::{Order, QueryError, Table};
use tokio::task::yield_now;

use crate::catalog::FileKind;
use crate::core::{Core, View};
use crate::events::TIME;
use crate::events::collect::{Collector, ScanLimits};
use crate::events::read::{Share, Step, Wanted};
use crate::query::reader::Reader;

/// Memory that a scan takes beside the rows that it gathers: pages and batches while they are decoded.
const DECODE_BYTES: usize = 8 << 20;

/// Of fewer rows a thread has nothing.
const ROWS_A_SHARE: u64 = 100_000;
/// The most threads that read for one scan.
const MAX_SHARES: usize = 8;
/// How long a scan has its thread before others get theirs. To hand it on costs more than to pass over a row group: the
/// runtime wakes another thread each time, to look whether there is something to do.
const TURN: Duration = Duration::from_millis(1);

/// In which order rows come, and how many.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Answer {
    /// As they are read, up to a limit: about in the order of the query.
    AsRead(Option<usize>),
    /// The first ones in the order of the query, exactly; of the same time, as they came.
    First(usize),
}

/// Reads rows of a table from one view of the store.
#[derive(Clone)]
pub(crate) struct ScanExec {
    core: Arc<Core>,
    view: View,
    table: Table,
    wanted: Arc<Wanted>,
    answer: Answer,
    properties: Arc<PlanProperties>,
}

impl ScanExec {
    /// Rows as `wanted` says; how many of them matter is said by `answer`.
    pub(crate) fn new(core: &Arc<Core>, view: &View, table: Table, wanted: Wanted, answer: Answer) -> Self {
        let first = match answer {
            Answer::AsRead(limit) => limit,
            Answer::First(first) => Some(first),
        };
        let wanted = Wanted { first, ..wanted };
        let shares = if answer == Answer::AsRead(None) { shares(view, table, wanted.range) } else { 1 };
        let properties = Arc::new(properties(&wanted, answer, shares));
        Self {
            core: Arc::clone(core),
            view: view.clone(),
            table,
            wanted: Arc::new(wanted),
            answer,
            properties,
        }
    }

    fn with_answer(&self, order: Order, answer: Answer) -> Self {
        let Wanted { schema, entries, values, filter, range, tally, .. } = &*self.wanted;
        let (schema, filter, tally) = (Arc::clone(schema), filter.clone(), Arc::clone(tally));
        let (entries, values) = (entries.clone(), values.clone());
        let wanted = Wanted { schema, entries, values, filter, range: *range, order, first: None, tally };
        Self::new(&self.core, &self.view, self.table, wanted, answer)
    }

    fn limits(&self) -> ScanLimits {
        ScanLimits {
            max_rows: self.core.config.max_scan_rows,
            max_bytes: usize::try_from(self.core.config.max_scan_bytes.0).unwrap_or(usize::MAX),
        }
    }
}

/// Among how many threads the rows are divided: where they are many, among as many as there are cores.
fn shares(view: &View, table: Table, range: TimeRange) -> usize {
    let of_table = view.files.iter().filter(|file| file.entry.kind == FileKind::Events(table));
    let rows: u64 =
        of_table.filter(|file| file.entry.range.overlaps(&range)).map(|file| file.entry.rows).sum();
    let cores = thread::available_parallelism().map_or(1, NonZero::get);
    let worthwhile = usize::try_from(rows / ROWS_A_SHARE).unwrap_or(usize::MAX);
    worthwhile.clamp(1, cores.min(MAX_SHARES))
}

fn properties(wanted: &Wanted, answer: Answer, shares: usize) -> PlanProperties {
    let schema = Arc::clone(&wanted.schema);
    let equivalence = match (answer, schema.index_of(TIME)) {
        (Answer::First(_), Ok(index)) => {
            let time: Arc<dyn PhysicalExpr> = Arc::new(Column::new(TIME, index));
            let descending = wanted.order == Order::NewestFirst;
            let order = PhysicalSortExpr::new(time, SortOptions { descending, nulls_first: descending });
            EquivalenceProperties::new_with_orderings(schema, [[order]])
        }
        _ => EquivalenceProperties::new(schema),
    };
    let emission = match answer {
        Answer::AsRead(_) => EmissionType::Incremental,
        Answer::First(_) => EmissionType::Final,
    };
    PlanProperties::new(
        equivalence,
        Partitioning::UnknownPartitioning(shares),
        emission,
        Boundedness::Bounded,
    )
    .with_scheduling_type(SchedulingType::Cooperative)
}

impl fmt::Debug for ScanExec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ScanExec: table={}, {:?}, {:?}", self.table.name(), self.answer, self.wanted)
    }
}

impl DisplayAs for ScanExec {
    fn fmt_as(&self, _: DisplayFormatType, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ScanExec: table={}, answer={:?}", self.table.name(), self.answer)?;
        write!(f, ", order={:?}, conditions={:?}", self.wanted.order, self.wanted.filter.parts())?;
        if self.wanted.entries.is_all() { Ok(()) } else { write!(f, ", entries={:?}", self.wanted.entries) }
    }
}

impl ExecutionPlan for ScanExec {
    fn name(&self) -> &'static str {
        "ScanExec"
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

    fn execute(&self, index: usize, context: Arc<TaskContext>) -> Result<SendableRecordBatchStream> {
        let memory = MemoryConsumer::new("scan").register(context.memory_pool());
        memory.try_grow(DECODE_BYTES)?;
        let share = Share { index, of: self.properties.output_partitioning().partition_count() };
        let reader = Reader::new(&self.core, &self.view, self.table, &self.wanted, share);
        let schema = Arc::clone(&self.wanted.schema);
        Ok(match self.answer {
            Answer::AsRead(limit) => {
                let limit = limit.unwrap_or(usize::MAX);
                let rows = as_read(reader, Arc::clone(&self.wanted), limit, memory);
                Box::pin(RecordBatchStreamAdapter::new(schema, rows))
            }
            Answer::First(first) => {
                let gathered = MemoryConsumer::new("rows of a scan").register(context.memory_pool());
                let Wanted { order, range, .. } = *self.wanted;
                let collector = Collector::new(order, first, range, self.limits(), gathered);
                let rows = stream::once(first_rows(reader, collector, memory)).map_err(external);
                let rows = rows
                    .map_ok(|batches| stream::iter(batches.into_iter().map(Ok::<_, DataFusionError>)))
                    .try_flatten();
                Box::pin(RecordBatchStreamAdapter::new(schema, rows))
            }
        })
    }

    fn fetch(&self) -> Option<usize> {
        self.wanted.first
    }

    fn with_fetch(&self, limit: Option<usize>) -> Option<Arc<dyn ExecutionPlan>> {
        let answer = match (self.answer, limit) {
            (Answer::AsRead(_), limit) => Answer::AsRead(limit),
            (Answer::First(_), limit) => Answer::First(limit.unwrap_or(usize::MAX)),
        };
        Some(Arc::new(self.with_answer(self.wanted.order, answer)))
    }

    fn supports_limit_pushdown(&self) -> bool {
        true
    }

    fn try_pushdown_sort(
        &self,
        order: &[PhysicalSortExpr],
    ) -> Result<SortOrderPushdownResult<Arc<dyn ExecutionPlan>>> {
        let [by] = order else { return Ok(SortOrderPushdownResult::Unsupported) };
        let is_time = by.expr.downcast_ref::<Column>().is_some_and(|column| column.name() == TIME);
        if !is_time || self.fetch().is_some() {
            return Ok(SortOrderPushdownResult::Unsupported);
        }
        let order = if by.options.descending { Order::NewestFirst } else { Order::OldestFirst };
        let inner: Arc<dyn ExecutionPlan> = Arc::new(self.with_answer(order, Answer::First(usize::MAX)));
        Ok(SortOrderPushdownResult::Exact { inner })
    }
}

fn external(error: QueryError) -> DataFusionError {
    DataFusionError::External(Box::new(error))
}

/// The turn that a scan has on its thread.
struct Turn {
    began: Instant,
}

impl Turn {
    fn begin() -> Self {
        Self { began: Instant::now() }
    }

    /// Lets others have theirs, once this one is over.
    async fn hand_on(&mut self) {
        if self.began.elapsed() >= TURN {
            yield_now().await;
            *self = Self::begin();
        }
    }
}

/// Rows as they are read. The memory is held until the last.
fn as_read(
    reader: Reader,
    wanted: Arc<Wanted>,
    limit: usize,
    memory: MemoryReservation,
) -> impl Stream<Item = Result<RecordBatch>> {
    let begun = (reader, limit, memory, Turn::begin());
    stream::try_unfold(begun, move |(mut reader, left, memory, mut turn)| {
        let range = wanted.range;
        async move {
            if left == 0 {
                return Ok(None);
            }
            loop {
                let step = reader.step(range).map_err(external)?;
                turn.hand_on().await;
                match step {
                    Step::Rows(rows) => {
                        let count = rows.rows.num_rows().min(left);
                        let rows = rows.rows.slice(0, count);
                        return Ok(Some((rows, (reader, left - count, memory, turn))));
                    }
                    Step::Nothing => {}
                    Step::End => return Ok(None),
                }
            }
        }
    })
}

/// The first rows by time. The memory is held until they are there.
async fn first_rows(
    mut reader: Reader,
    mut collector: Collector,
    _memory: MemoryReservation,
) -> std::result::Result<Vec<RecordBatch>, QueryError> {
    let mut turn = Turn::begin();
    loop {
        let step = reader.step(collector.range())?;
        match step {
            Step::Rows(rows) => collector.add(rows)?,
            Step::Nothing => {}
            Step::End => return collector.finish(),
        }
        turn.hand_on().await;
    }
}
