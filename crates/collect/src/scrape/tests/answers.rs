use std::io::Write as _;

use serde_json::json;

use super::exporter::{Exporter, Reply};
use super::stage::{Stage, job};

fn gzipped(text: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(text).unwrap();
    encoder.finish().unwrap()
}

fn packed(body: &[u8]) -> Reply {
    let head = "200 OK\r\nContent-Type: text/plain; version=0.0.4\r\nContent-Encoding: gzip";
    Reply::Whole(head.to_owned(), gzipped(body))
}

#[tokio::test]
async fn a_body_is_read_as_its_type_says_packed_or_not() {
    let exporter = Exporter::start().await;
    let address = exporter.address();
    let openmetrics = "# TYPE a counter\na_total 1 # {trace_id=\"x\"} 0.5\n# EOF\n";
    exporter.reply("/openmetrics", Reply::of("application/openmetrics-text; version=1.0.0", openmetrics));
    exporter.reply("/packed", packed(b"b 2\n"));
    exporter.reply("/unnamed", Reply::Whole("200 OK".to_owned(), b"c 3\n".to_vec()));
    let one = |name: &str, more| job(name, std::slice::from_ref(&address), &more);
    let stage = Stage::new(&[
        one("openmetrics", json!({ "metrics_path": "/openmetrics" })),
        one("packed", json!({ "metrics_path": "packed", "scheme": "http" })),
        one(
            "unnamed",
            json!({ "metrics_path": "/unnamed", "fallback_scrape_protocol": "PrometheusText0.0.4" }),
        ),
    ]);
    for (name, job, value) in [("a_total", "openmetrics", 1.0), ("b", "packed", 2.0), ("c", "unnamed", 3.0)] {
        stage.last(&format!("{name}{{instance=\"{address}\", job=\"{job}\"}}"), |seen| seen == value).await;
    }
    let asked = exporter.asked().to_ascii_lowercase();
    for header in [
        "accept: application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.5,",
        "accept-encoding: gzip",
        "x-prometheus-scrape-timeout-seconds: 0.2",
        "user-agent: watchkeeper/",
    ] {
        assert!(asked.contains(header), "{header}: {asked}");
    }
    let said = stage.scrapes.metadata();
    let of_a = said.iter().flat_map(|one| one.metadata.iter()).find(|said| said.family == "a");
    assert_eq!(of_a.map(|said| said.kind), Some(model::MetricKind::Counter));
}

#[tokio::test]
async fn a_small_body_that_unpacks_to_a_huge_one_is_given_up_at_the_limit() {
    let exporter = Exporter::start().await;
    exporter.reply("/bomb", packed(&vec![b'\n'; 64 << 20]));
    let limits =
        json!({ "metrics_path": "/bomb", "body_size_limit": "1MiB", "every": "1s", "timeout": "1s" });
    let stage = Stage::new(&[job("j", &[exporter.address()], &limits)]);
    let expected =
        "the body has more than 1048576 bytes, which is the limit (body_size_limit, scraping.max_body)";
    assert_eq!(stage.failure("/bomb").await, expected);
}

#[tokio::test]
async fn over_a_limit_nothing_of_a_scrape_is_stored_and_the_limit_is_named() {
    let exporter =
        Exporter::saying("a{b=\"1\"} 1\na{b=\"2\"} 1\na{b=\"a long value that is no address\"} 1\n").await;
    let address = exporter.address();
    let cases = [
        (
            json!({ "sample_limit": 2 }),
            "it shows 3 samples after relabelling, and the limit is 2 (sample_limit)",
        ),
        (json!({ "label_limit": 3 }), "has 4 labels, the limit is 3 (label_limit)"),
        (
            json!({ "label_name_length_limit": 7 }),
            "has a label whose name has 8 bytes, the limit is 7 (label_name_length_limit)",
        ),
        (
            json!({ "label_value_length_limit": 25 }),
            "has a label whose value has 31 bytes, the limit is 25 (label_value_length_limit)",
        ),
        (json!({ "target_limit": 1 }), "the job has 2 targets, the limit is 1 (target_limit)"),
    ];
    let other = format!("localhost:{}", exporter.port);
    let jobs: Vec<_> = (cases.iter().enumerate())
        .map(|(place, (limit, _))| job(&place.to_string(), &[address.clone(), other.clone()], limit))
        .collect();
    let stage = Stage::new(&jobs);
    for (place, (_, expected)) in cases.iter().enumerate() {
        let pool = place.to_string();
        let failed =
            stage.target(&address, |target| target.pool == pool && target.last_error.is_some()).await;
        let reason = failed.last_error.unwrap_or_default();
        assert!(reason.ends_with(expected), "{reason}");
        stage.last(&format!("up{{instance=\"{address}\", job=\"{pool}\"}}"), |value| value == 0.0).await;
        let stored = stage.store.values(&format!("a{{b=\"1\", instance=\"{address}\", job=\"{pool}\"}}"));
        assert!(stored.is_empty(), "{expected}: {stored:?}");
    }
}

#[tokio::test]
async fn no_more_targets_are_asked_than_there_are_places() {
    let exporter = Exporter::saying("a 1\n").await;
    let targets: Vec<String> = (1..6).map(|number| format!("127.0.0.{number}:{}", exporter.port)).collect();
    let scraping = json!({ "max_targets": 2 });
    let stage = Stage::with(scraping, &[job("j", &targets, &json!({}))], std::path::Path::new(""));
    let problem = testkit::eventually("the problem to be told", || async {
        Ok(stage.scrapes.jobs().into_iter().find_map(|job| job.problem))
    });
    assert_eq!(problem.await.unwrap(), "all places of scraping.max_targets are taken");
    assert_eq!(stage.scrapes.targets().len(), 2);
}
