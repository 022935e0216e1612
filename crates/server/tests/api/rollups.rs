//! Queries over rollups beside the same over samples.

use std::sync::Arc;
use std::time::Duration;

use model::{DurationText, Labels, MetricBatch, Sample, SampleRun, Timestamp};
use promql::{Cancel, Engine, Limits, Query, QueryOutput, Value};
use store::{Batch, TelemetryStore};

const MINUTE: i64 = 60_000;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;

async fn opened(folder: &std::path::Path, days: u64) -> Arc<engine::Engine> {
    let none = model::ByteSize(0);
    let config = engine::Config {
        disk_reserve_bytes: none,
        retention_free_bytes: none,
        retention: DurationText(Duration::from_secs(days * 86_400)),
        ..engine::Config::default()
    };
    let path = folder.to_owned();
    let opened = tokio::task::spawn_blocking(move || {
        engine::Engine::open(&path, config, &::prometheus::Registry::new())
    });
    opened.await.expect("no panic").expect("a store")
}

/// Five days of a gauge and a counter of three instances each, of counters that come rarely, and of one that begins
/// again without a fall, of which all but the last day are rolled up.
async fn filled(folder: &std::path::Path, now_ms: i64) -> Arc<engine::Engine> {
    let store = opened(folder, 20).await;
    let mut metrics = MetricBatch::new();
    for (name, instance) in
        [("queue_depth", 0), ("queue_depth", 1), ("jobs_total", 0), ("jobs_total", 1), ("jobs_total", 2)]
    {
        let mut value = 0.0;
        let samples: Vec<Sample> = (0..5 * DAY / 30_000)
            .map(|number| {
                let step = (number * (7 + instance) % 11) as f64;
                value = if name == "jobs_total" { value + step } else { step * 10.0 };
                if name == "jobs_total" && number % 5000 == 4999 {
                    value = 0.0;
                }
                Sample { time_ms: now_ms - 5 * DAY + number * 30_000 + instance * 1000, value }
            })
            .collect();
        let labels = Labels::metric(name, &[("instance", &instance.to_string())]);
        metrics.push(labels.as_ref(), &samples);
    }
    for every_minutes in [7, 10, 20] {
        let (count, every_ms) = (5 * DAY / MINUTE / every_minutes, every_minutes * MINUTE);
        let sample = |number| Sample {
            time_ms: now_ms - 5 * DAY + number * every_ms + 3000,
            value: (number * every_minutes) as f64,
        };
        let samples: Vec<Sample> = (0..count).map(sample).collect();
        metrics
            .push(Labels::metric("rare_total", &[("every", &every_minutes.to_string())]).as_ref(), &samples);
    }
    restarts(&mut metrics, now_ms);
    store.append(Batch::from(metrics)).await.expect("appended");
    let done = Arc::clone(&store);
    tokio::task::spawn_blocking(move || {
        done.checkpoint().expect("written");
        done.compact(Timestamp::now()).expect("merged");
    })
    .await
    .expect("no panic");
    store
}

/// A counter that restarts every 250 minutes, and has counted more at the next look than it had before: only its
/// starts tell.
fn restarts(metrics: &mut MetricBatch, now_ms: i64) {
    let (mut samples, mut starts) = (Vec::new(), Vec::new());
    for number in 0..5 * DAY / 30_000 {
        let time_ms = now_ms - 5 * DAY + number * 30_000;
        let (process, since) = (number / 500, number % 500);
        samples.push(Sample { time_ms, value: (1000 * (process + 1) + since) as f64 });
        starts.push(time_ms - since * 30_000 - 20_000);
    }
    let run = SampleRun { samples: &samples, starts: &starts };
    metrics.push_run(Labels::metric("restarts_total", &[]).as_ref(), run);
}

type Numbers = Vec<(String, Vec<(i64, f64)>)>;

fn numbers(output: &QueryOutput) -> Numbers {
    let Value::Matrix(series) = &output.value else { panic!("no matrix") };
    let samples = |series: &promql::Series| {
        series.samples.iter().map(|sample| (sample.time_ms, sample.value)).collect()
    };
    series.iter().map(|series| (series.labels.to_string(), samples(series))).collect()
}

fn used(output: &QueryOutput) -> bool {
    output.infos.iter().any(|info| info.contains("answered from rollups"))
}

/// The same series at the same times, with values that differ by no more than a part of them.
fn are_close(text: &str, found: &Numbers, wanted: &Numbers, tolerance: f64) {
    assert_eq!(found.len(), wanted.len(), "{text}");
    for ((labels, found), (expected, wanted)) in found.iter().zip(wanted) {
        assert_eq!((labels, found.len()), (expected, wanted.len()), "{text}");
        for ((time, found), (at, wanted)) in found.iter().zip(wanted) {
            let close = (found - wanted).abs() <= tolerance * wanted.abs().max(1.0);
            assert!(time == at && close, "{text} of {labels} at {time} and {at}: {found} and {wanted}");
        }
    }
}

#[tokio::test]
async fn counters_of_which_samples_are_gone_have_increased_by_about_as_much_as_their_samples_said() {
    const CASES: [(&str, f64); 6] = [
        ("sum(increase(jobs_total[6h]))", 0.02),
        ("rate(jobs_total[1d])", 0.02),
        ("increase(restarts_total[6h])", 0.02),
        // A series that grows evenly: what matters is that no step is lost between buckets.
        ("increase(rare_total{every=~\"7|10\"}[1h])", 0.15),
        ("increase(rare_total[6h])", 0.06),
        ("rate(rare_total[1d])", 0.02),
    ];
    let folder = tempfile::tempdir().expect("a folder");
    let now_ms = Timestamp::now().as_millis() / HOUR * HOUR;
    let ask = move |store: Arc<engine::Engine>| {
        let engine = Engine::new(store, Limits::default());
        let (start, end) =
            (Timestamp::from_millis(now_ms - 4 * DAY), Timestamp::from_millis(now_ms - 5 * DAY / 2));
        let ask = |text: &str| {
            let query = Query::parse(text).expect(text);
            engine.range(&query, start, end, Duration::from_secs(3600), &Cancel::never()).expect(text)
        };
        CASES.map(|(text, _)| ask(text))
    };
    let store = filled(folder.path(), now_ms).await;
    let of_samples = tokio::task::spawn_blocking(move || ask(store)).await.expect("no panic");
    let store = opened(folder.path(), 2).await;
    let of_rollups = tokio::task::spawn_blocking(move || {
        store.drop_expired(Timestamp::now()).expect("dropped");
        ask(store)
    });
    let of_rollups = of_rollups.await.expect("no panic");
    for (((text, tolerance), wanted), found) in CASES.into_iter().zip(&of_samples).zip(&of_rollups) {
        assert!(!used(wanted) && used(found), "{text}: {:?} {:?}", wanted.infos, found.infos);
        are_close(text, &numbers(found), &numbers(wanted), tolerance);
    }
}

#[tokio::test]
async fn queries_with_large_steps_read_rollups_say_so_and_give_the_same_numbers() {
    let folder = tempfile::tempdir().expect("a folder");
    let now_ms = Timestamp::now().as_millis() / HOUR * HOUR;
    let store: Arc<dyn TelemetryStore> = filled(folder.path(), now_ms).await;
    let with = Engine::new(Arc::clone(&store), Limits::default());
    let without = Engine::new(store, Limits { rollups: false, ..Limits::default() });
    let checked = tokio::task::spawn_blocking(move || {
        let ask = |engine: &Engine, text: &str, end_ms: i64, step_ms: i64| {
            let (start, end) = (Timestamp::from_millis(end_ms - 4 * DAY), Timestamp::from_millis(end_ms));
            let step = Duration::from_millis(step_ms.unsigned_abs());
            engine.range(&Query::parse(text).expect(text), start, end, step, &Cancel::never()).expect(text)
        };
        for (text, step_ms, tolerance) in [
            ("queue_depth", 5 * MINUTE, 0.0),
            ("sum by (instance) (queue_depth)", HOUR, 0.0),
            ("max_over_time(queue_depth[1h])", 10 * MINUTE, 0.0),
            ("min_over_time(queue_depth[2h] offset 1h)", HOUR, 0.0),
            ("avg_over_time(queue_depth[1h])", HOUR, 1e-12),
            ("sum_over_time(queue_depth[35m])", 5 * MINUTE, 1e-12),
            ("count_over_time(queue_depth[1h])", 15 * MINUTE, 0.0),
        ] {
            let (found, wanted) = (ask(&with, text, now_ms, step_ms), ask(&without, text, now_ms, step_ms));
            assert_eq!(used(&found), !used(&wanted), "{text}: {:?}", found.infos);
            are_close(text, &numbers(&found), &numbers(&wanted), tolerance);
        }
        for (text, end_ms, step_ms) in [
            ("queue_depth", now_ms, 7 * MINUTE),
            ("queue_depth", now_ms + 1000, 5 * MINUTE),
            ("rate(jobs_total[5m])", now_ms, 5 * MINUTE),
            ("rate(jobs_total[1d])", now_ms, HOUR),
            ("sum(increase(jobs_total[6h]))", now_ms, HOUR),
            ("quantile_over_time(0.5, queue_depth[1h])", now_ms, HOUR),
            ("max_over_time(queue_depth[7m])", now_ms, HOUR),
        ] {
            assert!(!used(&ask(&with, text, end_ms, step_ms)), "{text} needs samples");
        }
    });
    checked.await.expect("no panic");
}

#[tokio::test]
async fn where_samples_are_gone_counts_are_right_from_rollups_and_else_come_with_a_warning() {
    let folder = tempfile::tempdir().expect("a folder");
    let now_ms = Timestamp::now().as_millis() / HOUR * HOUR;
    drop(filled(folder.path(), now_ms).await);
    let store = opened(folder.path(), 2).await;
    let checked = tokio::task::spawn_blocking(move || {
        store.drop_expired(Timestamp::now()).expect("dropped");
        let engine = Engine::new(store, Limits::default());
        let ask = |text: &str, at_ms: i64| {
            let query = Query::parse(text).expect(text);
            engine.instant(&query, Timestamp::from_millis(at_ms), &Cancel::never()).expect(text)
        };
        let value = |output: &QueryOutput| match &output.value {
            Value::Vector(series) => series[0].value,
            other => panic!("no vector: {other:?}"),
        };
        let query = "count_over_time(queue_depth{instance='0'}[1h])";
        let (aligned, apart) = (now_ms - 4 * DAY, now_ms - 4 * DAY + MINUTE);
        let exact = ask(query, aligned);
        assert_eq!((value(&exact), exact.warnings.len()), (120.0, 0), "{:?}", exact.warnings);
        let coarse = ask(query, apart);
        assert_eq!(value(&coarse), 12.0);
        assert!(coarse.warnings[0].contains("multiples of 5m"), "{:?}", coarse.warnings);
        assert!(ask("max_over_time(queue_depth{instance='0'}[1h])", apart).warnings.is_empty());
        assert!(ask(query, now_ms - DAY + MINUTE).warnings.is_empty());
    });
    checked.await.expect("no panic");
}
