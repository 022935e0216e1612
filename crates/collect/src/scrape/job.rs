//! A job, checked: everything that can be wrong with its keys has been found.

use std::collections::BTreeMap;
use std::hash::{Hash, Hasher};
use std::path::{Path, PathBuf};
use std::time::Duration;

use ingest::relabel::{RelabelConfig, RelabelRules};
use model::{ByteSize, DurationText};
use protocol::exposition::Format;

use super::config::{Scheme, ScrapeConfig, ScrapingConfig, StaticConfig};
use super::discovery::Source;
use super::http::{HttpClient, HttpKeys};
use super::protocols;

/// How often targets are scraped unless somebody says otherwise, and how long that may take, as in Prometheus.
const USUAL_INTERVAL: Duration = Duration::from_secs(60);
const USUAL_TIMEOUT: Duration = Duration::from_secs(10);
/// The shortest interval.
const SHORTEST_INTERVAL: Duration = Duration::from_millis(100);
/// The longest interval, and the longest time between two looks for targets.
const LONGEST_INTERVAL: Duration = Duration::from_secs(24 * 3600);
/// The most targets that stand in a job.
const MAX_STATIC: usize = 100_000;

/// What a file of Prometheus says of all its jobs: the section `global`.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Globals {
    pub(super) interval: Option<DurationText>,
    pub(super) timeout: Option<DurationText>,
    pub(super) protocols: Option<Vec<protocols::ScrapeProtocol>>,
    pub(super) native_histograms: Option<bool>,
    pub(super) classic_histograms: Option<bool>,
    pub(super) body_size_limit: ByteSize,
    pub(super) sample_limit: usize,
    pub(super) target_limit: usize,
    pub(super) label_limit: usize,
    pub(super) label_name_length_limit: usize,
    pub(super) label_value_length_limit: usize,
}

/// A job as it is worked by.
#[derive(Debug)]
pub(super) struct Job {
    pub(super) name: String,
    pub(super) interval: Duration,
    pub(super) timeout: Duration,
    pub(super) scheme: Scheme,
    pub(super) metrics_path: String,
    pub(super) params: BTreeMap<String, Vec<String>>,
    pub(super) honor_labels: bool,
    pub(super) honor_timestamps: bool,
    pub(super) track_timestamps: bool,
    pub(super) relabel: RelabelRules,
    pub(super) metric_relabel: RelabelRules,
    pub(super) limits: Limits,
    pub(super) accept: String,
    pub(super) fallback: Option<Format>,
    pub(super) classic_histograms: bool,
    pub(super) packed: bool,
    pub(super) kept_dropped: usize,
    pub(super) client: HttpClient,
    pub(super) sources: Vec<Source>,
    /// Files that connections are set up with.
    pub(super) material: Vec<PathBuf>,
    /// The same as long as nothing changes that the job is made of, files of certificates included.
    pub(super) fingerprint: u64,
}

/// Bounds of one job; `usize::MAX` where there is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Limits {
    pub(super) body: usize,
    pub(super) samples: usize,
    pub(super) labels: usize,
    pub(super) name_bytes: usize,
    pub(super) value_bytes: usize,
    pub(super) targets: usize,
    pub(super) buckets: usize,
}

impl Job {
    /// Checks a job. Paths in it start at `base`.
    pub(super) fn new(
        config: &ScrapeConfig,
        globals: &Globals,
        scraping: &ScrapingConfig,
        base: &Path,
    ) -> Result<Self, String> {
        if config.job_name.is_empty() {
            return Err("`job_name` is missing".to_owned());
        }
        let (interval, timeout) = timing(config, globals)?;
        let keys = HttpKeys::of_job(config)?;
        let relabel = |key: &str, rules: &[RelabelConfig]| {
            RelabelRules::new(rules).map_err(|error| format!("`{key}`: {error}"))
        };
        let native = config.scrape_native_histograms.or(globals.native_histograms).unwrap_or(false);
        let protocols = config.scrape_protocols.clone().or_else(|| globals.protocols.clone());
        let protocols = protocols.unwrap_or_else(|| protocols::usual(native));
        if protocols.is_empty() || protocols.len() > 5 {
            return Err("`scrape_protocols` takes one to five formats, each once".to_owned());
        }
        let scheme = config.metric_name_validation_scheme.as_deref();
        let escaping = match scheme {
            None | Some("utf8") => config.metric_name_escaping_scheme,
            Some("legacy") => protocols::EscapingScheme::Underscores,
            Some(other) => {
                return Err(format!("`metric_name_validation_scheme`: `{other}` is neither utf8 nor legacy"));
            }
        };
        Ok(Self {
            name: config.job_name.clone(),
            interval,
            timeout,
            scheme: config.scheme,
            metrics_path: config.metrics_path.clone(),
            params: config.params.clone(),
            honor_labels: config.honor_labels,
            honor_timestamps: config.honor_timestamps,
            track_timestamps: config.track_timestamps_staleness,
            relabel: relabel("relabel_configs", &config.relabel_configs)?,
            metric_relabel: relabel("metric_relabel_configs", &config.metric_relabel_configs)?,
            limits: limits(config, globals, scraping),
            accept: protocols::accept(&protocols, escaping),
            fallback: config.fallback_scrape_protocol.map(protocols::ScrapeProtocol::format),
            classic_histograms: config
                .always_scrape_classic_histograms
                .or(globals.classic_histograms)
                .unwrap_or(false),
            packed: config.enable_compression,
            kept_dropped: config.keep_dropped_targets,
            client: HttpClient::new(&keys, base)?,
            sources: sources(config, base)?,
            fingerprint: fingerprint(config, globals, base),
            material: material(config, base),
        })
    }
}

fn timing(config: &ScrapeConfig, globals: &Globals) -> Result<(Duration, Duration), String> {
    let one =
        |short: (&str, Option<DurationText>), long: (&str, Option<DurationText>)| match (short.1, long.1) {
            (Some(_), Some(_)) => Err(format!("`{}` and `{}` are both set; keep one", short.0, long.0)),
            (one, other) => Ok(one.or(other)),
        };
    let interval = one(("every", config.every), ("scrape_interval", config.scrape_interval))?;
    let timeout = one(("timeout", config.timeout), ("scrape_timeout", config.scrape_timeout))?;
    let interval = interval.or(globals.interval).map_or(USUAL_INTERVAL, |interval| interval.0);
    if !(SHORTEST_INTERVAL..=LONGEST_INTERVAL).contains(&interval) {
        return Err("the interval must be from 100ms to 24h".to_owned());
    }
    let named = timeout.map(|timeout| timeout.0);
    if let Some(timeout) = named.filter(|timeout| timeout.is_zero() || *timeout > interval) {
        let (timeout, interval) = (DurationText(timeout), DurationText(interval));
        return Err(format!(
            "the timeout of {timeout} must be more than zero and not more than the interval of {interval}"
        ));
    }
    let usual = globals.timeout.map_or(USUAL_TIMEOUT, |timeout| timeout.0);
    Ok((interval, named.unwrap_or(usual).min(interval)))
}

fn limits(config: &ScrapeConfig, globals: &Globals, scraping: &ScrapingConfig) -> Limits {
    let bound = |own: usize, global: usize| match if own == 0 { global } else { own } {
        0 => usize::MAX,
        bound => bound,
    };
    let bytes = |size: ByteSize| usize::try_from(size.0).unwrap_or(usize::MAX);
    let body = bound(bytes(config.body_size_limit), bytes(globals.body_size_limit));
    Limits {
        body: body.min(bytes(scraping.max_body)),
        samples: bound(config.sample_limit, globals.sample_limit),
        labels: bound(config.label_limit, globals.label_limit),
        name_bytes: bound(config.label_name_length_limit, globals.label_name_length_limit),
        value_bytes: bound(config.label_value_length_limit, globals.label_value_length_limit),
        targets: bound(config.target_limit, globals.target_limit),
        buckets: bound(config.native_histogram_bucket_limit, 0),
    }
}

fn sources(config: &ScrapeConfig, base: &Path) -> Result<Vec<Source>, String> {
    let short = StaticConfig { targets: config.targets.clone(), labels: config.labels.clone() };
    if config.targets.is_empty() && !config.labels.is_empty() {
        return Err("`labels` are those of `targets`, and there are none".to_owned());
    }
    let statics: Vec<&StaticConfig> = std::iter::once(&short)
        .filter(|short| !short.targets.is_empty())
        .chain(&config.static_configs)
        .collect();
    if statics.iter().map(|one| one.targets.len()).sum::<usize>() > MAX_STATIC {
        return Err(format!("at most {MAX_STATIC} targets may stand in a job: put them into files"));
    }
    let mut sources: Vec<Source> = Vec::new();
    if !statics.is_empty() {
        sources.push(Source::fixed(&statics)?);
    }
    for one in &config.file_sd_configs {
        check_refresh(one.refresh_interval)?;
        sources.push(Source::files(one, base)?);
    }
    for one in &config.http_sd_configs {
        check_refresh(one.refresh_interval)?;
        sources.push(Source::http(one, base)?);
    }
    Ok(sources)
}

fn check_refresh(interval: DurationText) -> Result<(), String> {
    if (SHORTEST_INTERVAL..=LONGEST_INTERVAL).contains(&interval.0) {
        return Ok(());
    }
    Err("`refresh_interval` must be from 100ms to 24h".to_owned())
}

/// Files that connections are set up with.
fn material(config: &ScrapeConfig, base: &Path) -> Vec<PathBuf> {
    let lists = config.http_sd_configs.iter().map(|list| &list.tls_config);
    std::iter::once(&config.tls_config).chain(lists).flat_map(|tls| super::tls::material(tls, base)).collect()
}

/// A hash of everything that the job is made of.
fn fingerprint(config: &ScrapeConfig, globals: &Globals, base: &Path) -> u64 {
    let mut hasher = xxhash_rust::xxh3::Xxh3::new();
    (format!("{config:?}{globals:?}"), base).hash(&mut hasher);
    for path in material(config, base) {
        std::fs::read(path).unwrap_or_default().hash(&mut hasher);
    }
    hasher.finish()
}
