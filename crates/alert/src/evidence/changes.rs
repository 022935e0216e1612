//! What changed lately: deployments, starts of workers, what people and configuration did, and what
//! else fired. The first question after "what is broken" is "what changed".

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use model::event::Event;
use model::{TimeRange, Timestamp};
use pipeline::WorkerFilter;
use state::{AlertFilter, AuditFilter, Page};
use store::{EventScan, Table as Stored};

use super::live::LOOKED_THROUGH;
use super::table::{CheckVerdict, counted};
use super::{Check, CheckError, Context, Table, age, errors, text};

/// The most changes shown of each kind, so that none pushes the others out.
const EACH: usize = 4;
/// Clocks of senders may be ahead of ours by so much.
const AHEAD: Duration = Duration::from_secs(60);
/// How many alerts and entries of the audit log are looked through.
const LOOKED_AT: u64 = 200;
/// What of the audit log changes how the pipeline or the watching behaves. Of users, keys and logins
/// evidence says nothing: more people read it than may read the audit log.
const CHANGES: [&str; 3] = ["queue.", "alert.resolve", "configuration."];

pub(super) struct RecentChanges;

struct Change {
    time: Timestamp,
    what: &'static str,
    subject: String,
    detail: String,
}

#[async_trait]
impl Check for RecentChanges {
    fn name(&self) -> &'static str {
        "recent_changes"
    }

    fn title(&self) -> &'static str {
        "Recent changes"
    }

    async fn run(&self, context: &Context) -> Result<Table, CheckError> {
        let window = context.config().changes_window;
        let since = context.now.before(window.0);
        let range = TimeRange::new(since, context.now.after(AHEAD));
        let kinds = [
            deployments(context, range).await?,
            worker_starts(context, since),
            doings(context, range).await?,
            other_alerts(context, since).await?,
        ];
        let total = kinds.iter().map(Vec::len).sum();
        let deployed = kinds[0].len();
        let mut changes: Vec<Change> = kinds
            .into_iter()
            .flat_map(|mut kind| {
                kind.sort_by_key(|change| std::cmp::Reverse(change.time));
                kind.into_iter().take(EACH)
            })
            .collect();
        changes.sort_by_key(|change| std::cmp::Reverse(change.time));
        let rows = changes.into_iter().map(|change| {
            let ago = age(context.now.since(change.time).as_secs_f64());
            [ago, change.what.to_owned(), change.subject, change.detail]
        });
        let mut table = Table::new(["ago", "what", "of", "detail"], rows)
            .or_else_note("nothing is known to have changed");
        table.keep(EACH * 4);
        let verdict = if total == 0 { CheckVerdict::Fine } else { CheckVerdict::Look };
        let reason = match deployed {
            0 => format!("{} within {window}", counted(total, "change")),
            deployed => {
                format!(
                    "{} within {window}, among them {}",
                    counted(total, "change"),
                    counted(deployed, "deployment")
                )
            }
        };
        Ok(table.judged(verdict, reason))
    }
}

async fn deployments(context: &Context, range: TimeRange) -> Result<Vec<Change>, CheckError> {
    let store = Arc::clone(&context.sources.store);
    let scan = EventScan::new(Stored::Deploys, range, LOOKED_THROUGH.limit).newest_first();
    let read = tokio::task::spawn_blocking(move || errors::rows(&*store, scan));
    let events = read.await.map_err(CheckError::Broken)??;
    let change = |event: Event| match event {
        Event::Deploy(deploy) => Some(Change {
            time: deploy.time,
            what: "deployment",
            subject: deploy.service,
            detail: [Some(deploy.version), deploy.environment, deploy.description]
                .into_iter()
                .flatten()
                .collect::<Vec<_>>()
                .join(", "),
        }),
        _ => None,
    };
    Ok(events.into_iter().filter_map(change).collect())
}

fn worker_starts(context: &Context, since: Timestamp) -> Vec<Change> {
    let workers = context.pipeline().workers().list(&WorkerFilter::default(), LOOKED_THROUGH).items;
    let started = workers.iter().filter(|worker| worker.started_at >= since).map(|worker| Change {
        time: worker.started_at,
        what: if worker.restarts > 0 { "worker restarted" } else { "worker started" },
        subject: worker.worker_id.clone(),
        detail: match (&worker.version, worker.restarts) {
            (version, 0) => version.as_ref().map_or_else(String::new, |version| format!("version {version}")),
            (version, restarts) => {
                format!("version {}, {}", text(version.as_deref()), counted(restarts as usize, "restart"))
            }
        },
    });
    let ended = workers.iter().filter_map(|worker| {
        let time = worker.last_crash_at.filter(|at| *at >= since)?;
        let detail = match (worker.exit_code, &worker.stop_reason) {
            (Some(code), Some(reason)) => format!("exit code {code}, {reason}"),
            (Some(code), None) => format!("exit code {code}"),
            (None, reason) => reason.clone().unwrap_or_else(|| "without a word".to_owned()),
        };
        Some(Change { time, what: "worker crashed", subject: worker.worker_id.clone(), detail })
    });
    started.chain(ended).collect()
}

/// What people did, and how configuration and rules changed: the audit log.
async fn doings(context: &Context, range: TimeRange) -> Result<Vec<Change>, CheckError> {
    let filter = AuditFilter { range: Some(range), ..AuditFilter::default() };
    let page = Page { offset: 0, limit: LOOKED_AT };
    let (records, _) = context.sources.state.audit().list(&filter, page).await.map_err(CheckError::State)?;
    let changes = records.into_iter().map(|record| record.entry).filter(|entry| {
        entry.outcome == state::Outcome::Ok && CHANGES.iter().any(|name| entry.action.starts_with(name))
    });
    Ok(changes
        .map(|entry| Change {
            time: entry.time,
            what: "done here",
            subject: entry.action,
            detail: match entry.target {
                Some(target) => format!("{target}, by {}", entry.actor),
                None => format!("by {}", entry.actor),
            },
        })
        .collect())
}

async fn other_alerts(context: &Context, since: Timestamp) -> Result<Vec<Change>, CheckError> {
    let page = Page { offset: 0, limit: LOOKED_AT };
    let alerts = context.sources.state.alerts();
    let (records, _) = alerts.list(&AlertFilter::default(), page).await.map_err(CheckError::State)?;
    let others = records.into_iter().filter(|alert| alert.labels != context.labels);
    Ok(others
        .filter_map(|alert| {
            let time = alert.fired_at.filter(|at| *at >= since)?;
            let detail = alert.annotations.get("summary").cloned().unwrap_or_default();
            Some(Change {
                time,
                what: "alert",
                subject: alert.rule,
                detail: format!("{}: {detail}", alert.state),
            })
        })
        .collect())
}
