//! The collector of the service manager's units (systemd): whether they run, how often they were
//! started again, and how their processes ended.
//!
//! The units are those of watched process groups, found through the processes' control groups, and
//! those that the configuration names. The service manager is asked with `systemctl show`; a library for
//! its bus would be larger than all of this. How a process ended that was replaced within a look
//! is looked up in the journal.

mod follow;
mod journal;
mod show;

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use model::event::{ExitCause, ExitEvent};
use model::{DurationText, MetricBatch, Timestamp};
use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::process::Command;

use crate::blocking::Blocking;
use crate::collector::{CollectError, Collector};
use crate::config::DEFAULT_INTERVAL;
use crate::exits::{ExitReporter, unit_of_cgroup};
use crate::kernel_clock::KernelClock;
use crate::proc_root::ProcRoot;
use crate::processes::Directory;
use crate::samples::Samples;
use follow::{Follower, UnitExit};
use show::UnitState;

/// The most units of watched processes that are remembered.
const MAX_UNITS: usize = 200;
/// The most processes whose control group is read in a look.
const MAX_PROCESSES: usize = 1_000;
/// The most bytes that are read of an answer.
const MAX_ANSWER: u64 = 1 << 20;
/// The most units whose ends are looked up in the journal in a look.
const MAX_JOURNAL_LOOKS: usize = 10;
/// Where systemd says that it runs.
const SYSTEMD_RUNS: &str = "/run/systemd/system";

/// The section `[units]`.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct UnitsConfig {
    /// Whether units of the service manager are watched.
    pub enabled: bool,
    /// How often.
    #[schemars(with = "String")]
    pub interval: DurationText,
    /// Units that are watched beside those of watched processes: names, or patterns like
    /// `llm-worker@*.service`.
    pub patterns: Vec<String>,
    /// The command that asks the service manager, with its first arguments:
    /// `["systemctl", "--user"]` asks that of a user.
    pub systemctl: Vec<String>,
    /// The command that asks the journal, with its first arguments; empty to leave the journal alone.
    pub journalctl: Vec<String>,
}

impl Default for UnitsConfig {
    fn default() -> Self {
        Self {
            enabled: true,
            interval: DEFAULT_INTERVAL,
            patterns: Vec::new(),
            systemctl: vec!["systemctl".to_owned()],
            journalctl: vec!["journalctl".to_owned()],
        }
    }
}

/// The collector of units.
pub(crate) struct Units {
    config: UnitsConfig,
    host: String,
    root: Blocking<ProcRoot>,
    directory: Arc<Directory>,
    reporter: Arc<ExitReporter>,
    boot_id: String,
    /// The units of watched processes, with the group of the processes.
    found: BTreeMap<String, String>,
    follower: Follower,
    last_look: Option<Timestamp>,
    /// Ends that could not be stored yet.
    untold: Vec<ExitEvent>,
}

impl Units {
    pub(crate) fn new(
        config: &UnitsConfig,
        host: String,
        directory: Arc<Directory>,
        reporter: Arc<ExitReporter>,
    ) -> Self {
        Self {
            config: config.clone(),
            host,
            root: Blocking::new(ProcRoot::of_this_host()),
            directory,
            reporter,
            boot_id: crate::kernel_clock::boot_id().unwrap_or_default(),
            found: BTreeMap::new(),
            follower: Follower::default(),
            last_look: None,
            untold: Vec::new(),
        }
    }

    /// No systemd is no fault, unless somebody has said how to ask it.
    fn is_absent(&self) -> Option<CollectError> {
        let is_default = self.config.systemctl == UnitsConfig::default().systemctl;
        (is_default && !Path::new(SYSTEMD_RUNS).is_dir()).then(|| {
            CollectError::Absent(format!(
                "no systemd runs here ({SYSTEMD_RUNS} is missing): no units to watch"
            ))
        })
    }

    /// Looks for the units of watched processes. They are remembered: a unit whose process has ended is
    /// the one that matters.
    async fn find_units(&mut self) -> Result<(), CollectError> {
        let grouped = self.directory.grouped(MAX_PROCESSES);
        let found = self.root.run(move |root| Ok(units_of(root, grouped))).await?;
        for (unit, group) in found {
            if self.found.len() < MAX_UNITS || self.found.contains_key(&unit) {
                self.found.insert(unit, group);
            }
        }
        Ok(())
    }

    async fn ask(&mut self) -> Result<Vec<UnitState>, CollectError> {
        self.find_units().await?;
        let names: Vec<String> = self.found.keys().chain(&self.config.patterns).cloned().collect();
        if names.is_empty() {
            return Ok(Vec::new());
        }
        let mut arguments = vec!["show".to_owned(), "--no-pager".to_owned()];
        arguments.push(format!("--property={}", show::PROPERTIES));
        // Whatever a unit is called, it is no option.
        arguments.push("--".to_owned());
        arguments.extend(names);
        let answer = run(&self.config.systemctl, &arguments).await?;
        let units = show::parse(&answer);
        let gone = units.iter().filter(|unit| !unit.is_loaded);
        gone.for_each(|unit| {
            self.found.remove(&unit.id);
        });
        Ok(units)
    }

    /// Looks up in the journal how processes ended that nobody saw ending.
    async fn look_up(&self, exits: Vec<UnitExit>) -> Vec<(UnitExit, Option<Timestamp>)> {
        let since = self.last_look.map_or(0, |last| last.as_millis().div_euclid(1000));
        let mut looks = 0;
        let mut known = Vec::new();
        for exit in exits {
            let unseen = exit.cause == ExitCause::Unknown;
            if !unseen || self.config.journalctl.is_empty() || looks == MAX_JOURNAL_LOOKS {
                known.push((exit, None));
                continue;
            }
            looks += 1;
            let endings = match run(&self.config.journalctl, &journal::arguments(&exit.unit, since)).await {
                Ok(answer) => journal::parse(&answer),
                Err(error) => {
                    tracing::debug!(unit = exit.unit, error = %error.chain(), "the journal says nothing");
                    Vec::new()
                }
            };
            if endings.is_empty() {
                known.push((exit, None));
                continue;
            }
            for ending in endings {
                let (signal, exit_code) = follow::ending(ending.exit_kind, ending.exit_status);
                let cause = follow::cause_of(signal, exit_code);
                let time = Timestamp::from_millis(ending.at_micros.div_euclid(1000));
                known.push((UnitExit { cause, signal, exit_code, ..exit.clone() }, Some(time)));
            }
        }
        known
    }

    fn event(&self, exit: UnitExit, at: Option<Timestamp>, clock: &KernelClock) -> ExitEvent {
        let since_boot = exit.exited_at.map(Duration::from_micros);
        let time = at.or(since_boot.map(|at| clock.time_of(at))).unwrap_or(clock.now);
        // The same end gets the same id after a restart of ours.
        let when = at.map_or(exit.exited_at.unwrap_or_default(), |at| at.as_millis().unsigned_abs());
        let id = format!("unit-{}-{}-{when}-{}", self.boot_id, exit.unit, exit.restarts);
        let mut event = self.reporter.exit(id, time, exit.cause, exit.unit.clone());
        event.pid = Some(exit.pid).filter(|pid| *pid > 0);
        self.reporter.identify_by_pid(&mut event);
        if event.group.is_none() {
            event.group = self.found.get(&exit.unit).cloned();
        }
        event.unit = Some(exit.unit);
        event.signal = exit.signal.and_then(model::signal_name);
        event.exit_code = exit.exit_code;
        event.message = Some(exit.message);
        event.attributes.insert("source".to_owned(), "service manager".to_owned());
        event.attributes.insert("restarts".to_owned(), exit.restarts.to_string());
        event
    }
}

#[async_trait]
impl Collector for Units {
    fn name(&self) -> &'static str {
        "units"
    }

    fn target(&self) -> &str {
        &self.host
    }

    fn interval(&self) -> Duration {
        self.config.interval.0
    }

    async fn collect(&mut self, now: Timestamp) -> Result<MetricBatch, CollectError> {
        if let Some(absent) = self.is_absent() {
            return Err(absent);
        }
        let units = self.ask().await?;
        let exits = self.follower.observe(&units);
        let clock = KernelClock::now();
        for (exit, at) in self.look_up(exits).await {
            let event = self.event(exit, at, &clock);
            // The kernel's log may have told of it already, and knows more.
            let told = event.pid.is_some_and(|pid| self.reporter.was_told(pid, event.time));
            if !told && self.untold.len() < MAX_UNITS {
                self.untold.push(event);
            }
        }
        self.last_look = Some(now);
        self.reporter.report(&self.untold).await.map_err(|error| CollectError::Read {
            what: "ends of units into the store".to_owned(),
            source: Box::new(error),
        })?;
        self.untold.clear();
        let mut samples = Samples::new(now, &[("host", &self.host)]);
        for unit in units.iter().filter(|unit| unit.is_loaded) {
            let group = self.found.get(&unit.id).map(String::as_str).unwrap_or_default();
            let labels = [("unit", unit.id.as_str()), ("group", group)];
            let state = |is: bool| f64::from(u8::from(is));
            samples.push("unit_active", &labels, state(unit.active == "active"));
            samples.push("unit_failed", &labels, state(unit.active == "failed"));
            samples.push("unit_restarts_total", &labels, unit.restarts as f64);
        }
        Ok(samples.finish())
    }
}

/// The services that these processes run in, with the processes' groups.
fn units_of(root: &ProcRoot, processes: Vec<(i32, String)>) -> Vec<(String, String)> {
    let unit = |(pid, group): (i32, String)| {
        let cgroups = std::fs::read_to_string(root.path(&pid.to_string()).join("cgroup")).ok()?;
        let unit = unit_of(&cgroups).filter(|unit| unit.ends_with(".service"))?;
        Some((unit, group))
    };
    processes.into_iter().filter_map(unit).collect()
}

/// The unit of a process, from its `/proc/PID/cgroup`: the service manager's own hierarchy, or the only
/// one.
fn unit_of(cgroups: &str) -> Option<String> {
    cgroups.lines().find_map(|line| {
        let mut fields = line.splitn(3, ':');
        let (_, controllers, path) = (fields.next()?, fields.next()?, fields.next()?);
        matches!(controllers, "" | "name=systemd").then(|| unit_of_cgroup(path)).flatten()
    })
}

/// Runs a command to its end, and gives what it printed, up to a bound. The time limit is that of a look:
/// then the command is killed.
async fn run(command: &[String], arguments: &[String]) -> Result<String, CollectError> {
    let Some((program, first)) = command.split_first() else {
        return Err(CollectError::Mismatch("`units.systemctl` names no command".to_owned()));
    };
    let failed = |source| CollectError::Read { what: format!("what `{program}` says"), source };
    let mut child = Command::new(program)
        .args(first)
        .args(arguments)
        .env("LC_ALL", "C")
        .env("SYSTEMD_COLORS", "0")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .map_err(|error| failed(Box::new(error)))?;
    let (out, err) = (child.stdout.take(), child.stderr.take());
    let (out, err) = tokio::join!(text_of(out), text_of(err));
    let status = child.wait().await.map_err(|error| failed(Box::new(error)))?;
    if !status.success() {
        let said: String = err.trim().chars().take(300).collect();
        return Err(failed(format!("it ended with {status}: {said}").into()));
    }
    Ok(out)
}

/// What a stream says, up to the bound. The rest is left unread, which ends whoever writes it.
async fn text_of(stream: Option<impl AsyncRead + Unpin>) -> String {
    let mut bytes = Vec::new();
    if let Some(stream) = stream {
        // What came before an error is as good as what came before an end.
        let _ = stream.take(MAX_ANSWER).read_to_end(&mut bytes).await;
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests;
