//! The sections of the configuration that say what is watched. Each collector owns its own section.

use std::time::Duration;

use model::DurationText;

use crate::gpus::GpusConfig;
use crate::journal::JournalConfig;
use crate::kernel_log::KernelLogConfig;
use crate::probes::ProbesConfig;
use crate::processes::ProcessesConfig;
use crate::redis_server::RedisConfig;
use crate::scrape::{ScrapeConfig, ScrapingConfig};
use crate::tail::{LogsConfig, TailingConfig};
use crate::units::UnitsConfig;

/// How often a collector looks, unless its section says otherwise.
pub(crate) const DEFAULT_INTERVAL: DurationText = DurationText(Duration::from_secs(15));

/// What is watched: the sections `[host]`, `[processes]`, `[gpus]`, `[kernel_log]`, `[journal]`, `[units]`, `[[redis]]`,
/// `[probes]`, `[own]`, `[scraping]`, `[[scrape]]`, `[tailing]` and `[[logs]]`.
#[derive(Clone, Debug, Default, PartialEq, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// This host.
    pub host: HostConfig,
    /// Its processes.
    pub processes: ProcessesConfig,
    /// Its GPUs.
    pub gpus: GpusConfig,
    /// What its kernel says.
    pub kernel_log: KernelLogConfig,
    /// The journal of its service manager.
    pub journal: JournalConfig,
    /// Units of its service manager.
    pub units: UnitsConfig,
    /// Redis servers and the queues in them. With none, a Redis on 127.0.0.1:6379 is watched when
    /// there is one.
    pub redis: Vec<RedisConfig>,
    /// Services that are asked over the network.
    pub probes: ProbesConfig,
    /// Watchkeeper itself.
    pub own: OwnConfig,
    /// What holds for all targets that are scraped.
    pub scraping: ScrapingConfig,
    /// Jobs of targets that are scraped.
    pub scrape: Vec<ScrapeConfig>,
    /// What holds for all log files.
    pub tailing: TailingConfig,
    /// Log files that are tailed.
    pub logs: Vec<LogsConfig>,
    /// The folder that paths in `scraping` and `scrape` start at.
    #[serde(skip)]
    pub base: std::path::PathBuf,
}

/// The section `[host]`.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct HostConfig {
    /// Whether the host is watched.
    pub enabled: bool,
    /// How often.
    #[schemars(with = "String")]
    pub interval: DurationText,
    /// The value of the label `host`; by default the host's own name.
    pub name: Option<String>,
}

impl Default for HostConfig {
    fn default() -> Self {
        Self { enabled: true, interval: DEFAULT_INTERVAL, name: None }
    }
}

/// The section `[own]`: Watchkeeper's own metrics, kept in its own store.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct OwnConfig {
    /// Whether they are kept.
    pub enabled: bool,
    /// How often.
    #[schemars(with = "String")]
    pub interval: DurationText,
}

impl Default for OwnConfig {
    fn default() -> Self {
        Self { enabled: true, interval: DEFAULT_INTERVAL }
    }
}
