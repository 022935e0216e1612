//! Runs a look of any kind: within its time limit, and with what it found turned into metrics and into
//! the live view.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use async_trait::async_trait;
use model::{MetricBatch, Timestamp};
use pipeline::{BackendModel, Pipeline, ProbeSnapshot, SlowStatement};

use super::config::Timing;
use crate::collector::{CollectError, Collector};
use crate::samples::Samples;

/// The longest reason that is kept, in characters.
const MAX_REASON_CHARS: usize = 300;
/// The longest fact that is kept, in characters.
const MAX_FACT_CHARS: usize = 200;
/// What a collector may take beyond the probe's own limit, so that it is the probe that gives up and
/// says in which step it did.
const GRACE: Duration = Duration::from_secs(1);
/// How long a server is left alone that nobody has configured, and that turned out to be something else:
/// what is asked of it stands in its log and counts among its errors.
const LEFT_ALONE: Duration = Duration::from_secs(3600);

/// One kind of looking.
#[async_trait]
pub(super) trait Look: Send {
    /// What kind it is.
    fn kind(&self) -> &'static str;

    /// Looks once, and writes down what it finds as it finds it, so that what was seen before a failure
    /// stays. An error is the reason in plain words, without any address or secret.
    async fn look(&mut self, found: &mut Found) -> Result<(), String>;
}

/// What a look has found so far.
#[derive(Debug)]
pub(super) struct Found {
    /// What it waits for at the moment.
    pub(super) step: &'static str,
    /// How long the answer took, where that is not the time of the whole look.
    pub(super) latency: Option<Duration>,
    /// With what status it was answered last, where it is asked over HTTP.
    pub(super) status: Option<reqwest::StatusCode>,
    pub(super) facts: BTreeMap<String, String>,
    pub(super) statements: Vec<SlowStatement>,
    pub(super) models: Vec<BackendModel>,
    samples: Vec<FoundSample>,
}

#[derive(Debug)]
struct FoundSample {
    name: &'static str,
    labels: Vec<(&'static str, String)>,
    value: f64,
}

impl Found {
    pub(super) fn new() -> Self {
        Self {
            step: "connecting",
            latency: None,
            status: None,
            facts: BTreeMap::new(),
            statements: Vec::new(),
            models: Vec::new(),
            samples: Vec::new(),
        }
    }

    pub(super) fn sample(&mut self, name: &'static str, value: f64) {
        self.labelled(name, &[], value);
    }

    pub(super) fn labelled(&mut self, name: &'static str, labels: &[(&'static str, &str)], value: f64) {
        let labels: Vec<_> = labels.iter().map(|(label, text)| (*label, (*text).to_owned())).collect();
        // What is seen twice in one look (a certificate, after a redirect) counts as seen last.
        self.samples.retain(|sample| sample.name != name || sample.labels != labels);
        self.samples.push(FoundSample { name, labels, value });
    }

    pub(super) fn fact(&mut self, name: &str, value: impl std::fmt::Display) {
        let value: String = value.to_string().chars().take(MAX_FACT_CHARS).collect();
        self.facts.insert(name.to_owned(), value);
    }
}

/// A probe: a look with a name, a target and its times.
pub(super) struct Prober {
    name: String,
    /// What is asked, without any secret.
    asked: String,
    timing: Timing,
    look: Box<dyn Look>,
    pipeline: Arc<Pipeline>,
    /// Whether somebody has configured it, so that its absence is a fault.
    required: bool,
    met: bool,
    /// Until when it is not asked, and why.
    left_alone: Option<(Instant, String)>,
    /// What the last failed look has nevertheless seen.
    down: MetricBatch,
}

impl Prober {
    /// A probe that somebody has asked for. `target` must hold no secret.
    pub(super) fn new(
        name: Option<&str>,
        target: String,
        timing: Timing,
        look: Box<dyn Look>,
        pipeline: &Arc<Pipeline>,
    ) -> Self {
        Self {
            name: name.unwrap_or(&target).to_owned(),
            asked: target,
            timing,
            look,
            pipeline: Arc::clone(pipeline),
            required: true,
            met: false,
            left_alone: None,
            down: MetricBatch::new(),
        }
    }

    /// The same, for a service that nobody has asked for: it is no fault that it is not there, until it
    /// was.
    pub(super) fn if_there(mut self) -> Self {
        self.required = false;
        self
    }

    /// Kind and name, which no two probes share.
    pub(super) fn identity(&self) -> (&'static str, &str) {
        (self.look.kind(), &self.name)
    }

    /// Looks within the time limit.
    async fn within_limit(&mut self, found: &mut Found) -> Result<(), String> {
        let limit = self.timing.timeout;
        match tokio::time::timeout(limit, self.look.look(found)).await {
            Ok(outcome) => outcome.map_err(|reason| reason.chars().take(MAX_REASON_CHARS).collect()),
            Err(_) => Err(format!("{}: no answer within {} s", found.step, limit.as_secs_f64())),
        }
    }

    fn samples(&self, found: &Found, up: bool, took: Duration, now: Timestamp) -> MetricBatch {
        let shared =
            [("probe", self.name.as_str()), ("kind", self.look.kind()), ("target", self.asked.as_str())];
        let mut samples = Samples::new(now, &shared);
        samples.push("probe_success", &[], f64::from(u8::from(up)));
        samples.push("probe_duration_seconds", &[], took.as_secs_f64());
        for sample in &found.samples {
            let labels: Vec<(&str, &str)> =
                sample.labels.iter().map(|(label, text)| (*label, text.as_str())).collect();
            samples.push(sample.name, &labels, sample.value);
        }
        samples.finish()
    }

    fn show(&self, found: Found, reason: Option<String>, latency: Duration, now: Timestamp) {
        self.pipeline.probes().observe(ProbeSnapshot {
            probe: self.name.clone(),
            kind: self.look.kind().to_owned(),
            target: self.asked.clone(),
            up: reason.is_none(),
            checked_at: now,
            latency,
            reason,
            facts: found.facts,
            statements: found.statements,
            models: found.models,
            ..ProbeSnapshot::default()
        });
    }
}

#[async_trait]
impl Collector for Prober {
    fn name(&self) -> &'static str {
        self.look.kind()
    }

    fn target(&self) -> &str {
        &self.name
    }

    fn interval(&self) -> Duration {
        self.timing.interval
    }

    fn time_limit(&self) -> Duration {
        self.timing.timeout + GRACE
    }

    async fn collect(&mut self, now: Timestamp) -> Result<MetricBatch, CollectError> {
        if let Some((until, reason)) = &self.left_alone {
            if Instant::now() < *until {
                return Err(CollectError::Absent(reason.clone()));
            }
            self.left_alone = None;
        }
        let mut found = Found::new();
        // Should this pass be broken off, that is what is known of it.
        self.down = self.samples(&found, false, self.timing.timeout, now);
        let begun = Instant::now();
        let outcome = self.within_limit(&mut found).await;
        let latency = found.latency.unwrap_or_else(|| begun.elapsed());
        let batch = self.samples(&found, outcome.is_ok(), latency, now);
        match outcome {
            Ok(()) => {
                self.met = true;
                self.show(found, None, latency, now);
                Ok(batch)
            }
            Err(reason) if !self.required && !self.met => {
                let reason = format!("nothing of this kind at {}: {reason}", self.asked);
                // What says that it is not ready yet may be a backend that loads its model.
                let is_ready = |status: reqwest::StatusCode| {
                    !status.is_server_error() && status != reqwest::StatusCode::TOO_MANY_REQUESTS
                };
                if found.status.is_some_and(is_ready) {
                    self.left_alone = Some((Instant::now() + LEFT_ALONE, reason.clone()));
                }
                Err(CollectError::Absent(reason))
            }
            Err(reason) => {
                self.down = batch;
                self.show(found, Some(reason.clone()), latency, now);
                Err(CollectError::Probe { target: self.asked.clone(), source: reason.into() })
            }
        }
    }

    fn when_down(&self, _now: Timestamp) -> MetricBatch {
        self.down.clone()
    }
}
