//! The series that say how scraping a target goes.

use std::time::Duration;

use model::{Labels, MetricBatch, STALE_NAN};

use super::series::Counts;

/// What is known of one scrape.
pub(super) struct Report {
    pub(super) is_up: bool,
    pub(super) took: Duration,
    pub(super) counts: Counts,
    /// What is told beside, if the job wants it.
    pub(super) extra: Option<Extra>,
}

/// What `extra_scrape_metrics` adds.
pub(super) struct Extra {
    pub(super) timeout: Duration,
    /// Zero where there is no limit.
    pub(super) sample_limit: usize,
    /// Bytes after unpacking: zero when there was no body, and -1 when it was larger than it may be.
    pub(super) body_bytes: f64,
}

/// The series of one target.
pub(super) struct Reports {
    up: Labels,
    duration: Labels,
    scraped: Labels,
    kept: Labels,
    added: Labels,
    extra: [Labels; 3],
    /// Whether the scrape before had the extra ones, which end when no more are wanted.
    had_extra: bool,
}

impl Reports {
    pub(super) fn new(target: &Labels) -> Self {
        let series = |name: &str| {
            let mut labels = target.to_builder();
            labels.set(model::labels::METRIC_NAME, name);
            labels.build()
        };
        Self {
            up: series("up"),
            duration: series("scrape_duration_seconds"),
            scraped: series("scrape_samples_scraped"),
            kept: series("scrape_samples_post_metric_relabeling"),
            added: series("scrape_series_added"),
            extra: ["scrape_timeout_seconds", "scrape_sample_limit", "scrape_body_size_bytes"].map(series),
            had_extra: false,
        }
    }

    /// Adds what is to be stored of a scrape.
    pub(super) fn add(&mut self, batch: &mut MetricBatch, at_ms: i64, report: &Report) {
        let Report { is_up, took, counts, extra } = report;
        batch.push_one(&self.up, at_ms, f64::from(u8::from(*is_up)));
        batch.push_one(&self.duration, at_ms, took.as_secs_f64());
        batch.push_one(&self.scraped, at_ms, counts.shown as f64);
        batch.push_one(&self.kept, at_ms, counts.kept as f64);
        batch.push_one(&self.added, at_ms, counts.added as f64);
        let values = match extra {
            Some(extra) => [extra.timeout.as_secs_f64(), extra.sample_limit as f64, extra.body_bytes],
            None if self.had_extra => [STALE_NAN; 3],
            None => return,
        };
        self.had_extra = extra.is_some();
        for (labels, value) in self.extra.iter().zip(values) {
            batch.push_one(labels, at_ms, value);
        }
    }

    /// Adds an end for each of them.
    pub(super) fn end(&self, batch: &mut MetricBatch, at_ms: i64) {
        let usual = [&self.up, &self.duration, &self.scraped, &self.kept, &self.added];
        let extra = self.extra.iter().filter(|_| self.had_extra);
        for labels in usual.into_iter().chain(extra) {
            batch.push_one(labels, at_ms, STALE_NAN);
        }
    }
}
