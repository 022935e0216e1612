//! What is remembered of spans from one request to the next, within bounds.
//!
//! The spans of one job come in several requests: its parts end, and are sent, while the span of the job itself still
//! lasts, which is sent last. So parts are remembered until the job is known, and jobs for parts that come later.

use std::sync::Arc;

use model::Timestamp;

use crate::generations::Generations;

/// The most jobs of which others told, by hash.
const MAX_TOLD: usize = 200_000;
/// The most jobs whose spans have come.
const MAX_RUNS: usize = 20_000;
/// The most traces of which it is known which jobs they have.
const MAX_TRACES: usize = 50_000;
/// What steps may take whose parents have not come, in bytes.
const MAX_PART_BYTES: usize = 16 << 20;
/// The most steps of one parent.
const MAX_PARTS: usize = 256;

/// A job whose span has come.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Run {
    pub(super) job_id: String,
    pub(super) kind: Option<String>,
    pub(super) worker_id: Option<String>,
    pub(super) document_id: Option<String>,
    pub(super) retry_count: u64,
}

/// The jobs of a trace.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) enum TraceJobs {
    #[default]
    None,
    /// One, and nothing in its trace can belong to another.
    One {
        job_id: Arc<str>,
        /// The process that submitted it, by hash; none when only its span has come.
        sender: Option<u64>,
        /// Since when.
        since: Timestamp,
        /// Whether its end is known.
        is_over: bool,
    },
    /// Several: nobody can tell which of them a span belongs to.
    Several,
}

/// What a span tells of the job of its trace.
#[derive(Clone, Copy, Debug)]
pub(super) struct ToldOf<'t> {
    pub(super) job_id: &'t str,
    /// The process that submits it, where this is what the span tells.
    pub(super) sender: Option<u64>,
    pub(super) since: Timestamp,
    pub(super) is_over: bool,
}

/// A step whose parent has not come.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Part {
    pub(super) event_id: String,
    pub(super) span_id: String,
    pub(super) trace_id: String,
    pub(super) stage: String,
    pub(super) service: Option<String>,
    pub(super) end: Timestamp,
    pub(super) duration_ns: u64,
    /// The type of its error and what it says, where it failed.
    pub(super) error: Option<(Option<String>, Option<String>)>,
}

impl Part {
    fn bytes(&self) -> usize {
        let texts = [&self.event_id, &self.span_id, &self.trace_id, &self.stage];
        let options = [self.service.as_ref()].into_iter().chain(match &self.error {
            Some((kind, message)) => [kind.as_ref(), message.as_ref()],
            None => [None, None],
        });
        let texts = texts.into_iter().chain(options.flatten());
        size_of::<Self>() + texts.map(String::len).sum::<usize>()
    }
}

/// What is remembered.
#[derive(Debug)]
pub(super) struct Memory {
    told: Generations<()>,
    runs: Generations<Arc<Run>>,
    traces: Generations<TraceJobs>,
    parts: Generations<Vec<Part>>,
}

impl Default for Memory {
    fn default() -> Self {
        Self {
            told: Generations::new(MAX_TOLD),
            runs: Generations::new(MAX_RUNS),
            traces: Generations::new(MAX_TRACES),
            parts: Generations::new(MAX_PART_BYTES),
        }
    }
}

impl Memory {
    /// Others told of a job: nothing is to be derived of it.
    pub(super) fn tell(&mut self, job: u128) {
        if self.told.get(job).is_none() {
            self.told.change(job, 1, |_| {});
        }
    }

    pub(super) fn is_told(&self, job: u128) -> bool {
        self.told.get(job).is_some()
    }

    /// The job whose span this is.
    pub(super) fn run(&self, span: u128) -> Option<&Arc<Run>> {
        self.runs.get(span)
    }

    pub(super) fn note_run(&mut self, span: u128, run: &Arc<Run>) {
        self.runs.change(span, 1, |held| held.clone_from(run));
    }

    pub(super) fn jobs_of(&self, trace: u128) -> &TraceJobs {
        self.traces.get(trace).unwrap_or(&TraceJobs::None)
    }

    /// A trace has a job.
    pub(super) fn note_job(&mut self, trace: u128, told: ToldOf<'_>) {
        self.traces.change(trace, 1, |jobs| match jobs {
            TraceJobs::None => {
                *jobs = TraceJobs::One {
                    job_id: told.job_id.into(),
                    sender: told.sender,
                    since: told.since,
                    is_over: told.is_over,
                };
            }
            TraceJobs::One { job_id, sender, since, is_over } if **job_id == *told.job_id => {
                *sender = sender.or(told.sender);
                *since = told.since.min(*since);
                *is_over |= told.is_over;
            }
            TraceJobs::One { .. } => *jobs = TraceJobs::Several,
            TraceJobs::Several => {}
        });
    }

    /// Steps that came before the span that they are part of.
    pub(super) fn parts(&self, parent: u128) -> &[Part] {
        self.parts.get(parent).map_or(&[], Vec::as_slice)
    }

    /// Keeps a step until its parent comes; how many were forgotten for it.
    pub(super) fn keep(&mut self, parent: u128, part: Part) -> u64 {
        let held = self.parts(parent);
        if held.len() >= MAX_PARTS {
            return 1;
        }
        if held.iter().any(|held| held.event_id == part.event_id) {
            return 0;
        }
        let forgotten = self.parts.change(parent, part.bytes(), |parts| parts.push(part));
        forgotten.iter().map(|parts| parts.len() as u64).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_trace_with_two_jobs_belongs_to_neither() {
        let mut memory = Memory::default();
        let at = Timestamp::from_millis;
        let told = |job_id, sender, millis| ToldOf { job_id, sender, since: at(millis), is_over: false };
        memory.note_job(1, told("a", None, 5));
        memory.note_job(1, told("a", Some(7), 3));
        let one = TraceJobs::One { job_id: "a".into(), sender: Some(7), since: at(3), is_over: false };
        assert_eq!(memory.jobs_of(1), &one);
        memory.note_job(1, told("b", Some(7), 6));
        memory.note_job(1, told("a", Some(7), 6));
        assert_eq!(memory.jobs_of(1), &TraceJobs::Several);
        assert_eq!(memory.jobs_of(2), &TraceJobs::None);
    }
}
