use std::time::Duration;

use arrow::array::RecordBatch;
use async_trait::async_trait;
use ingest::{Limits, Redaction, Redactor};
use model::{TimeRange, is_stale};
use store::{
    AppendError, Appended, Batch, Cancel, EventPass, EventScan, Matcher, QueryError, SelectRequest,
    SeriesCursor, StoreStats, TelemetryStore,
};
use testkit::eventually;

use super::*;
use crate::redis_queue::{FieldPaths, KeyConfig, KeyType, QueueConfig};
use crate::redis_server::RedisConfig;

/// Keeps what is appended in memory.
#[derive(Default)]
pub(crate) struct MemoryStore {
    samples: Mutex<Vec<(String, i64, f64)>>,
    events: Mutex<Vec<store::EventBatch>>,
    refuses: std::sync::atomic::AtomicBool,
}

impl MemoryStore {
    /// The values of one series, in the order in which they came.
    pub(crate) fn values(&self, series: &str) -> Vec<f64> {
        let samples = self.samples.lock();
        samples.iter().filter(|(labels, ..)| labels == series).map(|(.., value)| *value).collect()
    }

    /// The times of one series, in the order in which they came.
    pub(crate) fn times(&self, series: &str) -> Vec<i64> {
        let samples = self.samples.lock();
        samples.iter().filter(|(labels, ..)| labels == series).map(|(_, time, _)| *time).collect()
    }

    /// All batches of events.
    pub(crate) fn event_batches(&self) -> Vec<store::EventBatch> {
        self.events.lock().clone()
    }

    /// Makes every append fail, or succeed again.
    pub(crate) fn refuse(&self, refuses: bool) {
        self.refuses.store(refuses, std::sync::atomic::Ordering::SeqCst);
    }

    fn last(&self, series: &str) -> Option<f64> {
        self.values(series).last().copied()
    }
}

#[async_trait]
impl TelemetryStore for MemoryStore {
    async fn append(&self, batch: Batch) -> Result<Appended, AppendError> {
        if self.refuses.load(std::sync::atomic::Ordering::SeqCst) {
            return Err(AppendError::Overloaded { what: "a test wants it so" });
        }
        self.events.lock().extend(batch.events);
        let mut kept = self.samples.lock();
        for (labels, samples) in batch.metrics.iter() {
            kept.extend(samples.iter().map(|sample| (labels.to_string(), sample.time_ms, sample.value)));
        }
        Ok(Appended { samples: batch.metrics.sample_count() as u64, ..Appended::default() })
    }

    fn select(&self, _: &SelectRequest) -> Result<Box<dyn SeriesCursor>, QueryError> {
        Err(QueryError::Invalid("not asked here".to_owned()))
    }

    fn series(&self, _: &[Matcher], _: TimeRange, _: usize, _: &Cancel) -> Result<Vec<Labels>, QueryError> {
        Ok(Vec::new())
    }

    fn label_names(&self, _: &[Matcher], _: TimeRange, _: &Cancel) -> Result<Vec<String>, QueryError> {
        Ok(Vec::new())
    }

    fn label_values(
        &self,
        _: &str,
        _: &[Matcher],
        _: TimeRange,
        _: &Cancel,
    ) -> Result<Vec<String>, QueryError> {
        Ok(Vec::new())
    }

    fn scan(&self, _: &EventScan) -> Result<Vec<RecordBatch>, QueryError> {
        Ok(Vec::new())
    }

    fn each_batch(
        &self,
        pass: &EventPass,
        each: &mut dyn FnMut(&RecordBatch) -> Result<(), QueryError>,
    ) -> Result<(), QueryError> {
        let batches = self.event_batches();
        batches.iter().filter(|batch| batch.table == pass.table).try_for_each(|batch| each(&batch.rows))
    }

    fn stats(&self) -> StoreStats {
        StoreStats::default()
    }
}

pub(crate) fn ingest(store: &Arc<MemoryStore>) -> Arc<Ingest> {
    ingest_into(store, &prometheus::Registry::new())
}

/// The same, with its counters where they can be read.
pub(crate) fn ingest_into(store: &Arc<MemoryStore>, registry: &prometheus::Registry) -> Arc<Ingest> {
    let store: Arc<dyn TelemetryStore> = Arc::<MemoryStore>::clone(store);
    let redactor = Redactor::new(&Redaction::default()).unwrap();
    let day = Duration::from_secs(86_400);
    Ingest::new(store, Limits::default(), redactor, day, registry).unwrap()
}

/// A collector whose next passes are written down.
struct Scripted {
    target: &'static str,
    interval: Duration,
    passes: Vec<Pass>,
}

#[derive(Clone, Copy)]
enum Pass {
    Series(&'static [&'static str]),
    Fail,
    Panic,
    Hang,
    Absent,
}

#[async_trait]
impl Collector for Scripted {
    fn name(&self) -> &'static str {
        "scripted"
    }

    fn target(&self) -> &str {
        self.target
    }

    fn interval(&self) -> Duration {
        self.interval
    }

    fn time_limit(&self) -> Duration {
        Duration::from_millis(100)
    }

    async fn collect(&mut self, now: Timestamp) -> Result<MetricBatch, CollectError> {
        let pass = if self.passes.len() > 1 { self.passes.remove(0) } else { self.passes[0] };
        match pass {
            Pass::Series(names) => {
                let mut samples = Samples::new(now, &[]);
                for name in names {
                    samples.push(name, &[], 1.0);
                }
                Ok(samples.finish())
            }
            Pass::Fail => Err(CollectError::Mismatch("it is broken".to_owned())),
            Pass::Panic => panic!("a fault of ours"),
            Pass::Hang => std::future::pending().await,
            Pass::Absent => Err(CollectError::Absent("nowhere".to_owned())),
        }
    }
}

/// Collectors that follow scripts, and what they have stored.
fn scripted(scripts: &[(&'static str, &[Pass])]) -> (Arc<Collectors>, Arc<MemoryStore>) {
    let store = Arc::new(MemoryStore::default());
    let collectors = scripts.iter().map(|(target, passes)| {
        let interval = Duration::from_millis(50);
        let collector: Box<dyn Collector> = Box::new(Scripted { target, interval, passes: passes.to_vec() });
        (collector, Source::Collector)
    });
    (Collectors::of(collectors.collect(), ingest(&store)), store)
}

/// Runs collectors until `condition` holds of them.
async fn run_until(collectors: &Arc<Collectors>, what: &str, condition: impl Fn(&[CollectorStatus]) -> bool) {
    let cancel = CancellationToken::new();
    let running = tokio::spawn(Arc::clone(collectors).run(cancel.clone()));
    eventually(what, || async { Ok(condition(&collectors.status()).then_some(())) }).await.unwrap();
    cancel.cancel();
    running.await.unwrap();
}

fn status<'a>(statuses: &'a [CollectorStatus], target: &str) -> &'a CollectorStatus {
    statuses.iter().find(|status| status.target == target).unwrap()
}

#[tokio::test]
async fn a_collector_that_fails_panics_or_hangs_costs_nobody_but_itself() {
    let (collectors, store) = scripted(&[
        ("fine", &[Pass::Series(&["a"])]),
        ("failing", &[Pass::Fail]),
        ("panicking", &[Pass::Panic]),
        ("hanging", &[Pass::Hang]),
    ]);
    run_until(&collectors, "all to have passed twice", |statuses| {
        statuses.iter().all(|status| status.runs >= 2) && status(statuses, "fine").up
    })
    .await;
    let statuses = collectors.status();
    let error = |target| status(&statuses, target).last_error.clone().unwrap_or_default();
    assert_eq!(error("fine"), "");
    assert_eq!(error("failing"), "it is broken");
    assert_eq!(error("panicking"), "the collector failed inside: a fault of ours");
    assert_eq!(error("hanging"), "gave up after 0.1 s");
    for target in ["failing", "panicking", "hanging"] {
        let status = status(&statuses, target);
        assert!(!status.up && status.errors == status.runs, "{status:?}");
    }
    assert_eq!(store.last(r#"collector_up{collector="scripted", target="fine"}"#), Some(1.0));
    assert_eq!(store.last(r#"collector_up{collector="scripted", target="hanging"}"#), Some(0.0));
    let errors = store.last(r#"collector_errors_total{collector="scripted", target="failing"}"#);
    assert!(errors >= Some(2.0), "{errors:?}");
}

#[tokio::test]
async fn a_series_that_is_no_longer_there_ends_with_a_staleness_marker() {
    let passes =
        [Pass::Series(&["stays", "goes"]), Pass::Series(&["stays"]), Pass::Fail, Pass::Series(&["stays"])];
    let (collectors, store) = scripted(&[("x", &passes)]);
    run_until(&collectors, "four passes", |statuses| statuses[0].runs >= 4 && statuses[0].up).await;
    let goes = store.values("goes");
    assert!(goes.len() == 2 && goes[0] == 1.0 && is_stale(goes[1]), "{goes:?}");
    let stays = store.values("stays");
    assert!(is_stale(stays[2]) && stays[3] == 1.0, "a failed pass ends them all: {stays:?}");
}

#[tokio::test]
async fn what_nobody_asked_for_may_be_absent() {
    let (collectors, store) = scripted(&[("x", &[Pass::Absent, Pass::Absent, Pass::Series(&["a"])])]);
    run_until(&collectors, "it to appear", |statuses| statuses[0].up).await;
    assert_eq!(collectors.status()[0].errors, 0);
    let up = store.values(r#"collector_up{collector="scripted", target="x"}"#);
    assert!(up.iter().all(|up| *up == 1.0), "{up:?}");
}

#[tokio::test]
async fn what_is_looked_at_seldom_is_written_again_and_counts_as_one_look() {
    let store = Arc::new(MemoryStore::default());
    let passes = vec![Pass::Series(&["rare"])];
    let collector = Scripted { target: "x", interval: Duration::from_secs(3600), passes };
    let collectors = Collectors::of(vec![(Box::new(collector), Source::Collector)], ingest(&store));
    collectors.waiting.lock()[0].remind = Duration::from_millis(10);
    let up = r#"collector_up{collector="scripted", target="x"}"#;
    run_until(&collectors, "it to be written four times", |_| store.values(up).len() >= 4).await;
    let rare = store.values("rare");
    assert!(rare.len() >= 4 && rare.iter().all(|value| *value == 1.0), "{rare:?}");
    assert!(store.values(up).iter().all(|up| *up == 1.0));
    assert_eq!(collectors.status()[0].runs, 1);
    let times: Vec<i64> =
        store.samples.lock().iter().filter(|(name, ..)| name == "rare").map(|(_, time, _)| *time).collect();
    assert!(times.is_sorted_by(|earlier, later| earlier < later), "{times:?}");
}

#[test]
fn passes_are_timed_by_whole_seconds_and_never_twice_by_the_same() {
    let time =
        |now, last| time_of_pass(Timestamp::from_millis(now), Timestamp::from_millis(last)).as_millis();
    assert_eq!(time(1_999, 0), 1_000);
    assert_eq!(time(1_999, 1_000), 1_999);
    assert_eq!(time(2_001, 1_999), 2_000);
}

fn redis_with_a_queue(url: String) -> RedisConfig {
    let pending = KeyConfig {
        key: "jobs".to_owned(),
        kind: KeyType::List,
        oldest: None,
        score: None,
        group: None,
        field: None,
    };
    let queue = QueueConfig { name: "jobs".to_owned(), pending: Some(pending), ..QueueConfig::default() };
    RedisConfig {
        name: Some("main".to_owned()),
        url,
        interval: model::DurationText(Duration::from_millis(100)),
        queues: vec![queue],
        ..RedisConfig::default()
    }
}

#[tokio::test]
async fn a_redis_that_goes_away_is_told_of_and_found_again() {
    let redis = testkit::Redis::start().await.unwrap();
    let registry = prometheus::Registry::new();
    let pipeline = Pipeline::new(pipeline::Config::default(), &registry).unwrap();
    let store = Arc::new(MemoryStore::default());
    let mut config = Config { redis: vec![redis_with_a_queue(redis.url())], ..Config::default() };
    config.host.interval = model::DurationText(Duration::from_millis(100));
    let collectors =
        Collectors::new(&config, Path::new("/nonexistent"), ingest(&store), &pipeline, &registry).unwrap();
    let cancel = CancellationToken::new();
    let running = tokio::spawn(Arc::clone(&collectors).run(cancel.clone()));
    let wait = async |up: bool, what: &str| {
        eventually(what, || async {
            let statuses = collectors.status();
            let as_wanted = |target| {
                let status = status(&statuses, target);
                status.runs > 0 && status.up == up
            };
            Ok((as_wanted("main") && as_wanted("jobs")).then_some(()))
        })
        .await
        .unwrap();
    };
    wait(true, "redis to be watched").await;
    let port = redis.stop().await.unwrap();
    wait(false, "the outage to be noticed").await;
    let statuses = collectors.status();
    let error = status(&statuses, "jobs").last_error.clone().unwrap();
    assert_eq!(error, format!("cannot reach redis at 127.0.0.1:{port}: connection refused"));
    eventually("the outage to be stored", || async {
        let up = store.last(r#"collector_up{collector="redis", target="main"}"#);
        Ok((up == Some(0.0) && store.last(r#"redis_up{redis="main"}"#) == Some(0.0)).then_some(()))
    })
    .await
    .unwrap();
    let host = statuses.iter().find(|status| status.name == "host").unwrap();
    assert!(host.up, "the others go on: {host:?}");
    let _redis = testkit::Redis::start_on(port).await.unwrap();
    wait(true, "redis to be found again").await;
    cancel.cancel();
    running.await.unwrap();
}

#[tokio::test]
async fn a_password_in_an_address_is_never_told() {
    let port = testkit::free_port().unwrap();
    let url = format!("redis://user:hunter2@127.0.0.1:{port}/0");
    let config = Config { redis: vec![redis_with_a_queue(url)], ..Config::default() };
    let registry = prometheus::Registry::new();
    let pipeline = Pipeline::new(pipeline::Config::default(), &registry).unwrap();
    let store = Arc::new(MemoryStore::default());
    let collectors =
        Collectors::new(&config, Path::new("/nonexistent"), ingest(&store), &pipeline, &registry).unwrap();
    run_until(&collectors, "a failure", |statuses| status(statuses, "main").runs > 0).await;
    let shown = format!("{:?}", collectors.status());
    assert!(shown.contains("connection refused") && !shown.contains("hunter2"), "{shown}");
}

#[test]
fn a_configuration_that_cannot_be_used_is_refused() {
    let new = |config: &Config| {
        let registry = prometheus::Registry::new();
        let pipeline = Pipeline::new(pipeline::Config::default(), &registry).unwrap();
        let made = Collectors::new(
            config,
            Path::new("/nonexistent"),
            ingest(&Arc::new(MemoryStore::default())),
            &pipeline,
            &registry,
        );
        let error = made.err().expect("it cannot be used");
        std::error::Error::source(&error).expect("it has a cause").to_string()
    };
    let redis = |url: &str| RedisConfig { url: url.to_owned(), ..redis_with_a_queue(String::new()) };
    let queue = redis_with_a_queue("redis://127.0.0.1/0".to_owned());
    let other = RedisConfig { name: Some("other".to_owned()), ..queue.clone() };
    let mut path = queue.clone();
    path.queues[0].fields = FieldPaths { id: String::new(), ..FieldPaths::default() };
    let cases = [
        (vec![redis("localhost:6379")], "redis `main`: the url is no address"),
        (vec![redis("rediss://localhost")], "without TLS only"),
        (vec![queue.clone(), queue.clone()], "two of this name"),
        (vec![queue, other], "two queues of this name"),
        (vec![path], "queue `jobs`: `` is not a path"),
    ];
    for (redis, problem) in cases {
        let text = new(&Config { redis, ..Config::default() });
        assert!(text.contains(problem), "`{text}` does not say `{problem}`");
    }
}
