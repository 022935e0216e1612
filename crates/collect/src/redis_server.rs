//! A Redis server: the connection that its collectors share, and the collector of the server itself.

mod connection;
mod info;

use std::collections::HashSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

use async_trait::async_trait;
use model::{DurationText, MetricBatch, Timestamp};
use pipeline::{Pipeline, ProbeSnapshot};

use crate::collector::{CollectError, Collector};
use crate::config::DEFAULT_INTERVAL;
use crate::redis_queue::{Mapping, MappingError, Queue, QueueConfig, QueueMetrics, QueueOperations};
use crate::samples::Samples;
pub(crate) use connection::{Server, plain_error, read_error};

/// Where a Redis is looked for when none is configured.
const USUAL_URL: &str = "redis://127.0.0.1:6379/0";

/// A Redis server and the queues in it: an entry of `[[redis]]`.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct RedisConfig {
    /// What to call it; by default its address.
    pub name: Option<String>,
    /// Where it is: `redis://[user[:password]@]host:port/database` or `unix:///path?db=0`.
    pub url: String,
    /// A file that holds the password.
    pub password_file: Option<std::path::PathBuf>,
    /// How often it and its queues are looked at.
    #[schemars(with = "String")]
    pub interval: DurationText,
    /// Queues in it.
    pub queues: Vec<QueueConfig>,
}

impl Default for RedisConfig {
    fn default() -> Self {
        Self {
            name: None,
            url: USUAL_URL.to_owned(),
            password_file: None,
            interval: DEFAULT_INTERVAL,
            queues: Vec::new(),
        }
    }
}

/// The collectors of all configured servers and their queues, and the operations on these. With none configured, that of the
/// usual local Redis, which need not be there.
pub(crate) fn collectors(
    configs: &[RedisConfig],
    pipeline: &Arc<Pipeline>,
    metrics: &QueueMetrics,
) -> Result<(Vec<Box<dyn Collector>>, QueueOperations), MappingError> {
    let usual = [RedisConfig::default()];
    let (configs, required) = if configs.is_empty() { (&usual[..], false) } else { (configs, true) };
    let mut collectors: Vec<Box<dyn Collector>> = Vec::new();
    let mut operations = QueueOperations::new(Arc::clone(pipeline));
    let (mut servers, mut queues) = (HashSet::new(), HashSet::new());
    for config in configs {
        let server = Arc::new(Server::new(config)?);
        let name = config.name.clone().unwrap_or_else(|| server.address().to_owned());
        if !servers.insert(name.clone()) {
            let problem = "there are two of this name: give each a name of its own".to_owned();
            return Err(MappingError::Server { name, problem });
        }
        let interval = config.interval.0;
        collectors.push(Box::new(RedisServer {
            name,
            interval,
            server: Arc::clone(&server),
            pipeline: Arc::clone(pipeline),
            required,
            met: false,
        }));
        for queue in &config.queues {
            if !queues.insert(queue.name.clone()) {
                let problem = "there are two queues of this name".to_owned();
                return Err(MappingError::Queue { queue: queue.name.clone(), problem });
            }
            let mapping = Mapping::new(queue)?;
            operations.add(Arc::clone(&server), mapping.clone());
            let (server, pipeline) = (Arc::clone(&server), Arc::clone(pipeline));
            let queue = Queue::new(mapping, interval, server, pipeline, metrics.clone());
            collectors.push(Box::new(queue));
        }
    }
    Ok((collectors, operations))
}

/// The collector of a server: whether it is up, its memory, clients and keys.
struct RedisServer {
    name: String,
    interval: Duration,
    server: Arc<Server>,
    pipeline: Arc<Pipeline>,
    /// Whether somebody has configured it, so that its absence is a fault.
    required: bool,
    met: bool,
}

#[async_trait]
impl Collector for RedisServer {
    fn name(&self) -> &'static str {
        "redis"
    }

    fn target(&self) -> &str {
        &self.name
    }

    fn interval(&self) -> Duration {
        self.interval
    }

    async fn collect(&mut self, now: Timestamp) -> Result<MetricBatch, CollectError> {
        let begun = Instant::now();
        let outcome = self.look(now).await;
        if self.met || self.required {
            self.show(outcome.as_ref().map(|(_, answered)| *answered), begun.elapsed(), now);
        }
        match outcome {
            Ok((batch, _)) => Ok(batch),
            Err(error) if !self.required && !self.met => Err(CollectError::Absent(error.chain())),
            Err(error) => Err(error),
        }
    }

    fn when_down(&self, now: Timestamp) -> MetricBatch {
        let mut samples = Samples::new(now, &[("redis", &self.name)]);
        samples.push("redis_up", &[], 0.0);
        self.probe_samples(samples.finish(), now, None)
    }
}

impl RedisServer {
    /// Asks for an answer to `PING`, timed, and for what `INFO` tells.
    async fn look(&mut self, now: Timestamp) -> Result<(MetricBatch, Duration), CollectError> {
        let mut connection = self.server.connection().await?;
        self.met = true;
        let asked = Instant::now();
        let pong: Result<String, _> = redis::cmd("PING").query_async(&mut connection).await;
        pong.map_err(|error| read_error("PING".to_owned(), &error))?;
        let answered = asked.elapsed();
        let answer: Result<String, _> = redis::cmd("INFO").query_async(&mut connection).await;
        let text = answer.map_err(|error| read_error("INFO".to_owned(), &error))?;
        let mut samples = Samples::new(now, &[("redis", &self.name)]);
        samples.push("redis_up", &[], 1.0);
        info::push(&mut samples, &text);
        Ok((self.probe_samples(samples.finish(), now, Some(answered)), answered))
    }

    /// Adds what every probe says.
    fn probe_samples(&self, batch: MetricBatch, now: Timestamp, answered: Option<Duration>) -> MetricBatch {
        let shared = [("probe", self.name.as_str()), ("kind", "redis"), ("target", self.server.address())];
        let mut samples = Samples::extend(batch, now, &shared);
        samples.push("probe_success", &[], f64::from(u8::from(answered.is_some())));
        samples.push_some("probe_duration_seconds", &[], answered.map(|answered| answered.as_secs_f64()));
        samples.finish()
    }

    /// Shows it among the probes.
    fn show(&self, answered: Result<Duration, &CollectError>, took: Duration, now: Timestamp) {
        self.pipeline.probes().observe(ProbeSnapshot {
            probe: self.name.clone(),
            kind: "redis".to_owned(),
            target: self.server.address().to_owned(),
            up: answered.is_ok(),
            checked_at: now,
            latency: *answered.as_ref().unwrap_or(&took),
            reason: answered.err().map(CollectError::reason),
            ..ProbeSnapshot::default()
        });
    }
}

#[cfg(test)]
mod tests;
