//! The `[store]` section of the configuration.

use std::collections::BTreeMap;
use std::time::Duration;

use model::{ByteSize, DurationText};
use store::{Matcher, Retention, Table};

use crate::archive::ArchiveConfig;

/// What is audited is kept a year, unless it is said otherwise.
const AUDIT_RETENTION: Duration = Duration::from_secs(365 * 24 * 3600);

/// How the embedded store keeps telemetry. Every field has a default that suits one host.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Config {
    /// How long metrics and events are kept. What applications report for audits (the table `audit_events`) is kept a
    /// year at least; `retention_overrides` can say otherwise.
    #[schemars(with = "String")]
    pub retention: DurationText,
    /// How long rollups of metrics are kept: for every 5 minutes and every hour the number of samples, their
    /// sum, least, greatest and last, and the increase of a counter. They are made when a day is over, answer
    /// queries with large steps, and stand in for samples that are gone. 0 makes none.
    #[schemars(with = "String")]
    pub rollup_retention: DurationText,
    /// The most that files of metrics and events may take on the disk: beyond it the oldest are dropped,
    /// however young. What applications report for audits goes last while it takes less than a quarter of all; what
    /// is more than that goes by its age, like the rest. 0 is no bound.
    #[schemars(with = "String")]
    pub retention_bytes: ByteSize,
    /// While the disk has less than this free, the oldest files are dropped in the same order, but none with anything
    /// of the last day. 0 drops nothing. Below `disk_reserve_bytes` nothing new is taken.
    #[schemars(with = "String")]
    pub retention_free_bytes: ByteSize,
    /// The most memory that samples take before they are in files. Files are written at a twelfth of it, at
    /// up to half when there are so many series that each would have few samples in a file, so that there is room for
    /// what arrives meanwhile. What a series takes beside its samples comes on top, some 400 bytes in the
    /// measurements; `max_series` bounds it. An eighth of it is for results of rules, derived metrics, metrics of logs
    /// and what collectors find, which nobody would send again.
    #[schemars(with = "String")]
    pub head_max_bytes: ByteSize,
    /// The longest that data stays in memory and in the write-ahead log alone before files are written.
    #[schemars(with = "String")]
    pub head_max_age: DurationText,
    /// The most memory that events take before they are in files. Files are written at half of it. Samples have memory of
    /// their own; of this an eighth is for all events that are no records of logs, spans or exemplars, so that a flood of
    /// those does not keep others out. A request that is stored in several parts is taken whole while there is any
    /// room, and may go beyond it.
    #[schemars(with = "String")]
    pub events_head_max_bytes: ByteSize,
    /// The most series in memory. Samples of further series are refused and counted.
    pub max_series: usize,
    /// Bytes of the disk that are kept free: below that nothing new is taken, reading goes on.
    #[schemars(with = "String")]
    pub disk_reserve_bytes: ByteSize,
    /// The size at which a segment of the write-ahead log is closed and the next one begun. The labels of
    /// series, which each segment holds once, do not count.
    #[schemars(with = "String")]
    pub wal_segment_bytes: ByteSize,
    /// The most that the write-ahead log may take. Files are written at half of it. Events leave an eighth of it to samples,
    /// and an eighth is for what the memory for both is spared for.
    #[schemars(with = "String")]
    pub wal_max_bytes: ByteSize,
    /// How long a commit may gather the batches of several writers. A lone writer never waits for it.
    #[schemars(with = "String")]
    pub commit_interval: DurationText,
    /// The size at which a commit gathers no further batches.
    #[schemars(with = "String")]
    pub commit_bytes: ByteSize,
    /// The most bytes of batches that wait to be committed, shared out as the log is.
    #[schemars(with = "String")]
    pub commit_queue_bytes: ByteSize,
    /// How often it is looked whether small files can be merged to larger ones; at most 100 times a second.
    #[schemars(with = "String")]
    pub compaction_interval: DurationText,
    /// How much older than the newest sample of its series a sample may be. Samples out of order wait in a
    /// list beside the others of their series, however late they are.
    #[schemars(with = "String")]
    pub out_of_order_window: DurationText,
    /// The most samples that one selector of a query may read, whatever the query asks for.
    /// `promql.max_samples` bounds those of all its selectors.
    pub max_query_samples: u64,
    /// The most memory that the labels and indexes may take that one selector of a query reads from files. All queries
    /// together may hold twice that, beside what is cached.
    #[schemars(with = "String")]
    pub max_query_labels_bytes: ByteSize,
    /// The most rows that one scan of events may return, whatever it asks for.
    pub max_scan_rows: usize,
    /// The most memory that the rows of one scan may take.
    #[schemars(with = "String")]
    pub max_scan_bytes: ByteSize,
    /// The most memory that all scans of events may take together.
    #[schemars(with = "String")]
    pub scans_memory_bytes: ByteSize,
    /// How long one scan of events may take, waiting for its turn included.
    #[schemars(with = "String")]
    pub scan_timeout: DurationText,
    /// The most scans of events that run at once. They share the cores by turns; more wait.
    pub max_concurrent_scans: usize,
    /// The most scans of events that wait; more are told to come back.
    pub max_waiting_scans: usize,
    /// The most memory that labels and indexes of files may take while they are kept for the next query.
    #[schemars(with = "String")]
    pub cache_bytes: ByteSize,
    /// What is kept shorter or longer than `retention` says.
    pub retention_overrides: RetentionOverrides,
    /// Where days are archived that are over.
    pub archive: ArchiveConfig,
}

/// Retention of single tables and series.
#[derive(Clone, Debug, Default, PartialEq, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct RetentionOverrides {
    /// How long rows of a table of events are kept, by its name: `requests = "30d"`.
    #[schemars(with = "BTreeMap<String, String>")]
    pub tables: BTreeMap<String, DurationText>,
    /// How long series are kept. The first that matches a series decides. A block of metrics stays on the
    /// disk as long as the longest of these, and what is past its own retention is not answered any more. It
    /// goes when its block is merged with others. Lists of series and of labels go by the longest of these:
    /// they can name a series of which nothing is answered any more.
    pub metrics: Vec<MetricRetention>,
}

/// How long some series are kept.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MetricRetention {
    /// A selector: `{job="api"}`.
    pub r#match: String,
    /// What the selector means. Whoever reads the configuration fills it in: the store knows no PromQL.
    #[serde(skip)]
    #[schemars(skip)]
    pub matchers: Vec<Matcher>,
    /// How long they are kept.
    #[schemars(with = "String")]
    pub keep: DurationText,
}

impl RetentionOverrides {
    /// What is wrong with it, if anything is.
    pub fn fault(&self) -> Option<String> {
        if let Some(name) = self.tables.keys().find(|name| Table::from_name(name).is_none()) {
            let names: Vec<&str> = Table::ALL.iter().map(|table| table.name()).collect();
            return Some(format!("`{name}` is no table: there are {}", names.join(", ")));
        }
        let keeps = self.tables.values().chain(self.metrics.iter().map(|metrics| &metrics.keep));
        keeps
            .into_iter()
            .any(|keep| keep.0.is_zero())
            .then(|| "a retention must be more than zero".to_owned())
    }
}

impl Config {
    /// How long rows of a table are kept.
    pub fn retention_of(&self, table: Table) -> Duration {
        self.retention_overrides
            .tables
            .get(table.name())
            .map_or_else(|| self.usual_retention(table), |keep| keep.0)
    }

    /// How long rows of a table are kept that no override names: what is audited a year at least, because people are
    /// asked about it by then.
    fn usual_retention(&self, table: Table) -> Duration {
        match table {
            Table::AuditEvents => self.retention.0.max(AUDIT_RETENTION),
            _ => self.retention.0,
        }
    }

    /// How long rows of those tables are kept that are kept for another time than `retention` says: by an override, or
    /// because it is usual.
    pub fn tables_kept_otherwise(&self) -> BTreeMap<String, DurationText> {
        let kept = Table::ALL.iter().map(|table| (table.name(), self.retention_of(*table)));
        let otherwise = kept.filter(|(_, keep)| *keep != self.retention.0);
        let usual = otherwise.map(|(name, keep)| (name.to_owned(), DurationText(keep)));
        // What is written down is told also where it changes nothing.
        usual.chain(self.retention_overrides.tables.clone()).collect()
    }

    /// How long what is kept, as `retention` and its overrides say. Names that are no tables are passed over:
    /// opening the store refuses them.
    pub fn kept(&self) -> Retention {
        let overrides = &self.retention_overrides;
        let usual = Retention::from(self.retention.0);
        let kept =
            Table::ALL.iter().fold(usual, |kept, table| kept.with_table(*table, self.retention_of(*table)));
        let series = overrides.metrics.iter();
        series.fold(kept, |kept, metrics| kept.with_series(metrics.matchers.clone(), metrics.keep.0))
    }
}

impl Default for Config {
    fn default() -> Self {
        const MIB: u64 = 1 << 20;
        let minutes = |minutes: u64| DurationText(Duration::from_secs(minutes * 60));
        Self {
            retention: minutes(7 * 24 * 60),
            rollup_retention: minutes(30 * 24 * 60),
            retention_bytes: ByteSize(0),
            retention_free_bytes: ByteSize(2048 * MIB),
            head_max_bytes: ByteSize(256 * MIB),
            head_max_age: minutes(120),
            events_head_max_bytes: ByteSize(64 * MIB),
            max_series: 1_000_000,
            disk_reserve_bytes: ByteSize(1024 * MIB),
            wal_segment_bytes: ByteSize(64 * MIB),
            wal_max_bytes: ByteSize(1024 * MIB),
            commit_interval: DurationText(Duration::from_millis(5)),
            commit_bytes: ByteSize(MIB),
            commit_queue_bytes: ByteSize(64 * MIB),
            compaction_interval: minutes(1),
            out_of_order_window: minutes(120),
            max_query_samples: 500_000_000,
            max_query_labels_bytes: ByteSize(512 * MIB),
            max_scan_rows: 1_000_000,
            max_scan_bytes: ByteSize(256 * MIB),
            scans_memory_bytes: ByteSize(512 * MIB),
            scan_timeout: minutes(1),
            max_concurrent_scans: 8,
            max_waiting_scans: 64,
            cache_bytes: ByteSize(128 * MIB),
            retention_overrides: RetentionOverrides::default(),
            archive: ArchiveConfig::default(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_defaults_survive_being_written_down_and_unknown_keys_are_refused() {
        let text = serde_json::to_string(&Config::default()).expect("serializes");
        assert_eq!(serde_json::from_str::<Config>(&text).expect("reads"), Config::default());
        assert!(serde_json::from_str::<Config>(r#"{"retension":"7d"}"#).is_err());
    }

    #[test]
    fn what_is_kept_for_another_time_is_told_whoever_says_so() {
        let days = |days: u64| DurationText(Duration::from_secs(days * 24 * 3600));
        let told = |retention: u64, overrides: &[(&str, u64)]| {
            let mut config = Config { retention: days(retention), ..Config::default() };
            let named = overrides.iter().map(|(table, keep)| ((*table).to_owned(), days(*keep)));
            config.retention_overrides.tables = named.collect();
            let kept = config.tables_kept_otherwise().into_iter();
            kept.map(|(table, keep)| format!("{table} {keep}")).collect::<Vec<_>>().join(", ")
        };
        assert_eq!(told(7, &[]), format!("audit_events {}", days(365)));
        assert_eq!(told(500, &[]), "");
        assert_eq!(told(7, &[("audit_events", 30), ("logs", 7)]), "audit_events 30d, logs 7d");
    }
}
