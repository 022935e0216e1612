//! The collector of one queue in Redis, as its mapping says it lies there.
//!
//! A pass reads the mapped keys ([`read`]), keeps facts of payloads but never their text
//! ([`payload`]), follows the tasks ([`tracker`]) and looks up results ([`results`]). It writes
//! `queue_depth` and `queue_oldest_age_seconds`; everything else is told to `pipeline`, which derives
//! rates and totals.

mod mapping;
mod operations;
mod payload;
mod read;
mod results;
mod tracker;

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use model::{MetricBatch, Timestamp};
use parking_lot::Mutex;
use pipeline::{Pipeline, QueueSnapshot, QueueState};
use prometheus::{IntCounterVec, Opts, Registry};
use redis::aio::MultiplexedConnection;

use crate::collector::{CollectError, Collector};
use crate::redis_server::{Server, read_error};
use crate::samples::Samples;
use mapping::Key;
pub(crate) use mapping::Mapping;
pub use mapping::{
    FieldPaths, IdFrom, KeyConfig, KeyType, MappingError, MaxMembers, OldestEnd, QueueConfig, ResultsConfig,
    ScoreMeaning,
};
pub use operations::{
    OperationError, OperationOutcome, OperationPreview, QueueAction, QueueOperations, TaskSelection,
    TouchedTask,
};
use payload::PayloadReader;
use read::KeyReader;
use results::ResultWatch;
use tracker::{Readings, Tracker};

/// The most results looked up in a pass; further ones have their turn in the next.
const MAX_LOOK_UPS: usize = 2_000;

/// What was left out at a bound, or could not be understood, by queue.
#[derive(Clone)]
pub(crate) struct QueueMetrics {
    malformed: IntCounterVec,
    partial_reads: IntCounterVec,
    forgotten: IntCounterVec,
    unread_results: IntCounterVec,
}

impl QueueMetrics {
    pub(crate) fn new(registry: &Registry) -> Result<Self, prometheus::Error> {
        let counter = |name: &str, help: &str| {
            let counter = IntCounterVec::new(Opts::new(name, help), &["queue"])?;
            registry.register(Box::new(counter.clone()))?;
            Ok::<_, prometheus::Error>(counter)
        };
        Ok(Self {
            malformed: counter(
                "watchkeeper_queue_payloads_malformed_total",
                "Members of queues without an id where the mapping says it is.",
            )?,
            partial_reads: counter(
                "watchkeeper_queue_partial_reads_total",
                "Keys that were too long to be read whole, counted each time.",
            )?,
            forgotten: counter(
                "watchkeeper_queue_tasks_forgotten_total",
                "Tasks that were forgotten because too many were known.",
            )?,
            unread_results: counter(
                "watchkeeper_queue_results_unread_total",
                "Results that were too long, too many or no JSON, and tell nothing of failures.",
            )?,
        })
    }
}

/// The collector of one queue.
pub(crate) struct Queue {
    interval: Duration,
    server: Arc<Server>,
    pipeline: Arc<Pipeline>,
    metrics: QueueMetrics,
    mapping: Mapping,
    payloads: PayloadReader,
    tracker: Tracker,
    results: Option<ResultWatch>,
    last: Mutex<Option<QueueSnapshot>>,
}

impl Queue {
    pub(crate) fn new(
        mapping: Mapping,
        interval: Duration,
        server: Arc<Server>,
        pipeline: Arc<Pipeline>,
        metrics: QueueMetrics,
    ) -> Self {
        Self {
            interval,
            server,
            pipeline,
            metrics,
            payloads: PayloadReader::new(mapping.paths.clone()),
            tracker: Tracker::new(mapping.results.is_some()),
            results: mapping.results.clone().map(ResultWatch::new),
            mapping,
            last: Mutex::new(None),
        }
    }

    /// Reads every mapped key: pending first, so that a task that moves on meanwhile is met, not lost.
    async fn read_keys(
        &mut self,
        connection: &MultiplexedConnection,
        now: Timestamp,
    ) -> Result<Readings, CollectError> {
        let Mapping { pending, processing, delayed, dead, .. } = &self.mapping;
        let keys: [(QueueState, &Option<Key>); 4] = [
            (QueueState::Pending, pending),
            (QueueState::Delayed, delayed),
            (QueueState::Processing, processing),
            (QueueState::Dead, dead),
        ];
        let mut readings = Readings::new();
        self.payloads.next_pass();
        let max = self.mapping.max_members;
        let mut reader = KeyReader::new(connection.clone(), &mut self.payloads, max, now);
        for (state, key) in keys {
            if let Some(key) = key {
                readings.insert(state, reader.read(key).await?);
            }
        }
        Ok(readings)
    }

    /// Finds out how the tasks have ended that are gone, and those that were never seen.
    async fn settle_results(
        &mut self,
        gone: Vec<(String, String)>,
        readings: &Readings,
        mut connection: MultiplexedConnection,
    ) -> Result<(), CollectError> {
        let Some(results) = &mut self.results else { return Ok(()) };
        let pattern = results.mapping.pattern.clone();
        let failed = |error| read_error(format!("the results `{pattern}`"), &error);
        let mut fresh = results.scan(&mut connection).await.map_err(failed)?;
        let known: HashSet<&str> = gone.iter().map(|(_, id)| id.as_str()).collect();
        fresh.retain(|id| !known.contains(id.as_str()));
        let mut ended = gone;
        ended.extend(self.tracker.not_present(fresh));
        ended.truncate(MAX_LOOK_UPS);
        for chunk in ended.chunks(results::CHUNK) {
            let ids: Vec<String> = chunk.iter().map(|(_, id)| id.clone()).collect();
            let ends = results.look_up(&mut connection, &ids).await.map_err(failed)?;
            for ((identity, id), end) in chunk.iter().zip(ends) {
                if let Some(end) = end {
                    self.tracker.ended(identity, end, readings);
                    results.settle(id);
                }
            }
        }
        Ok(())
    }

    async fn pass(&mut self, now: Timestamp) -> Result<MetricBatch, CollectError> {
        let connection = self.server.connection().await?;
        let readings = self.read_keys(&connection, now).await?;
        let gone = self.tracker.observe(&readings, now);
        let settled = self.settle_results(gone, &readings, connection).await;
        self.tracker.finish(&readings);
        self.count(&readings);
        settled?;
        let snapshot = self.tracker.snapshot(&self.mapping.name, &readings, now);
        let batch = samples(&snapshot, &readings, now);
        *self.last.lock() = Some(snapshot.clone());
        self.pipeline.queues().observe(snapshot);
        Ok(batch)
    }

    fn count(&mut self, readings: &Readings) {
        let queue = [self.mapping.name.as_str()];
        let partial = readings.values().filter(|reading| !reading.whole).count() as u64;
        let unread = self.results.as_mut().map_or(0, ResultWatch::take_unread);
        for (counter, count) in [
            (&self.metrics.malformed, self.payloads.take_malformed()),
            (&self.metrics.partial_reads, partial),
            (&self.metrics.forgotten, self.tracker.take_forgotten()),
            (&self.metrics.unread_results, unread),
        ] {
            counter.with_label_values(&queue).inc_by(count);
        }
    }
}

#[async_trait]
impl Collector for Queue {
    fn name(&self) -> &'static str {
        "redis_queue"
    }

    fn target(&self) -> &str {
        &self.mapping.name
    }

    fn interval(&self) -> Duration {
        self.interval
    }

    async fn collect(&mut self, now: Timestamp) -> Result<MetricBatch, CollectError> {
        self.pass(now).await
    }

    /// The queue stays in sight as it was last, and is marked as not read.
    fn when_down(&self, now: Timestamp) -> MetricBatch {
        let last = self.last.lock().clone();
        let snapshot =
            last.unwrap_or_else(|| Tracker::new(false).snapshot(&self.mapping.name, &Readings::new(), now));
        self.pipeline.queues().observe(QueueSnapshot { time: now, ok: false, ..snapshot });
        MetricBatch::new()
    }
}

fn samples(snapshot: &QueueSnapshot, readings: &Readings, now: Timestamp) -> MetricBatch {
    let mut samples = Samples::new(now, &[("queue", &snapshot.queue)]);
    for (state, reading) in readings {
        samples.push("queue_depth", &[("state", state.as_str())], reading.depth as f64);
        // Nothing there is no age; zero keeps the series, so that rules see it fall.
        let age = snapshot.oldest_age_seconds.get(state).copied().unwrap_or(0.0);
        samples.push("queue_oldest_age_seconds", &[("state", state.as_str())], age);
    }
    samples.finish()
}

#[cfg(test)]
mod tests;
