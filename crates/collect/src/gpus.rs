//! The collector of the host's GPUs: NVIDIA's, through the driver's own library where there is one.
//!
//! A GPU that fails is marked (`gpu_up` is 0, and the reason is told) and the others are looked at as
//! before.

mod nvml;

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use model::{DurationText, MetricBatch, Timestamp};
use pipeline::{GpuProcess, GpuSnapshot, Pipeline};

use crate::blocking::Blocking;
use crate::collector::{CollectError, Collector};
use crate::config::DEFAULT_INTERVAL;
use crate::processes::Directory;
use crate::samples::Samples;
use nvml::{Driver, Reading};

/// The section `[gpus]`.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct GpusConfig {
    /// Whether GPUs are watched.
    pub enabled: bool,
    /// How often.
    #[schemars(with = "String")]
    pub interval: DurationText,
    /// The NVIDIA driver's library, as a name that the system's loader knows or as a path.
    pub nvml_library: PathBuf,
}

impl Default for GpusConfig {
    fn default() -> Self {
        Self { enabled: true, interval: DEFAULT_INTERVAL, nvml_library: "libnvidia-ml.so.1".into() }
    }
}

/// The collector of GPUs.
pub(crate) struct Gpus {
    interval: Duration,
    host: String,
    pipeline: Arc<Pipeline>,
    directory: Arc<Directory>,
    look: Blocking<Look>,
    /// What is wrong with some GPU, as of the last pass.
    remark: Option<String>,
}

/// The driver, and what is remembered of GPUs that can no longer say it themselves.
struct Look {
    library: PathBuf,
    driver: Option<Driver>,
    known: HashMap<u32, (String, String)>,
}

impl Gpus {
    pub(crate) fn new(
        config: &GpusConfig,
        host: String,
        pipeline: Arc<Pipeline>,
        directory: Arc<Directory>,
    ) -> Self {
        let look = Look { library: config.nvml_library.clone(), driver: None, known: HashMap::new() };
        let look = Blocking::new(look);
        Self { interval: config.interval.0, host, pipeline, directory, look, remark: None }
    }
}

#[async_trait]
impl Collector for Gpus {
    fn name(&self) -> &'static str {
        "gpus"
    }

    fn target(&self) -> &str {
        &self.host
    }

    fn interval(&self) -> Duration {
        self.interval
    }

    fn remark(&self) -> Option<String> {
        self.remark.clone()
    }

    async fn collect(&mut self, now: Timestamp) -> Result<MetricBatch, CollectError> {
        self.remark = None;
        let readings = self.look.run(Look::pass).await?;
        let gpus: Vec<GpuSnapshot> =
            readings.iter().map(|reading| snapshot(reading, &self.directory)).collect();
        let wrong: Vec<String> = gpus
            .iter()
            .filter_map(|gpu| Some(format!("gpu {}: {}", gpu.index, gpu.reason.as_ref()?)))
            .collect();
        self.remark = Some(wrong.join("; ")).filter(|text| !text.is_empty());
        let mut samples = Samples::new(now, &[("host", &self.host)]);
        for (reading, gpu) in readings.iter().zip(&gpus) {
            push_gpu(&mut samples, reading, gpu);
        }
        self.pipeline.hosts().observe_gpus(&self.host, now, gpus);
        Ok(samples.finish())
    }
}

impl Look {
    fn pass(&mut self) -> Result<Vec<Reading>, CollectError> {
        // A driver that fails as a whole is loaded anew at the next look: it may have been replaced.
        let driver = match self.driver.take() {
            Some(driver) => driver,
            None => Driver::open(&self.library)?,
        };
        let mut readings = driver.read()?;
        self.driver = Some(driver);
        for reading in &mut readings {
            match (&reading.uuid, &reading.name) {
                (Some(uuid), Some(name)) => {
                    self.known.insert(reading.index, (uuid.clone(), name.clone()));
                }
                _ => {
                    if let Some((uuid, name)) = self.known.get(&reading.index) {
                        reading.uuid.get_or_insert_with(|| uuid.clone());
                        reading.name.get_or_insert_with(|| name.clone());
                    }
                }
            }
        }
        Ok(readings)
    }
}

fn snapshot(reading: &Reading, directory: &Directory) -> GpuSnapshot {
    let process = |(pid, memory_bytes): &(u32, Option<u64>)| {
        let identity = i32::try_from(*pid).ok().and_then(|pid| directory.running(pid)).unwrap_or_default();
        GpuProcess {
            pid: *pid,
            name: Some(identity.name).filter(|name| !name.is_empty()),
            group: identity.group,
            memory_bytes: *memory_bytes,
        }
    };
    let reason = reading
        .lost
        .clone()
        .or_else(|| (!reading.failed.is_empty()).then(|| format!("not read: {}", reading.failed.join(", "))));
    GpuSnapshot {
        index: reading.index,
        uuid: reading.uuid.clone().unwrap_or_default(),
        name: reading.name.clone().unwrap_or_default(),
        up: reading.lost.is_none(),
        reason,
        utilization_ratio: reading.utilization_ratio,
        memory_bandwidth_ratio: reading.memory_bandwidth_ratio,
        memory_total_bytes: reading.memory_total_bytes,
        memory_used_bytes: reading.memory_used_bytes,
        temperature_celsius: reading.temperature_celsius,
        power_watts: reading.power_watts,
        power_limit_watts: reading.power_limit_watts,
        ecc_uncorrected: reading.ecc_uncorrected,
        throttle_reasons: reading.throttle_reasons.clone(),
        processes: reading.processes.iter().map(process).collect(),
    }
}

fn push_gpu(samples: &mut Samples, reading: &Reading, gpu: &GpuSnapshot) {
    let index = gpu.index.to_string();
    let labels = [("gpu", index.as_str()), ("uuid", &gpu.uuid), ("name", &gpu.name)];
    samples.push("gpu_up", &labels, f64::from(u8::from(gpu.up)));
    let bytes = |bytes: Option<u64>| bytes.map(|bytes| bytes as f64);
    for (name, value) in [
        ("gpu_utilization_ratio", gpu.utilization_ratio),
        ("gpu_memory_bandwidth_ratio", gpu.memory_bandwidth_ratio),
        ("gpu_memory_total_bytes", bytes(gpu.memory_total_bytes)),
        ("gpu_memory_used_bytes", bytes(gpu.memory_used_bytes)),
        ("gpu_memory_usage_ratio", gpu.memory_ratio()),
        ("gpu_temperature_celsius", gpu.temperature_celsius),
        ("gpu_power_watts", gpu.power_watts),
        ("gpu_power_limit_watts", gpu.power_limit_watts),
        ("gpu_energy_joules_total", reading.energy_joules),
    ] {
        samples.push_some(name, &labels, value);
    }
    let with = |further: (&'static str, &'static str)| [labels[0], labels[1], labels[2], further];
    samples.push_some("gpu_clock_hertz", &with(("domain", "sm")), reading.sm_hertz);
    samples.push_some("gpu_clock_hertz", &with(("domain", "memory")), reading.memory_hertz);
    let corrected = with(("kind", "corrected"));
    samples.push_some("gpu_memory_errors_total", &corrected, bytes(reading.ecc_corrected));
    let uncorrected = with(("kind", "uncorrected"));
    samples.push_some("gpu_memory_errors_total", &uncorrected, bytes(reading.ecc_uncorrected));
    for reason in &gpu.throttle_reasons {
        samples.push("gpu_throttled", &[labels[0], labels[1], labels[2], ("reason", reason)], 1.0);
    }
    for process in &gpu.processes {
        let pid = process.pid.to_string();
        let labels = [
            labels[0],
            labels[1],
            ("group", process.group.as_deref().unwrap_or_default()),
            ("pid", &pid),
            ("name", process.name.as_deref().unwrap_or_default()),
        ];
        samples.push_some("gpu_process_memory_bytes", &labels, bytes(process.memory_bytes));
    }
}

#[cfg(test)]
mod tests;
