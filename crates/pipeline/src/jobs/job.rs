//! One job: its life, its stages, and the facts that events tell of it.

use std::collections::HashMap;
use std::sync::Arc;

use model::Timestamp;
use model::event::{Attributes, JobEvent, StageAction, StageEvent};

use super::life::{Attempt, Life, Measured};
use super::stages::{Run, StageLog};
use super::{JobFilter, JobSnapshot, JobStatus};
use crate::Judgement;
use crate::latest::Latest;
use crate::observation::Observation;
use crate::stages::StageUse;

/// The most traces of one job by which it is found.
const MAX_TRACES: usize = 16;

/// What events tell of a job beside its life and its stages: of each fact, the newest.
#[derive(Clone, Debug, Default)]
pub(super) struct Facts {
    pub(super) kind: Latest<String>,
    pub(super) queue: Latest<String>,
    pub(super) worker_id: Latest<String>,
    pub(super) stage: Latest<String>,
    pub(super) expected_max_seconds: Latest<f64>,
    document_id: Latest<String>,
    tenant: Latest<String>,
    parent_id: Latest<String>,
    content_type: Latest<String>,
    service: Latest<String>,
    trace_id: Latest<String>,
    request_id: Latest<String>,
    max_retries: Latest<u64>,
    priority: Latest<f64>,
    progress: Latest<f64>,
    message: Latest<String>,
    cpu_seconds: Latest<f64>,
    gpu_seconds: Latest<f64>,
    memory_peak_bytes: Latest<u64>,
    input_bytes: Latest<u64>,
    output_bytes: Latest<u64>,
    pages: Latest<u64>,
    confidence_score: Latest<f64>,
    quality_degraded: Latest<bool>,
    attributes: Latest<Attributes>,
    /// Its traces, so that it is found by each; [`MAX_TRACES`] at most.
    traces: Vec<String>,
}

impl Facts {
    fn note_job(&mut self, event: &JobEvent) {
        let time = event.time;
        self.kind.offer(time, event.kind.as_ref());
        self.queue.offer(time, event.queue.as_ref());
        self.worker_id.offer(time, event.worker_id.as_ref());
        self.stage.offer(time, event.stage.as_ref());
        self.expected_max_seconds.offer(time, event.expected_max_seconds.as_ref());
        self.document_id.offer(time, event.document_id.as_ref());
        self.tenant.offer(time, event.tenant.as_ref());
        self.parent_id.offer(time, event.parent_id.as_ref());
        self.content_type.offer(time, event.content_type.as_ref());
        self.service.offer(time, event.service.as_ref());
        self.trace_id.offer(time, event.trace_id.as_ref());
        self.request_id.offer(time, event.request_id.as_ref());
        self.max_retries.offer(time, event.max_retries.as_ref());
        self.priority.offer(time, event.priority.as_ref());
        self.progress.offer(time, event.progress.as_ref());
        self.message.offer(time, event.message.as_ref());
        self.cpu_seconds.offer(time, event.cpu_seconds.as_ref());
        self.gpu_seconds.offer(time, event.gpu_seconds.as_ref());
        self.memory_peak_bytes.offer(time, event.memory_peak_bytes.as_ref());
        self.input_bytes.offer(time, event.input_bytes.as_ref());
        self.output_bytes.offer(time, event.output_bytes.as_ref());
        self.pages.offer(time, event.pages.as_ref());
        self.confidence_score.offer(time, event.confidence_score.as_ref());
        self.quality_degraded.offer(time, event.quality_degraded.as_ref());
        self.attributes.offer(time, Some(&event.attributes).filter(|attributes| !attributes.is_empty()));
        self.note_trace(event.trace_id.as_deref());
    }

    fn note_trace(&mut self, trace: Option<&str>) {
        if let Some(trace) = trace.filter(|trace| !trace.is_empty())
            && self.traces.len() < MAX_TRACES
            && !self.traces.iter().any(|known| known == trace)
        {
            self.traces.push(trace.to_owned());
        }
    }

    /// A stage's event tells of its job, too; its attributes are the stage's own.
    fn note_stage(&mut self, event: &StageEvent) {
        let time = event.time;
        self.kind.offer(time, event.kind.as_ref());
        self.document_id.offer(time, event.document_id.as_ref());
        self.worker_id.offer(time, event.worker_id.as_ref());
        self.service.offer(time, event.service.as_ref());
        self.trace_id.offer(time, event.trace_id.as_ref());
        self.note_trace(event.trace_id.as_deref());
    }
}

/// One job.
#[derive(Clone, Debug)]
pub(super) struct Job {
    pub(super) id: Arc<str>,
    pub(super) facts: Facts,
    life: Life,
    stages: StageLog,
    pub(super) first_event_at: Timestamp,
    pub(super) last_event_at: Timestamp,
    /// Worked out anew after each event.
    pub(super) status: JobStatus,
    /// When the present wait or the present attempt began, or when the job ended.
    pub(super) since: Timestamp,
    /// Whether events tell that, or else it is the time of the first of them.
    is_since_told: bool,
}

impl Job {
    pub(super) fn new(id: Arc<str>, time: Timestamp) -> Self {
        Self {
            id,
            facts: Facts::default(),
            life: Life::default(),
            stages: StageLog::default(),
            first_event_at: time,
            last_event_at: time,
            status: JobStatus::Pending,
            since: time,
            is_since_told: false,
        }
    }

    /// Folds an event of the job; `found` gets what it says for the first time.
    pub(super) fn note_job(&mut self, event: &JobEvent, found: &mut Vec<Observation>) {
        self.note_time(event.time);
        self.facts.note_job(event);
        self.life.note(event);
        self.settle(found);
    }

    /// Folds an event of one of its stages.
    pub(super) fn note_stage(&mut self, event: &StageEvent, found: &mut Vec<Observation>) {
        self.note_time(event.time);
        self.facts.note_stage(event);
        if event.action == StageAction::Started {
            self.life.note_activity(event.time);
        }
        if !self.stages.note(event) {
            return;
        }
        match event.action {
            StageAction::Started => self.settle(found),
            // The end of a stage tells nothing of the job's life, of which all is worked out already.
            StageAction::Finished if self.is_since_told => {}
            StageAction::Finished => self.since = self.first_event_at,
        }
        if event.action == StageAction::Started {
            let (rss, peak) = (event.memory_rss_bytes, event.memory_peak_bytes.max(event.memory_rss_bytes));
            found.push(Observation::StageMemory {
                stage: event.stage.clone(),
                time: event.time,
                rss,
                peak,
                delta: None,
            });
        }
        for measure in self.stages.measure() {
            let stage = measure.stage;
            if let Some(status) = measure.ended {
                let (rss, peak, delta) = measure.memory;
                found.push(Observation::StageEnded { stage: stage.clone(), status });
                found.push(Observation::StageMemory {
                    stage: stage.clone(),
                    time: event.time,
                    rss,
                    peak,
                    delta,
                });
            }
            if let Some(seconds) = measure.seconds {
                found.push(Observation::StageTook { stage, seconds });
            }
        }
    }

    fn note_time(&mut self, time: Timestamp) {
        self.first_event_at = self.first_event_at.min(time);
        self.last_event_at = self.last_event_at.max(time);
    }

    /// Works out the status, and what has become known.
    fn settle(&mut self, found: &mut Vec<Observation>) {
        let attempts = self.life.attempts();
        self.status = Life::status(&attempts);
        let last = attempts.last();
        let since = match self.status {
            JobStatus::Pending => last.and_then(|attempt| attempt.queued_at.or(attempt.ended_at)),
            JobStatus::Running => last.and_then(|attempt| attempt.started_at),
            JobStatus::Completed | JobStatus::Failed => last.and_then(|attempt| attempt.ended_at),
        };
        self.is_since_told = since.is_some();
        self.since = since.unwrap_or(self.first_event_at);
        for measured in self.life.measure(&attempts) {
            let queue = self.facts.queue.cloned().unwrap_or_default();
            let kind = self.facts.kind.cloned().unwrap_or_default();
            found.push(match measured {
                Measured::Queued => Observation::Enqueued { queue },
                Measured::Ended(outcome) => Observation::AttemptEnded { queue, kind, outcome },
                Measured::Wait(seconds) => Observation::Waited { queue, seconds },
                Measured::Run(seconds) => Observation::AttemptTook { queue, kind, seconds },
            });
        }
    }

    /// By what jobs are listed: when it was submitted, or else when it was first heard of.
    pub(super) fn created_at(&self) -> Timestamp {
        self.life.submitted_at().unwrap_or(self.first_event_at)
    }

    /// Adds its stages to `uses`. A stage that is run again (a retry) keeps its first place.
    pub(super) fn note_stages(&self, uses: &mut HashMap<String, StageUse>, now: Timestamp) {
        let attempt_start = self.running_since();
        let mut order: Vec<&str> = Vec::new();
        for run in self.stages.runs() {
            let place = order.iter().position(|stage| *stage == run.stage()).unwrap_or(order.len());
            if place == order.len() {
                order.push(run.stage());
            }
            let running = attempt_start
                .filter(|start| run.is_running(Some(*start)))
                .and_then(|_| run.started_at())
                .map(|started| now.since(started).as_secs_f64());
            uses.entry(run.stage().to_owned()).or_default().note(place, self.facts.queue.get(), running);
        }
    }

    /// The run of a stage that it is in now.
    pub(super) fn running_stage(&self) -> Option<Run<'_>> {
        let start = self.running_since()?;
        self.stages.runs().into_iter().rev().find(|run| run.is_running(Some(start)))
    }

    fn running_since(&self) -> Option<Timestamp> {
        (self.status == JobStatus::Running).then_some(self.since)
    }

    pub(super) fn matches(&self, filter: &JobFilter) -> bool {
        let same = |wanted: &Option<String>, fact: &Latest<String>| {
            wanted.is_none() || wanted.as_ref() == fact.get()
        };
        filter.status.is_none_or(|status| status == self.status)
            && same(&filter.kind, &self.facts.kind)
            && same(&filter.queue, &self.facts.queue)
            && same(&filter.worker, &self.facts.worker_id)
            && same(&filter.document, &self.facts.document_id)
            && same(&filter.tenant, &self.facts.tenant)
            && filter.trace_id.as_deref().is_none_or(|trace| self.is_of_trace(trace))
            && filter.since.is_none_or(|since| self.last_event_at >= since)
            && filter.until.is_none_or(|until| self.first_event_at <= until)
            && filter.text.as_deref().is_none_or(|text| self.has_text(text))
    }

    /// Whether any of the traces that were told of it is this one: a job that is tried again can have several.
    fn is_of_trace(&self, trace: &str) -> bool {
        self.facts.traces.iter().any(|known| known.eq_ignore_ascii_case(trace))
    }

    fn has_text(&self, text: &str) -> bool {
        let text = text.to_lowercase();
        let facts = [&self.facts.document_id, &self.facts.kind, &self.facts.stage, &self.facts.message];
        let attempts = self.life.attempts();
        let errors = attempts.iter().filter_map(Attempt::error);
        let error_texts = errors.flat_map(|error| [error.error_type.as_deref(), error.message.as_deref()]);
        std::iter::once(Some(&*self.id))
            .chain(facts.into_iter().map(|fact| fact.get().map(String::as_str)))
            .chain(error_texts)
            .flatten()
            .any(|candidate| candidate.to_lowercase().contains(&text))
    }

    pub(super) fn snapshot(&self, now: Timestamp, judgement: Judgement) -> JobSnapshot {
        let attempts = self.life.attempts();
        let facts = &self.facts;
        let seconds = |from: Option<Timestamp>, to: Option<Timestamp>| {
            Some(to.unwrap_or(now).since(from?).as_secs_f64())
        };
        let last = attempts.last();
        let ended_at = self.status.is_finished().then_some(self.since);
        let started_at = last.and_then(|attempt| attempt.started_at);
        let duration_seconds = seconds(started_at, last.and_then(|attempt| attempt.ended_at));
        let submitted_at = self.life.submitted_at();
        let running = self.running_since();
        let stages: Vec<_> = self
            .stages
            .runs()
            .iter()
            .map(|run| run.snapshot(now, running.is_some() && run.is_running(running)))
            .collect();
        let stage_now = stages.iter().rev().find(|stage| stage.running).map(|stage| stage.stage.clone());
        let stage_peak = stages.iter().filter_map(|stage| stage.memory_peak_bytes).max();
        let progress = facts.progress.cloned();
        let error = attempts.iter().rev().find_map(Attempt::error).cloned();
        JobSnapshot {
            job_id: self.id.to_string(),
            status: self.status,
            judgement,
            kind: facts.kind.cloned(),
            queue: facts.queue.cloned(),
            document_id: facts.document_id.cloned(),
            tenant: facts.tenant.cloned(),
            parent_id: facts.parent_id.cloned(),
            worker_id: last
                .and_then(|attempt| attempt.worker_id().map(str::to_owned))
                .or_else(|| facts.worker_id.cloned()),
            content_type: facts.content_type.cloned(),
            service: facts.service.cloned(),
            trace_id: facts.trace_id.cloned(),
            request_id: facts.request_id.cloned(),
            submitted_at,
            started_at,
            ended_at,
            first_event_at: self.first_event_at,
            last_event_at: self.last_event_at,
            queue_wait_seconds: seconds(last.and_then(|attempt| attempt.queued_at), started_at),
            duration_seconds,
            total_seconds: seconds(Some(self.created_at()), ended_at),
            retry_count: self.life.retry_count(&attempts),
            attempts: attempts.iter().map(Attempt::snapshot).collect(),
            max_retries: facts.max_retries.cloned(),
            priority: facts.priority.cloned(),
            progress,
            eta_seconds: running.and(progress).and_then(|progress| eta(progress, duration_seconds?)),
            stage: stage_now.or_else(|| facts.stage.cloned()),
            message: facts.message.cloned(),
            error: error.filter(|_| self.status != JobStatus::Completed),
            cpu_seconds: facts.cpu_seconds.cloned(),
            gpu_seconds: facts.gpu_seconds.cloned(),
            memory_peak_bytes: facts.memory_peak_bytes.cloned().or(stage_peak),
            input_bytes: facts.input_bytes.cloned(),
            output_bytes: facts.output_bytes.cloned(),
            pages: facts.pages.cloned(),
            confidence_score: facts.confidence_score.cloned(),
            quality_degraded: facts.quality_degraded.cloned(),
            stages,
            attributes: facts.attributes.cloned().unwrap_or_default(),
        }
    }
}

/// How long the rest takes, in seconds, if it goes on as it has.
fn eta(progress: f64, elapsed_seconds: f64) -> Option<f64> {
    (progress > 0.0 && progress < 1.0).then(|| elapsed_seconds * (1.0 - progress) / progress)
}

#[cfg(test)]
mod tests {
    use model::event::JobAction;

    use super::*;
    use crate::fixtures::{at, job, stage};

    #[test]
    fn after_each_event_all_is_worked_out_whatever_it_told() {
        let actions = [JobAction::Submitted, JobAction::Started, JobAction::Retried, JobAction::Completed];
        let mut one = Job::new("j".into(), at(60));
        // Times go back and forth.
        for (round, seconds) in (0..100_usize).zip((0..101_i64).cycle().step_by(37)) {
            let mut found = Vec::new();
            match round % 4 {
                1 | 3 if round >= 8 => {
                    one.note_job(&job(actions[round / 2 % 4], "j", seconds), &mut found);
                }
                2 if round >= 16 => {
                    one.note_stage(&stage(StageAction::Started, "j", "ocr", seconds), &mut found);
                }
                _ => one.note_stage(&stage(StageAction::Finished, "j", "ocr", seconds), &mut found),
            }
            let before = (one.status, one.since, one.is_since_told);
            let mut again = Vec::new();
            one.settle(&mut again);
            assert_eq!((one.status, one.since, one.is_since_told), before, "{round}");
            assert!(again.is_empty(), "{round}: {again:?}");
        }
        assert!(one.status.is_finished() || one.is_since_told, "its life was told of");
    }
}
