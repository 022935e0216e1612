//! Hosts, their processes and their GPUs.

use model::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;

use super::shape;

shape! {
    /// A file system.
    Filesystem from pipeline::FilesystemSnapshot {
        /// Where it is mounted.
        mountpoint: String,
        /// What is mounted there.
        device: String,
        /// Its type.
        fstype: String,
        /// Its size, in bytes.
        size_bytes: u64,
        /// What programs can still write, in bytes.
        available_bytes: u64,
    }
}

shape! {
    /// A process.
    Process from pipeline::ProcessSnapshot {
        /// Its id.
        pid: u32,
        /// Its name.
        name: String,
        /// Its command line, secrets masked.
        command: String,
        /// The configured group that it belongs to.
        group: Option<String>,
        /// Resident memory, in bytes.
        rss_bytes: u64,
        /// Virtual memory, in bytes.
        vms_bytes: u64,
        /// Proportional memory, in bytes, where readable.
        pss_bytes: Option<u64>,
        /// Resident memory as a share of the host's, 0 to 1.
        memory_ratio: Option<f64>,
        /// CPU; 1 is one core.
        cpu_ratio: Option<f64>,
        /// Threads.
        threads: Option<u64>,
        /// Open file descriptors.
        open_fds: Option<u64>,
        /// When it was started.
        #[schema(value_type = Option<String>, format = DateTime)]
        started_at: Option<Timestamp>,
    }
}

shape! {
    /// A process that holds memory of a GPU.
    GpuProcess from pipeline::GpuProcess {
        /// Its id.
        pid: u32,
        /// Its name, where it can be seen.
        name: Option<String>,
        /// The configured group that it belongs to.
        group: Option<String>,
        /// GPU memory that it holds, in bytes, where the driver tells.
        memory_bytes: Option<u64>,
    }
}

/// A GPU. What the driver does not tell is null.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Gpu {
    /// Its place among the GPUs of the host, from 0.
    pub(crate) index: u32,
    /// Its id, which it keeps over restarts; empty where it could not be asked.
    pub(crate) uuid: String,
    /// Its model.
    pub(crate) name: String,
    /// Whether it could be asked.
    pub(crate) up: bool,
    /// Why not, or what of it could not be read.
    pub(crate) reason: Option<String>,
    /// Share of the time in which it worked, 0 to 1.
    pub(crate) utilization_ratio: Option<f64>,
    /// Share of the time in which its memory was read or written, 0 to 1.
    pub(crate) memory_bandwidth_ratio: Option<f64>,
    /// Its memory, in bytes.
    pub(crate) memory_total_bytes: Option<u64>,
    /// Memory in use, in bytes.
    pub(crate) memory_used_bytes: Option<u64>,
    /// Share of its memory in use, 0 to 1.
    pub(crate) memory_ratio: Option<f64>,
    /// Temperature, in degrees Celsius.
    pub(crate) temperature_celsius: Option<f64>,
    /// Power that it draws, in watts.
    pub(crate) power_watts: Option<f64>,
    /// Power that it may draw, in watts.
    pub(crate) power_limit_watts: Option<f64>,
    /// Memory errors that could not be corrected, since the driver was loaded.
    pub(crate) ecc_uncorrected: Option<u64>,
    /// Why its clocks are lower than they could be.
    pub(crate) throttle_reasons: Vec<String>,
    /// Processes that hold memory of it, by falling memory.
    pub(crate) processes: Vec<GpuProcess>,
}

impl From<pipeline::GpuSnapshot> for Gpu {
    fn from(gpu: pipeline::GpuSnapshot) -> Self {
        Self {
            memory_ratio: gpu.memory_ratio(),
            index: gpu.index,
            uuid: gpu.uuid,
            name: gpu.name,
            up: gpu.up,
            reason: gpu.reason,
            utilization_ratio: gpu.utilization_ratio,
            memory_bandwidth_ratio: gpu.memory_bandwidth_ratio,
            memory_total_bytes: gpu.memory_total_bytes,
            memory_used_bytes: gpu.memory_used_bytes,
            temperature_celsius: gpu.temperature_celsius,
            power_watts: gpu.power_watts,
            power_limit_watts: gpu.power_limit_watts,
            ecc_uncorrected: gpu.ecc_uncorrected,
            throttle_reasons: gpu.throttle_reasons,
            processes: gpu.processes.into_iter().map(Into::into).collect(),
        }
    }
}

/// A host with its largest processes and its GPUs.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Host {
    /// Its name.
    pub(crate) host: String,
    /// When it was seen.
    #[schema(value_type = String, format = DateTime)]
    pub(crate) time: Timestamp,
    /// Processors.
    pub(crate) cpus: u64,
    /// Share of the processors in use, 0 to 1.
    pub(crate) cpu_ratio: Option<f64>,
    /// Load over one, five and fifteen minutes.
    pub(crate) load: [f64; 3],
    /// Memory, in bytes.
    pub(crate) memory_total_bytes: u64,
    /// Memory that programs can still have, in bytes.
    pub(crate) memory_available_bytes: u64,
    /// Share of the memory in use, 0 to 1.
    pub(crate) memory_ratio: Option<f64>,
    /// Swap, in bytes.
    pub(crate) swap_total_bytes: u64,
    /// Swap in use, in bytes.
    pub(crate) swap_used_bytes: u64,
    /// When it was started.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub(crate) booted_at: Option<Timestamp>,
    /// Processes that the kernel has killed for want of memory.
    pub(crate) oom_kills: Option<u64>,
    /// Its file systems.
    pub(crate) filesystems: Vec<Filesystem>,
    /// When its GPUs were seen; null where none can be watched.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub(crate) gpus_at: Option<Timestamp>,
    /// Its GPUs.
    pub(crate) gpus: Vec<Gpu>,
    /// When its processes were seen.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub(crate) processes_at: Option<Timestamp>,
    /// Its processes with the most resident memory.
    pub(crate) processes: Vec<Process>,
}

/// How many processes of a host are shown in a list.
const SHOWN_PROCESSES: usize = 50;

impl From<pipeline::HostView> for Host {
    fn from(view: pipeline::HostView) -> Self {
        let host = view.host;
        Self {
            memory_ratio: host.memory_ratio(),
            host: host.host,
            time: host.time,
            cpus: host.cpus,
            cpu_ratio: host.cpu_ratio,
            load: host.load,
            memory_total_bytes: host.memory_total_bytes,
            memory_available_bytes: host.memory_available_bytes,
            swap_total_bytes: host.swap_total_bytes,
            swap_used_bytes: host.swap_used_bytes,
            booted_at: host.booted_at,
            oom_kills: host.oom_kills,
            filesystems: host.filesystems.into_iter().map(Into::into).collect(),
            gpus_at: view.gpus_at,
            gpus: view.gpus.into_iter().map(Into::into).collect(),
            processes_at: view.processes_at,
            processes: view.processes.into_iter().take(SHOWN_PROCESSES).map(Into::into).collect(),
        }
    }
}
