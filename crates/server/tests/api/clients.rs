//! A real Prometheus as a client: it reads by remote read, and scrapes what is federated.

use std::time::Duration;

use model::Timestamp;
use reqwest::Method;
use serde_json::Value;
use testkit::{Launched, free_port, within};

use crate::stage::{Stage, TOKEN, answer};

#[tokio::test(flavor = "multi_thread")]
async fn a_prometheus_answers_from_what_it_reads_here_and_scrapes_what_is_federated() {
    let (stage, now) = (Stage::new().await, Timestamp::now().as_millis());
    let samples: Vec<(i64, f64)> = (0..10).map(|n| (now - n * 10_000, n as f64)).rev().collect();
    let body = testkit::remote_write(&[
        (&[("__name__", "queue_depth"), ("queue", "a")], &samples),
        (&[("__name__", "queue_depth"), ("queue", "b")], &samples),
        (&[("__name__", "federated"), ("job", "there")], &[(now, 7.0)]),
    ]);
    let write = stage.local(Method::POST, "/prometheus/api/v1/write").body(body);
    assert_eq!(answer(write.header("Content-Encoding", "snappy")).await.status, 204);

    let folder = tempfile::tempdir().expect("a folder");
    let config = format!(
        "global: {{scrape_interval: 1s}}\n\
         scrape_configs:\n- job_name: watchkeeper\n  honor_labels: true\n  metrics_path: /federate\n  \
         params: {{'match[]': ['federated']}}\n  authorization: {{credentials: '{TOKEN}'}}\n  \
         static_configs: [{{targets: ['{address}']}}]\n\
         remote_read:\n- url: http://{address}/prometheus/api/v1/read\n  read_recent: true\n  \
         authorization: {{credentials: '{TOKEN}'}}\n",
        address = stage.address
    );
    let (file, port) = (folder.path().join("prometheus.yml"), free_port().expect("a port"));
    std::fs::write(&file, config).expect("a file");
    let mut command = tokio::process::Command::new("prometheus");
    command
        .arg(format!("--config.file={}", file.display()))
        .arg(format!("--storage.tsdb.path={}", folder.path().join("data").display()))
        .arg(format!("--web.listen-address=127.0.0.1:{port}"));
    let server = Launched::start(&mut command, &folder.path().join("log")).expect("prometheus is installed");
    let found = async |query: &str, expected: usize| {
        let asked = within(Duration::from_secs(60), query, || async {
            let mut url: reqwest::Url =
                format!("http://127.0.0.1:{port}/api/v1/query").parse().expect("an address");
            url.query_pairs_mut().append_pair("query", query);
            let Ok(answered) = stage.client.get(url).send().await else {
                return Ok(None);
            };
            let body: Value = serde_json::from_str(&answered.text().await?).unwrap_or_default();
            let result = body["data"]["result"].as_array().cloned().unwrap_or_default();
            Ok((result.len() == expected).then_some(result))
        });
        asked.await.unwrap_or_else(|error| panic!("{error:#}\n{}", server.output()))
    };
    let sums = found("sum by (queue) (sum_over_time(queue_depth[2m]))", 2).await;
    for sum in &sums {
        assert_eq!(sum["value"][1], "45", "{sum}");
    }
    // What was read is still there when the scrape has come; the labels are those of here.
    let scraped = found("federated{job=\"there\"} and on() (up{job=\"watchkeeper\"} == 1)", 1).await;
    assert_eq!(scraped[0]["value"][1], "7");
    let count = found("scrape_samples_scraped{job=\"watchkeeper\"} == 1", 1).await;
    assert_eq!(count[0]["value"][1], "1");
}
