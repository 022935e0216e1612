//! SQL over everything that is stored: statements that read, and nothing else.
//!
//! A statement passes three gates. Before it is parsed, its length and how much it nests are looked at
//! ([`statement`]). How large its expressions become is counted before they are written out ([`size`]), and making a
//! plan better ends with the statement's time ([`deadline`]). Its plan may name only the tables and functions of
//! [`session`] and [`functions`], none of which reaches a file or the network. It then runs as any scan does ([`crate::query::queries`]), within bounds of memory
//! ([`memory`]), rows, bytes and time.
//!
//! Start reading at [`run`].

mod answer;
mod arguments;
mod bounded;
mod clauses;
mod compared;
mod deadline;
mod entries;
mod fault;
mod functions;
mod held;
mod memory;
mod meter;
mod named;
mod place;
mod planner;
mod points;
mod said;
mod samples;
mod session;
mod size;
mod statement;
mod values;

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::thread;
use std::time::{Duration, Instant};

use datafusion::execution::TaskContext;
use datafusion::physical_plan::ExecutionPlan;
use model::DurationText;
use store::{QueryError, SqlError, SqlQuery, SqlRows, SqlSummary};

use crate::core::Core;
use crate::events::read::Tally;
use crate::query::queries::{Queries, Run};

use answer::Answer;
use deadline::Until;
use fault::Read;
use session::Planned;
pub(crate) use session::Sessions;
#[cfg(test)]
pub(crate) use session::anytime;

/// The stack of the thread that makes a plan: what [`statement`] lets through fits into a part of it.
const PLANNING_STACK_BYTES: usize = 64 << 20;

/// Answers a statement, within the bounds of the store. Blocks.
pub(crate) fn run(
    core: &Arc<Core>,
    queries: &Queries,
    sessions: &Sessions,
    query: &SqlQuery,
    into: &mut dyn SqlRows,
) -> Result<SqlSummary, SqlError> {
    let begun = Instant::now();
    let timeout = Timeout::of(query, queries);
    let until = Arc::new(Until {
        deadline: begun.checked_add(timeout.length),
        cancel: query.cancel.clone(),
        timed_out: timeout.text(),
    });
    let tally = Arc::new(Tally::default());
    let environment = memory::share(&queries.environment());
    let most_rows =
        query.limit.map_or(core.config.max_scan_rows, |limit| limit.min(core.config.max_scan_rows));
    let Made { plan, read, context } = made(&session::Wanted {
        state: session::of_view(core, sessions, environment, &tally, &until),
        statement: &query.statement,
        most_rows,
        until: &until,
    })?;
    let planning = begun.elapsed();
    into.begin(&plan.schema())?;
    let run = Run {
        plan,
        context,
        timeout: timeout.length.saturating_sub(planning),
        timed_out: timeout.text(),
        error: fault::run_error,
    };
    let mut answer = Answer::new(core, query.limit, into);
    let answered = queries.run_within(run, &query.cancel, &mut |rows| answer.add(&rows));
    answered.map_err(|error| read.failed(error))?;
    let count = |count: &std::sync::atomic::AtomicU64| count.load(Ordering::Relaxed);
    Ok(SqlSummary {
        rows: answer.rows as u64,
        is_truncated: answer.is_truncated,
        rows_read: count(&tally.rows),
        row_groups_read: count(&tally.row_groups),
        row_groups_passed_over: count(&tally.row_groups_passed_over),
        planning,
        total: begun.elapsed(),
    })
}

/// A plan, what it runs in, and what its faults are told with.
struct Made {
    plan: Arc<dyn ExecutionPlan>,
    read: Read,
    context: Arc<TaskContext>,
}

/// Makes the plan on a thread of its own, whose stack is large enough for whatever passes the gates.
fn made(wanted: &session::Wanted<'_>) -> Result<Made, SqlError> {
    let failed = |source: Box<dyn std::error::Error + Send + Sync>| {
        SqlError::Query(QueryError::Storage { doing: "making a plan".to_owned(), source })
    };
    thread::scope(|scope| {
        let thread = thread::Builder::new().name("store-plan".to_owned()).stack_size(PLANNING_STACK_BYTES);
        let thread = thread.spawn_scoped(scope, || {
            let Planned { plan, read } = session::plan(wanted)?;
            Ok(Made { plan: meter::metered(plan)?, read, context: wanted.state.task_ctx() })
        });
        let thread = thread.map_err(|error| failed(error.into()))?;
        thread.join().map_err(|_| failed("it has panicked".into()))?
    })
}

/// How long a statement may take, and who says so.
struct Timeout {
    length: Duration,
    named: &'static str,
}

impl Timeout {
    fn of(query: &SqlQuery, queries: &Queries) -> Self {
        match query.timeout.filter(|timeout| *timeout < queries.timeout()) {
            Some(length) => Self { length, named: "the timeout that was asked for" },
            None => Self { length: queries.timeout(), named: "store.scan_timeout" },
        }
    }

    fn text(&self) -> String {
        format!(
            "the statement took longer than {} ({}): give a range of `time`, add conditions, or join less",
            DurationText(self.length),
            self.named
        )
    }
}
