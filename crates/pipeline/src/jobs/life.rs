//! The life of one job: what was said of its submission, its attempts and their ends.
//!
//! Kept as a set of marks, sorted by time, from which the attempts and the status are worked out. A set
//! does not care in which order, or how often, its members arrive: that is what makes the fold safe
//! against late and repeated events.

use std::time::Duration;

use model::Timestamp;
use model::event::{JobAction, JobEvent};

use super::{AttemptOutcome, AttemptSnapshot, JobError, JobStatus};

/// The most marks of one job; beyond it the oldest but the first is forgotten.
const MAX_MARKS: usize = 64;
/// How far the clocks of two hosts may differ: within it, the order of what was said of one attempt
/// follows from what was said, not from when.
const MAX_SKEW: Duration = Duration::from_secs(300);

/// What a mark says. In the order in which marks of the same time are read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum MarkKind {
    Submitted,
    Started,
    Ended(End),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum End {
    Retried,
    Failed,
    Completed,
}

impl End {
    const fn outcome(self) -> AttemptOutcome {
        match self {
            Self::Retried => AttemptOutcome::Retried,
            Self::Failed => AttemptOutcome::Failed,
            Self::Completed => AttemptOutcome::Completed,
        }
    }

    const fn is_final(self) -> bool {
        match self {
            Self::Retried => false,
            Self::Failed | Self::Completed => true,
        }
    }
}

#[derive(Clone, Debug)]
struct Mark {
    time: Timestamp,
    kind: MarkKind,
    retry_count: Option<u64>,
    /// When the attempt began, as its end tells.
    started_at: Option<Timestamp>,
    worker_id: Option<Box<str>>,
    error: Option<Box<JobError>>,
    told: Told,
}

/// What derived metrics have been told of a mark.
#[derive(Clone, Copy, Debug, Default)]
struct Told {
    /// That the job came into its queue here.
    queued: bool,
    /// That an attempt ended here.
    ended: bool,
    /// How long what ended here took.
    duration: bool,
}

impl Mark {
    fn key(&self) -> (Timestamp, MarkKind, Option<u64>) {
        (self.time, self.kind, self.retry_count)
    }
}

/// One attempt, as it follows from the marks.
#[derive(Clone, Debug, Default)]
pub(super) struct Attempt {
    pub(super) number: u64,
    pub(super) queued_at: Option<Timestamp>,
    pub(super) started_at: Option<Timestamp>,
    pub(super) ended_at: Option<Timestamp>,
    pub(super) outcome: Option<AttemptOutcome>,
    worker_id: Option<Box<str>>,
    error: Option<Box<JobError>>,
    /// The marks that put it into the queue, began it and ended it.
    queue_mark: Option<usize>,
    start_mark: Option<usize>,
    end_mark: Option<usize>,
}

/// What was said of a job's life.
#[derive(Clone, Debug, Default)]
pub(super) struct Life {
    marks: Vec<Mark>,
    /// The earliest time of submission that any event gives.
    submitted_at: Option<Timestamp>,
    /// The earliest and the latest sign of work: progress, or the beginning of a stage.
    activity: Option<(Timestamp, Timestamp)>,
}

/// Something that is known for the first time.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Measured {
    /// The job came into its queue; being tried again is no arrival, as the end of that attempt is no end.
    Queued,
    /// An attempt ended.
    Ended(AttemptOutcome),
    /// A wait for an attempt, in seconds.
    Wait(f64),
    /// An attempt, in seconds.
    Run(f64),
}

impl Life {
    /// Takes note of an event; whether it says something new of the job's life.
    pub(super) fn note(&mut self, event: &JobEvent) -> bool {
        self.note_submission(event.submitted_at);
        let kind = match event.action {
            JobAction::Submitted => {
                self.note_submission(Some(event.time));
                MarkKind::Submitted
            }
            JobAction::Started => MarkKind::Started,
            JobAction::Progress => {
                self.note_activity(event.time);
                return false;
            }
            JobAction::Retried => MarkKind::Ended(End::Retried),
            JobAction::Failed => MarkKind::Ended(End::Failed),
            JobAction::Completed => MarkKind::Ended(End::Completed),
        };
        let error = match kind {
            MarkKind::Ended(End::Retried | End::Failed) => Some(Box::new(JobError {
                error_type: event.error_type.clone(),
                message: event.error_message.clone(),
                timed_out: event.timed_out.unwrap_or(false),
            })),
            MarkKind::Submitted | MarkKind::Started | MarkKind::Ended(End::Completed) => None,
        };
        self.insert(Mark {
            time: event.time,
            kind,
            retry_count: event.retry_count,
            started_at: event.started_at,
            worker_id: event.worker_id.as_deref().map(Into::into),
            error,
            told: Told::default(),
        })
    }

    fn note_submission(&mut self, time: Option<Timestamp>) {
        self.submitted_at = [self.submitted_at, time].into_iter().flatten().min();
    }

    /// Takes note of a sign of work that is no mark of its own.
    pub(super) fn note_activity(&mut self, time: Timestamp) {
        let (first, last) = self.activity.unwrap_or((time, time));
        self.activity = Some((first.min(time), last.max(time)));
    }

    /// Adds a mark; of two that say the same at the same time, one stays.
    fn insert(&mut self, mark: Mark) -> bool {
        match self.marks.binary_search_by_key(&mark.key(), Mark::key) {
            Ok(place) => {
                let held = &mut self.marks[place];
                held.started_at = held.started_at.max(mark.started_at);
                held.worker_id = held.worker_id.take().max(mark.worker_id);
                held.error = held.error.take().max(mark.error);
                false
            }
            Err(place) => {
                self.marks.insert(place, mark);
                if self.marks.len() > MAX_MARKS {
                    self.marks.remove(1);
                }
                true
            }
        }
    }

    /// The marks in the order in which they happened, as far as one can tell: the clocks of a gateway and
    /// a worker differ, so a time alone must not open a job again that has ended.
    fn order(&self) -> Vec<usize> {
        let mut order: Vec<usize> = (0..self.marks.len()).collect();
        let only = |kind: MarkKind| {
            let mut found = (0..self.marks.len()).filter(|&index| self.marks[index].kind == kind);
            found.next().filter(|_| found.next().is_none())
        };
        let end = self.marks.iter().position(|mark| matches!(mark.kind, MarkKind::Ended(_)));
        // A job that was started once was started before its end.
        if let (Some(start), Some(end)) = (only(MarkKind::Started), end)
            && start > end
            && self.is_skew(end, start)
            && !self.marks[..start].iter().any(|mark| mark.kind == MarkKind::Ended(End::Retried))
        {
            order.remove(start);
            order.insert(end, start);
        }
        // A job that was submitted once was submitted before all else.
        if let Some(submission) = only(MarkKind::Submitted)
            && self.is_skew(0, submission)
        {
            order.retain(|&index| index != submission);
            order.insert(0, submission);
        }
        self.put_failures_before_next_attempts(&mut order);
        order
    }

    /// An attempt that ended badly ended before the next began. A worker may give the job back first and
    /// report afterwards, when another has begun with it, or is done.
    fn put_failures_before_next_attempts(&self, order: &mut [usize]) {
        for place in 1..order.len() {
            let end = &self.marks[order[place]];
            let (MarkKind::Ended(End::Retried | End::Failed), Some(attempt)) = (end.kind, end.retry_count)
            else {
                continue;
            };
            let next = order[..place].iter().position(|&index| {
                let mark = &self.marks[index];
                mark.kind == MarkKind::Started
                    && mark.retry_count > Some(attempt)
                    && self.is_skew(index, order[place])
            });
            if let Some(next) = next {
                order[next..=place].rotate_right(1);
            }
        }
    }

    /// Whether two marks lie so close that the difference may be that of two clocks.
    fn is_skew(&self, earlier: usize, later: usize) -> bool {
        self.marks[later].time <= self.marks[earlier].time.after(MAX_SKEW)
    }

    /// The attempts, oldest first. The last is open unless it has an outcome.
    pub(super) fn attempts(&self) -> Vec<Attempt> {
        let mut attempts: Vec<Attempt> = Vec::new();
        let mut open = Attempt { queued_at: self.submitted_at, ..Attempt::default() };
        let mut is_open = true;
        for index in self.order() {
            let mark = &self.marks[index];
            match mark.kind {
                MarkKind::Submitted if is_open => open.queue_mark = open.queue_mark.or(Some(index)),
                MarkKind::Submitted => {
                    open = Attempt::queued(index, mark);
                    is_open = true;
                }
                MarkKind::Started => {
                    if is_open && open.start_mark.is_some() {
                        // Begun again without an end: its worker was lost, and another took it.
                        attempts.push(std::mem::take(&mut open));
                    }
                    if !is_open {
                        open = Attempt::default();
                    }
                    open.begin(index, mark);
                    is_open = true;
                }
                // Said once more, by another or with another time.
                MarkKind::Ended(end) if !is_open && repeats(&attempts, end) => {}
                MarkKind::Ended(end) => {
                    if !is_open {
                        open = Attempt::default();
                    }
                    open.end(index, mark, end);
                    attempts.push(std::mem::take(&mut open));
                    is_open = !end.is_final();
                    if is_open {
                        open = Attempt::queued(index, mark);
                    }
                }
            }
        }
        if is_open {
            attempts.push(open);
        }
        for (attempt, least) in attempts.iter_mut().zip(0..) {
            attempt.number = attempt.number.max(least);
        }
        if let (true, Some(attempt)) = (is_open, attempts.last_mut()) {
            self.begin_by_activity(attempt);
        }
        attempts
    }

    /// An attempt of which no beginning was told has begun when there are signs of work.
    fn begin_by_activity(&self, attempt: &mut Attempt) {
        if let (None, Some((first, last))) = (attempt.started_at, self.activity) {
            match attempt.queued_at {
                Some(queued_at) if last <= queued_at => {}
                Some(queued_at) => attempt.started_at = Some(if first > queued_at { first } else { last }),
                None => attempt.started_at = Some(first),
            }
        }
    }

    /// Where the job is, given its attempts.
    pub(super) fn status(attempts: &[Attempt]) -> JobStatus {
        match attempts.last() {
            None => JobStatus::Pending,
            Some(attempt) => match attempt.outcome {
                None if attempt.started_at.is_some() => JobStatus::Running,
                None | Some(AttemptOutcome::Retried) => JobStatus::Pending,
                Some(AttemptOutcome::Failed) => JobStatus::Failed,
                Some(AttemptOutcome::Completed) => JobStatus::Completed,
            },
        }
    }

    /// How often it was tried again: as the events tell, or else as often as it was seen.
    pub(super) fn retry_count(&self, attempts: &[Attempt]) -> u64 {
        let told = self.marks.iter().filter_map(|mark| mark.retry_count).max().unwrap_or(0);
        told.max(attempts.len().saturating_sub(1) as u64)
    }

    pub(super) fn submitted_at(&self) -> Option<Timestamp> {
        self.submitted_at
    }

    /// What has become known since this was asked last.
    pub(super) fn measure(&mut self, attempts: &[Attempt]) -> Vec<Measured> {
        let mut measured = Vec::new();
        let submissions: Vec<bool> = self.marks.iter().map(|mark| mark.kind == MarkKind::Submitted).collect();
        let mut once = |mark: Option<usize>, told: fn(&mut Told) -> &mut bool, what: Option<Measured>| {
            if let (Some(mark), Some(what)) = (mark, what)
                && !std::mem::replace(told(&mut self.marks[mark].told), true)
            {
                measured.push(what);
            }
        };
        for attempt in attempts {
            let submission = attempt.queue_mark.filter(|&mark| submissions[mark]);
            once(submission, |told| &mut told.queued, Some(Measured::Queued));
            once(attempt.start_mark, |told| &mut told.duration, attempt.wait_seconds().map(Measured::Wait));
            once(attempt.end_mark, |told| &mut told.ended, attempt.outcome.map(Measured::Ended));
            once(attempt.end_mark, |told| &mut told.duration, attempt.run_seconds().map(Measured::Run));
        }
        measured
    }
}

/// Whether the last attempt ended so already.
fn repeats(attempts: &[Attempt], end: End) -> bool {
    end.is_final() && attempts.last().is_some_and(|attempt| attempt.outcome == Some(end.outcome()))
}

impl Attempt {
    fn queued(index: usize, mark: &Mark) -> Self {
        Self { queued_at: Some(mark.time), queue_mark: Some(index), ..Self::default() }
    }

    fn begin(&mut self, index: usize, mark: &Mark) {
        self.start_mark = Some(index);
        self.started_at = Some(mark.started_at.unwrap_or(mark.time));
        self.worker_id = mark.worker_id.clone();
        self.number = mark.retry_count.unwrap_or(0);
    }

    fn end(&mut self, index: usize, mark: &Mark, end: End) {
        self.end_mark = Some(index);
        self.ended_at = Some(mark.time);
        self.outcome = Some(end.outcome());
        self.started_at = self.started_at.or(mark.started_at);
        self.worker_id = mark.worker_id.clone().or(self.worker_id.take());
        self.error = mark.error.clone();
    }

    /// How long the job waited for it, in seconds.
    pub(super) fn wait_seconds(&self) -> Option<f64> {
        Some(self.started_at?.since(self.queued_at?).as_secs_f64())
    }

    /// How long it took, in seconds.
    pub(super) fn run_seconds(&self) -> Option<f64> {
        Some(self.ended_at?.since(self.started_at?).as_secs_f64())
    }

    pub(super) fn worker_id(&self) -> Option<&str> {
        self.worker_id.as_deref()
    }

    pub(super) fn error(&self) -> Option<&JobError> {
        self.error.as_deref()
    }

    pub(super) fn snapshot(&self) -> AttemptSnapshot {
        AttemptSnapshot {
            number: self.number,
            queued_at: self.queued_at,
            started_at: self.started_at,
            ended_at: self.ended_at,
            outcome: self.outcome,
            worker_id: self.worker_id().map(str::to_owned),
            error: self.error().cloned(),
        }
    }
}
