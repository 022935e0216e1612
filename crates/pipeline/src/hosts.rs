//! Hosts and their processes, as the collectors last saw them.

use std::collections::HashMap;

use model::Timestamp;
use parking_lot::RwLock;

use crate::{Listing, Page};

/// A host, as it was seen last.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct HostSnapshot {
    /// Its name.
    pub host: String,
    /// When it was seen.
    pub time: Timestamp,
    /// Processors.
    pub cpus: u64,
    /// Share of the processors in use, 0 to 1.
    pub cpu_ratio: Option<f64>,
    /// Load over one, five and fifteen minutes.
    pub load: [f64; 3],
    /// Memory, in bytes.
    pub memory_total_bytes: u64,
    /// Memory that programs can still have, in bytes.
    pub memory_available_bytes: u64,
    /// Swap, in bytes.
    pub swap_total_bytes: u64,
    /// Swap in use, in bytes.
    pub swap_used_bytes: u64,
    /// When it was started.
    pub booted_at: Option<Timestamp>,
    /// Its file systems.
    pub filesystems: Vec<FilesystemSnapshot>,
    /// Processes that the kernel has killed for want of memory since the start.
    pub oom_kills: Option<u64>,
}

impl HostSnapshot {
    /// Share of the memory in use, 0 to 1.
    pub fn memory_ratio(&self) -> Option<f64> {
        let used = self.memory_total_bytes.saturating_sub(self.memory_available_bytes);
        (self.memory_total_bytes > 0).then(|| used as f64 / self.memory_total_bytes as f64)
    }
}

/// A file system, as it was seen last.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct FilesystemSnapshot {
    /// Where it is mounted.
    pub mountpoint: String,
    /// What is mounted there.
    pub device: String,
    /// Its type.
    pub fstype: String,
    /// Its size, in bytes.
    pub size_bytes: u64,
    /// What programs can still write, in bytes.
    pub available_bytes: u64,
}

/// A process, as it was seen last.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ProcessSnapshot {
    /// Its id.
    pub pid: u32,
    /// Its name.
    pub name: String,
    /// Its command line, secrets masked.
    pub command: String,
    /// The configured group that it belongs to.
    pub group: Option<String>,
    /// Resident memory, in bytes.
    pub rss_bytes: u64,
    /// Virtual memory, in bytes.
    pub vms_bytes: u64,
    /// Proportional memory (shared pages divided among those who share), in bytes, where readable.
    pub pss_bytes: Option<u64>,
    /// Resident memory as a share of the host's, 0 to 1.
    pub memory_ratio: Option<f64>,
    /// CPU since it was seen before; 1 is one core.
    pub cpu_ratio: Option<f64>,
    /// Threads.
    pub threads: Option<u64>,
    /// Open file descriptors.
    pub open_fds: Option<u64>,
    /// When it was started.
    pub started_at: Option<Timestamp>,
}

/// A GPU, as it was seen last. What the driver does not tell is `None`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct GpuSnapshot {
    /// Its place among the GPUs of the host, from 0.
    pub index: u32,
    /// Its id, which it keeps over restarts; empty where it could not be asked.
    pub uuid: String,
    /// Its model.
    pub name: String,
    /// Whether it could be asked.
    pub up: bool,
    /// Why not, or what of it could not be read.
    pub reason: Option<String>,
    /// Share of the time in which it worked, 0 to 1.
    pub utilization_ratio: Option<f64>,
    /// Share of the time in which its memory was read or written, 0 to 1.
    pub memory_bandwidth_ratio: Option<f64>,
    /// Its memory, in bytes.
    pub memory_total_bytes: Option<u64>,
    /// Memory in use, in bytes.
    pub memory_used_bytes: Option<u64>,
    /// Temperature, in degrees Celsius.
    pub temperature_celsius: Option<f64>,
    /// Power that it draws, in watts.
    pub power_watts: Option<f64>,
    /// Power that it may draw, in watts.
    pub power_limit_watts: Option<f64>,
    /// Memory errors that could not be corrected, since the driver was loaded.
    pub ecc_uncorrected: Option<u64>,
    /// Why its clocks are lower than they could be: `sw_power_cap`, `hw_thermal_slowdown`.
    pub throttle_reasons: Vec<String>,
    /// Processes that hold memory of it, by falling memory.
    pub processes: Vec<GpuProcess>,
}

impl GpuSnapshot {
    /// Share of its memory in use, 0 to 1.
    pub fn memory_ratio(&self) -> Option<f64> {
        let total = self.memory_total_bytes.filter(|total| *total > 0)?;
        Some(self.memory_used_bytes? as f64 / total as f64)
    }
}

/// A process that holds memory of a GPU.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct GpuProcess {
    /// Its id.
    pub pid: u32,
    /// Its name, where it can be seen.
    pub name: Option<String>,
    /// The configured group that it belongs to.
    pub group: Option<String>,
    /// GPU memory that it holds, in bytes, where the driver tells.
    pub memory_bytes: Option<u64>,
}

/// A host with its processes.
#[derive(Clone, Debug, PartialEq)]
pub struct HostView {
    /// The host.
    pub host: HostSnapshot,
    /// When its processes were seen; `None` when they never were.
    pub processes_at: Option<Timestamp>,
    /// Its processes, by falling resident memory.
    pub processes: Vec<ProcessSnapshot>,
    /// When its GPUs were seen; `None` when they never were.
    pub gpus_at: Option<Timestamp>,
    /// Its GPUs, by index.
    pub gpus: Vec<GpuSnapshot>,
}

/// The most processes kept of one host: those with the most memory.
const MAX_PROCESSES: usize = 1_000;

/// The hosts that are watched.
#[derive(Debug)]
pub struct Hosts {
    hosts: RwLock<HashMap<String, HostView>>,
    max: usize,
}

impl Hosts {
    pub(crate) fn new(max: usize) -> Self {
        Self { hosts: RwLock::default(), max }
    }

    /// Takes note of a host.
    pub fn observe(&self, snapshot: HostSnapshot) {
        self.change(snapshot.host.clone(), |view| view.host = snapshot);
    }

    /// Takes note of the processes of a host, all of them at once.
    pub fn observe_processes(&self, host: &str, time: Timestamp, mut processes: Vec<ProcessSnapshot>) {
        processes.sort_by_key(|process| (std::cmp::Reverse(process.rss_bytes), process.pid));
        processes.truncate(MAX_PROCESSES);
        self.change(host.to_owned(), |view| {
            view.processes_at = Some(time);
            view.processes = processes;
        });
    }

    /// Takes note of the GPUs of a host, all of them at once.
    pub fn observe_gpus(&self, host: &str, time: Timestamp, mut gpus: Vec<GpuSnapshot>) {
        gpus.sort_by_key(|gpu| gpu.index);
        self.change(host.to_owned(), |view| {
            view.gpus_at = Some(time);
            view.gpus = gpus;
        });
    }

    fn change(&self, host: String, change: impl FnOnce(&mut HostView)) {
        let mut hosts = self.hosts.write();
        if hosts.len() >= self.max && !hosts.contains_key(&host) {
            let oldest = hosts.values().min_by_key(|view| view.seen_at()).map(|view| view.host.host.clone());
            hosts.remove(&oldest.unwrap_or_default());
        }
        change(hosts.entry(host.clone()).or_insert_with(|| HostView {
            host: HostSnapshot { host, ..HostSnapshot::default() },
            processes_at: None,
            processes: Vec::new(),
            gpus_at: None,
            gpus: Vec::new(),
        }));
    }

    /// One host.
    pub fn get(&self, host: &str) -> Option<HostView> {
        self.hosts.read().get(host).cloned()
    }

    /// The hosts, by name.
    pub fn list(&self, page: Page) -> Listing<HostView> {
        let hosts = self.hosts.read();
        let mut views: Vec<&HostView> = hosts.values().collect();
        views.sort_by(|a, b| a.host.host.cmp(&b.host.host));
        Listing::take(views.into_iter(), page, HostView::clone)
    }

    /// The processes with the most resident memory on any host, with the host's name.
    pub fn top_processes_by_memory(&self, limit: usize) -> Vec<(String, ProcessSnapshot)> {
        let hosts = self.hosts.read();
        let mut all: Vec<(&str, &ProcessSnapshot)> = hosts
            .values()
            .flat_map(|view| {
                view.processes.iter().take(limit).map(|process| (view.host.host.as_str(), process))
            })
            .collect();
        all.sort_by_key(|(_, process)| std::cmp::Reverse(process.rss_bytes));
        all.truncate(limit);
        all.into_iter().map(|(host, process)| (host.to_owned(), process.clone())).collect()
    }
}

impl HostView {
    fn seen_at(&self) -> Timestamp {
        self.host.time.max(self.processes_at.unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn process(pid: u32, rss_bytes: u64) -> ProcessSnapshot {
        ProcessSnapshot { pid, rss_bytes, ..ProcessSnapshot::default() }
    }

    #[test]
    fn the_largest_processes_of_all_hosts_come_first() {
        let hosts = Hosts::new(10);
        hosts.observe_processes("a", Timestamp::from_millis(1), vec![process(1, 10), process(2, 30)]);
        hosts.observe_processes("b", Timestamp::from_millis(1), vec![process(3, 20)]);
        let top: Vec<u32> = hosts.top_processes_by_memory(2).iter().map(|(_, process)| process.pid).collect();
        assert_eq!(top, [2, 3]);
    }

    #[test]
    fn a_host_too_many_takes_the_place_of_the_one_longest_unseen() {
        let hosts = Hosts::new(2);
        for (name, millis) in [("old", 1), ("new", 3), ("newer", 4)] {
            let time = Timestamp::from_millis(millis);
            hosts.observe(HostSnapshot { host: name.into(), time, ..HostSnapshot::default() });
        }
        let listing = hosts.list(Page::default());
        let names: Vec<&str> = listing.items.iter().map(|view| view.host.host.as_str()).collect();
        assert_eq!(names, ["new", "newer"]);
    }
}
