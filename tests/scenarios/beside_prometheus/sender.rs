//! Prometheus scrapes and sends what it has by remote write; Watchkeeper answers as the sender does.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use serde_json::Value;
use testkit::{Prometheus, Watchkeeper, within};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use super::Pair;
use super::answer::{self, Both};
use crate::stage::binary;

/// How many scrapes of each target are waited for: windows lie after the first, where Prometheus extrapolates
/// otherwise since its version 3.
const SCRAPES: u32 = 13;

/// What is asked once both have the same; `5500ms` begins between two scrapes.
const QUERIES: [&str; 22] = [
    "up{job=~\"prometheus|watcher|shop\"}",
    "{job=\"prometheus\"}",
    "{job=\"prometheus\"}[5500ms]",
    "{job=\"watcher\"}[5500ms]",
    "{job=\"shop\"}[8500ms]",
    "count by (job, __name__) ({job=~\"prometheus|watcher|shop\"})",
    "scrape_samples_scraped",
    "scrape_duration_seconds",
    "rate(prometheus_http_requests_total[5500ms])",
    "sum by (job) (increase(process_cpu_seconds_total{job=~\"prometheus|watcher\"}[5500ms]))",
    "avg_over_time(go_goroutines{job=\"prometheus\"}[5500ms])",
    "max by (job) (process_resident_memory_bytes{job=~\"prometheus|watcher\"})",
    "histogram_quantile(0.9, sum by (le) (rate(prometheus_http_request_duration_seconds_bucket[5500ms])))",
    "prometheus_build_info",
    "topk(1, prometheus_tsdb_head_series)",
    "up{job=\"prometheus\"} * on (job) group_left (version) prometheus_build_info",
    "rate(shop_orders_total[5500ms])",
    "shop_open",
    "count_over_time(shop_open[8500ms])",
    "absent(shop_open{door=\"back\"})",
    "shop_oddity",
    "changes(shop_oddity[8500ms])",
];

/// A program that is scraped: a counter, values that are no numbers, and a series that is gone after a few scrapes.
struct Shop {
    address: String,
    serving: JoinHandle<()>,
}

impl Shop {
    async fn open() -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await.context("a port for the shop")?;
        let address = listener.local_addr()?.to_string();
        let serving = tokio::spawn(async move {
            let mut scrapes = 0;
            while let Ok((mut connection, _)) = listener.accept().await {
                let mut request = [0; 4096];
                // A scrape's request fits into one packet; one that is not read at all is answered by nothing.
                if connection.read(&mut request).await.is_ok_and(|read| read > 0) {
                    scrapes += 1;
                    let body = exposition(scrapes);
                    let answer = format!(
                        "HTTP/1.1 200 OK\r\ncontent-type: text/plain; version=0.0.4\r\nconnection: close\r\n\
                         content-length: {}\r\n\r\n{body}",
                        body.len()
                    );
                    // Who hangs up scrapes again.
                    _ = connection.write_all(answer.as_bytes()).await;
                }
            }
        });
        Ok(Self { address, serving })
    }
}

impl Drop for Shop {
    fn drop(&mut self) {
        self.serving.abort();
    }
}

fn exposition(scrape: u32) -> String {
    let door = if scrape <= 4 { "shop_open{door=\"back\"} 1\n" } else { "" };
    let sold = scrape % 7 * 10;
    format!(
        "# TYPE shop_orders_total counter\nshop_orders_total{{what=\"žluťoučký 🐎 \\\"cake\\\"\"}} {sold}\n\
         # TYPE shop_open gauge\nshop_open{{door=\"front\"}} 1\n{door}\
         # TYPE shop_oddity gauge\nshop_oddity{{is=\"nan\"}} NaN\nshop_oddity{{is=\"inf\"}} +Inf\n\
         shop_oddity{{is=\"less\"}} -{scrape}.5e-3\n"
    )
}

fn configuration(watchkeeper: &Watchkeeper, shop: &Shop) -> String {
    let address = watchkeeper.url("").replace("http://", "");
    let token = watchkeeper.data_dir().join("local.token");
    format!(
        "global: {{scrape_interval: 1s}}\n\
         scrape_configs:\n\
         - job_name: prometheus\n  static_configs: [{{targets: ['127.0.0.1:{{port}}']}}]\n\
         - job_name: shop\n  static_configs: [{{targets: ['{shop}']}}]\n\
         - job_name: watcher\n  authorization: {{credentials_file: {token}}}\n  \
         static_configs: [{{targets: ['{address}']}}]\n\
         remote_write:\n\
         - url: http://{address}/prometheus/api/v1/write\n  \
         queue_config: {{max_shards: 1, batch_send_deadline: 100ms}}\n",
        shop = shop.address,
        token = token.display(),
    )
}

/// The newest time, in seconds, of which all samples have come: those of a second that is two scrapes old.
async fn settled(pair: &Pair) -> Result<f64> {
    within(Duration::from_secs(60), "prometheus to send what it scrapes", || async {
        let count = "min(count_over_time(up{job=~\"prometheus|shop\"}[1m]) and on () count(up{job=~\"prometheus|watcher|shop\"}) == 3)";
        let newest = "min(timestamp(up{job=~\"prometheus|watcher|shop\"}))";
        let mut numbers = Vec::new();
        for query in [count, newest] {
            let path = format!("/prometheus/api/v1/query?nocache=1&query={}", testkit::percent_encoded(query));
            let answer = pair.watchkeeper.get(&path).await?;
            let text = &answer.body["data"]["result"][0]["value"][1];
            numbers.push(text.as_str().and_then(|text| text.parse::<f64>().ok()).unwrap_or_default());
        }
        Ok((numbers[0] >= f64::from(SCRAPES)).then_some(numbers[1]))
    })
    .await
}

#[tokio::test(flavor = "multi_thread")]
async fn scenario_what_prometheus_sends_by_remote_write_is_answered_as_prometheus_answers() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let watchkeeper = Watchkeeper::start(binary(), folder.path(), "").await?;
    let shop = Shop::open().await?;
    let prometheus = Prometheus::start(&configuration(&watchkeeper, &shop), &[]).await?;
    let pair = Pair { watchkeeper, prometheus };
    let newest = settled(&pair).await?;
    let (start, end) = (format!("{:.3}", newest - 5.0), format!("{:.3}", newest - 2.0));
    for query in QUERIES {
        let at_once = [("query", query), ("time", end.as_str())];
        let over_time = [("query", query), ("start", start.as_str()), ("end", end.as_str()), ("step", "1")];
        let asked = [("query", &at_once[..]), ("query_range", &over_time[..])];
        // A range cannot be asked over a time.
        for (path, parameters) in asked.into_iter().take(if query.ends_with(']') { 1 } else { 2 }) {
            let (ours, theirs) = pair.ask(path, parameters).await?;
            let same = answer::compare(&ours, &theirs, false);
            let is_empty = |answer: &Value| answer["data"]["result"].as_array().is_some_and(Vec::is_empty);
            ensure!(
                same == Ok(Both::Something),
                "{path} {parameters:?}: {same:?}\nempty: {} and {}\nours: {}\ntheirs: {}\n{}",
                is_empty(&ours.body),
                is_empty(&theirs.body),
                ours.body,
                theirs.body,
                pair.prometheus.output(),
            );
        }
    }
    Ok(())
}
