//! Against a real Redis: what is seen is what is done, and no task is lost or doubled.

mod refused;

use std::collections::BTreeMap;

use redis::AsyncCommands;
use redis::aio::MultiplexedConnection;

use super::*;
use crate::redis_queue::mapping::MaxMembers;
use crate::redis_queue::{FieldPaths, KeyConfig, KeyType, QueueConfig};
use crate::redis_server::RedisConfig;

/// A real Redis with one mapped queue.
struct Scene {
    redis: MultiplexedConnection,
    operations: QueueOperations,
    server: testkit::Redis,
}

impl Scene {
    async fn new(config: QueueConfig) -> Self {
        let server = testkit::Redis::start().await.unwrap();
        let settings = RedisConfig { url: server.url(), ..RedisConfig::default() };
        let shared = Arc::new(Server::new(&settings).unwrap());
        let redis = shared.connection().await.unwrap();
        let pipeline = Pipeline::new(pipeline::Config::default(), &prometheus::Registry::new()).unwrap();
        let mut operations = QueueOperations::new(pipeline);
        operations.add(shared, Mapping::new(&config).unwrap());
        Self { redis, operations, server }
    }

    async fn preview(&self, action: QueueAction, selection: TaskSelection) -> OperationPreview {
        self.operations.preview("q", action, selection).await.unwrap()
    }

    /// Previews, and does it.
    async fn run(&self, action: QueueAction, selection: TaskSelection) -> OperationOutcome {
        let preview = self.preview(action, selection).await;
        self.operations.execute("q", &preview.digest).await.unwrap()
    }

    async fn refused(&self, action: QueueAction, selection: TaskSelection) -> String {
        self.operations.preview("q", action, selection).await.expect_err("refused").to_string()
    }

    async fn list(&mut self, key: &str) -> Vec<String> {
        self.redis.lrange(key, 0, -1).await.unwrap()
    }
}

fn key(name: &str, kind: KeyType) -> KeyConfig {
    KeyConfig { key: name.to_owned(), kind, oldest: None, score: None, group: None, field: None }
}

fn queue(pending: KeyType, processing: KeyType) -> QueueConfig {
    QueueConfig {
        name: "q".to_owned(),
        pending: Some(key("pending", pending)),
        processing: Some(key("processing", processing)),
        dead: Some(key("dead", KeyType::List)),
        fields: FieldPaths { kind: Some("kind".to_owned()), ..FieldPaths::default() },
        ..QueueConfig::default()
    }
}

fn stream() -> QueueConfig {
    let pending = KeyConfig { group: Some("workers".to_owned()), ..key("stream", KeyType::Stream) };
    QueueConfig { name: "q".to_owned(), pending: Some(pending), ..QueueConfig::default() }
}

fn all(state: QueueState) -> TaskSelection {
    TaskSelection { state, ids: Vec::new(), older_than: None, no_owner: false, all: true }
}

fn ids(state: QueueState, ids: &[&str]) -> TaskSelection {
    TaskSelection { ids: ids.iter().map(|id| (*id).to_owned()).collect(), all: false, ..all(state) }
}

fn task(id: &str) -> String {
    serde_json::json!({ "id": id, "kind": "summary", "text": "the quick brown fox" }).to_string()
}

#[tokio::test]
async fn tasks_that_were_taken_wait_again_where_they_are_taken_next() {
    let mut scene = Scene::new(queue(KeyType::List, KeyType::List)).await;
    // LPUSH and RPOP: the oldest is at the tail.
    let _: () = scene.redis.lpush("processing", &[task("a"), task("b"), task("c")]).await.unwrap();
    let _: () = scene.redis.lpush("pending", task("d")).await.unwrap();
    let preview = scene.preview(QueueAction::Requeue, ids(QueueState::Processing, &["a", "b"])).await;
    let seen: Vec<&str> = preview.tasks.iter().map(|task| task.id.as_str()).collect();
    assert_eq!(seen, ["a", "b"]);
    assert_eq!(preview.tasks[0].kind, None, "the collector has not seen it yet, and its age is not known");
    assert!(!format!("{preview:?}").contains("fox"), "{preview:?}");
    assert_eq!(scene.list("pending").await, [task("d")], "a preview changes nothing");

    let done = scene.operations.execute("q", &preview.digest).await.unwrap();
    assert_eq!((done.done.len(), done.gone.len()), (2, 0));
    assert_eq!(scene.list("pending").await, [task("d"), task("b"), task("a")]);
    assert_eq!(scene.list("processing").await, [task("c")]);
    let again = scene.operations.execute("q", &preview.digest).await;
    assert!(matches!(again, Err(OperationError::NoPreview)), "a preview is executed once: {again:?}");
}

#[tokio::test]
async fn sorted_sets_keep_their_scores() {
    let mut scene = Scene::new(queue(KeyType::Zset, KeyType::Zset)).await;
    for (id, score) in [("a", -5.25), ("b", 1e15), ("c", 0.1)] {
        let _: () = scene.redis.zadd("processing", task(id), score).await.unwrap();
    }
    scene.run(QueueAction::Requeue, ids(QueueState::Processing, &["a", "b"])).await;
    let pending: Vec<(String, f64)> = scene.redis.zrange_withscores("pending", 0, -1).await.unwrap();
    assert_eq!(pending, [(task("a"), -5.25), (task("b"), 1e15)]);
    let left: Vec<String> = scene.redis.zrange("processing", 0, -1).await.unwrap();
    assert_eq!(left, [task("c")]);
}

#[tokio::test]
async fn what_moved_on_since_the_preview_is_left_alone() {
    let mut scene = Scene::new(queue(KeyType::List, KeyType::List)).await;
    let _: () = scene.redis.lpush("processing", &[task("a"), task("b"), task("c")]).await.unwrap();
    let preview = scene.preview(QueueAction::Requeue, all(QueueState::Processing)).await;
    // A worker ends one; another arrives, that nobody has seen; one comes back with another payload.
    let _: () = scene.redis.lrem("processing", 1, task("a")).await.unwrap();
    let changed = task("b").replace("fox", "dog");
    let _: () = scene.redis.lrem("processing", 1, task("b")).await.unwrap();
    let _: () = scene.redis.lpush("processing", &[task("new"), changed.clone()]).await.unwrap();
    let done = scene.operations.execute("q", &preview.digest).await.unwrap();
    assert_eq!((done.done, done.gone), (vec!["c".to_owned()], vec!["a".to_owned(), "b".to_owned()]));
    assert_eq!(scene.list("pending").await, [task("c")]);
    assert_eq!(scene.list("processing").await, [changed, task("new")]);
}

#[tokio::test]
async fn bare_ids_are_cleared_and_never_queued_as_tasks() {
    let mut scene = Scene::new(queue(KeyType::Zset, KeyType::Set)).await;
    let _: () = scene.redis.sadd("processing", &["t-1", "t-2"]).await.unwrap();
    let refused = scene.refused(QueueAction::Requeue, ids(QueueState::Processing, &["t-1"])).await;
    assert!(refused.contains("bare ids") && refused.contains("only be removed"), "{refused}");
    let done = scene.run(QueueAction::Remove, ids(QueueState::Processing, &["t-1"])).await;
    assert_eq!(done.done, ["t-1"]);
    let left: Vec<String> = scene.redis.smembers("processing").await.unwrap();
    assert_eq!(left, ["t-2"]);

    let mut scene = Scene::new(queue(KeyType::List, KeyType::List)).await;
    let _: () = scene.redis.lpush("processing", "t-1").await.unwrap();
    let refused = scene.refused(QueueAction::Requeue, all(QueueState::Processing)).await;
    assert!(refused.contains("bare ids"), "{refused}");

    // Where ids are all there is, an id is the task.
    let plain = QueueConfig { fields: FieldPaths::default(), ..queue(KeyType::List, KeyType::List) };
    let mut scene = Scene::new(plain).await;
    let _: () = scene.redis.lpush("processing", &["t-1", "t-1"]).await.unwrap();
    let done = scene.run(QueueAction::Requeue, all(QueueState::Processing)).await;
    assert_eq!(done.done, ["t-1", "t-1"], "two that are the same are two");
    assert_eq!(scene.list("pending").await, ["t-1", "t-1"]);
}

#[tokio::test]
async fn a_dead_letter_is_queued_as_the_task_that_the_mapping_finds_in_it() {
    let letters = |dead_task: Option<&str>| QueueConfig {
        dead_task: dead_task.map(str::to_owned),
        ..queue(KeyType::List, KeyType::List)
    };
    let scene = Scene::new(letters(None)).await;
    let refused = scene.refused(QueueAction::Requeue, all(QueueState::Dead)).await;
    assert!(refused.contains("dead_task"), "{refused}");

    let mut scene = Scene::new(letters(Some("task"))).await;
    let letter = serde_json::json!({ "id": "a", "error": "boom", "task": { "id": "a", "kind": "summary" } });
    let _: () = scene.redis.lpush("dead", letter.to_string()).await.unwrap();
    scene.run(QueueAction::Requeue, all(QueueState::Dead)).await;
    let pending: Vec<serde_json::Value> =
        scene.list("pending").await.iter().map(|task| serde_json::from_str(task).unwrap()).collect();
    assert_eq!(pending, [letter["task"].clone()]);
    assert!(scene.list("dead").await.is_empty());

    // As it was written: the order of names, numbers of any size, names that stand twice, spaces.
    let written =
        r#"{"seed": 123456789012345678901234567890, "id":"b", "p":1.10, "a":1,"a":2, "e":"\u00e9"}"#;
    let in_a_text = serde_json::to_string(written).unwrap();
    for inner in [written, &in_a_text] {
        let letter = format!(r#" {{"id":"b","task": {inner} }}"#);
        let _: () = scene.redis.del("pending").await.unwrap();
        let _: () = scene.redis.lpush("dead", letter).await.unwrap();
        scene.run(QueueAction::Requeue, all(QueueState::Dead)).await;
        assert_eq!(scene.list("pending").await, [written]);
    }

    let _: () = scene.redis.lpush("dead", r#"{"id":"b","error":"boom"}"#).await.unwrap();
    let refused = scene.refused(QueueAction::Requeue, all(QueueState::Dead)).await;
    assert!(refused.contains("no task inside"), "{refused}");

    // Beside others it is skipped, and stays. A letter without an id of its own goes by that of its task.
    let _: () = scene.redis.lpush("dead", r#"{"error":"boom","task":{"id":"c"}}"#).await.unwrap();
    let named = scene.preview(QueueAction::Remove, ids(QueueState::Dead, &["c"])).await;
    assert_eq!(named.tasks.iter().map(|task| task.id.as_str()).collect::<Vec<_>>(), ["c"]);
    let preview = scene.preview(QueueAction::Requeue, all(QueueState::Dead)).await;
    assert_eq!((preview.tasks.len(), preview.skipped.as_slice()), (1, ["b".to_owned()].as_slice()));
    let done = scene.operations.execute("q", &preview.digest).await.unwrap();
    assert_eq!((done.done, done.skipped), (vec!["c".to_owned()], vec!["b".to_owned()]));
    assert_eq!(scene.list("dead").await.len(), 1);
}

#[tokio::test]
async fn what_an_operation_did_not_look_at_is_said() {
    let mut scene = Scene::new(queue(KeyType::List, KeyType::List)).await;
    let tasks: Vec<String> = (0..MaxMembers::HIGHEST + 10).map(|id| task(&id.to_string())).collect();
    let _: () = scene.redis.lpush("processing", tasks).await.unwrap();
    let last = (MaxMembers::HIGHEST + 9).to_string();
    let preview = scene.preview(QueueAction::Remove, ids(QueueState::Processing, &[&last])).await;
    assert_eq!((preview.tasks.len(), preview.more, preview.unread), (0, false, 10));
    let preview = scene.preview(QueueAction::Remove, all(QueueState::Processing)).await;
    assert_eq!((preview.more, preview.unread), (true, 10));
}

#[tokio::test]
async fn a_pending_key_of_another_type_costs_no_task() {
    let mut scene = Scene::new(queue(KeyType::List, KeyType::List)).await;
    let _: () = scene.redis.lpush("processing", task("a")).await.unwrap();
    let preview = scene.preview(QueueAction::Requeue, all(QueueState::Processing)).await;
    let _: () = scene.redis.set("pending", "a text").await.unwrap();
    let failed = scene.operations.execute("q", &preview.digest).await;
    assert!(matches!(&failed, Err(OperationError::BrokenOff { done, .. }) if done.is_empty()), "{failed:?}");
    assert_eq!(scene.list("processing").await, [task("a")]);
}

#[tokio::test]
async fn selections_that_mean_nothing_are_refused() {
    let scene = Scene::new(queue(KeyType::List, KeyType::List)).await;
    let nothing = TaskSelection { all: false, ..all(QueueState::Processing) };
    assert!(scene.refused(QueueAction::Remove, nothing.clone()).await.contains("no task is chosen"));
    let both = TaskSelection { no_owner: true, ..all(QueueState::Processing) };
    assert!(scene.refused(QueueAction::Remove, both).await.contains("all stands alone"));
    let elsewhere = TaskSelection { state: QueueState::Dead, no_owner: true, ..nothing.clone() };
    assert!(scene.refused(QueueAction::Remove, elsewhere).await.contains("processing"));
    assert!(scene.refused(QueueAction::Requeue, all(QueueState::Pending)).await.contains("wait already"));
    assert!(scene.refused(QueueAction::Remove, all(QueueState::Delayed)).await.contains("delayed"));
    let many = TaskSelection { ids: vec!["x".to_owned(); MAX_IDS + 1], ..nothing };
    assert!(scene.refused(QueueAction::Remove, many).await.contains("1000 ids"));
    let unknown = scene.operations.preview("other", QueueAction::Remove, all(QueueState::Dead)).await;
    assert!(matches!(unknown, Err(OperationError::UnknownQueue(_))), "{unknown:?}");
}

#[tokio::test]
async fn an_operation_is_bounded_and_says_that_there_is_more() {
    let mut scene = Scene::new(queue(KeyType::List, KeyType::List)).await;
    let tasks: Vec<String> = (0..MAX_TASKS + 5).map(|id| task(&id.to_string())).collect();
    let _: () = scene.redis.lpush("processing", tasks).await.unwrap();
    let preview = scene.preview(QueueAction::Remove, all(QueueState::Processing)).await;
    assert!((preview.more, preview.tasks.len()) == (true, MAX_TASKS));
    let done = scene.operations.execute("q", &preview.digest).await.unwrap();
    assert_eq!(done.done.len(), MAX_TASKS);
    assert_eq!(scene.list("processing").await.len(), 5);
}

async fn deliver(redis: &mut MultiplexedConnection, consumer: &str, count: usize) {
    let _: redis::Value = redis::cmd("XREADGROUP")
        .arg("GROUP")
        .arg("workers")
        .arg(consumer)
        .arg("COUNT")
        .arg(count)
        .arg("STREAMS")
        .arg("stream")
        .arg(">")
        .query_async(redis)
        .await
        .unwrap();
}

#[tokio::test]
async fn entries_of_a_stream_are_added_anew_unless_they_were_taken_up() {
    let mut scene = Scene::new(stream()).await;
    let _: () = scene.redis.xgroup_create_mkstream("stream", "workers", "0").await.unwrap();
    let mut entries = Vec::new();
    for id in ["a", "b", "c"] {
        let entry: String = scene.redis.xadd("stream", "*", &[("id", id)]).await.unwrap();
        entries.push(entry);
    }
    deliver(&mut scene.redis, "w-1", 2).await;
    let preview = scene.preview(QueueAction::Requeue, all(QueueState::Processing)).await;
    assert_eq!(preview.tasks.len(), 2);
    assert_eq!(preview.tasks[0].owner.as_deref(), Some("w-1"));
    // Another worker claims the first meanwhile.
    let _: redis::Value = redis::cmd("XCLAIM")
        .arg("stream")
        .arg("workers")
        .arg("w-2")
        .arg(0)
        .arg(&entries[0])
        .query_async(&mut scene.redis)
        .await
        .unwrap();
    let done = scene.operations.execute("q", &preview.digest).await.unwrap();
    assert_eq!((done.done, done.gone), (vec![entries[1].clone()], vec![entries[0].clone()]));
    deliver(&mut scene.redis, "w-3", 10).await;
    let held: Vec<(String, String, u64, u64)> = redis::cmd("XPENDING")
        .arg("stream")
        .arg("workers")
        .arg("-")
        .arg("+")
        .arg(10)
        .query_async(&mut scene.redis)
        .await
        .unwrap();
    let consumers: Vec<&str> = held.iter().map(|(_, consumer, ..)| consumer.as_str()).collect();
    assert_eq!(consumers, ["w-2", "w-3", "w-3"], "the claimed one, the third, and the second anew");
    let length: u64 = scene.redis.xlen("stream").await.unwrap();
    assert_eq!(length, 3);

    let done = scene.run(QueueAction::Remove, ids(QueueState::Processing, &[&entries[0]])).await;
    assert_eq!(done.done, [entries[0].clone()]);
    let length: u64 = scene.redis.xlen("stream").await.unwrap();
    assert_eq!(length, 2);
}

#[tokio::test]
async fn an_entry_that_was_delivered_meanwhile_is_not_removed_from_under_its_worker() {
    let mut scene = Scene::new(stream()).await;
    let _: () = scene.redis.xgroup_create_mkstream("stream", "workers", "0").await.unwrap();
    for id in ["a", "b"] {
        let _: String = scene.redis.xadd("stream", "*", &[("id", id)]).await.unwrap();
    }
    let preview = scene.preview(QueueAction::Remove, all(QueueState::Pending)).await;
    assert_eq!(preview.tasks.len(), 2);
    deliver(&mut scene.redis, "w-1", 1).await;
    let done = scene.operations.execute("q", &preview.digest).await.unwrap();
    assert_eq!((done.done.len(), done.gone.len()), (1, 1));

    // Another group reads this stream too.
    let _: () = scene.redis.xgroup_create("stream", "others", "0").await.unwrap();
    let preview = scene.preview(QueueAction::Requeue, all(QueueState::Processing)).await;
    let failed = scene.operations.execute("q", &preview.digest).await.expect_err("refused");
    let OperationError::BrokenOff { done, source } = failed else { panic!("{failed}") };
    assert!(done.is_empty() && source.chain().contains("other groups"), "{source}");
}

/// Workers take tasks, end them and give them back, while an operator queues again what is in work.
/// However they meet, every task is in exactly one place, or has ended.
#[tokio::test(flavor = "multi_thread")]
async fn workers_and_operator_together_neither_lose_nor_double_a_task() {
    const TASKS: usize = 400;
    let mut scene = Scene::new(queue(KeyType::List, KeyType::List)).await;
    let tasks: Vec<String> = (0..TASKS).map(|id| task(&id.to_string())).collect();
    // Some were taken by a worker that died: they are there to be queued again from the beginning.
    let (dead, waiting) = tasks.split_at(50);
    let _: () = scene.redis.lpush("processing", dead).await.unwrap();
    let _: () = scene.redis.lpush("pending", waiting).await.unwrap();
    let stop = Arc::new(std::sync::atomic::AtomicBool::new(false));
    let workers: Vec<_> =
        (0..4).map(|_| tokio::spawn(work(scene.redis.clone(), Arc::clone(&stop)))).collect();
    let (mut requeued, mut gone) = (0, 0);
    let ended = |redis: MultiplexedConnection| async move {
        let mut redis = redis;
        let ended: usize = redis.llen("ended").await.unwrap();
        ended
    };
    loop {
        let preview = scene.preview(QueueAction::Requeue, all(QueueState::Processing)).await;
        let done = scene.operations.execute("q", &preview.digest).await.unwrap();
        (requeued, gone) = (requeued + done.done.len(), gone + done.gone.len());
        if ended(scene.redis.clone()).await >= TASKS / 2 {
            break;
        }
    }
    stop.store(true, std::sync::atomic::Ordering::Relaxed);
    for worker in workers {
        worker.await.unwrap();
    }
    let mut places: BTreeMap<String, usize> = BTreeMap::new();
    for key in ["pending", "processing", "ended"] {
        for task in scene.list(key).await {
            *places.entry(task).or_default() += 1;
        }
    }
    assert!(requeued >= 50, "only {requeued} were queued again");
    assert_eq!(places.len(), TASKS, "{requeued} were queued again, {gone} had moved on");
    assert!(places.values().all(|count| *count == 1), "{places:?}");
}

/// A worker that ends a task only if it still has it, as a worker must that may lose its task.
async fn work(mut redis: MultiplexedConnection, stop: Arc<std::sync::atomic::AtomicBool>) {
    const END: &str =
        "if redis.call('LREM', KEYS[1], 1, ARGV[1]) == 1 then redis.call('LPUSH', KEYS[2], ARGV[1]) end";
    while !stop.load(std::sync::atomic::Ordering::Relaxed) {
        let taken: Option<String> = redis::cmd("LMOVE")
            .arg("pending")
            .arg("processing")
            .arg("RIGHT")
            .arg("LEFT")
            .query_async(&mut redis)
            .await
            .unwrap();
        let Some(task) = taken else {
            tokio::task::yield_now().await;
            continue;
        };
        tokio::task::yield_now().await;
        let _: redis::Value = redis::cmd("EVAL")
            .arg(END)
            .arg(2)
            .arg("processing")
            .arg("ended")
            .arg(&task)
            .query_async(&mut redis)
            .await
            .unwrap();
    }
}
