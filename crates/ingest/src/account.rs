//! Who sent what, and what became of it: the counters behind "nothing is dropped uncounted".

use model::event::{Event, Flaw, Flaws};
use prometheus::{IntCounter, IntCounterVec, Opts, Registry};

use crate::Action;

/// Where data came from. A short, fixed list: it is a label.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Source {
    /// `POST /api/v1/events`
    EventsApi,
    /// Prometheus remote write
    RemoteWrite,
    /// A target that was scraped
    Scrape,
    /// One of our collectors
    Collector,
    /// Metrics derived from live state
    Pipeline,
    /// Results of recording rules and alert series
    Rules,
    /// Records of logs by OpenTelemetry's protocol
    OtlpLogs,
    /// Spans by OpenTelemetry's protocol
    OtlpTraces,
    /// Points of metrics by OpenTelemetry's protocol
    OtlpMetrics,
    /// Events that follow from spans
    Derived,
    /// Lines of logs by Loki's push API
    Loki,
    /// Messages of syslog
    Syslog,
    /// Watchkeeper's own metrics
    Own,
    /// A line of a file that is tailed
    LogFile,
    /// An entry of systemd's journal
    Journal,
    /// A record of the kernel's log
    KernelLog,
    /// Metrics counted from records of logs
    LogMetrics,
}

impl Source {
    /// Whether it is logs that we fetch, not such as are sent.
    pub(crate) fn is_fetched_log(self) -> bool {
        matches!(self, Self::LogFile | Self::Journal | Self::KernelLog)
    }

    /// Whether what comes from it are records of logs, some of which may be audits.
    pub(crate) fn is_of_logs(self) -> bool {
        self.is_fetched_log() || matches!(self, Self::OtlpLogs | Self::Loki | Self::Syslog)
    }

    /// Whether it is the house itself: what comes so is little, and nobody sends it again.
    pub(crate) fn is_own(self) -> bool {
        matches!(self, Self::Collector | Self::Pipeline | Self::Rules | Self::LogMetrics | Self::Own)
    }

    /// The value of the label `source`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::EventsApi => "events_api",
            Self::RemoteWrite => "remote_write",
            Self::Scrape => "scrape",
            Self::Collector => "collector",
            Self::Pipeline => "pipeline",
            Self::Rules => "rules",
            Self::OtlpLogs => "otlp_logs",
            Self::OtlpTraces => "otlp_traces",
            Self::OtlpMetrics => "otlp_metrics",
            Self::Derived => "derived",
            Self::Loki => "loki",
            Self::Syslog => "syslog",
            Self::Own => "own",
            Self::LogFile => "log_file",
            Self::Journal => "journal",
            Self::KernelLog => "kernel_log",
            Self::LogMetrics => "log_metrics",
        }
    }
}

/// Why an item was not stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Reason {
    /// It could not be decoded.
    Malformed,
    /// Its time is too far in the future.
    Future,
    /// It is older than what is kept.
    TooOld,
    /// A field, a label or the number of them is too large.
    TooLarge,
    /// It was stored before.
    Duplicate,
    /// Its series would be one too many.
    SeriesLimit,
    /// The store had no room.
    Overloaded,
    /// Of its trace nothing is kept (`ingest.sampling`).
    Sampled,
}

impl Reason {
    /// The value of the label `reason`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Malformed => "malformed",
            Self::Future => "future",
            Self::TooOld => "too_old",
            Self::TooLarge => "too_large",
            Self::Duplicate => "duplicate",
            Self::SeriesLimit => "series_limit",
            Self::Overloaded => "overloaded",
            Self::Sampled => "sampled",
        }
    }
}

/// What an item is.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Kind {
    Event,
    Sample,
    Metadata,
}

impl Kind {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Event => "event",
            Self::Sample => "sample",
            Self::Metadata => "metadata",
        }
    }
}

/// The counters.
pub(crate) struct Account {
    accepted: IntCounterVec,
    refused: IntCounterVec,
    redacted: IntCounterVec,
    flaws: IntCounterVec,
    forgotten_steps: IntCounter,
    forgotten_keys: IntCounter,
    unwaited: IntCounter,
}

impl Account {
    pub(crate) fn new(registry: &Registry) -> Result<Self, prometheus::Error> {
        let counter = |name: &str, help: &str, labels: &[&str]| {
            let counter = IntCounterVec::new(Opts::new(name, help), labels)?;
            registry.register(Box::new(counter.clone()))?;
            Ok::<_, prometheus::Error>(counter)
        };
        let plain = |name: &str, help: &str| {
            let counter = IntCounter::new(name, help)?;
            registry.register(Box::new(counter.clone()))?;
            Ok::<_, prometheus::Error>(counter)
        };
        let forgotten_steps = plain(
            "watchkeeper_ingest_forgotten_steps_total",
            "Internal spans that were let go, for want of room, before a span above them came that could have been a job.",
        )?;
        let forgotten_keys = plain(
            "watchkeeper_ingest_forgotten_keys_total",
            "Streams of logs within a private key that were forgotten for want of room: further lines of it may be stored.",
        )?;
        let unwaited = plain(
            "watchkeeper_ingest_sampled_at_once_total",
            "Requests whose spans were decided on without waiting for others of their traces, because too much waited.",
        )?;
        Ok(Self {
            forgotten_steps,
            forgotten_keys,
            unwaited,
            accepted: counter(
                "watchkeeper_ingest_accepted_total",
                "Items stored, by source and kind (event or sample).",
                &["source", "kind"],
            )?,
            refused: counter(
                "watchkeeper_ingest_refused_total",
                "Items not stored, by source, kind (event, sample or metadata) and reason.",
                &["source", "kind", "reason"],
            )?,
            redacted: counter(
                "watchkeeper_redactions_total",
                "Secrets and personal data found before storing, by source, detector and action (mask, hash, drop or keep).",
                &["source", "detector", "action"],
            )?,
            flaws: counter(
                "watchkeeper_ingest_flaws_total",
                "What was wrong with records of logs and spans, or cut from them, that were taken in all the same; by source and flaw.",
                &["source", "flaw"],
            )?,
        })
    }

    pub(crate) fn accepted(&self, source: Source, kind: Kind, count: u64) {
        if count > 0 {
            self.accepted.with_label_values(&[source.as_str(), kind.as_str()]).inc_by(count);
        }
    }

    pub(crate) fn refused(&self, source: Source, kind: Kind, reason: Reason, count: u64) {
        if count > 0 {
            self.refused.with_label_values(&[source.as_str(), kind.as_str(), reason.as_str()]).inc_by(count);
        }
    }

    pub(crate) fn redacted(&self, source: Source, detector: &str, action: Action) {
        self.redacted.with_label_values(&[source.as_str(), detector, action.as_str()]).inc();
    }

    pub(crate) fn forgot_steps(&self, count: u64) {
        self.forgotten_steps.inc_by(count);
    }

    pub(crate) fn forgot_keys(&self, count: u64) {
        self.forgotten_keys.inc_by(count);
    }

    pub(crate) fn did_not_wait(&self) {
        self.unwaited.inc();
    }

    /// Counts what is not right about events that are stored.
    pub(crate) fn flawed<'e>(&self, source: Source, events: impl Iterator<Item = &'e Event>) {
        let mut counts = [0; Flaw::ALL.len()];
        let flawed = events.map(Event::flaws).filter(|flaws| !flaws.is_empty());
        for flaw in flawed.flat_map(Flaws::iter) {
            counts[flaw as usize] += 1;
        }
        for (flaw, count) in Flaw::ALL.iter().zip(counts).filter(|(_, count)| *count > 0) {
            self.flaws.with_label_values(&[source.as_str(), flaw.as_str()]).inc_by(count);
        }
    }
}
