use std::collections::HashMap;
use std::path::Path;

use super::*;

fn pipeline() -> Arc<Pipeline> {
    Pipeline::new(pipeline::Config::default(), &prometheus::Registry::new()).unwrap()
}

fn values(batch: &MetricBatch) -> HashMap<String, f64> {
    batch.iter().map(|(labels, samples)| (labels.to_string(), samples[0].value)).collect()
}

fn write(root: &Path, name: &str, text: &str) {
    let path = root.join(name);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, text).unwrap();
}

/// A proc file system of a small host.
fn small_host(root: &Path) {
    let stat = "cpu  100 0 100 700 100 0 0 0 0 0\ncpu0 50 0 50 350 50 0 0 0 0 0\n\
                cpu1 50 0 50 350 50 0 0 0 0 0\nctxt 1\nbtime 1700000000\nprocesses 1\n";
    write(root, "stat", stat);
    let memory = "MemTotal: 1000 kB\nMemFree: 100 kB\nMemAvailable: 250 kB\nBuffers: 0 kB\nCached: 0 kB\n\
                  SwapCached: 0 kB\nActive: 0 kB\nInactive: 0 kB\nSwapTotal: 10 kB\nSwapFree: 4 kB\n\
                  Dirty: 0 kB\nWriteback: 0 kB\nMapped: 0 kB\nSlab: 0 kB\nCommitted_AS: 0 kB\n\
                  VmallocTotal: 0 kB\nVmallocUsed: 0 kB\nVmallocChunk: 0 kB\n";
    write(root, "meminfo", memory);
    write(root, "loadavg", "0.50 0.25 0.10 1/100 4242\n");
    write(root, "diskstats", "8 0 sda 1 0 2 1 1 0 2 1 0 2 2\n");
    let network =
        "head\nhead\n lo: 1 1 0 0 0 0 0 0 1 1 0 0 0 0 0 0\n eth0: 10 1 2 0 0 0 0 0 20 1 3 0 0 0 0 0\n";
    write(root, "net/dev", network);
    write(root, "vmstat", "nr_free_pages 1\noom_kill 3\n");
    write(root, "self/mountinfo", "27 1 254:0 / / rw,relatime - ext4 /dev/vda rw\n");
    write(root, "pressure/memory", "some avg10=50.00 avg60=0.91 avg300=0.00 total=2000000\n");
}

#[tokio::test]
async fn this_host_is_seen_whole() {
    let pipeline = pipeline();
    let config = HostConfig::default();
    let mut host = Host::new(&config, "box".to_owned(), Arc::clone(&pipeline));
    let now = Timestamp::now();
    host.collect(now).await.unwrap();
    let batch = host.collect(now).await.unwrap();
    let values = values(&batch);
    for series in [
        r#"host_cpus{host="box"}"#,
        r#"host_load1{host="box"}"#,
        r#"host_memory_available_bytes{host="box"}"#,
        r#"host_memory_usage_ratio{host="box"}"#,
        r#"host_cpu_seconds_total{host="box", mode="idle"}"#,
        r#"host_boot_time_seconds{host="box"}"#,
    ] {
        assert!(values.contains_key(series), "{series} is missing in {values:#?}");
    }
    assert!(batch.iter().all(|(_, samples)| samples[0].time_ms == now.as_millis()));
    let ratios = values.iter().filter(|(name, _)| name.contains("_ratio{"));
    for (name, ratio) in ratios {
        assert!((0.0..=1.0).contains(ratio), "{name} is {ratio}");
    }
    let view = pipeline.hosts().get("box").unwrap();
    assert!(view.host.cpus > 0 && view.host.memory_total_bytes > view.host.memory_available_bytes);
}

#[tokio::test]
async fn numbers_are_in_base_units_and_cpu_use_is_that_since_the_pass_before() {
    let folder = tempfile::tempdir().unwrap();
    small_host(folder.path());
    let root = ProcRoot::at(folder.path());
    let mut host = Host::reading(root, &HostConfig::default(), "box".to_owned(), pipeline());
    let first = values(&host.collect(Timestamp::from_millis(0)).await.unwrap());
    assert_eq!(first.get(r#"host_cpu_usage_ratio{host="box"}"#), None);
    let stat = "cpu  175 0 100 725 100 0 0 0 0 0\ncpu0 1 0 0 0 0 0 0 0 0 0\ncpu1 1 0 0 0 0 0 0 0 0 0\n\
                ctxt 1\nbtime 1700000000\nprocesses 1\n";
    write(folder.path(), "stat", stat);
    let second = values(&host.collect(Timestamp::from_millis(15_000)).await.unwrap());
    let expected = [
        (r#"host_cpu_usage_ratio{host="box"}"#, 0.75),
        (r#"host_cpus{host="box"}"#, 2.0),
        (r#"host_memory_total_bytes{host="box"}"#, 1_024_000.0),
        (r#"host_memory_used_bytes{host="box"}"#, 768_000.0),
        (r#"host_memory_usage_ratio{host="box"}"#, 0.75),
        (r#"host_swap_used_bytes{host="box"}"#, 6.0 * 1024.0),
        (r#"host_oom_kills_total{host="box"}"#, 3.0),
        (r#"host_network_transmit_bytes_total{device="eth0", host="box"}"#, 20.0),
        (r#"host_network_receive_errors_total{device="eth0", host="box"}"#, 2.0),
        (r#"host_disk_read_bytes_total{device="sda", host="box"}"#, 1024.0),
        (r#"host_pressure_ratio{host="box", kind="some", resource="memory"}"#, 0.5),
        (r#"host_pressure_stalled_seconds_total{host="box", kind="some", resource="memory"}"#, 2.0),
        (r#"host_boot_time_seconds{host="box"}"#, 1_700_000_000.0),
    ];
    for (series, value) in expected {
        assert_eq!(second.get(series), Some(&value), "{series} in {second:#?}");
    }
    assert!(!second.keys().any(|series| series.contains("\"lo\"")));
}

#[tokio::test]
async fn a_file_that_is_missing_is_named() {
    let folder = tempfile::tempdir().unwrap();
    small_host(folder.path());
    std::fs::remove_file(folder.path().join("meminfo")).unwrap();
    let root = ProcRoot::at(folder.path());
    let mut host = Host::reading(root, &HostConfig::default(), "box".to_owned(), pipeline());
    let error = host.collect(Timestamp::from_millis(0)).await.unwrap_err().chain();
    assert!(error.starts_with("cannot read ") && error.ends_with("meminfo: no such file"), "{error}");
}
