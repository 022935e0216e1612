//! The collector of processes: groups of them, chosen by a pattern on the command line, and the
//! largest of the whole host.
//!
//! Every pass reads one small file of each process. The files that cost more (open files, IO) are
//! read only of processes in groups; proportional memory, for which the kernel walks all pages of a
//! process, only of a few in each pass.

mod command;
pub(crate) mod directory;
mod groups;
mod tracker;
mod walk;

use std::sync::Arc;
use std::time::{Duration, Instant};

use async_trait::async_trait;
use model::{DurationText, MetricBatch, Timestamp};
use pipeline::{Pipeline, ProcessSnapshot};
use procfs::{KernelStats, Meminfo};

use crate::blocking::Blocking;
use crate::collector::{CollectError, Collector};
use crate::config::DEFAULT_INTERVAL;
use crate::proc_root::ProcRoot;
use crate::samples::Samples;
pub(crate) use directory::Directory;
pub use groups::PatternError;
use groups::{GroupIndex, Groups};
use tracker::{Tracker, Turnover};
use walk::{Details, Seen};

/// Proportional memory is read of this many processes in a pass, those first that wait longest.
const PSS_READS_PER_PASS: usize = 16;
/// And of the same process no more often than every so many passes.
const PASSES_BETWEEN_PSS: u64 = 4;

/// The section `[processes]`.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct ProcessesConfig {
    /// Whether processes are watched.
    pub enabled: bool,
    /// How often.
    #[schemars(with = "String")]
    pub interval: DurationText,
    /// The groups. A process is in the first whose pattern matches. Given here, they replace the
    /// shipped ones; Watchkeeper itself is always in the group `watchkeeper`.
    pub groups: Vec<GroupConfig>,
    /// The most processes of a group with series of their own: those with the most resident memory.
    pub max_per_group: usize,
    /// How many of the host's largest processes are shown beside those in groups.
    pub top: usize,
}

/// A group of processes: an entry of `[[processes.groups]]`.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct GroupConfig {
    /// The group's name: the value of the label `group`.
    pub name: String,
    /// A regular expression that is looked for in the command line (arguments joined by spaces).
    pub pattern: String,
}

impl Default for ProcessesConfig {
    fn default() -> Self {
        Self {
            enabled: true,
            interval: DEFAULT_INTERVAL,
            groups: groups::default_groups(),
            max_per_group: 100,
            top: 20,
        }
    }
}

/// The collector of processes.
pub(crate) struct Processes {
    interval: Duration,
    host: String,
    pipeline: Arc<Pipeline>,
    look: Blocking<Look>,
}

impl Processes {
    pub(crate) fn new(
        config: &ProcessesConfig,
        host: String,
        pipeline: Arc<Pipeline>,
        directory: Arc<Directory>,
    ) -> Result<Self, PatternError> {
        let own_pid = i32::try_from(std::process::id()).unwrap_or(0);
        let look = Look::new(config, ProcRoot::of_this_host(), own_pid, directory)?;
        Ok(Self { interval: config.interval.0, host, pipeline, look: Blocking::new(look) })
    }
}

#[async_trait]
impl Collector for Processes {
    fn name(&self) -> &'static str {
        "processes"
    }

    fn target(&self) -> &str {
        &self.host
    }

    fn interval(&self) -> Duration {
        self.interval
    }

    async fn collect(&mut self, now: Timestamp) -> Result<MetricBatch, CollectError> {
        let host = self.host.clone();
        let pass = self.look.run(move |look| look.pass(&host, now)).await?;
        self.pipeline.hosts().observe_processes(&self.host, now, pass.snapshots);
        Ok(pass.batch)
    }
}

/// What is read from, and what is remembered.
struct Look {
    root: ProcRoot,
    groups: Groups,
    tracker: Tracker,
    max_per_group: usize,
    top: usize,
    begin: Instant,
    /// When the host started; read once, since setting the clock moves it.
    boot_seconds: Option<f64>,
}

/// What a pass gives.
struct Pass {
    batch: MetricBatch,
    snapshots: Vec<ProcessSnapshot>,
}

/// What all members of a group have together.
#[derive(Clone, Copy, Debug, Default)]
struct GroupTotals {
    count: u64,
    rss_bytes: u64,
    cpu_ratio: f64,
    unlisted: u64,
}

/// What holds for every process of a pass.
struct Scene {
    memory_total: u64,
    boot_seconds: f64,
    now: Timestamp,
    ticks_per_second: f64,
}

impl Look {
    fn new(
        config: &ProcessesConfig,
        root: ProcRoot,
        own_pid: i32,
        directory: Arc<Directory>,
    ) -> Result<Self, PatternError> {
        let groups = Groups::new(&config.groups)?;
        Ok(Self {
            tracker: Tracker::new(&groups, own_pid, directory),
            groups,
            root,
            max_per_group: config.max_per_group,
            top: config.top,
            begin: Instant::now(),
            boot_seconds: None,
        })
    }

    fn pass(&mut self, host: &str, now: Timestamp) -> Result<Pass, CollectError> {
        let memory: Meminfo = self.root.read("meminfo")?;
        let boot_seconds = match self.boot_seconds {
            Some(seconds) => seconds,
            None => self.root.read_with_system::<KernelStats>("stat")?.btime as f64,
        };
        self.boot_seconds = Some(boot_seconds);
        let scene = Scene {
            memory_total: memory.mem_total,
            boot_seconds,
            now,
            ticks_per_second: self.root.ticks_per_second(),
        };
        let mut seen = walk::walk(&self.root)?;
        seen.sort_by_key(|process| (std::cmp::Reverse(process.rss_bytes), process.key));
        self.tracker.observe(&self.root, &self.groups, &seen, self.begin.elapsed());
        let (listed, totals) = self.choose(&seen);
        self.read_pss(&listed);
        let mut samples = Samples::new(now, &[("host", host)]);
        let mut snapshots = Vec::with_capacity(listed.len() + self.top);
        for process in &listed {
            let details = walk::details(&self.root, process.key.pid);
            let snapshot = self.snapshot(process, details, &scene);
            push_process(&mut samples, &snapshot, process, details, &scene);
            snapshots.push(snapshot);
        }
        let in_a_group: std::collections::HashSet<_> = listed.iter().map(|process| process.key).collect();
        let others = seen.iter().take(self.top).filter(|process| !in_a_group.contains(&process.key));
        snapshots.extend(others.map(|process| self.snapshot(process, Details::default(), &scene)));
        for (index, totals) in totals.iter().enumerate() {
            push_group(&mut samples, &self.groups.names()[index], totals, self.tracker.turnover(index));
        }
        Ok(Pass { batch: samples.finish(), snapshots })
    }

    /// The processes that get series of their own, and the totals of each group. `seen` is sorted by
    /// falling memory.
    fn choose<'a>(&self, seen: &'a [Seen]) -> (Vec<&'a Seen>, Vec<GroupTotals>) {
        let mut totals = vec![GroupTotals::default(); self.groups.names().len()];
        let mut listed = Vec::new();
        for process in seen {
            let Some(known) = self.tracker.known(&process.key) else { continue };
            let Some(group) = known.group else { continue };
            let totals: &mut GroupTotals = &mut totals[group];
            totals.count += 1;
            totals.rss_bytes += process.rss_bytes;
            totals.cpu_ratio += known.cpu_ratio.unwrap_or(0.0);
            if totals.count <= self.max_per_group as u64 {
                listed.push(process);
            } else {
                totals.unlisted += 1;
            }
        }
        (listed, totals)
    }

    /// Reads proportional memory of the few whose turn it is.
    fn read_pss(&mut self, listed: &[&Seen]) {
        let pass = self.tracker.pass;
        let mut due: Vec<(u64, &Seen)> = listed
            .iter()
            .filter_map(|process| Some((self.tracker.known(&process.key)?.pss_pass, *process)))
            .filter(|(last, _)| *last == 0 || pass >= last + PASSES_BETWEEN_PSS)
            .collect();
        due.sort_by_key(|(last, _)| *last);
        for (_, process) in due.into_iter().take(PSS_READS_PER_PASS) {
            let pss = walk::pss_bytes(&self.root, process.key.pid);
            if let Some(known) = self.tracker.known_mut(&process.key) {
                (known.pss_bytes, known.pss_pass) = (pss, pass);
            }
        }
    }

    fn snapshot(&self, process: &Seen, details: Details, scene: &Scene) -> ProcessSnapshot {
        let known = self.tracker.known(&process.key);
        let group_name = |group: GroupIndex| self.groups.names()[group].clone();
        let started = scene.boot_seconds + process.key.start_ticks as f64 / scene.ticks_per_second;
        ProcessSnapshot {
            pid: u32::try_from(process.key.pid).unwrap_or(0),
            name: known.map_or_else(|| process.comm.clone(), |known| known.name.clone()),
            command: known.map(|known| known.command.clone()).unwrap_or_default(),
            group: known.and_then(|known| known.group).map(group_name),
            rss_bytes: process.rss_bytes,
            vms_bytes: process.vms_bytes,
            pss_bytes: known.and_then(|known| known.pss_bytes),
            memory_ratio: (scene.memory_total > 0)
                .then(|| process.rss_bytes as f64 / scene.memory_total as f64),
            cpu_ratio: known.and_then(|known| known.cpu_ratio),
            threads: Some(process.threads),
            open_fds: details.open_fds,
            started_at: Some(Timestamp::from_secs_f64(started)),
        }
    }
}

fn push_process(
    samples: &mut Samples,
    snapshot: &ProcessSnapshot,
    process: &Seen,
    details: Details,
    scene: &Scene,
) {
    let pid = snapshot.pid.to_string();
    let group = snapshot.group.as_deref().unwrap_or_default();
    let labels = [("group", group), ("pid", pid.as_str()), ("name", &snapshot.name)];
    let as_f64 = |bytes: Option<u64>| bytes.map(|bytes| bytes as f64);
    let cpu_seconds = process.cpu_ticks as f64 / scene.ticks_per_second;
    let uptime = snapshot.started_at.map(|started| scene.now.since(started).as_secs_f64());
    for (name, value) in [
        ("process_resident_memory_bytes", Some(snapshot.rss_bytes as f64)),
        ("process_virtual_memory_bytes", Some(snapshot.vms_bytes as f64)),
        ("process_proportional_memory_bytes", as_f64(snapshot.pss_bytes)),
        ("process_memory_ratio", snapshot.memory_ratio),
        ("process_cpu_ratio", snapshot.cpu_ratio),
        ("process_cpu_seconds_total", Some(cpu_seconds)),
        ("process_threads", as_f64(snapshot.threads)),
        ("process_open_fds", as_f64(details.open_fds)),
        ("process_read_bytes_total", as_f64(details.read_bytes)),
        ("process_written_bytes_total", as_f64(details.written_bytes)),
        ("process_uptime_seconds", uptime),
    ] {
        samples.push_some(name, &labels, value);
    }
}

fn push_group(samples: &mut Samples, group: &str, totals: &GroupTotals, turnover: Turnover) {
    let labels = [("group", group)];
    for (name, value) in [
        ("process_group_count", totals.count as f64),
        ("process_group_unlisted", totals.unlisted as f64),
        ("process_group_resident_memory_bytes", totals.rss_bytes as f64),
        ("process_group_cpu_ratio", totals.cpu_ratio),
        ("process_group_starts_total", turnover.starts as f64),
        ("process_group_exits_total", turnover.exits as f64),
        ("process_group_restarts_total", turnover.restarts as f64),
    ] {
        samples.push(name, &labels, value);
    }
}

#[cfg(test)]
mod tests;
