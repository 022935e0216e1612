//! Checks of processes that ended: what the kernel killed for want of memory, and all the others.
//!
//! That no end is known says something only where somebody looks: without the kernel's log it is not
//! known that nothing was killed, and of other signals only the service manager tells.

use std::time::Duration;

use async_trait::async_trait;
use model::event::{ExitCause, ExitEvent};
use pipeline::{ExitFilter, Page, WorkerFilter, WorkerSnapshot, WorkerStatus};
use promql::Query;

use super::live::LOOKED_THROUGH;
use super::table::{CheckVerdict, counted};
use super::{Check, CheckError, Context, MAX_ROWS, Table, age, bytes, none, text};
use crate::evaluate::EvaluateError;

/// How far back a check looks: what crashed during the night is asked in the morning.
const WINDOW: Duration = Duration::from_secs(24 * 3600);

/// How those do that read the kernel's log; their target is the host.
const KERNEL_LOGS: &str = r#"collector_up{collector="kernel_log"}"#;

/// The same of those that ask the service manager.
const UNITS: &str = r#"collector_up{collector="units"}"#;

/// What is said where no end is known, and none could have become known.
const NOT_READ: &str = "the kernel's log is not read, so it is not known whether a process was killed; \
                        /api/v1/collectors says why (root or CAP_SYSLOG may read it)";

/// The same of ends that stand in no log of the kernel.
const NOT_ASKED: &str = "no service manager is asked, so it is not known whether a process was ended by a \
                         signal (kill -9) or an error; /api/v1/collectors says why";

/// A check over the exits of the last day.
struct RecentExits {
    name: &'static str,
    title: &'static str,
    cause: Option<ExitCause>,
    nothing: &'static str,
}

pub(super) fn checks() -> Vec<Box<dyn Check>> {
    vec![
        Box::new(RecentExits {
            name: "oom_kills",
            title: "Processes killed for want of memory within 24 hours",
            cause: Some(ExitCause::OomKill),
            nothing: "no process is known to have been killed for want of memory within 24 hours",
        }),
        Box::new(RecentExits {
            name: "recent_exits",
            title: "Processes that ended badly within 24 hours",
            cause: None,
            nothing: "no process is known to have ended badly within 24 hours",
        }),
    ]
}

#[async_trait]
impl Check for RecentExits {
    fn name(&self) -> &'static str {
        self.name
    }

    fn title(&self) -> &'static str {
        self.title
    }

    async fn run(&self, context: &Context) -> Result<Table, CheckError> {
        let filter = ExitFilter {
            cause: self.cause,
            host: context.label("host").map(str::to_owned),
            since: Some(context.now.before(WINDOW)),
            ..ExitFilter::default()
        };
        let listing = context.pipeline().exits().list(&filter, Page { offset: 0, limit: MAX_ROWS });
        let total = listing.total;
        let rows = listing.items.into_iter().map(|exit| row(context, exit));
        let columns = ["time", "ago", "host", "process", "pid", "ended by", "memory", "belongs to", "said"];
        let mut table = Table::new(columns, rows).or_else_note(self.nothing);
        if total == 0 {
            if self.cause.is_none() {
                let lost = lost_workers(context);
                if lost > 0 {
                    let reason = format!(
                        "{} crashed or fell silent within 24 hours, and how the process ended is not known",
                        counted(lost, "worker")
                    );
                    table = table.judged(CheckVerdict::Look, reason);
                }
                if !is_read(context, UNITS).await? {
                    table = table.judged(CheckVerdict::Look, NOT_ASKED);
                }
            }
            if !is_read(context, KERNEL_LOGS).await? {
                table = table.judged(CheckVerdict::Look, NOT_READ);
            }
        }
        if total > MAX_ROWS {
            table.note = Some(format!("the newest {MAX_ROWS} of {total}"));
        }
        Ok(match (total, self.cause) {
            (0, _) => table.judged(CheckVerdict::Fine, self.nothing),
            (_, Some(ExitCause::OomKill)) => {
                table.judged(CheckVerdict::Bad, format!("the kernel killed {total} for want of memory"))
            }
            _ => table.judged(CheckVerdict::Look, format!("{} within 24 hours", counted(total, "bad end"))),
        })
    }
}

/// Whether these collectors succeed on the alert's host, or on each host where it names none. One that
/// cannot look is absent, and then there is no series.
async fn is_read(context: &Context, collectors: &str) -> Result<bool, CheckError> {
    let query = Query::parse(collectors).map_err(EvaluateError::Query)?;
    let found = context.sources.evaluator.evaluate(&query, context.now).await?;
    let about = context.label("host");
    let mut asked = found
        .iter()
        .filter(|finding| about.is_none_or(|host| finding.labels.get("target") == Some(host)))
        .peekable();
    Ok(asked.peek().is_some() && asked.all(|finding| finding.value == 1.0))
}

/// How many workers, of the alert's host where it names one, ended badly or without a word.
fn lost_workers(context: &Context) -> usize {
    let since = context.now.before(WINDOW);
    let host = context.label("host");
    let lost = |worker: &&WorkerSnapshot| {
        let silent = worker.status == WorkerStatus::Offline && worker.last_heartbeat_at >= Some(since);
        // Of a worker that does not say where it runs, it may be this host.
        let here = host.is_none() || worker.host.is_none() || worker.host.as_deref() == host;
        here && (silent || worker.last_crash_at >= Some(since))
    };
    context
        .pipeline()
        .workers()
        .list(&WorkerFilter::default(), LOOKED_THROUGH)
        .items
        .iter()
        .filter(lost)
        .count()
}

fn row(context: &Context, exit: ExitEvent) -> [String; 9] {
    let ended_by = match (exit.cause, &exit.signal, exit.exit_code) {
        (ExitCause::OomKill, ..) => "out of memory".to_owned(),
        (_, Some(signal), _) => signal.clone(),
        (_, None, Some(code)) => format!("exit code {code}"),
        (_, None, None) => "unknown".to_owned(),
    };
    // The name by which people know it best, first.
    let belongs = exit.unit.or(exit.group).or(exit.cgroup);
    [
        exit.time.to_string(),
        age(context.now.since(exit.time).as_secs_f64()),
        text(exit.host.as_deref()),
        exit.name,
        exit.pid.map_or_else(none, |pid| pid.to_string()),
        ended_by,
        exit.memory_rss_bytes.map_or_else(none, bytes),
        text(belongs.as_deref()),
        text(exit.message.as_deref()),
    ]
}
