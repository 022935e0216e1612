//! What tailing counts of itself.

use prometheus::{IntCounter, IntCounterVec, IntGauge, IntGaugeVec, Opts, Registry};
use protocol::logs::Counts;

/// Counters of all files together, and how far behind each of them is.
#[derive(Clone, Debug)]
pub(super) struct Metrics {
    pub(super) bytes: IntCounter,
    lines: IntCounter,
    records: IntCounter,
    cut: IntCounter,
    binary: IntCounter,
    unparsed: IntCounterVec,
    pub(super) vanished: IntCounter,
    pub(super) forgotten: IntCounter,
    pub(super) rotations: IntCounter,
    pub(super) truncations: IntCounter,
    pub(super) errors: IntCounter,
    pub(super) retries: IntCounter,
    pub(super) files: IntGauge,
    pub(super) unread_files: IntGauge,
    pub(super) lag: IntGaugeVec,
}

impl Metrics {
    pub(super) fn new(registry: &Registry) -> Result<Self, prometheus::Error> {
        let counter = |name: &str, help: &str| -> Result<IntCounter, prometheus::Error> {
            let counter = IntCounter::new(name, help)?;
            registry.register(Box::new(counter.clone()))?;
            Ok(counter)
        };
        let gauge = |name: &str, help: &str| -> Result<IntGauge, prometheus::Error> {
            let gauge = IntGauge::new(name, help)?;
            registry.register(Box::new(gauge.clone()))?;
            Ok(gauge)
        };
        let unparsed = IntCounterVec::new(
            Opts::new(
                "watchkeeper_tail_lines_unparsed_total",
                "Lines of log files that are not what the format of their entry says, kept as they are; by format.",
            ),
            &["format"],
        )?;
        registry.register(Box::new(unparsed.clone()))?;
        let lag = IntGaugeVec::new(
            Opts::new("watchkeeper_tail_lag_bytes", "Bytes of a log file that are not stored yet."),
            &["path"],
        )?;
        registry.register(Box::new(lag.clone()))?;
        Ok(Self {
            bytes: counter("watchkeeper_tail_bytes_total", "Bytes read of log files.")?,
            lines: counter("watchkeeper_tail_lines_total", "Lines read of log files.")?,
            records: counter("watchkeeper_tail_records_total", "Records that lines of log files became.")?,
            cut: counter(
                "watchkeeper_tail_cut_total",
                "Lines of log files that were longer than 256 KiB, and records of more lines than are joined.",
            )?,
            binary: counter(
                "watchkeeper_tail_lines_binary_total",
                "Lines of log files with bytes that are no text, which were replaced.",
            )?,
            unparsed,
            vanished: counter(
                "watchkeeper_tail_files_vanished_total",
                "Log files that were removed while they were read, or are gone after a restart.",
            )?,
            forgotten: counter(
                "watchkeeper_tail_positions_forgotten_total",
                "Positions of log files that were not found for days, or were too many.",
            )?,
            rotations: counter(
                "watchkeeper_tail_rotations_total",
                "Log files in whose place another one was begun.",
            )?,
            truncations: counter(
                "watchkeeper_tail_truncations_total",
                "Log files that were emptied in their place.",
            )?,
            errors: counter("watchkeeper_tail_errors_total", "Log files that could not be opened or read.")?,
            retries: counter(
                "watchkeeper_tail_waits_total",
                "Times that reading of log files waited because the store had no room.",
            )?,
            files: gauge("watchkeeper_tail_files", "Log files that are open.")?,
            unread_files: gauge(
                "watchkeeper_tail_files_unread",
                "Log files that are not read because more than tailing.max_files are open.",
            )?,
            lag,
        })
    }

    pub(super) fn add(&self, counts: Counts, format: &str) {
        self.lines.inc_by(counts.lines);
        self.records.inc_by(counts.records);
        self.cut.inc_by(counts.cut);
        self.binary.inc_by(counts.binary);
        if counts.unparsed > 0 {
            self.unparsed.with_label_values(&[format]).inc_by(counts.unparsed);
        }
    }
}
