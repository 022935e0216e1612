//! Stages as a whole: what each is doing now, how fast it ends its work, and how long that takes.
//!
//! A job's own stages lie with the job (`jobs`); this adds them up over all jobs.

use std::collections::{BTreeSet, HashMap, VecDeque};
use std::time::Duration;

use model::Timestamp;
use model::event::StageStatus;
use parking_lot::Mutex;

/// Rates over less than this are noise.
const LEAST_SPAN: Duration = Duration::from_secs(10);
/// The most ends remembered of one stage; a stage that ends more in the window has its rate from these.
const MAX_ENDS: usize = 1_000;

/// What is known of a stage over all jobs.
#[derive(Clone, Debug, PartialEq)]
pub struct StageView {
    /// Its name.
    pub stage: String,
    /// The queues whose jobs pass through it, of the unfinished jobs and the last finished ones.
    pub queues: BTreeSet<String>,
    /// Where it comes in a job: the mean of its places, from 0.
    pub position: f64,
    /// Runs that are under way.
    pub running: usize,
    /// How long the oldest of them has taken so far, in seconds.
    pub oldest_running_seconds: Option<f64>,
    /// Runs that ended well since Watchkeeper started.
    pub completed_total: u64,
    /// Runs that ended badly since Watchkeeper started.
    pub failed_total: u64,
    /// Runs that end, well or badly, per second; `None` until it has been watched for ten seconds.
    pub completion_rate: Option<f64>,
    /// How long half of the runs take at the most, in seconds, of those that ended well.
    pub p50_seconds: Option<f64>,
    /// How long 95 of 100 runs take at the most, in seconds, of those that ended well.
    pub p95_seconds: Option<f64>,
    /// The most memory of late, in bytes.
    pub memory_peak_bytes: Option<u64>,
}

/// What jobs say of a stage: those that are unfinished, and those that finished last.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct StageUse {
    pub(crate) queues: BTreeSet<String>,
    pub(crate) running: usize,
    pub(crate) oldest_running_seconds: Option<f64>,
    places: usize,
    runs: usize,
}

impl StageUse {
    /// Takes note of a run at `place` among its job's runs, and how long it has taken if it is under way.
    pub(crate) fn note(&mut self, place: usize, queue: Option<&String>, running_seconds: Option<f64>) {
        self.places += place;
        self.runs += 1;
        self.queues.extend(queue.cloned());
        if let Some(seconds) = running_seconds {
            self.running += 1;
            self.oldest_running_seconds =
                Some(self.oldest_running_seconds.map_or(seconds, |oldest| oldest.max(seconds)));
        }
    }

    pub(crate) fn position(&self) -> f64 {
        self.places as f64 / self.runs.max(1) as f64
    }
}

/// The ends of one stage's runs.
#[derive(Debug)]
struct Ends {
    since: Timestamp,
    completed: u64,
    failed: u64,
    recent: VecDeque<Timestamp>,
}

/// The ends of all stages' runs, since Watchkeeper started.
#[derive(Debug)]
pub(crate) struct StageEnds {
    stages: Mutex<HashMap<String, Ends>>,
    max: usize,
    window: Duration,
}

/// How many runs of a stage ended, and how fast.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Ended {
    pub(crate) completed: u64,
    pub(crate) failed: u64,
    pub(crate) rate: Option<f64>,
}

impl StageEnds {
    /// Remembers at most `max` stages; rates are over `window`.
    pub(crate) fn new(max: usize, window: Duration) -> Self {
        Self { stages: Mutex::default(), max, window }
    }

    /// Takes note that a run ended. A stage beyond the bound is not told apart (`stages_total` counts it
    /// under `other`).
    pub(crate) fn hear(&self, stage: &str, status: StageStatus, now: Timestamp) {
        let mut stages = self.stages.lock();
        let ends = match stages.get_mut(stage) {
            Some(ends) => ends,
            None => {
                if stages.len() >= self.max {
                    return;
                }
                let new = Ends { since: now, completed: 0, failed: 0, recent: VecDeque::new() };
                stages.entry(stage.to_owned()).or_insert(new)
            }
        };
        match status {
            StageStatus::Completed | StageStatus::CompletedEmpty => ends.completed += 1,
            StageStatus::Failed => ends.failed += 1,
            // Nothing was done.
            StageStatus::Skipped => return,
        }
        ends.recent.push_back(now);
        if ends.recent.len() > MAX_ENDS {
            ends.recent.pop_front();
        }
    }

    pub(crate) fn of(&self, stage: &str, now: Timestamp) -> Ended {
        let stages = self.stages.lock();
        let Some(ends) = stages.get(stage) else { return Ended::default() };
        let mut since = ends.since.max(now.before(self.window));
        // With a full memory, what it spans is the window.
        if let Some(oldest) = ends.recent.front().filter(|_| ends.recent.len() == MAX_ENDS) {
            since = since.max(*oldest);
        }
        let span = now.since(since);
        let count = ends.recent.iter().filter(|time| **time >= since).count();
        let rate = (span >= LEAST_SPAN).then(|| count as f64 / span.as_secs_f64());
        Ended { completed: ends.completed, failed: ends.failed, rate }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures::{at, job, pipeline, stage};
    use crate::live::Counting;
    use model::event::{Event, JobAction, StageAction};

    #[test]
    fn stages_stand_in_the_order_of_the_jobs_with_what_runs_in_them() {
        let live = pipeline(crate::Config::default());
        let mut events = Vec::new();
        for (id, begun) in [("a", 0), ("b", 100)] {
            let mut start = job(JobAction::Started, id, begun);
            start.queue = Some("extraction".to_owned());
            events.push(Event::Job(Box::new(start)));
            events.push(Event::Stage(Box::new(stage(StageAction::Started, id, "parse", begun + 1))));
            events.push(Event::Stage(Box::new(stage(StageAction::Finished, id, "parse", begun + 5))));
            events.push(Event::Stage(Box::new(stage(StageAction::Started, id, "embed", begun + 6))));
        }
        events.push(Event::Stage(Box::new(stage(StageAction::Finished, "a", "embed", 26))));
        events.push(Event::Job(Box::new(job(JobAction::Completed, "a", 27))));
        live.fold(&events, Counting::Counted);
        let stages = live.stages(10);
        assert_eq!(stages.total, 2);
        let [parse, embed] = &stages.items[..] else { panic!("{stages:?}") };
        assert_eq!((parse.stage.as_str(), parse.running, parse.completed_total), ("parse", 0, 2));
        assert_eq!((embed.stage.as_str(), embed.running, embed.completed_total), ("embed", 1, 1));
        assert!(embed.queues.contains("extraction"), "{embed:?}");
        let p50 = parse.p50_seconds.expect("two took four seconds");
        assert!((4.0..5.0).contains(&p50), "{p50}");
        assert_eq!(live.stages(1).items.len(), 1);
    }

    #[test]
    fn a_rate_counts_the_ends_within_the_window() {
        let ends = StageEnds::new(10, Duration::from_secs(100));
        ends.hear("ocr", StageStatus::Completed, at(0));
        assert_eq!(ends.of("ocr", at(5)).rate, None, "too short to tell");
        for second in 1..=50 {
            ends.hear("ocr", StageStatus::Completed, at(second * 2));
        }
        ends.hear("ocr", StageStatus::Failed, at(100));
        ends.hear("ocr", StageStatus::Skipped, at(100));
        let ended = ends.of("ocr", at(100));
        assert_eq!((ended.completed, ended.failed, ended.rate), (51, 1, Some(0.52)));
        assert_eq!(ends.of("ocr", at(300)).rate, Some(0.0), "nothing ended of late");
    }

    #[test]
    fn a_busy_stage_has_its_rate_from_what_is_remembered() {
        let ends = StageEnds::new(10, Duration::from_secs(10_000));
        for second in 0..5_000 {
            ends.hear("chunk", StageStatus::Completed, at(second));
        }
        let rate = ends.of("chunk", at(4_999)).rate.expect("long enough");
        assert!((0.99..1.01).contains(&rate), "{rate}");
    }

    #[test]
    fn stages_beyond_the_bound_are_not_remembered() {
        let ends = StageEnds::new(1, Duration::from_secs(10));
        ends.hear("a", StageStatus::Completed, at(0));
        ends.hear("b", StageStatus::Completed, at(0));
        assert_eq!(ends.of("b", at(1)), Ended::default());
        assert_eq!(ends.of("a", at(1)).completed, 1);
    }
}
