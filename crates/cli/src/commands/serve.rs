//! `watchkeeper serve`: starts everything, and ends it in order.

mod announce;

use std::future::Future;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::Context as _;
use tokio::net::TcpListener;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::config::{self, Loaded};
use crate::exit::{self, Failure};
use crate::first_start;
use crate::house::{self, House};
use crate::logging;
use announce::Reached;

/// How long stopping may take once the disk has failed: what is to be written may wait for it for ever.
const STOP_ON_BAD_DISK: Duration = Duration::from_secs(10);

/// What the command line says.
#[derive(Debug, clap::Args)]
pub(crate) struct Serve {
    /// The configuration [default: ./watchkeeper.toml, else /etc/watchkeeper/watchkeeper.toml]
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// The folder that holds everything that is kept
    #[arg(long, value_name = "DIR", env = "WATCHKEEPER_DATA_DIR")]
    pub(crate) data_dir: Option<PathBuf>,
    /// The address and port to listen on
    #[arg(long, value_name = "ADDR")]
    pub(crate) listen: Option<SocketAddr>,
}

/// Runs until a signal, or until something that must not end does.
pub(crate) async fn run(command: &Serve) -> Result<(), Failure> {
    let begun = Instant::now();
    let mut loaded = config::read(command.config.as_deref()).map_err(Failure::usage)?;
    if let Some(listen) = command.listen {
        loaded.settings.server.listen = listen;
    }
    let data_dir = house::data_dir(command.data_dir.as_deref(), loaded.settings.data_dir.as_deref())?;
    house::make_data_dir(&data_dir)?;
    let secrets = config::secrets(&loaded.settings).context("the settings cannot be read through")?;
    let lost_lines = logging::begin(&loaded.settings.log, &data_dir, &secrets).map_err(Failure::usage)?;
    tracing::info!(
        version = env!("CARGO_PKG_VERSION"),
        data_dir = %data_dir.display(),
        config = %loaded.file.as_deref().unwrap_or(Path::new("none")).display(),
        "starting"
    );
    let mut signals = Signals::new()?;
    let started = tokio::select! {
        started = start(&loaded, &data_dir, begun) => started?,
        () = signals.next() => return Ok(()),
    };
    let mut parts = started;
    parts.house.registry.register(Box::new(lost_lines)).context("the counter of the log is there twice")?;
    let engine = Arc::clone(&parts.house.engine);
    let ended = tokio::select! {
        error = engine.failed() => Err(store_failed(error, &data_dir)),
        ended = parts.any_ended() => Err(anyhow::anyhow!("{ended} ended by itself; the log says why").into()),
        () = signals.next() => Ok(()),
    };
    drop(engine);
    let patience = match &ended {
        Err(failure @ Failure::Disk(_)) => {
            tracing::error!("{failure}");
            STOP_ON_BAD_DISK
        }
        _ => Duration::MAX,
    };
    tracing::info!("stopping; a second signal stops at once");
    let stopped = tokio::select! {
        stopped = tokio::time::timeout(patience, parts.stop()) => stopped,
        () = signals.next() => {
            tracing::warn!("stopped at once");
            std::process::exit(130);
        }
    };
    match stopped {
        Ok(stopped) => {
            tracing::info!("stopped");
            ended.and(stopped)
        }
        Err(_) => {
            tracing::warn!("stopped at once: the disk does not answer");
            std::process::exit(i32::from(exit::DISK));
        }
    }
}

/// What to say when the store cannot go on.
fn store_failed(error: Arc<engine::EngineError>, data_dir: &Path) -> Failure {
    if let engine::EngineError::Panicked { .. } = &*error {
        let error = anyhow::Error::new(error);
        return Failure::Other(
            error.context("the store has stopped; this is a fault of watchkeeper, and the log says more"),
        );
    }
    Failure::Disk(anyhow::anyhow!(
        "the store's log could not be written, so nothing more is taken: {:#}. What was acknowledged is kept. \
         Look at the disk that holds {} (`df`, `dmesg`), then start watchkeeper again",
        anyhow::Error::new(error),
        data_dir.display()
    ))
}

/// The signals that ask for an end.
struct Signals {
    interrupt: Signal,
    terminate: Signal,
}

impl Signals {
    fn new() -> anyhow::Result<Self> {
        let listen = |kind| signal(kind).context("signals cannot be listened for");
        Ok(Self { interrupt: listen(SignalKind::interrupt())?, terminate: listen(SignalKind::terminate())? })
    }

    async fn next(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }
}

async fn start(loaded: &Loaded, data_dir: &Path, begun: Instant) -> Result<Running, Failure> {
    let settings = &loaded.settings;
    let listen = settings.server.listen;
    // Before anything is read: a taken port is the commonest mistake, and is told at once.
    let listener = TcpListener::bind(listen).await.with_context(|| {
        format!("cannot listen on {listen}; is another Watchkeeper running? `--listen` takes another address")
    })?;
    let address = listener.local_addr().context("the address that is listened on is not known")?;
    let syslog =
        collect::Syslog::bind(&settings.syslog).await.context("the section [syslog] cannot be used")?;
    let receivers = server::Receivers::bind(&settings.server).await?;
    let house = House::open(loaded, data_dir).await?;
    let first_login = first_start::make_first_user(&house.state).await?;
    let local_token = first_start::write_local_token(data_dir)?;
    let context = server::Context {
        version: env!("CARGO_PKG_VERSION"),
        store: Arc::clone(&house.engine) as Arc<dyn store::TelemetryStore>,
        state: house.state.clone(),
        ingest: Arc::clone(&house.ingest),
        pipeline: Arc::clone(&house.pipeline),
        collectors: Arc::clone(&house.collectors),
        alerts: Arc::clone(&house.alerts),
        promql: house.promql.clone(),
        retention: settings.store.retention_of(store::Table::JobEvents),
        registry: house.registry.clone(),
        local_token,
    };
    let tls = house.tls.clone();
    let addresses = std::iter::once(address).chain(receivers.addresses());
    for address in addresses.filter(|address| tls.is_none() && !address.ip().is_loopback()) {
        warn_of_plain_http(address);
    }
    let mut running = Running { tasks: JoinSet::new(), stops: Vec::new(), house };
    let reached = Reached::of(address, tls.is_some(), &receivers);
    running.begin(loaded, Listening { listener, receivers, tls }, context);
    if let Some(syslog) = syslog {
        running.begin_syslog(syslog);
    }
    announce::ready(&reached, data_dir, first_login.as_ref(), begun)?;
    Ok(running)
}

/// Where others can listen in, plain HTTP is warned of.
fn warn_of_plain_http(listen: SocketAddr) {
    tracing::warn!(
        %listen,
        "other machines can reach this address, and it speaks plain HTTP: passwords and keys can be read on the way; \
         set tls_certificate and tls_key in the section [server], or listen on 127.0.0.1 behind a proxy"
    );
}

/// Where requests come in.
struct Listening {
    listener: TcpListener,
    receivers: server::Receivers,
    tls: Option<server::Tls>,
}

/// What runs.
struct Running {
    tasks: JoinSet<(&'static str, anyhow::Result<()>)>,
    /// In the order in which they are stopped.
    stops: Vec<(&'static str, CancellationToken)>,
    house: House,
}

impl Running {
    /// Begins all tasks. They stop in this order: first nobody is let in, then nothing is fetched, then
    /// what is derived is written once more, then alerts are put down.
    fn begin(
        &mut self,
        loaded: &Loaded,
        Listening { listener, receivers, tls }: Listening,
        context: server::Context,
    ) {
        let settings = &loaded.settings;
        let config = settings.server.clone();
        self.spawn("the server", |stop| async move {
            Ok(server::serve(listener, receivers, tls, config, context, stop).await?)
        });
        let collectors = Arc::clone(&self.house.collectors);
        self.spawn("collecting", |stop| async move {
            collectors.run(stop).await;
            Ok(())
        });
        let (pipeline, ingest) = (Arc::clone(&self.house.pipeline), Arc::clone(&self.house.ingest));
        let interval = settings.pipeline.interval.0;
        self.spawn("the pipeline", move |stop| async move {
            pipeline.run(ingest, interval, stop).await;
            Ok(())
        });
        if let Some(log_metrics) = self.house.log_metrics.clone() {
            let ingest = Arc::clone(&self.house.ingest);
            self.spawn("metrics of logs", move |stop| async move {
                log_metrics.run(ingest, stop).await;
                Ok(())
            });
        }
        let alerts = Arc::clone(&self.house.alerts);
        self.spawn("alerting", |stop| async move {
            alerts.run(stop).await;
            Ok(())
        });
        let (state, config) = (self.house.state.clone(), settings.state.clone());
        self.spawn("the upkeep of the state", |stop| async move {
            state.run(config, stop).await;
            Ok(())
        });
    }

    /// Takes messages of syslog. Stops after the rest, and before the store is closed: what was taken is stored.
    fn begin_syslog(&mut self, syslog: collect::Syslog) {
        let (ingest, registry) = (Arc::clone(&self.house.ingest), self.house.registry.clone());
        self.spawn("syslog", |stop| async move { Ok(syslog.run(ingest, &registry, stop).await?) });
    }

    fn spawn<F>(&mut self, name: &'static str, task: impl FnOnce(CancellationToken) -> F)
    where
        F: Future<Output = anyhow::Result<()>> + Send + 'static,
    {
        let stop = CancellationToken::new();
        let task = task(stop.clone());
        self.stops.push((name, stop));
        self.tasks.spawn(async move { (name, task.await) });
    }

    /// Waits until a task ends that should not, and says which.
    async fn any_ended(&mut self) -> &'static str {
        match self.tasks.join_next().await {
            Some(Ok((name, result))) => {
                if let Err(error) = result {
                    tracing::error!(error = %format!("{error:#}"), "{name} failed");
                }
                name
            }
            Some(Err(error)) => {
                tracing::error!(%error, "a task panicked");
                "a task"
            }
            None => "everything",
        }
    }

    /// Stops the tasks one after the other, then closes what was opened.
    async fn stop(mut self) -> Result<(), Failure> {
        let mut ended: Vec<&'static str> = Vec::new();
        for (name, stop) in std::mem::take(&mut self.stops) {
            stop.cancel();
            while !ended.contains(&name) && !self.tasks.is_empty() {
                match self.tasks.join_next().await {
                    Some(Ok((name, Ok(())))) => ended.push(name),
                    Some(Ok((name, Err(error)))) => {
                        tracing::error!(error = %format!("{error:#}"), "{name} failed");
                        ended.push(name);
                    }
                    // Which one is not known; go on to the next rather than wait for it forever.
                    Some(Err(error)) => {
                        tracing::error!(%error, "a task panicked");
                        break;
                    }
                    None => break,
                }
            }
            tracing::debug!("{name} has stopped");
        }
        self.tasks.shutdown().await;
        self.house.close().await
    }
}
