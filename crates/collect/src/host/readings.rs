//! What the kernel says about the host at one moment, read and nothing more.

use procfs::net::InterfaceDeviceStatus;
use procfs::{DiskStats, KernelStats, LoadAverage, Meminfo, PressureRecord, VmStat};

use crate::collector::CollectError;
use crate::proc_root::ProcRoot;

/// Resources whose pressure the kernel measures.
pub(crate) const PRESSURE_RESOURCES: [&str; 3] = ["cpu", "memory", "io"];

/// Everything read in one pass, the file systems apart.
pub(crate) struct Readings {
    pub(crate) stat: KernelStats,
    pub(crate) memory: Meminfo,
    pub(crate) load: LoadAverage,
    pub(crate) disks: Vec<DiskIo>,
    pub(crate) interfaces: Vec<InterfaceIo>,
    pub(crate) pressure: Vec<Pressure>,
    pub(crate) oom_kills: Option<i64>,
}

/// IO of a disk since the host started.
pub(crate) struct DiskIo {
    pub(crate) device: String,
    pub(crate) read_bytes: u64,
    pub(crate) written_bytes: u64,
    pub(crate) reads: u64,
    pub(crate) writes: u64,
    pub(crate) io_seconds: f64,
}

/// Traffic of a network interface since the host started.
pub(crate) struct InterfaceIo {
    pub(crate) device: String,
    pub(crate) receive_bytes: u64,
    pub(crate) transmit_bytes: u64,
    pub(crate) receive_errors: u64,
    pub(crate) transmit_errors: u64,
}

/// How much of the time tasks had to wait for a resource.
pub(crate) struct Pressure {
    pub(crate) resource: &'static str,
    /// `some` (at least one task waited) or `full` (all did).
    pub(crate) kind: &'static str,
    pub(crate) record: PressureRecord,
}

impl Readings {
    pub(crate) fn read(root: &ProcRoot) -> Result<Self, CollectError> {
        Ok(Self {
            stat: root.read_with_system("stat")?,
            memory: root.read("meminfo")?,
            load: root.read("loadavg")?,
            disks: disks(root.read("diskstats")?),
            interfaces: interfaces(root.read("net/dev")?),
            pressure: pressure(root)?,
            oom_kills: root.read::<VmStat>("vmstat")?.0.get("oom_kill").copied(),
        })
    }

    /// Bytes of memory that programs can still get.
    pub(crate) fn memory_available(&self) -> u64 {
        let memory = &self.memory;
        // Kernels before 3.14 do not say; this is what they would have summed.
        memory.mem_available.unwrap_or(memory.mem_free + memory.buffers + memory.cached)
    }

    /// Seconds that all CPUs together have spent, by mode. Time of guests is part of `user` and `nice`.
    pub(crate) fn cpu_seconds(&self, ticks_per_second: f64) -> [(&'static str, f64); 8] {
        let cpu = &self.stat.total;
        let or_none = |ticks: Option<u64>| ticks.unwrap_or(0);
        [
            ("user", cpu.user),
            ("nice", cpu.nice),
            ("system", cpu.system),
            ("idle", cpu.idle),
            ("iowait", or_none(cpu.iowait)),
            ("irq", or_none(cpu.irq)),
            ("softirq", or_none(cpu.softirq)),
            ("steal", or_none(cpu.steal)),
        ]
        .map(|(mode, ticks)| (mode, ticks as f64 / ticks_per_second))
    }
}

/// Whole disks that have done something: no loop, RAM or compressed-memory devices, and no
/// partitions, whose IO their disk counts already.
fn disks(stats: DiskStats) -> Vec<DiskIo> {
    /// `/proc/diskstats` counts sectors of this size whatever the device's own.
    const SECTOR_BYTES: u64 = 512;
    let names: Vec<String> = stats.0.iter().map(|disk| disk.name.clone()).collect();
    let wanted = |name: &str| {
        !["loop", "ram", "zram", "fd", "sr"].iter().any(|prefix| is_numbered(name, prefix))
            && !names.iter().any(|disk| is_partition_of(name, disk))
    };
    let done_something = |reads: u64, writes: u64| reads + writes > 0;
    stats
        .0
        .into_iter()
        .filter(|disk| wanted(&disk.name) && done_something(disk.reads, disk.writes))
        .map(|disk| DiskIo {
            read_bytes: disk.sectors_read * SECTOR_BYTES,
            written_bytes: disk.sectors_written * SECTOR_BYTES,
            reads: disk.reads,
            writes: disk.writes,
            io_seconds: disk.time_in_progress as f64 / 1000.0,
            device: disk.name,
        })
        .collect()
}

fn is_numbered(name: &str, prefix: &str) -> bool {
    name.strip_prefix(prefix).is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()))
}

/// `sda1` of `sda`, `nvme0n1p2` of `nvme0n1`.
fn is_partition_of(name: &str, disk: &str) -> bool {
    let Some(rest) = name.strip_prefix(disk) else { return false };
    let rest = if disk.ends_with(|c: char| c.is_ascii_digit()) {
        let Some(rest) = rest.strip_prefix('p') else { return false };
        rest
    } else {
        rest
    };
    !rest.is_empty() && rest.chars().all(|c| c.is_ascii_digit())
}

/// Interfaces by name, without the loopback and the far ends of containers' wires, which would count
/// the same bytes twice and come and go with each container.
fn interfaces(devices: InterfaceDeviceStatus) -> Vec<InterfaceIo> {
    let mut interfaces: Vec<InterfaceIo> = devices
        .0
        .into_values()
        .filter(|device| device.name != "lo" && !device.name.starts_with("veth"))
        .map(|device| InterfaceIo {
            receive_bytes: device.recv_bytes,
            transmit_bytes: device.sent_bytes,
            receive_errors: device.recv_errs,
            transmit_errors: device.sent_errs,
            device: device.name,
        })
        .collect();
    interfaces.sort_by(|a, b| a.device.cmp(&b.device));
    interfaces
}

/// Pressure stall information, where the kernel has it. The line `full` of the CPU came later than
/// the rest.
fn pressure(root: &ProcRoot) -> Result<Vec<Pressure>, CollectError> {
    let mut all = Vec::new();
    for resource in PRESSURE_RESOURCES {
        let Some(text) = root.read_text_if_there(&format!("pressure/{resource}"))? else { continue };
        for line in text.lines() {
            let kind = if line.starts_with("some") { "some" } else { "full" };
            if let Ok(record) = procfs::parse_pressure_record(line) {
                all.push(Pressure { resource, kind, record });
            }
        }
    }
    Ok(all)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn partitions_and_devices_without_a_disk_are_left_out() {
        let lines = "259 0 nvme0n1 5 0 16 3 1 0 8 1 0 250 4\n259 1 nvme0n1p1 5 0 16 3 1 0 8 1 0 4 4\n\
                     8 0 sda 1 0 2 1 1 0 2 1 0 2 2\n8 1 sda1 1 0 2 1 1 0 2 1 0 2 2\n\
                     7 0 loop0 1 0 2 1 1 0 2 1 0 2 2\n253 0 dm-0 1 0 2 1 1 0 2 1 0 2 2\n8 16 sdb 0 0 0 0 0 0 0 0 0 0 0";
        let disks = disks(procfs::prelude::FromRead::from_read(lines.as_bytes()).unwrap());
        let names: Vec<&str> = disks.iter().map(|disk| disk.device.as_str()).collect();
        assert_eq!(names, ["nvme0n1", "sda", "dm-0"]);
        assert_eq!((disks[0].read_bytes, disks[0].written_bytes, disks[0].io_seconds), (8192, 4096, 0.25));
    }

    #[test]
    fn a_kernel_without_pressure_or_with_half_of_it_is_read() {
        let folder = tempfile::tempdir().unwrap();
        let root = ProcRoot::at(folder.path());
        assert_eq!(pressure(&root).unwrap().len(), 0);
        std::fs::create_dir(folder.path().join("pressure")).unwrap();
        let line = "some avg10=4.50 avg60=0.91 avg300=0.00 total=681245\n";
        std::fs::write(folder.path().join("pressure/cpu"), line).unwrap();
        let read = pressure(&root).unwrap();
        assert_eq!((read.len(), read[0].resource, read[0].kind), (1, "cpu", "some"));
        assert_eq!((read[0].record.avg10, read[0].record.total), (4.5, 681_245));
    }
}
