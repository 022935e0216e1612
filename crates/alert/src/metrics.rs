//! What alerting counts of itself.

mod groups;

use model::Timestamp;
use prometheus::{Gauge, GaugeVec, IntCounterVec, Opts, Registry};

pub(crate) use groups::{GroupMetrics, Iteration};

/// The counters. Clones count together.
#[derive(Clone)]
pub(crate) struct Metrics {
    pub(crate) groups: GroupMetrics,
    reload_successful: Gauge,
    reload_success_time: Gauge,
    delivered: IntCounterVec,
    failed: IntCounterVec,
    dead: IntCounterVec,
    channel_up: GaugeVec,
}

impl Metrics {
    pub(crate) fn new(registry: &Registry) -> Result<Self, prometheus::Error> {
        let by_channel = |name: &str, help: &str| {
            let counter = IntCounterVec::new(Opts::new(name, help), &["channel"])?;
            registry.register(Box::new(counter.clone()))?;
            Ok::<_, prometheus::Error>(counter)
        };
        let channel_up = GaugeVec::new(
            Opts::new("watchkeeper_channel_up", "Whether the last attempt over a channel succeeded."),
            &["channel"],
        )?;
        registry.register(Box::new(channel_up.clone()))?;
        let gauge = |name: &str, help: &str| {
            let gauge = Gauge::new(name, help)?;
            registry.register(Box::new(gauge.clone()))?;
            Ok::<_, prometheus::Error>(gauge)
        };
        Ok(Self {
            groups: GroupMetrics::new(registry)?,
            reload_successful: gauge(
                "watchkeeper_rules_last_reload_successful",
                "Whether the rule files could be used when they were read last.",
            )?,
            reload_success_time: gauge(
                "watchkeeper_rules_last_reload_success_timestamp_seconds",
                "When the rules that are evaluated were read.",
            )?,
            delivered: by_channel("watchkeeper_notifications_delivered_total", "Notifications delivered.")?,
            failed: by_channel("watchkeeper_notifications_failed_total", "Attempts that failed.")?,
            dead: by_channel("watchkeeper_notifications_dead_total", "Notifications given up.")?,
            channel_up,
        })
    }

    /// A channel shows up from the start, at zero, and as up until an attempt fails.
    pub(crate) fn channel(&self, name: &str, up: bool) {
        for counter in [&self.delivered, &self.failed, &self.dead] {
            counter.with_label_values(&[name]);
        }
        self.channel_up.with_label_values(&[name]).set(if up { 1.0 } else { 0.0 });
    }

    /// Rule files were read; `at` is when those that are evaluated were.
    pub(crate) fn reloaded(&self, successful: bool, at: Timestamp) {
        self.reload_successful.set(if successful { 1.0 } else { 0.0 });
        self.reload_success_time.set(at.as_secs_f64());
    }

    pub(crate) fn delivered(&self, channel: &str) {
        self.delivered.with_label_values(&[channel]).inc();
        self.channel_up.with_label_values(&[channel]).set(1.0);
    }

    pub(crate) fn failed(&self, channel: &str) {
        self.failed.with_label_values(&[channel]).inc();
        self.channel_up.with_label_values(&[channel]).set(0.0);
    }

    pub(crate) fn dead(&self, channel: &str) {
        self.dead.with_label_values(&[channel]).inc();
    }

    /// Notifications of any channel that were given up because the queue was full.
    pub(crate) fn overflowed(&self, count: u64) {
        if count > 0 {
            self.dead.with_label_values(&["(queue full)"]).inc_by(count);
        }
    }
}
