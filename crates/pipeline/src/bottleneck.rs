//! Where the pipeline is held up, as far as rates and waiting work tell. Knows no threshold: it compares
//! what comes in with what goes out.

use crate::{QueueState, QueueView, StageView, WorkerSnapshot, WorkerStatus};

/// Where work piles up, and why.
#[derive(Clone, Debug, PartialEq)]
pub struct Bottleneck {
    /// The queue that grows.
    pub queue: String,
    /// The stage that takes most of the time of the queue's jobs, where that is known.
    pub stage: Option<String>,
    /// Why, in one sentence.
    pub reason: String,
}

impl Bottleneck {
    /// The queue that is in the most trouble: first those that nobody takes from, then those into which
    /// more comes than goes out and where waiting outweighs work; of the same, by how long the oldest
    /// task has waited.
    pub fn find(queues: &[QueueView], stages: &[StageView], workers: &[WorkerSnapshot]) -> Option<Self> {
        let waiting = queues.iter().filter(|queue| queue.ok && queue.depth_of(QueueState::Pending) > 0);
        let (queue, trouble) = waiting
            .filter_map(|queue| Some((queue, Trouble::of(queue, stages, workers)?)))
            .max_by(|(a, one), (b, other)| one.cmp(other).then(oldest(a).total_cmp(&oldest(b))))?;
        let pending = queue.depth_of(QueueState::Pending);
        let name = &queue.queue;
        let stage = slowest(name, stages);
        let reason = match (trouble, stage) {
            (Trouble::NobodyTakes, _) => {
                format!("{pending} tasks wait in {name}, and no worker that takes from it is online.")
            }
            (Trouble::Grows, Some(stage)) => format!(
                "Tasks come into {name} faster than they are done; most of their time goes into {}.",
                stage.stage
            ),
            (Trouble::Grows, None) => format!("Tasks come into {name} faster than they are done."),
        };
        let stage = stage.filter(|_| trouble == Trouble::Grows).map(|stage| stage.stage.clone());
        Some(Self { queue: name.clone(), stage, reason })
    }
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Trouble {
    Grows,
    NobodyTakes,
}

impl Trouble {
    fn of(queue: &QueueView, stages: &[StageView], workers: &[WorkerSnapshot]) -> Option<Self> {
        let mut takers = workers.iter().filter(|worker| worker.queues.contains(&queue.queue)).peekable();
        let known = takers.peek().is_some();
        if known && !takers.any(|worker| matches!(worker.status, WorkerStatus::Online | WorkerStatus::Stale))
        {
            return Some(Self::NobodyTakes);
        }
        match (queue.arrival_rate, queue.completion_rate) {
            (Some(arrive), Some(leave)) if arrive > leave && outweighs(queue, stages) => Some(Self::Grows),
            _ => None,
        }
    }
}

fn oldest(queue: &QueueView) -> f64 {
    queue.oldest_age_seconds.get(&QueueState::Pending).copied().unwrap_or(0.0)
}

/// Whether waiting outweighs work: more tasks wait than are worked on, and the oldest for longer than work
/// on it takes. Rates differ a little all the time; without this, a queue that is well would be named.
fn outweighs(queue: &QueueView, stages: &[StageView]) -> bool {
    queue.depth_of(QueueState::Pending) > queue.depth_of(QueueState::Processing)
        && oldest(queue) > work_seconds(queue, stages)
}

/// How long a job of a queue is usually worked on, in seconds, as far as its stages tell.
fn work_seconds(queue: &QueueView, stages: &[StageView]) -> f64 {
    let its = stages.iter().filter(|stage| stage.queues.contains(&queue.queue));
    its.filter_map(|stage| stage.p50_seconds).sum()
}

/// The stage of a queue's jobs whose usual duration is the longest.
fn slowest<'a>(queue: &str, stages: &'a [StageView]) -> Option<&'a StageView> {
    let its = stages.iter().filter(|stage| stage.queues.contains(queue) && stage.p50_seconds.is_some());
    its.max_by(|a, b| a.p50_seconds.unwrap_or(0.0).total_cmp(&b.p50_seconds.unwrap_or(0.0)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures::{at, pipeline, worker};
    use model::event::{Event, WorkerAction};

    fn queue(name: &str, pending: u64, oldest: f64, rates: Option<(f64, f64)>) -> QueueView {
        QueueView {
            queue: name.to_owned(),
            system: "redis".to_owned(),
            time: at(0),
            ok: true,
            observed: true,
            depth: [(QueueState::Pending, pending)].into(),
            oldest_age_seconds: [(QueueState::Pending, oldest)].into(),
            tasks: Vec::new(),
            enqueued_total: 0,
            completed_total: 0,
            failed_total: 0,
            arrival_rate: rates.map(|(arrive, _)| arrive),
            completion_rate: rates.map(|(_, leave)| leave),
            ended_lately: None,
            drain_seconds: None,
            completion_ratio: None,
        }
    }

    fn stage(name: &str, queue: &str, p50: f64) -> StageView {
        StageView {
            stage: name.to_owned(),
            queues: [queue.to_owned()].into(),
            position: 0.0,
            running: 0,
            oldest_running_seconds: None,
            completed_total: 0,
            failed_total: 0,
            completion_rate: None,
            p50_seconds: Some(p50),
            p95_seconds: None,
            memory_peak_bytes: None,
        }
    }

    #[test]
    fn the_growing_queue_with_the_oldest_task_and_its_slowest_stage() {
        let queues = [
            queue("calm", 900, 900.0, Some((1.0, 1.0))),
            queue("young", 50, 5.0, Some((2.0, 1.0))),
            queue("old", 5, 80.0, Some((2.0, 1.0))),
            queue("unknown", 5, 800.0, None),
            queue("slow work", 5, 90.0, Some((2.0, 1.0))),
        ];
        let stages = [
            stage("parse", "old", 1.0),
            stage("embed", "old", 9.0),
            stage("chat", "young", 3.0),
            stage("train", "slow work", 100.0),
        ];
        let found = Bottleneck::find(&queues, &stages, &[]).expect("one grows");
        assert_eq!((found.queue.as_str(), found.stage.as_deref()), ("old", Some("embed")));
        assert!(found.reason.contains("embed"), "{}", found.reason);
    }

    #[test]
    fn a_queue_that_nobody_takes_from_comes_first() {
        let live = pipeline(crate::Config::default());
        let mut beat = worker(WorkerAction::Heartbeat, "w", 0);
        beat.queues = Some("left".to_owned());
        live.fold(&[Event::Worker(Box::new(beat))], crate::live::Counting::Counted);
        let workers = live.workers().list_at(&Default::default(), crate::Page::default(), at(100_000)).items;
        let queues = [queue("left", 1, 1.0, None), queue("grows", 50, 50.0, Some((2.0, 1.0)))];
        let found = Bottleneck::find(&queues, &[], &workers).expect("nobody takes");
        assert_eq!((found.queue.as_str(), found.stage), ("left", None));
    }

    #[test]
    fn nothing_is_held_up_when_nothing_waits_or_work_leaves_as_fast_as_it_comes() {
        let queues = [queue("empty", 0, 0.0, Some((2.0, 1.0))), queue("busy", 9, 9.0, Some((1.0, 2.0)))];
        assert_eq!(Bottleneck::find(&queues, &[], &[]), None);
    }
}
