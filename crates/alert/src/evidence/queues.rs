//! Checks of queues: depth and pace, and the tasks at their heads.

use pipeline::{QueueState, QueueTask, QueueView, WorkerFilter, WorkerStatus};

use super::live::{LOOKED_THROUGH, Live};
use super::table::{CheckVerdict, counted};
use super::{Check, Context, MAX_ROWS, Table, age, bytes, none, text};

pub(super) fn checks() -> Vec<Box<dyn Check>> {
    let checks = [
        Live { name: "oldest_pending_tasks", title: "Tasks that wait longest", look: pending_tasks },
        Live { name: "oldest_processing_tasks", title: "Tasks longest in work", look: processing_tasks },
        Live { name: "queue_heads", title: "Tasks that are taken next", look: heads },
        Live { name: "queues", title: "Queues", look: queues },
    ];
    checks.into_iter().map(|check| Box::new(check) as Box<dyn Check>).collect()
}

/// The queue of the alert, or all.
fn wanted(context: &Context) -> Vec<QueueView> {
    let listing = context.pipeline().queues().list(LOOKED_THROUGH);
    let wanted = context.label("queue");
    listing.items.into_iter().filter(|queue| wanted.is_none_or(|name| name == queue.queue)).collect()
}

/// The workers that may take tasks of a queue: those that name it, and those that name none.
#[derive(Clone, Copy, Debug, Default)]
struct Staff {
    known: usize,
    online: usize,
}

/// Each queue with its staff.
fn staffed(context: &Context, queues: Vec<QueueView>) -> Vec<(QueueView, Staff)> {
    let workers = context.pipeline().workers().list(&WorkerFilter::default(), LOOKED_THROUGH).items;
    let staff = |queue: &str| {
        let takes = |queues: &[String]| queues.is_empty() || queues.iter().any(|name| name == queue);
        let its = workers.iter().filter(|worker| takes(&worker.queues));
        its.fold(Staff::default(), |staff, worker| Staff {
            known: staff.known + 1,
            online: staff.online + usize::from(worker.status == WorkerStatus::Online),
        })
    };
    queues
        .into_iter()
        .map(|queue| {
            let staff = staff(&queue.queue);
            (queue, staff)
        })
        .collect()
}

fn pending_tasks(context: &Context) -> Table {
    with_pace(tasks(context, QueueState::Pending), &staffed(context, wanted(context)))
}

fn processing_tasks(context: &Context) -> Table {
    let limit = context.config().stuck_after;
    let found = context.pipeline().queues().oldest_tasks(context.label("queue"), QueueState::Processing, 1);
    let table = tasks(context, QueueState::Processing);
    match found.first().map(|(_, task)| (task, task.age_seconds(context.now))) {
        Some((task, seconds)) if seconds > limit.0.as_secs_f64() => {
            let reason = format!("{} has been in work for {}, longer than {limit}", task.id, age(seconds));
            table.judged(CheckVerdict::Look, reason)
        }
        Some(_) => table.judged(CheckVerdict::Fine, format!("none has been in work for longer than {limit}")),
        None => table,
    }
}

fn tasks(context: &Context, state: QueueState) -> Table {
    let found = context.pipeline().queues().oldest_tasks(context.label("queue"), state, MAX_ROWS);
    let rows = found.into_iter().map(|(queue, task)| {
        [
            queue,
            task.id.clone(),
            text(task.kind.as_deref()),
            text(task.document_id.as_deref()),
            number(task.priority),
            age(task.age_seconds(context.now)),
        ]
    });
    Table::new(["queue", "task", "kind", "document", "priority", "age"], rows)
        .or_else_note("no task is in this state")
}

/// The tasks of each queue that are taken next, with what decides on that: their scores.
fn heads(context: &Context) -> Table {
    let queues = wanted(context);
    let each = MAX_ROWS / queues.len().clamp(1, MAX_ROWS);
    let mut rows = Vec::new();
    for queue in &queues {
        let mut tasks: Vec<&QueueTask> =
            queue.tasks.iter().filter(|task| task.state == QueueState::Pending).collect();
        tasks.sort_by_key(|task| task.position.unwrap_or(u64::MAX));
        rows.extend(tasks.into_iter().take(each).map(|task| {
            [
                queue.queue.clone(),
                task.position.map_or_else(none, |position| (position + 1).to_string()),
                task.id.clone(),
                number(task.score),
                age(task.age_seconds(context.now)),
                text(task.kind.as_deref()),
                text(task.document_id.as_deref()),
                bytes(task.payload_bytes),
            ]
        }));
    }
    let columns = ["queue", "place", "task", "score", "age", "kind", "document", "size"];
    with_pace(Table::new(columns, rows).or_else_note("no task waits"), &staffed(context, queues))
}

fn queues(context: &Context) -> Table {
    let queues = staffed(context, wanted(context));
    let rows = queues.iter().map(|(queue, _)| {
        let rate = |rate: Option<f64>| rate.map_or_else(none, |rate| format!("{:.1}/min", rate * 60.0));
        let depth = |state| queue.depth_of(state).to_string();
        [
            queue.queue.clone(),
            depth(QueueState::Pending),
            depth(QueueState::Processing),
            depth(QueueState::Delayed),
            depth(QueueState::Dead),
            rate(queue.arrival_rate),
            rate(queue.completion_rate),
            queue.drain_seconds.map_or_else(none, age),
        ]
    });
    let columns = ["queue", "pending", "processing", "delayed", "dead", "arrive", "end", "drained in"];
    let mut table = with_pace(Table::new(columns, rows).or_else_note("no queue is known"), &queues);
    for (queue, _) in queues.iter().filter(|(queue, _)| queue.depth_of(QueueState::Dead) > 0) {
        let dead = counted(queue.depth_of(QueueState::Dead) as usize, "task");
        table = table.judged(CheckVerdict::Look, format!("{dead} of {} were given up", queue.queue));
    }
    table
}

/// What says that nobody is there for the tasks that wait, as soon as it can be known: rates go over
/// minutes, and are those of workers that may have stopped since.
fn nobody_there(queue: &QueueView, staff: Staff) -> Option<(CheckVerdict, String)> {
    if staff.online > 0 || queue.ended_lately != Some(false) {
        return None;
    }
    match (staff.known, queue.depth_of(QueueState::Processing)) {
        // Workers that do not report may work in batches.
        (0, 0) => Some((CheckVerdict::Look, "none in work, and none has ended within a minute".to_owned())),
        (0, _) => None,
        (_, 0) => Some((CheckVerdict::Bad, "no worker is online, and none is in work".to_owned())),
        (_, taken) => Some((CheckVerdict::Look, format!("{taken} in work, but no worker is online"))),
    }
}

/// A queue that cannot be read, or in which tasks wait and none ends, is broken; one that fills faster
/// than it drains deserves a look.
fn with_pace(mut table: Table, queues: &[(QueueView, Staff)]) -> Table {
    let (mut pending, mut unknown) = (0, false);
    for (queue, staff) in queues {
        let (name, waiting) = (&queue.queue, queue.depth_of(QueueState::Pending));
        pending += waiting;
        if !queue.ok {
            table = table.judged(CheckVerdict::Bad, format!("{name} could not be read"));
        }
        if waiting == 0 {
            continue;
        }
        let wait = format!("{} wait", counted(waiting as usize, "task"));
        if let Some((verdict, why)) = nobody_there(queue, *staff) {
            table = table.judged(verdict, format!("{wait} in {name}: {why}"));
        }
        match (queue.arrival_rate, queue.completion_rate) {
            (_, Some(ended)) if ended <= 0.0 => {
                // Long jobs end seldom; it is only sure that nothing moves when nothing is in work.
                let taken = queue.depth_of(QueueState::Processing);
                table = if taken == 0 {
                    table.judged(
                        CheckVerdict::Bad,
                        format!("{wait} in {name} and nobody takes any: none in work, none ended lately"),
                    )
                } else {
                    table.judged(
                        CheckVerdict::Look,
                        format!("{wait} in {name}, {taken} in work, and none has ended lately"),
                    )
                };
            }
            (_, None) => unknown = true,
            (Some(arrived), Some(ended)) if arrived > ended => {
                table =
                    table.judged(CheckVerdict::Look, format!("{wait} in {name}: more arrive than are done"));
            }
            _ => {}
        }
    }
    if table.reason.is_empty() && !queues.is_empty() {
        let reason = match (pending, unknown) {
            (0, _) => "no task waits",
            (_, false) => "what waits is being worked off",
            (_, true) => "it was not watched for long enough to say how fast it drains",
        };
        table = table.judged(CheckVerdict::Fine, reason);
    }
    table
}

fn number(number: Option<f64>) -> String {
    number.map_or_else(none, |number| number.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use model::Timestamp;

    /// A queue in which tasks wait and that drains, by its rate.
    fn draining(processing: u64, ended_lately: Option<bool>) -> QueueView {
        QueueView {
            queue: "llm_tasks".to_owned(),
            system: "redis".to_owned(),
            time: Timestamp::now(),
            ok: true,
            observed: true,
            depth: [(QueueState::Pending, 150), (QueueState::Processing, processing)].into(),
            oldest_age_seconds: Default::default(),
            tasks: Vec::new(),
            enqueued_total: 400,
            completed_total: 250,
            failed_total: 0,
            arrival_rate: Some(0.0),
            completion_rate: Some(0.8),
            ended_lately,
            drain_seconds: Some(180.0),
            completion_ratio: Some(1.0),
        }
    }

    #[test]
    fn tasks_that_wait_are_not_worked_off_once_all_workers_have_stopped() {
        use CheckVerdict::{Bad, Fine, Look};
        let (gone, online, unknown) =
            (Staff { known: 2, online: 0 }, Staff { known: 2, online: 1 }, Staff::default());
        let cases = [
            (0, Some(false), gone, Bad, "150 tasks wait in llm_tasks: no worker is online"),
            (3, Some(false), gone, Look, "3 in work, but no worker is online"),
            (0, Some(false), unknown, Look, "none has ended within a minute"),
            (3, Some(false), unknown, Fine, "worked off"),
            (0, Some(false), online, Fine, "worked off"),
            (0, Some(true), gone, Fine, "worked off"),
            (0, None, gone, Fine, "worked off"),
        ];
        for (processing, ended_lately, staff, verdict, reason) in cases {
            let columns: [&str; 0] = [];
            let table = with_pace(Table::new(columns, []), &[(draining(processing, ended_lately), staff)]);
            let case = format!("{processing} in work, {ended_lately:?}, {staff:?}: {}", table.reason);
            assert_eq!(table.verdict, verdict, "{case}");
            assert!(table.reason.contains(reason), "{case}");
        }
    }
}
