//! Tasks that nobody works on any more, or for too long: what an operator clears or requeues.

use async_trait::async_trait;
use pipeline::{Owners, Ownership, QueueState, QueueTask};

use super::live::LOOKED_THROUGH;
use super::table::{CheckVerdict, counted};
use super::{Check, CheckError, Context, Table, age, none, text};

pub(super) struct StuckTasks;

#[async_trait]
impl Check for StuckTasks {
    fn name(&self) -> &'static str {
        "stuck_tasks"
    }

    fn title(&self) -> &'static str {
        "Tasks that are stuck: no owner, or too old"
    }

    async fn run(&self, context: &Context) -> Result<Table, CheckError> {
        let owners = context.pipeline().owners();
        let (mut rows, mut unowned, mut told) = (Vec::new(), 0, Vec::new());
        for (queue, task) in taken(context) {
            told.extend(owners.job_of(&task).map(|job| job.job_id.clone()));
            let Some(stuck) = Stuck::of(context, &owners, &task) else { continue };
            unowned += usize::from(stuck.unowned);
            rows.push([
                queue,
                task.id.clone(),
                text(task.kind.as_deref()),
                text(task.document_id.as_deref()),
                age(task.age_seconds(context.now)),
                stuck.owner.unwrap_or_else(none),
                stuck.why,
            ]);
        }
        // Jobs that only events tell of.
        let wanted = context.label("queue");
        let others = owners.running().iter().filter(|job| {
            let is_wanted = wanted.is_none_or(|queue| job.queue.as_deref() == Some(queue));
            is_wanted && !job.judgement.is_fine() && !told.contains(&job.job_id)
        });
        for job in others {
            unowned += usize::from(job.judgement.verdict == pipeline::Verdict::OwnerGone);
            rows.push([
                text(job.queue.as_deref()),
                job.job_id.clone(),
                text(job.kind.as_deref()),
                text(job.document_id.as_deref()),
                job.duration_seconds.map_or_else(none, age),
                text(job.worker_id.as_deref()),
                job.judgement.reason.clone(),
            ]);
        }
        let stuck = rows.len();
        let columns = ["queue", "task", "kind", "document", "in work for", "owner", "why"];
        let table = Table::new(columns, rows).or_else_note("no task is stuck");
        Ok(match (stuck, unowned) {
            (0, _) => table.judged(CheckVerdict::Fine, "no task is stuck"),
            (stuck, 0) => {
                table.judged(CheckVerdict::Look, format!("{} in work for too long", counted(stuck, "task")))
            }
            (stuck, unowned) => {
                let stuck = counted(stuck, "task");
                table.judged(CheckVerdict::Bad, format!("{stuck} stuck, {unowned} without an owner"))
            }
        })
    }
}

/// Tasks in work of the alert's queue, or of all, longest first.
fn taken(context: &Context) -> Vec<(String, QueueTask)> {
    let queues = context.pipeline().queues();
    queues.oldest_tasks(context.label("queue"), QueueState::Processing, LOOKED_THROUGH.limit)
}

/// Why a task counts as stuck.
struct Stuck {
    owner: Option<String>,
    unowned: bool,
    why: String,
}

impl Stuck {
    fn of(context: &Context, owners: &Owners, task: &QueueTask) -> Option<Self> {
        let owner = match owners.owner(task, context.now) {
            Ownership::Nobody { worker, reason } => {
                return Some(Self { owner: worker, unowned: true, why: reason });
            }
            Ownership::Held { worker } => Some(worker),
            Ownership::Unknown => None,
        };
        if let Some(job) = owners.job_of(task).filter(|job| !job.judgement.is_fine()) {
            return Some(Self { owner, unowned: false, why: job.judgement.reason.clone() });
        }
        let limit = context.config().stuck_after;
        (task.age_seconds(context.now) > limit.0.as_secs_f64()).then(|| Self {
            owner,
            unowned: false,
            why: format!("in work for longer than {limit}"),
        })
    }
}
