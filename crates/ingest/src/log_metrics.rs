//! Metrics counted from what logs say, by rules: a line becomes a counter or a histogram, with no change to what logs it.
//!
//! A rule hears every record of a log once, after it was redacted and stored, whatever it came from. What it counts are
//! sums since the start, written at an interval. Label sets are bounded: what a rule has no room for is counted under
//! labels that say `other`. Start reading at [`LogMetrics`].

mod amount;
mod patterns;
mod rule;
mod settings;
mod tally;

#[cfg(test)]
mod tests;

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

use model::event::{Event, LogEvent};
use model::{MetricBatch, MetricKind, MetricMetadata, Timestamp};
use parking_lot::Mutex;
use prometheus::{IntCounterVec, Opts, Registry};
use regex::SetMatches;
use tokio_util::sync::CancellationToken;

use crate::{EventListener, INLINE_BYTES, Ingest, Source, unhurried};
use patterns::Patterns;
use rule::Rule;
use tally::{Tally, Told};

pub use rule::LogMetricsError;
pub use settings::{LogMetricKind, LogMetricRule, LogMetricsSettings};

/// The most values that are kept until they are counted.
const MAX_FOUND: usize = 1024;

/// A value that a rule has found in a record.
struct Found {
    /// Which rule.
    place: usize,
    labels: Vec<String>,
    value: f64,
}

/// Counts records of logs by rules.
pub struct LogMetrics {
    rules: Vec<Rule>,
    /// The patterns of all rules, so that a text is gone over once.
    patterns: Patterns,
    tallies: Mutex<Vec<Tally>>,
    interval: Duration,
    overflowed: IntCounterVec,
    unread: IntCounterVec,
}

impl LogMetrics {
    /// Rules that have counted nothing. `None`, when there are none.
    pub fn new(
        settings: &LogMetricsSettings,
        registry: &Registry,
    ) -> Result<Option<Arc<Self>>, LogMetricsError> {
        let rules = settings.compile()?;
        if rules.is_empty() {
            return Ok(None);
        }
        let patterns = Patterns::new(rules.iter().map(Rule::pattern));
        let counter = |name: &str, help: &str| -> Result<IntCounterVec, prometheus::Error> {
            let counter = IntCounterVec::new(Opts::new(name, help), &["metric"])?;
            registry.register(Box::new(counter.clone()))?;
            Ok(counter)
        };
        let tallies = rules.iter().map(|_| Tally::new(settings.max_series)).collect();
        Ok(Some(Arc::new(Self {
            patterns: patterns.map_err(LogMetricsError::Together)?,
            rules,
            tallies: Mutex::new(tallies),
            interval: settings.interval.0,
            overflowed: counter(
                "watchkeeper_log_metrics_overflowed_total",
                "Records counted under labels that say `other`, because a metric of logs has too many label sets.",
            )
            .map_err(LogMetricsError::Metrics)?,
            unread: counter(
                "watchkeeper_log_metrics_unread_total",
                "Records that a metric of logs did not count because their value is no number.",
            )
            .map_err(LogMetricsError::Metrics)?,
        })))
    }

    /// Writes what was counted at its interval, and once more at the end.
    pub async fn run(self: Arc<Self>, ingest: Arc<Ingest>, stop: CancellationToken) {
        let metadata = self.rules.iter().map(|rule| MetricMetadata {
            family: rule.name().to_owned(),
            kind: match rule.kind() {
                LogMetricKind::Counter => MetricKind::Counter,
                LogMetricKind::Histogram => MetricKind::Histogram,
            },
            help: rule.help().to_owned(),
            unit: String::new(),
        });
        ingest.note_metadata(Source::LogMetrics, metadata.collect());
        let mut is_told = true;
        loop {
            let is_over = stop.run_until_cancelled(tokio::time::sleep(self.interval)).await.is_none();
            let batch = self.told(Timestamp::now());
            if !batch.is_empty() {
                let stored = ingest.append_metrics(Source::LogMetrics, batch).await;
                if stored.is_ok() {
                    self.settle();
                }
                // Sums lose nothing by it: the next ones hold what these did. `ingest` counts it.
                if let Err(error) = &stored
                    && is_told
                {
                    tracing::warn!(%error, "metrics of logs could not be stored");
                }
                is_told = stored.is_ok();
            }
            if is_over {
                return;
            }
        }
    }

    /// All sums, as samples of the present time.
    pub(crate) fn told(&self, now: Timestamp) -> MetricBatch {
        let mut batch = MetricBatch::new();
        let mut tallies = self.tallies.lock();
        for (rule, tally) in self.rules.iter().zip(tallies.iter_mut()) {
            tally.tell(Told { rule, now_ms: now.as_millis() }, &mut batch);
        }
        batch
    }

    /// What was told last is stored.
    pub(crate) fn settle(&self) {
        self.tallies.lock().iter_mut().for_each(Tally::settle);
    }

    /// Counts records. Patterns are tried without the lock: texts are long, and others count meanwhile.
    fn count_all<'e>(&self, logs: impl Iterator<Item = &'e LogEvent>, now: Timestamp) {
        let mut found = Vec::new();
        for log in logs {
            self.find(log, &mut found);
            if found.len() >= MAX_FOUND {
                self.add(&mut found, now);
            }
        }
        self.add(&mut found, now);
    }

    /// What the rules find in a record.
    fn find(&self, log: &LogEvent, found: &mut Vec<Found>) {
        let mut text: Option<(Cow<'_, str>, Option<SetMatches>)> = None;
        for (place, rule) in self.rules.iter().enumerate() {
            if !rule.may_count(log) {
                continue;
            }
            let (text, matches) = text.get_or_insert_with(|| {
                let text = text_of(log);
                let matches = self.patterns.matches(&text);
                (text, matches)
            });
            let is_match =
                rule.pattern().is_none() || matches.as_ref().is_some_and(|matches| matches.matched(place));
            if !rule.counts(log, is_match) {
                continue;
            }
            match rule.read(log, text) {
                Some((labels, value)) => found.push(Found { place, labels, value }),
                None => self.unread.with_label_values(&[rule.name()]).inc(),
            }
        }
    }

    fn add(&self, found: &mut Vec<Found>, now: Timestamp) {
        if found.is_empty() {
            return;
        }
        let mut tallies = self.tallies.lock();
        for Found { place, labels, value } in found.drain(..) {
            let rule = &self.rules[place];
            if tallies[place].add(labels, value, rule, now.as_millis()) {
                self.overflowed.with_label_values(&[rule.name()]).inc();
            }
        }
    }
}

impl EventListener for LogMetrics {
    fn on_events(&self, events: &[Event]) {
        let logs = || {
            events.iter().filter_map(|event| if let Event::Log(log) = event { Some(&**log) } else { None })
        };
        if logs().next().is_none() {
            return;
        }
        let now = Timestamp::now();
        // Not beyond the bound: a large request has thousands of them.
        let mut bytes = logs().map(text_bytes);
        if bytes.try_fold(INLINE_BYTES, usize::checked_sub).is_none() {
            unhurried(|| self.count_all(logs(), now));
        } else {
            self.count_all(logs(), now);
        }
    }
}

/// How much text of a record patterns are tried on.
fn text_bytes(log: &LogEvent) -> usize {
    let fields = &log.conventions;
    let texts = [&log.message, &fields.exception_type, &fields.exception_message];
    texts.into_iter().flatten().map(String::len).sum()
}

/// What patterns are tried on: the message and, where something was thrown, a line that says so.
fn text_of(log: &LogEvent) -> Cow<'_, str> {
    let message = log.message.as_deref().unwrap_or_default();
    let fields = &log.conventions;
    match &fields.exception_type {
        None => Cow::Borrowed(message),
        Some(kind) => {
            let said = fields.exception_message.as_deref().unwrap_or_default();
            Cow::Owned(format!("{message}\nexception {kind}: {said}"))
        }
    }
}
