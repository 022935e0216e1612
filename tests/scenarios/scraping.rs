//! Exporters are scraped: the node exporter of this system, and Watchkeeper itself.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use serde_json::Value;
use testkit::{Launched, Watchkeeper, free_port, within};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::process::Command;

use crate::stage::binary;

const PATIENCE: Duration = Duration::from_secs(60);

/// The target of a job, once its health is as wanted.
async fn target(watchkeeper: &Watchkeeper, job: &str, health: &str) -> Result<Value> {
    within(PATIENCE, &format!("the target of {job} to be {health}"), || async {
        let answer =
            watchkeeper.get(&format!("/prometheus/api/v1/targets?state=active&scrapePool={job}")).await?;
        let targets = answer.body["data"]["activeTargets"].as_array().cloned().unwrap_or_default();
        Ok(targets.into_iter().find(|target| target["health"] == health))
    })
    .await
}

/// The value of a query that gives one series, once it does.
async fn value(watchkeeper: &Watchkeeper, query: &str) -> Result<f64> {
    within(PATIENCE, &format!("an answer to {query}"), || async {
        let found = results(watchkeeper, query).await?;
        let value = found.first().and_then(|series| series["value"][1].as_str());
        Ok(value.and_then(|value| value.parse::<f64>().ok()))
    })
    .await
}

async fn results(watchkeeper: &Watchkeeper, query: &str) -> Result<Vec<Value>> {
    let mut url = String::from("/prometheus/api/v1/query?query=");
    query.bytes().for_each(|byte| url.push_str(&format!("%{byte:02X}")));
    let answer = watchkeeper.get(&url).await?;
    ensure!(answer.status == 200, "{query}: {:?}", answer.body);
    answer.body["data"]["result"].as_array().cloned().context("no result")
}

#[tokio::test(flavor = "multi_thread")]
async fn scenario_exporters_of_a_prometheus_yml_and_watchkeeper_itself_are_scraped() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let port = free_port()?;
    let mut command = Command::new("prometheus-node-exporter");
    command.arg(format!("--web.listen-address=127.0.0.1:{port}"));
    let mut exporter = Launched::start(&mut command, &folder.path().join("exporter.log"))
        .context("`scripts/prepare.sh exporter` installs it")?;
    let yaml = format!(
        "global:\n  scrape_interval: 1s\n  scrape_timeout: 1s\nrule_files: [none.yml]\nscrape_configs:\n  \
         - job_name: node\n    scrape_protocols: [PrometheusProto, OpenMetricsText1.0.0, PrometheusText0.0.4]\n    \
         static_configs:\n      - targets: ['127.0.0.1:{port}']\n        labels: {{ rack: b4 }}\n"
    );
    std::fs::write(folder.path().join("prometheus.yml"), yaml)?;
    let mut watchkeeper =
        Watchkeeper::start(binary(), folder.path(), "[scraping]\nfiles = ['prometheus.yml']\n").await?;

    target(&watchkeeper, "node", "up").await?;
    let memory = value(&watchkeeper, "node_memory_MemTotal_bytes{rack=\"b4\", job=\"node\"}").await?;
    ensure!(memory > 1e6, "{memory} bytes of memory");
    let of_host = value(&watchkeeper, "host_memory_total_bytes").await?;
    ensure!((memory / of_host - 1.0).abs() < 0.01, "{memory} and {of_host} are the same memory");
    let metadata =
        watchkeeper.get("/prometheus/api/v1/targets/metadata?metric=node_memory_MemTotal_bytes").await?;
    ensure!(metadata.body["data"][0]["type"] == "gauge", "{:?}", metadata.body);

    // What of the file is passed over is said, in the log and by the check of the configuration.
    let warning = "prometheus.yml:4:1: `rule_files` is not read here: rules are those of `[alerts] rules`";
    ensure!(watchkeeper.output().contains(warning), "{}", watchkeeper.output());
    let config = folder.path().join("watchkeeper.toml");
    let output = Command::new(binary()).args(["config", "check", "--config"]).arg(&config).output().await?;
    let told = String::from_utf8_lossy(&output.stdout).into_owned();
    ensure!(output.status.code() == Some(0) && told.contains(warning), "{output:?}");

    // Watchkeeper shows its own metrics to whoever has its token, itself too.
    let address = watchkeeper.url("").replace("http://", "");
    let own = format!(
        "[scraping]\nfiles = ['prometheus.yml']\n[[scrape]]\njob_name = 'self'\nevery = '1s'\ntimeout = '1s'\n\
         targets = ['{address}']\n[scrape.authorization]\ncredentials_file = 'data/local.token'\n"
    );
    std::fs::write(folder.path().join("watchkeeper.toml"), own)?;
    watchkeeper.terminate().await?;
    watchkeeper.start_again().await?;
    target(&watchkeeper, "self", "up").await?;
    let scrapes = value(&watchkeeper, "watchkeeper_scrapes_total{job=\"self\", outcome=\"ok\"} > 1").await?;
    ensure!(scrapes >= 2.0, "{scrapes} scrapes");
    value(&watchkeeper, "scrape_samples_scraped{job=\"self\"} > 50").await?;

    exporter.kill().await?;
    let gone = target(&watchkeeper, "node", "down").await?;
    ensure!(gone["lastError"] == "connection refused", "{gone}");
    ensure!(value(&watchkeeper, "up{job=\"node\"} == 0").await? == 0.0);
    within(PATIENCE, "the series of the exporter to end", || async {
        let left = results(&watchkeeper, "node_memory_MemTotal_bytes").await?;
        Ok(left.is_empty().then_some(()))
    })
    .await?;

    std::fs::write(folder.path().join("prometheus.yml"), "scrape_configs:\n  - job_nam: a\n")?;
    let output = Command::new(binary()).args(["config", "check", "--config"]).arg(&config).output().await?;
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    ensure!(output.status.code() == Some(2), "{output:?}");
    ensure!(told.contains("prometheus.yml:2:5: unknown key `job_nam`"), "{told}");
    Ok(())
}

/// Shows a page of OpenMetrics to whoever asks, until it is dropped with its task.
async fn show(page: String) -> Result<(String, tokio::task::JoinHandle<()>)> {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?.to_string();
    let head =
        "HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-type: application/openmetrics-text; version=1.0.0";
    let answer = format!("{head}\r\ncontent-length: {}\r\n\r\n{page}", page.len());
    let serving = tokio::spawn(async move {
        while let Ok((mut connection, _)) = listener.accept().await {
            let mut request = [0; 4096];
            // A scrape's request fits into one packet.
            if connection.read(&mut request).await.unwrap_or_default() > 0 {
                // Who hangs up scrapes again.
                _ = connection.write_all(answer.as_bytes()).await;
            }
        }
    });
    Ok((address, serving))
}

#[tokio::test(flavor = "multi_thread")]
async fn scenario_an_exemplar_of_a_scraped_page_is_found_by_the_query_of_its_series() -> Result<()> {
    let folder = tempfile::tempdir()?;
    let seconds = model::Timestamp::now().as_millis() as f64 / 1000.0 - 5.0;
    let page = format!(
        "# TYPE latency_seconds histogram\n\
         latency_seconds_bucket{{path=\"/\",le=\"0.5\"}} 3 # {{trace_id=\"fast\"}} 0.25 {seconds:.3}\n\
         latency_seconds_bucket{{path=\"/\",le=\"+Inf\"}} 4 # {{trace_id=\"slow\",span_id=\"7\"}} 1.5 {seconds:.3}\n\
         latency_seconds_count{{path=\"/\"}} 4\nlatency_seconds_sum{{path=\"/\"}} 2\n# EOF\n"
    );
    let (address, serving) = show(page).await?;
    let toml =
        format!("[[scrape]]\njob_name = 'shop'\nevery = '1s'\ntimeout = '1s'\ntargets = ['{address}']\n");
    let watchkeeper = Watchkeeper::start(binary(), folder.path(), &toml).await?;
    let path = "/prometheus/api/v1/query_exemplars?query=histogram_quantile(0.9,sum+by(le)(rate(\
                latency_seconds_bucket%7Bjob=%22shop%22%7D%5B5m%5D)))";
    let found = within(PATIENCE, "the exemplars", || async {
        let found = watchkeeper.get(path).await?.body["data"].as_array().cloned().unwrap_or_default();
        Ok((found.len() == 2).then_some(found))
    })
    .await?;
    let time = (seconds * 1000.0).round() / 1000.0;
    for (series, (le, labels, value)) in found.iter().zip([
        ("+Inf", serde_json::json!({ "trace_id": "slow", "span_id": "7" }), "1.5"),
        ("0.5", serde_json::json!({ "trace_id": "fast" }), "0.25"),
    ]) {
        let of_series = serde_json::json!({
            "__name__": "latency_seconds_bucket", "instance": address, "job": "shop", "le": le, "path": "/",
        });
        ensure!(series["seriesLabels"] == of_series, "{series}");
        let exemplar = serde_json::json!([{ "labels": labels, "value": value, "timestamp": time }]);
        ensure!(series["exemplars"] == exemplar, "{series}: scraped often, and there once");
    }
    let others = watchkeeper.get("/prometheus/api/v1/query_exemplars?query=latency_seconds_count").await?;
    ensure!(others.body["data"] == serde_json::json!([]), "{:?}", others.body);
    serving.abort();
    Ok(())
}
