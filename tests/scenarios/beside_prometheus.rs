//! Watchkeeper beside the real Prometheus of Debian: what one answers, the other does too.

mod answer;
mod data;
mod differential;
mod expressions;
mod reader;
mod sender;

use anyhow::{Result, ensure};
use testkit::{Answer, Prometheus, Watchkeeper};

/// How much of the data one request has.
const WRITE_MS: i64 = 20 * 60_000;

/// The two that are compared.
struct Pair {
    watchkeeper: Watchkeeper,
    prometheus: Prometheus,
}

impl Pair {
    /// Asks both for the same. What only Prometheus 3 knows by a name has its old one where the older is asked.
    async fn ask(&self, path: &str, parameters: &[(&str, &str)]) -> Result<(Answer, Answer)> {
        let of = |value: &dyn Fn(&str) -> String| {
            let parameters = parameters.iter();
            let parameters =
                parameters.map(|(name, text)| format!("{name}={}", testkit::percent_encoded(&value(text))));
            format!("/api/v1/{path}?{}", parameters.collect::<Vec<_>>().join("&"))
        };
        let ours = format!("/prometheus{}", of(&str::to_owned));
        let theirs = of(&|text| text.replace("double_exponential_smoothing", "holt_winters"));
        let (ours, theirs) = tokio::join!(self.watchkeeper.get(&ours), self.prometheus.get(&theirs));
        Ok((ours?, theirs?))
    }

    /// Sends all series to both, a part of the time at once: Prometheus takes nothing that is an hour older than the
    /// newest.
    async fn write(&self, series: &[data::Series]) -> Result<()> {
        let headers = [
            ("content-encoding", "snappy"),
            ("content-type", "application/x-protobuf"),
            ("x-prometheus-remote-write-version", "0.1.0"),
        ];
        let labels: Vec<Vec<(&str, &str)>> = series
            .iter()
            .map(|series| series.labels.iter().map(|(name, value)| (*name, value.as_str())).collect())
            .collect();
        let mut begin_ms = data::BEGIN_MS;
        while begin_ms < data::BEGIN_MS + data::LENGTH_MS {
            let part: Vec<_> = labels
                .iter()
                .zip(series)
                .map(|(labels, series)| (labels.as_slice(), series.between(begin_ms, begin_ms + WRITE_MS)))
                .filter(|(_, samples)| !samples.is_empty())
                .collect();
            let body = testkit::remote_write(&part);
            let ours =
                self.watchkeeper.post_bytes("/prometheus/api/v1/write", &headers, body.clone()).await?;
            let theirs = self.prometheus.post_bytes("/api/v1/write", &headers, body).await?;
            ensure!(
                ours.status < 300 && theirs.status < 300,
                "{ours:?} {theirs:?} {}",
                self.prometheus.output()
            );
            begin_ms += WRITE_MS;
        }
        Ok(())
    }
}
