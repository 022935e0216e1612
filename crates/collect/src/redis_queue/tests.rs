use std::collections::BTreeMap;

use redis::AsyncCommands;
use redis::aio::MultiplexedConnection;

use super::*;
use crate::redis_server::RedisConfig;

const TEXT: &str = "It was the best of times, it was the worst of times";

/// A real Redis, and a queue in it that is watched.
struct Scene {
    redis: MultiplexedConnection,
    queue: Queue,
    registry: Registry,
    clock: i64,
    _server: testkit::Redis,
}

/// What one pass shows.
struct Shown {
    snapshot: QueueSnapshot,
    batch: MetricBatch,
}

impl Scene {
    async fn new(config: &QueueConfig) -> Self {
        let server = testkit::Redis::start().await.unwrap();
        let settings = RedisConfig { url: server.url(), ..RedisConfig::default() };
        let shared = Arc::new(Server::new(&settings).unwrap());
        let registry = Registry::new();
        let pipeline = Pipeline::new(pipeline::Config::default(), &registry).unwrap();
        let metrics = QueueMetrics::new(&registry).unwrap();
        let interval = Duration::from_secs(15);
        let queue =
            Queue::new(Mapping::new(config).unwrap(), interval, Arc::clone(&shared), pipeline, metrics);
        let redis = shared.connection().await.unwrap();
        Self { redis, queue, registry, clock: 1_800_000_000, _server: server }
    }

    /// Looks at the queue, 15 seconds after the last look.
    async fn pass(&mut self) -> Shown {
        self.clock += 15;
        let batch = self.queue.collect(self.now()).await.unwrap();
        let snapshot = self.queue.last.lock().clone().unwrap();
        Shown { snapshot, batch }
    }

    fn now(&self) -> Timestamp {
        Timestamp::from_millis(self.clock * 1000)
    }

    fn counter(&self, name: &str) -> f64 {
        let families = self.registry.gather();
        let family = families.iter().find(|family| family.name() == name);
        family.map_or(0.0, |family| family.get_metric()[0].get_counter().get_value())
    }
}

impl Shown {
    fn depth(&self, state: QueueState) -> u64 {
        self.snapshot.depth.get(&state).copied().unwrap_or(0)
    }

    fn ids(&self, state: QueueState) -> Vec<&str> {
        self.tasks(state).map(|task| task.id.as_str()).collect()
    }

    fn tasks(&self, state: QueueState) -> impl Iterator<Item = &pipeline::QueueTask> {
        self.snapshot.tasks.iter().filter(move |task| task.state == state)
    }

    /// Arrived, ended well, ended badly.
    fn totals(&self) -> [u64; 3] {
        let snapshot = &self.snapshot;
        [snapshot.enqueued_total, snapshot.completed_total, snapshot.failed_total].map(Option::unwrap)
    }

    fn samples(&self) -> BTreeMap<String, f64> {
        self.batch.iter().map(|(labels, samples)| (labels.to_string(), samples[0].value)).collect()
    }
}

fn key(name: &str, kind: KeyType) -> KeyConfig {
    KeyConfig { key: name.to_owned(), kind, oldest: None, score: None, group: None, field: None }
}

/// The LLM queue of Document Hub.
fn document_hub() -> QueueConfig {
    let name = |text: &str| Some(text.to_owned());
    QueueConfig {
        name: "llm_tasks".to_owned(),
        pending: Some(key("llm_tasks", KeyType::Zset)),
        processing: Some(key("llm_tasks:processing", KeyType::Set)),
        results: Some(ResultsConfig {
            pattern: "llm_results:*".to_owned(),
            id_from: IdFrom::Suffix,
            failed_path: name("error"),
            failed_values: Vec::new(),
        }),
        fields: FieldPaths {
            id: "task_id".to_owned(),
            kind: name("task_type"),
            document: name("document_id"),
            priority: name("priority"),
            created: name("created_at"),
        },
        ..QueueConfig::default()
    }
}

fn task(id: &str, priority: i64, created: Timestamp) -> String {
    let created = created.to_string();
    let created = created.trim_end_matches('Z');
    serde_json::json!({
        "task_id": id, "document_id": format!("doc-{id}"), "task_type": "summary", "text": TEXT,
        "schema": {"title": TEXT}, "callback_data": {}, "priority": priority, "created_at": created,
    })
    .to_string()
}

async fn set_result(redis: &mut MultiplexedConnection, id: &str, error: Option<&str>) {
    let result = serde_json::json!({"task_id": id, "result": {"summary": TEXT}, "error": error});
    let _: () = redis.set_ex(format!("llm_results:{id}"), result.to_string(), 3600).await.unwrap();
}

#[tokio::test]
async fn a_task_of_document_hub_is_followed_from_pending_to_its_result() {
    let mut scene = Scene::new(&document_hub()).await;
    set_result(&mut scene.redis.clone(), "history", None).await;
    assert_eq!(scene.pass().await.totals(), [0, 0, 0]);

    let mut redis = scene.redis.clone();
    for (id, priority, age) in [("a", 1, 100), ("b", 9, 50), ("c", 5, 10)] {
        let created = scene.now().before(Duration::from_secs(age));
        let _: () = redis.zadd("llm_tasks", task(id, priority, created), -priority).await.unwrap();
    }
    let shown = scene.pass().await;
    assert_eq!((shown.depth(QueueState::Pending), shown.depth(QueueState::Processing)), (3, 0));
    assert_eq!(shown.ids(QueueState::Pending), ["a", "b", "c"], "oldest first, whatever the priority");
    assert_eq!(shown.totals(), [3, 0, 0]);
    let pending = shown.tasks(QueueState::Pending).nth(1).unwrap();
    assert_eq!((pending.kind.as_deref(), pending.document_id.as_deref()), (Some("summary"), Some("doc-b")));
    assert_eq!((pending.priority, pending.score), (Some(9.0), Some(-9.0)));
    assert_eq!(pending.payload_bytes, task("b", 9, pending.created_at.unwrap()).len() as u64);
    let samples = shown.samples();
    assert_eq!(samples[r#"queue_depth{queue="llm_tasks", state="pending"}"#], 3.0);
    assert_eq!(samples[r#"queue_oldest_age_seconds{queue="llm_tasks", state="pending"}"#], 115.0);
    assert_eq!(samples[r#"queue_oldest_age_seconds{queue="llm_tasks", state="processing"}"#], 0.0);

    // A worker takes the one with the highest priority: what is left of it in Redis is a bare id.
    let _: Vec<(String, f64)> = redis.zpopmin("llm_tasks", 1).await.unwrap();
    let _: () = redis.sadd("llm_tasks:processing", "b").await.unwrap();
    scene.pass().await;
    let shown = scene.pass().await;
    assert_eq!((shown.depth(QueueState::Pending), shown.depth(QueueState::Processing)), (2, 1));
    let processing = shown.tasks(QueueState::Processing).next().unwrap();
    assert_eq!((processing.id.as_str(), processing.kind.as_deref()), ("b", Some("summary")));
    assert_eq!(processing.payload_hash, pending.payload_hash);
    let samples = shown.samples();
    assert_eq!(samples[r#"queue_oldest_age_seconds{queue="llm_tasks", state="processing"}"#], 15.0);
    assert_eq!(shown.totals(), [3, 0, 0]);

    // It ends well, another ends badly, and a third comes and goes between two looks.
    set_result(&mut redis, "b", None).await;
    set_result(&mut redis, "a", Some("the model said no")).await;
    set_result(&mut redis, "quick", None).await;
    let _: () = redis.srem("llm_tasks:processing", "b").await.unwrap();
    let _: () = redis.zrembyscore("llm_tasks", -1, -1).await.unwrap();
    let shown = scene.pass().await;
    assert_eq!((shown.depth(QueueState::Pending), shown.depth(QueueState::Processing)), (1, 0));
    assert_eq!(shown.totals(), [4, 2, 1]);
    assert_eq!(scene.pass().await.totals(), [4, 2, 1], "a result is counted once");
}

#[tokio::test]
async fn the_text_of_payloads_never_leaves() {
    let mut scene = Scene::new(&document_hub()).await;
    let mut redis = scene.redis.clone();
    scene.pass().await;
    for member in [task("a", 1, scene.now()), TEXT.to_owned(), format!("{{\"text\": \"{TEXT}\"}}")] {
        let _: () = redis.zadd("llm_tasks", member, 1).await.unwrap();
    }
    let _: () = redis.sadd("llm_tasks:processing", TEXT).await.unwrap();
    set_result(&mut redis, "quick", Some(TEXT)).await;
    let shown = scene.pass().await;
    assert_eq!(shown.ids(QueueState::Pending).len() + shown.ids(QueueState::Processing).len(), 3);
    let kept = format!("{:?} {:?} {:?}", shown.snapshot, shown.samples(), scene.queue.mapping);
    assert!(!kept.contains("best of times") && !kept.contains("worst"), "{kept}");
}

#[tokio::test]
async fn malformed_payloads_are_counted_and_shown_under_their_hash() {
    let mut scene = Scene::new(&document_hub()).await;
    let mut redis = scene.redis.clone();
    let members: [&[u8]; 3] = [b"{\"task_id\":", b"\xff\xfe\xfd", b"{\"document_id\":\"x\"}"];
    for (score, member) in members.into_iter().enumerate() {
        let _: () = redis.zadd("llm_tasks", member, score).await.unwrap();
    }
    scene.pass().await;
    let shown = scene.pass().await;
    assert_eq!(shown.depth(QueueState::Pending), 3);
    assert!(
        shown.ids(QueueState::Pending).iter().all(|id| id.starts_with("payload-")),
        "{:?}",
        shown.snapshot
    );
    assert_eq!(scene.counter("watchkeeper_queue_payloads_malformed_total"), 3.0);
}

#[tokio::test]
async fn a_list_is_read_from_the_end_that_is_oldest() {
    for (oldest, expected) in [(OldestEnd::Tail, ["1", "2"]), (OldestEnd::Head, ["3", "2"])] {
        let mut pending = key("jobs", KeyType::List);
        pending.oldest = Some(oldest);
        let mut scene = Scene::new(&QueueConfig {
            name: "jobs".to_owned(),
            pending: Some(pending),
            processing: Some(key("jobs:processing", KeyType::List)),
            dead: Some(key("jobs:dead", KeyType::List)),
            max_members: MaxMembers(2),
            ..QueueConfig::default()
        })
        .await;
        let mut redis = scene.redis.clone();
        for id in ["1", "2", "3"] {
            let _: () = redis.lpush("jobs", id).await.unwrap();
        }
        let shown = scene.pass().await;
        let mut ids = shown.ids(QueueState::Pending);
        ids.sort_unstable();
        let mut expected = expected.to_vec();
        expected.sort_unstable();
        assert_eq!((shown.depth(QueueState::Pending), ids), (3, expected), "{oldest:?}");
    }
}

#[tokio::test]
async fn without_results_what_leaves_has_ended_and_what_dies_has_failed() {
    let mut scene = Scene::new(&QueueConfig {
        name: "jobs".to_owned(),
        pending: Some(key("jobs", KeyType::List)),
        processing: Some(key("jobs:processing", KeyType::List)),
        delayed: Some(key("jobs:delayed", KeyType::Zset)),
        dead: Some(key("jobs:dead", KeyType::List)),
        ..QueueConfig::default()
    })
    .await;
    let mut redis = scene.redis.clone();
    scene.pass().await;
    for id in ["a", "b", "c"] {
        let _: () = redis.lpush("jobs", id).await.unwrap();
    }
    assert_eq!(scene.pass().await.totals(), [3, 0, 0]);
    for list in ["jobs:processing", "jobs:processing", "jobs:dead"] {
        let id: String = redis.rpop("jobs", None).await.unwrap();
        let entry = if list == "jobs:dead" { format!(r#"{{"id":"{id}","error":"x"}}"#) } else { id };
        let _: () = redis.lpush(list, entry).await.unwrap();
    }
    let shown = scene.pass().await;
    assert_eq!(shown.totals(), [3, 0, 1]);
    assert_eq!((shown.ids(QueueState::Processing), shown.ids(QueueState::Dead)), (vec!["a", "b"], vec!["c"]));
    // One is put off, which is no end; the other is done.
    let _: () = redis.del("jobs:processing").await.unwrap();
    let _: () = redis.zadd("jobs:delayed", "a", 1_900_000_000).await.unwrap();
    scene.pass().await;
    let shown = scene.pass().await;
    assert_eq!(shown.totals(), [3, 1, 1]);
    assert_eq!(shown.ids(QueueState::Delayed), ["a"]);
    let _: () = redis.del("jobs:dead").await.unwrap();
    scene.pass().await;
    assert_eq!(scene.pass().await.totals(), [3, 1, 1], "taking a dead letter away is no second end");
}

#[tokio::test]
async fn a_streams_backlog_is_what_its_group_has_not_had() {
    let mut pending = key("tasks", KeyType::Stream);
    pending.group = Some("workers".to_owned());
    pending.field = Some("data".to_owned());
    let config = QueueConfig { name: "tasks".to_owned(), pending: Some(pending), ..QueueConfig::default() };
    let mut scene = Scene::new(&config).await;
    let mut redis = scene.redis.clone();
    assert_eq!(scene.pass().await.depth(QueueState::Pending), 0, "a stream that is not there is empty");
    let _: () = redis.xgroup_create_mkstream("tasks", "workers", "0").await.unwrap();
    for id in ["a", "b", "c"] {
        let data = format!(r#"{{"id":"{id}","text":"{TEXT}"}}"#);
        let _: String = redis.xadd("tasks", "*", &[("data", data)]).await.unwrap();
    }
    let shown = scene.pass().await;
    assert_eq!((shown.depth(QueueState::Pending), shown.ids(QueueState::Pending)), (3, vec!["a", "b", "c"]));
    let read = |count: usize| {
        redis::cmd("XREADGROUP")
            .arg("GROUP")
            .arg("workers")
            .arg("w1")
            .arg("COUNT")
            .arg(count)
            .arg("STREAMS")
            .arg("tasks")
            .arg(">")
            .clone()
    };
    let _: redis::Value = read(2).query_async(&mut redis).await.unwrap();
    let shown = scene.pass().await;
    assert_eq!((shown.depth(QueueState::Pending), shown.depth(QueueState::Processing)), (1, 2));
    assert_eq!(shown.ids(QueueState::Processing), ["a", "b"], "known from when they waited");
    let first = shown.tasks(QueueState::Processing).next().unwrap().created_at.unwrap();
    let entry = format!("{}-0", first.as_millis());
    let _: u64 = redis.xack("tasks", "workers", &[entry]).await.unwrap();
    scene.pass().await;
    let shown = scene.pass().await;
    assert_eq!(shown.totals(), [3, 1, 0]);
    assert_eq!(shown.depth(QueueState::Processing), 1);
}

#[tokio::test]
async fn a_huge_queue_is_read_in_part_and_counted_by_its_depth() {
    let config = QueueConfig { max_members: MaxMembers(150), ..document_hub() };
    let mut scene = Scene::new(&config).await;
    let mut redis = scene.redis.clone();
    let add = async |redis: &mut MultiplexedConnection, ids: std::ops::Range<usize>| {
        let mut pipe = redis::pipe();
        for id in ids {
            pipe.zadd("llm_tasks", task(&format!("t{id:05}"), 1, Timestamp::from_millis(0)), id);
        }
        let _: () = pipe.query_async(redis).await.unwrap();
    };
    add(&mut redis, 0..3_000).await;
    let shown = scene.pass().await;
    assert_eq!(shown.depth(QueueState::Pending), 3_000);
    assert_eq!(shown.ids(QueueState::Pending).len(), 150);
    add(&mut redis, 3_000..3_100).await;
    assert_eq!(scene.pass().await.totals(), [100, 0, 0]);
    // Sixty are worked off, twenty more arrive.
    let popped: Vec<(String, f64)> = redis.zpopmin("llm_tasks", 60).await.unwrap();
    for (payload, _) in &popped {
        let payload: serde_json::Value = serde_json::from_str(payload).unwrap();
        set_result(&mut redis, payload["task_id"].as_str().unwrap(), None).await;
    }
    add(&mut redis, 3_100..3_120).await;
    assert_eq!(scene.pass().await.totals(), [120, 60, 0], "found by their results");
    // Down to what can be read whole again; what was taken away without a result has not ended.
    let _: () = redis.zremrangebyrank("llm_tasks", 0, -51).await.unwrap();
    scene.pass().await;
    let shown = scene.pass().await;
    assert_eq!(shown.depth(QueueState::Pending), 50);
    assert_eq!(shown.ids(QueueState::Pending).len(), 50);
    assert_eq!(shown.totals(), [120, 60, 0]);
    assert!(shown.snapshot.tasks.len() <= 200);
    assert!(scene.counter("watchkeeper_queue_partial_reads_total") >= 3.0);
}

#[tokio::test]
async fn a_key_of_another_type_is_named() {
    let mut scene = Scene::new(&document_hub()).await;
    let mut redis = scene.redis.clone();
    let _: () = redis.lpush("llm_tasks", "x").await.unwrap();
    let error = scene.queue.collect(scene.now()).await.unwrap_err().chain();
    assert_eq!(error, "the key `llm_tasks` is a list, and is mapped as a zset");
}

#[tokio::test]
async fn results_that_cannot_be_read_count_as_ends_without_failure() {
    let mut scene = Scene::new(&document_hub()).await;
    let mut redis = scene.redis.clone();
    scene.pass().await;
    let long = format!(r#"{{"error":"{}"}}"#, "x".repeat(2 << 20));
    let _: () = redis.set("llm_results:long", long).await.unwrap();
    let _: () = redis.hset("llm_results:hash", "a", "b").await.unwrap();
    let _: () = redis.set("llm_results:text", "no json").await.unwrap();
    assert_eq!(scene.pass().await.totals(), [3, 3, 0]);
    assert_eq!(scene.counter("watchkeeper_queue_results_unread_total"), 3.0);
}

#[tokio::test]
async fn a_queue_that_cannot_be_read_stays_in_sight_as_it_was() {
    let mut scene = Scene::new(&document_hub()).await;
    let mut redis = scene.redis.clone();
    let _: () = redis.zadd("llm_tasks", task("a", 1, scene.now()), 1).await.unwrap();
    scene.pass().await;
    scene.queue.when_down(scene.now());
    let view = scene.queue.pipeline.queues().get("llm_tasks").unwrap();
    assert!(!view.ok && view.depth_of(QueueState::Pending) == 1, "{view:?}");
}
