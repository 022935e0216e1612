//! Watchkeeper's own metrics: as text for `/metrics`, and as samples for its own store, so that rules
//! can watch the watcher.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use ingest::{Ingest, Source};
use model::{MetricBatch, MetricKind, MetricMetadata, Timestamp};
use prometheus::proto::{Metric, MetricFamily, MetricType};
use prometheus::{Registry, TextEncoder};

use crate::collector::{CollectError, Collector};
use crate::config::OwnConfig;
use crate::samples::Samples;

/// All metrics of `registry` in the Prometheus text format (version 0.0.4).
pub fn encode_text(registry: &Registry) -> String {
    let mut text = String::new();
    for family in registry.gather() {
        let start = text.len();
        if let Err(error) = TextEncoder::new().encode_utf8(std::slice::from_ref(&family), &mut text) {
            // A family without metrics: it has nothing to say yet.
            tracing::debug!(family = family.name(), %error, "a metric family is left out");
            text.truncate(start);
        }
    }
    text
}

/// The collector of our own metrics.
pub(crate) struct Own {
    interval: Duration,
    host: String,
    registry: Registry,
    /// Takes what the metrics mean.
    ingest: Arc<Ingest>,
}

impl Own {
    pub(crate) fn new(config: &OwnConfig, host: String, registry: Registry, ingest: Arc<Ingest>) -> Self {
        Self { interval: config.interval.0, host, registry, ingest }
    }
}

#[async_trait]
impl Collector for Own {
    fn name(&self) -> &'static str {
        "own"
    }

    fn target(&self) -> &str {
        "watchkeeper"
    }

    fn interval(&self) -> Duration {
        self.interval
    }

    async fn collect(&mut self, now: Timestamp) -> Result<MetricBatch, CollectError> {
        let mut samples = Samples::new(now, &[("host", &self.host)]);
        let families = self.registry.gather();
        self.ingest.note_metadata(Source::Own, families.iter().map(described).collect());
        for family in families {
            for metric in family.get_metric() {
                push_metric(&mut samples, &family, metric);
            }
        }
        Ok(samples.finish())
    }
}

/// What a family means.
fn described(family: &MetricFamily) -> MetricMetadata {
    let kind = match family.get_field_type() {
        MetricType::COUNTER => MetricKind::Counter,
        MetricType::GAUGE => MetricKind::Gauge,
        MetricType::HISTOGRAM => MetricKind::Histogram,
        MetricType::SUMMARY => MetricKind::Summary,
        MetricType::UNTYPED => MetricKind::Unknown,
    };
    let (family, help) = (family.name().to_owned(), family.help().to_owned());
    MetricMetadata { family, kind, help, unit: String::new() }
}

/// One metric becomes one sample, or, for histograms and summaries, one for each of its parts.
fn push_metric(samples: &mut Samples, family: &MetricFamily, metric: &Metric) {
    let name = family.name();
    let labels: Vec<(&str, &str)> =
        metric.get_label().iter().map(|pair| (pair.name(), pair.value())).collect();
    match family.get_field_type() {
        MetricType::COUNTER => samples.push(name, &labels, metric.get_counter().get_value()),
        MetricType::GAUGE => samples.push(name, &labels, metric.get_gauge().get_value()),
        // The library never makes one.
        MetricType::UNTYPED => {}
        MetricType::HISTOGRAM => {
            let histogram = metric.get_histogram();
            let mut bounds: Vec<(f64, u64)> = histogram
                .get_bucket()
                .iter()
                .map(|bucket| (bucket.upper_bound(), bucket.cumulative_count()))
                .filter(|(bound, _)| bound.is_finite())
                .collect();
            bounds.push((f64::INFINITY, histogram.get_sample_count()));
            for (bound, count) in bounds {
                let bound = if bound.is_finite() { bound.to_string() } else { "+Inf".to_owned() };
                push_part(samples, &format!("{name}_bucket"), &labels, ("le", &bound), count as f64);
            }
            samples.push(&format!("{name}_sum"), &labels, histogram.get_sample_sum());
            samples.push(&format!("{name}_count"), &labels, histogram.get_sample_count() as f64);
        }
        MetricType::SUMMARY => {
            let summary = metric.get_summary();
            for quantile in summary.get_quantile() {
                let share = quantile.quantile().to_string();
                push_part(samples, name, &labels, ("quantile", &share), quantile.value());
            }
            samples.push(&format!("{name}_sum"), &labels, summary.sample_sum());
            samples.push(&format!("{name}_count"), &labels, summary.sample_count() as f64);
        }
    }
}

fn push_part(samples: &mut Samples, name: &str, labels: &[(&str, &str)], part: (&str, &str), value: f64) {
    let labels: Vec<(&str, &str)> = labels.iter().copied().chain([part]).collect();
    samples.push(name, &labels, value);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::runner::tests::ingest;
    use prometheus::{Histogram, HistogramOpts, IntCounterVec, IntGauge, Opts};

    fn registry() -> Registry {
        let registry = Registry::new();
        let requests = IntCounterVec::new(Opts::new("requests_total", "Requests."), &["path"]).unwrap();
        let empty = IntCounterVec::new(Opts::new("nothing_total", "Never counted."), &["path"]).unwrap();
        let depth = IntGauge::new("depth", "Depth.").unwrap();
        let options = HistogramOpts::new("took_seconds", "Time.").buckets(vec![0.5, 1.0]);
        let took = Histogram::with_opts(options).unwrap();
        registry.register(Box::new(requests.clone())).unwrap();
        registry.register(Box::new(empty)).unwrap();
        registry.register(Box::new(depth.clone())).unwrap();
        registry.register(Box::new(took.clone())).unwrap();
        requests.with_label_values(&["/a"]).inc_by(3);
        depth.set(-2);
        took.observe(0.7);
        took.observe(9.0);
        registry
    }

    #[tokio::test]
    async fn every_metric_becomes_samples_with_the_label_host() {
        let ingest = ingest(&Arc::default());
        let mut own = Own::new(&OwnConfig::default(), "box".to_owned(), registry(), Arc::clone(&ingest));
        let batch = own.collect(Timestamp::from_millis(5000)).await.unwrap();
        let known = ingest.metadata(Some("took_seconds"), 1, 1);
        let known: Vec<_> = known.iter().flat_map(|(_, all)| all).map(|one| (one.kind, &*one.help)).collect();
        assert_eq!(known, [(MetricKind::Histogram, "Time.")]);
        let mut shown: Vec<String> = batch
            .iter()
            .map(|(labels, samples)| format!("{labels:?} {} @{}", samples[0].value, samples[0].time_ms))
            .collect();
        shown.sort();
        assert_eq!(
            shown,
            [
                r#"depth{host="box"} -2 @5000"#,
                r#"requests_total{host="box", path="/a"} 3 @5000"#,
                r#"took_seconds_bucket{host="box", le="+Inf"} 2 @5000"#,
                r#"took_seconds_bucket{host="box", le="0.5"} 0 @5000"#,
                r#"took_seconds_bucket{host="box", le="1"} 1 @5000"#,
                r#"took_seconds_count{host="box"} 2 @5000"#,
                r#"took_seconds_sum{host="box"} 9.7 @5000"#,
            ]
        );
    }

    #[test]
    fn the_text_holds_every_family_that_has_metrics() {
        let text = encode_text(&registry());
        assert!(text.contains("requests_total{path=\"/a\"} 3\n"), "{text}");
        assert!(text.contains("took_seconds_bucket{le=\"+Inf\"} 2\n"), "{text}");
        assert!(text.contains("depth -2\n"), "{text}");
    }
}
