//! What is said of scrapes beside their samples.

use serde_json::{Value, json};

use super::exporter::{Exporter, Reply};
use super::stage::{Stage, job};
use crate::scrape::Health;

#[tokio::test]
async fn three_more_samples_say_how_a_scrape_went_where_they_are_wanted() {
    let exporter = Exporter::saying("a 1\nb 2\n").await;
    let address = exporter.address();
    let more = json!({ "extra_scrape_metrics": true, "sample_limit": 7, "body_size_limit": "100B" });
    let stage = Stage::new(&[job("j", std::slice::from_ref(&address), &more)]);
    let of = |name: &str| format!("{name}{{instance=\"{address}\", job=\"j\"}}");
    stage.last(&of("scrape_timeout_seconds"), |value| value == 0.2).await;
    stage.last(&of("scrape_sample_limit"), |value| value == 7.0).await;
    stage.last(&of("scrape_body_size_bytes"), |value| value == 8.0).await;
    exporter.say(&"a 1\n".repeat(100));
    stage.last(&of("scrape_body_size_bytes"), |value| value == -1.0).await;
    exporter.say("x");
    stage.last(&of("scrape_body_size_bytes"), |value| value == 1.0).await;
    exporter.reply("/metrics", Reply::status("500 Internal Server Error"));
    stage.last(&of("scrape_body_size_bytes"), |value| value == 0.0).await;
    let store = stage.stop().await;
    for name in ["scrape_timeout_seconds", "scrape_sample_limit", "scrape_body_size_bytes"] {
        assert!(store.values(&of(name)).last().copied().is_some_and(model::is_stale), "{name}");
    }
}

#[tokio::test]
async fn each_scrape_that_fails_is_written_down() {
    let (good, bad) = (Exporter::saying("a 1\n").await, Exporter::start().await);
    let folder = tempfile::tempdir().unwrap();
    let keys = json!({ "scrape_failure_log_file": "failures.json", "params": { "token": ["hunter2"] } });
    let jobs = [job("j", &[good.address(), bad.address()], &keys)];
    let stage = Stage::with(json!({}), &jobs, folder.path());
    let lines = testkit::eventually("two lines", || async {
        let text = std::fs::read_to_string(folder.path().join("failures.json")).unwrap_or_default();
        let lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
        Ok(Some(lines).filter(|lines| lines.len() >= 2))
    });
    for line in lines.await.unwrap() {
        assert_eq!(line["msg"], "it answers with status 404 (Not Found)");
        assert_eq!((&line["job_name"], &line["level"]), (&json!("j"), &json!("ERROR")));
        assert_eq!(line["target"], format!("http://{}/metrics", bad.address()), "without what may be secret");
        assert!(line["time"].as_str().is_some_and(|time| time.ends_with('Z')), "{line}");
    }
    stage.target(&good.address(), |target| target.health == Health::Up).await;
}

#[tokio::test]
async fn classic_histograms_become_native_ones_and_those_that_cannot_are_told() {
    let classic = "# TYPE took histogram\ntook_bucket{le=\"1\"} 2\ntook_bucket{le=\"+Inf\"} 3\ntook_sum 4\ntook_count 3\n";
    let odd =
        "# TYPE odd histogram\nodd_bucket{le=\"1\"} 2\nodd_bucket{le=\"+Inf\"} 1\nodd_sum 4\nodd_count 1\n";
    let exporter = Exporter::saying(&format!("{classic}{odd}")).await;
    let address = exporter.address();
    let more = json!({ "convert_classic_histograms_to_nhcb": true });
    let stage = Stage::new(&[job("j", std::slice::from_ref(&address), &more)]);
    let of = |name: &str| format!("{name}{{instance=\"{address}\", job=\"j\"}}");
    stage.last(&of("took"), |value| model::histogram::histogram_place(value).is_some()).await;
    stage.last(&of("scrape_samples_scraped"), |value| value == 1.0).await;
    assert!(stage.store.values(&of("took_count")).is_empty());
    let told = stage.failure(&address).await;
    assert_eq!(
        told,
        "not all of it is stored: 1 classic histograms contradict themselves, as odd: a bucket of it holds fewer \
         observations than one with a lower bound"
    );
    stage.last(&of("up"), |value| value == 1.0).await;
}
