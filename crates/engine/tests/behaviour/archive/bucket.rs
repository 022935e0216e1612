//! The archive in a bucket, behind a line that fails.

use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use engine::ArchiveConfig;
use model::MetricBatch;
use model::event::DeployEvent;
use store::{Batch, EventBatch, Row, Table};
use testkit::S3;

use super::line::{Fate, Line};
use super::{HOUR, archive, at, day, duckdb, fill};
use crate::fixture::{Open, Place, deploy};

pub(super) fn trust() {
    // An error says that another test of this process was first, which is as good.
    let _ = rustls::crypto::ring::default_provider().install_default();
}

pub(super) fn config(url: &str, endpoint: &str) -> ArchiveConfig {
    ArchiveConfig {
        endpoint: Some(endpoint.to_owned()),
        region: Some("us-east-1".to_owned()),
        access_key_id: Some("test".to_owned()),
        secret_access_key: Some("test".to_owned()),
        ..archive(url.to_owned())
    }
}

/// A real server, the line to it, and a store that archives over it.
struct Setting {
    runtime: tokio::runtime::Runtime,
    server: Option<S3>,
    line: Line,
    place: Place,
}

impl Setting {
    fn new() -> Self {
        trust();
        let runtime = tokio::runtime::Runtime::new().expect("a runtime");
        let port = testkit::free_port().expect("a port");
        let line = Line::to(port);
        let server = runtime.block_on(async {
            let server = S3::start_on(port).await.expect("moto runs");
            server.make_bucket("archive").await.expect("a bucket");
            server
        });
        let place = Place::with(|into| into.archive = config("s3://archive/of/this", &line.url));
        Self { runtime, server: Some(server), line, place }
    }

    fn get(&self, path: &str) -> Vec<u8> {
        let url = format!("{}/{path}", self.server.as_ref().expect("it runs").url());
        let asked = async {
            let answer = reqwest::get(&url).await.expect("an answer");
            assert!(answer.status().is_success(), "{url}: {}", answer.status());
            answer.bytes().await.expect("a body").to_vec()
        };
        self.runtime.block_on(asked)
    }

    /// The names of what is visible.
    fn keys(&self) -> Vec<String> {
        let list = String::from_utf8(self.get("archive?list-type=2")).expect("XML");
        let keys = list.split("<Key>").skip(1).filter_map(|rest| rest.split_once("</Key>"));
        keys.map(|(key, _)| key.replace("&#x3D;", "=")).collect()
    }

    /// Uploads of parts that were never ended.
    fn unfinished(&self) -> usize {
        String::from_utf8(self.get("archive?uploads")).expect("XML").matches("<UploadId>").count()
    }

    /// How many rows the object with this name has.
    fn rows_of(&self, key: &str) -> String {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("object.parquet");
        std::fs::write(&path, self.get(&format!("archive/{key}"))).expect("written");
        duckdb(&format!("SELECT count(*) AS n FROM '{}'", path.display()))
    }
}

/// A day with so much of what cannot be packed that it takes several parts.
fn fill_with_noise(store: &Open) {
    let mut random = fastrand::Rng::with_seed(7);
    for round in 0..4 {
        let rows: Vec<DeployEvent> = (0..300)
            .map(|row| {
                let noise: String = std::iter::repeat_with(|| random.alphanumeric()).take(16_000).collect();
                DeployEvent { description: Some(noise), ..deploy(day() + HOUR + round * 300 + row) }
            })
            .collect();
        let events =
            vec![EventBatch { table: Table::Deploys, rows: DeployEvent::to_batch(&rows).expect("rows") }];
        store.append(Batch { metrics: MetricBatch::new(), events }).expect("appended");
        store.engine.checkpoint().expect("written");
    }
}

#[test]
fn a_bucket_that_fails_in_any_way_holds_whole_objects_or_none_and_is_caught_up_with() {
    let mut setting = Setting::new();
    let store = setting.place.open();
    fill_with_noise(&store);
    let now = at(day() + 30 * HOUR);
    let fails = |setting: &Setting, what: &str| {
        let failed = store.engine.archive(now).expect_err(what);
        assert_eq!(setting.keys(), Vec::<String>::new(), "{what}: {failed}");
        let status = engine::inspect::archive(setting.place.dir.path()).expect("read").expect("an archive");
        assert!(status.error.is_some() && status.days == 0, "{what}: {status:?}");
    };
    setting.line.decide(|line| if line.contains("partNumber=2") { Fate::Answer(500) } else { Fate::Pass });
    fails(&setting, "every second part is answered with 500");
    assert_eq!(setting.unfinished(), 0, "what was begun is taken back");
    setting.line.decide(|line| if line.contains("partNumber") { Fate::Cut } else { Fate::Pass });
    fails(&setting, "parts are cut off");
    setting.line.decide(|line| {
        if line.starts_with("POST") && !line.contains("?uploads") { Fate::Answer(503) } else { Fate::Pass }
    });
    fails(&setting, "all parts are there, and the end is refused");
    setting.line.decide(|line| if line.starts_with("PUT") { Fate::Answer(403) } else { Fate::Pass });
    fails(&setting, "the key is not let in");
    assert!(setting.line.failed.load(Ordering::SeqCst) > 4, "and it was tried more than once");

    let port = setting.runtime.block_on(setting.server.take().expect("it runs").stop()).expect("stopped");
    assert!(store.engine.archive(now).is_err(), "nobody is there");
    setting.server = Some(setting.runtime.block_on(async {
        let server = S3::start_on(port).await.expect("moto runs");
        server.make_bucket("archive").await.expect("a bucket");
        server
    }));
    // One refusal is not the end: it is tried again by itself.
    let refused = std::sync::atomic::AtomicBool::new(false);
    setting.line.decide(move |line| {
        let first = line.contains("partNumber=1") && !refused.swap(true, Ordering::SeqCst);
        if first { Fate::Answer(500) } else { Fate::Pass }
    });
    assert_eq!(store.engine.archive(now).expect("archived"), 1);
    let date = &at(day()).to_string()[..10];
    let key = format!("of/this/deploys/day={date}/deploys-{date}.parquet");
    assert_eq!(setting.keys(), std::slice::from_ref(&key));
    assert_eq!(setting.rows_of(&key), r#"[{"n": 1200}]"#);
    let status = engine::inspect::archive(setting.place.dir.path()).expect("read").expect("an archive");
    assert_eq!((status.error, status.days, status.rows), (None, 1, 1200));
    assert!(status.bytes > 8 << 20, "it took more than one part");
}

#[test]
fn a_store_that_is_closed_does_not_wait_for_an_archive_that_does_not_answer() {
    let setting = Setting::new();
    let store = setting.place.open();
    fill(&store, 0, 24);
    setting.line.decide(|_| Fate::Stall);
    std::thread::scope(|scope| {
        let archiving = scope.spawn(|| store.engine.archive(at(day() + 30 * HOUR)));
        let begun = Instant::now();
        while setting.line.failed.load(Ordering::SeqCst) == 0 {
            assert!(begun.elapsed() < Duration::from_secs(60), "it asks the bucket");
            std::thread::sleep(Duration::from_millis(10));
        }
        store.engine.shutdown();
        let ended = archiving.join().expect("no panic");
        assert!(ended.is_err(), "it was given up");
    });
    let status = engine::inspect::archive(setting.place.dir.path()).expect("read").expect("an archive");
    assert_eq!((status.error, status.days), (None, 0), "a stop is no failure of the archive");
}

#[test]
fn an_unknown_key_is_refused_by_the_server_and_said() {
    let setting = Setting::new();
    let store = setting.place.open();
    fill(&store, 0, 4);
    let enforce = |after: &'static str| {
        let url = format!("{}/moto-api/reset-auth", setting.server.as_ref().expect("it runs").url());
        let asked = reqwest::Client::new().post(url).body(after).send();
        setting.runtime.block_on(asked).expect("an answer").error_for_status().expect("it is so");
    };
    enforce("0");
    let failed = store.engine.archive(at(day() + 30 * HOUR)).expect_err("it is refused");
    assert!(failed.to_string().contains("could not write"), "{failed}");
    let status = engine::inspect::archive(setting.place.dir.path()).expect("read").expect("an archive");
    assert!(status.error.is_some_and(|(text, _)| text.contains("403")
        || text.contains("InvalidAccessKeyId")
        || text.contains("Forbidden")));
    enforce("1000000");
    assert_eq!(store.engine.archive(at(day() + 30 * HOUR)).expect("archived"), 2);
}
