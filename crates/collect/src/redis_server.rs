//! A Redis server: the connection that its collectors share, and the collector of the server itself.

mod connection;
mod info;

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use model::{DurationText, MetricBatch, Timestamp};
use pipeline::Pipeline;

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
        let mut connection = match self.server.connection().await {
            Ok(connection) => connection,
            Err(error) if !self.required && !self.met => return Err(CollectError::Absent(error.chain())),
            Err(error) => return Err(error),
        };
        self.met = true;
        let answer: Result<String, _> = redis::cmd("INFO").query_async(&mut connection).await;
        let text = answer.map_err(|error| read_error("INFO".to_owned(), &error))?;
        let mut samples = Samples::new(now, &[("redis", &self.name)]);
        samples.push("redis_up", &[], 1.0);
        info::push(&mut samples, &text);
        Ok(samples.finish())
    }

    fn when_down(&self, now: Timestamp) -> MetricBatch {
        let mut samples = Samples::new(now, &[("redis", &self.name)]);
        samples.push("redis_up", &[], 0.0);
        samples.finish()
    }
}

#[cfg(test)]
mod tests;
