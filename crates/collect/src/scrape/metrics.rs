//! What scraping counts of itself.

use prometheus::{IntCounter, IntCounterVec, IntGauge, Opts, Registry};

/// Counters of all jobs together. Which target fails, and why, is on the targets page.
#[derive(Clone, Debug)]
pub(super) struct Metrics {
    pub(super) scrapes: IntCounterVec,
    pub(super) targets: IntGauge,
    pub(super) refused_targets: IntCounter,
    pub(super) late: IntCounter,
    pub(super) exemplars: IntCounter,
    pub(super) left_out: IntCounter,
    pub(super) unlogged_failures: IntCounter,
    pub(super) reload_failed: IntGauge,
}

impl Metrics {
    pub(super) fn new(registry: &Registry) -> Result<Self, prometheus::Error> {
        let metrics = Self {
            scrapes: IntCounterVec::new(
                Opts::new("watchkeeper_scrapes_total", "Scrapes of targets, by outcome."),
                &["outcome"],
            )?,
            targets: IntGauge::new("watchkeeper_scrape_targets", "Targets that are scraped.")?,
            refused_targets: IntCounter::new(
                "watchkeeper_scrape_targets_refused_total",
                "Targets that were found and not scraped: wrong ones, and those over scraping.max_targets.",
            )?,
            late: IntCounter::new(
                "watchkeeper_scrapes_late_total",
                "Scrapes that began more than 2 ms after their time, and have their own time.",
            )?,
            exemplars: IntCounter::new(
                "watchkeeper_scrape_exemplars_total",
                "Exemplars that targets have shown.",
            )?,
            left_out: IntCounter::new(
                "watchkeeper_scrape_histograms_left_out_total",
                "Classic histograms that contradict themselves, and so could not become native ones.",
            )?,
            unlogged_failures: IntCounter::new(
                "watchkeeper_scrape_failures_unlogged_total",
                "Scrapes that failed and could not be written down in their scrape_failure_log_file.",
            )?,
            reload_failed: IntGauge::new(
                "watchkeeper_scrape_config_reload_failed",
                "1 when a changed file of scraping.files cannot be used and the configuration before goes on.",
            )?,
        };
        registry.register(Box::new(metrics.scrapes.clone()))?;
        registry.register(Box::new(metrics.targets.clone()))?;
        registry.register(Box::new(metrics.refused_targets.clone()))?;
        registry.register(Box::new(metrics.late.clone()))?;
        registry.register(Box::new(metrics.exemplars.clone()))?;
        registry.register(Box::new(metrics.left_out.clone()))?;
        registry.register(Box::new(metrics.unlogged_failures.clone()))?;
        registry.register(Box::new(metrics.reload_failed.clone()))?;
        Ok(metrics)
    }
}
