//! Our own log: on standard error, and in a file that rotates.
//!
//! A line is a text for people or one JSON object in the shape of [`record`]. No secret gets into
//! either: see [`fields`]. A line that cannot be written is counted and never stands in the way.

mod fields;
mod file;
mod record;
mod text;

use std::io::IsTerminal;
use std::path::Path;
use std::sync::Arc;

use anyhow::Context as _;
use prometheus::IntCounter;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{Layer, Registry, fmt};

use crate::config::{Log, LogFormat};
use fields::Cleaner;
use file::RotatingFile;
use record::Records;
use text::Fields;

/// What is logged, if that can be understood.
pub(crate) fn filter(log: &Log) -> anyhow::Result<Targets> {
    let wrong = || format!("[log] level: `{}` is not a level, like info or info,server=debug", log.level);
    // Empty parts would be taken for `error`, and spans for targets that match nothing.
    let parts = log.level.split(',').map(str::trim).filter(|part| !part.is_empty());
    let text = parts.collect::<Vec<_>>().join(",");
    anyhow::ensure!(!text.is_empty() && !text.contains('['), wrong());
    text.parse::<Targets>().with_context(wrong)
}

/// Begins to log as configured; `secrets` are never written. Gives the count of lines that could not
/// be written, to be shown beside the other metrics.
pub(crate) fn begin(log: &Log, data_dir: &Path, secrets: &[String]) -> anyhow::Result<IntCounter> {
    let cleaner = Arc::new(Cleaner::new(secrets)?);
    let lost =
        IntCounter::new("watchkeeper_log_lines_lost_total", "Lines of the log that could not be written.")
            .context("the counter of lost lines")?;
    let mut layers = vec![to_stderr(log.format, &cleaner)];
    if let Some(path) = log.file_in(data_dir) {
        let file = RotatingFile::open(&path, log.max_file_size.0, log.keep_files, lost.clone())
            .with_context(|| format!("[log] file: {} cannot be written to", path.display()))?;
        layers.push(to_file(log.file_format, &cleaner, file));
    }
    tracing_subscriber::registry()
        .with(layers)
        .with(filter(log)?)
        .try_init()
        .context("the log could not be begun")?;
    Ok(lost)
}

type AnyLayer = Box<dyn Layer<Registry> + Send + Sync>;

fn to_stderr(format: LogFormat, cleaner: &Arc<Cleaner>) -> AnyLayer {
    match format {
        LogFormat::Text => {
            let layer = fmt::layer().fmt_fields(Fields::new(cleaner)).with_writer(std::io::stderr);
            layer.with_ansi(std::io::stderr().is_terminal()).boxed()
        }
        LogFormat::Json => Records::new(cleaner, std::io::stderr).boxed(),
    }
}

fn to_file(format: LogFormat, cleaner: &Arc<Cleaner>, file: RotatingFile) -> AnyLayer {
    match format {
        LogFormat::Text => {
            fmt::layer().fmt_fields(Fields::new(cleaner)).with_writer(file).with_ansi(false).boxed()
        }
        LogFormat::Json => Records::new(cleaner, file).boxed(),
    }
}

#[cfg(test)]
mod tests {
    use tracing::Level;

    use super::*;

    #[test]
    fn levels_go_by_module_and_what_means_nothing_is_refused() {
        let of = |level: &str| filter(&Log { level: level.to_owned(), ..Log::default() });
        let filter = of("info, server=debug,").expect("a level");
        assert!(filter.would_enable("server::routes", &Level::DEBUG));
        assert!(filter.would_enable("engine", &Level::INFO) && !filter.would_enable("engine", &Level::DEBUG));
        for wrong in ["", ",", "server=loud", "server[span]=debug"] {
            assert!(of(wrong).is_err(), "{wrong:?}");
        }
    }
}
