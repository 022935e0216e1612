//! What syslog counts of itself. What becomes of records is counted by `ingest`.

use prometheus::{IntCounter, IntCounterVec, IntGauge, Opts, Registry};

/// How a message came.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Transport {
    Udp,
    Tcp,
}

impl Transport {
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Udp => "udp",
            Self::Tcp => "tcp",
        }
    }
}

/// Why a message was dropped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Dropped {
    /// There was no room in the queue.
    QueueFull,
    /// It could not be stored.
    NotStored,
}

impl Dropped {
    const fn as_str(self) -> &'static str {
        match self {
            Self::QueueFull => "queue_full",
            Self::NotStored => "not_stored",
        }
    }
}

/// The counters.
#[derive(Clone, Debug)]
pub(super) struct Metrics {
    messages: IntCounterVec,
    bytes: IntCounterVec,
    dropped: IntCounterVec,
    malformed: IntCounterVec,
    cut: IntCounterVec,
    pub(super) connections: IntGauge,
    pub(super) refused: IntCounter,
}

impl Metrics {
    pub(super) fn new(registry: &Registry) -> Result<Self, prometheus::Error> {
        let by_transport = |name: &str, help: &str| {
            let counter = IntCounterVec::new(Opts::new(name, help), &["transport"])?;
            registry.register(Box::new(counter.clone()))?;
            Ok::<_, prometheus::Error>(counter)
        };
        let metrics = Self {
            messages: by_transport(
                "watchkeeper_syslog_messages_total",
                "Messages of syslog that came, by transport (udp or tcp).",
            )?,
            bytes: by_transport("watchkeeper_syslog_bytes_total", "Bytes of these messages, by transport.")?,
            dropped: IntCounterVec::new(
                Opts::new(
                    "watchkeeper_syslog_dropped_total",
                    "Messages of syslog that are lost, by transport and reason (queue_full or not_stored).",
                ),
                &["transport", "reason"],
            )?,
            malformed: by_transport(
                "watchkeeper_syslog_malformed_total",
                "Messages that are not written as syslog is, and were kept as texts, by transport.",
            )?,
            cut: by_transport(
                "watchkeeper_syslog_cut_total",
                "Messages that were longer than is taken, or broke off, by transport.",
            )?,
            connections: IntGauge::new(
                "watchkeeper_syslog_connections",
                "Connections of syslog that are open.",
            )?,
            refused: IntCounter::new(
                "watchkeeper_syslog_connections_refused_total",
                "Connections of syslog that were closed as they came, for there were syslog.max_connections.",
            )?,
        };
        registry.register(Box::new(metrics.dropped.clone()))?;
        registry.register(Box::new(metrics.connections.clone()))?;
        registry.register(Box::new(metrics.refused.clone()))?;
        Ok(metrics)
    }

    pub(super) fn came(&self, transport: Transport, bytes: usize, is_cut: bool) {
        let label = [transport.as_str()];
        self.messages.with_label_values(&label).inc();
        self.bytes.with_label_values(&label).inc_by(bytes as u64);
        if is_cut {
            self.cut.with_label_values(&label).inc();
        }
    }

    pub(super) fn dropped(&self, transport: Transport, reason: Dropped) {
        self.dropped.with_label_values(&[transport.as_str(), reason.as_str()]).inc();
    }

    pub(super) fn malformed(&self, transport: Transport) {
        self.malformed.with_label_values(&[transport.as_str()]).inc();
    }
}
