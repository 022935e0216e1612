//! NVIDIA's management library: the only file that knows it.
//!
//! The library comes with the driver. It is loaded at run time, so Watchkeeper starts where there is
//! none. A call that a GPU does not support leaves a gap; one that fails is said; a GPU that is lost is
//! not asked further, and the others are.

use std::collections::BTreeMap;
use std::path::Path;

use nvml_wrapper::bitmasks::device::ThrottleReasons;
use nvml_wrapper::enum_wrappers::device::{Clock, EccCounter, MemoryError, TemperatureSensor};
use nvml_wrapper::enums::device::UsedGpuMemory;
use nvml_wrapper::error::NvmlError;
use nvml_wrapper::struct_wrappers::device::ProcessInfo;
use nvml_wrapper::{Device, Nvml};

use crate::collector::CollectError;

/// The most GPUs that are looked at.
const MAX_GPUS: u32 = 64;
/// The most processes of one GPU that are shown: those with the most memory.
const MAX_PROCESSES: usize = 100;
/// The longest name that is kept, in characters.
const MAX_NAME: usize = 96;

/// What a GPU says of itself. What it does not support is `None`.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Reading {
    pub(super) index: u32,
    pub(super) uuid: Option<String>,
    pub(super) name: Option<String>,
    /// Why it cannot be asked.
    pub(super) lost: Option<String>,
    /// Calls that failed although it can be asked.
    pub(super) failed: Vec<String>,
    pub(super) utilization_ratio: Option<f64>,
    pub(super) memory_bandwidth_ratio: Option<f64>,
    pub(super) memory_total_bytes: Option<u64>,
    pub(super) memory_used_bytes: Option<u64>,
    pub(super) temperature_celsius: Option<f64>,
    pub(super) power_watts: Option<f64>,
    pub(super) power_limit_watts: Option<f64>,
    pub(super) energy_joules: Option<f64>,
    pub(super) sm_hertz: Option<f64>,
    pub(super) memory_hertz: Option<f64>,
    pub(super) ecc_corrected: Option<u64>,
    pub(super) ecc_uncorrected: Option<u64>,
    pub(super) throttle_reasons: Vec<String>,
    /// Process ids and the memory that each holds, in bytes; the most memory first.
    pub(super) processes: Vec<(u32, Option<u64>)>,
}

/// The library, loaded.
pub(super) struct Driver {
    nvml: Nvml,
}

impl Driver {
    /// Loads the library. That there is none, or no driver behind it, is no fault.
    pub(super) fn open(library: &Path) -> Result<Self, CollectError> {
        match Nvml::builder().lib_path(library.as_os_str()).init() {
            Ok(nvml) => Ok(Self { nvml }),
            Err(NvmlError::LibloadingError(error)) => Err(CollectError::Absent(format!(
                "no NVIDIA driver library {} can be loaded ({error})",
                library.display()
            ))),
            Err(error @ (NvmlError::DriverNotLoaded | NvmlError::LibraryNotFound)) => {
                Err(CollectError::Absent(format!(
                    "{} is there, but no NVIDIA driver runs ({error})",
                    library.display()
                )))
            }
            Err(error) => {
                Err(CollectError::Read { what: "the NVIDIA driver".to_owned(), source: Box::new(error) })
            }
        }
    }

    /// Asks every GPU. `Err` when not even their number is told.
    pub(super) fn read(&self) -> Result<Vec<Reading>, CollectError> {
        let count = self.nvml.device_count().map_err(|error| CollectError::Read {
            what: "the number of GPUs".to_owned(),
            source: Box::new(error),
        })?;
        Ok((0..count.min(MAX_GPUS)).map(|index| self.read_one(index)).collect())
    }

    fn read_one(&self, index: u32) -> Reading {
        match self.nvml.device_by_index(index) {
            Ok(device) => read(&device, index),
            Err(error) => Reading { index, lost: Some(format!("no handle: {error}")), ..Reading::default() },
        }
    }
}

/// What became of the calls to one GPU so far.
#[derive(Default)]
struct Calls {
    lost: Option<String>,
    failed: Vec<String>,
}

impl Calls {
    /// Makes a call, unless the GPU is lost.
    fn make<T>(&mut self, what: &str, call: impl FnOnce() -> Result<T, NvmlError>) -> Option<T> {
        if self.lost.is_some() {
            return None;
        }
        match call() {
            Ok(value) => Some(value),
            // Not every GPU and not every driver can tell everything.
            Err(NvmlError::NotSupported | NvmlError::FunctionNotFound | NvmlError::FailedToLoadSymbol(_)) => {
                None
            }
            Err(error @ (NvmlError::GpuLost | NvmlError::ResetRequired)) => {
                self.lost = Some(format!("{what}: {error}"));
                None
            }
            Err(error) => {
                self.failed.push(format!("{what}: {error}"));
                None
            }
        }
    }
}

fn read(device: &Device<'_>, index: u32) -> Reading {
    let mut calls = Calls::default();
    let uuid = calls.make("uuid", || device.uuid()).as_deref().map(shortened);
    let name = calls.make("name", || device.name()).as_deref().map(shortened);
    let utilization = calls.make("utilization", || device.utilization_rates());
    let memory = calls.make("memory", || device.memory_info());
    let watts = |milliwatts: u32| f64::from(milliwatts) / 1e3;
    let hertz = |megahertz: u32| f64::from(megahertz) * 1e6;
    let temperature = calls.make("temperature", || device.temperature(TemperatureSensor::Gpu));
    let power = calls.make("power", || device.power_usage());
    let power_limit = calls.make("power limit", || device.enforced_power_limit());
    let energy = calls.make("energy", || device.total_energy_consumption());
    let sm = calls.make("clock", || device.clock_info(Clock::SM));
    let memory_clock = calls.make("memory clock", || device.clock_info(Clock::Memory));
    let mut ecc = |kind: MemoryError| {
        calls.make("memory errors", || device.total_ecc_errors(kind, EccCounter::Volatile))
    };
    let (ecc_corrected, ecc_uncorrected) = (ecc(MemoryError::Corrected), ecc(MemoryError::Uncorrected));
    let throttle = calls.make("throttle reasons", || device.current_throttle_reasons());
    let compute = calls.make("processes", || device.running_compute_processes());
    let graphics = calls.make("graphics processes", || device.running_graphics_processes());
    Reading {
        index,
        uuid,
        name,
        utilization_ratio: utilization.as_ref().map(|rates| f64::from(rates.gpu) / 100.0),
        memory_bandwidth_ratio: utilization.as_ref().map(|rates| f64::from(rates.memory) / 100.0),
        memory_total_bytes: memory.as_ref().map(|memory| memory.total),
        memory_used_bytes: memory.as_ref().map(|memory| memory.used),
        temperature_celsius: temperature.map(f64::from),
        power_watts: power.map(watts),
        power_limit_watts: power_limit.map(watts),
        energy_joules: energy.map(|millijoules| millijoules as f64 / 1e3),
        sm_hertz: sm.map(hertz),
        memory_hertz: memory_clock.map(hertz),
        ecc_corrected,
        ecc_uncorrected,
        throttle_reasons: throttle.map(reasons).unwrap_or_default(),
        processes: processes(compute.into_iter().chain(graphics).flatten()),
        lost: calls.lost,
        failed: calls.failed,
    }
}

/// What holds the clocks down; being idle is no reason to worry.
fn reasons(reasons: ThrottleReasons) -> Vec<String> {
    let known = [
        (ThrottleReasons::APPLICATIONS_CLOCKS_SETTING, "applications_clocks_setting"),
        (ThrottleReasons::SW_POWER_CAP, "sw_power_cap"),
        (ThrottleReasons::HW_SLOWDOWN, "hw_slowdown"),
        (ThrottleReasons::SYNC_BOOST, "sync_boost"),
        (ThrottleReasons::SW_THERMAL_SLOWDOWN, "sw_thermal_slowdown"),
        (ThrottleReasons::HW_THERMAL_SLOWDOWN, "hw_thermal_slowdown"),
        (ThrottleReasons::HW_POWER_BRAKE_SLOWDOWN, "hw_power_brake_slowdown"),
        (ThrottleReasons::DISPLAY_CLOCK_SETTING, "display_clock_setting"),
    ];
    known.into_iter().filter(|(flag, _)| reasons.contains(*flag)).map(|(_, name)| name.to_owned()).collect()
}

/// Each process once (one may compute and draw), the most memory first.
fn processes(found: impl Iterator<Item = ProcessInfo>) -> Vec<(u32, Option<u64>)> {
    let mut by_pid: BTreeMap<u32, Option<u64>> = BTreeMap::new();
    for process in found {
        let bytes = match process.used_gpu_memory {
            UsedGpuMemory::Used(bytes) => Some(bytes),
            UsedGpuMemory::Unavailable => None,
        };
        let kept = by_pid.entry(process.pid).or_default();
        *kept = (*kept).max(bytes);
    }
    let mut processes: Vec<(u32, Option<u64>)> = by_pid.into_iter().collect();
    processes.sort_by_key(|(_, bytes)| std::cmp::Reverse(*bytes));
    processes.truncate(MAX_PROCESSES);
    processes
}

fn shortened(text: &str) -> String {
    text.chars().take(MAX_NAME).collect()
}
