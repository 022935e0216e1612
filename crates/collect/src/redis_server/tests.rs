use std::io::Write;

use super::*;

fn watch(url: String, required: bool) -> RedisServer {
    let config = RedisConfig { url, ..RedisConfig::default() };
    let server = Arc::new(Server::new(&config).unwrap());
    let pipeline = Pipeline::new(pipeline::Config::default(), &prometheus::Registry::new()).unwrap();
    let interval = Duration::from_secs(15);
    RedisServer { name: "r".to_owned(), interval, server, pipeline, required, met: false }
}

async fn look(collector: &mut RedisServer) -> Result<MetricBatch, CollectError> {
    collector.collect(Timestamp::now()).await
}

/// Looks until there is an answer: after a failure the next attempt waits a little.
async fn look_until_up(collector: &mut RedisServer) -> MetricBatch {
    let begun = std::time::Instant::now();
    loop {
        match look(collector).await {
            Ok(batch) => return batch,
            Err(error) => assert!(begun.elapsed() < Duration::from_secs(20), "{}", error.chain()),
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test]
async fn a_redis_that_nobody_configured_is_a_fault_only_once_it_was_there() {
    let port = testkit::free_port().unwrap();
    let mut collector = watch(format!("redis://127.0.0.1:{port}/0"), false);
    let error = look(&mut collector).await.unwrap_err();
    assert!(matches!(error, CollectError::Absent(_)), "{error:?}");
    let redis = testkit::Redis::start_on(port).await.unwrap();
    let batch = look_until_up(&mut collector).await;
    let names: Vec<String> = batch.iter().map(|(labels, _)| labels.metric_name().to_owned()).collect();
    for name in [
        "redis_up",
        "probe_success",
        "probe_duration_seconds",
        "redis_memory_used_bytes",
        "redis_connected_clients",
        "redis_uptime_seconds",
    ] {
        assert!(names.iter().any(|found| found == name), "{name} is missing in {names:?}");
    }
    let shown = collector.pipeline.probes().get("redis", "r").unwrap();
    assert!(shown.up && shown.reason.is_none(), "{shown:?}");
    redis.stop().await.unwrap();
    let error = look(&mut collector).await.unwrap_err();
    assert!(matches!(error, CollectError::Unreachable { .. }), "{error:?}");
    let down = collector.when_down(Timestamp::now());
    let shown: Vec<String> =
        down.iter().map(|(labels, samples)| format!("{labels} {}", samples[0].value)).collect();
    let probe = format!(r#"probe_success{{kind="redis", probe="r", target="127.0.0.1:{port}"}} 0"#);
    assert_eq!(shown, [r#"redis_up{redis="r"} 0"#, &probe]);
    let shown = collector.pipeline.probes().get("redis", "r").unwrap();
    assert!(!shown.up && shown.reason.is_some(), "{shown:?}");
}

#[tokio::test]
async fn a_password_is_asked_for_in_plain_words_and_read_from_its_file() {
    let redis = testkit::Redis::start().await.unwrap();
    let mut open = watch(redis.url(), true);
    look(&mut open).await.unwrap();
    let mut connection = open.server.connection().await.unwrap();
    let set = redis::cmd("CONFIG").arg("SET").arg("requirepass").arg("hunter2").clone();
    let _: () = set.query_async(&mut connection).await.unwrap();

    let error = look(&mut watch(redis.url(), true)).await.unwrap_err().chain();
    let address = format!("127.0.0.1:{}", redis.port());
    assert_eq!(error, format!("cannot reach redis at {address}: it wants a password"));
    let url = format!("redis://:wrong@{address}/0");
    let error = look(&mut watch(url, true)).await.unwrap_err().chain();
    assert_eq!(error, format!("cannot reach redis at {address}: it does not take this user and password"));

    let mut file = tempfile::NamedTempFile::new().unwrap();
    writeln!(file, "hunter2").unwrap();
    let password_file = Some(file.path().to_owned());
    let config = RedisConfig { url: redis.url(), password_file, ..RedisConfig::default() };
    assert!(Server::new(&config).unwrap().connection().await.is_ok());
    file.close().unwrap();
    let error = Server::new(&config).unwrap().connection().await.err().map(|error| error.chain());
    assert!(error.is_some_and(|error| error.contains("password file")));
}
