//! What we go and fetch: the host, its processes, its GPUs, its kernel's log, its service manager, Redis and
//! its queues, probed services, Prometheus exporters, log files, and ourselves; and what is sent to us without an
//! answer: syslog.
//!
//! Each thing watched has a [`Collector`] with its own interval, its own task and its own time limit,
//! so that each fails alone. [`Collectors`] runs them, stores what they gather through `ingest`, hands
//! live views to `pipeline`, and says how each of them does.
//!
//! Knows no alert, no HTTP and no engine. Start reading at [`Collectors`], then [`Collector`]; for exporters
//! at [`Scrapes`], for log files at `tail`, for syslog at [`Syslog`].

mod blocking;
mod body;
mod collector;
mod config;
mod durable;
mod exits;
mod gpus;
mod host;
mod journal;
mod kernel_clock;
mod kernel_log;
mod own;
mod probes;
mod proc_root;
mod processes;
mod redis_queue;
mod redis_server;
mod runner;
mod samples;
mod scrape;
mod syslog;
mod tail;
mod trust;
mod units;

pub use collector::{BoxError, CollectError, Collector};
pub use config::{Config, HostConfig, OwnConfig};
pub use gpus::GpusConfig;
pub use journal::JournalConfig;
pub use kernel_log::KernelLogConfig;
pub use own::encode_text;
pub use probes::{
    BucketStyle, Completion, HttpMethod, HttpProbe, OllamaProbe, OpenAiProbe, PostgresqlProbe, PostgresqlTls,
    ProbeError, ProbesConfig, S3Probe, TcpProbe, TlsProbe,
};
pub use processes::{GroupConfig, PatternError, ProcessesConfig};
pub use redis_queue::{
    FieldPaths, IdFrom, KeyConfig, KeyType, MappingError, MaxMembers, OldestEnd, OperationError,
    OperationOutcome, OperationPreview, QueueAction, QueueConfig, QueueOperations, ResultsConfig,
    ScoreMeaning, TaskSelection, TouchedTask,
};
pub use redis_server::RedisConfig;
pub use runner::{CollectorStatus, Collectors, SetupError};
pub use scrape::{
    Authorization, BasicAuth, DroppedTarget, EscapingScheme, FileSdConfig, Health, HttpHeader, HttpSdConfig,
    OAuth2, PoolStatus, ScrapeConfig, ScrapeProtocol, ScrapeSetupError, ScrapeWarning, Scrapes,
    ScrapingConfig, StaticConfig, TargetMetadata, TargetStatus, TlsConfig,
};
pub use syslog::{OffsetError, Syslog, SyslogConfig, SyslogError, UtcOffset};
pub use tail::{Joining, LineFormat, LogsConfig, StartAt, TailSetupError, TailingConfig};
pub use units::UnitsConfig;
