//! What is counted and measured as events come in. Begins at zero with the process.

use std::collections::{HashMap, VecDeque};
use std::time::Duration;

use model::event::{ExitEvent, LlmCallEvent, RequestEvent, SpanEvent};
use model::{Exemplar, Timestamp};
use prometheus::{IntCounter, IntCounterVec};

use super::family::Family;
use super::graph::Graph;
use super::histogram::{Histogram, LONG, SHORT};
use super::operations::Operations;
use super::route::route_of;
use super::writer::Writer;
use crate::observation::Observation;

/// How long a stage's memory is shown after it was told.
const MEMORY_WINDOW: Duration = Duration::from_secs(300);
/// The most memory readings kept of one stage.
const MAX_READINGS: usize = 1_000;

/// Counters and histograms.
#[derive(Debug)]
pub(crate) struct Tally {
    jobs: Family<u64>,
    job_seconds: Family<Histogram>,
    wait_seconds: Family<Histogram>,
    stages: Family<u64>,
    stage_seconds: Family<Histogram>,
    requests: Family<u64>,
    request_seconds: Family<Histogram>,
    llm_calls: Family<u64>,
    llm_seconds: Family<Histogram>,
    llm_tokens: Family<u64>,
    llm_first_token_seconds: Family<Histogram>,
    exits: Family<u64>,
    operations: Operations,
    graph: Graph,
    stage_memory: HashMap<String, StageMemory>,
    max_series: usize,
    /// Items that were counted under `other`, by metric.
    beyond: IntCounterVec,
}

/// What a stage held in memory of late, in bytes.
#[derive(Debug, Default)]
struct StageMemory {
    peaks: VecDeque<(Timestamp, u64)>,
    rss: Option<(Timestamp, u64)>,
    delta: Option<(Timestamp, i64)>,
}

impl Tally {
    /// Of at most `max_series` series a metric, and `max_operations` names of spans a service.
    pub(crate) fn new(
        max_series: usize,
        max_operations: usize,
        beyond: IntCounterVec,
        unpaired: IntCounter,
    ) -> Self {
        Self {
            operations: Operations::new(max_series, max_operations),
            graph: Graph::new(max_series, unpaired),
            jobs: Family::new("jobs_total", &["queue", "kind", "status"], max_series),
            job_seconds: Family::new("job_duration_seconds", &["queue", "kind"], max_series),
            wait_seconds: Family::new("queue_wait_seconds", &["queue"], max_series),
            stages: Family::new("stages_total", &["stage", "status"], max_series),
            stage_seconds: Family::new("stage_duration_seconds", &["stage"], max_series),
            requests: Family::new(
                "http_requests_total",
                &["service", "route", "method", "status"],
                max_series,
            ),
            request_seconds: Family::new("http_request_duration_seconds", &["service", "route"], max_series),
            llm_calls: Family::new("llm_calls_total", &["model", "provider", "status"], max_series),
            llm_seconds: Family::new("llm_call_duration_seconds", &["model"], max_series),
            llm_tokens: Family::new("llm_tokens_total", &["model", "type"], max_series),
            llm_first_token_seconds: Family::new("llm_time_to_first_token_seconds", &["model"], max_series),
            exits: Family::new("process_exits_total", &["host", "group", "cause"], max_series),
            stage_memory: HashMap::new(),
            max_series,
            beyond,
        }
    }

    pub(crate) fn observe(&mut self, observation: &Observation) {
        match observation {
            // The queue's own flow counts it.
            Observation::Enqueued { .. } => {}
            Observation::AttemptEnded { queue, kind, outcome } => {
                count(&mut self.jobs, &[queue, kind, outcome.as_str()], 1, &self.beyond);
            }
            Observation::AttemptTook { queue, kind, seconds } => {
                measure(&mut self.job_seconds, &[queue, kind], LONG, *seconds, &self.beyond);
            }
            Observation::Waited { queue, seconds } => {
                measure(&mut self.wait_seconds, &[queue], LONG, *seconds, &self.beyond);
            }
            Observation::StageEnded { stage, status } => {
                count(&mut self.stages, &[stage, status.as_str()], 1, &self.beyond);
            }
            Observation::StageTook { stage, seconds } => {
                measure(&mut self.stage_seconds, &[stage], LONG, *seconds, &self.beyond);
            }
            Observation::StageMemory { stage, time, rss, peak, delta } => {
                self.note_memory(stage, *time, (*rss, *peak, *delta));
            }
        }
    }

    /// Memory is a state, not a count: it is noted even when stored events are read back.
    pub(crate) fn note_memory(
        &mut self,
        stage: &str,
        time: Timestamp,
        (rss, peak, delta): (Option<u64>, Option<u64>, Option<i64>),
    ) {
        let memory = match self.stage_memory.get_mut(stage) {
            Some(memory) => memory,
            None => {
                if self.stage_memory.len() >= self.max_series {
                    self.beyond.with_label_values(&["stage_memory_peak_bytes"]).inc();
                    return;
                }
                self.stage_memory.entry(stage.to_owned()).or_default()
            }
        };
        memory.rss = memory.rss.max(rss.map(|rss| (time, rss)));
        memory.delta = memory.delta.max(delta.map(|delta| (time, delta)));
        memory.peaks.extend(peak.max(rss).map(|peak| (time, peak)));
        if memory.peaks.len() > MAX_READINGS {
            memory.peaks.pop_front();
        }
    }

    /// The most memory that a stage held of late, in bytes.
    pub(crate) fn stage_memory_peak(&self, stage: &str, now: Timestamp) -> Option<u64> {
        let before = now.before(MEMORY_WINDOW);
        let peaks = self.stage_memory.get(stage)?.peaks.iter();
        peaks.filter(|(time, _)| *time >= before).map(|(_, peak)| *peak).max()
    }

    pub(crate) fn request(&mut self, event: &RequestEvent) {
        let service = event.service.as_deref().unwrap_or_default();
        let by_path;
        let route = match &event.route {
            Some(route) => route.as_str(),
            None => {
                by_path = route_of(&event.path);
                &by_path
            }
        };
        let status = event.status_code.to_string();
        let labels = [service, route, method(&event.method), &status];
        count(&mut self.requests, &labels, 1, &self.beyond);
        measure(&mut self.request_seconds, &[service, route], SHORT, event.duration_seconds, &self.beyond);
    }

    pub(crate) fn llm_call(&mut self, event: &LlmCallEvent) {
        let model = event.model.as_str();
        let status = if event.error_message.is_some() { "error" } else { "ok" };
        let provider = event.provider.as_deref().unwrap_or_default();
        count(&mut self.llm_calls, &[model, provider, status], 1, &self.beyond);
        measure(&mut self.llm_seconds, &[model], SHORT, event.duration_seconds, &self.beyond);
        if let Some(seconds) = event.time_to_first_token_seconds {
            measure(&mut self.llm_first_token_seconds, &[model], SHORT, seconds, &self.beyond);
        }
        for (kind, tokens) in [("input", event.input_tokens), ("output", event.output_tokens)] {
            if let Some(tokens) = tokens {
                count(&mut self.llm_tokens, &[model, kind], tokens, &self.beyond);
            }
        }
    }

    pub(crate) fn exit(&mut self, event: &ExitEvent) {
        let host = event.host.as_deref().unwrap_or_default();
        let group = event.group.as_deref().unwrap_or_default();
        count(&mut self.exits, &[host, group, event.cause.as_str()], 1, &self.beyond);
    }

    pub(crate) fn span(&mut self, span: &SpanEvent) {
        self.operations.observe(span, &self.beyond);
        self.graph.observe(span, &self.beyond);
    }

    /// What leads on from metrics to traces, of the time since this was asked last.
    pub(super) fn take_exemplars(&mut self) -> Vec<Exemplar> {
        self.operations.take_exemplars()
    }

    /// Writes everything, and forgets memory readings that are too old to be shown.
    pub(super) fn write(&mut self, writer: &mut Writer<'_>, now: Timestamp) {
        let counts =
            [&self.jobs, &self.stages, &self.requests, &self.llm_calls, &self.llm_tokens, &self.exits];
        for family in counts {
            for (labels, value) in family.iter() {
                writer.counter(family.name, &labels, *value as f64);
            }
        }
        for family in [
            &self.job_seconds,
            &self.wait_seconds,
            &self.stage_seconds,
            &self.request_seconds,
            &self.llm_seconds,
            &self.llm_first_token_seconds,
        ] {
            for (labels, histogram) in family.iter() {
                writer.histogram(family.name, &labels, histogram);
            }
        }
        self.operations.write(writer);
        self.graph.write(writer);
        let before = now.before(MEMORY_WINDOW);
        self.stage_memory.retain(|_, memory| memory.forget(before));
        for (stage, memory) in &self.stage_memory {
            let labels = [("stage", stage.as_str())];
            let peak = memory.peaks.iter().map(|(_, peak)| *peak as f64).reduce(f64::max);
            writer.gauge("stage_memory_peak_bytes", &labels, peak);
            writer.gauge("stage_memory_rss_bytes", &labels, memory.rss.map(|(_, rss)| rss as f64));
            writer.gauge("stage_memory_delta_bytes", &labels, memory.delta.map(|(_, delta)| delta as f64));
        }
    }
}

impl StageMemory {
    /// Forgets what is older than `before`; whether anything is left.
    fn forget(&mut self, before: Timestamp) -> bool {
        self.peaks.retain(|(time, _)| *time >= before);
        self.rss = self.rss.filter(|(time, _)| *time >= before);
        self.delta = self.delta.filter(|(time, _)| *time >= before);
        !self.peaks.is_empty() || self.rss.is_some() || self.delta.is_some()
    }
}

fn count(family: &mut Family<u64>, labels: &[&str], amount: u64, beyond: &IntCounterVec) {
    let name = family.name;
    let (series, is_other) = family.series(labels, || 0);
    *series = series.saturating_add(amount);
    if is_other {
        beyond.with_label_values(&[name]).inc();
    }
}

fn measure(
    family: &mut Family<Histogram>,
    labels: &[&str],
    bounds: &'static [f64],
    value: f64,
    beyond: &IntCounterVec,
) {
    let name = family.name;
    let (histogram, is_other) = family.series(labels, || Histogram::new(bounds));
    histogram.observe(value);
    if is_other {
        beyond.with_label_values(&[name]).inc();
    }
}

/// The method, if it is one: anybody can send any word.
fn method(text: &str) -> &'static str {
    const METHODS: [&str; 9] =
        ["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS", "TRACE", "CONNECT"];
    METHODS.into_iter().find(|method| method.eq_ignore_ascii_case(text)).unwrap_or("OTHER")
}
