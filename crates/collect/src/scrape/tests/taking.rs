use serde_json::json;

use super::exporter::{Exporter, Reply, nobody};
use super::stage::{Stage, job};
use crate::scrape::Health;

#[tokio::test]
async fn what_a_target_shows_is_stored_with_its_labels_and_how_that_went() {
    let exporter = Exporter::saying("hits_total{path=\"/\"} 3\nhits_total{path=\"/a\"} 4\ndepth -1\n").await;
    let address = exporter.address();
    let stage =
        Stage::new(&[job("web", std::slice::from_ref(&address), &json!({ "labels": { "team": "a" } }))]);
    let of =
        |name: &str, more: &str| format!("{name}{{instance=\"{address}\", job=\"web\"{more}, team=\"a\"}}");
    stage.last(&of("hits_total", ", path=\"/\""), |value| value == 3.0).await;
    stage.last(&of("depth", ""), |value| value == -1.0).await;
    for (name, expected) in [
        ("up", 1.0),
        ("scrape_samples_scraped", 3.0),
        ("scrape_samples_post_metric_relabeling", 3.0),
        ("scrape_series_added", 0.0),
    ] {
        stage.last(&of(name, ""), |value| value == expected).await;
    }
    assert_eq!(stage.store.values(&of("scrape_series_added", ""))[0], 3.0);
    stage.last(&of("scrape_duration_seconds", ""), |value| value > 0.0).await;
    let target = stage.target(&address, |target| target.health == Health::Up).await;
    assert_eq!((target.pool.as_str(), target.last_error), ("web", None));
    assert_eq!(target.url, format!("http://{address}/metrics"));
    assert_eq!(target.discovered.get("__metrics_path__"), Some("/metrics"));
}

#[tokio::test]
async fn a_series_ends_when_its_target_no_longer_shows_it() {
    let exporter = Exporter::saying("a 1\nb 2\n").await;
    let address = exporter.address();
    let stage = Stage::new(&[job("j", std::slice::from_ref(&address), &json!({}))]);
    let of = |name: &str| format!("{name}{{instance=\"{address}\", job=\"j\"}}");
    stage.last(&of("b"), |value| value == 2.0).await;
    exporter.say("a 1\n");
    stage.ended(&of("b")).await;
    stage.last(&of("a"), |value| value == 1.0).await;
    exporter.reply("/metrics", Reply::status("503 Service Unavailable"));
    stage.ended(&of("a")).await;
    stage.last(&of("up"), |value| value == 0.0).await;
    assert_eq!(stage.failure(&address).await, "it answers with status 503 (Service Unavailable)");
    let ends =
        |name: &str| stage.store.values(&of(name)).into_iter().filter(|one| model::is_stale(*one)).count();
    assert_eq!((ends("a"), ends("b"), ends("up")), (1, 1, 0), "each ends once");
    exporter.say("a 3\n");
    stage.last(&of("a"), |value| value == 3.0).await;
}

#[tokio::test]
async fn all_series_end_when_scraping_stops() {
    let exporter = Exporter::saying("a 1\n").await;
    let (address, gone) = (exporter.address(), nobody());
    let stage = Stage::new(&[job("j", &[address.clone(), gone.clone()], &json!({}))]);
    let of = |name: &str, address: &str| format!("{name}{{instance=\"{address}\", job=\"j\"}}");
    stage.last(&of("a", &address), |value| value == 1.0).await;
    stage.last(&of("up", &gone), |value| value == 0.0).await;
    let store = stage.stop().await;
    for series in
        [of("a", &address), of("up", &address), of("up", &gone), of("scrape_series_added", &address)]
    {
        assert!(store.values(&series).last().copied().is_some_and(model::is_stale), "{series}");
    }
}

#[tokio::test]
async fn labels_of_a_series_are_renamed_or_honoured_and_relabelled() {
    let exporter = Exporter::saying("a{job=\"own\",instance=\"i\",drop=\"1\"} 1\ngo_gc 2\n").await;
    let address = exporter.address();
    let relabel = json!([
        { "source_labels": ["__name__"], "regex": "go_.*", "action": "drop" },
        { "regex": "drop", "action": "labeldrop" },
    ]);
    let stage = Stage::new(&[
        job("plain", std::slice::from_ref(&address), &json!({ "metric_relabel_configs": relabel })),
        job(
            "honest",
            std::slice::from_ref(&address),
            &json!({ "honor_labels": true, "metric_relabel_configs": relabel }),
        ),
    ]);
    let plain =
        format!(r#"a{{exported_instance="i", exported_job="own", instance="{address}", job="plain"}}"#);
    stage.last(&plain, |value| value == 1.0).await;
    stage.last(r#"a{instance="i", job="own"}"#, |value| value == 1.0).await;
    let count = format!(r#"scrape_samples_post_metric_relabeling{{instance="{address}", job="plain"}}"#);
    stage.last(&count, |value| value == 1.0).await;
}

#[tokio::test]
async fn targets_are_relabelled_dropped_and_asked_with_parameters() {
    let exporter = Exporter::start().await;
    exporter.reply("/probe", Reply::text("probe_success 1\n"));
    let address = exporter.address();
    // As the exporter that asks others is usually scraped.
    let relabel = json!([
        { "source_labels": ["__address__"], "regex": "dropped", "action": "drop" },
        { "source_labels": ["__address__"], "target_label": "__param_target" },
        { "source_labels": ["__param_target"], "target_label": "instance" },
        { "target_label": "__address__", "replacement": address },
    ]);
    let more = json!({
        "metrics_path": "/probe", "params": { "module": ["http 2xx", "b"] }, "relabel_configs": relabel,
    });
    let stage = Stage::new(&[job("blackbox", &["example.org".to_owned(), "dropped".to_owned()], &more)]);
    stage.last(r#"probe_success{instance="example.org", job="blackbox"}"#, |value| value == 1.0).await;
    let asked = exporter.asked();
    assert!(asked.contains("GET /probe?module=http+2xx&module=b&target=example.org HTTP/1.1"), "{asked}");
    let dropped = stage.scrapes.dropped();
    assert_eq!(dropped.len(), 1);
    assert_eq!(dropped[0].discovered.get("__address__"), Some("dropped"));
    assert_eq!(stage.scrapes.jobs()[0].dropped, 1);
}

#[tokio::test]
async fn times_that_a_target_shows_are_taken_unless_they_are_not_to_be() {
    let now = model::Timestamp::now().as_millis() - 60_000;
    let exporter = Exporter::saying(&format!("a 1 {now}\n")).await;
    let address = exporter.address();
    let stage = Stage::new(&[
        job("theirs", std::slice::from_ref(&address), &json!({})),
        job("ours", std::slice::from_ref(&address), &json!({ "honor_timestamps": false })),
    ]);
    let of = |job: &str| format!("a{{instance=\"{address}\", job=\"{job}\"}}");
    stage.last(&of("theirs"), |value| value == 1.0).await;
    stage.last(&of("ours"), |value| value == 1.0).await;
    assert!(stage.store.times(&of("theirs")).iter().all(|time| *time == now));
    assert!(stage.store.times(&of("ours")).iter().all(|time| *time > now));
    exporter.say("b 1\n");
    stage.ended(&of("ours")).await;
    stage.last(&format!("b{{instance=\"{address}\", job=\"theirs\"}}"), |value| value == 1.0).await;
    let ended = stage.store.values(&of("theirs")).into_iter().any(model::is_stale);
    assert!(!ended, "a series with times of its own does not end by itself");
}

#[tokio::test]
async fn equal_distances_are_kept_where_scrapes_are_nearly_in_time() {
    let exporter = Exporter::saying("a 1\n").await;
    let address = exporter.address();
    let stage =
        Stage::new(&[job("j", std::slice::from_ref(&address), &json!({ "every": "1s", "timeout": "1s" }))]);
    let series = format!("a{{instance=\"{address}\", job=\"j\"}}");
    let times = testkit::eventually("three samples", || async {
        Ok(Some(stage.store.times(&series)).filter(|times| times.len() >= 3))
    });
    let times = times.await.unwrap();
    let families = stage.registry.gather();
    let late = families.iter().find(|family| family.name() == "watchkeeper_scrapes_late_total").unwrap();
    let late = late.get_metric()[0].get_counter().get_value();
    let odd = times.windows(2).filter(|pair| pair[1] - pair[0] != 1000).count();
    // Each scrape that was late, which is counted, spoils the distances before and after it.
    assert!(odd as f64 <= 2.0 * late, "{times:?} with {late} late");
}

#[tokio::test]
async fn what_is_refused_of_a_scrape_that_succeeded_is_told_beside_its_target() {
    let exporter = Exporter::saying(&format!("a{{b=\"{}\"}} 1\nc 2\n", "x".repeat(20_000))).await;
    let address = exporter.address();
    let stage = Stage::new(&[job("j", std::slice::from_ref(&address), &json!({}))]);
    let told = stage.failure(&address).await;
    assert_eq!(
        told,
        "not all of it is stored: 1 samples are of series with too many or too large labels \
         (ingest.max_labels and its kin)"
    );
    let target = stage.target(&address, |_| true).await;
    assert_eq!(target.health, Health::Up);
    let of = |name: &str| format!("{name}{{instance=\"{address}\", job=\"j\"}}");
    stage.last(&of("c"), |value| value == 2.0).await;
    stage.last(&of("up"), |value| value == 1.0).await;
    exporter.say("c 3\n");
    stage.target(&address, |target| target.last_error.is_none()).await;
}
