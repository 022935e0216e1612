//! The live stream.

use std::time::Duration;

use model::Timestamp;
use reqwest::{Method, Response};
use serde_json::{Value, json};
use state::{Role, Scope};

use crate::stage::{PASSWORD, Stage, answer};

/// An open stream, read event by event.
pub(crate) struct Events {
    response: Response,
    text: String,
}

impl Events {
    async fn open(stage: &Stage, key: &str) -> Self {
        Self::of(stage.request(Method::GET, "/api/v1/live").header("X-API-Key", key)).await
    }

    pub(crate) async fn of(request: reqwest::RequestBuilder) -> Self {
        let response = request.send().await.expect("an answer");
        assert_eq!(response.status(), 200);
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        assert!(!response.headers().contains_key("content-encoding"));
        Self { response, text: String::new() }
    }

    /// The next block of lines; `None` at the end.
    pub(crate) async fn block(&mut self) -> Option<String> {
        loop {
            if let Some((block, rest)) = self.text.split_once("\n\n") {
                let (block, rest) = (block.to_owned(), rest.to_owned());
                self.text = rest;
                return Some(block);
            }
            let next = tokio::time::timeout(Duration::from_secs(20), self.response.chunk());
            let chunk = next.await.expect("the stream goes on or ends").ok()??;
            self.text.push_str(std::str::from_utf8(&chunk).expect("text"));
        }
    }

    /// The data of the next event of this name for which `is_it`.
    pub(crate) async fn wait_for(&mut self, name: &str, is_it: impl Fn(&Value) -> bool) -> Value {
        loop {
            let block = self.block().await.expect("the stream goes on");
            let Some(data) = block.strip_prefix(&format!("event: {name}\ndata: ")) else { continue };
            let data: Value = serde_json::from_str(data).expect("JSON");
            if is_it(&data) {
                return data;
            }
        }
    }

    pub(crate) async fn ends(mut self) {
        while self.block().await.is_some() {}
    }
}

fn job(id: &str, kind: &str) -> Value {
    json!({ "type": kind, "event_id": format!("{kind}-{id}"), "time": Timestamp::now(), "job_id": id, "queue": "ocr" })
}

#[tokio::test(flavor = "multi_thread")]
async fn the_stream_begins_with_everything_and_goes_on_with_what_changes() {
    let stage = Stage::new().await;
    let mut events = Events::open(&stage, &stage.key(&[Scope::Read]).await).await;
    let names = ["jobs", "queues", "workers", "stages", "bottleneck", "hosts", "alerts", "collectors_down"];
    let mut seen = Vec::new();
    while seen.len() < names.len() {
        let block = events.block().await.expect("it goes on");
        seen.extend(block.strip_prefix("event: ").and_then(|rest| rest.lines().next()).map(str::to_owned));
    }
    assert_eq!(seen, names);
    assert_eq!(stage.post("/api/v1/events", &json!([job("a", "job.started")])).await.status, 200);
    events.wait_for("jobs", |jobs| jobs["running"] == 1).await;
    let overview = stage.get("/api/v1/overview").await.body;
    assert_eq!(overview["jobs"]["running"], 1, "{overview}");
    for name in names {
        assert!(overview.get(name).is_some(), "{name} is in the overview, too");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_ends_when_its_session_or_key_does_or_the_server_stops() {
    let stage = Stage::with(|config| config.live_heartbeat.0 = Duration::from_millis(50)).await;
    stage.user("vera", Role::Viewer).await;
    let login = stage.log_in("vera", PASSWORD).await;
    let cookie = login.header("set-cookie").split(';').next().expect("a cookie").to_owned();
    let csrf = login.body["csrf_token"].as_str().expect("a token").to_owned();
    let open = || stage.request(Method::GET, "/api/v1/live").header("Cookie", &cookie);
    let mut events = Events::of(open()).await;
    while events.block().await.expect("it goes on") != ": heartbeat" {}
    let logout = stage.request(Method::POST, "/api/v1/logout").header("Cookie", &cookie);
    assert_eq!(answer(logout.header("X-CSRF-Token", csrf)).await.status, 204);
    events.ends().await;
    assert_eq!(answer(open()).await.status, 401);

    let events = Events::open(&stage, &stage.key(&[Scope::Read]).await).await;
    stage.stop.cancel();
    events.ends().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn streams_are_bounded_and_take_no_place_of_requests() {
    let stage = Stage::with(|config| {
        config.max_live_streams = 2;
        config.max_concurrent_requests = 1;
    })
    .await;
    let key = stage.key(&[Scope::Read]).await;
    let first = Events::open(&stage, &key).await;
    let _second = Events::open(&stage, &key).await;
    assert_eq!(stage.get("/api/v1/overview").await.status, 200, "the one place is free");
    let third = answer(stage.request(Method::GET, "/api/v1/live").header("X-API-Key", &key)).await;
    assert!(third.problem(503).contains("live streams"), "{third:?}");
    assert_eq!(third.header("retry-after"), "10");
    drop(first);
    testkit::eventually("the place of the stream that ended is free", || async {
        let asked = stage.request(Method::GET, "/api/v1/live").header("X-API-Key", &key).send().await?;
        Ok((asked.status() == 200).then_some(()))
    })
    .await
    .expect("free");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_outlives_the_time_that_a_request_may_take() {
    let stage = Stage::with(|config| {
        config.request_timeout.0 = Duration::from_millis(100);
        config.live_heartbeat.0 = Duration::from_millis(100);
    })
    .await;
    let mut events = Events::open(&stage, &stage.key(&[Scope::Read]).await).await;
    let mut beats = 0;
    while beats < 3 {
        beats += usize::from(events.block().await.expect("it goes on") == ": heartbeat");
    }
}
