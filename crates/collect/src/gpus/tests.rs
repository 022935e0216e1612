//! GPUs through a library that is loaded as the real one is, and that a test tells what to say.
//! Real hardware was not at hand.

use testkit::Nvml;

use super::*;
use crate::processes::directory::Identity;

struct Stage {
    library: Nvml,
    pipeline: Arc<Pipeline>,
    directory: Arc<Directory>,
    collector: Gpus,
    _folder: tempfile::TempDir,
}

impl Stage {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let library = Nvml::build(folder.path()).unwrap();
        let pipeline = Pipeline::new(pipeline::Config::default(), &prometheus::Registry::new()).unwrap();
        let directory = Arc::new(Directory::default());
        let config = GpusConfig { nvml_library: library.library().to_owned(), ..GpusConfig::default() };
        let collector = Gpus::new(&config, "h".into(), Arc::clone(&pipeline), Arc::clone(&directory));
        Self { library, pipeline, directory, collector, _folder: folder }
    }

    /// The samples of a pass, by series.
    async fn pass(&mut self) -> Vec<(String, f64)> {
        let batch = self.collector.collect(Timestamp::now()).await.unwrap();
        batch.iter().map(|(labels, samples)| (labels.to_string(), samples[0].value)).collect()
    }

    fn gpus(&self) -> Vec<GpuSnapshot> {
        self.pipeline.hosts().get("h").unwrap().gpus
    }
}

fn value(samples: &[(String, f64)], name: &str, gpu: u32, more: &str) -> Option<f64> {
    let is = |series: &String| {
        series.starts_with(&format!("{name}{{"))
            && series.contains(&format!("gpu=\"{gpu}\""))
            && series.contains(more)
    };
    samples.iter().find(|(series, _)| is(series)).map(|(_, value)| *value)
}

#[tokio::test(flavor = "multi_thread")]
async fn a_gpu_tells_what_it_does_and_who_uses_it() {
    let mut stage = Stage::new();
    stage.library.say("gpus 2\nprocess 0 4242 1073741824\nprocess 0 7 2147483648\n").unwrap();
    let identity = Identity {
        comm: "python3".into(),
        name: "embed.py".into(),
        command: "python3 embed.py".into(),
        group: Some("workers".into()),
    };
    stage.directory.note(4242, identity);
    let samples = stage.pass().await;
    let mebibyte = 1_048_576.0;
    for (name, more, expected) in [
        ("gpu_up", "", 1.0),
        ("gpu_utilization_ratio", "", 0.97),
        ("gpu_memory_bandwidth_ratio", "", 0.4),
        ("gpu_memory_total_bytes", "", 81_920.0 * mebibyte),
        ("gpu_memory_used_bytes", "", 20_480.0 * mebibyte),
        ("gpu_memory_usage_ratio", "", 0.25),
        ("gpu_temperature_celsius", "", 64.0),
        ("gpu_power_watts", "", 412.5),
        ("gpu_power_limit_watts", "", 700.0),
        ("gpu_energy_joules_total", "", 1234.5),
        ("gpu_clock_hertz", "domain=\"sm\"", 1.98e9),
        ("gpu_clock_hertz", "domain=\"memory\"", 2.619e9),
        ("gpu_memory_errors_total", "kind=\"corrected\"", 5.0),
        ("gpu_memory_errors_total", "kind=\"uncorrected\"", 2.0),
        ("gpu_throttled", "reason=\"sw_power_cap\"", 1.0),
        ("gpu_throttled", "reason=\"hw_thermal_slowdown\"", 1.0),
        ("gpu_process_memory_bytes", "pid=\"7\"", 2_147_483_648.0),
    ] {
        assert_eq!(value(&samples, name, 0, more), Some(expected), "{name} {more}");
    }
    let by_worker =
        value(&samples, "gpu_process_memory_bytes", 0, "group=\"workers\", host=\"h\", name=\"embed.py\"");
    assert_eq!(by_worker, Some(1_073_741_824.0));
    let gpus = stage.gpus();
    let processes: Vec<u32> = gpus[0].processes.iter().map(|process| process.pid).collect();
    assert_eq!(processes, [7, 4242], "the most memory first");
    assert_eq!(gpus[1].uuid, "GPU-00000000-0000-0000-0000-000000000001");
    assert_eq!((gpus[1].up, &gpus[1].reason), (true, &None));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_gpu_that_is_lost_is_marked_and_the_others_go_on() {
    let mut stage = Stage::new();
    stage.pass().await;
    // 15: the GPU is lost. The first calls of the pass still work.
    stage.library.say("gpus 3\nfail 1 temperature 15\n").unwrap();
    let samples = stage.pass().await;
    assert_eq!(value(&samples, "gpu_up", 1, ""), Some(0.0));
    assert_eq!(value(&samples, "gpu_power_watts", 1, ""), None, "it is not asked further");
    for other in [0, 2] {
        assert_eq!(value(&samples, "gpu_up", other, ""), Some(1.0));
        assert_eq!(value(&samples, "gpu_temperature_celsius", other, ""), Some(64.0));
    }
    let remark = stage.collector.remark().unwrap();
    assert!(remark.starts_with("gpu 1: temperature: "), "{remark}");

    // Not even a handle any more: it is still known by name.
    stage.library.say("gpus 3\nfail 1 handle 15\n").unwrap();
    stage.pass().await;
    let lost = stage.gpus().remove(1);
    assert!(!lost.up && lost.reason.is_some(), "{lost:?}");
    assert_eq!(lost.uuid, "GPU-00000000-0000-0000-0000-000000000001");

    stage.library.say("gpus 3\n").unwrap();
    let samples = stage.pass().await;
    assert_eq!(value(&samples, "gpu_up", 1, ""), Some(1.0));
    assert_eq!(stage.collector.remark(), None);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_call_that_fails_is_told_and_one_that_is_not_supported_is_a_gap() {
    let mut stage = Stage::new();
    // 999: unknown error; 3: not supported.
    stage.library.say("gpus 1\nfail 0 temperature 999\nfail 0 ecc 3\n").unwrap();
    let samples = stage.pass().await;
    assert_eq!(value(&samples, "gpu_up", 0, ""), Some(1.0));
    assert_eq!(value(&samples, "gpu_temperature_celsius", 0, ""), None);
    assert_eq!(value(&samples, "gpu_memory_errors_total", 0, ""), None);
    assert_eq!(value(&samples, "gpu_utilization_ratio", 0, ""), Some(0.97));
    let remark = stage.collector.remark().unwrap();
    assert!(remark.contains("temperature") && !remark.contains("memory errors"), "{remark}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_driver_that_fails_as_a_whole_is_tried_again() {
    let mut stage = Stage::new();
    stage.library.say("init 9\n").unwrap();
    let error = stage.collector.collect(Timestamp::now()).await.unwrap_err();
    assert!(matches!(error, CollectError::Absent(_)), "no driver runs: {error:?}");
    stage.library.say("gpus 1\ncount 999\n").unwrap();
    let error = stage.collector.collect(Timestamp::now()).await.unwrap_err();
    assert!(matches!(error, CollectError::Read { .. }), "{error:?}");
    stage.library.say("gpus 1\n").unwrap();
    assert_eq!(value(&stage.pass().await, "gpu_up", 0, ""), Some(1.0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_host_without_the_library_has_no_gpus_and_no_fault() {
    let pipeline = Pipeline::new(pipeline::Config::default(), &prometheus::Registry::new()).unwrap();
    let config =
        GpusConfig { nvml_library: "/nonexistent/libnvidia-ml.so.1".into(), ..GpusConfig::default() };
    let mut collector = Gpus::new(&config, "h".into(), Arc::clone(&pipeline), Arc::default());
    let error = collector.collect(Timestamp::now()).await.unwrap_err();
    assert!(matches!(error, CollectError::Absent(_)), "{error:?}");
    assert!(pipeline.hosts().get("h").is_none());
}
