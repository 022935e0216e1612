//! Prometheus reads from Watchkeeper: by remote read, in both of its forms, and by federation.

use std::collections::BTreeMap;
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use testkit::chunks::{self, Chunk, Frame, Value};
use testkit::{Prometheus, Watchkeeper, within};

use super::Pair;
use super::answer::{self, Both};
use super::data::{self, BEGIN_MS};
use super::sender::{self, Shop};
use crate::stage::binary;

/// The chunks of each series, in the order in which series came.
fn by_series(frames: Vec<Frame>) -> Vec<(BTreeMap<String, String>, Vec<Chunk>)> {
    let mut all: Vec<(BTreeMap<_, _>, Vec<Chunk>)> = Vec::new();
    for frame in frames {
        let labels = frame.labels.into_iter().collect();
        match all.last_mut() {
            Some((last, chunks)) if *last == labels => chunks.extend(frame.chunks),
            _ => all.push((labels, frame.chunks)),
        }
    }
    all
}

/// A sample, its histogram without what depends on which other ones stand in the chunk: empty buckets, and what is said
/// of resets.
#[derive(Debug, PartialEq)]
enum Sample {
    Number(u64),
    Histogram {
        schema: i64,
        threshold: f64,
        sum: u64,
        counts: Vec<f64>,
        buckets: Vec<(&'static str, i64, f64)>,
    },
}

fn samples(chunks: &[Chunk]) -> Vec<(i64, Sample)> {
    let comparable = |value| match value {
        Value::Number(bits) => Sample::Number(bits),
        Value::Histogram(histogram) => {
            let (counts, mut in_buckets) = (&histogram.counts[..2], histogram.counts[2..].iter());
            let mut buckets = Vec::new();
            for (side, spans) in [("positive", &histogram.positive), ("negative", &histogram.negative)] {
                let mut index = 0;
                for (offset, length) in spans {
                    index += offset;
                    for count in in_buckets.by_ref().take(*length as usize) {
                        buckets.push((side, index, *count));
                        index += 1;
                    }
                }
            }
            buckets.retain(|(_, _, count)| *count != 0.0);
            let chunks::Histogram { schema, zero_threshold: threshold, sum, .. } = histogram;
            Sample::Histogram { schema, threshold, sum, counts: counts.to_vec(), buckets }
        }
    };
    chunks.iter().flat_map(Chunk::samples).map(|(time, value)| (time, comparable(value))).collect()
}

/// What is asked of a Prometheus that reads: numbers, since the one of Debian sees no histograms in what it reads.
const QUERIES: [&str; 5] = [
    "shop_orders_total[8500ms]",
    "rate(shop_orders_total[5500ms])",
    "sum by (job) (increase(shop_orders_total[5500ms]))",
    "up{job=\"shop\"}[8500ms]",
    "scrape_samples_scraped{job=\"shop\"}",
];

/// The bytes of a chunk, without what is said of a reset in front of it.
fn bytes(chunk: &Chunk) -> Vec<u8> {
    let mut bytes = chunk.data.clone();
    if chunk.encoding > 1 {
        bytes[2] = 0;
    }
    bytes
}

/// Reads the same from both as chunks, and demands the same series with the same samples. Where Prometheus sends one
/// chunk, the bytes have to be the same too; how many these were is returned.
async fn read_both(pair: &Pair, metric: &str, (start_ms, end_ms): (i64, i64)) -> Result<usize> {
    let request = chunks::request(metric, start_ms, end_ms);
    let (ours, theirs) =
        tokio::try_join!(pair.watchkeeper.chunks(request.clone()), pair.prometheus.chunks(request))?;
    let (ours, theirs) = (by_series(ours), by_series(theirs));
    let labels = |all: &[(BTreeMap<String, String>, _)]| -> Vec<_> {
        all.iter().map(|(labels, _)| labels.clone()).collect()
    };
    ensure!(labels(&ours) == labels(&theirs), "{metric}: ours {ours:?}\ntheirs {theirs:?}");
    let mut same_bytes = 0;
    for ((labels, ours), (_, theirs)) in ours.iter().zip(&theirs) {
        ensure!(samples(ours) == samples(theirs), "{labels:?}: ours {ours:?}\ntheirs {theirs:?}");
        if let ([our], [their]) = (ours.as_slice(), theirs.as_slice()) {
            let (our_bytes, mut their_bytes) = (bytes(our), bytes(their));
            // Prometheus begins a further byte as soon as one is full.
            their_bytes
                .truncate(their_bytes.strip_suffix(&[0]).unwrap_or(&their_bytes).len().max(our_bytes.len()));
            ensure!(our_bytes == their_bytes, "{labels:?}: ours {our:?}\ntheirs {their:?}");
            same_bytes += 1;
        }
    }
    Ok(same_bytes)
}

#[tokio::test(flavor = "multi_thread")]
async fn scenario_streams_of_chunks_have_the_bytes_that_prometheus_sends() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let toml = "[store]\nretention = \"36500d\"\n";
    let pair = Pair {
        watchkeeper: Watchkeeper::start(binary(), folder.path(), toml).await?,
        prometheus: Prometheus::start("global: {}\n", &[]).await?,
    };
    let series = data::series(7);
    pair.write(&series).await?;
    let mut metrics: Vec<_> = series
        .iter()
        .flat_map(|series| &series.labels)
        .filter(|(name, _)| *name == "__name__")
        .map(|(_, metric)| metric.as_str())
        .collect();
    metrics.sort_unstable();
    metrics.dedup();
    let mut same_bytes = 0;
    // All of it, and parts of which Prometheus sends most in one chunk.
    let parts = (0..8).map(|part| (BEGIN_MS + part * 600_000, BEGIN_MS + part * 600_000 + 300_000));
    for range in [(BEGIN_MS, BEGIN_MS + data::LENGTH_MS)].into_iter().chain(parts) {
        for metric in &metrics {
            same_bytes += read_both(&pair, metric, range).await?;
        }
    }
    ensure!(same_bytes > series.len(), "only {same_bytes} chunks could be compared");
    Ok(())
}

/// A Prometheus that reads from Watchkeeper and scrapes what it federates; its external label is the one of
/// Watchkeeper's files.
fn reading(watchkeeper: &Watchkeeper) -> String {
    let address = watchkeeper.url("").replace("http://", "");
    let token = watchkeeper.data_dir().join("local.token");
    let authorization = format!("authorization: {{credentials_file: {}}}", token.display());
    format!(
        "global: {{scrape_interval: 1s, external_labels: {{site: here}}}}\n\
         remote_read:\n- url: http://{address}/prometheus/api/v1/read\n  read_recent: true\n  {authorization}\n\
         scrape_configs:\n- job_name: federation\n  honor_labels: true\n  metrics_path: /federate\n  \
         params: {{'match[]': ['shop_seconds', 'shop_orders_total']}}\n  {authorization}\n  \
         static_configs: [{{targets: ['{address}']}}]\n  \
         metric_relabel_configs: [{{source_labels: [__name__], target_label: __name__, replacement: 'federated_$1'}}]\n"
    )
}

#[tokio::test(flavor = "multi_thread")]
async fn scenario_prometheus_answers_from_what_it_reads_and_federates_histograms_too() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let yaml = "global:\n  external_labels: {site: here}\nscrape_configs: []\n";
    std::fs::write(folder.path().join("prometheus.yml"), yaml)?;
    let toml = "[scraping]\nfiles = ['prometheus.yml']\n";
    let watchkeeper = Watchkeeper::start(binary(), folder.path(), toml).await?;
    let shop = Shop::open().await?;
    let flags = ["--enable-feature=native-histograms"];
    let sender = Prometheus::start(&sender::configuration(&watchkeeper, &shop), &flags).await?;
    let pair = Pair { watchkeeper, prometheus: sender };
    let newest = sender::settled(&pair).await?;
    let range = ((newest * 1000.0) as i64 - 9_000, (newest * 1000.0) as i64 - 1_000);
    let sent = pair.prometheus.chunks(chunks::request("shop_seconds", range.0, range.1)).await?;
    let read = pair.watchkeeper.chunks(chunks::request("shop_seconds", range.0, range.1)).await?;
    let (sent, mut read) = (by_series(sent), by_series(read));
    for (labels, _) in &mut read {
        ensure!(labels.remove("site").as_deref() == Some("here"), "{labels:?}");
    }
    ensure!(!sent.is_empty() && sent.len() == read.len(), "{sent:?} {read:?}");
    for (sent, read) in sent.iter().zip(&read) {
        ensure!(sent.0 == read.0 && samples(&sent.1) == samples(&read.1), "{sent:?} {read:?}");
    }

    let Pair { watchkeeper, prometheus: _sender } = pair;
    let prometheus = Prometheus::start(&reading(&watchkeeper), &flags).await?;
    let pair = Pair { watchkeeper, prometheus };
    let end = format!("{:.3}", newest - 2.0);
    for query in QUERIES {
        let (ours, theirs) = pair.ask("query", &[("query", query), ("time", &end)]).await?;
        let same = answer::compare(&ours, &theirs, false);
        ensure!(
            same == Ok(Both::Something),
            "{query}: {same:?}\nours: {}\ntheirs: {}",
            ours.body,
            theirs.body
        );
    }
    let federated = "/api/v1/query?query={__name__=~\"federated_.*\"}";
    let federated = within(Duration::from_secs(60), "what is federated to be scraped", || async {
        let found = pair.prometheus.get(federated).await?.body["data"]["result"].clone();
        let found = found.as_array().cloned().unwrap_or_default();
        let names = ["federated_shop_seconds", "federated_shop_orders_total"];
        let all = names.iter().all(|name| found.iter().any(|one| one["metric"]["__name__"] == *name));
        Ok(all.then_some(found))
    })
    .await
    .with_context(|| pair.prometheus.output())?;
    for series in &federated {
        ensure!(series["metric"]["site"] == "here" && series["metric"]["job"] == "shop", "{series}");
        let is_histogram = series["metric"]["__name__"] == "federated_shop_seconds";
        ensure!(series["histogram"][1]["buckets"].is_array() == is_histogram, "{series}");
    }
    Ok(())
}
