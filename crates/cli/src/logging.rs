//! The log: one line an event, on standard error.

use anyhow::Context as _;
use tracing_subscriber::EnvFilter;

use crate::config::{Log, LogFormat};

/// What is logged, if that can be understood.
pub(crate) fn filter(log: &Log) -> anyhow::Result<EnvFilter> {
    EnvFilter::builder().parse(&log.level).with_context(|| {
        format!("[log] level: `{}` is not a level, like info or info,server=debug", log.level)
    })
}

/// Begins to log as configured.
pub(crate) fn begin(log: &Log) -> anyhow::Result<()> {
    let filter = filter(log)?;
    let to_stderr = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr);
    let begun = match log.format {
        LogFormat::Text => {
            to_stderr.with_ansi(std::io::IsTerminal::is_terminal(&std::io::stderr())).try_init()
        }
        LogFormat::Json => to_stderr.json().try_init(),
    };
    begun.map_err(|error| anyhow::anyhow!("the log could not be begun: {error}"))
}
