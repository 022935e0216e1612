//! All sections together.

use std::path::{Path, PathBuf};

use model::ByteSize;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::ConfigError;
use crate::causes;
use crate::house;

/// Everything that can be set.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Settings {
    /// The folder that holds everything that is kept. By default `/var/lib/watchkeeper` for root, and
    /// `$XDG_DATA_HOME/watchkeeper` (`~/.local/share/watchkeeper`) for everybody else.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) data_dir: Option<PathBuf>,
    /// The HTTP server.
    pub(crate) server: server::Config,
    /// How telemetry is kept.
    pub(crate) store: engine::Config,
    /// How long the state database keeps what is over.
    pub(crate) state: state::Config,
    /// What comes in: its bounds, and what is redacted.
    pub(crate) ingest: Ingest,
    /// The live state of jobs, workers and queues.
    pub(crate) pipeline: pipeline::Config,
    /// The host that Watchkeeper runs on.
    pub(crate) host: collect::HostConfig,
    /// Processes of that host.
    pub(crate) processes: collect::ProcessesConfig,
    /// GPUs of that host.
    pub(crate) gpus: collect::GpusConfig,
    /// What the kernel of that host says: processes killed for want of memory, faults, GPU errors.
    pub(crate) kernel_log: collect::KernelLogConfig,
    /// The journal of the service manager of that host: its entries as records of logs.
    pub(crate) journal: collect::JournalConfig,
    /// Units of the service manager of that host.
    pub(crate) units: collect::UnitsConfig,
    /// Redis servers and the queues in them. With none, a Redis on 127.0.0.1:6379 is watched when there is one.
    pub(crate) redis: Vec<collect::RedisConfig>,
    /// Services that are asked over the network whether they are there, and how well they do.
    pub(crate) probes: collect::ProbesConfig,
    /// Watchkeeper's own metrics.
    pub(crate) own: collect::OwnConfig,
    /// Prometheus exporters: what holds for all that are scraped.
    pub(crate) scraping: collect::ScrapingConfig,
    /// Prometheus exporters that are scraped, in jobs with the keys that Prometheus has.
    pub(crate) scrape: Vec<collect::ScrapeConfig>,
    /// Where messages of syslog are listened for. Off unless an address is set.
    pub(crate) syslog: collect::SyslogConfig,
    /// Log files: what holds for all that are read.
    pub(crate) tailing: collect::TailingConfig,
    /// Log files that are read where they are, through rotation and over restarts.
    pub(crate) logs: Vec<collect::LogsConfig>,
    /// Metrics that are counted from what logs say.
    pub(crate) log_metrics: ingest::log_metrics::LogMetricsSettings,
    /// What one metric query may cost.
    pub(crate) promql: promql::Limits,
    /// Rules and alerts.
    pub(crate) alerts: alert::Config,
    /// The ways out for notifications.
    pub(crate) channels: alert::Channels,
    /// What Watchkeeper says about itself.
    pub(crate) log: Log,
}

impl Settings {
    /// Refuses values that have the right type and that nothing could work with.
    pub(crate) fn check(&self) -> Result<(), ConfigError> {
        let zero = [
            ("server.request_timeout", self.server.request_timeout.0.is_zero()),
            ("server.max_body", self.server.max_body.0 == 0),
            ("server.max_ingest_memory", self.server.max_ingest_memory.0 == 0),
            ("server.otlp.max_request_memory", self.server.otlp.max_request_memory.0 == 0),
            ("store.retention", self.store.retention.0.is_zero()),
            ("pipeline.interval", self.pipeline.interval.0.is_zero()),
            ("log_metrics.interval", self.log_metrics.interval.0.is_zero()),
            ("log_metrics.max_series", self.log_metrics.max_series == 0),
            ("tailing.max_files", self.tailing.max_files == 0),
            ("log.max_file_size", self.log.max_file_size.0 == 0),
            ("syslog.max_connections", self.syslog.max_connections == 0),
            ("syslog.idle_timeout", self.syslog.idle_timeout.0.is_zero()),
            ("syslog.max_queue", self.syslog.max_queue.0 == 0),
            ("promql.timeout", self.promql.timeout.0.is_zero()),
        ];
        let mut faults: Vec<String> = zero
            .iter()
            .filter(|(_, is_zero)| *is_zero)
            .map(|(key, _)| format!("`{key}` must be more than zero"))
            .collect();
        if self.ingest.limits.max_attributes > ingest::MOST_ATTRIBUTES {
            faults.push(format!("`ingest.max_attributes` must be at most {}", ingest::MOST_ATTRIBUTES));
        }
        let odd = |name: &&String| name.is_empty() || name.contains(['/', ' ', '@', '*', ',']);
        faults.extend(self.server.allowed_hosts.iter().filter(odd).map(|name| {
            format!("`server.allowed_hosts`: `{name}` is no name of a server: write it like watch.example.org or watch.example.org:8080")
        }));
        let overrides = &self.store.retention_overrides;
        let selectors =
            overrides.metrics.iter().filter_map(|metrics| house::selector(&metrics.r#match).err());
        faults.extend(
            overrides
                .fault()
                .into_iter()
                .chain(selectors)
                .map(|fault| format!("`store.retention_overrides`: {fault}")),
        );
        faults.extend(ingest::Redactor::new(&self.ingest.redaction).err().map(|error| error.to_string()));
        let nameless = self.ingest.derive.services.iter().any(|service| service.service.is_empty());
        if nameless {
            faults.push("`ingest.derive.services`: each needs the name of its `service`".to_owned());
        }
        faults.extend(self.ingest.sampling.fault().map(|fault| format!("`ingest.sampling`: {fault}")));
        faults.extend(self.logs.iter().enumerate().filter_map(|(place, logs)| {
            let error = logs.check().err()?;
            Some(format!("`logs[{place}]`: {}", causes::told(&error)))
        }));
        let log_metrics = self.log_metrics.check().err();
        faults.extend(log_metrics.map(|error| format!("`log_metrics`: {}", causes::told(&error))));
        faults.extend(self.store.archive.fault().map(|fault| format!("`store.archive`: {fault}")));
        if faults.is_empty() { Ok(()) } else { Err(ConfigError { faults }) }
    }

    /// The sections that say what is watched, as the collectors take them. Paths in them start at `base`.
    pub(crate) fn collectors(&self, base: &Path) -> collect::Config {
        collect::Config {
            host: self.host.clone(),
            processes: self.processes.clone(),
            gpus: self.gpus.clone(),
            kernel_log: self.kernel_log.clone(),
            journal: self.journal.clone(),
            units: self.units.clone(),
            redis: self.redis.clone(),
            probes: self.probes.clone(),
            own: self.own.clone(),
            scraping: self.scraping.clone(),
            scrape: self.scrape.clone(),
            tailing: self.tailing.clone(),
            logs: self.logs.clone(),
            base: base.to_owned(),
        }
    }
}

/// The section `[ingest]`.
#[derive(Clone, Debug, Default, Serialize, Deserialize, JsonSchema)]
#[serde(default)]
#[schemars(extend("additionalProperties" = false))]
pub(crate) struct Ingest {
    /// The bounds.
    #[serde(flatten)]
    pub(crate) limits: ingest::Limits,
    /// What is redacted before anything is stored.
    pub(crate) redaction: ingest::Redaction,
    /// What is derived from spans.
    pub(crate) derive: ingest::DeriveSettings,
    /// Which spans are kept.
    pub(crate) sampling: ingest::SamplingSettings,
}

/// The section `[log]`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub(crate) struct Log {
    /// What is logged: `error`, `warn`, `info`, `debug`, `trace`, or by module as `info,server=debug`.
    pub(crate) level: String,
    /// How a line looks on standard error.
    pub(crate) format: LogFormat,
    /// The file that is written as well; a relative path starts at the data folder, and an empty one
    /// means none.
    pub(crate) file: PathBuf,
    /// How a line looks in the file.
    pub(crate) file_format: LogFormat,
    /// How large the file grows; then it gets a number, and another one is begun.
    #[schemars(with = "String")]
    pub(crate) max_file_size: ByteSize,
    /// How many full files are kept beside it.
    pub(crate) keep_files: usize,
}

impl Default for Log {
    fn default() -> Self {
        Self {
            level: "info".to_owned(),
            format: LogFormat::Text,
            file: PathBuf::from("logs/watchkeeper.log"),
            file_format: LogFormat::Json,
            max_file_size: ByteSize(10 << 20),
            keep_files: 10,
        }
    }
}

impl Log {
    /// Where the file is, if one is written.
    pub(crate) fn file_in(&self, data_dir: &Path) -> Option<PathBuf> {
        (!self.file.as_os_str().is_empty()).then(|| data_dir.join(&self.file))
    }
}

/// How a line of the log looks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum LogFormat {
    /// For people.
    #[default]
    Text,
    /// For programs: one JSON object a line.
    Json,
}
