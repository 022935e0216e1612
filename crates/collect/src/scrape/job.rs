//! A job, checked: everything that can be wrong with its keys has been found.

use std::collections::BTreeMap;
use std::hash::{Hash, Hasher};
use std::path::{Path, PathBuf};
use std::time::Duration;

use ingest::relabel::{RelabelConfig, RelabelRules};
use model::histogram::schema_of_factor;
use model::{ByteSize, DurationText};
use protocol::exposition::Format;

use super::config::{OAuth2, Scheme, ScrapeConfig, ScrapingConfig, StaticConfig, TlsConfig};
use super::discovery::Source;
use super::globals::Globals;
use super::http::{self, HttpClient, HttpKeys};
use super::protocols::{self, EscapingScheme};
use super::target::no_address;
use crate::trust::Authorities;

/// How often targets are scraped unless somebody says otherwise, and how long that may take, as in Prometheus.
const USUAL_INTERVAL: Duration = Duration::from_secs(60);
const USUAL_TIMEOUT: Duration = Duration::from_secs(10);
/// The shortest interval.
const SHORTEST_INTERVAL: Duration = Duration::from_millis(100);
/// The longest interval, and the longest time between two looks for targets.
const LONGEST_INTERVAL: Duration = Duration::from_secs(24 * 3600);
/// How many dropped targets a job lists unless it says otherwise, and the most.
const USUAL_DROPPED: usize = 1_000;
const MOST_DROPPED: usize = 10_000;
/// The most targets that stand in a job.
const MAX_STATIC: usize = 100_000;

/// What a job is checked by, beside its own keys.
#[derive(Clone, Copy)]
pub(super) struct Surroundings<'a> {
    pub(super) scraping: &'a ScrapingConfig,
    /// Where paths start.
    pub(super) base: &'a Path,
    /// Whom connections trust that name nobody.
    pub(super) authorities: &'a Authorities,
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
    /// Whether native histograms are read: unless they are not to be, for a target may show some unasked.
    pub(super) native_histograms: bool,
    pub(super) classic_histograms: bool,
    /// Whether classic histograms become native ones.
    pub(super) custom_histograms: bool,
    /// The finest schema of native histograms.
    pub(super) finest_schema: i8,
    pub(super) packed: bool,
    /// Whether three more samples say how a scrape went.
    pub(super) extra_metrics: bool,
    /// Where scrapes that fail are written down.
    pub(super) failure_log: Option<PathBuf>,
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
        around: &Surroundings<'_>,
    ) -> Result<Self, String> {
        if config.job_name.is_empty() {
            return Err("`job_name` is missing".to_owned());
        }
        let (interval, timeout) = timing(config, globals)?;
        let keys = HttpKeys::of_job(config)?;
        let relabel = |key: &str, rules: &[RelabelConfig]| {
            RelabelRules::new(rules).map_err(|error| format!("`{key}`: {error}"))
        };
        let native = config.scrape_native_histograms.or(globals.scrape_native_histograms);
        let protocols = config.scrape_protocols.clone().or_else(|| globals.scrape_protocols.clone());
        let protocols = protocols.unwrap_or_else(|| protocols::usual(native.unwrap_or(false)));
        if protocols.is_empty() || protocols.len() > 5 {
            return Err("`scrape_protocols` takes one to five formats, each once".to_owned());
        }
        let factor = config.native_histogram_min_bucket_factor;
        if !(factor.is_finite() && factor >= 0.0) {
            return Err(
                "`native_histogram_min_bucket_factor` must be a number that is not negative".to_owned()
            );
        }
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
            limits: limits(config, globals, around.scraping),
            accept: protocols::accept(&protocols, escaping(config, globals)?),
            fallback: config.fallback_scrape_protocol.map(protocols::ScrapeProtocol::format),
            native_histograms: native.unwrap_or(true),
            classic_histograms: config
                .always_scrape_classic_histograms
                .or(globals.always_scrape_classic_histograms)
                .unwrap_or(false),
            custom_histograms: config
                .convert_classic_histograms_to_nhcb
                .or(globals.convert_classic_histograms_to_nhcb)
                .unwrap_or(false),
            finest_schema: schema_of_factor(factor),
            packed: config.enable_compression,
            extra_metrics: config.extra_scrape_metrics.or(globals.extra_scrape_metrics).unwrap_or(false),
            failure_log: failure_log(config, globals, around.base),
            kept_dropped: kept_dropped(config, globals),
            client: HttpClient::new(&keys, around)?,
            sources: sources(config, around)?,
            fingerprint: fingerprint(config, globals, around.base),
            material: material(config, around.base),
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
    let interval = interval.or(globals.scrape_interval).map_or(USUAL_INTERVAL, |interval| interval.0);
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
    let usual = globals.scrape_timeout.map_or(USUAL_TIMEOUT, |timeout| timeout.0);
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

fn kept_dropped(config: &ScrapeConfig, globals: &Globals) -> usize {
    match (config.keep_dropped_targets, globals.keep_dropped_targets) {
        (None, 0) => USUAL_DROPPED,
        (Some(0), 0) => MOST_DROPPED,
        (None | Some(0), kept) | (Some(kept), _) => kept.min(MOST_DROPPED),
    }
}

/// How targets are to write names.
fn escaping(config: &ScrapeConfig, globals: &Globals) -> Result<EscapingScheme, String> {
    let scheme = config.metric_name_validation_scheme.as_ref();
    let scheme = scheme.or(globals.metric_name_validation_scheme.as_ref());
    match scheme.map(String::as_str).filter(|scheme| !scheme.is_empty()) {
        None | Some("utf8") => {
            let escaping = config.metric_name_escaping_scheme.or(globals.metric_name_escaping_scheme);
            Ok(escaping.unwrap_or_default())
        }
        Some("legacy") => Ok(EscapingScheme::Underscores),
        Some(other) => Err(format!("`metric_name_validation_scheme`: `{other}` is neither utf8 nor legacy")),
    }
}

fn failure_log(config: &ScrapeConfig, globals: &Globals, base: &Path) -> Option<PathBuf> {
    let set = |file: &Option<PathBuf>| file.clone().filter(|file| !file.as_os_str().is_empty());
    let own = set(&config.scrape_failure_log_file).map(|file| base.join(file));
    own.or_else(|| set(&globals.scrape_failure_log_file).map(|file| globals.base.join(file)))
}

fn sources(config: &ScrapeConfig, around: &Surroundings<'_>) -> Result<Vec<Source>, String> {
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
    // Relabelling can make a parameter of an address.
    let targets = statics.iter().flat_map(|one| &one.targets).filter(|_| config.relabel_configs.is_empty());
    if let Some(url) = targets.into_iter().find(|target| target.contains('/')) {
        return Err(no_address(url));
    }
    let mut sources: Vec<Source> = Vec::new();
    if !statics.is_empty() {
        sources.push(Source::fixed(&statics)?);
    }
    for one in &config.file_sd_configs {
        check_refresh(one.refresh_interval)?;
        sources.push(Source::files(one, around.base)?);
    }
    for one in &config.http_sd_configs {
        check_refresh(one.refresh_interval)?;
        sources.push(Source::http(one, around)?);
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
    let of = |tls: &TlsConfig, oauth2: &Option<OAuth2>| {
        let files = http::material(tls, base);
        let oauth2 = oauth2.as_ref().map(|oauth2| http::material(&oauth2.tls_config, base));
        files.into_iter().chain(oauth2.into_iter().flatten())
    };
    let lists = config.http_sd_configs.iter().flat_map(|list| of(&list.tls_config, &list.oauth2));
    of(&config.tls_config, &config.oauth2).chain(lists).collect()
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
