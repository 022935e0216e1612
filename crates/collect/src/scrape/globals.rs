//! The section `global` of a configuration of Prometheus: what holds for all jobs of the file.

use std::collections::BTreeMap;
use std::path::PathBuf;

use model::{ByteSize, DurationText};
use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_saphyr::Spanned;

use super::config::in_powers_of_two;
use super::protocols::{EscapingScheme, ScrapeProtocol};

/// What a file says of all its jobs. A job's own keys go before.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub(super) struct Globals {
    pub(super) scrape_interval: Option<DurationText>,
    pub(super) scrape_timeout: Option<DurationText>,
    pub(super) scrape_protocols: Option<Vec<ScrapeProtocol>>,
    pub(super) scrape_native_histograms: Option<bool>,
    pub(super) always_scrape_classic_histograms: Option<bool>,
    pub(super) convert_classic_histograms_to_nhcb: Option<bool>,
    #[serde(deserialize_with = "in_powers_of_two")]
    pub(super) body_size_limit: ByteSize,
    pub(super) sample_limit: usize,
    pub(super) target_limit: usize,
    pub(super) label_limit: usize,
    pub(super) label_name_length_limit: usize,
    pub(super) label_value_length_limit: usize,
    pub(super) keep_dropped_targets: usize,
    pub(super) metric_name_validation_scheme: Option<String>,
    pub(super) metric_name_escaping_scheme: Option<EscapingScheme>,
    pub(super) extra_scrape_metrics: Option<bool>,
    pub(super) scrape_failure_log_file: Option<PathBuf>,
    /// What is of no job: labels of all that leaves, before their variables are filled in.
    pub(super) external_labels: BTreeMap<String, Spanned<String>>,
    // What is not about scraping.
    #[serde(rename = "evaluation_interval")]
    pub(super) _evaluation_interval: Option<IgnoredAny>,
    #[serde(rename = "rule_query_offset")]
    pub(super) _rule_query_offset: Option<IgnoredAny>,
    #[serde(rename = "query_log_file")]
    pub(super) _query_log_file: Option<IgnoredAny>,
    /// The folder of the file, where its paths start.
    #[serde(skip)]
    pub(super) base: PathBuf,
}
