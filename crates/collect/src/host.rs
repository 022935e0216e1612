//! The collector of this host: CPU, memory, swap, disks, file systems, network, load and pressure.

mod filesystems;
mod readings;

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use model::{MetricBatch, Timestamp};
use pipeline::{FilesystemSnapshot, HostSnapshot, Pipeline};

use crate::blocking::Blocking;
use crate::collector::{CollectError, Collector};
use crate::config::HostConfig;
use crate::proc_root::ProcRoot;
use crate::samples::Samples;
use filesystems::Filesystem;
use readings::Readings;

/// The value of the label `host`: as configured, or the host's own name.
pub(crate) fn host_name(config: &HostConfig) -> String {
    let own = || rustix::system::uname().nodename().to_string_lossy().into_owned();
    config.name.clone().filter(|name| !name.is_empty()).unwrap_or_else(own)
}

/// The collector of this host.
pub(crate) struct Host {
    interval: Duration,
    name: String,
    pipeline: Arc<Pipeline>,
    look: Blocking<Look>,
}

/// What is read from, and what must be remembered from pass to pass.
struct Look {
    root: ProcRoot,
    cpu_before: Option<CpuUse>,
}

/// Seconds that all CPUs together have spent since the start of the host.
#[derive(Clone, Copy)]
struct CpuUse {
    busy: f64,
    total: f64,
}

/// One pass: what was read, and what follows from it and the pass before.
struct Seen {
    readings: Readings,
    filesystems: Vec<Filesystem>,
    cpu_seconds: [(&'static str, f64); 8],
    cpu_ratio: Option<f64>,
}

impl Host {
    pub(crate) fn new(config: &HostConfig, name: String, pipeline: Arc<Pipeline>) -> Self {
        Self::reading(ProcRoot::of_this_host(), config, name, pipeline)
    }

    fn reading(root: ProcRoot, config: &HostConfig, name: String, pipeline: Arc<Pipeline>) -> Self {
        let look = Blocking::new(Look { root, cpu_before: None });
        Self { interval: config.interval.0, name, pipeline, look }
    }
}

#[async_trait]
impl Collector for Host {
    fn name(&self) -> &'static str {
        "host"
    }

    fn target(&self) -> &str {
        &self.name
    }

    fn interval(&self) -> Duration {
        self.interval
    }

    async fn collect(&mut self, now: Timestamp) -> Result<MetricBatch, CollectError> {
        let seen = self.look.run(Look::pass).await?;
        self.pipeline.hosts().observe(snapshot(&seen, &self.name, now));
        Ok(samples(&seen, &self.name, now))
    }
}

impl Look {
    fn pass(&mut self) -> Result<Seen, CollectError> {
        let readings = Readings::read(&self.root)?;
        let cpu_seconds = readings.cpu_seconds(self.root.ticks_per_second());
        let cpu = CpuUse::of(&cpu_seconds);
        let cpu_ratio = self.cpu_before.replace(cpu).and_then(|before| cpu.ratio_since(before));
        Ok(Seen { filesystems: filesystems::filesystems(&self.root)?, readings, cpu_seconds, cpu_ratio })
    }
}

impl CpuUse {
    fn of(seconds: &[(&str, f64)]) -> Self {
        let total = seconds.iter().map(|(_, seconds)| seconds).sum();
        let is_idle = |mode: &str| matches!(mode, "idle" | "iowait");
        let idle: f64 = seconds.iter().filter(|(mode, _)| is_idle(mode)).map(|(_, seconds)| seconds).sum();
        Self { busy: total - idle, total }
    }

    /// The share of the time since `before` in which a CPU worked.
    fn ratio_since(self, before: Self) -> Option<f64> {
        let total = self.total - before.total;
        (total > 0.0).then(|| ((self.busy - before.busy) / total).clamp(0.0, 1.0))
    }
}

fn snapshot(seen: &Seen, host: &str, now: Timestamp) -> HostSnapshot {
    let Seen { readings, filesystems, cpu_ratio, .. } = seen;
    let memory = &readings.memory;
    let load = &readings.load;
    let filesystem = |filesystem: &Filesystem| FilesystemSnapshot {
        mountpoint: filesystem.mountpoint.clone(),
        device: filesystem.device.clone(),
        fstype: filesystem.fstype.clone(),
        size_bytes: filesystem.size_bytes,
        available_bytes: filesystem.available_bytes,
    };
    HostSnapshot {
        host: host.to_owned(),
        time: now,
        cpus: readings.stat.cpu_time.len() as u64,
        cpu_ratio: *cpu_ratio,
        load: [load.one, load.five, load.fifteen].map(f64::from),
        memory_total_bytes: memory.mem_total,
        memory_available_bytes: readings.memory_available(),
        swap_total_bytes: memory.swap_total,
        swap_used_bytes: memory.swap_total.saturating_sub(memory.swap_free),
        booted_at: Some(Timestamp::from_secs_f64(readings.stat.btime as f64)),
        filesystems: filesystems.iter().map(filesystem).collect(),
        oom_kills: readings.oom_kills.and_then(|count| u64::try_from(count).ok()),
    }
}

fn samples(seen: &Seen, host: &str, now: Timestamp) -> MetricBatch {
    let mut samples = Samples::new(now, &[("host", host)]);
    push_cpu_and_load(&mut samples, seen);
    push_memory(&mut samples, &seen.readings);
    push_disks(&mut samples, seen);
    push_network(&mut samples, &seen.readings);
    for pressure in &seen.readings.pressure {
        let labels = [("resource", pressure.resource), ("kind", pressure.kind)];
        samples.push("host_pressure_ratio", &labels, f64::from(pressure.record.avg10) / 100.0);
        let stalled = pressure.record.total as f64 / 1e6;
        samples.push("host_pressure_stalled_seconds_total", &labels, stalled);
    }
    samples.finish()
}

fn push_cpu_and_load(samples: &mut Samples, seen: &Seen) {
    let readings = &seen.readings;
    samples.push("host_cpus", &[], readings.stat.cpu_time.len() as f64);
    samples.push_some("host_cpu_usage_ratio", &[], seen.cpu_ratio);
    for (mode, seconds) in seen.cpu_seconds {
        samples.push("host_cpu_seconds_total", &[("mode", mode)], seconds);
    }
    samples.push("host_load1", &[], f64::from(readings.load.one));
    samples.push("host_load5", &[], f64::from(readings.load.five));
    samples.push("host_load15", &[], f64::from(readings.load.fifteen));
    samples.push("host_boot_time_seconds", &[], readings.stat.btime as f64);
}

fn push_memory(samples: &mut Samples, readings: &Readings) {
    let memory = &readings.memory;
    let available = readings.memory_available();
    let used = memory.mem_total.saturating_sub(available);
    samples.push("host_memory_total_bytes", &[], memory.mem_total as f64);
    samples.push("host_memory_available_bytes", &[], available as f64);
    samples.push("host_memory_used_bytes", &[], used as f64);
    if memory.mem_total > 0 {
        samples.push("host_memory_usage_ratio", &[], used as f64 / memory.mem_total as f64);
    }
    samples.push("host_swap_total_bytes", &[], memory.swap_total as f64);
    let swap_used = memory.swap_total.saturating_sub(memory.swap_free);
    samples.push("host_swap_used_bytes", &[], swap_used as f64);
    samples.push_some("host_oom_kills_total", &[], readings.oom_kills.map(|count| count as f64));
}

fn push_disks(samples: &mut Samples, seen: &Seen) {
    for filesystem in &seen.filesystems {
        let labels = [
            ("mountpoint", filesystem.mountpoint.as_str()),
            ("device", &filesystem.device),
            ("fstype", &filesystem.fstype),
        ];
        samples.push("host_filesystem_size_bytes", &labels, filesystem.size_bytes as f64);
        samples.push("host_filesystem_available_bytes", &labels, filesystem.available_bytes as f64);
        samples.push("host_filesystem_usage_ratio", &labels, filesystem.usage_ratio);
    }
    for disk in &seen.readings.disks {
        let device = [("device", disk.device.as_str())];
        samples.push("host_disk_read_bytes_total", &device, disk.read_bytes as f64);
        samples.push("host_disk_written_bytes_total", &device, disk.written_bytes as f64);
        samples.push("host_disk_reads_total", &device, disk.reads as f64);
        samples.push("host_disk_writes_total", &device, disk.writes as f64);
        samples.push("host_disk_io_seconds_total", &device, disk.io_seconds);
    }
}

fn push_network(samples: &mut Samples, readings: &Readings) {
    for interface in &readings.interfaces {
        let device = [("device", interface.device.as_str())];
        samples.push("host_network_receive_bytes_total", &device, interface.receive_bytes as f64);
        samples.push("host_network_transmit_bytes_total", &device, interface.transmit_bytes as f64);
        samples.push("host_network_receive_errors_total", &device, interface.receive_errors as f64);
        samples.push("host_network_transmit_errors_total", &device, interface.transmit_errors as f64);
    }
}

#[cfg(test)]
mod tests;
