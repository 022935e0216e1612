//! The composition root: the one place that names an engine, and puts the parts together.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use alert::{Alerts, RuleSet};
use anyhow::Context as _;
use collect::Collectors;
use engine::Engine;
use ingest::log_metrics::LogMetrics;
use ingest::{Ingest, Redactor};
use model::{ByteSize, DurationText, Timestamp};
use pipeline::Pipeline;
use prometheus::Registry;
use state::State;
use store::TelemetryStore;

use crate::changes;
use crate::config::Loaded;
use crate::exit::Failure;

/// The rules that watch when no rule file is configured.
const SHIPPED_RULES: &str = include_str!("../../../rules/pipeline.yml");
/// What the shipped rules are called in errors and in the API.
const SHIPPED_RULES_NAME: &str = "rules/pipeline.yml (shipped)";
/// How long a webhook may take to be connected to.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// Older than anything that was ever measured.
const FOR_EVER: Duration = Duration::from_secs(200 * 365 * 86_400);

/// All parts, open and connected; nothing runs yet.
pub(crate) struct House {
    pub(crate) engine: Arc<Engine>,
    pub(crate) state: State,
    pub(crate) ingest: Arc<Ingest>,
    pub(crate) log_metrics: Option<Arc<LogMetrics>>,
    pub(crate) pipeline: Arc<Pipeline>,
    pub(crate) collectors: Arc<Collectors>,
    pub(crate) alerts: Arc<Alerts>,
    pub(crate) promql: promql::Engine,
    pub(crate) registry: Registry,
    pub(crate) tls: Option<server::Tls>,
}

impl House {
    /// Opens what is stored in `data_dir`, reads live state back, and connects the parts. What is wrong
    /// with the configuration is a [`Failure::Usage`].
    pub(crate) async fn open(loaded: &Loaded, data_dir: &Path) -> Result<Self, Failure> {
        let settings = &loaded.settings;
        // What can be wrong without anything being opened comes first.
        let tls = tls(&settings.server)?;
        let rules = rules(loaded)?;
        let redactor = Redactor::new(&settings.ingest.redaction).map_err(Failure::usage)?;
        let http = reqwest::Client::builder()
            .connect_timeout(CONNECT_TIMEOUT)
            .build()
            .context("the HTTP client could not be made")?;

        let registry = Registry::new();
        let engine = open_engine(settings.store.clone(), data_dir, &registry).await?;
        let state = State::open(&data_dir.join("state.db")).await?;
        changes::note(&state, loaded, &rules).await?;
        let store: Arc<dyn TelemetryStore> = Arc::clone(&engine) as Arc<dyn TelemetryStore>;
        let retention = settings.store.kept();
        let limits = settings.ingest.limits.clone();
        let spans = ingest::SpanSettings {
            derive: settings.ingest.derive.clone(),
            sampling: settings.ingest.sampling.clone(),
        };
        let ingest = Ingest::with_spans(Arc::clone(&store), limits, redactor, spans, retention, &registry)?;
        let pipeline = Pipeline::new(settings.pipeline.clone(), &registry)?;
        read_back(&ingest, &pipeline, &store).await?;
        ingest.subscribe(Arc::clone(&pipeline) as Arc<dyn ingest::EventListener>);
        let log_metrics = LogMetrics::new(&settings.log_metrics, &registry).map_err(Failure::usage)?;
        if let Some(log_metrics) = &log_metrics {
            ingest.subscribe(Arc::clone(log_metrics) as Arc<dyn ingest::EventListener>);
        }

        let promql = promql::Engine::new(Arc::clone(&store), settings.promql.clone());
        let parts = alert::Parts {
            engine: promql.clone(),
            pipeline: Arc::clone(&pipeline),
            store: Arc::clone(&store),
            state: state.clone(),
            ingest: Arc::clone(&ingest),
            http,
        };
        let alerts = Alerts::new(settings.alerts.clone(), &settings.channels, rules, parts, &registry)
            .await
            .map_err(Failure::usage)?;
        if !settings.alerts.rules.is_empty() {
            let (patterns, base) = (settings.alerts.rules.clone(), loaded.base().to_owned());
            alerts.follow_files(alert::RuleFiles { patterns, base });
        }
        let watched = settings.collectors(loaded.base());
        let collectors = Collectors::new(&watched, data_dir, Arc::clone(&ingest), &pipeline, &registry)
            .map_err(Failure::usage)?;
        Ok(Self { engine, state, ingest, log_metrics, pipeline, collectors, alerts, promql, registry, tls })
    }

    /// Writes down what is in memory, and closes what was opened.
    pub(crate) async fn close(self) -> Result<(), Failure> {
        self.state.close().await;
        let engine = self.engine;
        tokio::task::spawn_blocking(move || engine.shutdown()).await?;
        Ok(())
    }
}

/// HTTPS, where it is configured.
fn tls(server: &server::Config) -> Result<Option<server::Tls>, Failure> {
    let files = server.tls_files().map_err(|missing| {
        Failure::Usage(anyhow::anyhow!(
            "`server.{missing}` is missing: HTTPS needs a certificate and its key"
        ))
    })?;
    files.map(|files| server::Tls::load(&files)).transpose().map_err(Failure::usage)
}

/// Opens the store in a folder, which no other process may have open.
pub(crate) async fn open_engine(
    config: engine::Config,
    data_dir: &Path,
    registry: &Registry,
) -> Result<Arc<Engine>, Failure> {
    let begun = Instant::now();
    let mut config = config;
    for metrics in &mut config.retention_overrides.metrics {
        metrics.matchers =
            selector(&metrics.r#match).map_err(|fault| Failure::Usage(anyhow::anyhow!(fault)))?;
    }
    let (path, registry) = (data_dir.to_owned(), registry.clone());
    let engine = tokio::task::spawn_blocking(move || Engine::open(&path, config, &registry)).await??;
    let stats = engine.stats();
    tracing::info!(
        seconds = begun.elapsed().as_secs_f64(),
        series = stats.head_series,
        files = stats.files,
        quarantined = stats.quarantined_files,
        "the store is open"
    );
    Ok(engine)
}

/// Whether a folder holds a store.
pub(crate) fn holds_a_store(data_dir: &Path) -> bool {
    data_dir.join("catalog.db").exists()
}

/// Opens the store in a folder to read it. Nothing is dropped from it, however old.
pub(crate) async fn open_to_read(loaded: &Loaded, data_dir: &Path) -> Result<Arc<Engine>, Failure> {
    let mut config = loaded.settings.store.clone();
    config.retention = DurationText(FOR_EVER);
    if !config.rollup_retention.0.is_zero() {
        config.rollup_retention = DurationText(FOR_EVER);
    }
    config.retention_overrides = engine::RetentionOverrides::default();
    config.archive.url.clear();
    config.retention_bytes = ByteSize(0);
    config.retention_free_bytes = ByteSize(0);
    open_engine(config, data_dir, &Registry::new()).await
}

/// What a selector in the configuration means.
pub(crate) fn selector(text: &str) -> Result<Vec<store::Matcher>, String> {
    let query = promql::Query::parse(text).map_err(|error| format!("`{text}`: {error}"))?;
    let matchers =
        query.matchers().ok_or_else(|| format!("`{text}` is no selector alone, as {{job=\"api\"}}"))?;
    Ok(matchers.to_vec())
}

/// Reads back what lives in memory only: which events are known, and the state of jobs and workers.
async fn read_back(
    ingest: &Arc<Ingest>,
    pipeline: &Arc<Pipeline>,
    store: &Arc<dyn TelemetryStore>,
) -> Result<(), Failure> {
    let begun = Instant::now();
    let (ingest, pipeline, store) = (Arc::clone(ingest), Arc::clone(pipeline), Arc::clone(store));
    let read = tokio::task::spawn_blocking(move || -> anyhow::Result<(usize, usize)> {
        let known = ingest.recall()?;
        let folded = pipeline.rebuild(&*store, Timestamp::now())?;
        Ok((known, folded))
    });
    let (known, folded) = read.await??;
    tracing::info!(seconds = begun.elapsed().as_secs_f64(), known, folded, "stored events were read back");
    Ok(())
}

/// The configured rules, or the shipped ones.
fn rules(loaded: &Loaded) -> Result<RuleSet, Failure> {
    let patterns = &loaded.settings.alerts.rules;
    let rules = if patterns.is_empty() {
        RuleSet::parse(SHIPPED_RULES_NAME, SHIPPED_RULES)
    } else {
        RuleSet::load(patterns, loaded.base())
    };
    rules.map_err(Failure::usage)
}

/// The folder that holds everything: as named, as configured, or the usual one.
pub(crate) fn data_dir(named: Option<&Path>, configured: Option<&Path>) -> anyhow::Result<PathBuf> {
    if let Some(path) = named.or(configured) {
        return Ok(path.to_owned());
    }
    if rustix::process::geteuid().is_root() {
        return Ok(PathBuf::from("/var/lib/watchkeeper"));
    }
    let absolute = |name| std::env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    let data_home =
        absolute("XDG_DATA_HOME").or_else(|| absolute("HOME").map(|home| home.join(".local/share")));
    data_home
        .map(|folder| folder.join("watchkeeper"))
        .context("neither HOME nor XDG_DATA_HOME is set: say with --data-dir where the data is")
}

/// Makes the data folder, readable by its owner alone.
pub(crate) fn make_data_dir(path: &Path) -> anyhow::Result<()> {
    use std::os::unix::fs::DirBuilderExt;
    if path.is_dir() {
        return Ok(());
    }
    std::fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(path)
        .with_context(|| format!("the data folder {} could not be made", path.display()))?;
    // Its name, and those of the folders that were made above it, are to outlast a power cut as what is in it
    // does. A folder above that may not be read is none that was made here.
    let made = path.canonicalize().unwrap_or_else(|_| path.to_owned());
    for above in made.ancestors().skip(1) {
        _ = std::fs::File::open(above).and_then(|folder| folder.sync_all());
    }
    Ok(())
}
