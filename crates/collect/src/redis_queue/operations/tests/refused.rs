//! What Redis refuses in the middle of an operation costs no task, and makes none of one two.

use super::*;

/// What reading and a script take; what the operations need beyond is added by each test.
const READS: &str = "+@read +@connection +info +scan +eval";
const TAKES: &str = "+lrem +srem +zrem +xack +xdel";
const PUTS: &str = "+lpush +rpush +sadd +zadd +xadd";

impl Scene {
    /// From now on Watchkeeper is a user with these rights and no others.
    async fn limit_to(&mut self, config: &QueueConfig, rights: &[&str]) {
        let mut user = redis::cmd("ACL");
        user.arg("SETUSER").arg("wk").arg("reset").arg("on").arg(">p").arg("~*");
        for right in rights.iter().flat_map(|rights| rights.split(' ')) {
            user.arg(right);
        }
        let _: () = user.query_async(&mut self.redis).await.unwrap();
        let url = self.server.url().replace("redis://", "redis://wk:p@");
        let server = Server::new(&RedisConfig { url, ..RedisConfig::default() }).unwrap();
        self.operations.add(Arc::new(server), Mapping::new(config).unwrap());
    }

    /// Previews, and fails to do it: what was done nevertheless, and why the rest was not.
    async fn broken_off(&self, action: QueueAction, selection: TaskSelection) -> (Vec<String>, String) {
        let preview = self.preview(action, selection).await;
        let failed = self.operations.execute("q", &preview.digest).await.expect_err("it breaks off");
        let OperationError::BrokenOff { done, source } = failed else { panic!("{failed}") };
        (done, source.chain())
    }

    async fn members(&mut self, key: &str, kind: KeyType) -> Vec<String> {
        let mut members: Vec<String> = match kind {
            KeyType::List => self.redis.lrange(key, 0, -1).await.unwrap(),
            KeyType::Set => self.redis.smembers(key).await.unwrap(),
            KeyType::Zset => self.redis.zrange(key, 0, -1).await.unwrap(),
            KeyType::Stream => panic!("a stream has entries"),
        };
        members.sort();
        members
    }

    async fn fill(&mut self, key: &str, kind: KeyType, members: &[String]) {
        for member in members {
            let _: () = match kind {
                KeyType::List => self.redis.lpush(key, member).await.unwrap(),
                KeyType::Set => self.redis.sadd(key, member).await.unwrap(),
                KeyType::Zset => self.redis.zadd(key, member, 5).await.unwrap(),
                KeyType::Stream => panic!("a stream has entries"),
            };
        }
    }
}

/// Every way in which members are moved: from, to.
const PAIRS: [(KeyType, KeyType); 7] = [
    (KeyType::List, KeyType::List),
    (KeyType::List, KeyType::Set),
    (KeyType::Set, KeyType::List),
    (KeyType::Set, KeyType::Set),
    (KeyType::Zset, KeyType::List),
    (KeyType::Zset, KeyType::Set),
    (KeyType::Zset, KeyType::Zset),
];

#[tokio::test]
async fn a_user_that_may_only_take_or_only_put_moves_nothing() {
    let tasks = [task("a"), task("b")];
    for (from, to) in PAIRS {
        let config = queue(to, from);
        let mut scene = Scene::new(config.clone()).await;
        scene.fill("processing", from, &tasks).await;
        for may in [TAKES, PUTS] {
            scene.limit_to(&config, &[READS, may]).await;
            let (done, reason) = scene.broken_off(QueueAction::Requeue, all(QueueState::Processing)).await;
            assert!(
                done.is_empty() && reason.to_lowercase().contains("user"),
                "{from:?} to {to:?}: {done:?} {reason}"
            );
            assert_eq!(scene.members("processing", from).await, tasks, "{from:?} to {to:?} with {may}");
            assert!(scene.members("pending", to).await.is_empty(), "{from:?} to {to:?} with {may}");
        }
        scene.limit_to(&config, &[READS, TAKES, PUTS]).await;
        let done = scene.run(QueueAction::Requeue, all(QueueState::Processing)).await;
        assert_eq!((done.done.len(), scene.members("pending", to).await.len()), (2, 2), "{from:?} to {to:?}");
        assert!(scene.members("processing", from).await.is_empty(), "{from:?} to {to:?}");
    }
}

#[tokio::test]
async fn only_rights_that_an_operation_can_need_are_asked_for() {
    // A task that is in a sorted set is known to be there: it never has to be taken back.
    for (to, may) in [(KeyType::List, "+zrem +lpush +rpush"), (KeyType::Set, "+zrem +sadd")] {
        let config = queue(to, KeyType::Zset);
        let mut scene = Scene::new(config.clone()).await;
        scene.fill("processing", KeyType::Zset, &[task("a")]).await;
        scene.limit_to(&config, &[READS, may]).await;
        let done = scene.run(QueueAction::Requeue, all(QueueState::Processing)).await;
        assert_eq!(done.done, ["a"], "{to:?}");
        assert_eq!(scene.members("pending", to).await, [task("a")], "{to:?}");
    }

    // Entries that another group reads are acknowledged, and not deleted.
    let mut scene = Scene::new(stream()).await;
    let _: () = scene.redis.xgroup_create_mkstream("stream", "workers", "0").await.unwrap();
    let _: () = scene.redis.xgroup_create("stream", "others", "0").await.unwrap();
    let _: String = scene.redis.xadd("stream", "*", &[("id", "a")]).await.unwrap();
    deliver(&mut scene.redis, "w-1", 1).await;
    scene.limit_to(&stream(), &[READS, "+xack"]).await;
    let done = scene.run(QueueAction::Remove, all(QueueState::Processing)).await;
    assert_eq!(done.done.len(), 1);
    assert_eq!(entries(&mut scene.redis).await, (1, 0));
}

#[tokio::test]
async fn lists_are_gone_through_once_to_learn_whether_taking_is_refused() {
    const TASKS: usize = 120;
    let mut scene = Scene::new(queue(KeyType::List, KeyType::List)).await;
    let tasks: Vec<String> = (0..TASKS).map(|id| task(&id.to_string())).collect();
    scene.fill("processing", KeyType::List, &tasks).await;
    let done = scene.run(QueueAction::Requeue, all(QueueState::Processing)).await;
    assert_eq!(done.done.len(), TASKS);
    let stats: String = redis::cmd("INFO").arg("commandstats").query_async(&mut scene.redis).await.unwrap();
    let calls = format!("cmdstat_lrem:calls={},", TASKS + 2);
    assert!(stats.contains(&calls), "one for each task, and one for each list: {stats}");
}

#[tokio::test]
async fn a_redis_whose_memory_is_full_keeps_every_task_once() {
    let tasks = [task("a"), task("b")];
    for (from, to) in PAIRS {
        let mut scene = Scene::new(queue(to, from)).await;
        scene.fill("processing", from, &tasks).await;
        let preview = scene.preview(QueueAction::Requeue, all(QueueState::Processing)).await;
        let full = redis::cmd("CONFIG").arg("SET").arg("maxmemory").arg(1).clone();
        let _: () = full.query_async(&mut scene.redis).await.unwrap();
        let outcome = scene.operations.execute("q", &preview.digest).await;
        let mut left = scene.members("processing", from).await;
        left.extend(scene.members("pending", to).await);
        left.sort();
        assert_eq!(left, tasks, "{from:?} to {to:?}: {outcome:?}");
    }
}

/// A task that a worker ended after it was selected, and whose copy the script has put in already.
#[tokio::test]
async fn a_task_that_is_gone_when_it_is_taken_is_not_put_in() {
    for (from, to) in PAIRS {
        let config = queue(to, from);
        let mut scene = Scene::new(config.clone()).await;
        scene.fill("processing", from, &[task("a")]).await;
        scene.fill("pending", to, &[task("b")]).await;
        let mapping = Mapping::new(&config).unwrap();
        let route = Route::of(&mapping, QueueAction::Requeue, QueueState::Processing).unwrap();
        let key = mapping.processing.as_ref().unwrap();
        let read = select::read(scene.redis.clone(), &mapping, key, Timestamp::now()).await.unwrap();
        let chosen = all(QueueState::Processing);
        let found =
            select::candidates(&scene.operations.pipeline, &mapping, &chosen, read.members, Timestamp::now());
        let _: () = scene.redis.del("processing").await.unwrap();
        let mut acted = Acted::default();
        act::act(scene.redis.clone(), &route, found, &mut acted).await.unwrap();
        assert_eq!((acted.done.len(), acted.gone), (0, vec!["a".to_owned()]), "{from:?} to {to:?}");
        assert_eq!(scene.members("pending", to).await, [task("b")], "{from:?} to {to:?}");
    }
}

async fn entries(redis: &mut MultiplexedConnection) -> (u64, u64) {
    let length: u64 = redis.xlen("stream").await.unwrap();
    let held: Vec<redis::Value> = redis.xpending_count("stream", "workers", "-", "+", 10).await.unwrap();
    (length, held.len() as u64)
}

#[tokio::test]
async fn entries_of_a_stream_are_there_once_whatever_is_refused() {
    let mut scene = Scene::new(stream()).await;
    let _: () = scene.redis.xgroup_create_mkstream("stream", "workers", "0").await.unwrap();
    for id in ["a", "b"] {
        let _: String = scene.redis.xadd("stream", "*", &[("id", id)]).await.unwrap();
    }
    deliver(&mut scene.redis, "w-1", 2).await;
    for may in ["+xadd", "+xadd +xack", "+xadd +xdel", "+xack +xdel"] {
        scene.limit_to(&stream(), &[READS, may]).await;
        let (done, reason) = scene.broken_off(QueueAction::Requeue, all(QueueState::Processing)).await;
        assert!(done.is_empty() && reason.to_lowercase().contains("user"), "{may}: {done:?} {reason}");
        assert_eq!(entries(&mut scene.redis).await, (2, 2), "{may}");
    }

    // A stream that has one id left takes one entry more: the first is done, and is said to be.
    let last = format!("{0}-{1}", u64::MAX, u64::MAX - 1);
    let _: () = redis::cmd("XSETID").arg("stream").arg(last).query_async(&mut scene.redis).await.unwrap();
    scene.limit_to(&stream(), &[READS, TAKES, PUTS]).await;
    let (done, reason) = scene.broken_off(QueueAction::Requeue, all(QueueState::Processing)).await;
    assert_eq!(done.len(), 1, "{reason}");
    assert!(reason.contains("last possible ID"), "{reason}");
    assert_eq!(entries(&mut scene.redis).await, (2, 1));
}
