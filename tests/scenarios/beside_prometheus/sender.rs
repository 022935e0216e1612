//! Prometheus scrapes and sends what it has by remote write; Watchkeeper answers as the sender does.

mod shop;

use std::time::Duration;

use anyhow::{Result, ensure};
use testkit::{Prometheus, Watchkeeper, within};

use super::Pair;
use super::answer::{self, Both};
use crate::stage::binary;
pub(crate) use shop::Shop;

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

/// What is asked of native histograms. Within a bucket both interpolate otherwise, so that quantiles and fractions are
/// not asked.
const OF_HISTOGRAMS: [&str; 11] = [
    "shop_seconds",
    "shop_seconds[5500ms]",
    "histogram_count(shop_seconds)",
    "histogram_sum(shop_seconds)",
    "histogram_count(rate(shop_seconds[5500ms]))",
    "histogram_sum(increase(shop_seconds[5500ms]))",
    "rate(shop_seconds[5500ms])",
    "sum(shop_seconds)",
    "sum by (till) (rate(shop_seconds[5500ms]))",
    "count(shop_seconds)",
    "shop_orders_total",
];

pub(super) fn configuration(watchkeeper: &Watchkeeper, shop: &Shop) -> String {
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
         queue_config: {{max_shards: 1, batch_send_deadline: 100ms}}\n  send_native_histograms: true\n",
        shop = shop.address,
        token = token.display(),
    )
}

/// The newest time, in seconds, of which all samples have come: those of a second that is two scrapes old.
pub(super) async fn settled(pair: &Pair) -> Result<f64> {
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

/// Sends what is scraped, and asks both for it.
async fn compare(flags: &[&str], queries: &[&str]) -> Result<()> {
    let folder = tempfile::tempdir()?;
    let watchkeeper = Watchkeeper::start(binary(), folder.path(), "").await?;
    let shop = Shop::open().await?;
    let prometheus = Prometheus::start(&configuration(&watchkeeper, &shop), flags).await?;
    let pair = Pair { watchkeeper, prometheus };
    let newest = settled(&pair).await?;
    let (start, end) = (format!("{:.3}", newest - 5.0), format!("{:.3}", newest - 2.0));
    for query in queries {
        let at_once = [("query", *query), ("time", end.as_str())];
        let over_time = [("query", *query), ("start", start.as_str()), ("end", end.as_str()), ("step", "1")];
        let asked = [("query", &at_once[..]), ("query_range", &over_time[..])];
        // A range cannot be asked over a time.
        for (path, parameters) in asked.into_iter().take(if query.ends_with(']') { 1 } else { 2 }) {
            let (ours, theirs) = pair.ask(path, parameters).await?;
            let same = answer::compare(&ours, &theirs, false);
            ensure!(
                same == Ok(Both::Something),
                "{path} {parameters:?}: {same:?}\nours: {}\ntheirs: {}\n{}",
                ours.body,
                theirs.body,
                pair.prometheus.output(),
            );
        }
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn scenario_what_prometheus_sends_by_remote_write_is_answered_as_prometheus_answers() -> Result<()> {
    compare(&[], &QUERIES).await
}

#[tokio::test(flavor = "multi_thread")]
async fn scenario_native_histograms_that_prometheus_sends_are_answered_as_prometheus_answers() -> Result<()> {
    compare(&["--enable-feature=native-histograms"], &OF_HISTOGRAMS).await
}
