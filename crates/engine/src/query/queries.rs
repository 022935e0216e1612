//! Running scans: on threads of their own, a bounded number at a time, within memory and time.
//!
//! The threads are as many as there are cores and give way to everything else in the process, so that
//! the heaviest scan leaves ingest its share. A scan hands its thread on after the step with which its
//! millisecond is over, so that all scans that run get their turn, however large they are.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};
use std::thread;
use std::time::Duration;

use arrow::array::RecordBatch;
use datafusion::common::DataFusionError;
use datafusion::execution::TaskContext;
use datafusion::execution::disk_manager::{DiskManagerBuilder, DiskManagerMode};
use datafusion::execution::memory_pool::GreedyMemoryPool;
use datafusion::execution::runtime_env::{RuntimeEnv, RuntimeEnvBuilder};
use datafusion::physical_plan::{ExecutionPlan, execute_stream};
use futures::channel::mpsc;
use futures::executor::block_on;
use futures::{SinkExt, StreamExt};
use model::DurationText;
use store::{Cancel, QueryError};
use tokio::runtime::{Builder, Runtime};
use tokio::sync::Semaphore;

use crate::{Config, EngineError};

/// How often a scan that waits or runs looks whether anybody still waits for it.
const LOOK_EVERY: Duration = Duration::from_millis(10);
/// How far the threads stand back behind the others of the process.
const NICENESS: i32 = 5;
/// The stack of a thread: expressions of SQL may be as deep as `sql` lets through.
const STACK_BYTES: usize = 8 << 20;
/// Batches that wait for who asked.
const BATCHES_AHEAD: usize = 1;

/// What scans share.
pub(crate) struct Queries {
    context: Arc<TaskContext>,
    /// Started by the first scan.
    threads: OnceLock<Option<Runtime>>,
    slots: Arc<Semaphore>,
    waiting: Arc<AtomicUsize>,
    max_waiting: usize,
    timeout: Duration,
}

/// A plan, and what it may take.
pub(crate) struct Run {
    pub(crate) plan: Arc<dyn ExecutionPlan>,
    pub(crate) context: Arc<TaskContext>,
    pub(crate) timeout: Duration,
    /// What is said when that is over.
    pub(crate) timed_out: String,
    /// What went wrong, in the port's terms.
    pub(crate) error: fn(DataFusionError) -> QueryError,
}

/// What a running scan hands over.
enum Message {
    Rows(RecordBatch),
    End(Result<(), QueryError>),
}

impl Queries {
    pub(crate) fn new(config: &Config) -> Result<Self, EngineError> {
        let memory = usize::try_from(config.scans_memory_bytes.0).unwrap_or(usize::MAX);
        let environment = RuntimeEnvBuilder::new()
            .with_memory_pool(Arc::new(GreedyMemoryPool::new(memory)))
            .with_disk_manager_builder(DiskManagerBuilder::default().with_mode(DiskManagerMode::Disabled))
            .build_arc()
            .map_err(|error| EngineError::Read(query_error(error)))?;
        Ok(Self {
            context: Arc::new(TaskContext::default().with_runtime(environment)),
            threads: OnceLock::new(),
            slots: Arc::new(Semaphore::new(config.max_concurrent_scans.clamp(1, Semaphore::MAX_PERMITS))),
            waiting: Arc::default(),
            max_waiting: config.max_waiting_scans,
            timeout: config.scan_timeout.0,
        })
    }

    /// What plans take their memory from.
    pub(crate) fn environment(&self) -> Arc<RuntimeEnv> {
        self.context.runtime_env()
    }

    /// How long a scan may take.
    pub(crate) fn timeout(&self) -> Duration {
        self.timeout
    }

    /// Runs the plan of a scan, and hands its batches to `each`, whose first error ends it. Blocks.
    /// A scan that `each` runs itself needs a place of its own.
    pub(crate) fn run(
        &self,
        plan: Arc<dyn ExecutionPlan>,
        cancel: &Cancel,
        each: &mut dyn FnMut(RecordBatch) -> Result<(), QueryError>,
    ) -> Result<(), QueryError> {
        let timed_out = format!(
            "the scan took longer than {} (store.scan_timeout): narrow its time range or add conditions",
            DurationText(self.timeout)
        );
        let context = Arc::clone(&self.context);
        let run = Run { plan, context, timeout: self.timeout, timed_out, error: query_error };
        self.run_within(run, cancel, each)
    }

    /// Runs a plan within bounds of its own; as [`Queries::run`].
    pub(crate) fn run_within(
        &self,
        run: Run,
        cancel: &Cancel,
        each: &mut dyn FnMut(RecordBatch) -> Result<(), QueryError>,
    ) -> Result<(), QueryError> {
        let threads = self.threads.get_or_init(start_threads).as_ref();
        let threads = threads.ok_or(QueryError::Stopped("its threads could not be started"))?;
        let slot = Arc::clone(&self.slots).try_acquire_owned().ok();
        let waiting =
            if slot.is_none() { Some(Waiting::new(&self.waiting, self.max_waiting)?) } else { None };
        let (mut messages, mut received) = mpsc::channel(BATCHES_AHEAD);
        let Run { plan, context, timeout, timed_out, error } = run;
        let (slots, cancel) = (Arc::clone(&self.slots), cancel.clone());
        threads.spawn(async move {
            let mut rows = messages.clone();
            let work = async {
                let _slot = match slot {
                    Some(slot) => Ok(slot),
                    None => slots.acquire_owned().await,
                };
                drop(waiting);
                execute(plan, context, error, &mut rows).await
            };
            let result = tokio::select! {
                biased;
                stopped = stopped(&cancel, timeout, timed_out) => Err(stopped),
                result = work => result,
            };
            // Nobody may be there any more.
            _ = messages.send(Message::End(result)).await;
        });
        while let Some(message) = block_on(received.next()) {
            match message {
                Message::Rows(rows) => each(rows)?,
                Message::End(result) => return result,
            }
        }
        let source = "it has panicked".into();
        Err(QueryError::Storage { doing: "running a scan".to_owned(), source })
    }
}

impl Drop for Queries {
    fn drop(&mut self) {
        if let Some(threads) = self.threads.take().flatten() {
            // Nobody waits for what still runs, and this may be a place where waiting is not allowed.
            threads.shutdown_background();
        }
    }
}

fn start_threads() -> Option<Runtime> {
    let threads = Builder::new_multi_thread()
        .worker_threads(thread::available_parallelism().map_or(1, std::num::NonZero::get))
        .thread_name("store-query")
        .thread_stack_size(STACK_BYTES)
        .enable_time()
        .on_thread_start(|| {
            if let Err(error) = rustix::process::nice(NICENESS) {
                tracing::debug!(%error, "a thread for scans does not give way to others");
            }
        })
        .build();
    threads.inspect_err(|error| tracing::error!(%error, "threads for scans could not be started")).ok()
}

async fn execute(
    plan: Arc<dyn ExecutionPlan>,
    context: Arc<TaskContext>,
    error: fn(DataFusionError) -> QueryError,
    messages: &mut mpsc::Sender<Message>,
) -> Result<(), QueryError> {
    let mut batches = execute_stream(plan, context).map_err(error)?;
    while let Some(rows) = batches.next().await {
        let rows = rows.map_err(error)?;
        if rows.num_rows() > 0 && messages.send(Message::Rows(rows)).await.is_err() {
            break;
        }
    }
    Ok(())
}

/// Waits until the scan shall be stopped, and says why.
async fn stopped(cancel: &Cancel, timeout: Duration, timed_out: String) -> QueryError {
    let looking = async {
        while !cancel.is_cancelled() {
            tokio::time::sleep(LOOK_EVERY).await;
        }
    };
    match tokio::time::timeout(timeout, looking).await {
        Ok(()) => QueryError::Stopped("nobody waits for it any more"),
        Err(_) => QueryError::TimedOut(timed_out),
    }
}

/// A scan that waits for its turn.
struct Waiting(Arc<AtomicUsize>);

impl Waiting {
    fn new(waiting: &Arc<AtomicUsize>, most: usize) -> Result<Self, QueryError> {
        let before = waiting.fetch_add(1, Ordering::Relaxed);
        let this = Self(Arc::clone(waiting));
        if before >= most { Err(QueryError::Busy { waiting: most }) } else { Ok(this) }
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

/// What went wrong in a plan, in the port's terms.
pub(crate) fn query_error(error: DataFusionError) -> QueryError {
    match error {
        DataFusionError::ResourcesExhausted(_) => QueryError::LimitReached(
            "all scans together would take more memory than they may (store.scans_memory_bytes): narrow the time range, add conditions, lower the limit, or ask again later"
                .to_owned(),
        ),
        DataFusionError::Context(_, error) => query_error(*error),
        DataFusionError::External(error) => match error.downcast::<QueryError>() {
            Ok(error) => *error,
            Err(source) => QueryError::Storage { doing: "running a query".to_owned(), source },
        },
        other => QueryError::Storage { doing: "running a query".to_owned(), source: Box::new(other) },
    }
}
